//! The keeper's children: made, signalled, reaped, adopted.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use crate::domain::exit::{Ending, Exit, Signal};
use crate::domain::names::{InstanceId, RunId};
use crate::platform::child::{self, ExecFailure, Reaped};
use crate::platform::clock::{as_ns, monotonic_ns, wall_ms};
use crate::platform::failpoint::failpoint;
use crate::platform::signal::{self, PidFd};
use crate::platform::{descriptor, procfs};

use super::handover::Held;
use super::protocol::{ChildSpec, Entry, Routes, RunState, ToDaemon};
use super::role::{ADOPTED, Keeper, RESULT, TIDY, token};
use super::runs::{self, Ground, Outcome, PipeEnd, PipeKey};

/// A child that the keeper before forked and that has not become its program yet is looked at this often: nothing
/// tells of an exec that somebody else waited for. Its daemon gives it up after a while.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A child whose exec has not been told yet.
pub(super) struct Pending {
    pub(super) run: RunId,
    pub(super) result: OwnedFd,
    /// What the result said: it can be read only once, and is told with the exit that follows.
    pub(super) failure: Option<ExecFailure>,
}

/// So many children are collected in one turn.
const REAPED_AT_ONCE: usize = 8;
/// The ends of so many are looked for first.
const EXPECTED: usize = 16;

impl Keeper {
    /// Takes over what an earlier keeper of this boot left: only what still has the same pid and start. What was held
    /// meanwhile comes along: through a handle the kernel may still tell the exit of what has ended since.
    pub(super) fn adopt(&mut self, held: Option<Held>) {
        let same = held.as_ref().is_some_and(|held| !held.heir);
        let (handles, results) = held.map_or_else(Default::default, |h| (h.handles, h.results));
        let mut handles: HashMap<_, _> = handles
            .into_iter()
            .map(|(key, run, handle)| ((key, run), handle))
            .collect();
        for (key, run, result) in results {
            self.await_result(key, run, result);
        }
        let entries: Vec<Entry> = self.table.entries().cloned().collect();
        for entry in entries {
            let key = entry.key;
            if same && !entry.adopted {
                // Still our own child, with all that it leaves behind.
                if entry.is_live() {
                    self.pids.insert(entry.pid, (key, entry.run));
                }
                continue;
            }
            if entry.pid != 0 {
                // What a run leaves behind does not become ours, also when its main process is over already.
                let _ = self.table.change(key, |e| e.adopted = true);
            }
            match entry.state {
                RunState::Forked | RunState::Executed => {
                    let handle = handles.remove(&(key, entry.run));
                    self.adopt_run(&entry, handle);
                }
                // The child of a reserved one, if there was any, never had leave to become the program.
                RunState::None | RunState::Reserved | RunState::Exited(_) | RunState::Settled => {}
            }
        }
        self.adopt_pipes();
        self.reap();
    }

