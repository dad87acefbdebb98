//! Beginning: what is saved and what the keeper knows become the state, and what happened meanwhile is acted upon.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::event::What;
use crate::domain::instance::{Event as Happened, Instance, Phase, Report};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Order, Progress, Verb};
use crate::domain::run::Asker;
use crate::domain::spec::{Restart, Spec};
use crate::keeper::protocol::{Entry, RunState};

use super::commands::happening;
use super::ledger::{Memo, Remembered};
use super::member::{Child, Member, Note, Process, Wanted, routes};
use super::message::Deed;
use super::operations::{Operation, Target};
use super::store::{Rest, Saved, SavedInstance};
use super::supervisor::Supervisor;
use super::unlisted::{self, Unlisted};

impl Supervisor {
    /// Takes over.
    pub(super) fn take_over(
        &mut self,
        saved: Saved,
        known: Remembered,
        entries: Vec<Entry>,
        mut found: Unlisted,
    ) {
        let mut entries: BTreeMap<InstanceId, Entry> = entries
            .into_iter()
            .map(|entry| (entry.key, entry))
            .collect();
        unlisted::merge(&mut entries, &mut found);
        self.last_id = entries.keys().map(|id| id.0).fold(saved.last_id, u32::max);
        self.undo = saved.undo;
        self.transient = known.transient;
        for text in saved.troubles.into_iter().chain(known.trouble) {
            self.tell(None, What::Alarm { text });
        }
        let mut cold = Vec::new();
        let mut unbegun = Vec::new();
        let mut unsaved = Vec::new();
        for (key, process) in saved.processes {
            let mut instances = Vec::new();
            for instance in &process.instances {
                let mut member = Member::new(instance.id, key.clone(), instance.index, self.now.ms);
                let entry = entries.remove(&instance.id);
                let noted = entry.as_ref().and_then(|e| Note::parse(&e.note));
                restore(&mut member, instance);
                match (entry, noted) {
                    (Some(entry), Some(note)) => {
                        self.renew_outdated(&process.spec, instance.index, &entry);
                        adopt(&mut member, &entry, note, self.now.ns);
                    }
                    // Nothing is remembered of it but that it is alive.
                    (Some(entry), None) if entry.is_live() => member.is_alive_as(&entry),
                    (Some(_) | None, _) => match saved.unbegun.get(&instance.id) {
                        Some(operation) => {
                            member.wanted = Some(Wanted {
                                operation: operation.clone(),
                                verb: Verb::Start,
                                base: member.machine.run(),
                            });
                            unbegun.push(instance.id);
                        }
                        None => cold.push((instance.id, instance.rest)),
                    },
                }
                if member.rest != instance.rest {
                    // The daemon before noted it and died before it was recorded.
                    unsaved.push(instance.id);
                }
                instances.push((instance.index, instance.id));
                self.members.insert(instance.id, Box::new(member));
            }
            self.environments.keep(&process.spec);
            let changed = Process {
                spec: process.spec,
                generation: process.generation,
                operation: process.operation,
                instances,
            };
            self.processes.insert(key, changed);
        }
        let keys: Vec<_> = self.processes.keys().cloned().collect();
        for key in keys {
            self.renew_retention(&key);
        }
        self.orphans(entries);
        self.adopt_unlisted(found);
        let rolling = self.reopen_rollouts();
        let mut asked: Vec<_> = known.operations.iter().collect();
        // What was begun in the same moment stays in its order.
        asked.sort_by_key(|(_, memo)| memo.begun_ns);
        let asked: Vec<OperationId> = asked.into_iter().map(|(id, _)| id.clone()).collect();
        let untold = self.reopen_operations(known.operations, rolling);
        self.remember_anew();
        self.operations.taking_over = true;
        for id in unsaved {
            self.record_rest(id);
        }
        // What is wanted up and is being ended nevertheless: the daemon before was ending everything.
        let ending = self.members.values().any(|member| {
            let noted = !cold.iter().any(|(id, _)| *id == member.id);
            let down = Rest::from(member.machine.phase()) == Rest::Down;
            noted && down && member.rest == Rest::Up && !unbegun.contains(&member.id)
        });
        self.repeat_ends();
        self.catch_up();
        self.operations.taking_over = false;
        if ending {
            for operation in untold {
                self.cancel(&operation);
            }
            self.end_all(false);
        } else {
            for (operation, id, verb) in self.unheard(&asked, &untold) {
                self.want(id, &happening(verb), &operation, verb, "the daemon before");
            }
            for operation in untold {
                self.tell_targets(&operation, "the daemon before", true);
            }
            for (id, rest) in cold {
                self.bring_up(id, rest);
            }
            for id in unbegun {
                self.asker = self.asker_of(id);
                self.drive(id, &Happened::Start, "its definition");
            }
        }
        self.finish_turn();
    }

