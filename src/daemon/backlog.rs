//! In which order the keeper is heard. Runs that ended although nobody asked are acted on some at a time, so that the end
//! of one that somebody waits for does not stand behind a thousand that crashed at once.

use std::collections::{HashMap, VecDeque};

use crate::domain::names::InstanceId;
use crate::keeper::protocol::ToDaemon;

/// So many messages of the keeper are read in one turn.
pub(super) const READ_AT_ONCE: usize = 256;
/// So many of those that can wait are acted on in one turn.
pub(super) const HEARD_AT_ONCE: usize = 4;

/// What may wait a turn. What is said of one instance stays in its order.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<(InstanceId, ToDaemon)>,
    counts: HashMap<InstanceId, usize>,
}

impl Backlog {
    /// Gives a message back that cannot wait: `patient` says of an end whether it can.
    pub(super) fn sift(
        &mut self,
        message: ToDaemon,
        patient: impl FnOnce(InstanceId) -> bool,
    ) -> Option<ToDaemon> {
        let Some(id) = instance_of(&message) else {
            return Some(message);
        };
        let may_wait = matches!(message, ToDaemon::Exited { .. }) && patient(id);
        if !may_wait && !self.counts.contains_key(&id) {
            return Some(message);
        }
        *self.counts.entry(id).or_default() += 1;
        self.waiting.push_back((id, message));
        None
    }

    /// The oldest that waits.
    pub(super) fn take(&mut self) -> Option<ToDaemon> {
        let (id, message) = self.waiting.pop_front()?;
        if let Some(count) = self.counts.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&id);
            }
        }
        Some(message)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn instance_of(message: &ToDaemon) -> Option<InstanceId> {
    if let ToDaemon::Spawned { key, .. }
    | ToDaemon::SpawnFailed { key, .. }
    | ToDaemon::Executed { key, .. }
    | ToDaemon::Exited { key, .. } = message
    {
        Some(*key)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::names::RunId;

    fn exited(id: u32) -> ToDaemon {
        let exit = Exit {
            ending: Ending::Code(1),
            at_ms: 1,
            cpu_ms: 1,
            peak_rss: 1,
        };
        let (key, run) = (InstanceId(id), RunId(1));
        ToDaemon::Exited { key, run, exit }
    }

    fn executed(id: u32) -> ToDaemon {
        let (key, run) = (InstanceId(id), RunId(2));
        ToDaemon::Executed { key, run }
    }

    #[test]
    fn who_is_waited_for_goes_first_and_each_instance_keeps_its_order() {
        let mut backlog = Backlog::default();
        for id in 1..=3 {
            assert_eq!(backlog.sift(exited(id), |_| true), None);
        }
        assert_eq!(backlog.sift(exited(4), |_| false), Some(exited(4)));
        assert_eq!(backlog.sift(ToDaemon::Ping, |_| true), Some(ToDaemon::Ping));
        // Behind an end of its own nothing goes first, whatever is wanted by now.
        assert_eq!(backlog.sift(executed(2), |_| false), None);
        let order: Vec<_> = std::iter::from_fn(|| backlog.take()).collect();
        assert_eq!(order, [exited(1), exited(2), exited(3), executed(2)]);
        assert!(backlog.is_empty());
        assert_eq!(backlog.sift(executed(2), |_| true), Some(executed(2)));
    }
}
