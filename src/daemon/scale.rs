//! Other numbers of instances: the lowest numbers stay, and free numbers are taken again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{Action, ApiError, Applied, Code, Scale};
use crate::domain::instance::Goal;
use crate::domain::names::ProcessKey;
use crate::domain::operation::{Verb, Work};
use crate::domain::selector::Selector;
use crate::domain::spec::Origin;

use super::apply::{Plan, change};
use super::ledger::{Asked, Form};
use super::message::Reply;
use super::supervisor::{Deferral, Supervisor, Undo};
use super::undo::{Step, is_up};

impl Supervisor {
    /// Gives a process another number of instances.
    pub(super) fn scale(&mut self, wish: Scale, by: &str, reply: Reply<Applied>) {
        let asked = Asked::new(Work::Scale, Form::Scale, &wish);
        let reply = Deferral::Applied(reply);
        let Some(reply) = self.unless_known(&wish.operation, &asked, reply) else {
            return;
        };
        match self.plan_scale(&wish) {
            Ok((plan, step)) => {
                let steps = step.into_iter().collect();
                self.keep_undoable(Work::Scale, steps, &wish.operation, by);
                self.commit((wish.operation, asked, wish.durable), plan, by, reply);
            }
            Err(error) => reply.refuse(error),
        }
    }

    /// The process that a word selects as a whole.
    pub(super) fn whole_process(&self, select: &Selector) -> Result<ProcessKey, ApiError> {
        let ids = self.select(std::slice::from_ref(select))?;
        let keys: BTreeSet<&ProcessKey> = ids
            .iter()
            .filter_map(|id| self.members.get(id).map(|m| &m.key))
            .collect();
        let mut keys = keys.into_iter();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            let text = format!("{select} selects more than one process, or none");
            return Err(ApiError::new(Code::BadRequest, text).hint("name one process"));
        };
        let Some(process) = self.processes.get(key) else {
            return Err(ApiError::new(Code::NotFound, format!("there is no {key}")));
        };
        if process.is_orphan() {
            let text = format!("nothing defines {key} any more");
            return Err(ApiError::new(Code::Refused, text).hint("it can be stopped or deleted"));
        }
        if process.instances.iter().any(|(_, id)| !ids.contains(id)) {
            let text = format!("{select} is not all of {key}");
            return Err(ApiError::new(Code::BadRequest, text)
                .hint(format!("a definition has all instances: name {key}")));
        }
        Ok(key.clone())
    }

    fn plan_scale(&mut self, wish: &Scale) -> Result<(Plan, Option<Step>), ApiError> {
        let key = self.whole_process(&wish.select)?;
        let Some(before) = self.processes.get(&key).cloned() else {
            return Err(ApiError::new(Code::NotFound, format!("there is no {key}")));
        };
        let now = before.spec.instances;
        if wish.only_from.is_some_and(|from| from != now) {
            let text = format!("stale target: {key} has {now} instances by now");
            return Err(ApiError::new(Code::StaleTarget, text));
        }
        let wanted = wish.to.of(now).map_err(|why| {
            ApiError::new(Code::BadRequest, why).hint(format!(
                "`adasa stop {key}` ends all and keeps the definition"
            ))
        })?;
        let leaving = before.instances.iter().find(|(_, id)| {
            let member = self.members.get(id);
            member.is_some_and(|m| m.machine.phase().goal() == Goal::Removed)
        });
        if let Some((_, id)) = leaving {
            let text = format!("{} is still being ended", self.label(*id));
            return Err(ApiError::new(Code::Refused, text).hint("try again when it is gone"));
        }
        let mut spec = (*before.spec).clone();
        spec.instances = wanted;
        self.may_be(&spec, &BTreeMap::new())?;
        let mut copies: BTreeSet<u32> = before.instances.iter().map(|(index, _)| *index).collect();
        let count = |copies: &BTreeSet<u32>| u32::try_from(copies.len()).unwrap_or(u32::MAX);
        while count(&copies) > wanted {
            copies.pop_last();
        }
        let mut free = 0..;
        while count(&copies) < wanted {
            copies.extend(free.next());
        }
        let gone = before
            .instances
            .iter()
            .filter(|(index, _)| !copies.contains(index));
        self.spare_protected(wish.force_protected, gone.map(|(_, id)| *id))?;
        let mut plan = Plan::default();
        self.resize(&key, &copies, &mut plan);
        if plan.changed.is_empty() {
            let mut same = change(&key, Action::Unchanged);
            same.note = Some(format!("has {now} already"));
            plan.changes.push(same);
            return Ok((plan, None));
        }
        let mut scaled = change(&key, Action::Scaled);
        scaled.note = Some(match &spec.origin {
            Origin::Typed => format!("from {now} to {wanted}"),
            Origin::File(file) => format!(
                "from {now} to {wanted}, until {} is brought in force again",
                file.display()
            ),
        });
        plan.changes.push(scaled);
        let up = before.instances.iter().filter(|(_, id)| {
            let member = self.members.get(id);
            member.is_some_and(|m| is_up(m.machine.phase()))
        });
        let step = Step::Scale {
            up: up.map(|(index, _)| *index).collect(),
            copies: before.instances.iter().map(|(index, _)| *index).collect(),
            generation: before.generation + 1,
            key,
        };
        Ok((plan, Some(step)))
    }

    /// Has a process have these copies and no others.
    pub(super) fn resize(&mut self, key: &ProcessKey, copies: &BTreeSet<u32>, plan: &mut Plan) {
        let Some(process) = self.processes.get_mut(key) else {
            return;
        };
        let before = process.clone();
        let there: BTreeSet<u32> = before.instances.iter().map(|(index, _)| *index).collect();
        let count = u32::try_from(copies.len()).unwrap_or(u32::MAX);
        if there == *copies && before.spec.instances == count {
            return;
        }
        process.generation += 1;
        Arc::make_mut(&mut process.spec).instances = count;
        self.add_members(key, copies.difference(&there).copied(), plan);
        // The highest numbers first.
        for (index, id) in before.instances.iter().rev() {
            if !copies.contains(index) {
                plan.acts.push((*id, Verb::Delete));
            }
            self.touch(*id);
        }
        plan.changed.push(key.clone());
        plan.undo.push(Undo::Restore(key.clone(), Box::new(before)));
    }
}
