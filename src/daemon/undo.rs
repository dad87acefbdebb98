//! Taking back: what an operation has changed is kept for ten minutes, with the journal of the state folder, so that
//! another client and another daemon can take it back too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Code, OperationView, Undo as Wish, UndoView};
use crate::domain::event::What;
use crate::domain::instance::{Goal, Phase};
use crate::domain::names::{InstanceId, OperationId, ProcessKey, RunId};
use crate::domain::operation::{Verb, Work};
use crate::domain::spec::Spec;

use super::apply::Plan;
use super::ledger::{Asked, Form};
use super::message::{Deed, Reply};
use super::store::{Record, Rest};
use super::supervisor::{Deferral, Supervisor, Undo};

/// How long something can be taken back, milliseconds.
pub(super) const KEPT_MS: u64 = 600_000;
/// How many are kept; the oldest goes first.
const KEPT: usize = 50;

/// What an operation has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Undoable {
    /// The operation.
    pub(super) operation: OperationId,
    /// Milliseconds since 1970.
    at_ms: u64,
    verb: Work,
    by: String,
    steps: Vec<Step>,
}

/// How one part of it is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// It was up.
    Start {
        id: InstanceId,
        name: String,
        /// The run that was ended.
        run: RunId,
    },
    /// It was defined, and these copies were wanted up.
    Define { spec: Arc<Spec>, up: Vec<u32> },
    /// It was defined so.
    Restore {
        spec: Arc<Spec>,
        /// The version that the operation left.
        generation: u64,
    },
    /// It had these copies, and these of them were wanted up.
    Scale {
        key: ProcessKey,
        /// The version that the operation left.
        generation: u64,
        copies: Vec<u32>,
        up: Vec<u32>,
    },
    /// It was not defined.
    Remove { key: ProcessKey, generation: u64 },
}

impl Step {
    fn name(&self) -> String {
        match self {
            Self::Start { name, .. } => name.clone(),
            Self::Define { spec, .. } | Self::Restore { spec, .. } => spec.key().to_string(),
            Self::Scale { key, .. } | Self::Remove { key, .. } => key.to_string(),
        }
    }

    fn what(&self) -> String {
        let name = self.name();
        match self {
            Self::Start { .. } => format!("start {name}"),
            Self::Define { .. } => format!("define {name} again"),
            Self::Restore { .. } => format!("bring back the definition of {name}"),
            Self::Scale { copies, .. } => format!("scale {name} back to {}", copies.len()),
            Self::Remove { .. } => format!("delete {name}"),
        }
    }
}

impl Supervisor {
    /// Remembers how what is about to be done to these is taken back.
    pub(super) fn remember_act(
        &mut self,
        verb: Verb,
        ids: &[InstanceId],
        operation: &OperationId,
        by: &str,
    ) {
        let steps = match verb {
            Verb::Stop | Verb::Kill => self.starts(ids),
            Verb::Delete => self.definitions(ids),
            Verb::Start | Verb::Restart => return,
        };
        self.keep_undoable(verb.into(), steps, operation, by);
    }

    fn starts(&self, ids: &[InstanceId]) -> Vec<Step> {
        let up = ids.iter().filter_map(|id| {
            let member = self.members.get(id)?;
            is_up(member.machine.phase()).then(|| Step::Start {
                id: *id,
                name: self.label(*id),
                run: member.machine.run(),
            })
        });
        up.collect()
    }

    fn definitions(&self, ids: &[InstanceId]) -> Vec<Step> {
        let mut gone: BTreeMap<&ProcessKey, BTreeSet<InstanceId>> = BTreeMap::new();
        for id in ids {
            if let Some(member) = self.members.get(id) {
                gone.entry(&member.key).or_default().insert(*id);
            }
        }
        let step = |(key, gone): (&ProcessKey, BTreeSet<InstanceId>)| {
            let process = self.processes.get(key)?;
            let spec = Arc::clone(&process.spec);
            if process.instances.iter().any(|(_, id)| !gone.contains(id)) {
                let generation = process.generation;
                return Some(Step::Restore { spec, generation });
            }
            let wanted = |id| {
                let member = self.members.get(id);
                member.is_some_and(|m| is_up(m.machine.phase()))
            };
            let up = process.instances.iter().filter(|(_, id)| wanted(id));
            let up = up.map(|(index, _)| *index).collect();
            Some(Step::Define { spec, up })
        };
        gone.into_iter().filter_map(step).collect()
    }

