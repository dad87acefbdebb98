//! One line of a log, harmless.

use crate::api::{Cursor, Level, LogLine};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::saying::{Saying, Stand};
use crate::domain::spec::Stream;
use crate::logs::safe::{SHOWN_MAX, SafeText, harmless};

use super::alike::likeness;

/// What a line takes besides its text, bytes.
const FRAME: usize = 160;

/// Numbers of lines are so far apart that there is room for others in between.
pub(in crate::tui) type Number = i128;

/// A line of adasa's own where there is no gutter that tells it from what a process wrote.
pub(in crate::tui) fn ours(name: &str, text: &str) -> String {
    format!("--- adasa: {}: {text}", harmless(name))
}

/// One line in memory.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Line {
    /// Where it stands in the buffer: each has more than the one before.
    pub(in crate::tui) number: Number,
    /// Of which instance.
    pub(in crate::tui) id: InstanceId,
    /// Where it begins in its log; none of what adasa says, which is in no log.
    pub(in crate::tui) at: Option<Cursor>,
    /// Where the next one begins.
    pub(in crate::tui) end: u64,
    /// When it was drained, milliseconds since 1970.
    pub(in crate::tui) time_ms: Option<u64>,
    pub(in crate::tui) name: String,
    pub(in crate::tui) run: Option<RunId>,
    /// The run of the line before it of the same instance, where that is another.
    pub(in crate::tui) after_run: Option<RunId>,
    /// What adasa says before it tells of that already.
    pub(in crate::tui) told: bool,
    /// What adasa says, and no process.
    pub(in crate::tui) said: Option<Box<Saying>>,
    pub(in crate::tui) level: Option<Level>,
    /// What it says without its numbers.
    pub(super) likeness: u32,
    /// Whether it is shown as one with those like it; an error never is.
    folds: bool,
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
    pub(super) fn new(line: &LogLine, number: Number) -> Self {
        let bytes = line.bytes();
        let (level, text) = (Level::of(&bytes), SafeText::new(&bytes));
        let error = line.stream == Stream::Err || level == Some(Level::Error);
        let likeness = likeness(&text.plain());
        Self {
            number,
            id: line.id,
            at: Some(line.cursor()),
            end: line.offset + bytes.len() as u64 + u64::from(line.complete),
            time_ms: line.time,
            name: line.name.clone(),
            run: line.run,
            after_run: None,
            told: false,
            said: None,
            level,
            likeness,
            folds: !error && line.complete,
            alike: 1,
            text,
            length: bytes.len(),
            gap: line.gap,
            missing: line.missing,
            dropped: line.dropped,
            damaged: line.damaged,
        }
    }

    /// What adasa says, as a line.
    pub(super) fn of_ours(it: &Saying, number: Number) -> Self {
        let run = match it.stand {
            Stand::Begins(run) | Stand::Ends(run) => Some(run),
            Stand::Between => None,
        };
        Self {
            number,
            id: it.id,
            at: None,
            end: 0,
            time_ms: Some(it.at_ms),
            name: it.name.clone(),
            run,
            after_run: None,
            told: false,
            said: Some(Box::new(it.clone())),
            level: None,
            likeness: likeness(&it.text),
            folds: false,
            alike: 1,
            text: SafeText::new(it.text.as_bytes()),
            length: it.text.len(),
            gap: 0,
            missing: 0,
            dropped: 0,
            damaged: false,
        }
    }

    /// Which stream it came by; none of what adasa says.
    pub(in crate::tui) fn stream(&self) -> Option<Stream> {
        self.at.map(|at| at.stream)
    }

    /// Which log it is of.
    pub(super) fn log(&self) -> Option<(InstanceId, Stream)> {
        self.at.map(|at| (at.id, at.stream))
    }

    /// What of it goes to a clipboard.
    pub(in crate::tui) fn bare(&self) -> String {
        self.marked(self.text.bare())
    }

    /// What of it goes where text is shown without a gutter.
    pub(in crate::tui) fn plain(&self) -> String {
        self.marked(self.text.plain())
    }

    fn marked(&self, text: String) -> String {
        match &self.said {
            Some(_) => ours(&self.name, &text),
            None => text,
        }
    }

    /// Whether it says the same as the line before it, and nothing stands between them.
    pub(super) fn follows(&self, before: &Self) -> bool {
        self.folds
            && before.folds
            && self.likeness == before.likeness
            && self.log() == before.log()
            && !self.has_gap()
            && self.after_run.is_none()
    }

    /// Whether there is something to say of what is not before it, or not as it was.
    pub(in crate::tui) fn has_gap(&self) -> bool {
        self.gap > 0 || self.missing > 0 || self.dropped > 0 || self.damaged
    }

    /// Whether a rule stands before it: another run begins, and nothing between says so.
    pub(in crate::tui) fn has_rule(&self) -> bool {
        self.after_run.is_some() && !self.told
    }

    /// About how much memory it takes, bytes.
    pub(super) fn cost(&self) -> usize {
        self.length.min(SHOWN_MAX) + self.name.len() + FRAME
    }

    pub(in crate::tui) fn is_error(&self) -> bool {
        self.level == Some(Level::Error)
    }
}
