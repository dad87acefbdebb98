//! A rolling restart as it is shown.

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;
use crate::domain::rollout::{Place, Whole};

/// One instance of a rolling restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceView {
    /// Which.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// The pid that it had at the beginning.
    pub old_pid: Option<i32>,
    /// The pid of its new run, while that lives.
    pub new_pid: Option<i32>,
    /// Milliseconds until the next step: `SIGKILL` for the old run, or stable for the new one.
    pub due_in_ms: Option<u64>,
}

/// The rolling restart of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutView {
    /// The process, with its namespace when that is not the default one.
    pub process: String,
    /// Where it stands.
    pub state: Whole,
    /// Whether nothing more will come.
    pub over: bool,
    /// What failed, when it halted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who asked for it.
    pub by: String,
    /// When, milliseconds since 1970.
    pub begun_ms: u64,
    /// How many instances may be down at once because of it.
    pub max_unavailable: u32,
    /// How long a new run has to last before the next batch, milliseconds.
    pub stable_ms: u64,
    /// Its instances, in their order.
    pub places: Vec<PlaceView>,
}

impl RolloutView {
    /// How many instances stand so.
    #[must_use]
    pub fn count(&self, is: impl Fn(Place) -> bool) -> usize {
        self.places.iter().filter(|p| is(p.place)).count()
    }

    /// How many instances it is about: those that were not left alone.
    #[must_use]
    pub fn size(&self) -> usize {
        self.count(|place| place != Place::Left)
    }
}
