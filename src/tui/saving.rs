//! Lines of a log in a file: the bytes as they were written, or harmless text.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::api::LogLine;
use crate::client::Client;
use crate::logs::safe::SafeText;

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

/// Writes the lines; returns how many there were.
fn write(client: &Client, what: Saving, raw: bool, out: impl io::Write) -> Result<u64, Failure> {
    let mut out = BufWriter::new(out);
    let mut count = 0_u64;
    let mut put = |line: &LogLine| -> io::Result<()> {
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
            for line in &page.lines {
                put(line).map_err(Failure::Writing)?;
            }
        }
        Saving::All(query) => {
            let mut lines = client.logs(&query).map_err(asking)?;
            while let Some(line) = lines.next_line().map_err(asking)? {
                put(&line).map_err(Failure::Writing)?;
            }
        }
    }
    out.flush().map_err(Failure::Writing)?;
    Ok(count)
}
