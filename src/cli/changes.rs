//! changes: what changed since a moment.

use std::process::ExitCode;

use super::args::{ChangesArgs, Global};
use super::failure::Failure;
use super::logs::{moment, stamp};
use super::print;
use super::select::client;

pub(super) fn changes(global: &Global, wanted: &ChangesArgs) -> Result<ExitCode, Failure> {
    let since_ms = moment("--since", &wanted.since)?;
    let changes = client(global)?.changes(since_ms)?;
    if global.json {
        print::json(&changes);
        return Ok(ExitCode::SUCCESS);
    }
    let since = stamp(Some(since_ms));
    if changes.is_empty() {
        print::line(&format!("nothing changed since {since}"));
    } else {
        print::line(&format!("since {since}"));
        for line in changes.words() {
            print::line(&format!("  {line}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
