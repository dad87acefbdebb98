//! Carries out what the state machine decides: turns effects into deeds, keeps the note current.

use std::time::Duration;

use crate::domain::event::What;
use crate::domain::exit::Signal;
use crate::domain::instance::{Delay, Effect, Event as Happened, Phase, Report, step};
use crate::domain::names::InstanceId;
use crate::keeper::protocol::{ChildSpec, ToKeeper};
use crate::platform::clock::as_ns;

use super::member::routes;
use super::message::{Deed, SweepOrder};
use super::store::Rest;
use super::supervisor::{Ending, Supervisor};

/// From asking the keeper to a child: long, for the keeper never waits for anything that can hang.
const SPAWN_TIMEOUT: Duration = Duration::from_secs(10);
/// From fork to exec: a folder on a dead mount is given up after this.
const EXECUTE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a `SIGKILL` is believed to take.
const KILL_AGAIN: Duration = Duration::from_secs(5);
/// Run numbers are reserved on disk this many at a time.
const RUNS_RESERVED: u64 = 100;

impl Supervisor {
    /// One step of one instance, with everything that follows from it.
    pub(super) fn drive(&mut self, id: InstanceId, event: &Happened, because: &str) {
        let asker = self.asker.take();
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let Some(process) = self.processes.get(&member.key) else {
            return;
        };
        let policy = process.policy();
        let before = member.machine;
        let (after, effects) = step(&policy, before, event);
        if after == before && effects.is_empty() {
            return;
        }
        if matches!(before.phase(), Phase::Spawning { .. })
            && matches!(event, Happened::Deadline { .. })
        {
            // The keeper takes messages in order: the child that it may still make is ended right away.
            self.deeds.push(Deed::Keeper(ToKeeper::Signal {
                key: id,
                run: before.run(),
                signal: Signal::KILL,
                main: false,
                note: member.note(),
            }));
        }
        let (was, is) = (member.status(), member.status_in(after.phase()));
        member.machine = after;
        member.note_asker(before.phase(), asker, because);
        member.count_failures(before.attempts(), event, self.now.ns);
        if was != is {
            member.since_ms = self.now.ms;
            // What follows by itself has the reason of what it follows.
            if !because.is_empty() {
                because.clone_into(&mut member.because);
            }
        }
        if after.epoch() != before.epoch() {
            member.due = None;
        }
        if matches!(
            event,
            Happened::Report {
                what: Report::Exited { .. },
                ..
            }
        ) {
            member.sample = None;
        }
        if !after.phase().has_run() || effects.contains(&Effect::Spawn) {
            member.child = None;
            member.sample = None;
            member.alarm = None;
            member.adopted = false;
            member.over_limit = false;
        }
        for effect in &effects {
            if let Effect::Arm(delay) = effect {
                self.set_deadline(id, *delay);
            }
        }
        let rest = Rest::from(after.phase());
        let rested = Rest::from(before.phase()) != rest && self.ending == Ending::No;
        if let Some(member) = self.members.get_mut(&id).filter(|_| rested) {
            member.rest = rest;
        }
        if effects.contains(&Effect::Spawn) {
            self.count_spawn(id);
        }
        self.act_on(id, event, &effects);
        if was != is {
            let member = self.members.get(&id);
            let because = member.map(|m| m.because.clone()).unwrap_or_default();
            let follows = member.and_then(|m| m.follows(self.now.ns));
            self.tell(
                Some(id),
                What::Status {
                    from: was,
                    to: is,
                    because,
                    follows,
                },
            );
        }
        if effects.contains(&Effect::Alarm) {
            self.alarm(id);
        }
        if rested && after.phase() != Phase::Removed {
            self.record_rest(id);
        }
        if effects.contains(&Effect::Retire) {
            self.retire(id);
        }
        self.touch(id);
        let orphaned = self.members.get(&id).is_some_and(|m| m.orphaned);
        if orphaned && !after.phase().has_run() {
            // There is nothing that it could be started from.
            self.drive(id, &Happened::Remove, "");
        }
    }

    fn set_deadline(&mut self, id: InstanceId, delay: Delay) {
        let jitter = self.next_jitter();
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let Some(process) = self.processes.get(&member.key) else {
            return;
        };
        let spec = &process.spec;
        let wait = match delay {
            Delay::Spawn => SPAWN_TIMEOUT,
            Delay::Execute => EXECUTE_TIMEOUT,
            Delay::StopTimeout => spec.stop.timeout,
            // With a window, time forgets failures one by one instead.
            Delay::Stable if spec.restart.window.is_some() => {
                member.due = None;
                return;
            }
            Delay::Stable => spec.restart.min_uptime,
            Delay::Backoff { attempt } => spec.restart.backoff.delay(attempt, jitter),
            Delay::KillAgain => KILL_AGAIN,
        };
        let due = self.now.ns.saturating_add(as_ns(wait)).max(1);
        member.due = Some(due);
        self.arm(id, due);
    }

