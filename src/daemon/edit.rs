//! Definitions that are edited by hand: read whole, and written only over the version that was read. And single values
//! of their environments, on request.

use std::collections::BTreeMap;

use crate::api::{ApiError, Applied, Code, Definition, Edit, MASK, Reveal, Revealed};
use crate::domain::names::ProcessKey;
use crate::domain::operation::Work;
use crate::domain::selector::Selector;
use crate::domain::spec::{Difference, Spec};

use super::activity::Did;
use super::apply::Plan;
use super::ledger::{Asked, Form};
use super::message::Reply;
use super::supervisor::{Deferral, Supervisor};

impl Supervisor {
    /// The whole definition, without what may be secret.
    pub(super) fn definition(&self, select: &Selector) -> Result<Definition, ApiError> {
        let key = self.whole_process(select)?;
        let process = self.processes.get(&key).ok_or_else(|| gone(&key))?;
        let mut spec = (*process.spec).clone();
        spec.base_env = std::sync::Arc::default();
        for value in spec.env.values_mut() {
            MASK.clone_into(value);
        }
        Ok(Definition {
            generation: process.generation,
            spec,
        })
    }

    /// One value of an environment. That it was told is told before it is.
    pub(super) fn reveal(&mut self, wish: &Reveal) -> Result<Revealed, ApiError> {
        let ids = self.select(std::slice::from_ref(&wish.select))?;
        let mut keys: Vec<&ProcessKey> = ids
            .iter()
            .filter_map(|id| self.members.get(id))
            .map(|member| &member.key)
            .collect();
        keys.dedup();
        let [key] = keys[..] else {
            let text = format!("{} is more than one process", wish.select);
            return Err(ApiError::new(Code::BadRequest, text).hint("name one of them"));
        };
        let process = self.processes.get(key).ok_or_else(|| gone(key))?;
        let own = process.spec.env.get(&wish.key);
        let Some(value) = own.or_else(|| process.spec.base_env.get(&wish.key)) else {
            let text = format!("{key} defines no variable {}", wish.key);
            let nearest = nearest(&wish.key, process.spec.env.keys());
            let error = ApiError::new(Code::NotFound, text);
            return Err(match nearest {
                Some(name) => error.hint(format!("did you mean {name}?")),
                None => error,
            });
        };
        let revealed = Revealed {
            key: wish.key.clone(),
            value: value.clone(),
        };
        self.did(Did::plain(&format!("reveal {} of", wish.key), ids));
        Ok(revealed)
    }

    /// Brings an edited definition in force.
    pub(super) fn edit(&mut self, wish: Edit, by: &str, reply: Reply<Applied>) {
        let asked = Asked::new(Work::Edit, Form::Edit, &wish);
        let reply = Deferral::Applied(reply);
        let Some(reply) = self.unless_known(&wish.operation, &asked, reply) else {
            return;
        };
        let request = (wish.operation.clone(), asked, wish.durable);
        match self.edited(wish) {
            Ok(spec) => {
                let mut plan = Plan::default();
                self.change(spec, false, &mut plan);
                self.remember_plan(&plan, Work::Edit, &request.0, by);
                self.commit(request, plan, by, reply);
            }
            Err(error) => reply.refuse(error),
        }
    }

    /// The definition as it is to be, if it may be so.
    fn edited(&self, wish: Edit) -> Result<Spec, ApiError> {
        let key = self.whole_process(&wish.select)?;
        let process = self.processes.get(&key).ok_or_else(|| gone(&key))?;
        if process.generation != wish.only_generation {
            let text = format!(
                "stale target: the definition of {key} is another since you looked (version {} now, {} then{})",
                process.generation,
                wish.only_generation,
                self.last_change_of(&key)
            );
            return Err(ApiError::new(Code::StaleTarget, text).hint("look at it again"));
        }
        let mut spec = wish.spec;
        if spec.key() != key {
            let text = format!("{key} cannot become {}: a name stays", spec.key());
            return Err(
                ApiError::new(Code::BadRequest, text).hint("delete it and define the other one")
            );
        }
        spec.base_env.clone_from(&process.spec.base_env);
        spec.origin.clone_from(&process.spec.origin);
        for (name, value) in &mut spec.env {
            if value == MASK {
                // Where it came from does not change by being left alone.
                if let Some(before) = process.spec.marks.get(name)
                    && before.template
                {
                    spec.marks.entry(name.clone()).or_default().template = true;
                }
                let before = process.spec.env.get(name).ok_or_else(|| {
                    let text = format!("{name} has no value yet that could stay as it is");
                    ApiError::new(Code::BadRequest, text)
                })?;
                value.clone_from(before);
            }
        }
        self.may_be(&spec, &BTreeMap::new())?;
        let ends = process.spec.difference(&spec) == Difference::Replace
            || spec.instances < process.spec.instances;
        if ends {
            let all = process.instances.iter().map(|(_, id)| *id);
            self.spare_protected(wish.force_protected, all)?;
        }
        Ok(spec)
    }
}

/// The name that is most like a word.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    names
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

fn gone(key: &ProcessKey) -> ApiError {
    ApiError::new(Code::NotFound, format!("there is no {key}"))
}