    /// Remembers how a file that is about to come into force is taken back; its new definitions are there already.
    pub(super) fn remember_plan(
        &mut self,
        plan: &Plan,
        work: Work,
        operation: &OperationId,
        by: &str,
    ) {
        let now = |key: &ProcessKey| self.processes.get(key).map_or(1, |p| p.generation);
        let mut steps: Vec<Step> = Vec::new();
        for undo in &plan.undo {
            steps.push(match undo {
                Undo::Forget(key) => Step::Remove {
                    key: key.clone(),
                    generation: now(key),
                },
                Undo::Restore(key, before) => Step::Restore {
                    spec: Arc::clone(&before.spec),
                    generation: now(key),
                },
            });
        }
        let known: BTreeSet<String> = steps.iter().map(Step::name).collect();
        let removed = plan.acts.iter().filter(|(_, h)| *h == Verb::Delete);
        let removed: Vec<InstanceId> = removed.map(|(id, _)| *id).collect();
        let gone = self.definitions(&removed).into_iter();
        steps.extend(gone.filter(|step| !known.contains(&step.name())));
        self.keep_undoable(work, steps, operation, by);
    }

    pub(super) fn keep_undoable(
        &mut self,
        verb: Work,
        steps: Vec<Step>,
        operation: &OperationId,
        by: &str,
    ) {
        if steps.is_empty() || self.undo.iter().any(|u| u.operation == *operation) {
            return;
        }
        let undoable = Undoable {
            operation: operation.clone(),
            at_ms: self.now.ms,
            verb,
            by: by.to_owned(),
            steps,
        };
        keep(&mut self.undo, undoable.clone());
        let record = Record::Undoable(Box::new(undoable));
        self.deeds.push(Deed::Store {
            record,
            ticket: None,
            durable: false,
        });
    }

    /// Who changed a definition last, in words; nothing when that is too long ago.
    pub(super) fn last_change_of(&self, key: &ProcessKey) -> String {
        let name = key.to_string();
        let of_it = |u: &&Undoable| u.steps.iter().any(|step| step.name() == name);
        let last = self.kept().rev().find(of_it);
        last.map_or_else(String::new, |u| format!(": {} by {}", u.verb.word(), u.by))
    }

    fn kept(&self) -> impl DoubleEndedIterator<Item = &Undoable> {
        let now = self.now.ms;
        self.undo
            .iter()
            .filter(move |undoable| now < undoable.at_ms.saturating_add(KEPT_MS))
    }

    /// What can be taken back, the newest first.
    pub(super) fn undo_views(&self) -> Vec<UndoView> {
        let view = |undoable: &Undoable| UndoView {
            operation: undoable.operation.clone(),
            verb: undoable.verb,
            by: undoable.by.clone(),
            at_ms: undoable.at_ms,
            until_ms: undoable.at_ms.saturating_add(KEPT_MS),
            steps: undoable.steps.iter().map(Step::what).collect(),
            refused: undoable.steps.iter().find_map(|step| self.moved_on(step)),
        };
        self.kept().rev().map(view).collect()
    }

    /// Takes an operation back, or the newest that is kept.
    pub(super) fn take_back_operation(
        &mut self,
        wish: Wish,
        by: &str,
        reply: Reply<OperationView>,
    ) {
        let asked = Asked::new(Verb::Start, Form::Undo, &wish);
        let reply = Deferral::Operation(reply);
        let Some(reply) = self.unless_known(&wish.operation, &asked, reply) else {
            return;
        };
        match self.plan_undo(&wish, by) {
            Ok((of, plan)) => {
                let durable = wish.durable;
                self.commit((wish.operation, asked, durable), *plan, by, reply);
                // After the records of what it brings back: a daemon that dies in between can be asked again.
                self.undo.retain(|kept| kept.operation != of);
                self.deeds.push(Deed::Store {
                    record: Record::Undone(of),
                    ticket: None,
                    durable: false,
                });
            }
            Err(error) => reply.refuse(error),
        }
    }

