//! A rolling restart as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::gate::{Figure, Side, Verdict, WINDOW_MS};
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

/// New instances against old, of the rolling restart of one process: an entry of `GET /api/operations/ID/gate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateView {
    /// The process, with its namespace when that is not the default one.
    pub process: String,
    /// Over how much time it is compared, milliseconds.
    pub window_ms: u64,
    /// Those on their old run.
    pub old: Side,
    /// Those on their new run.
    pub new: Side,
    /// What the differences mean, where there are some that count.
    pub verdicts: BTreeMap<Figure, Verdict>,
}

impl GateView {
    /// Both sides, and what their differences mean.
    pub(crate) fn of(process: String, old: Side, new: Side) -> Self {
        let said = |it: Figure| Some((it, it.verdict(&old, &new)?));
        Self {
            process,
            window_ms: WINDOW_MS,
            verdicts: Figure::ALL.into_iter().filter_map(said).collect(),
            old,
            new,
        }
    }
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