    /// In 0..1; xorshift64*, seeded once a daemon.
    fn next_jitter(&mut self) -> f64 {
        let mut x = self.jitter;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.jitter = x;
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are plenty for a jitter"
        )]
        let unit = (x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64;
        unit
    }

    fn count_spawn(&mut self, id: InstanceId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if let Some(process) = self.processes.get(&member.key) {
            member.run_generation = process.generation;
        }
        if member.has_run {
            member.restarts += 1;
        }
        member.has_run = true;
        let run = member.machine.run().0;
        if run > member.reserved {
            member.reserved = run + RUNS_RESERVED;
            self.record_rest(id);
        }
    }

    fn act_on(&mut self, id: InstanceId, event: &Happened, effects: &[Effect]) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        let note = member.note();
        let run = member.machine.run();
        let phase = member.machine.phase();
        let mut noted = false;
        if let Happened::Report {
            what: Report::Exited { .. },
            run,
        } = event
        {
            noted = true;
            self.deeds.push(Deed::Keeper(ToKeeper::Settle {
                key: id,
                run: *run,
                note: note.clone(),
            }));
        }
        let Some(process) = self.processes.get(&member.key) else {
            return;
        };
        let signal = process.spec.stop.signal;
        let main = member.child.map_or(0, |c| c.pid);
        let adopted = member.adopted;
        for effect in effects {
            match effect {
                Effect::Spawn => {
                    noted = true;
                    let spawn = self.spawn_message(id, note.clone());
                    self.deeds.extend(spawn.map(Deed::Keeper));
                }
                Effect::Signal | Effect::Kill => {
                    noted = true;
                    let signal = if *effect == Effect::Kill {
                        Signal::KILL
                    } else {
                        signal
                    };
                    self.deeds.push(Deed::Keeper(ToKeeper::Signal {
                        key: id,
                        run,
                        signal,
                        main: false,
                        note: note.clone(),
                    }));
                }
                Effect::Sweep(how) => self.deeds.push(Deed::Sweep(SweepOrder {
                    id,
                    run,
                    main,
                    how: *how,
                    signal,
                    adopted,
                })),
                Effect::Retire => noted = true,
                Effect::Arm(_) | Effect::Alarm | Effect::Refuse(_) => {}
            }
        }
        if matches!(
            event,
            Happened::Report {
                what: Report::Swept,
                ..
            }
        ) {
            self.deeds.push(Deed::SweepOver(id));
        }
        if !noted && phase != Phase::Removed {
            self.deeds
                .push(Deed::Keeper(ToKeeper::Note { key: id, note }));
        }
    }

    fn spawn_message(&mut self, id: InstanceId, note: String) -> Option<ToKeeper> {
        let member = self.members.get(&id)?;
        let process = self.processes.get(&member.key)?;
        let spec = &process.spec;
        let run = member.machine.run();
        let mut env = (*spec.base_env).clone();
        env.extend(spec.env.clone());
        let label = member.label(Some(process));
        for (name, value) in [
            ("ADASA_NAME", label),
            ("ADASA_NAMESPACE", spec.namespace.to_string()),
            ("ADASA_ID", id.to_string()),
            ("ADASA_INSTANCE", member.index.to_string()),
            ("ADASA_RUN", format!("{}/{id}/{run}", self.setting.marker)),
        ] {
            env.insert(name.to_owned(), value);
        }
        let routes = routes(spec, member.index, &self.setting.logs);
        for (_, route) in routes.each() {
            self.deeds.push(Deed::Retention {
                route: route.clone(),
                keep: super::message::Keep::of(&spec.logs),
            });
        }
        Some(ToKeeper::Spawn {
            key: id,
            run,
            note,
            child: Box::new(ChildSpec {
                program: spec.command.program.clone(),
                args: spec.command.args.clone(),
                env: env.into_iter().map(|(n, v)| format!("{n}={v}")).collect(),
                cwd: spec.cwd.clone(),
                detach: spec.stop.detach_children,
            }),
            routes,
        })
    }

    fn alarm(&mut self, id: InstanceId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let pid = member
            .child
            .map_or_else(String::new, |c| format!(" (pid {})", c.pid));
        let text = format!("does not die after SIGKILL{pid}");
        member.alarm = Some(text.clone());
        self.tell(Some(id), What::Alarm { text });
        self.deeds.push(Deed::SweepAgain);
    }
}
