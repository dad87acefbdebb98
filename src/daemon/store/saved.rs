//! What is kept of definitions and goals, and how each change of them is recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::exit::Exit;
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::domain::spec::Spec;

use super::rest::Rest;
use crate::daemon::undo::Undoable;

/// What is kept of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::daemon) struct SavedInstance {
    /// Its number.
    pub id: InstanceId,
    /// Which copy.
    pub index: u32,
    /// Where it rests.
    pub rest: Rest,
    /// No run above this one has been used.
    pub run_ceiling: u64,
    /// How often it was started again.
    pub restarts: u32,
    /// How its last run ended.
    #[serde(default)]
    pub exit: Option<Exit>,
}

/// What is kept of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::daemon) struct SavedProcess {
    /// Its definition, the same as the supervisor has.
    pub spec: Arc<Spec>,
    /// Its version.
    pub generation: u64,
    /// Its instances.
    pub instances: Vec<SavedInstance>,
    /// The operation that made it what it is.
    #[serde(default)]
    pub operation: Option<OperationId>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::daemon) enum Record {
    /// A daemon began: records of an older epoch behind this one are void.
    Epoch {
        /// The version of what follows.
        schema: u32,
    },
    /// New or changed definitions: all of one request or none.
    Definitions {
        /// Whole.
        processes: Vec<SavedProcess>,
    },
    /// A definition is gone.
    Removed {
        /// Which.
        key: ProcessKey,
    },
    /// One of several instances is gone: of which process, which, and how many it has now.
    Gone(ProcessKey, InstanceId, u32),
    /// An instance rests elsewhere.
    Instance {
        /// Whole.
        saved: SavedInstance,
    },
    /// How an operation is taken back.
    Undoable(Box<Undoable>),
    /// An operation was taken back.
    Undone(OperationId),
}

/// All that is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::daemon) struct Saved {
    /// By namespace and name.
    pub processes: BTreeMap<ProcessKey, SavedProcess>,
    /// No instance id above this one has been given.
    pub last_id: u32,
    /// Instances whose definition is recorded and whose start is not: the daemon died in between.
    pub unbegun: BTreeMap<InstanceId, OperationId>,
    /// What can be taken back, oldest first.
    pub undo: Vec<Undoable>,
    /// The last record that is part of this.
    pub(in crate::daemon) through: u64,
    /// What was wrong with the files.
    pub troubles: Vec<String>,
    /// Whether there were any.
    pub anything: bool,
    /// The boot in which they were written last, as far as they say so.
    pub boot: String,
}

impl Saved {
    pub(in crate::daemon) fn apply(&mut self, record: Record) {
        match record {
            Record::Epoch { .. } => {}
            Record::Undoable(undoable) => crate::daemon::undo::keep(&mut self.undo, *undoable),
            Record::Undone(of) => self.undo.retain(|kept| kept.operation != of),
            Record::Definitions { processes } => {
                for process in processes {
                    let ids = process.instances.iter().map(|i| i.id.0);
                    self.last_id = ids.fold(self.last_id, u32::max);
                    let known = self.processes.get(&process.spec.key());
                    let known = |id| known.is_some_and(|p| p.instances.iter().any(|i| i.id == id));
                    if let Some(operation) = &process.operation {
                        let new = process.instances.iter();
                        let new = new.filter(|i| i.run_ceiling == 0 && !known(i.id));
                        self.unbegun.extend(new.map(|i| (i.id, operation.clone())));
                    }
                    self.processes.insert(process.spec.key(), process);
                }
            }
            Record::Removed { key } => {
                if let Some(gone) = self.processes.remove(&key) {
                    self.unbegun
                        .retain(|id, _| gone.instances.iter().all(|i| i.id != *id));
                }
            }
            Record::Gone(key, id, left) => {
                self.unbegun.remove(&id);
                if let Some(process) = self.processes.get_mut(&key) {
                    process.instances.retain(|instance| instance.id != id);
                    Arc::make_mut(&mut process.spec).instances = left;
                }
            }
            Record::Instance { saved } => {
                self.unbegun.remove(&saved.id);
                for process in self.processes.values_mut() {
                    for instance in &mut process.instances {
                        if instance.id == saved.id {
                            *instance = saved.clone();
                        }
                    }
                }
            }
        }
    }
}
