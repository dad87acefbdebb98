//! Beginning: what is saved and what the keeper knows become the state, and what happened meanwhile is acted upon.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::event::What;
use crate::domain::instance::{Event as Happened, Instance, Phase, Report};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::Verb;
use crate::domain::run::Asker;
use crate::domain::spec::Restart;
use crate::keeper::protocol::{Entry, RunState, ToKeeper};

use super::member::{Child, Member, Note, Process, Wanted};
use super::message::Deed;
use super::operations::{Operation, Target};
use super::store::{Record, Rest, Saved, SavedInstance};
use super::supervisor::Supervisor;

impl Supervisor {
    /// Takes over.
    pub(super) fn take_over(&mut self, saved: Saved, entries: Vec<Entry>) {
        let mut entries: BTreeMap<InstanceId, Entry> = entries
            .into_iter()
            .map(|entry| (entry.key, entry))
            .collect();
        self.last_id = entries.keys().map(|id| id.0).fold(saved.last_id, u32::max);
        self.undo = saved.undo;
        for text in saved.troubles {
            self.tell(None, What::Alarm { text });
        }
        let mut cold = Vec::new();
        let mut unbegun = Vec::new();
        for (key, process) in saved.processes {
            let mut instances = Vec::new();
            for instance in &process.instances {
                let mut member = Member::new(instance.id, key.clone(), instance.index, self.now.ms);
                let entry = entries.remove(&instance.id);
                let noted = entry.as_ref().and_then(|e| Note::parse(&e.note));
                restore(&mut member, instance);
                match (entry, noted) {
                    (Some(entry), Some(note)) => adopt(&mut member, &entry, note),
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
                    let saved = member.saved();
                    self.deeds
                        .push(Deed::Store(Record::Instance { saved }, None));
                }
                instances.push((instance.index, instance.id));
                self.members.insert(instance.id, member);
            }
            let spec = Arc::new(process.spec);
            let generation = process.generation;
            self.processes.insert(
                key,
                Process {
                    spec,
                    generation,
                    instances,
                },
            );
        }
        let keys: Vec<_> = self.processes.keys().cloned().collect();
        for key in keys {
            self.renew_limits(&key);
        }
        self.orphans(entries);
        self.reopen_operations();
        self.reopen_rollouts();
        // What is wanted up and is being ended nevertheless: the daemon before was ending everything.
        let ending = self.members.values().any(|member| {
            let noted = !cold.iter().any(|(id, _)| *id == member.id);
            let down = Rest::from(member.machine.phase()) == Rest::Down;
            noted && down && member.rest == Rest::Up && !unbegun.contains(&member.id)
        });
        self.repeat_ends();
        self.catch_up();
        if ending {
            self.end_all(false);
        } else {
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

    /// What the keeper has and no definition names is shown, and never ended by itself.
    fn orphans(&mut self, entries: BTreeMap<InstanceId, Entry>) {
        for (id, entry) in entries {
            if entry.is_live() {
                let text = format!(
                    "instance {id} (pid {}) runs without a definition",
                    entry.pid
                );
                self.tell(None, What::Alarm { text });
            } else {
                self.deeds.push(Deed::Keeper(ToKeeper::Retire { key: id }));
            }
        }
    }

    /// Operations that were under way are known by what their targets remember.
    fn reopen_operations(&mut self) {
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
                    verb: *verb,
                    base: *base,
                    progress: crate::domain::operation::Progress::Pending,
                };
                found
                    .entry(operation.clone())
                    .or_insert_with(|| (*verb, Vec::new()))
                    .1
                    .push(target);
            }
        }
        for (id, (verb, targets)) in found {
            let mut operation = Operation::new(verb, targets, self.now.ns);
            operation.reopened = true;
            self.operations.begin(id, operation);
        }
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
            self.resume(id);
            self.track(id);
        }
    }

    fn resume(&mut self, id: InstanceId) {
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
                }));
            }
            // The note of a spawn travels with the act: an act that the keeper has not seen was never noted.
            Phase::Spawning { .. } => {
                let forgiven = self.forgive(id);
                self.report(
                    id,
                    run,
                    Report::SpawnFailed { forgiven },
                    "the keeper had no child",
                );
            }
            // Gone, and the daemon before could not record it.
            Phase::Removed => self.retire(id),
            Phase::Stopped
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
fn adopt(member: &mut Member, entry: &Entry, note: Note) {
    member.take(note);
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
