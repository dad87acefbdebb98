//! What was: the runs of an instance.

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;
use crate::domain::run::Run;

use super::view::ExitView;

/// What is known of the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It has not ended.
    Running,
    /// It has.
    Ended,
    /// It is over, and nobody saw how: everything that could have seen it went down with it.
    Unseen,
}

/// One run: an entry of `GET /api/processes/{select}/runs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// What is remembered of it.
    #[serde(flatten)]
    pub run: Run,
    /// Whether its end is known.
    pub state: RunState,
    /// Its end in code, signal and words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitView>,
    /// Its last lines of standard error, oldest first; of both streams, when they are one log. Empty when they are not
    /// kept any more.
    pub stderr: Vec<String>,
}

/// The runs of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRuns {
    /// Which.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The newest first.
    pub runs: Vec<RunView>,
}
