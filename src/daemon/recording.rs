//! What the state folder is told, what follows from its answers, and what it could not take: that is told again.

use std::sync::Arc;

use crate::api::{ApiError, Code};
use crate::domain::event::What;
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::keeper::protocol::ToKeeper;

use super::message::Deed;
use super::store::{Record, SavedProcess};
use super::supervisor::{Deferral, Deferred, Ending, Supervisor, Undo};

/// What the disk could not take is told again after this, nanoseconds.
const AGAIN_NS: u64 = 5 * 1_000_000_000;
/// A disk that has answered nothing for so long while something waits for it is said not to answer, nanoseconds.
const SILENT_NS: u64 = 5 * 1_000_000_000;

/// What a record is about, until the store has answered for it.
#[derive(Debug)]
pub(super) enum Awaited {
    /// Where an instance rests.
    Rest(InstanceId, Option<OperationId>),
    /// That an instance is gone; the keeper remembers it until then.
    Gone(InstanceId, ProcessKey, Option<OperationId>),
}

/// What the disk could not take.
#[derive(Debug, Default)]
pub(super) struct Owed {
    records: Vec<Awaited>,
    /// When it is told again, monotonic nanoseconds.
    pub(super) due: Option<u64>,
    /// When it is said not to answer, if it has not by then.
    pub(super) silent_due: Option<u64>,
    /// The alarm, while something is not recorded.
    pub(super) alarm: Option<String>,
}

impl Supervisor {
    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    fn is_durable(&self, operation: Option<&OperationId>) -> bool {
        let operation = operation.and_then(|id| self.operations.get(id));
        operation.is_some_and(|o| o.durable && o.settled_ns.is_none())
    }

    fn store(&mut self, record: Record, awaited: Awaited) {
        let operation = match &awaited {
            Awaited::Rest(_, operation) | Awaited::Gone(_, _, operation) => operation.as_ref(),
        };
        let durable = self.is_durable(operation);
        let ticket = self.ticket();
        self.awaited.insert(ticket, awaited);
        self.expect_the_disk();
        self.deeds.push(Deed::Store {
            record,
            ticket: Some(ticket),
            durable,
        });
    }