    fn plan_undo(&mut self, asked: &Wish, by: &str) -> Result<(OperationId, Box<Plan>), ApiError> {
        let found = match &asked.undo {
            Some(id) => self.kept().find(|undoable| undoable.operation == *id),
            None => self.kept().next_back(),
        };
        let Some(undoable) = found.cloned() else {
            let text = match &asked.undo {
                Some(id) => format!(
                    "operation {id} cannot be taken back: it is too long ago, was taken back, or changed nothing that can be"
                ),
                None => "there is nothing to take back: no stop, delete or change of a definition in the last ten minutes".into(),
            };
            return Err(ApiError::new(Code::NotFound, text)
                .hint("`adasa undo --list` shows what can be taken back"));
        };
        let (word, author) = (undoable.verb.word(), &undoable.by);
        if let Some(why) = undoable.steps.iter().find_map(|step| self.moved_on(step)) {
            let text = format!("the {word} by {author} cannot be taken back: {why}");
            return Err(ApiError::new(Code::Refused, text)
                .hint("`adasa undo --list` shows what can be taken back"));
        }
        let of = undoable.operation;
        let text = format!("the {word} by {author} (operation {of}) is taken back by {by}");
        self.tell(None, What::Note { text });
        let mut plan = Box::new(Plan::default());
        for step in undoable.steps {
            self.plan_step(step, &mut plan);
        }
        Ok((of, plan))
    }

    /// Why a step is not possible any more.
    fn moved_on(&self, step: &Step) -> Option<String> {
        let name = step.name();
        match step {
            Step::Start { id, run, .. } => match self.members.get(id) {
                None => Some(format!("{name} was deleted since")),
                Some(member) if member.machine.run() != *run || is_up(member.machine.phase()) => {
                    Some(format!("{name} was started again since"))
                }
                Some(_) => None,
            },
            Step::Define { spec, .. } => {
                let there = self.processes.get(&spec.key())?;
                let going = there.instances.iter().all(|(_, id)| {
                    let member = self.members.get(id);
                    member.is_some_and(|m| m.machine.phase().goal() == Goal::Removed)
                });
                Some(if going {
                    format!("{name} is still being deleted")
                } else {
                    format!("the name {name} was taken since")
                })
            }
            Step::Restore { spec, generation } => self.changed(&spec.key(), *generation),
            Step::Scale {
                key, generation, ..
            }
            | Step::Remove { key, generation } => self.changed(key, *generation),
        }
    }

    fn changed(&self, key: &ProcessKey, generation: u64) -> Option<String> {
        match self.processes.get(key) {
            None => Some(format!("{key} was deleted since")),
            Some(process) if process.generation != generation => {
                Some(format!("the definition of {key} was changed since"))
            }
            Some(_) => None,
        }
    }

    /// New copies that were down before.
    fn leave_down(&mut self, down: Vec<InstanceId>, plan: &mut Plan) {
        plan.acts
            .retain(|(id, verb)| *verb != Verb::Start || !down.contains(id));
        for id in down {
            if let Some(member) = self.members.get_mut(&id) {
                // One that never had a run reserved would be taken for one that is yet to be started.
                member.reserved = member.reserved.max(1);
            }
        }
    }

    fn plan_step(&mut self, step: Step, plan: &mut Plan) {
        match step {
            Step::Start { id, .. } => plan.acts.push((id, Verb::Start)),
            Step::Define { spec, up } => {
                let key = spec.key();
                self.add(Arc::unwrap_or_clone(spec), plan);
                let process = self.processes.get(&key);
                let all = process.into_iter().flat_map(|process| &process.instances);
                let down = all.filter(|(index, _)| !up.contains(index));
                let down = down.map(|(_, id)| *id).collect();
                self.leave_down(down, plan);
            }
            Step::Restore { spec, .. } => self.change(Arc::unwrap_or_clone(spec), false, plan),
            Step::Scale {
                key, copies, up, ..
            } => {
                self.resize(&key, &copies.into_iter().collect(), plan);
                let process = self.processes.get(&key);
                let all = process.into_iter().flat_map(|process| &process.instances);
                let down = all.filter(|(index, _)| !up.contains(index));
                let down = down.map(|(_, id)| *id).collect();
                self.leave_down(down, plan);
            }
            Step::Remove { key, .. } => self.remove(&key, plan),
        }
    }
}

/// Whether it is wanted up and was not given up.
pub(super) fn is_up(phase: Phase) -> bool {
    Rest::from(phase) == Rest::Up
}

/// Keeps one more, and no more than the newest.
pub(super) fn keep(all: &mut Vec<Undoable>, undoable: Undoable) {
    let horizon = undoable.at_ms.saturating_sub(KEPT_MS);
    all.retain(|kept| kept.at_ms >= horizon && kept.operation != undoable.operation);
    all.push(undoable);
    let excess = all.len().saturating_sub(KEPT);
    all.drain(..excess);
}
