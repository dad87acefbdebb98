//! activity: who did what, and what happened by itself; clients: who listens.

use std::collections::VecDeque;
use std::process::ExitCode;

use crate::api::{Activity, ActivityQuery, Push};
use crate::client::ClientError;
use crate::domain::activity::add;
use crate::platform::clock::wall_ms;

use super::args::{ActivityArgs, Global};
use super::failure::Failure;
use super::logs::{moment, stamp};
use super::print;
use super::select::{client, new_client};

fn show(global: &Global, it: &Activity) {
    if global.json {
        print::json_line(it);
    } else {
        let time = stamp(Some(it.at_ms));
        print::line(&format!("{time}  {}  {}", it.actor(), it.words()));
    }
}

pub(super) fn activity(global: &Global, wanted: &ActivityArgs) -> Result<ExitCode, Failure> {
    let since_ms = wanted.since.as_deref().map(|t| moment("--since", t));
    let query = ActivityQuery {
        limit: Some(wanted.lines),
        since_ms: since_ms.transpose()?,
    };
    let client = client(global)?;
    // First: what happens meanwhile is not missed.
    let mut events = None;
    if wanted.follow {
        events = Some((client.events()?, wall_ms()));
    }
    let told = client.activity(&query)?;
    told.iter().for_each(|it| show(global, it));
    let Some((mut events, begun_ms)) = events else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut last: Option<String> = None;
    loop {
        match events.next_push() {
            Ok(Some(Push::Event { event })) => {
                let mut new = VecDeque::new();
                add(&mut new, &event, 1);
                let known = |it: &Activity| it.at_ms >= begun_ms && told.contains(it);
                for it in new.into_iter().filter(|it| !known(it)) {
                    show(global, &it);
                }
            }
            Ok(Some(
                Push::Snapshot(_)
                | Push::Resync
                | Push::Instance { .. }
                | Push::Removed { .. }
                | Push::Metrics { .. }
                | Push::Clients { .. }
                | Push::Operation { .. },
            )) => {}
            Ok(None) | Err(ClientError::Unresponsive(_)) => {
                if client.ensure_as(true).is_err() {
                    // It was stopped, not replaced.
                    return Ok(ExitCode::SUCCESS);
                }
                events = client.events_after(last.as_deref())?;
            }
            Err(error) => return Err(error.into()),
        }
        last = events.last_id().map(str::to_owned).or(last);
    }
}

pub(super) fn clients(global: &Global) -> Result<ExitCode, Failure> {
    let clients = new_client(false)?.clients()?;
    if global.json {
        print::json(&clients);
        return Ok(ExitCode::SUCCESS);
    }
    if clients.is_empty() {
        print::line("nobody listens");
    }
    for it in &clients {
        let pid = it
            .who
            .pid
            .map_or(String::new(), |pid| format!("  pid {pid}"));
        print::line(&format!(
            "{}  since {}{pid}",
            it.who,
            stamp(Some(it.since_ms))
        ));
    }
    Ok(ExitCode::SUCCESS)
}
