//! One line of output on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;

use super::place::Cursor;

/// One line, or a piece of a very long one; one JSON object a line in `GET /api/logs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since 1970 when it was drained; none when no index tells.
    pub time: Option<u64>,
    /// Which instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Which stream.
    pub stream: Stream,
    /// Which run, when known.
    pub run: Option<RunId>,
    /// Logical offset of its first byte: with instance and stream, a position that stays valid.
    pub offset: u64,
    /// The text, without its newline; where it is not UTF-8, with the replacement character.
    pub line: String,
    /// The bytes in base64, when `line` could not hold them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Whether a newline ends it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub complete: bool,
    /// How many lines before this one were passed over, because they came faster than asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gap: u64,
    /// How many bytes of this log directly before this line, or within it, are not there: archives that were removed, a
    /// file that was cut from outside.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// How many bytes of this log directly before this line, or within it, were let go because the disk did not take them
    /// (`on_disk_full = "drop"`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// A compressed archive of this log ends here, or with this line, and is damaged: lines of it are wrong or missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_true(it: &bool) -> bool {
    *it
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(it: &u64) -> bool {
    *it == 0
}

impl LogLine {
    /// Where it begins.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            id: self.id,
            stream: self.stream,
            offset: self.offset,
        }
    }

    /// Where the next one of its log begins.
    #[must_use]
    pub fn end(&self) -> Cursor {
        let bytes = match &self.raw {
            Some(_) => self.bytes().len(),
            None => self.line.len(),
        };
        Cursor {
            offset: self.offset + bytes as u64 + u64::from(self.complete),
            ..self.cursor()
        }
    }

    /// Puts the bytes in, whatever they are.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                text.clone_into(&mut self.line);
                self.raw = None;
            }
            Err(_) => {
                self.line = String::from_utf8_lossy(bytes).into_owned();
                self.raw = Some(STANDARD.encode(bytes));
            }
        }
    }

    /// The bytes as they were written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.raw
            .as_ref()
            .and_then(|raw| STANDARD.decode(raw).ok())
            .unwrap_or_else(|| self.line.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_arrive_as_they_were() {
        for bytes in [&b"plain"[..], b"", b"\xff\x00\xfe", "ä".as_bytes()] {
            let mut line = LogLine {
                time: None,
                id: InstanceId(1),
                name: "api".into(),
                stream: Stream::Out,
                run: None,
                offset: 0,
                line: String::new(),
                raw: None,
                complete: true,
                gap: 0,
                missing: 0,
                dropped: 0,
                damaged: false,
            };
            line.set_bytes(bytes);
            let json = serde_json::to_string(&line).unwrap();
            let back: LogLine = serde_json::from_str(&json).unwrap();
            assert_eq!(back.bytes(), bytes);
        }
    }
}
