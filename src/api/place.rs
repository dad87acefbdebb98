//! Places in logs: positions that stay valid over rotation, restarts and the death of the daemon.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;

/// A position in one log: `ID:STREAM:OFFSET`, before the line that begins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cursor {
    /// Which instance.
    pub id: InstanceId,
    /// Which stream; `out` where both go to one file.
    pub stream: Stream,
    /// Bytes since the first byte that the log ever had.
    pub offset: u64,
}

/// A position in several logs that are read as one: cursors, separated by commas. A log that is not named is placed by
/// the time of the newest cursor, so the cursor of a single line is a place in any merged view.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogPlace(pub Vec<Cursor>);

/// What is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor: it is written ID:out:OFFSET or ID:err:OFFSET")]
pub struct NoCursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.id, self.stream.word(), self.offset)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let read = || {
            let (id, rest) = text.split_once(':')?;
            let (stream, offset) = rest.split_once(':')?;
            Some(Self {
                id: InstanceId(id.parse().ok()?),
                stream: Stream::ALL.into_iter().find(|s| s.word() == stream)?,
                offset: offset.parse().ok()?,
            })
        };
        read().ok_or_else(|| NoCursor(text.to_owned()))
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, cursor) in self.0.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            write!(f, "{comma}{cursor}")?;
        }
        Ok(())
    }
}

impl FromStr for LogPlace {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let words = text.split(',').filter(|word| !word.is_empty());
        words.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for LogPlace {
    type Error = NoCursor;

    fn try_from(text: String) -> Result<Self, NoCursor> {
        text.parse()
    }
}

impl From<LogPlace> for String {
    fn from(place: LogPlace) -> Self {
        place.to_string()
    }
}

impl From<Cursor> for LogPlace {
    fn from(cursor: Cursor) -> Self {
        Self(vec![cursor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let text = "3:out:918233,3:err:0,14:out:7";
        let place: LogPlace = text.parse().unwrap();
        assert_eq!(place.0.len(), 3);
        assert_eq!(place.to_string(), text);
        assert_eq!("".parse::<LogPlace>().unwrap(), LogPlace::default());
        for wrong in ["3", "3:out", "x:out:1", "3:both:1", "3:out:-1", "3:out:1:2"] {
            assert!(wrong.parse::<LogPlace>().is_err(), "{wrong}");
        }
    }
}
