//! A change asked for by a client, as the daemon follows it to its end.

use serde::{Deserialize, Serialize};

use super::exit::Signal;

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

/// What an operation is as a whole: a verb on what is selected, or a change of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Bring up what is not; also a definition or a file that comes into force.
    Start,
    /// End; `SIGKILL` follows after the grace.
    Stop,
    /// `SIGKILL` at once.
    Kill,
    /// End and bring up.
    Restart,
    /// End and forget.
    Delete,
    /// Another number of instances.
    Scale,
    /// A signal that ends nothing by adasa's will.
    Signal,
    /// Another definition.
    Edit,
}

impl From<Verb> for Work {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Start => Self::Start,
            Verb::Stop => Self::Stop,
            Verb::Kill => Self::Kill,
            Verb::Restart => Self::Restart,
            Verb::Delete => Self::Delete,
        }
    }
}

impl Work {
    /// The word, as on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Delete => "delete",
            Self::Scale => "scale",
            Self::Signal => "signal",
            Self::Edit => "edit",
        }
    }
}

/// Who of a run gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Its main process alone.
    #[default]
    Main,
    /// The process group of its main process.
    Group,
}

impl Whom {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Main => "the main process",
            Self::Group => "the process group",
        }
    }
}

/// A signal for instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sending {
    /// Which.
    pub signal: Signal,
    /// Who of a run gets it.
    #[serde(default)]
    pub whom: Whom,
}

/// What an operation asks of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Order {
    /// To become something.
    Do(Verb),
    /// To get a signal.
    Send(Sending),
}

impl From<Verb> for Order {
    fn from(verb: Verb) -> Self {
        Self::Do(verb)
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
