//! Lines of errors that the daemon counted in the logs of instances, a few seconds at a time: what was counted once is not
//! read again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::api::{LogHistogram, LogHistogramQuery};
use crate::domain::names::InstanceId;
use crate::tui::msg::Cmd;
use crate::tui::query::{Query, Ticket, Tickets};

use super::{ENOUGH_MS, WINDOW_MS};

/// So often it is counted.
const EVERY: Duration = Duration::from_secs(5);
/// How long the daemon may count the lines of one instance, milliseconds: a flood is counted as far as that goes.
const PATIENCE_MS: u64 = 500;

/// What was counted between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from_ms: u64,
    to_ms: u64,
    stderr: u64,
    errors: u64,
}

/// Lines in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// By standard error.
    pub(super) stderr: f64,
    /// That say themselves that they are errors.
    pub(super) errors: f64,
}

/// What was counted, by instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Counting {
    spans: BTreeMap<InstanceId, VecDeque<Span>>,
    asked: Option<(Ticket, Vec<InstanceId>)>,
    due: Duration,
}

impl Counting {
    pub(super) fn is_for(&self, ticket: Ticket) -> bool {
        self.asked.as_ref().is_some_and(|(it, _)| *it == ticket)
    }

    /// When it is counted again.
    pub(super) fn due(&self) -> Option<Duration> {
        self.asked.is_none().then_some(self.due)
    }

    /// Nobody answers what was asked before.
    pub(super) fn forget_question(&mut self) {
        self.asked = None;
    }

    /// Has these counted, each since its run began and until a moment, when it is time to.
    pub(super) fn ask(
        &mut self,
        runs: &[(InstanceId, u64)],
        (now, until_ms): (Duration, u64),
        tickets: &mut Tickets,
        commands: &mut Vec<Cmd>,
    ) {
        if self.asked.is_some() || now < self.due || runs.is_empty() {
            return;
        }
        self.due = now + EVERY;
        let wanted = |id| runs.iter().find(|(it, _)| *it == id);
        self.spans.retain(|id, spans| {
            let Some((_, begun_ms)) = wanted(*id) else {
                return false;
            };
            // Of the run before.
            spans.retain(|span| span.from_ms >= *begun_ms);
            true
        });
        let mut ids = Vec::new();
        let mut queries = Vec::new();
        for (id, begun_ms) in runs {
            let counted = self.spans.get(id).and_then(VecDeque::back);
            let from_ms = counted
                .map_or(*begun_ms, |span| span.to_ms)
                .max(until_ms.saturating_sub(WINDOW_MS));
            if from_ms < until_ms {
                ids.push(*id);
                queries.push(LogHistogramQuery {
                    select: id.to_string(),
                    from_ms,
                    to_ms: Some(until_ms),
                    buckets: Some(1),
                    deadline_ms: Some(PATIENCE_MS),
                    ..LogHistogramQuery::default()
                });
            }
        }
        if queries.is_empty() {
            return;
        }
        let ticket = tickets.next();
        self.asked = Some((ticket, ids));
        let query = Query::LogCounts(queries);
        commands.push(Cmd::Fetch { ticket, query });
    }

    /// What was counted, in the order of the question; none where it could not be.
    pub(super) fn take(&mut self, counts: Vec<Option<LogHistogram>>) {
        let Some((_, ids)) = self.asked.take() else {
            return;
        };
        for (id, counted) in ids.into_iter().zip(counts) {
            let Some(it) = counted.filter(|it| it.counted_ms > it.from_ms) else {
                continue;
            };
            let spans = self.spans.entry(id).or_default();
            spans.push_back(Span {
                from_ms: it.from_ms,
                to_ms: it.counted_ms,
                stderr: it.buckets.iter().map(|bucket| bucket.stderr).sum(),
                errors: it.buckets.iter().map(|bucket| bucket.errors).sum(),
            });
            let old = it.counted_ms.saturating_sub(WINDOW_MS);
            while spans.front().is_some_and(|span| span.to_ms <= old) {
                spans.pop_front();
            }
        }
    }

    /// Lines in a minute of an instance; none when too little of the time was counted.
    pub(super) fn rates(&self, id: InstanceId, from_ms: u64, to_ms: u64) -> Option<Rates> {
        let spans = self.spans.get(&id)?;
        let seen = || {
            let spans = spans.iter();
            spans.filter(|span| span.to_ms > from_ms && span.to_ms <= to_ms)
        };
        let counted_ms: u64 = seen().map(|span| span.to_ms - span.from_ms).sum();
        if counted_ms < ENOUGH_MS {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown")]
        let per_minute = |lines: u64| lines as f64 * 60_000.0 / counted_ms as f64;
        Some(Rates {
            stderr: per_minute(seen().map(|span| span.stderr).sum()),
            errors: per_minute(seen().map(|span| span.errors).sum()),
        })
    }
}
