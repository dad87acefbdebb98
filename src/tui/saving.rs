//! Lines of a log in a file: the bytes as they were written, or harmless text.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::api::{LogEventsQuery, LogLine};
use crate::client::Client;
use crate::domain::saying::{Saying, sayings};
use crate::logs::filter::Filter;
use crate::logs::safe::{SafeText, harmless};

use super::log::ours;
use super::msg::Saving;
use super::threads::in_words;

/// Writes the lines; the remark says how many.
///
/// # Errors
/// A file that is there already is left alone; so is one that cannot be made.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other kind of error says it best itself"
)]
pub(super) fn save(
    client: &Client,
    path: &Path,
    raw: bool,
    what: Saving,
) -> Result<String, String> {
    let shown = path.display();
    // Output may hold secrets: for the owner alone.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{shown} is there already: choose another name")
            }
            io::ErrorKind::NotFound => format!("there is no folder for {shown}"),
            _ => format!("{shown} cannot be written: {error}"),
        })?;
    let failed = |error: Failure| match error {
        Failure::Asking(why) => why,
        Failure::Writing(error) => format!("{shown} was not written whole: {error}"),
    };
    let count = write(client, what, raw, file).map_err(failed)?;
    let word = if count == 1 { "line" } else { "lines" };
    Ok(format!("saved {count} {word} to {shown}"))
}

/// Why lines were not written.
pub(super) enum Failure {
    Asking(String),
    Writing(io::Error),
}

/// Writes the lines as harmless text.
pub(super) fn print(client: &Client, what: Saving, out: impl io::Write) -> Result<u64, Failure> {
    write(client, what, false, out)
}

/// What is written.
enum Put<'a> {
    Line(&'a LogLine),
    /// What adasa says.
    Ours(&'a Saying),
}

/// What adasa says between lines, in harmless text alone: bytes are those of the process.
#[derive(Default)]
struct Ours(VecDeque<Saying>);

impl Ours {
    /// Without an answer the lines are saved all the same.
    fn ask(client: &Client, select: &str, filter: &str, from_ms: u64, to_ms: Option<u64>) -> Self {
        let told = client.log_events(&LogEventsQuery {
            select: select.to_owned(),
            from_ms,
            to_ms,
            limit: None,
        });
        let events = told.map(|told| told.events).unwrap_or_default();
        let filter = Filter::new(filter, None).ok();
        let passes = |it: &Saying| filter.as_ref().is_none_or(|f| f.passes(it.text.as_bytes()));
        Self(sayings(&events).into_iter().filter(passes).collect())
    }

    /// Writes what stands before a line.
    fn before(
        &mut self,
        line: &LogLine,
        put: &mut impl FnMut(Put<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let stands = |it: &mut Saying| !it.is_behind(line.id, line.run, line.time);
        while let Some(said) = self.0.pop_front_if(stands) {
            put(Put::Ours(&said))?;
        }
        Ok(())
    }
}

/// Writes the lines; returns how many there were.
fn write(client: &Client, what: Saving, raw: bool, out: impl io::Write) -> Result<u64, Failure> {
    let mut out = BufWriter::new(out);
    let mut count = 0_u64;
    let mut put = |it: Put<'_>| -> io::Result<()> {
        let line = match it {
            Put::Line(line) => line,
            Put::Ours(said) => {
                let text = harmless(&said.text);
                return writeln!(out, "{}", ours(&said.name, &text));
            }
        };
        count += 1;
        let bytes = line.bytes();
        if raw {
            out.write_all(&bytes)?;
        } else {
            let text = SafeText::up_to(&bytes, bytes.len().max(4));
            out.write_all(text.plain().as_bytes())?;
        }
        // A piece of a line that was too long goes on with the next.
        if line.complete || !raw {
            out.write_all(b"\n")?;
        }
        Ok(())
    };
    let asking = |error| Failure::Asking(in_words(error));
    match what {
        Saving::Page(query) => {
            let page = client.log_page(&query).map_err(asking)?;
            let times = || page.lines.iter().filter_map(|line| line.time);
            let mut ours = match times().next() {
                Some(from) if !raw => {
                    let to = times().next_back();
                    Ours::ask(client, &query.select, &query.filter, from, to)
                }
                Some(_) | None => Ours::default(),
            };
            for line in &page.lines {
                ours.before(line, &mut put).map_err(Failure::Writing)?;
                put(Put::Line(line)).map_err(Failure::Writing)?;
            }
        }
        Saving::All(query) => {
            let mut ours = if raw {
                Ours::default()
            } else {
                Ours::ask(client, &query.select, &query.filter, 0, None)
            };
            let mut lines = client.logs(&query).map_err(asking)?;
            while let Some(line) = lines.next_line().map_err(asking)? {
                ours.before(&line, &mut put).map_err(Failure::Writing)?;
                put(Put::Line(&line)).map_err(Failure::Writing)?;
            }
            for said in ours.0 {
                put(Put::Ours(&said)).map_err(Failure::Writing)?;
            }
        }
    }
    out.flush().map_err(Failure::Writing)?;
    Ok(count)
}
