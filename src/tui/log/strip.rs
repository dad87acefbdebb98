//! How many lines came when, for the strip below a log.

use crate::api::{Bucket, LogHistogram, LogHistogramQuery};
use crate::tui::query::Ticket;

use super::gather::Asking;

/// How much time the strip shows, milliseconds.
const SPAN_MS: u64 = 10 * 60_000;

/// Counts of equal stretches of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Strip {
    pub(in crate::tui) from_ms: u64,
    pub(in crate::tui) to_ms: u64,
    pub(in crate::tui) buckets: Vec<Bucket>,
    /// Whether all of it was counted.
    pub(in crate::tui) complete: bool,
    asked: Option<Ticket>,
    /// There are none; then they are not asked for all the time.
    pub(in crate::tui) refused: bool,
}

impl Strip {
    /// The stretch around a moment; the end when there is none.
    pub(in crate::tui) fn around(moment_ms: Option<u64>, now_ms: u64) -> (u64, u64) {
        let to = match moment_ms {
            Some(ms) => now_ms.min(ms.saturating_add(SPAN_MS / 2)),
            None => now_ms,
        };
        (to.saturating_sub(SPAN_MS), to)
    }

    /// Whether a moment is so near to an edge that another stretch is wanted.
    pub(in crate::tui) fn is_far(
        &self,
        moment_ms: Option<u64>,
        now_ms: u64,
        buckets: usize,
    ) -> bool {
        if self.refused {
            return false;
        }
        let slack = SPAN_MS / 8;
        let outside = match moment_ms {
            Some(ms) => {
                ms < self.from_ms.saturating_add(slack)
                    || (ms > self.to_ms.saturating_sub(slack) && self.to_ms + slack < now_ms)
            }
            None => now_ms > self.to_ms + slack,
        };
        self.buckets.len() != buckets || outside
    }

    /// Asks for counts.
    pub(in crate::tui) fn ask(&mut self, query: LogHistogramQuery, asking: &mut Asking<'_>) {
        self.asked = Some(asking.histogram(query));
    }

    pub(in crate::tui) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    pub(in crate::tui) fn is_for(&self, ticket: Ticket) -> bool {
        self.asked == Some(ticket)
    }

    /// What is shown counts other lines than those that are wanted now.
    pub(in crate::tui) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What was counted, or why nothing was.
    pub(in crate::tui) fn take(&mut self, ticket: Ticket, counted: Result<LogHistogram, String>) {
        if self.asked != Some(ticket) {
            return;
        }
        self.asked = None;
        let Ok(counted) = counted else {
            self.refused = true;
            return;
        };
        self.from_ms = counted.from_ms;
        self.to_ms = counted.to_ms;
        self.buckets = counted.buckets;
        self.complete = counted.complete;
    }

    /// Which stretch a moment is in.
    pub(in crate::tui) fn column(&self, ms: u64) -> Option<usize> {
        let span = self.to_ms.checked_sub(self.from_ms)?.max(1);
        let into = ms.checked_sub(self.from_ms)?;
        let column = u128::from(into) * self.buckets.len() as u128 / u128::from(span);
        usize::try_from(column).ok()
    }

    /// A line that came; the strip moves on when it has to.
    pub(in crate::tui) fn came(&mut self, ms: u64, more: u64, error: bool, stderr: bool) {
        if self.buckets.is_empty() {
            return;
        }
        let step = (self.to_ms.saturating_sub(self.from_ms) / self.buckets.len() as u64).max(1);
        let mut moved = 0;
        while ms >= self.to_ms && moved <= self.buckets.len() {
            self.buckets.remove(0);
            self.buckets.push(Bucket::default());
            self.from_ms += step;
            self.to_ms += step;
            moved += 1;
        }
        if let Some(column) = self.column(ms)
            && let Some(bucket) = self.buckets.get_mut(column)
        {
            bucket.lines += 1 + more;
            bucket.errors += u64::from(error);
            bucket.stderr += u64::from(stderr);
        }
    }

    /// Errors in the whole stretch.
    pub(in crate::tui) fn errors(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.errors).sum()
    }
}
