//! One line of a log, harmless.

use crate::api::{Cursor, Level, LogLine};
use crate::domain::names::RunId;
use crate::domain::spec::Stream;
use crate::logs::safe::{SHOWN_MAX, SafeText};

use super::alike::likeness;

/// What a line takes besides its text, bytes.
const FRAME: usize = 160;

/// One line in memory.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Line {
    /// Where it stands in the buffer: each is one more than the one before.
    pub(in crate::tui) number: i64,
    /// Where it begins in its log.
    pub(in crate::tui) at: Cursor,
    /// Where the next one begins.
    pub(in crate::tui) end: u64,
    /// When it was drained, milliseconds since 1970.
    pub(in crate::tui) time_ms: Option<u64>,
    pub(in crate::tui) name: String,
    pub(in crate::tui) run: Option<RunId>,
    /// The run of the line before it of the same instance, where that is another.
    pub(in crate::tui) after_run: Option<RunId>,
    pub(in crate::tui) level: Option<Level>,
    /// What it says without its numbers; none of an error, which is never folded.
    pub(super) likeness: Option<u32>,
    /// Which of similar lines in a row it is, from 1.
    pub(in crate::tui) alike: u32,
    pub(in crate::tui) text: SafeText,
    /// How long it is as it was written, bytes.
    pub(in crate::tui) length: usize,
    /// So many lines before it were passed over.
    pub(in crate::tui) gap: u64,
    /// So many bytes before it are gone from the disk.
    pub(in crate::tui) missing: u64,
    /// So many bytes before it, or within it, were let go because the disk did not take them.
    pub(in crate::tui) dropped: u64,
    /// A damaged archive ends here.
    pub(in crate::tui) damaged: bool,
}

impl Line {
    pub(super) fn new(line: &LogLine, number: i64) -> Self {
        let bytes = line.bytes();
        let (level, text) = (Level::of(&bytes), SafeText::new(&bytes));
        let error = line.stream == Stream::Err || level == Some(Level::Error);
        let likeness = (!error && line.complete).then(|| likeness(&text.plain()));
        Self {
            number,
            at: line.cursor(),
            end: line.offset + bytes.len() as u64 + u64::from(line.complete),
            time_ms: line.time,
            name: line.name.clone(),
            run: line.run,
            after_run: None,
            level,
            likeness,
            alike: 1,
            text,
            length: bytes.len(),
            gap: line.gap,
            missing: line.missing,
            dropped: line.dropped,
            damaged: line.damaged,
        }
    }

    /// Whether it says the same as the line before it, and nothing stands between them.
    pub(super) fn follows(&self, before: &Self) -> bool {
        self.likeness.is_some()
            && self.likeness == before.likeness
            && (self.at.id, self.at.stream) == (before.at.id, before.at.stream)
            && !self.has_gap()
            && self.after_run.is_none()
    }

    /// Whether there is something to say of what is not before it, or not as it was.
    pub(in crate::tui) fn has_gap(&self) -> bool {
        self.gap > 0 || self.missing > 0 || self.dropped > 0 || self.damaged
    }

    /// About how much memory it takes, bytes.
    pub(super) fn cost(&self) -> usize {
        self.length.min(SHOWN_MAX) + self.name.len() + FRAME
    }

    pub(in crate::tui) fn is_error(&self) -> bool {
        self.level == Some(Level::Error)
    }
}
