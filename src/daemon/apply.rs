//! New and changed definitions: recorded first, then carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Action, ApiError, Applied, Apply, Change, Code, Define, Down, OperationView};
use crate::domain::instance::Phase;
use crate::domain::names::{InstanceId, OperationId, ProcessKey, instance_label};
use crate::domain::operation::{Verb, Work};
use crate::domain::spec::{Difference, Origin, Spec};

use super::commands::{Begun, taken};
use super::ledger::{Asked, Form};
use super::member::{Member, Process, routes};
use super::message::{Deed, Keep, Reply};
use super::operations::Operation;
use super::supervisor::{Deferral, Deferred, Supervisor, Undo};

/// What a new definition brings about.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// In order.
    pub(super) acts: Vec<(InstanceId, Verb)>,
    pub(super) changed: Vec<ProcessKey>,
    pub(super) undo: Vec<Undo>,
}

impl Supervisor {
    /// Defines a process and starts it.
    pub(super) fn define(&mut self, define: Define, by: &str, reply: Reply<OperationView>) {
        let asked = Asked::new(Verb::Start, Form::Define, &define);
        let reply = Deferral::Operation(reply);
        let Some(reply) = self.unless_known(&define.operation, &asked, reply) else {
            return;
        };
        if let Err(error) = self.may_define(&define.spec, &BTreeMap::new()) {
            reply.refuse(error);
            return;
        }
        let mut plan = Plan::default();
        self.add(define.spec, &mut plan);
        let request = (define.operation, asked, define.durable);
        self.commit(request, plan, by, reply);
    }

    /// Brings the definitions of a file in force.
    pub(super) fn apply(&mut self, apply: Apply, by: &str, reply: Reply<Applied>) {
        let asked = Asked::new(Verb::Start, Form::Apply, &apply);
        let reply = Deferral::Applied(reply);
        let Some(reply) = self.unless_known(&apply.operation, &asked, reply) else {
            return;
        };
        let order: Vec<ProcessKey> = apply.specs.iter().map(Spec::key).collect();
        let mut wanted: BTreeMap<ProcessKey, Spec> =
            apply.specs.into_iter().map(|s| (s.key(), s)).collect();
        let file = Origin::File(apply.file);
        for spec in wanted.values() {
            let refused = match self.processes.get(&spec.key()) {
                Some(there) if there.spec.origin != file => Err(taken(there)),
                Some(_) => self.may_be(spec, &wanted),
                None => self.may_define(spec, &wanted),
            };
            if let Err(error) = refused {
                reply.refuse(error);
                return;
            }
        }
        if let Err(error) =
            self.spare_what_differs((apply.prune, apply.force_protected), &file, &wanted)
        {
            reply.refuse(error);
            return;
        }
        let mut plan = Plan::default();
        if apply.prune {
            for key in self.brought_up_by(&file) {
                if !wanted.contains_key(&key) {
                    self.remove(&key, &mut plan);
                }
            }
        }
        // In the order of the file: what it names first comes up first.
        for key in order {
            let Some(mut spec) = wanted.remove(&key) else {
                continue;
            };
            spec.origin = file.clone();
            if self.processes.contains_key(&key) {
                self.change(spec, apply.start, &mut plan);
            } else {
                self.add(spec, &mut plan);
            }
        }
        self.remember_plan(&plan, Work::Start, &apply.operation, by);
        let request = (apply.operation, asked, apply.durable);
        self.commit(request, plan, by, reply);
    }

    /// Deletes what a file brought up.
    pub(super) fn down(&mut self, down: Down, by: &str, reply: Reply<Applied>) {
        let asked = Asked::new(Verb::Delete, Form::Down, &down);
        let reply = Deferral::Applied(reply);
        let Some(reply) = self.unless_known(&down.operation, &asked, reply) else {
            return;
        };
        let mut plan = Plan::default();
        let keys = self.brought_up_by(&Origin::File(down.file.clone()));
        let ids: Vec<InstanceId> = keys.iter().flat_map(|key| self.instances_of(key)).collect();
        if let Err(error) = self.spare_protected(down.force_protected, ids) {
            reply.refuse(error);
            return;
        }
        for key in keys {
            self.remove(&key, &mut plan);
        }
        let ids: Vec<InstanceId> = plan.acts.iter().map(|(id, _)| *id).collect();
        self.remember_act(Verb::Delete, &ids, &down.operation, by);
        let request = (down.operation, asked, down.durable);
        self.commit(request, plan, by, reply);
    }

