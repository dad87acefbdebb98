//! Runs that the table lost, and that the daemon found by their mark: taken over like those of an earlier keeper.

use super::protocol::{Entry, RunState, ToDaemon};
use super::role::Keeper;
use super::runs::{PipeEnd, PipeKey};

impl Keeper {
    /// Takes over what the table does not know, and no run that another has followed.
    pub(super) fn adopt_unlisted(&mut self, found: Entry) {
        let (key, run) = (found.key, found.run);
        let known = self.table.get(key);
        if known.is_some_and(|known| known.is_live() || known.run >= run) {
            return;
        }
        let entry = Entry {
            state: RunState::Executed,
            adopted: true,
            ..found
        };
        if self.table.put(entry.clone()).is_err() {
            return;
        }
        self.adopt_run(&entry, None);
        self.adopt_pipes_of(&entry);
        if let Some(Entry {
            state: RunState::Exited(exit),
            ..
        }) = self.table.get(key)
        {
            // It ended after it was found.
            let exit = *exit;
            self.tell_daemon(&ToDaemon::Exited { key, run, exit });
        }
    }

    fn adopt_pipes_of(&mut self, entry: &Entry) {
        let folder = self.setup.paths.pipes();
        for (stream, route) in entry.routes.iter().flat_map(|routes| routes.each()) {
            let pipe = PipeKey {
                key: entry.key,
                run: entry.run,
                stream,
            };
            let named = PipeEnd::reopen(&folder, pipe, route.clone());
            // Where its name is gone too, the program itself still has it open.
            let end = named.or_else(|_| PipeEnd::of_process(entry.pid, pipe, route.clone()));
            if let Ok(end) = end {
                self.give_pipe(pipe, &end);
                self.pipes.insert(pipe, end);
            }
        }
    }
}
