//! What adasa says in a pane: asked for where the lines in memory are, told when it happens.

use crate::api::{Event, LogEvents, LogEventsQuery};
use crate::domain::saying::{Saying, sayings};
use crate::logs::filter::Filter;
use crate::tui::query::Ticket;

use super::feed::SPARE;
use super::gather::Asking;
use super::pane::Pane;

/// Moments before and behind the lines are asked for as well, milliseconds: an end is told before the last lines are.
const SLACK: u64 = 2_000;

/// Of which time it is known what was said.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ours {
    /// First and last moment; the last one is the largest number where what happens is told at once.
    known: Option<(u64, u64)>,
    asked: Option<(Ticket, (u64, u64))>,
}

impl Pane {
    /// Between which moments the lines in memory are.
    fn moments(&self) -> (u64, u64) {
        let times = || self.buffer.range(0..self.buffer.len());
        let first = times().find_map(|line| line.time_ms).unwrap_or(0);
        let last = times().rev().find_map(|line| line.time_ms).unwrap_or(0);
        let from = if self.buffer.oldest {
            0
        } else {
            first.saturating_sub(SLACK)
        };
        let to = if self.buffer.newest {
            u64::MAX
        } else {
            last.saturating_add(SLACK)
        };
        (from, to)
    }

    /// A question for what happened between two moments.
    pub(in crate::tui) fn happenings(&self, from_ms: u64, to_ms: u64) -> LogEventsQuery {
        LogEventsQuery {
            select: self.scope.select.clone(),
            from_ms,
            to_ms: (to_ms < u64::MAX).then_some(to_ms),
            limit: None,
        }
    }

    /// What is in memory is of another stretch, or something was missed.
    pub(super) fn forget_ours(&mut self) {
        self.ours = Ours::default();
    }

    /// Asks for what was said where it is not known.
    pub(super) fn ask_ours(&mut self, asking: &mut Asking<'_>) {
        let nothing = self.buffer.len() == 0 && !(self.buffer.oldest && self.buffer.newest);
        if self.ours.asked.is_some() || nothing || !asking.live {
            return;
        }
        let (from, to) = self.moments();
        let missing = match &mut self.ours.known {
            None => (from, to),
            Some(known) => {
                // What memory let go of has to be asked for again.
                *known = (known.0.max(from), known.1.min(to));
                if from < known.0 {
                    (from, known.0)
                } else if known.1 < to {
                    (known.1, to)
                } else {
                    return;
                }
            }
        };
        let ticket = asking.events(self.happenings(missing.0, missing.1));
        self.ours.asked = Some((ticket, missing));
    }

    /// Whether it asked that.
    pub(in crate::tui) fn asked_ours(&self, ticket: Ticket) -> bool {
        self.ours
            .asked
            .as_ref()
            .is_some_and(|(it, _)| *it == ticket)
    }

    /// What the daemon said; without it the lines are there all the same.
    pub(in crate::tui) fn take_ours(&mut self, told: Option<&LogEvents>) {
        let Some((_, asked)) = self.ours.asked.take() else {
            return;
        };
        self.ours.known = Some(match self.ours.known {
            Some(known) => (known.0.min(asked.0), known.1.max(asked.1)),
            None => asked,
        });
        if let Some(told) = told {
            let mut said = sayings(&told.events);
            let passing = self.passing();
            said.retain(|it| {
                passing
                    .as_ref()
                    .is_none_or(|f| f.passes(it.text.as_bytes()))
            });
            self.buffer.say(&said);
        }
    }

    /// Something happened to an instance of its scope.
    pub(in crate::tui) fn happened(&mut self, event: &Event) {
        let live = self.ours.known.is_some_and(|(_, to)| to == u64::MAX);
        if !self.buffer.newest || !live {
            // It is asked for with the lines around it.
            return;
        }
        let keep = self.anchor.map(|anchor| anchor.number - SPARE);
        if self.buffer.goes_on(event) {
            return;
        }
        let passing = self.passing();
        let said = Saying::of(event);
        let said = said.filter(|it| passing.is_none_or(|f| f.passes(it.text.as_bytes())));
        if said.is_some_and(|said| self.buffer.say_now(&said, keep)) && self.anchor.is_some() {
            self.new += 1;
        }
    }

    /// The patterns that hold for what is said too.
    fn passing(&self) -> Option<Filter> {
        if self.scope.filter.is_empty() {
            return None;
        }
        Filter::new(&self.scope.filter.join("\n"), None).ok()
    }
}