    fn instances_of(&self, key: &ProcessKey) -> Vec<InstanceId> {
        let process = self.processes.get(key);
        let all = process.into_iter().flat_map(|p| &p.instances);
        all.map(|(_, id)| *id).collect()
    }

    /// Refuses a file that would end instances of a protected process, unless it says that it knows.
    fn spare_what_differs(
        &self,
        (prune, forced): (bool, bool),
        file: &Origin,
        wanted: &BTreeMap<ProcessKey, Spec>,
    ) -> Result<(), ApiError> {
        let mut hit = Vec::new();
        for key in self.brought_up_by(file) {
            let Some(process) = self.processes.get(&key) else {
                continue;
            };
            let ends = match wanted.get(&key) {
                None => prune,
                Some(next) => {
                    process.spec.difference(next) == Difference::Replace
                        || next.instances < process.spec.instances
                }
            };
            if ends {
                hit.extend(self.instances_of(&key));
            }
        }
        self.spare_protected(forced, hit)
    }

    /// What a file brought up, in the order in which it came up.
    fn brought_up_by(&self, file: &Origin) -> Vec<ProcessKey> {
        let all = self.processes.iter();
        let of_file = all.filter(|(_, p)| p.spec.origin == *file);
        let mut keys: Vec<_> = of_file
            .map(|(key, p)| (p.instances.iter().map(|(_, id)| *id).min(), key.clone()))
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// Answers a request that was made before. One whose definitions wait for the disk waits with it.
    pub(super) fn unless_known(
        &mut self,
        operation: &OperationId,
        asked: &Asked,
        reply: Deferral,
    ) -> Option<Deferral> {
        match self.known_operation(operation, asked) {
            Ok(None) => return Some(reply),
            Ok(Some(_)) => {
                let mut waiting = self.deferred.values_mut();
                match waiting.find(|deferred| deferred.operation == *operation) {
                    Some(deferred) => deferred.replies.push(reply),
                    None => self.answer_when_recorded(operation, reply),
                }
            }
            Err(error) => reply.refuse(error),
        }
        None
    }

    pub(super) fn answer(&self, operation: &OperationId, reply: Deferral) {
        let known = self.operations.get(operation);
        if let Some(error) = known.and_then(Operation::not_durable) {
            return reply.refuse(error);
        }
        match reply {
            Deferral::Operation(reply) => drop(reply.send(self.operation_view(operation))),
            Deferral::Applied(reply) => drop(reply.send(self.applied(operation))),
        }
    }

    fn applied(&self, operation: &OperationId) -> Result<Applied, ApiError> {
        let known = self.operations.get(operation);
        let results = known.map_or_else(Vec::new, |known| known.changes.clone());
        let operation = self.operation_view(operation)?;
        let left = self
            .members
            .keys()
            .any(|id| !operation.targets.iter().any(|t| t.id == *id));
        Ok(Applied {
            may_end: self.transient && !left && operation.verb == Work::Delete,
            results,
            operation,
        })
    }

    /// Records what changed, then begins; without a change it begins at once.
    pub(super) fn commit(
        &mut self,
        (operation, asked, durable): (OperationId, Asked, bool),
        plan: Plan,
        by: &str,
        reply: Deferral,
    ) {
        let awaits = !plan.changed.is_empty();
        let begun = Begun {
            operation: operation.clone(),
            asked,
            targets: plan
                .acts
                .into_iter()
                .map(|(id, verb)| (id, verb.into()))
                .collect(),
            changes: plan.changes,
            awaits,
            durable,
            rolling: false,
        };
        self.begin(begun, by);
        if !awaits {
            self.tell_targets(&operation, by, false);
            self.settle_operations();
            self.answer_when_recorded(&operation, reply);
            return;
        }
        for key in &plan.changed {
            if let Some(process) = self.processes.get_mut(key) {
                process.operation = Some(operation.clone());
            }
        }
        self.record_definitions(
            &plan.changed,
            Deferred {
                operation,
                by: by.to_owned(),
                replies: vec![reply],
                undo: plan.undo,
            },
        );
    }

    /// Whether a new definition has a place.
    fn may_define(&self, spec: &Spec, beside: &BTreeMap<ProcessKey, Spec>) -> Result<(), ApiError> {
        if let Some(there) = self.processes.get(&spec.key()) {
            return Err(taken(there));
        }
        self.may_be(spec, beside)
    }

    /// Whether a definition is possible in itself and beside the others, some of which are about to change.
    pub(super) fn may_be(
        &self,
        spec: &Spec,
        beside: &BTreeMap<ProcessKey, Spec>,
    ) -> Result<(), ApiError> {
        spec.validate()
            .map_err(|e| ApiError::new(Code::BadRequest, format!("{}: {e}", spec.name)))?;
        let others = self
            .processes
            .iter()
            .filter(|(key, _)| !beside.contains_key(*key))
            .map(|(_, p)| &*p.spec)
            .chain(beside.values());
        for other in others {
            if other.name == spec.name && other.namespace == spec.namespace {
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

    pub(super) fn add(&mut self, mut spec: Spec, plan: &mut Plan) {
        self.environments.share(&mut spec);
        let key = spec.key();
        let count = spec.instances;
        self.processes.insert(
            key.clone(),
            Process {
                spec: Arc::new(spec),
                generation: 1,
                operation: None,
                instances: Vec::new(),
            },
        );
        self.add_members(&key, 0..count, plan);
        plan.changes.push(change(&key, Action::Started));
        plan.undo.push(Undo::Forget(key.clone()));
        plan.changed.push(key);
    }

    pub(super) fn add_members(
        &mut self,
        key: &ProcessKey,
        indices: impl IntoIterator<Item = u32>,
        plan: &mut Plan,
    ) {
        for index in indices {
            self.last_id += 1;
            let id = InstanceId(self.last_id);
            let member = Member::new(id, key.clone(), index, self.now.ms);
            self.members.insert(id, Box::new(member));
            if let Some(process) = self.processes.get_mut(key) {
                process.instances.push((index, id));
                process.instances.sort_unstable();
            }
            plan.acts.push((id, Verb::Start));
            self.touch(id);
        }
    }

    pub(super) fn remove(&mut self, key: &ProcessKey, plan: &mut Plan) {
        if let Some(process) = self.processes.get(key) {
            let acts = process.instances.iter().map(|(_, id)| (*id, Verb::Delete));
            plan.acts.extend(acts);
            plan.changes.push(change(key, Action::Removed));
        }
    }

    pub(super) fn change(&mut self, mut spec: Spec, start: bool, plan: &mut Plan) {
        self.environments.share(&mut spec);
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
        self.scale_as_defined(&key, &before, plan);
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
                (Difference::Replace, false) => plan.acts.push((*id, Verb::Restart)),
                (_, true) if start => {
                    resumed = true;
                    plan.acts.push((*id, Verb::Start));
                }
                (_, false) if start && !member.machine.phase().has_run() => {
                    // Gave up, ended or waits: the file is brought up again; what ended well is left.
                    if member.machine.phase() != Phase::Exited {
                        resumed = true;
                        plan.acts.push((*id, Verb::Start));
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

    fn scale_as_defined(&mut self, key: &ProcessKey, before: &Process, plan: &mut Plan) {
        let wanted = self.processes.get(key).map_or(0, |p| p.spec.instances);
        let there: Vec<u32> = before.instances.iter().map(|(index, _)| *index).collect();
        let missing: Vec<u32> = (0..wanted).filter(|n| !there.contains(n)).collect();
        self.add_members(key, missing, plan);
        for (index, id) in &before.instances {
            if *index >= wanted {
                plan.acts.push((*id, Verb::Delete));
            }
            self.touch(*id);
        }
    }

    /// New limits of log files reach the scribe and the retention without touching a process.
    pub(super) fn renew_limits(&mut self, key: &ProcessKey) {
        let Some(process) = self.processes.get(key) else {
            return;
        };
        for (index, id) in &process.instances {
            let routes = routes(&process.spec, *index, &self.setting.logs);
            self.deeds.push(Deed::Limits { id: *id, routes });
        }
        self.renew_retention(key);
    }

    /// What is kept of archives reaches the retention.
    pub(super) fn renew_retention(&mut self, key: &ProcessKey) {
        let Some(process) = self.processes.get(key) else {
            return;
        };
        for (index, _) in &process.instances {
            for (_, route) in routes(&process.spec, *index, &self.setting.logs).each() {
                self.deeds.push(Deed::Retention {
                    route: route.clone(),
                    keep: Keep::of(&process.spec.logs),
                });
            }
        }
    }
}

impl Deferral {
    pub(super) fn refuse(self, error: ApiError) {
        match self {
            Self::Operation(reply) => drop(reply.send(Err(error))),
            Self::Applied(reply) => drop(reply.send(Err(error))),
        }
    }
}

pub(super) fn change(key: &ProcessKey, action: Action) -> Change {
    Change {
        name: key.to_string(),
        action,
        note: None,
    }
}
