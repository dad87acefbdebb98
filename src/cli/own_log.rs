//! daemon log: what the daemon says about itself.

use std::process::ExitCode;

use crate::api::{Record, RecordQuery};
use crate::client::{Client, ClientError};
use crate::logs::records::tail;
use crate::logs::safe::harmless;

use super::args::{DaemonLog, Global};
use super::failure::{Failure, exit};
use super::logs::stamp;
use super::print;
use super::select::new_client;

fn show_one(global: &Global, record: &Record) {
    if global.json {
        print::json_line(record);
        return;
    }
    let mut text = record.text();
    if record.missed > 0 {
        text = format!("({} records before it were not sent) {text}", record.missed);
    }
    // The levels are words of one width, so that targets stand below each other.
    let line = format!(
        "{} {:<5} {}: ",
        stamp(Some(record.at_us / 1000)),
        record.level.name().to_ascii_uppercase(),
        harmless(&record.target)
    );
    print::line(&format!("{line}{}", harmless(&text)));
}

pub(super) fn show(global: &Global, wanted: DaemonLog) -> Result<ExitCode, Failure> {
    let client = new_client(false)?;
    let mut query = RecordQuery {
        level: Some(wanted.level),
        lines: Some(wanted.lines),
        after_us: None,
        follow: wanted.follow,
    };
    loop {
        let mut records = match client.daemon_log(&query) {
            Ok(records) => records,
            // Without a daemon its file is there all the same.
            Err(ClientError::NoDaemon { .. }) if !wanted.follow => {
                return of_file(global, &client, wanted);
            }
            Err(error) => return Err(error.into()),
        };
        loop {
            match records.next_line() {
                Ok(Some(record)) => {
                    query.after_us = query.after_us.max(Some(record.at_us));
                    show_one(global, &record);
                }
                Ok(None) | Err(ClientError::Unresponsive(_)) if query.follow => break,
                Ok(None) => return Ok(ExitCode::SUCCESS),
                Err(error) => return Err(error.into()),
            }
        }
        if client.ensure_as(true).is_err() {
            // It was stopped, not replaced.
            return Ok(ExitCode::SUCCESS);
        }
        // The next daemon remembers what this one said last.
        query.lines = Some(usize::MAX);
    }
}

fn of_file(global: &Global, client: &Client, wanted: DaemonLog) -> Result<ExitCode, Failure> {
    let path = client.paths().daemon_log();
    let records = tail(&path, wanted.level, wanted.lines).map_err(|error| {
        let text = format!("{} cannot be read: {error}", path.display());
        Failure::new(exit::FAILED, text)
    })?;
    for record in &records {
        show_one(global, record);
    }
    Ok(ExitCode::SUCCESS)
}