    /// Appends where the instance rests; whoever asked for it is told whether the disk has it.
    pub(super) fn record_rest(&mut self, id: InstanceId) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        let operation = member.wanted.as_ref().map(|w| w.operation.clone());
        let operation = operation.filter(|id| self.operations.recording(id));
        self.store_rest(id, operation);
    }

    fn store_rest(&mut self, id: InstanceId, operation: Option<OperationId>) {
        if let Some(member) = self.members.get(&id) {
            let saved = member.saved();
            self.store(Record::Instance { saved }, Awaited::Rest(id, operation));
        }
    }

    /// Forgets an instance. The keeper remembers that it is gone until the state folder does: a daemon that ends in
    /// between must not bring it up again.
    pub(super) fn retire(&mut self, id: InstanceId) {
        self.deeds.push(Deed::SweepOver(id));
        self.deeds.push(Deed::Untrack(id));
        let Some(member) = self.members.remove(&id) else {
            return;
        };
        self.deeds.push(Deed::Keeper(ToKeeper::Note {
            key: id,
            note: member.note(),
        }));
        let operation = member.wanted.as_ref().map(|w| w.operation.clone());
        let operation = operation.filter(|id| self.operations.recording(id));
        self.operations.removed(id);
        self.forget_troubles();
        let Some(process) = self.processes.get_mut(&member.key) else {
            return;
        };
        process.instances.retain(|(_, other)| *other != id);
        if process.instances.is_empty() {
            self.processes.remove(&member.key);
        } else {
            let left = u32::try_from(process.instances.len()).unwrap_or(1);
            let ids: Vec<InstanceId> = process.instances.iter().map(|(_, id)| *id).collect();
            if process.spec.instances != left {
                Arc::make_mut(&mut process.spec).instances = left;
            }
            // A last one left is called by the name of its process.
            for id in ids {
                self.touch(id);
            }
        }
        self.store_gone(id, member.key, operation);
    }

    fn store_gone(&mut self, id: InstanceId, key: ProcessKey, operation: Option<OperationId>) {
        // Not the whole definition: a thousand that go would write it a thousand times.
        let record = match self.processes.get(&key) {
            Some(process) => Record::Gone(key.clone(), id, process.spec.instances),
            None => Record::Removed { key: key.clone() },
        };
        self.store(record, Awaited::Gone(id, key, operation));
    }

    /// Appends whole definitions, all or none, for an operation that waits for them.
    pub(super) fn record_definitions(&mut self, keys: &[ProcessKey], deferred: Deferred) {
        let processes = keys.iter().filter_map(|key| self.saved_process(key));
        let record = Record::Definitions {
            processes: processes.collect(),
        };
        let durable = self.is_durable(Some(&deferred.operation));
        let ticket = self.ticket();
        self.deferred.insert(ticket, deferred);
        self.expect_the_disk();
        self.deeds.push(Deed::Store {
            record,
            ticket: Some(ticket),
            durable,
        });
    }

    fn saved_process(&self, key: &ProcessKey) -> Option<SavedProcess> {
        let process = self.processes.get(key)?;
        let members = process.instances.iter();
        let members = members.filter_map(|(_, id)| self.members.get(id));
        Some(SavedProcess {
            spec: Arc::clone(&process.spec),
            generation: process.generation,
            instances: members.map(|it| it.saved()).collect(),
            operation: process.operation.clone(),
        })
    }

    /// The store has answered.
    pub(super) fn stored(&mut self, ticket: u64, error: Option<String>) {
        self.owed.silent_due = None;
        if let Some(awaited) = self.awaited.remove(&ticket) {
            match error {
                None => self.has_taken(awaited),
                Some(why) => {
                    self.could_not_take(awaited);
                    self.alarm_of_the_disk(&format!("cannot be written: {why}"));
                }
            }
        } else if let Some(deferred) = self.deferred.remove(&ticket) {
            match error {
                None => self.carry_out(deferred),
                Some(why) => self.give_up(deferred, &why),
            }
        }
        if !self.awaited.is_empty() || !self.deferred.is_empty() {
            self.expect_the_disk();
        } else if self.owed.records.is_empty() && self.owed.alarm.take().is_some() {
            let text = format!("{} is written again", self.setting.state_dir.display());
            self.announce(None, What::Note { text });
        }
    }

    fn expect_the_disk(&mut self) {
        let due = self.now.ns.saturating_add(SILENT_NS);
        self.owed.silent_due.get_or_insert(due);
    }

    /// Whoever looks at the daemon is told, not only who asked for what is not recorded.
    fn alarm_of_the_disk(&mut self, what: &str) {
        let text = format!(
            "{} {what}; what changes is recorded as soon as that can be, and a reboot before would undo it",
            self.setting.state_dir.display()
        );
        if self.owed.alarm.replace(text.clone()).is_none() {
            self.announce(None, What::Alarm { text });
        }
    }

    fn has_taken(&mut self, awaited: Awaited) {
        let operation = match awaited {
            Awaited::Rest(_, operation) => operation,
            Awaited::Gone(id, _, operation) => {
                self.deeds.push(Deed::Keeper(ToKeeper::Retire { key: id }));
                operation
            }
        };
        if let Some(operation) = operation {
            self.operations.has_recorded(&operation, self.now.ns);
        }
    }

    /// It is told again until the disk has it; the keeper's notes keep it until then.
    fn could_not_take(&mut self, awaited: Awaited) {
        let operation = match &awaited {
            Awaited::Rest(_, operation) | Awaited::Gone(_, _, operation) => operation,
        };
        if let Some(operation) = operation {
            self.operations.is_refused(operation);
        }
        self.owed.records.push(awaited);
        if self.owed.due.is_none() {
            self.owed.due = Some(self.now.ns.saturating_add(AGAIN_NS));
        }
    }

    pub(super) fn tell_the_disk_again(&mut self) {
        if self.owed.silent_due.is_some_and(|due| due <= self.now.ns) {
            self.owed.silent_due = None;
            self.alarm_of_the_disk("does not answer");
        }
        if self.owed.due.is_none_or(|due| due > self.now.ns) {
            return;
        }
        self.owed.due = None;
        for awaited in std::mem::take(&mut self.owed.records) {
            match awaited {
                Awaited::Rest(id, operation) if self.members.contains_key(&id) => {
                    self.store_rest(id, operation);
                }
                // That it is gone says more.
                Awaited::Rest(_, operation) => {
                    if let Some(operation) = operation {
                        self.operations.has_recorded(&operation, self.now.ns);
                    }
                }
                Awaited::Gone(id, key, operation) => self.store_gone(id, key, operation),
            }
        }
    }

    fn carry_out(&mut self, deferred: Deferred) {
        // Everything is being ended: what would be started now, nobody would end.
        if self.ending != Ending::No {
            self.cancel(&deferred.operation);
            return;
        }
        self.tell_targets(&deferred.operation, &deferred.by, false);
        self.settle_operations();
        for reply in deferred.replies {
            self.answer_when_recorded(&deferred.operation, reply);
        }
    }

    fn give_up(&mut self, deferred: Deferred, why: &str) {
        self.cancel(&deferred.operation);
        for undo in deferred.undo {
            let key = self.take_back(undo);
            // What was refused may be in the file all the same: only whether it is durable may be what failed.
            let record = match self.saved_process(&key) {
                Some(process) => Record::Definitions {
                    processes: vec![process],
                },
                None => Record::Removed { key },
            };
            self.deeds.push(Deed::Store {
                record,
                ticket: None,
                durable: false,
            });
        }
        for reply in deferred.replies {
            reply.refuse(not_recorded(why));
        }
    }

    fn take_back(&mut self, undo: Undo) -> ProcessKey {
        let (key, before) = match undo {
            Undo::Forget(key) => (key, None),
            Undo::Restore(key, before) => (key, Some(*before)),
        };
        let changed = self.processes.remove(&key);
        let kept = |id| before.iter().any(|p| p.instances.iter().any(|i| i.1 == id));
        for (_, id) in changed.into_iter().flat_map(|p| p.instances) {
            if !kept(id) {
                self.members.remove(&id);
            }
            self.touch(id);
        }
        if let Some(mut before) = before {
            // Some may have been deleted meanwhile.
            let members = &self.members;
            before.instances.retain(|(_, id)| members.contains_key(id));
            if !before.instances.is_empty() {
                self.processes.insert(key.clone(), before);
            }
        }
        key
    }

    /// Answers at once, unless the answer has to wait until all that was decided is durable.
    pub(super) fn answer_when_recorded(&mut self, operation: &OperationId, reply: Deferral) {
        match self.operations.waits_for_the_disk(operation) {
            Some(waiting) => waiting.push(reply),
            None => self.answer(operation, reply),
        }
    }
}

/// What is said when a definition could not be recorded.
fn not_recorded(why: &str) -> ApiError {
    let error = format!("the definition could not be recorded: {why}");
    ApiError::new(Code::NotRecorded, error)
        .hint("see to it that the state folder can be written (space, mode, mount), then try again; nothing was started")
}
