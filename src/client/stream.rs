//! Streams: events and log lines, one after the other.

use std::io::{self, BufRead as _, BufReader};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::api::{LogLine, Push, SearchNews};

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
    reader: BufReader<Body>,
}

impl Events {
    pub(super) fn new(body: Body) -> Result<Self, ClientError> {
        body.socket()
            .set_read_timeout(Some(SILENCE))
            .map_err(|e| broken(&e))?;
        Ok(Self {
            reader: BufReader::new(body),
        })
    }

    /// The next thing; none when the daemon ended the stream.
    ///
    /// # Errors
    /// A daemon that went silent or is gone, or something that cannot be understood.
    pub fn next_push(&mut self) -> Result<Option<Push>, ClientError> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.reader.read_line(&mut line) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(broken(&error)),
            }
            if let Some(json) = line.strip_prefix("data:") {
                return serde_json::from_str(json.trim())
                    .map(Some)
                    .map_err(|e| ClientError::Garbage(e.to_string()));
            }
        }
    }
}

/// Log lines.
pub struct LogLines {
    reader: BufReader<Body>,
}

impl LogLines {
    pub(super) fn new(body: Body, follow: bool) -> Result<Self, ClientError> {
        if follow {
            // A quiet log is no dead daemon: its end is seen by the end of the stream.
            body.socket()
                .set_read_timeout(None)
                .map_err(|e| broken(&e))?;
        }
        Ok(Self {
            reader: BufReader::new(body),
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

    /// The next line; none at the end.
    ///
    /// # Errors
    /// A stream that broke off, or something that cannot be understood.
    pub fn next_line(&mut self) -> Result<Option<LogLine>, ClientError> {
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

/// What a search finds.
pub struct SearchHits {
    reader: BufReader<Body>,
}

impl SearchHits {
    pub(super) fn new(body: Body) -> Result<Self, ClientError> {
        body.socket()
            .set_read_timeout(Some(SILENCE))
            .map_err(|e| broken(&e))?;
        Ok(Self {
            reader: BufReader::new(body),
        })
    }

    /// A handle that ends the search.
    ///
    /// # Errors
    /// When the descriptor cannot be copied.
    pub fn closer(&self) -> Result<Closer, ClientError> {
        let socket = self.reader.get_ref().socket().try_clone();
        socket.map(Closer).map_err(|e| broken(&e))
    }

    /// The next hit, progress, or the end; none behind the end.
    ///
    /// # Errors
    /// A stream that broke off, or something that cannot be understood.
    pub fn next_news(&mut self) -> Result<Option<SearchNews>, ClientError> {
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
