//! What the made-up keeper does with what it is told.

use super::super::habit::*;
use super::*;

impl World {
    pub(super) fn keeper(&mut self, message: ToKeeper) {
        match message {
            ToKeeper::Spawn {
                key,
                run,
                note,
                child,
                routes,
            } => {
                let entry = self.note(key, note);
                assert!(run > entry.run, "run {run} of {key} is spawned twice");
                entry.run = run;
                entry.pid = 0;
                entry.routes = Some(routes);
                entry.state = RunState::Settled;
                self.spawn(key, run, &child.program);
            }
            ToKeeper::Note { key, note } => {
                self.note(key, note);
            }
            ToKeeper::Settle { key, run, note } => {
                let entry = self.note(key, note);
                if entry.run == run && matches!(entry.state, RunState::Exited(_)) {
                    entry.state = RunState::Settled;
                }
            }
            ToKeeper::Signal {
                key,
                run,
                signal,
                main: _,
                note,
            } => {
                self.note(key, note);
                self.signals.push((self.ns, key, signal));
                self.signal(key, run, signal);
            }
            ToKeeper::Retire { key } => drop(self.table.remove(&key)),
            ToKeeper::Limits { key, routes } => {
                let entry = self.table.get_mut(&key);
                if let Some(known) = entry.and_then(|entry| entry.routes.as_mut()) {
                    known.take_limits(&routes);
                }
            }
            ToKeeper::Quit => self.told_to_quit = true,
            ToKeeper::Ready { .. }
            | ToKeeper::Stopping
            | ToKeeper::ReplaceScribe
            | ToKeeper::Scribe { .. }
            | ToKeeper::Adopt { .. }
            | ToKeeper::Upgrade => {}
        }
    }

    /// The first thing that a dying keeper was told: what it reserved is there, and no child.
    pub(super) fn half_heard(&mut self, message: ToKeeper) {
        if let (
            true,
            ToKeeper::Spawn {
                key,
                run,
                note,
                routes,
                ..
            },
        ) = (std::mem::take(&mut self.dies_at_work), message)
        {
            let entry = self.note(key, note);
            entry.run = run;
            entry.pid = 0;
            entry.routes = Some(routes);
            entry.state = RunState::Reserved;
            self.unmade += 1;
        }
    }

    fn spawn(&mut self, key: InstanceId, run: RunId, program: &str) {
        assert!(!self.living.contains_key(&key), "two live runs of {key}");
        assert!(
            !self.trees.contains_key(&key),
            "a run of {key} beside the rest of another"
        );
        let unique = self.spawns.iter().all(|(_, k, r)| (*k, *r) != (key, run));
        assert!(unique, "run {run} of {key} is spawned twice");
        self.spawns.push((self.ns, key, run));
        let habit = self.habits.get(program).copied().unwrap_or(WELL);
        if habit.fork == Fork::Unanswered {
            return;
        }
        if habit.fork == Fork::Fails {
            let why = "no child could be made".into();
            return self.keeper_tells(ToDaemon::SpawnFailed { key, run, why });
        }
        let pid = 100 + i32::try_from(self.spawns.len()).unwrap_or(0);
        let start = self.ns / (10 * MS);
        let living = Living {
            run,
            habit,
            adopted: false,
        };
        self.living.insert(key, living);
        if let Some(entry) = self.table.get_mut(&key) {
            entry.pid = pid;
            entry.start = start;
            entry.state = RunState::Forked;
        }
        self.keeper_tells(ToDaemon::Spawned {
            key,
            run,
            pid,
            start,
        });
        match habit.fork {
            Fork::NotExecuted => {
                let ending = Ending::NotExecuted(ShortText::new("no such file"));
                self.later(0, Happening::Die(key, run, ending));
            }
            Fork::Hangs => {}
            Fork::Works | Fork::Fails | Fork::Unanswered => {
                self.later(0, Happening::Execute(key, run));
                if let Some((ns, code)) = habit.life {
                    self.later(ns, Happening::Die(key, run, Ending::Code(code)));
                }
            }
        }
    }

    pub(super) fn signal(&mut self, key: InstanceId, run: RunId, signal: Signal) {
        let Some(living) = self.living.get(&key).filter(|l| l.run == run) else {
            return;
        };
        // CHLD, CONT, URG and WINCH end nobody who does not want it.
        if matches!(signal.number(), 17 | 18 | 23 | 28) {
            return;
        }
        let wait = if signal == Signal::KILL {
            living.habit.killable.then_some(0)
        } else {
            living.habit.obeys
        };
        if let Some(wait) = wait {
            let ending = Ending::Signal {
                signal,
                core: false,
            };
            self.later(wait, Happening::Die(key, run, ending));
        }
    }
}
