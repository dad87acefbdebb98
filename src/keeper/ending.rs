//! No daemon answers and everything is to end: what the keeper then does itself. It knows no stop signals and no stop
//! timeouts: everybody gets `TERM`, the same grace, and `KILL`.

use std::time::Duration;

use crate::domain::exit::Signal;
use crate::platform::cgroup::Groups;
use crate::platform::clock::{as_ns, monotonic_ns};
use crate::platform::{procfs, signal};

use super::protocol::Entry;
use super::role::Keeper;

/// From `TERM` to `KILL`, and from each `KILL` to the next.
const GRACE: Duration = Duration::from_secs(10);

/// Everything is being ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastGrace {
    kill_at: u64,
    killing: bool,
}

impl LastGrace {
    /// When it goes on, monotonic nanoseconds.
    pub(super) fn due(self) -> u64 {
        self.kill_at
    }
}

impl Keeper {
    pub(super) fn end_all_myself(&mut self) {
        self.ending = Some(LastGrace {
            kill_at: monotonic_ns() + as_ns(GRACE),
            killing: false,
        });
        self.daemon_is_over(false);
        self.daemon_due = None;
        self.signal_all(Signal::TERM);
        for pid in self.orphans() {
            let _ = signal::send_to_child(pid, Signal::TERM);
        }
    }

    /// Kills what has had its grace; quits when nothing is left.
    pub(super) fn go_on_ending(&mut self, now: u64) {
        let Some(mut grace) = self.ending else {
            return;
        };
        let orphans = self.orphans();
        if orphans.is_empty() && self.table.entries().all(|e| !e.is_live()) {
            self.quit();
            return;
        }
        if grace.kill_at <= now {
            grace.killing = true;
            grace.kill_at = now + as_ns(GRACE);
            self.signal_all(Signal::KILL);
        }
        if grace.killing {
            // Each that dies may leave others behind, which become ours: they are met on the next turn.
            for pid in orphans {
                let _ = signal::send_to_child(pid, Signal::KILL);
            }
        }
        self.ending = Some(grace);
    }

    /// Children that are no role and nobody's main process: what runs left behind.
    fn orphans(&self) -> Vec<i32> {
        let mut found = procfs::children(nix::unistd::getpid().as_raw());
        found.retain(|pid| {
            self.scribe_with(*pid).is_none()
                && !self.leaving.contains(pid)
                && !self.pids.contains_key(pid)
        });
        if self.table.entries().any(|entry| entry.detach) {
            found.retain(|pid| !self.may_stay(*pid));
        }
        found
    }

    /// Whether it may have been left behind on purpose: it is in the control group of no run, nor in the session of one that
    /// leaves nothing. What cannot be told apart stays.
    fn may_stay(&self, pid: i32) -> bool {
        let groups = Groups::new(self.table.groups().to_vec());
        let session = procfs::stat(pid).map_or(0, |stat| stat.session);
        let belongs = |entry: &Entry| !entry.detach && entry.pid != 0 && entry.pid == session;
        groups.owner(pid).is_none() && !self.table.entries().any(belongs)
    }
}
