//! What something would do: asked before it is asked for. And who may be asked for what: what is protected is not
//! ended by a request that does not know that it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::api::{ApiError, Code, PlanProcess, PlanQuery, PlanView};
use crate::domain::instance::Phase;
use crate::domain::intent::Intent;
use crate::domain::names::{InstanceId, ProcessKey};
use crate::domain::operation::Verb;
use crate::domain::plan::{Capacity, Copy, capacity};
use crate::domain::spec::Origin;

use super::member::Process;
use super::supervisor::Supervisor;
use super::undo::KEPT_MS;

/// A plan, and whose sockets have to be looked for.
#[derive(Debug)]
pub(crate) struct Planned {
    /// What is known at once.
    pub(crate) view: PlanView,
    /// The instances that would be ended, by the position of their process.
    pub(crate) ended: Vec<(usize, InstanceId)>,
}

impl Supervisor {
    /// What it would do.
    pub(super) fn plan(&self, query: &PlanQuery) -> Result<Planned, ApiError> {
        let ids: BTreeSet<InstanceId> = self.select(&query.select)?.into_iter().collect();
        let mut keys: BTreeMap<&ProcessKey, &Process> = BTreeMap::new();
        for id in &ids {
            if let Some(member) = self.members.get(id)
                && let Some(process) = self.processes.get(&member.key)
            {
                keys.insert(&member.key, process);
            }
        }
        if let Intent::Scale { .. } = query.what {
            for select in &query.select {
                self.whole_process(select)?;
            }
        }
        let mut ended = Vec::new();
        let mut processes = Vec::new();
        for (key, process) in &keys {
            let wanted = match query.what {
                Intent::Scale { to } => to
                    .of(process.spec.instances)
                    .map_err(|why| ApiError::new(Code::BadRequest, why))?,
                Intent::Do(_) | Intent::Roll { .. } | Intent::Send(_) => process.spec.instances,
            };
            let copies: Vec<Copy> = process
                .instances
                .iter()
                .map(|(_, id)| self.copy(*id, &ids))
                .collect();
            let most = process.spec.max_unavailable.get();
            let capacity = capacity(query.what, &copies, most, wanted);
            let gone = capacity
                .ends
                .iter()
                .filter_map(|n| process.instances.get(*n));
            let gone: Vec<InstanceId> = gone.map(|(_, id)| *id).collect();
            ended.extend(gone.iter().map(|id| (processes.len(), *id)));
            processes.push(self.plan_process(query.what, key, process, &capacity, &gone));
        }
        let protected = keys.iter().filter(|(_, process)| process.spec.protected);
        let names: Vec<String> = query.select.iter().map(ToString::to_string).collect();
        Ok(Planned {
            view: PlanView {
                work: query.what.work(),
                twin: query.what.twin(&names.join(" ")),
                undo_ms: can_be_undone(query.what).then_some(KEPT_MS),
                protected: protected.map(|(key, _)| key.to_string()).collect(),
                processes,
            },
            ended,
        })
    }

    fn copy(&self, id: InstanceId, chosen: &BTreeSet<InstanceId>) -> Copy {
        let member = self.members.get(&id);
        Copy {
            up: member.is_some_and(|m| m.machine.phase() == Phase::Running),
            chosen: chosen.contains(&id),
        }
    }

    fn plan_process(
        &self,
        what: Intent,
        key: &ProcessKey,
        process: &Process,
        it: &Capacity,
        gone: &[InstanceId],
    ) -> PlanProcess {
        let spec = &process.spec;
        let (signal, grace) = match what {
            Intent::Do(Verb::Kill) => (Some(crate::domain::exit::Signal::KILL), None),
            Intent::Send(sending) => (Some(sending.signal), None),
            Intent::Do(_) | Intent::Roll { .. } | Intent::Scale { .. } => {
                (Some(spec.stop.signal), Some(spec.stop.timeout))
            }
        };
        let any = !gone.is_empty() || matches!(what, Intent::Send(_));
        let milliseconds =
            |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        PlanProcess {
            name: key.to_string(),
            of: spec.instances,
            up: it.up,
            least: it.least,
            after: it.after,
            after_of: it.after_of,
            ends: gone.iter().map(|id| self.label(*id)).collect(),
            signal: signal.filter(|_| any),
            grace_ms: grace.filter(|_| any).map(milliseconds),
            file: match &spec.origin {
                Origin::File(file) => Some(PathBuf::clone(file)),
                Origin::Typed => None,
            },
            ports: None,
            connections: None,
        }
    }

    /// Refuses what would hit a protected process, unless it says that it knows.
    pub(super) fn spare_protected(
        &self,
        forced: bool,
        hit: impl IntoIterator<Item = InstanceId>,
    ) -> Result<(), ApiError> {
        if forced {
            return Ok(());
        }
        let mut keys = BTreeSet::new();
        for id in hit {
            if let Some(member) = self.members.get(&id)
                && self
                    .processes
                    .get(&member.key)
                    .is_some_and(|p| p.spec.protected)
            {
                keys.insert(member.key.to_string());
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let is = if keys.len() == 1 { "is" } else { "are" };
        let names: Vec<String> = keys.into_iter().collect();
        let text = format!("{} {is} protected", names.join(", "));
        Err(ApiError::new(Code::Protected, text)
            .hint("`--force-protected` does it all the same; nothing was changed"))
    }

    /// The same for verbs on instances; starting hits nobody.
    pub(super) fn spare(
        &self,
        forced: bool,
        acts: impl IntoIterator<Item = (InstanceId, Verb)>,
    ) -> Result<(), ApiError> {
        let hit = acts.into_iter().filter(|(_, verb)| *verb != Verb::Start);
        self.spare_protected(forced, hit.map(|(id, _)| id))
    }
}

/// Whether there is a way back afterwards.
fn can_be_undone(what: Intent) -> bool {
    match what {
        Intent::Do(Verb::Stop | Verb::Kill | Verb::Delete) | Intent::Scale { .. } => true,
        Intent::Do(Verb::Start | Verb::Restart) | Intent::Roll { .. } | Intent::Send(_) => false,
    }
}
