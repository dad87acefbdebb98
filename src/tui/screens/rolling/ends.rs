//! Runs that ended by themselves in the last minute, as far as they were told of.

use std::collections::VecDeque;

use crate::api::{Event, Reason, What};
use crate::domain::names::InstanceId;

use super::{ENOUGH_MS, WINDOW_MS};

/// In a minute of crash loops more are not needed to see what is wrong.
const KEPT: usize = 1000;

/// What was heard, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Ends {
    /// Since when nothing was missed, milliseconds since 1970.
    since_ms: Option<u64>,
    ends: VecDeque<(u64, InstanceId)>,
}

impl Ends {
    /// What happened before was not heard.
    pub(in crate::tui) fn begin(&mut self, now_ms: u64) {
        *self = Self {
            since_ms: Some(now_ms),
            ends: VecDeque::new(),
        };
    }

    pub(in crate::tui) fn happened(&mut self, event: &Event) {
        let What::Exit {
            reason: Reason::Itself,
            ..
        } = event.what
        else {
            return;
        };
        let Some(id) = event.id else {
            return;
        };
        let old = event.at_ms.saturating_sub(2 * WINDOW_MS);
        while self.ends.front().is_some_and(|(at, _)| *at < old) {
            self.ends.pop_front();
        }
        if self.ends.len() == KEPT {
            self.ends.pop_front();
            // Of the time before, not all is known any more.
            self.since_ms = self.ends.front().map(|(at, _)| *at);
        }
        self.ends.push_back((event.at_ms, id));
    }

    /// How many runs of an instance ended so; none when too little of the time was heard.
    pub(super) fn count(&self, id: InstanceId, from_ms: u64, to_ms: u64) -> Option<u64> {
        let from_ms = from_ms.max(self.since_ms?);
        if to_ms.saturating_sub(from_ms) < ENOUGH_MS {
            return None;
        }
        let counted = self.ends.iter();
        let counted = counted.filter(|(at, it)| *it == id && (from_ms..=to_ms).contains(at));
        Some(counted.count() as u64)
    }
}
