//! Looks whether daemon and scribes still answer, and ends the one that does not.

use crate::domain::pulse::{MISSES, MISSES_AT_START, Verdict};
use crate::platform::clock::monotonic_ns;

use super::protocol::{Before, ToDaemon};
use super::role::{Keeper, RoleProcess};

/// From one look to the next, nanoseconds.
const INTERVAL: u64 = 3_000_000_000;
/// A look that comes later than this, nanoseconds, shows that the keeper itself did not run meanwhile.
const LATE: u64 = INTERVAL / 2;

impl RoleProcess {
    pub(super) fn look(&mut self, in_time: bool) -> Verdict {
        let most = if self.ready { MISSES } else { MISSES_AT_START };
        self.pulse.look(self.beat.read(), in_time, most)
    }
}

impl Keeper {
    /// Looks at daemon and scribes, when it is time to.
    pub(super) fn look_after_roles(&mut self, now: u64) {
        if now < self.watch_due {
            return;
        }
        let in_time = now - self.watch_due < LATE;
        self.watch_due = now + INTERVAL;
        self.look_after_daemon(in_time);
        self.look_after_scribes(in_time);
    }

    fn look_after_daemon(&mut self, in_time: bool) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        match daemon.look(in_time) {
            Verdict::Alive => {}
            // One question waits for it already: another would only make the queue longer.
            Verdict::Ask if daemon.link.wants_write() => {}
            Verdict::Ask => self.tell_daemon(&ToDaemon::Ping),
            Verdict::Hung => {
                self.before = Before::Hung;
                self.daemon_is_over(false);
            }
        }
    }

    /// The first look, from now.
    pub(super) fn first_look() -> u64 {
        monotonic_ns() + INTERVAL
    }
}