    /// Limits of logs that were changed, and whose daemon did not live to tell the keeper.
    fn renew_outdated(&mut self, spec: &Spec, index: u32, entry: &Entry) {
        let routes = routes(spec, index, &self.setting.logs);
        let mut known = entry.routes.clone();
        if known.as_mut().is_some_and(|it| it.take_limits(&routes)) {
            let id = entry.key;
            self.deeds.push(Deed::Limits { id, routes });
        }
    }

    /// Without a process and without a note: after a reboot, or at the first start. What was wanted up comes up.
    fn bring_up(&mut self, id: InstanceId, rest: Rest) {
        let always = self.members.get(&id).is_some_and(|m| {
            self.processes
                .get(&m.key)
                .is_some_and(|p| p.spec.restart.on == Restart::Always)
        });
        self.asker = Some(Asker::Boot);
        match rest {
            Rest::Up => self.drive(id, &Happened::Start, "it was up before"),
            Rest::Exited if always => self.drive(id, &Happened::Start, "its policy is always"),
            Rest::Exited | Rest::Down | Rest::Errored => self.asker = None,
        }
    }

    /// Operations go on where they were; those that have targets that were not told yet are given back.
    fn reopen_operations(
        &mut self,
        known: Vec<(OperationId, Memo)>,
        mut rolling: BTreeMap<OperationId, Vec<Target>>,
    ) -> Vec<OperationId> {
        let mut untold = Vec::new();
        let mut ids = BTreeSet::new();
        for (id, mut memo) in known {
            ids.insert(id.clone());
            let rolls = rolling.remove(&id).is_some();
            if memo.rolling && !memo.told {
                if !rolls {
                    // No instance was noted as begun: nothing came of it.
                    continue;
                }
                memo.told = true;
            }
            let of_it = |p: &Process| p.operation.as_ref() == Some(&id);
            if memo.awaits && !memo.told && !self.processes.values().any(of_it) {
                // Its definitions never came to the state folder: nothing came of it, and whoever asked asks again.
                continue;
            }
            for target in &mut memo.targets {
                if !self.members.contains_key(&target.id) {
                    target.is_gone();
                }
            }
            // What became of a signal is known when the operation is over, or by the note of the instance.
            let sends = |t: &Target| matches!(t.verb, Order::Send(_)) && !t.progress.is_settled();
            if !memo.told || memo.targets.iter().any(sends) {
                untold.push(id.clone());
            }
            self.operations.insert(id, memo.into());
        }
        for (id, targets) in rolling {
            ids.insert(id.clone());
            let recalled = Operation::recalled(Verb::Restart.into(), targets, true);
            self.operations.insert(id, recalled);
        }
        for (id, operation) in self.recalled() {
            if !ids.contains(&id) {
                self.operations.insert(id, operation);
            }
        }
        untold
    }

    /// What instances were told and the keeper did not live to hear: it took what it had not read yet along. The keeper
    /// hears everything in order, so an instance that knows of a later operation was reached by the earlier ones.
    fn unheard(
        &self,
        asked: &[OperationId],
        untold: &[OperationId],
    ) -> Vec<(OperationId, InstanceId, Verb)> {
        let place: HashMap<&OperationId, usize> =
            asked.iter().enumerate().map(|(n, id)| (id, n)).collect();
        let mut unheard = Vec::new();
        for (n, id) in asked.iter().enumerate() {
            let open = self
                .operations
                .get(id)
                .filter(|o| o.settled_ns.is_none() && o.told && !o.rolling && !untold.contains(id));
            for target in open.into_iter().flat_map(|o| &o.targets) {
                let Some(member) = self.members.get(&target.id) else {
                    continue;
                };
                // A signal is not sent twice.
                let Order::Do(verb) = target.verb else {
                    continue;
                };
                let newest = member.wanted.as_ref().map(|wanted| &wanted.operation);
                let heard = newest.and_then(|newest| place.get(newest)) >= Some(&n);
                // One that came up since by itself needs no more to have been started.
                let begun = matches!(verb, Verb::Start | Verb::Restart)
                    && member.machine.run() != target.base;
                if !heard && !begun && target.progress == Progress::Pending {
                    unheard.push((id.clone(), target.id, verb));
                }
            }
        }
        unheard
    }

