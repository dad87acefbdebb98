//! New and changed definitions: recorded first, then carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Action, ApiError, Applied, Apply, Change, Code, Define, Down, OperationView};
use crate::domain::instance::{Event as Happened, Phase};
use crate::domain::names::{InstanceId, OperationId, ProcessKey, instance_label};
use crate::domain::operation::Verb;
use crate::domain::spec::{Difference, Origin, Spec};

use super::commands::verb_of;
use crate::keeper::protocol::ToKeeper;

use super::commands::taken;
use super::member::{Member, Process, routes};
use super::message::{Deed, Reply};
use super::supervisor::{Deferral, Deferred, Ending, Supervisor, Undo, not_recorded};

/// What a new definition brings about.
pub(super) struct Plan {
    changes: Vec<Change>,
    /// In order.
    pub(super) acts: Vec<(InstanceId, Happened)>,
    changed: Vec<ProcessKey>,
    pub(super) undo: Vec<Undo>,
}

impl Supervisor {
    /// Defines a process and starts it.
    pub(super) fn define(&mut self, define: Define, by: &str, reply: Reply<OperationView>) {
        match self.known_operation(&define.operation, Verb::Start) {
            Ok(None) => {}
            Ok(Some(known)) => {
                let _ = reply.send(Ok(known));
                return;
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        }
        let spec = define.spec;
        if let Err(error) = self.may_define(&spec, &BTreeMap::new()) {
            let _ = reply.send(Err(error));
            return;
        }
        let mut plan = Plan::empty();
        self.add(spec, &mut plan);
        self.commit(define.operation, plan, by, Deferral::Operation(reply));
    }

    /// Brings the definitions of a file in force.
    pub(super) fn apply(&mut self, apply: Apply, by: &str, reply: Reply<Applied>) {
        if let Some(known) = self.operations.get(&apply.operation)
            && known.verb == Verb::Start
            && !known.reopened
        {
            let answer = self.applied(&apply.operation, Vec::new());
            let _ = reply.send(answer);
            return;
        }
        let mut wanted: BTreeMap<ProcessKey, Spec> = BTreeMap::new();
        for spec in apply.specs {
            wanted.insert(spec.key(), spec);
        }
        let file = Origin::File(apply.file);
        for spec in wanted.values() {
            let refused = match self.processes.get(&spec.key()) {
                Some(there) if there.spec.origin != file => Err(taken(there)),
                Some(_) => self.may_be(spec, &wanted),
                None => self.may_define(spec, &wanted),
            };
            if let Err(error) = refused {
                let _ = reply.send(Err(error));
                return;
            }
        }
        let mut plan = Plan::empty();
        if apply.prune {
            let gone: Vec<ProcessKey> = self
                .processes
                .iter()
                .filter(|(key, p)| p.spec.origin == file && !wanted.contains_key(*key))
                .map(|(key, _)| key.clone())
                .collect();
            for key in gone {
                self.remove(&key, &mut plan);
            }
        }
        for (key, mut spec) in wanted {
            spec.origin = file.clone();
            if self.processes.contains_key(&key) {
                self.change(spec, apply.start, &mut plan);
            } else {
                self.add(spec, &mut plan);
            }
        }
        let changes = plan.changes.clone();
        self.remember_plan(&plan, &apply.operation, by);
        self.commit(apply.operation, plan, by, Deferral::Applied(reply, changes));
    }

    /// Deletes what a file brought up.
    pub(super) fn down(&mut self, down: &Down, by: &str) -> Result<Applied, ApiError> {
        if self
            .known_operation(&down.operation, Verb::Delete)?
            .is_some()
        {
            return self.applied(&down.operation, Vec::new());
        }
        let file = Origin::File(down.file.clone());
        let keys: Vec<ProcessKey> = self
            .processes
            .iter()
            .filter(|(_, p)| p.spec.origin == file)
            .map(|(key, _)| key.clone())
            .collect();
        let mut plan = Plan::empty();
        for key in keys {
            self.remove(&key, &mut plan);
        }
        let ids: Vec<InstanceId> = plan.acts.iter().map(|(id, _)| *id).collect();
        self.remember_act(Verb::Delete, &ids, &down.operation, by);
        let asked: Vec<_> = ids.iter().map(|id| (*id, Verb::Delete)).collect();
        self.begin(down.operation.clone(), Verb::Delete, &asked, by);
        for id in ids {
            self.want(id, &Happened::Remove, &down.operation, Verb::Delete, by);
        }
        self.settle_operations();
        self.applied(&down.operation, plan.changes)
    }

    fn applied(&self, operation: &OperationId, results: Vec<Change>) -> Result<Applied, ApiError> {
        let operation = self.operation_view(operation)?;
        let left = self
            .members
            .keys()
            .any(|id| !operation.targets.iter().any(|t| t.id == *id));
        Ok(Applied {
            may_end: self.transient && !left && operation.verb == Verb::Delete,
            results,
            operation,
        })
    }

    /// Records what changed, then begins; without a change it begins at once.
    pub(super) fn commit(&mut self, operation: OperationId, plan: Plan, by: &str, reply: Deferral) {
        let verb = Verb::Start;
        let asked: Vec<_> = plan.acts.iter().map(|(id, h)| (*id, verb_of(h))).collect();
        self.begin(operation.clone(), verb, &asked, by);
        self.operations.set_underway(&operation, false);
        let mut last = None;
        for key in &plan.changed {
            if self.processes.contains_key(key) {
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                self.record_process(key, Some(&operation), Some(ticket));
                last = Some(ticket);
            }
        }
        let deferred = Deferred::Begin {
            operation,
            acts: plan.acts,
            reply,
            undo: plan.undo,
        };
        match last {
            // The store works in order: the last ticket answers for all.
            Some(ticket) => {
                self.deferred.insert(ticket, deferred);
            }
            None => self.carry_out(deferred),
        }
    }

    /// The store has answered.
    pub(super) fn stored(&mut self, ticket: u64, error: Option<String>) {
        if let Some(operation) = self.recording.remove(&ticket) {
            if error.is_none() {
                self.operations.has_recorded(&operation);
            }
            return;
        }
        if let Some(id) = self.retiring.remove(&ticket) {
            // Not recorded, the keeper goes on remembering it as gone.
            if error.is_none() {
                self.deeds.push(Deed::Keeper(ToKeeper::Retire { key: id }));
            }
            return;
        }
        let Some(deferred) = self.deferred.remove(&ticket) else {
            return;
        };
        match error {
            None if self.ending == Ending::No => self.carry_out(deferred),
            // Everything is being ended: what would be started now, nobody would end.
            None => {
                let Deferred::Begin { operation, .. } = deferred;
                self.operations.cancel(&operation);
            }
            Some(why) => {
                let Deferred::Begin {
                    operation,
                    reply,
                    undo,
                    ..
                } = deferred;
                self.operations.cancel(&operation);
                for undo in undo {
                    self.take_back(undo);
                }
                match reply {
                    Deferral::Operation(reply) => drop(reply.send(Err(not_recorded(&why)))),
                    Deferral::Applied(reply, _) => drop(reply.send(Err(not_recorded(&why)))),
                }
            }
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Forget(key) => {
                if let Some(process) = self.processes.remove(&key) {
                    for (_, id) in process.instances {
                        self.members.remove(&id);
                        self.touch(id);
                    }
                }
            }
            Undo::Restore(key, process) => {
                let kept: Vec<InstanceId> = process.instances.iter().map(|(_, id)| *id).collect();
                if let Some(changed) = self.processes.insert(key, *process) {
                    for (_, id) in changed.instances {
                        if !kept.contains(&id) {
                            self.members.remove(&id);
                        }
                        self.touch(id);
                    }
                }
            }
        }
    }

    fn carry_out(&mut self, deferred: Deferred) {
        let Deferred::Begin {
            operation,
            acts,
            reply,
            ..
        } = deferred;
        self.operations.set_underway(&operation, true);
        for (id, happened) in acts {
            self.want(
                id,
                &happened,
                &operation,
                verb_of(&happened),
                "its definition",
            );
        }
        self.settle_operations();
        match reply {
            Deferral::Operation(reply) => {
                let _ = reply.send(self.operation_view(&operation));
            }
            Deferral::Applied(reply, changes) => {
                let _ = reply.send(self.applied(&operation, changes));
            }
        }
    }

    /// Whether a new definition has a place.
    fn may_define(&self, spec: &Spec, beside: &BTreeMap<ProcessKey, Spec>) -> Result<(), ApiError> {
        if let Some(there) = self.processes.get(&spec.key()) {
            return Err(taken(there));
        }
        self.may_be(spec, beside)
    }

    /// Whether a definition is possible in itself and beside the others, some of which are about to change.
    fn may_be(&self, spec: &Spec, beside: &BTreeMap<ProcessKey, Spec>) -> Result<(), ApiError> {
        spec.validate()
            .map_err(|e| ApiError::new(Code::BadRequest, format!("{}: {e}", spec.name)))?;
        let others = self
            .processes
            .iter()
            .filter(|(key, _)| !beside.contains_key(*key))
            .map(|(_, p)| &*p.spec)
            .chain(beside.values());
        for other in others {
            if other.key() == spec.key() {
                continue;
            }
            if let Some(file) = spec.shares_log_with(other) {
                let text = format!("{} is a log of {} too", file.display(), other.key());
                return Err(ApiError::new(Code::Conflict, text).hint("one log has one process"));
            }
            if other.namespace != spec.namespace {
                continue;
            }
            for (one, two) in [(spec, other), (other, spec)] {
                let meets = |n| instance_label(&one.name, n, one.instances) == two.name.as_str();
                if one.instances > 1 && (0..one.instances).any(meets) {
                    return Err(ApiError::new(
                        Code::Conflict,
                        format!("{} is the name of an instance of {}", two.name, one.name),
                    )
                    .hint("choose another name"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn add(&mut self, spec: Spec, plan: &mut Plan) {
        let key = spec.key();
        let count = spec.instances;
        self.processes.insert(
            key.clone(),
            Process {
                spec: Arc::new(spec),
                generation: 1,
                instances: Vec::new(),
            },
        );
        self.add_members(&key, 0..count, plan);
        plan.changes.push(change(&key, Action::Started));
        plan.undo.push(Undo::Forget(key.clone()));
        plan.changed.push(key);
    }

    fn add_members(
        &mut self,
        key: &ProcessKey,
        indices: impl IntoIterator<Item = u32>,
        plan: &mut Plan,
    ) {
        for index in indices {
            self.last_id += 1;
            let id = InstanceId(self.last_id);
            let member = Member::new(id, key.clone(), index, self.now.ms);
            self.members.insert(id, member);
            if let Some(process) = self.processes.get_mut(key) {
                process.instances.push((index, id));
                process.instances.sort_unstable();
            }
            plan.acts.push((id, Happened::Start));
            self.touch(id);
        }
    }

    pub(super) fn remove(&mut self, key: &ProcessKey, plan: &mut Plan) {
        if let Some(process) = self.processes.get(key) {
            let acts = process
                .instances
                .iter()
                .map(|(_, id)| (*id, Happened::Remove));
            plan.acts.extend(acts);
            plan.changes.push(change(key, Action::Removed));
        }
    }

    pub(super) fn change(&mut self, spec: Spec, start: bool, plan: &mut Plan) {
        let key = spec.key();
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        let before = process.clone();
        let difference = process.spec.difference(&spec);
        let before_acts = plan.acts.len();
        if difference == Difference::None {
            // The caller's environment of now serves the next run.
            let mut same = (*process.spec).clone();
            same.base_env = spec.base_env;
            process.spec = Arc::new(same);
        } else {
            process.generation += 1;
            process.spec = Arc::new(spec);
            plan.changed.push(key.clone());
            plan.undo
                .push(Undo::Restore(key.clone(), Box::new(before.clone())));
        }
        self.scale(&key, &before, plan);
        let scaled = plan.acts.len() > before_acts;
        let grown = self
            .processes
            .get(&key)
            .is_some_and(|p| p.instances.len() > before.instances.len());
        if difference == Difference::None && grown {
            // As many as before, and others: a copy in the place of a deleted one is new.
            plan.changed.push(key.clone());
            plan.undo
                .push(Undo::Restore(key.clone(), Box::new(before.clone())));
        }
        let mut resumed = false;
        for (index, id) in &before.instances {
            let wanted = self.processes.get(&key).map_or(0, |p| p.spec.instances);
            let Some(member) = self.members.get(id).filter(|_| *index < wanted) else {
                continue;
            };
            let stopped = member.machine.phase() == Phase::Stopped;
            match (difference, stopped) {
                (Difference::Replace, false) => plan.acts.push((*id, Happened::Restart)),
                (_, true) if start => {
                    resumed = true;
                    plan.acts.push((*id, Happened::Start));
                }
                (_, false) if start && !member.machine.phase().has_run() => {
                    // Gave up, ended or waits: the file is brought up again; what ended well is left.
                    if member.machine.phase() != Phase::Exited {
                        resumed = true;
                        plan.acts.push((*id, Happened::Start));
                    }
                }
                (
                    Difference::None | Difference::Live | Difference::Scale | Difference::Replace,
                    _,
                ) => {}
            }
        }
        if matches!(difference, Difference::Live | Difference::Scale) {
            self.renew_limits(&key);
        }
        let action = match difference {
            Difference::Replace => Action::Replaced,
            Difference::Scale | Difference::None if scaled => Action::Scaled,
            Difference::None | Difference::Scale if resumed => Action::Resumed,
            Difference::Scale | Difference::Live => Action::Changed,
            Difference::None => Action::Unchanged,
        };
        plan.changes.push(change(&key, action));
    }

    fn scale(&mut self, key: &ProcessKey, before: &Process, plan: &mut Plan) {
        let wanted = self.processes.get(key).map_or(0, |p| p.spec.instances);
        let there: Vec<u32> = before.instances.iter().map(|(index, _)| *index).collect();
        let missing: Vec<u32> = (0..wanted).filter(|n| !there.contains(n)).collect();
        self.add_members(key, missing, plan);
        for (index, id) in &before.instances {
            if *index >= wanted {
                plan.acts.push((*id, Happened::Remove));
            }
            self.touch(*id);
        }
    }

    /// New limits of log files reach the scribe and the retention without touching a process.
    pub(super) fn renew_limits(&mut self, key: &ProcessKey) {
        let Some(process) = self.processes.get(key) else {
            return;
        };
        for (index, _) in &process.instances {
            for (_, route) in routes(&process.spec, *index, &self.setting.logs).each() {
                self.deeds
                    .push(Deed::Scribe(crate::keeper::protocol::ToScribe::Limits {
                        route: route.clone(),
                    }));
                self.deeds.push(Deed::Retention {
                    route: route.clone(),
                    archives: process.spec.logs.archives,
                    compress: process.spec.logs.compress,
                });
            }
        }
    }
}

impl Plan {
    pub(super) fn empty() -> Self {
        Self {
            changes: Vec::new(),
            acts: Vec::new(),
            changed: Vec::new(),
            undo: Vec::new(),
        }
    }
}

fn change(key: &ProcessKey, action: Action) -> Change {
    Change {
        name: key.to_string(),
        action,
    }
}
