//! What each frame took, for whoever measures: one JSON object a line.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

/// One frame that was sent to the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Since the dashboard began.
    pub(super) at: Duration,
    /// Until it was made.
    pub(super) made: Duration,
    /// Until the terminal had taken it.
    pub(super) whole: Duration,
    /// What the terminal was sent.
    pub(super) bytes: usize,
    /// How many messages it shows.
    pub(super) told: usize,
}

/// The same in whole microseconds.
#[derive(Serialize)]
struct Line {
    at_us: u128,
    made_us: u128,
    frame_us: u128,
    bytes: usize,
    told: usize,
}

/// Where frames are written to.
#[derive(Debug)]
pub(super) struct Trace {
    /// None after it could not be written: the dashboard goes on without.
    file: Option<File>,
}

impl Trace {
    /// Begins a file anew.
    ///
    /// # Errors
    /// When it cannot be made, with its name.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = Some(File::create(path).map_err(named)?);
        Ok(Self { file })
    }

    /// Adds a frame.
    pub(super) fn frame(&mut self, frame: &Frame) {
        let line = Line {
            at_us: frame.at.as_micros(),
            made_us: frame.made.as_micros(),
            frame_us: frame.whole.as_micros(),
            bytes: frame.bytes,
            told: frame.told,
        };
        let Ok(mut text) = serde_json::to_vec(&line) else {
            return;
        };
        text.push(b'\n');
        if let Some(file) = &mut self.file
            && file.write_all(&text).is_err()
        {
            self.file = None;
        }
    }
}
