//! How roles and the machine end in the made-up world, and what the next ones find.

use super::super::habit::Fork;
use super::{Happening, World};
use crate::daemon::ledger::Remembered;
use crate::domain::exit::{Ending, Exit};
use crate::keeper::protocol::RunState;

impl World {
    /// `kill -9` of the daemon; the next comes after the gap.
    pub(in crate::daemon::tests) fn kill_daemon(&mut self) {
        self.daemon = None;
        self.deaths += 1;
        // Its threads die with it.
        self.held.clear();
        self.sweeping.clear();
        self.deeds_left = None;
        self.later(self.gap, Happening::Boot(self.deaths));
    }

    /// `kill -9` of the keeper, with which its daemon ends; the next ones come after the gap. What was left of trees
    /// has another parent then, and is nobody's.
    pub(in crate::daemon::tests) fn kill_keeper(&mut self) {
        self.daemon = None;
        self.no_keeper = true;
        self.deaths += 1;
        self.sweeping.clear();
        self.trees.clear();
        self.deeds_left = None;
        for living in self.living.values_mut() {
            living.adopted = true;
        }
        self.later(self.gap, Happening::Adopt(self.deaths));
    }

    /// The next keeper reads the table and looks who of it is there.
    pub(in crate::daemon::tests) fn adopt(&mut self) {
        self.no_keeper = false;
        let at_ms = self.now().ms;
        for (id, entry) in &mut self.table {
            let there = self.living.get(id).is_some_and(|l| l.run == entry.run);
            entry.adopted |= there;
            if entry.is_live() && !there {
                entry.state = RunState::Exited(Exit {
                    ending: Ending::Unknown,
                    at_ms,
                    cpu_ms: 0,
                    peak_rss: 0,
                });
            } else if entry.state == RunState::Forked {
                let hangs = self.living.get(id).map(|l| l.habit.fork) == Some(Fork::Hangs);
                entry.state = if hangs {
                    RunState::Forked
                } else {
                    RunState::Executed
                };
            }
        }
        self.boot();
    }

    /// The machine begins anew: no process, no table; the disk is as it was.
    pub(in crate::daemon::tests) fn reboot(&mut self) {
        self.daemon = None;
        self.sweeping.clear();
        self.happenings.clear();
        self.living.clear();
        self.trees.clear();
        self.no_keeper = false;
        self.deaths += 1;
        self.table.clear();
        self.remembered = Remembered::default();
        self.told_to_quit = false;
        self.left = false;
        self.boot();
        self.settle();
    }
}
