//! Who did what.

use std::collections::BTreeMap;

use crate::domain::event::What;
use crate::domain::names::{InstanceId, OperationId};
use crate::domain::operation::Progress;

use super::supervisor::Supervisor;

/// So many names are told; of the others only how many there are.
const NAMES: usize = 5;

/// What somebody did.
pub(super) struct Did {
    pub(super) what: String,
    pub(super) targets: Vec<InstanceId>,
    pub(super) operation: Option<OperationId>,
    /// The processes whose definitions are others by it.
    pub(super) changed: Vec<String>,
}

impl Did {
    /// What is no operation, and changes no definition.
    pub(super) fn plain(what: &str, targets: Vec<InstanceId>) -> Self {
        Self {
            what: what.to_owned(),
            targets,
            operation: None,
            changed: Vec::new(),
        }
    }
}

impl Supervisor {
    /// Tells that a daemon has taken over: this one.
    pub(super) fn daemon_began(&mut self) {
        let what = What::Began {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            epoch: self.setting.epoch,
        };
        self.tell(None, what);
    }

    /// Tells who did it: whoever's request is being carried out.
    pub(super) fn did(&mut self, it: Did) {
        let Some(who) = self.client.clone() else {
            return;
        };
        // A definition is more than the instances that come or go with it.
        let mut on = if it.changed.is_empty() {
            self.names_of(&it.targets)
        } else {
            it.changed.clone()
        };
        let more = on.len().saturating_sub(NAMES);
        on.truncate(NAMES);
        let what = What::Did {
            who,
            what: it.what,
            on,
            more: u32::try_from(more).unwrap_or(u32::MAX),
            operation: it.operation,
            changed: it.changed,
        };
        self.tell(None, what);
    }

    /// Processes, where all of their instances are meant, else instances.
    pub(super) fn names_of(&self, targets: &[InstanceId]) -> Vec<String> {
        let mut by_process = BTreeMap::new();
        for id in targets {
            if let Some(member) = self.members.get(id) {
                let ids: &mut Vec<InstanceId> = by_process.entry(&member.key).or_default();
                ids.push(*id);
            }
        }
        let mut names = Vec::new();
        for (key, ids) in by_process {
            let all = self.processes.get(key).map_or(0, |p| p.instances.len());
            match ids.len() {
                1 => names.extend(ids.iter().map(|id| self.label(*id))),
                count if count == all => names.push(key.to_string()),
                _ => names.extend(ids.iter().map(|id| self.label(*id))),
            }
        }
        names
    }

    /// Tells what became of an operation.
    pub(super) fn tell_outcome(&mut self, id: &OperationId) {
        let Some(operation) = self.operations.get(id).filter(|it| it.asked.is_some()) else {
            return;
        };
        let mut failed = 0;
        let mut why = None;
        for target in &operation.targets {
            match &target.progress {
                Progress::Failed { reason } | Progress::Left { reason } => {
                    failed += 1;
                    why.get_or_insert_with(|| reason.clone());
                }
                Progress::Pending | Progress::Done | Progress::Already => {}
            }
        }
        let all = u32::try_from(operation.targets.len()).unwrap_or(u32::MAX);
        let what = What::Done {
            operation: id.clone(),
            ok: all - failed,
            failed,
            why,
            took_ms: operation.took_ns(self.now.ns) / 1_000_000,
        };
        self.tell(None, what);
    }
}
