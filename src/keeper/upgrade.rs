//! Another build takes over: the keeper executes itself as that, and goes on with the same pid and the same children.

use std::os::fd::{AsFd as _, OwnedFd};

use super::handover::{Handover, own_program};
use super::protocol::Before;
use super::role::Keeper;

impl Keeper {
    /// Goes on as another build, which has shown that it reads the table. Returns when it cannot: then everything is
    /// as before, and the next daemon is one of this build.
    pub(super) fn become_successor(&mut self, program: &OwnedFd) {
        let back = own_program().ok();
        let handles = self.adopted.iter().filter_map(|(key, handle)| {
            let run = self.table.get(*key)?.run;
            Some((*key, run, handle.as_fd()))
        });
        let results = self.results.iter();
        let _ = Handover {
            heir: false,
            foreground: self.setup.foreground,
            lock: self.setup.lock.as_fd(),
            listener: self.setup.listener.as_fd(),
            // In the order of lanes: the first is that of all logs.
            stages: (self.scribes.values())
                .filter_map(|scribe| Some(scribe.stage()?.read.as_fd()))
                .collect(),
            back: back.as_ref().map(|back| back.as_fd()),
            file_limit: self.file_limit,
            handles: handles.collect(),
            results: results
                .map(|(key, pending)| (*key, pending.run, pending.result.as_fd()))
                .collect(),
        }
        .become_keeper(program.as_fd());
        self.before = Before::NotUpgraded;
    }
}