    fn await_result(&mut self, key: InstanceId, run: RunId, result: OwnedFd) {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token(key, RESULT));
        let _ = self.epoll.add(&result, event);
        let pending = Pending {
            run,
            result,
            failure: None,
        };
        self.results.insert(key, pending);
    }

    pub(super) fn adopt_run(&mut self, entry: &Entry, held: Option<PidFd>) {
        let key = entry.key;
        // The handle first, then the identity: what it means can no longer change. One that nobody has collected yet
        // still tells how it ended.
        let open = || {
            let handle = PidFd::open(entry.pid).ok()?;
            let same = procfs::stat(entry.pid).is_some_and(|stat| stat.start == entry.start);
            same.then_some(handle)
        };
        let Some(handle) = held.or_else(open) else {
            self.gone_unseen(key);
            return;
        };
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token(key, ADOPTED));
        let _ = self.epoll.add(&handle, event);
        self.adopted.insert(key, handle);
        self.look_at_forked(key);
    }

    /// Opens the output pipes by name: what is in them stays as long as anybody has them open.
    fn adopt_pipes(&mut self) {
        let folder = self.setup.paths.pipes();
        let Ok(names) = std::fs::read_dir(&folder) else {
            return;
        };
        for name in names.flatten() {
            let pipe = name.file_name().to_str().and_then(PipeKey::parse);
            let route = pipe.and_then(|p| {
                let routes = self.table.get(p.key)?.routes.clone()?;
                routes
                    .each()
                    .find(|(s, _)| *s == p.stream)
                    .map(|(_, r)| r.clone())
            });
            match (pipe, route) {
                (Some(pipe), Some(route)) => {
                    if let Ok(end) = PipeEnd::reopen(&folder, pipe, route) {
                        self.pipes.insert(pipe, end);
                    }
                }
                // Whose it is may be found out yet.
                (Some(_), None) if self.table.is_incomplete() => {}
                _ => {
                    let _ = std::fs::remove_file(name.path());
                }
            }
        }
    }

    /// The pipe that would have told of the exec ended with the keeper before.
    fn look_at_forked(&mut self, key: InstanceId) {
        let Some(entry) = self.table.get(key).cloned() else {
            return;
        };
        if entry.state != RunState::Forked {
            return;
        }
        if procfs::is_another_program(entry.pid) {
            let _ = self.table.change(key, |e| e.state = RunState::Executed);
            let run = entry.run;
            self.tell_daemon(&ToDaemon::Executed { key, run });
        } else {
            self.forked_due = Some(monotonic_ns() + as_ns(LOOK_AGAIN));
        }
    }

    /// Looks once more at adopted children that were not seen to exec.
    pub(super) fn look_at_all_forked(&mut self) {
        let keys: Vec<InstanceId> = self.adopted.keys().copied().collect();
        for key in keys {
            self.look_at_forked(key);
        }
    }

    pub(super) fn gone_unseen(&mut self, key: InstanceId) {
        self.gone(key, Ending::Unknown);
    }

    fn gone(&mut self, key: InstanceId, ending: Ending) {
        let exit = Exit {
            ending,
            at_ms: wall_ms(),
            cpu_ms: 0,
            peak_rss: 0,
        };
        let _ = self.table.change(key, |e| e.state = RunState::Exited(exit));
    }

    pub(super) fn signal_all(&mut self, what: Signal) {
        let live: Vec<Entry> = self
            .table
            .entries()
            .filter(|e| e.is_live())
            .cloned()
            .collect();
        for entry in live {
            self.signal(&entry, what, false);
        }
    }

    /// To the group of a run, or to its main process alone.
    pub(super) fn signal(&self, entry: &Entry, what: Signal, main: bool) {
        // A child of ours that is not reaped keeps its pid; an adopted one is reached by its handle.
        let adopted = self.adopted.get(&entry.key);
        let ours = self.pids.contains_key(&entry.pid);
        let _ = match (adopted, main) {
            (Some(handle), true) => handle.send(what),
            (Some(handle), false) => handle.send_to_group(what),
            (None, true) if ours => signal::send_to_child(entry.pid, what),
            (None, false) if ours => signal::send_to_group(entry.pid, what),
            (None, _) => Ok(()),
        };
    }

    /// Collects some of those that ended. When very many end at once the others wait for the next turn, so that what the
    /// daemon asks for meanwhile does not wait behind all of them.
    pub(super) fn reap(&mut self) {
        let mut orphans = false;
        self.to_reap = true;
        let asked: Vec<i32> = self.ending_pids.iter().copied().collect();
        for pid in asked {
            if let Some(reaped) = child::reap(Some(pid)) {
                orphans |= !self.collected(reaped);
            }
        }
        for _ in 0..REAPED_AT_ONCE {
            let Some(reaped) = child::reap(None) else {
                self.to_reap = false;
                break;
            };
            orphans |= !self.collected(reaped);
        }
        if orphans {
            self.tell_daemon(&ToDaemon::Orphans);
        }
    }

    /// Whether it was one of those that are known.
    fn collected(&mut self, reaped: Reaped) -> bool {
        self.ending_pids.retain(|pid| *pid != reaped.pid);
        if self.daemon.as_ref().is_some_and(|d| d.pid == reaped.pid) {
            self.daemon_is_over(true);
        } else if let Some(at) = self.leaving.iter().position(|pid| *pid == reaped.pid) {
            self.leaving.remove(at);
        } else if let Some(lane) = self.scribe_with(reaped.pid) {
            self.scribe_is_over(lane);
        } else if let Some((key, run)) = self.pids.remove(&reaped.pid) {
            self.exited(key, run, reaped);
        } else {
            return false;
        }
        true
    }

    /// A child was told to end: its end is looked for before those of all others.
    pub(super) fn expect_end(&mut self, pid: i32) {
        if self.ending_pids.len() == EXPECTED {
            self.ending_pids.pop_front();
        }
        self.ending_pids.push_back(pid);
    }

    pub(super) fn exited(&mut self, key: InstanceId, run: RunId, reaped: Reaped) {
        let mut ending = reaped.ending;
        if let Some(pending) = self
            .results
            .remove(&key)
            .filter(|pending| pending.run == run)
        {
            let outcome = pending
                .failure
                .map_or_else(|| runs::outcome(&pending.result), Outcome::Failed);
            match outcome {
                Outcome::Failed(failure) => ending = failure.ending(),
                Outcome::Executed => self.tell_daemon(&ToDaemon::Executed { key, run }),
                Outcome::Waiting => {}
            }
        }
        let exit = Exit {
            ending,
            at_ms: wall_ms(),
            cpu_ms: reaped.cpu_ms,
            peak_rss: reaped.peak_rss,
        };
        failpoint!("keeper.exit.reaped");
        let _ = self.table.change(key, |e| {
            if e.run == run {
                e.state = RunState::Exited(exit);
            }
        });
        failpoint!("keeper.exit.written");
        self.tell_daemon(&ToDaemon::Exited { key, run, exit });
    }

    pub(super) fn heard_run(&mut self, token: u64) {
        let key = InstanceId(u32::try_from(token / 4).unwrap_or(0));
        if token % 4 == ADOPTED {
            self.adopted_ended(key);
            return;
        }
        let Some(pending) = self.results.get_mut(&key) else {
            return;
        };
        let run = pending.run;
        match runs::outcome(&pending.result) {
            Outcome::Waiting => {}
            Outcome::Failed(failure) => {
                pending.failure = Some(failure);
                let _ = self.epoll.delete(&pending.result);
            }
            Outcome::Executed => {
                self.results.remove(&key);
                failpoint!("keeper.executed.read");
                let _ = self.table.change(key, |e| {
                    if e.run == run && e.state == RunState::Forked {
                        e.state = RunState::Executed;
                    }
                });
                failpoint!("keeper.executed.written");
                self.tell_daemon(&ToDaemon::Executed { key, run });
            }
        }
    }

    pub(super) fn adopted_ended(&mut self, key: InstanceId) {
        let Some(handle) = self.adopted.remove(&key) else {
            return;
        };
        // Said, not left to the drop: a child between fork and exec may still have the descriptor open.
        let _ = self.epoll.delete(&handle);
        let Some(entry) = self.table.get(key).cloned() else {
            return;
        };
        if entry.is_live() {
            // Its parent is somebody else: the kernel tells once that one has collected it, and before that the
            // process itself shows it. What neither tells stays unknown.
            let ending = handle
                .ending()
                .or_else(|| procfs::ending_of_zombie(entry.pid, entry.start));
            self.gone(key, ending.unwrap_or(Ending::Unknown));
            if let Some(Entry {
                state: RunState::Exited(exit),
                run,
                ..
            }) = self.table.get(key).cloned()
            {
                self.tell_daemon(&ToDaemon::Exited { key, run, exit });
            }
        }
    }

    pub(super) fn spawn(
        &mut self,
        key: InstanceId,
        run: RunId,
        note: String,
        spec: &ChildSpec,
        routes: Routes,
    ) {
        let refuse = |why: String| ToDaemon::SpawnFailed { key, run, why };
        let before = self
            .table
            .get(key)
            .cloned()
            .unwrap_or_else(|| Entry::new(key));
        if run <= before.run || before.is_live() {
            let why = format!("run {run} was refused: run {} came before it", before.run);
            self.tell_daemon(&refuse(why));
            return;
        }
        let entry = Entry {
            key,
            run,
            pid: 0,
            start: 0,
            state: RunState::Reserved,
            adopted: false,
            detach: spec.detach,
            note,
            routes: Some(routes.clone()),
        };
        if let Err(error) = self.table.put(entry) {
            self.tell_daemon(&refuse(error.to_string()));
            return;
        }
        failpoint!("keeper.spawn.reserved");
        let folder = self.setup.paths.pipes();
        let table = self.setup.paths.table();
        let ground = Ground {
            table: &table,
            folder: &folder,
            null: &self.null,
            file_limit: self.file_limit,
            home: self.home.as_ref(),
        };
        let again = before.run > RunId(0);
        let mut made = runs::make(ground, key, run, spec, &routes);
        if again && made.as_ref().is_err_and(descriptor::are_short) {
            // Its run before may not have given back all that it had.
            self.reserve.lend_all();
            made = runs::make(ground, key, run, spec, &routes);
            self.reserve.refill();
        }
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                let _ = self.table.change(key, |e| e.state = RunState::Settled);
                self.tell_daemon(&refuse(format!("no child could be made: {error}")));
                return;
            }
        };
        failpoint!("keeper.spawn.forked");
        let written = self.table.change(key, |e| {
            e.pid = made.pid;
            e.start = made.start;
            e.state = RunState::Forked;
        });
        failpoint!("keeper.spawn.written");
        if written.is_ok() {
            // A child that cannot take its leave any more is heard of when it is reaped.
            let _ = made.leave.give();
        }
        failpoint!("keeper.spawn.let_go");
        self.pids.insert(made.pid, (key, run));
        self.tidy_due = Some(monotonic_ns() + as_ns(TIDY));
        self.await_result(key, run, made.result);
        for (pipe, end) in made.pipes {
            self.give_pipe(pipe, &end);
            self.pipes.insert(pipe, end);
        }
        failpoint!("keeper.spawn.scribe_told");
        self.tell_daemon(&ToDaemon::Spawned {
            key,
            run,
            pid: made.pid,
            start: made.start,
        });
    }
}
