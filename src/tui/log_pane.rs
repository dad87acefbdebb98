//! The log pane: lines in memory, and which of them are seen. Paused, it is pinned to a line and not to a number.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::api::LogLine;
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::logs::safe::SafeText;

/// At most so many bytes of lines are kept, and so many lines.
const BYTES_KEPT: usize = 4 << 20;
const LINES_KEPT: usize = 10_000;

/// One line, harmless.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// Counts up; the anchor of a paused view.
    pub(super) number: u64,
    pub(super) time_ms: Option<u64>,
    pub(super) name: String,
    pub(super) stream: Stream,
    pub(super) text: SafeText,
    /// So many lines were passed over before this one.
    pub(super) gap: u64,
    bytes: usize,
}

/// The pane.
#[derive(Debug, Clone)]
pub(super) struct LogPane {
    /// What the API selects, and what it is called.
    pub(super) scope: Option<(String, String)>,
    /// Lines of an older scope carry an older number.
    pub(super) generation: u64,
    lines: VecDeque<Shown>,
    bytes: usize,
    next: u64,
    /// The number of the top line while paused.
    anchor: Option<u64>,
    /// The next line when the pause began.
    paused_at: u64,
    pub(super) times: bool,
    pub(super) stream: Option<Stream>,
    /// Whether its stream is open.
    pub(super) live: bool,
    /// Behind the last line of each log, and when that came: what is read back after a reconnect is there already.
    seen: HashMap<(InstanceId, Stream), (u64, u64)>,
    /// When the scope is to be opened: a little after the last move.
    pub(super) due: Option<Duration>,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            scope: None,
            generation: 0,
            lines: VecDeque::new(),
            bytes: 0,
            next: 0,
            anchor: None,
            paused_at: 0,
            times: true,
            stream: None,
            live: false,
            seen: HashMap::new(),
            due: None,
        }
    }
}

impl LogPane {
    /// Another scope: what was shown goes.
    pub(super) fn open(&mut self, scope: Option<(String, String)>) {
        self.scope = scope;
        self.generation += 1;
        self.lines.clear();
        self.bytes = 0;
        self.anchor = None;
        self.live = false;
        self.seen.clear();
    }

    /// The same scope once more, after the connection was lost: what is shown stays until lines come.
    pub(super) fn reopen(&mut self) {
        self.generation += 1;
    }

    /// Lines of a reopened scope begin again from behind; what is there already is passed over.
    pub(super) fn push(&mut self, line: &LogLine) {
        let bytes = line.bytes();
        let end = line.offset + bytes.len() as u64 + u64::from(line.complete);
        let time = line.time.unwrap_or(0);
        let seen = self.seen.entry((line.id, line.stream)).or_default();
        // A log that was lost with its index begins again at 0, but later.
        if line.offset < seen.0 && time <= seen.1 {
            return;
        }
        *seen = (end, time);
        let text = SafeText::new(&bytes);
        let size = bytes.len().min(8192) + 64;
        self.bytes += size;
        self.lines.push_back(Shown {
            number: self.next,
            time_ms: line.time,
            name: line.name.clone(),
            stream: line.stream,
            text,
            gap: line.gap,
            bytes: size,
        });
        self.next += 1;
        while self.bytes > BYTES_KEPT || self.lines.len() > LINES_KEPT {
            if let Some(gone) = self.lines.pop_front() {
                self.bytes -= gone.bytes;
            }
        }
    }

    pub(super) fn is_following(&self) -> bool {
        self.anchor.is_none()
    }

    /// How many lines came since the pause began.
    pub(super) fn new_lines(&self) -> u64 {
        if self.is_following() {
            0
        } else {
            self.next - self.paused_at
        }
    }

    fn wanted(&self) -> impl Iterator<Item = &Shown> {
        self.lines
            .iter()
            .filter(|line| self.stream.is_none_or(|s| s == line.stream))
    }

    /// The lines that are seen in so many rows.
    pub(super) fn visible(&self, height: usize) -> Vec<&Shown> {
        let all: Vec<&Shown> = self.wanted().collect();
        let top = self.top(&all, height);
        all.into_iter().skip(top).take(height).collect()
    }

    fn top(&self, all: &[&Shown], height: usize) -> usize {
        let last = all.len().saturating_sub(height);
        match self.anchor {
            None => last,
            // The line itself, or its nearest neighbour when it is gone.
            Some(number) => all
                .partition_point(|line| line.number < number)
                .min(all.len().saturating_sub(1)),
        }
    }

    /// Moves by lines; any move up pauses, no move down follows.
    pub(super) fn scroll(&mut self, by: isize, height: usize) {
        let all: Vec<&Shown> = self.wanted().collect();
        if all.is_empty() {
            return;
        }
        let last = all.len().saturating_sub(height);
        let top = self.top(&all, height).min(last);
        if self.is_following() && by >= 0 {
            return;
        }
        let to = top.saturating_add_signed(by).min(last);
        let anchor = all.get(to).map(|line| line.number);
        self.pause_at(anchor);
    }

    pub(super) fn go_to_top(&mut self) {
        let first = self.wanted().next().map(|line| line.number);
        self.pause_at(first);
    }

    fn pause_at(&mut self, anchor: Option<u64>) {
        if self.anchor.is_none() {
            self.paused_at = self.next;
        }
        self.anchor = anchor;
    }

    /// Pauses where it stands.
    pub(super) fn pause(&mut self, height: usize) {
        let top = self.visible(height).first().map(|line| line.number);
        self.pause_at(top);
    }

    pub(super) fn follow(&mut self) {
        self.anchor = None;
    }

    /// Both, out, err.
    pub(super) fn next_stream(&mut self) {
        self.stream = match self.stream {
            None => Some(Stream::Out),
            Some(Stream::Out) => Some(Stream::Err),
            Some(Stream::Err) => None,
        };
    }

    /// Whether lines of several instances stand here.
    pub(super) fn is_mixed(&self) -> bool {
        let mut names = self.lines.iter().map(|l| &l.name);
        let first = names.next();
        names.any(|name| Some(name) != first)
    }
}
