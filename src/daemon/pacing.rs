//! Instances whose backoff is over at the same moment begin some at a time: a thousand children at once would keep the
//! keeper, and the machine, from everything else. Who was asked for by a command never waits here.

use std::collections::VecDeque;
use std::num::NonZero;

use crate::domain::instance::{Event as Happened, Phase};
use crate::domain::names::InstanceId;

use super::supervisor::Supervisor;

/// So many may be between fork and exec for others to follow at once, on a machine of so many processors: more would
/// take time from each other, and from who waits for something else.
pub(super) fn starts_at_once(processors: Option<NonZero<usize>>) -> usize {
    processors.map_or(2, |it| it.get().clamp(2, 8))
}
/// As many more follow after this, nanoseconds, whatever became of those: one that hangs before its exec is in nobody's way.
const PAUSE_NS: u64 = 50_000_000;

/// Those whose time was up and that have not begun.
#[derive(Debug, Default)]
pub(super) struct Paced {
    waiting: VecDeque<(u64, InstanceId)>,
    /// When the last of them were let go.
    last_ns: u64,
}

impl Paced {
    /// When more of them begin at the latest.
    pub(super) fn next_due(&self) -> Option<u64> {
        let any = !self.waiting.is_empty();
        any.then(|| self.last_ns.saturating_add(PAUSE_NS))
    }
}

#[cfg(test)]
impl Paced {
    /// Whether this instance waits here for its turn.
    pub(super) fn holds(&self, id: InstanceId, due: Option<u64>) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|(at, other)| *other == id && Some(*at) == due)
    }
}

impl Supervisor {
    /// The deadline of an instance has passed.
    pub(super) fn its_time(&mut self, due: u64, id: InstanceId) {
        let Some(member) = self.members.get(&id).filter(|m| m.due == Some(due)) else {
            return;
        };
        if member.machine.phase() == Phase::Backoff {
            self.paced.waiting.push_back((due, id));
        } else {
            self.time_is_up(due, id);
        }
    }

    /// Lets begin as many as may.
    pub(super) fn let_begin(&mut self) {
        if self.paced.waiting.is_empty() {
            return;
        }
        let on_their_way = |phase| matches!(phase, Phase::Spawning { .. } | Phase::Starting);
        let phases = self.members.values().map(|m| m.machine.phase());
        let begun = phases.filter(|phase| on_their_way(*phase)).count();
        let rested = self.paced.next_due().is_some_and(|due| due <= self.now.ns);
        let at_once = self.setting.starts_at_once;
        let room = if rested {
            at_once
        } else {
            at_once.saturating_sub(begun)
        };
        for _ in 0..room {
            let Some((due, id)) = self.paced.waiting.pop_front() else {
                return;
            };
            self.paced.last_ns = self.now.ns;
            self.time_is_up(due, id);
        }
    }

    fn time_is_up(&mut self, due: u64, id: InstanceId) {
        // A command may have been quicker.
        if let Some(member) = self.members.get_mut(&id).filter(|m| m.due == Some(due)) {
            member.due = None;
            let epoch = member.machine.epoch();
            let why = if member.machine.phase() == Phase::Backoff {
                "started again after its wait"
            } else {
                "its time was up"
            };
            self.drive(id, &Happened::Deadline { epoch }, why);
        }
    }
}
