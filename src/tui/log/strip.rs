//! How many lines came when, for the strip below a log.

use crate::api::{Bucket, Event, LogEvents, LogEventsQuery, LogHistogram, LogHistogramQuery};
use crate::domain::saying::{Saying, Stand, sayings};
use crate::tui::query::Ticket;

use super::gather::Asking;
use super::hunt::Way;

/// More beginnings and ends of runs are not shown.
const MARKS: usize = 1_000;

/// Counts of equal stretches of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Strip {
    pub(in crate::tui) from_ms: u64,
    pub(in crate::tui) to_ms: u64,
    pub(in crate::tui) buckets: Vec<Bucket>,
    /// Whether all of it was counted.
    pub(in crate::tui) complete: bool,
    /// Where runs began and ended, in the order of time.
    pub(in crate::tui) runs: Vec<Saying>,
    asked: Option<Ticket>,
    asked_runs: Option<Ticket>,
    /// There are none; then they are not asked for all the time.
    pub(in crate::tui) refused: bool,
}

impl Strip {
    /// The stretch around a moment; the end when there is none.
    pub(in crate::tui) fn around(moment_ms: Option<u64>, now_ms: u64, span_ms: u64) -> (u64, u64) {
        let to = match moment_ms {
            Some(ms) => now_ms.min(ms.saturating_add(span_ms / 2)),
            None => now_ms,
        };
        (to.saturating_sub(span_ms), to)
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
        let slack = self.to_ms.saturating_sub(self.from_ms) / 8;
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

    /// Asks where runs began and ended.
    pub(in crate::tui) fn ask_runs(&mut self, query: LogEventsQuery, asking: &mut Asking<'_>) {
        self.asked_runs = Some(asking.events(query));
    }

    pub(in crate::tui) fn asked_runs(&self, ticket: Ticket) -> bool {
        self.asked_runs == Some(ticket)
    }

    pub(in crate::tui) fn take_runs(&mut self, told: Option<&LogEvents>) {
        self.asked_runs = None;
        let said = told.map(|told| sayings(&told.events)).unwrap_or_default();
        self.runs = said;
        self.runs.retain(|it| it.stand != Stand::Between);
    }

    /// A run began or ended just now.
    pub(in crate::tui) fn happened(&mut self, event: &Event) {
        let said = Saying::of(event).filter(|it| it.stand != Stand::Between);
        let Some(said) = said.filter(|_| !self.buckets.is_empty()) else {
            return;
        };
        if !self.runs.iter().any(|it| it.is_as(&said)) {
            self.runs.push(said);
        }
        let excess = self.runs.len().saturating_sub(MARKS);
        self.runs.drain(..excess);
    }

    /// When the nearest column begins that has lines, on one side of a column.
    pub(in crate::tui) fn next(&self, column: usize, way: Way) -> Option<u64> {
        let all = self.buckets.len();
        let has = |n: &usize| self.buckets.get(*n).is_some_and(|bucket| bucket.lines > 0);
        let found = match way {
            Way::Back => (0..column.min(all)).rev().find(has),
            Way::On => (column.saturating_add(1)..all).find(has),
        }?;
        let span = u128::from(self.to_ms.saturating_sub(self.from_ms));
        let into = (found as u128 * span).div_ceil(all.max(1) as u128);
        Some(self.from_ms + u64::try_from(into).unwrap_or(u64::MAX))
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
