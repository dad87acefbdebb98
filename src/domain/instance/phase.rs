//! Where an instance stands. Intent is a field only where it can differ from fact.

use serde::{Deserialize, Serialize};

use crate::domain::names::RunId;

/// One instance as the machine sees it: no pid, no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// Where it stands.
    pub(super) phase: Phase,
    /// The current run, or the last one.
    pub(super) run: RunId,
    /// Grows whenever the deadline is replaced, so that a late one is recognised.
    pub(super) epoch: u32,
    /// Failures since the last stable run.
    pub(super) attempts: u32,
}

impl Instance {
    /// At rest; `last_run` is the highest run number that this instance may have used.
    #[must_use]
    pub(crate) fn at_rest(last_run: RunId) -> Self {
        Self {
            phase: Phase::Stopped,
            run: last_run,
            epoch: 0,
            attempts: 0,
        }
    }

    /// As [`Self::at_rest`], in another phase without a process: what was saved as ended or given up.
    #[must_use]
    pub(crate) fn ended(last_run: RunId, phase: Phase) -> Self {
        let phase = if phase.has_run() {
            Phase::Stopped
        } else {
            phase
        };
        Self {
            phase,
            ..Self::at_rest(last_run)
        }
    }

    /// Alive, and nothing more is known of it.
    #[must_use]
    pub(crate) fn alive(run: RunId) -> Self {
        Self {
            phase: Phase::Running,
            ..Self::at_rest(run)
        }
    }

    /// Where it stands.
    #[must_use]
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// The current run, or the last one.
    #[must_use]
    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    /// The number that a deadline must carry to count.
    #[must_use]
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Failures since the last stable run.
    #[must_use]
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// The internal state of an instance. The world is told a status, which is a projection of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// At rest, wanted down.
    Stopped,
    /// The keeper was asked; no pid yet.
    Spawning {
        /// What is wanted by now.
        goal: Goal,
    },
    /// Alive, not yet the program: between fork and exec.
    Starting,
    /// Alive.
    Running,
    /// The stop signal was sent, the grace runs.
    Stopping {
        /// What follows its death.
        then: Then,
    },
    /// `SIGKILL` was sent; not believed dead until reaped.
    Killing {
        /// What follows its death.
        then: Then,
    },
    /// The main process ended; what is left of its tree has not.
    Sweeping {
        /// What follows when nothing is left.
        next: Next,
        /// Whether the rest is being killed already.
        forced: bool,
    },
    /// Waiting before the next attempt.
    Backoff,
    /// Ended well by itself; policy says leave it.
    Exited,
    /// Gave up; needs a person.
    Failed,
    /// Gone for good.
    Removed,
}

impl Phase {
    /// Whether a process of this instance may be alive.
    #[must_use]
    pub fn has_run(self) -> bool {
        match self {
            Self::Spawning { .. }
            | Self::Starting
            | Self::Running
            | Self::Stopping { .. }
            | Self::Killing { .. }
            | Self::Sweeping { .. } => true,
            Self::Stopped | Self::Backoff | Self::Exited | Self::Failed | Self::Removed => false,
        }
    }

    /// Whether the main process is known to be alive.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::Starting | Self::Running | Self::Stopping { .. } | Self::Killing { .. } => true,
            Self::Stopped
            | Self::Spawning { .. }
            | Self::Sweeping { .. }
            | Self::Backoff
            | Self::Exited
            | Self::Failed
            | Self::Removed => false,
        }
    }

    /// What is wanted of the instance: this is what survives a reboot.
    #[must_use]
    pub fn goal(self) -> Goal {
        match self {
            Self::Spawning { goal } => match goal {
                Goal::Replaced => Goal::Up,
                Goal::Up | Goal::Down | Goal::Removed => goal,
            },
            Self::Starting | Self::Running | Self::Backoff | Self::Exited | Self::Failed => {
                Goal::Up
            }
            Self::Stopping { then } | Self::Killing { then } => Next::from(then).goal(),
            Self::Sweeping { next, .. } => next.goal(),
            Self::Stopped => Goal::Down,
            Self::Removed => Goal::Removed,
        }
    }
}

/// What is wanted of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// A process.
    Up,
    /// No process.
    Down,
    /// No process and no instance.
    Removed,
    /// Another process than the one being spawned.
    Replaced,
}

/// What follows the death of a process that is being ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Another, at once.
    Respawn,
    /// Another, after the backoff; it counts as a failure.
    Retry,
    /// Nothing.
    Rest,
    /// The end of the instance.
    Retire,
}

/// What follows the end of a whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Another process, at once.
    Respawn,
    /// Another, after the backoff.
    Retry,
    /// Nothing: it was asked to stop.
    Rest,
    /// The end of the instance.
    Retire,
    /// Nothing: it ended well and policy says leave it.
    Finish,
    /// Nothing: it failed and policy or budget says leave it.
    GiveUp,
}

impl Next {
    fn goal(self) -> Goal {
        match self {
            Self::Respawn | Self::Retry | Self::Finish | Self::GiveUp => Goal::Up,
            Self::Rest => Goal::Down,
            Self::Retire => Goal::Removed,
        }
    }
}

impl From<Then> for Next {
    fn from(then: Then) -> Self {
        match then {
            Then::Respawn => Self::Respawn,
            Then::Retry => Self::Retry,
            Then::Rest => Self::Rest,
            Then::Retire => Self::Retire,
        }
    }
}
