//! Where an instance rests, in a word that outlives a reboot.

use serde::{Deserialize, Serialize};

use crate::domain::instance::Phase;

/// Where an instance rests while no process of it runs, across a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::daemon) enum Rest {
    /// It is wanted up.
    Up,
    /// It is wanted down.
    Down,
    /// It ended well and is left so.
    Exited,
    /// It was given up.
    Errored,
}

impl From<Phase> for Rest {
    fn from(phase: Phase) -> Self {
        use crate::domain::instance::Goal;
        match phase {
            Phase::Exited => Self::Exited,
            Phase::Failed => Self::Errored,
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Removed => match phase.goal() {
                Goal::Up | Goal::Replaced => Self::Up,
                Goal::Down | Goal::Removed => Self::Down,
            },
        }
    }
}
