//! A change asked for by a client, as the daemon follows it to its end.

use serde::{Deserialize, Serialize};

/// What is done to the selected instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Bring up what is not.
    Start,
    /// End; `SIGKILL` follows after the grace.
    Stop,
    /// `SIGKILL` at once.
    Kill,
    /// End and bring up.
    Restart,
    /// End and forget.
    Delete,
}

impl Verb {
    /// The word, as on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Delete => "delete",
        }
    }

    /// What is true when it is done.
    #[must_use]
    pub fn past(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Kill => "killed",
            Self::Restart => "restarted",
            Self::Delete => "deleted",
        }
    }
}

/// How far an operation is with one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// Not at its end.
    Pending,
    /// Reached.
    Done,
    /// It was so already.
    Already,
    /// Not tried, and why: the instance is as it was.
    Left {
        /// In words.
        reason: String,
    },
    /// Not reached, and why.
    Failed {
        /// In words.
        reason: String,
    },
}

impl Progress {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        *self != Self::Pending
    }
}
