//! What the world is told of an instance: a projection of its phase.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::instance::{Next, Phase, Then};

/// The status of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Asked for, not yet the program.
    Starting,
    /// Alive.
    Running,
    /// Being ended.
    Stopping,
    /// At rest, as wanted.
    Stopped,
    /// Being ended in order to be started again.
    Restarting,
    /// Waiting before the next attempt.
    Backoff,
    /// Ended well by itself.
    Exited,
    /// Gave up.
    Errored,
    /// Alive, and nothing defines it: the state folder lost its definition. It can be stopped, not started again.
    Orphaned,
}

impl Status {
    /// All of them, in the order of a healthy life.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Restarting,
        Self::Backoff,
        Self::Exited,
        Self::Errored,
        Self::Orphaned,
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Restarting => "restarting",
            Self::Backoff => "backoff",
            Self::Exited => "exited",
            Self::Errored => "errored",
            Self::Orphaned => "orphaned",
        }
    }

    /// Whether its last run ended in a failure that nobody has made good yet: it waits for another attempt, or has given up.
    #[must_use]
    pub fn is_failed(self) -> bool {
        match self {
            Self::Backoff | Self::Errored => true,
            Self::Starting
            | Self::Running
            | Self::Stopping
            | Self::Stopped
            | Self::Restarting
            | Self::Exited
            | Self::Orphaned => false,
        }
    }

    /// How urgently a person should look, the most urgent lowest: what a folded group shows of its members.
    #[must_use]
    pub fn urgency(self) -> u8 {
        match self {
            Self::Errored => 0,
            Self::Orphaned => 1,
            Self::Backoff => 2,
            Self::Restarting => 3,
            Self::Stopping => 4,
            Self::Starting => 5,
            Self::Running => 6,
            Self::Stopped => 7,
            Self::Exited => 8,
        }
    }
}

impl From<Phase> for Status {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Stopped | Phase::Removed => Self::Stopped,
            Phase::Spawning { .. } | Phase::Starting => Self::Starting,
            Phase::Running => Self::Running,
            Phase::Stopping { then } | Phase::Killing { then } => match then {
                Then::Respawn | Then::Retry => Self::Restarting,
                Then::Rest | Then::Retire => Self::Stopping,
            },
            Phase::Sweeping { next, .. } => match next {
                Next::Respawn | Next::Retry => Self::Restarting,
                Next::Rest | Next::Retire | Next::Finish | Next::GiveUp => Self::Stopping,
            },
            Phase::Backoff => Self::Backoff,
            Phase::Exited => Self::Exited,
            Phase::Failed => Self::Errored,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Status {
    type Err = String;
    /// Takes the words, and `online` for `running`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "online" {
            return Ok(Self::Running);
        }
        Self::ALL
            .into_iter()
            .find(|status| status.word() == text)
            .ok_or_else(|| {
                let words = Self::ALL.map(Self::word).join(", ");
                format!("no status is called {text:?}: it is one of {words}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for status in Status::ALL {
            assert_eq!(status.word().parse(), Ok(status));
            let json = serde_json::to_string(&status).unwrap();
            assert_eq!(json, format!("{:?}", status.word()));
        }
        assert_eq!("online".parse(), Ok(Status::Running));
        assert!("up".parse::<Status>().is_err());
    }
}
