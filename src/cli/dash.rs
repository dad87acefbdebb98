//! Opening the dashboard.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::client::Client;

use super::args::{Global, Tui};
use super::failure::{Failure, exit};
use super::print;
use super::select::client;

/// How the dashboard is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) interval: Duration,
    pub(super) ascii: bool,
    pub(super) guardian: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            ascii: false,
            guardian: true,
        }
    }
}

/// The dashboard needs a terminal that can place a cursor.
pub(super) fn check_terminal() -> Result<(), Failure> {
    let dumb = std::env::var_os("TERM").is_none_or(|t| t.is_empty() || t == "dumb");
    if dumb || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::new(exit::USAGE, "the dashboard needs a terminal")
            .hint("use `adasa list`, `adasa logs -f`, or `adasa up -d` in the background"));
    }
    Ok(())
}

pub(super) fn tui(global: &Global, wanted: &Tui) -> Result<ExitCode, Failure> {
    check_terminal()?;
    let client = client(global)?;
    client.ensure_as(global.no_autostart)?;
    let options = Options {
        interval: wanted.interval,
        ascii: wanted.ascii,
        guardian: !wanted.no_guardian,
    };
    open(&client, options)
}

/// Shows the dashboard until it is left.
pub(super) fn open(client: &Client, options: Options) -> Result<ExitCode, Failure> {
    let options = crate::tui::Options {
        interval: options.interval,
        ascii: options.ascii,
        guardian: options.guardian,
    };
    match crate::tui::run(client.without_autostart(), options) {
        Ok(farewell) => {
            if let Some(line) = farewell.line {
                print::line(&line);
            }
            Ok(ExitCode::from(farewell.code))
        }
        Err(error) => Err(Failure::new(
            exit::FAILED,
            format!("the dashboard ended: {error}"),
        )),
    }
}
