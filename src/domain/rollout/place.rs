//! Where each instance of a rollout stands, and the whole.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How instances are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The size of a batch: how many may be down at once because of it.
    pub max_unavailable: NonZeroU32,
    /// How long a new run has to last before the next batch.
    pub stable: Duration,
}

/// Where one instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The old run serves; its turn comes.
    Waiting,
    /// The old run is not running, and not because of the rollout; its turn comes first.
    Down,
    /// The old run is being ended so that a new one takes its place.
    Draining,
    /// The new run is begun and not running yet.
    Rising,
    /// The new run is running, for less than the stable time.
    Settling,
    /// Replaced.
    Done,
    /// The new run ended, or the old one does not die.
    Failed,
    /// Not wanted up: it was stopped, deleted, or had ended well. It is left alone.
    Left,
}

impl Place {
    /// Whether the next batch has to wait for it.
    #[must_use]
    pub fn is_in_flight(self) -> bool {
        match self {
            Self::Draining | Self::Rising | Self::Settling => true,
            Self::Waiting | Self::Down | Self::Done | Self::Failed | Self::Left => false,
        }
    }

    /// Whether its turn is still to come.
    #[must_use]
    pub fn is_to_come(self) -> bool {
        match self {
            Self::Waiting | Self::Down => true,
            Self::Draining
            | Self::Rising
            | Self::Settling
            | Self::Done
            | Self::Failed
            | Self::Left => false,
        }
    }

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Down => "down, next",
            Self::Draining => "old one ends",
            Self::Rising => "new one starts",
            Self::Settling => "new one is watched",
            Self::Done => "replaced",
            Self::Failed => "failed",
            Self::Left => "left alone",
        }
    }

    /// What becomes of it by what is seen. Failure is for good. A place that was asked for another run goes on waiting
    /// for one, whatever is still seen of the old. One that was left alone counts again when it is started again.
    #[must_use]
    pub(super) fn saw(self, sight: Sight) -> Self {
        let fresh = match sight {
            Sight::Old { up: true } => Self::Waiting,
            Sight::Old { up: false } => Self::Down,
            Sight::Ending => Self::Draining,
            Sight::New { up: false } => Self::Rising,
            Sight::New { up: true } => Self::Settling,
            Sight::Stable => Self::Done,
            Sight::Failed => Self::Failed,
            Sight::Left => Self::Left,
        };
        match (self, fresh) {
            (Self::Failed, _) | (Self::Left, Self::Waiting | Self::Down) => self,
            (Self::Waiting | Self::Down, _) => fresh,
            // It was replaced; that somebody stops it later changes nothing of that.
            (Self::Done, Self::Left) => self,
            (
                Self::Draining | Self::Rising | Self::Settling | Self::Done,
                Self::Waiting | Self::Down,
            )
            | (Self::Rising | Self::Settling | Self::Done, Self::Draining) => self,
            (
                Self::Draining | Self::Rising | Self::Settling | Self::Done | Self::Left,
                Self::Draining
                | Self::Rising
                | Self::Settling
                | Self::Done
                | Self::Failed
                | Self::Left,
            ) => fresh,
        }
    }
}

/// What is seen of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// The run that was there at the beginning, or none after it.
    Old {
        /// Whether it is running.
        up: bool,
    },
    /// That run is being ended, and another follows at once.
    Ending,
    /// A later run.
    New {
        /// Whether it is running.
        up: bool,
    },
    /// A later run that has lasted the stable time.
    Stable,
    /// A later run that ended by itself, or an end that does not come.
    Failed,
    /// It is not wanted up, or is gone.
    Left,
}

/// Where the rollout as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// Batch follows batch.
    Advancing,
    /// The batch under way is finished; no other is begun until it is resumed.
    Paused,
    /// One failed: the rest stays on the old runs.
    Halted,
    /// Somebody ended it: what is new stays new, the rest stays old.
    Aborted,
    /// All are replaced or left alone.
    Completed,
}

impl Whole {
    /// Whether no batch will be begun any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Halted | Self::Aborted | Self::Completed => true,
            Self::Advancing | Self::Paused => false,
        }
    }

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Advancing => "advancing",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Aborted => "aborted",
            Self::Completed => "completed",
        }
    }
}

/// A rollout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rollout {
    /// By position.
    pub(super) places: Vec<Place>,
    pub(super) whole: Whole,
}

impl Rollout {
    /// Over these places, before anything was seen of them. A new one waits everywhere. For one whose daemon has died
    /// the whole and the failures are remembered; everything else shows in what is seen.
    #[must_use]
    pub(crate) fn new(whole: Whole, places: Vec<Place>) -> Self {
        Self { places, whole }
    }

    /// By position.
    #[must_use]
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The whole.
    #[must_use]
    pub(crate) fn whole(&self) -> Whole {
        self.whole
    }

    /// Whether nothing more will come: no batch, and no end of one.
    #[must_use]
    pub(crate) fn is_over(&self) -> bool {
        self.whole.is_final() && !self.places.iter().any(|p| p.is_in_flight())
    }
}
