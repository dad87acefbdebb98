//! Who plays which role.

use serde::{Deserialize, Serialize};

use crate::platform::procfs;
use crate::platform::signal::PidFd;

/// One of adasa's own processes, told apart from a later one with the same pid by its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    /// Its pid; 0 for nobody.
    pub pid: i32,
    /// Clock ticks between boot and its start.
    pub start: u64,
}

impl Who {
    /// The process that has this pid now.
    #[must_use]
    pub(crate) fn of(pid: i32) -> Self {
        let start = procfs::stat(pid).map_or(0, |stat| stat.start);
        Self { pid, start }
    }

    /// Whether it still runs.
    #[must_use]
    pub(crate) fn is_alive(self) -> bool {
        self.pid != 0 && procfs::is_alive(self.pid, self.start)
    }

    /// A handle on it, if it is still there.
    #[must_use]
    pub(crate) fn handle(self) -> Option<PidFd> {
        let handle = PidFd::open(self.pid).ok().filter(|_| self.pid != 0)?;
        // The handle first, then the identity: what it means can no longer change.
        self.is_alive().then_some(handle)
    }
}

/// Who plays the roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roles {
    /// The writer of the table.
    pub keeper: Who,
    /// The newest daemon.
    pub daemon: Who,
    /// The newest scribe.
    pub scribe: Who,
}
