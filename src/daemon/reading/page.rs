//! A page: the lines around a place.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::api::{LogLine, LogPage};
use crate::logs::merge::{From, Merge};

use super::{ReadError, Readers, SLICE, STRIDE, Scope};

/// The most bytes of lines on one page.
const BYTES: usize = 8 << 20;
/// How much longer than its deadline a page is waited for before the disk counts as stalled.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which page.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The place.
    pub from: From,
    /// The place is where this time begins, microseconds since 1970.
    pub at_us: Option<u64>,
    /// Lines before it.
    pub before: usize,
    /// Lines from it on.
    pub after: usize,
    /// How long it may take.
    pub deadline: Duration,
}

struct Work {
    scope: Scope,
    merge: Merge,
    before: usize,
    after: usize,
    bytes: usize,
    lines: VecDeque<LogLine>,
    oldest: bool,
    newest: bool,
}

impl Work {
    fn open(scope: Scope, wanted: &Wanted) -> Result<Self, ReadError> {
        let mut merge = Merge::open(scope.paths(), wanted.from.clone())?;
        if let Some(time_us) = wanted.at_us {
            merge.seek(time_us)?;
        }
        Ok(Self {
            scope,
            merge,
            before: wanted.before,
            after: wanted.after,
            bytes: 0,
            lines: VecDeque::new(),
            oldest: false,
            newest: false,
        })
    }

    fn is_over(&self) -> bool {
        let before = self.before == 0 || self.oldest;
        let after = self.after == 0 || self.newest;
        (before && after) || self.bytes >= BYTES
    }

    /// Goes on for a while.
    fn slice(&mut self) -> Result<(), ReadError> {
        let end = Instant::now() + SLICE;
        let mut looked = 0;
        while !self.is_over() {
            looked += 1;
            if looked % STRIDE == 0 && Instant::now() >= end {
                break;
            }
            let forwards = self.after > 0 && !self.newest;
            let found = if forwards {
                self.merge.next(false)?
            } else {
                self.merge.previous()?
            };
            let Some((n, line)) = found else {
                if forwards {
                    self.newest = true;
                } else {
                    self.oldest = true;
                }
                continue;
            };
            if !self.scope.filter.passes(&line.bytes) {
                continue;
            }
            self.bytes += line.bytes.len();
            let Some(line) = self.scope.line(n, &line) else {
                continue;
            };
            if forwards {
                self.lines.push_back(line);
                self.after -= 1;
            } else {
                self.lines.push_front(line);
                self.before -= 1;
            }
        }
        Ok(())
    }

    /// Whether anything is left on either side is looked at, also where nothing was asked for.
    fn finish(self) -> LogPage {
        let complete = self.is_over() && self.bytes < BYTES;
        let (low, high) = self.merge.bounds();
        LogPage {
            start: self.scope.place(&low),
            end: self.scope.place(&high),
            oldest: self.oldest || self.merge.is_at_the_beginning(),
            newest: self.newest || self.merge.backlog() == 0,
            lines: self.lines.into(),
            complete,
        }
    }
}

/// Reads a page.
///
/// # Errors
/// When a log cannot be read, or its disk does not answer.
pub(crate) async fn read(
    readers: &Readers,
    scope: Scope,
    wanted: Wanted,
) -> Result<LogPage, ReadError> {
    let readers = scope.places(readers);
    let end = Instant::now() + wanted.deadline;
    let patience = wanted.deadline + PATIENCE;
    let mut work = readers
        .run(patience, move || Work::open(scope, &wanted))
        .await??;
    // In pieces: a reader that leaves is noticed between two of them.
    loop {
        let result;
        (work, result) = readers
            .run(patience, move || {
                let result = work.slice();
                (work, result)
            })
            .await?;
        result?;
        if work.is_over() || Instant::now() >= end {
            return Ok(work.finish());
        }
    }
}
