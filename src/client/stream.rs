//! Streams: events and log lines, one after the other.

use std::io::{self, BufRead, BufReader};
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::api::{LogLine, Push, Record, SearchNews};

use super::error::ClientError;
use super::http::Body;

/// The daemon says something every five seconds; after this much silence it is not there.
const SILENCE: Duration = Duration::from_secs(12);

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other kind of error says it best itself"
)]
fn broken(error: &io::Error) -> ClientError {
    ClientError::Unresponsive(match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("not a word for {} seconds", SILENCE.as_secs())
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "it closed the connection".to_owned()
        }
        _ => error.to_string(),
    })
}

/// Ends a stream from another thread.
#[derive(Debug)]
pub struct Closer(UnixStream);

impl Closer {
    /// The reader sees the end.
    pub fn close(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What happens, from a snapshot on.
pub struct Events {
    reader: Box<dyn BufRead + Send>,
    last: Option<String>,
}

impl Events {
    pub(super) fn new(body: Body, last: Option<String>) -> Result<Self, ClientError> {
        body.socket()
            .set_read_timeout(Some(SILENCE))
            .map_err(|e| broken(&e))?;
        Ok(Self {
            reader: Box::new(BufReader::new(body)),
            last,
        })
    }

    /// The id of what was told last, to go on behind it over another connection.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The next thing; none when the daemon ended the stream.
    ///
    /// # Errors
    /// A daemon that went silent or is gone, or something that cannot be understood.
    pub fn next_push(&mut self) -> Result<Option<Push>, ClientError> {
        let (mut line, mut id, mut data) = (String::new(), None, None);
        loop {
            line.clear();
            match self.reader.read_line(&mut line) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(broken(&error)),
            }
            if let Some(text) = line.strip_prefix("data:") {
                data = Some(text.trim().to_owned());
            } else if let Some(text) = line.strip_prefix("id:") {
                id = Some(text.trim().to_owned());
            }
            // Only the empty line makes it whole.
            if line.trim_end().is_empty()
                && let Some(json) = data.take()
            {
                let push =
                    serde_json::from_str(&json).map_err(|e| ClientError::Garbage(e.to_string()))?;
                self.last = id.or(self.last.take());
                return Ok(Some(push));
            }
        }
    }
}

/// Things that come as JSON, one a line.
pub struct JsonLines<T> {
    reader: BufReader<Body>,
    of: PhantomData<fn() -> T>,
}

/// Log lines.
pub type LogLines = JsonLines<LogLine>;

/// What a search finds: hits, progress, the end.
pub type SearchHits = JsonLines<SearchNews>;

/// Records of the daemon's own log.
pub type Records = JsonLines<Record>;

impl<T: DeserializeOwned> JsonLines<T> {
    /// With a limit for silence; without one, where silence is no sign of death: the end is seen by the end of the stream.
    pub(super) fn new(body: Body, silence: Silence) -> Result<Self, ClientError> {
        let limit = match silence {
            Silence::Death => Some(Some(SILENCE)),
            Silence::Usual => Some(None),
            Silence::AsBefore => None,
        };
        if let Some(limit) = limit {
            body.socket()
                .set_read_timeout(limit)
                .map_err(|e| broken(&e))?;
        }
        Ok(Self {
            reader: BufReader::new(body),
            of: PhantomData,
        })
    }

    /// A handle that ends the stream.
    ///
    /// # Errors
    /// When the descriptor cannot be copied.
    pub fn closer(&self) -> Result<Closer, ClientError> {
        let socket = self.reader.get_ref().socket().try_clone();
        socket.map(Closer).map_err(|e| broken(&e))
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    /// A stream that broke off, or something that cannot be understood.
    pub fn next_line(&mut self) -> Result<Option<T>, ClientError> {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Ok(0) => Ok(None),
            Ok(_) => serde_json::from_slice(&line)
                .map(Some)
                .map_err(|e| ClientError::Garbage(e.to_string())),
            Err(error) => Err(broken(&error)),
        }
    }
}

/// What silence on a stream means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The daemon says something every so often: it is not there.
    Death,
    /// Nothing happens.
    Usual,
    /// As for any answer.
    AsBefore,
}

impl Silence {
    /// Of a stream that goes on, or of one that ends by itself.
    pub(super) fn of(follow: bool) -> Self {
        if follow { Self::Usual } else { Self::AsBefore }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::InstanceId;

    #[test]
    fn the_last_id_is_of_what_was_told_wholly() {
        let text = ": a word\n\nid: 3-7\ndata: {\"type\":\"removed\",\"id\":1}\n\n\
                    data: {\"type\":\"resync\"}\n\n\
                    id: 3-8\ndata: {\"type\":\"removed\",\"id\":2}\n";
        let mut events = Events {
            reader: Box::new(text.as_bytes()),
            last: Some("2-5".into()),
        };
        assert_eq!(events.last_id(), Some("2-5"));
        let removed = Push::Removed { id: InstanceId(1) };
        assert_eq!(events.next_push().unwrap(), Some(removed));
        assert_eq!(events.last_id(), Some("3-7"));
        assert_eq!(events.next_push().unwrap(), Some(Push::Resync));
        assert_eq!(events.last_id(), Some("3-7"));
        assert_eq!(events.next_push().unwrap(), None, "cut off before its end");
        assert_eq!(events.last_id(), Some("3-7"));
    }
}
