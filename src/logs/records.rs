//! The file of the daemon's own log: one record a line, as text or as JSON; both are read back.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::level::Level;
use crate::domain::record::Record;

use super::archive::with_suffix;

/// How much of the end of a file is looked at.
const TAIL: u64 = 1024 * 1024;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// For people: time, level, target, message.
    #[default]
    Text,
    /// For tools.
    Json,
}

impl Format {
    /// All, with their names.
    pub(crate) const ALL: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

/// A record as a line of JSON: a time that tools understand.
#[derive(Serialize, Deserialize)]
struct Line {
    time: Timestamp,
    level: Level,
    target: String,
    message: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
}

fn time(at_us: u64) -> Timestamp {
    i64::try_from(at_us)
        .ok()
        .and_then(|us| Timestamp::from_microsecond(us).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What a terminal or a reader of lines would obey, as it is written in programs.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// One line with its end.
#[must_use]
pub(crate) fn line(record: &Record, format: Format) -> String {
    let time = time(record.at_us);
    match format {
        Format::Text => format!(
            "{time:.6} {:>5} {}: {}\n",
            record.level.name().to_ascii_uppercase(),
            record.target,
            escaped(&record.text())
        ),
        Format::Json => {
            let line = Line {
                time,
                level: record.level,
                target: record.target.clone(),
                message: record.message.clone(),
                fields: record.fields.clone(),
            };
            let mut text = serde_json::to_string(&line).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

/// A line that [`line`] wrote; none for anything else.
#[must_use]
pub(crate) fn parse(line: &str) -> Option<Record> {
    let of = |at: Timestamp| u64::try_from(at.as_microsecond()).unwrap_or(0);
    if line.starts_with('{') {
        let it: Line = serde_json::from_str(line).ok()?;
        return Some(Record {
            at_us: of(it.time),
            level: it.level,
            target: it.target,
            message: it.message,
            fields: it.fields,
            missed: 0,
        });
    }
    let (at, rest) = line.split_once(' ')?;
    let (level, rest) = rest.trim_start().split_once(' ')?;
    let (target, message) = rest.split_once(": ")?;
    Some(Record {
        at_us: of(at.parse().ok()?),
        level: Level::ALL
            .into_iter()
            .find(|it| it.name().eq_ignore_ascii_case(level))?,
        target: target.to_owned(),
        message: message.to_owned(),
        fields: BTreeMap::new(),
        missed: 0,
    })
}

/// The end of a file, at most so many bytes.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn end_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last records of a file, oldest first, and of the file before it where one is not enough.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn tail(path: &Path, level: Level, most: usize) -> io::Result<VecDeque<Record>> {
    let mut all = VecDeque::new();
    for path in [path.to_owned(), with_suffix(path, ".1")] {
        if all.len() >= most {
            break;
        }
        let bytes = match end_of(&path, TAIL) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&bytes);
        // The first line of a part may be a part of a line, which is then none that can be read.
        let records = text.lines().rev().filter_map(parse);
        for record in records
            .filter(|it| it.level >= level)
            .take(most - all.len())
        {
            all.push_front(record);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: &str) -> Record {
        Record {
            at_us: 1_767_614_671_000_123,
            level: Level::Warn,
            target: "server.unix".into(),
            message: message.into(),
            fields: BTreeMap::new(),
            missed: 0,
        }
    }

    #[test]
    fn both_formats_are_read_back() {
        for message in ["a stranger was turned away", "a: b: c", "\u{4e16}\u{754c}"] {
            for (_, format) in Format::ALL {
                let one = record(message);
                let text = line(&one, format);
                assert_eq!(parse(text.trim_end()), Some(one), "{text}");
            }
        }
        let one = record("");
        assert_eq!(
            line(&record("x"), Format::Text),
            "2026-01-05T12:04:31.000123Z  WARN server.unix: x\n"
        );
        let with = Record {
            fields: BTreeMap::from([("uid".into(), "7".into())]),
            ..one
        };
        assert!(line(&with, Format::Text).ends_with(": uid=7\n"));
        assert_eq!(parse(line(&with, Format::Json).trim_end()), Some(with));
        for nonsense in [
            "",
            "{}",
            "no time WARN x: y",
            "2026-01-05T12:04:31Z LOUD x: y",
        ] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_record_is_one_line_without_a_control_whatever_it_says() {
        let hostile = record("a\nb\x1b[2J\u{9b}1m\0");
        for (_, format) in Format::ALL {
            let text = line(&hostile, format);
            let inside = text.trim_end_matches('\n');
            let bad = inside.chars().find(|c| c.is_ascii_control());
            assert_eq!(bad, None, "{text:?}");
        }
        assert!(line(&hostile, Format::Text).contains("a\\nb\\u{1b}[2J\\u{9b}1m\\u{0}"));
    }

    #[test]
    fn the_last_records_go_on_in_the_file_before() {
        let folder = std::env::temp_dir().join(format!("adasa-records-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("daemon.log");
        assert_eq!(tail(&path, Level::Info, 5).unwrap(), VecDeque::new());
        let lines = |range: std::ops::Range<u32>| -> String {
            range
                .map(|n| line(&record(&n.to_string()), Format::Text))
                .collect()
        };
        std::fs::write(with_suffix(&path, ".1"), lines(0..10)).unwrap();
        std::fs::write(&path, format!("torn line\n{}", lines(10..12))).unwrap();
        let told = |level, most| -> Vec<String> {
            let all = tail(&path, level, most).unwrap();
            all.into_iter().map(|it| it.message).collect()
        };
        assert_eq!(told(Level::Info, 4), ["8", "9", "10", "11"]);
        assert_eq!(told(Level::Info, 1), ["11"]);
        assert!(told(Level::Error, 4).is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