    /// Operations as far as their targets remember them.
    fn recalled(&self) -> Vec<(OperationId, Operation)> {
        let mut found: BTreeMap<OperationId, (Verb, Vec<Target>)> = BTreeMap::new();
        for (id, member) in &self.members {
            if let Some(Wanted {
                operation,
                verb,
                base,
            }) = &member.wanted
            {
                let target = Target {
                    id: *id,
                    name: self.label(*id),
                    verb: (*verb).into(),
                    base: *base,
                    progress: Progress::Pending,
                };
                found
                    .entry(operation.clone())
                    .or_insert_with(|| (*verb, Vec::new()))
                    .1
                    .push(target);
            }
        }
        let found = found.into_iter();
        found
            .map(|(id, (verb, targets))| (id, Operation::recalled(verb.into(), targets, false)))
            .collect()
    }

    /// Exits that came while no daemon was there, sweeps that were under way, deadlines that have passed.
    fn catch_up(&mut self) {
        let ids: Vec<InstanceId> = self.members.keys().copied().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            let missed = member.missed.take();
            let phase = member.machine.phase();
            let run = member.machine.run();
            if let Some(state) = missed {
                match state {
                    RunState::Forked | RunState::Executed
                        if matches!(phase, Phase::Spawning { .. }) =>
                    {
                        self.report(id, run, Report::Spawned, "");
                        if state == RunState::Executed {
                            self.report(id, run, Report::Executed, "");
                        }
                    }
                    RunState::Executed if phase == Phase::Starting => {
                        self.report(id, run, Report::Executed, "");
                    }
                    RunState::Reserved if matches!(phase, Phase::Spawning { .. }) => {
                        member.uncount_spawn();
                        self.report(
                            id,
                            run,
                            Report::NeverSpawned,
                            "the keeper that was asked for a child was killed",
                        );
                    }
                    RunState::Exited(exit) => {
                        if matches!(phase, Phase::Spawning { .. }) {
                            self.report(id, run, Report::Spawned, "");
                        }
                        let executed =
                            !matches!(exit.ending, crate::domain::exit::Ending::NotExecuted(_));
                        if executed {
                            self.report(id, run, Report::Executed, "");
                        }
                        self.exited(id, run, exit);
                    }
                    RunState::None
                    | RunState::Reserved
                    | RunState::Settled
                    | RunState::Forked
                    | RunState::Executed => {}
                }
            }
            self.resume(id, run);
            self.track(id);
        }
    }

    /// `before` is the run that the daemon before knew of.
    fn resume(&mut self, id: InstanceId, before: RunId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let phase = member.machine.phase();
        let run = member.machine.run();
        match phase {
            Phase::Sweeping { forced, .. } => {
                let main = member.child.map_or(0, |c| c.pid);
                let signal = self
                    .processes
                    .get(&member.key)
                    .map_or(crate::domain::exit::Signal::TERM, |p| p.spec.stop.signal);
                let how = if forced {
                    crate::domain::instance::Sweep::Kill
                } else {
                    // What had the stop signal already had it from the daemon before.
                    crate::domain::instance::Sweep::Remaining
                };
                self.deeds.push(Deed::Sweep(super::message::SweepOrder {
                    id,
                    run,
                    main,
                    how,
                    signal,
                    adopted: member.adopted,
                }));
            }
            // The note of a spawn travels with the act: the keeper tried, and its word did not reach the daemon before.
            Phase::Spawning { .. } if run == before => {
                let forgiven = self.forgive(id);
                self.report(
                    id,
                    run,
                    Report::SpawnFailed { forgiven },
                    "the keeper made no child",
                );
            }
            // Gone, and the daemon before could not record it.
            Phase::Removed => self.retire(id),
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed => {}
        }
        let Some(member) = self.members.get(&id) else {
            return;
        };
        if let Some(due) = member.due {
            self.arm(id, due);
        }
    }
}

/// From the state folder: what survives a reboot.
fn restore(member: &mut Member, saved: &SavedInstance) {
    let phase = match saved.rest {
        Rest::Up | Rest::Down => Phase::Stopped,
        Rest::Exited => Phase::Exited,
        Rest::Errored => Phase::Failed,
    };
    member.machine = Instance::ended(RunId(saved.run_ceiling), phase);
    member.reserved = saved.run_ceiling;
    member.restarts = 0;
    member.exit = saved.exit;
    member.rest = saved.rest;
    member.because = "saved".into();
    if saved.rest == Rest::Errored || saved.rest == Rest::Exited {
        member.because = saved
            .exit
            .map_or_else(|| "saved".into(), |e| e.ending.to_string());
    }
}

/// From the keeper's table: what survives a daemon.
pub(super) fn adopt(member: &mut Member, entry: &Entry, note: Note, now_ns: u64) {
    member.take(note, now_ns);
    member.reserved = member.reserved.max(entry.run.0);
    if entry.run == member.machine.run() {
        member.missed = Some(entry.state);
        if entry.pid != 0 && member.machine.phase().has_run() {
            member.child = Some(Child {
                pid: entry.pid,
                start: entry.start,
            });
            member.adopted = entry.adopted;
        }
    }
}
