//! One run as it is remembered: when it began and at whose word, how it ended and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::exit::{Exit, Signal};
use super::names::{InstanceId, OperationId, RunId};
use super::operation::Verb;

/// How long the name of somebody who asks may be in what is remembered, in characters.
const BY_MAX: usize = 96;

/// At whose word a run began or was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who")]
pub enum Asker {
    /// A client.
    Command {
        /// What it asked for.
        verb: Verb,
        /// Who it was.
        by: String,
        /// The operation's id.
        operation: OperationId,
    },
    /// The restart policy, after the end of the run before.
    Policy,
    /// It was up before the machine or the daemon went down.
    Boot,
    /// The memory limit of its definition.
    MemoryLimit {
        /// Measured, bytes.
        memory: u64,
        /// Allowed, bytes.
        allowed: u64,
    },
    /// It had not become its program in time.
    TooSlow,
    /// Everything was being ended.
    Shutdown,
    /// Something else, in words.
    Other {
        /// Which.
        text: String,
    },
}

impl Asker {
    /// A client's command.
    #[must_use]
    pub fn command(verb: Verb, by: &str, operation: &OperationId) -> Self {
        Self::Command {
            verb,
            by: by.chars().take(BY_MAX).collect(),
            operation: operation.clone(),
        }
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { verb, by, .. } => write!(f, "{} by {by}", verb.word()),
            Self::Policy => f.write_str("the restart policy"),
            Self::Boot => f.write_str("it was up before"),
            Self::MemoryLimit { memory, allowed } => write!(
                f,
                "its memory limit ({} MB of {} MB)",
                memory / 1_000_000,
                allowed / 1_000_000
            ),
            Self::TooSlow => f.write_str("it did not become its program in time"),
            Self::Shutdown => f.write_str("everything was being ended"),
            Self::Other { text } => f.write_str(text),
        }
    }
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Reason {
    /// adasa had not asked for it.
    #[default]
    Itself,
    /// adasa had sent the stop signal, or `SIGKILL`.
    Asked {
        /// At whose word.
        asker: Asker,
        /// Whether `SIGKILL` had been sent.
        killed: bool,
    },
}

impl Reason {
    /// Whether `SIGKILL` went after a polite signal that was not obeyed in time.
    #[must_use]
    pub fn was_killed_after_grace(&self) -> bool {
        match self {
            Self::Itself => false,
            Self::Asked { asker, killed } => {
                let by_force = matches!(
                    asker,
                    Asker::Command {
                        verb: Verb::Kill,
                        ..
                    }
                );
                *killed && !by_force
            }
        }
    }
}

/// What was found out about an end that its status does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "found")]
pub enum Evidence {
    /// The kernel's log names its pid as killed for want of memory.
    KernelLog {
        /// The line.
        line: String,
    },
    /// The kernel's counter of processes killed for want of memory grew while it ran.
    OomCounter {
        /// Whose counter: the folder of the control group.
        group: String,
        /// Before.
        before: u64,
        /// After.
        after: u64,
        /// Whether other runs are in that group too.
        shared: bool,
    },
    /// A client had a signal sent to it.
    Sent {
        /// Which.
        signal: Signal,
        /// Who it was.
        by: String,
        /// How long before the end, milliseconds.
        ago_ms: u64,
    },
    /// What it used when it was measured last, bytes.
    LastMemory {
        /// Of its whole tree.
        resident: u64,
    },
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// How long it had lasted, milliseconds.
    pub lasted_ms: u64,
    /// Why.
    #[serde(default)]
    pub reason: Reason,
    /// What else is known about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Of which instance.
    pub id: InstanceId,
    /// Which.
    pub run: RunId,
    /// The pid of its main process; none when it was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// When it began, milliseconds since 1970; none when that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_ms: Option<u64>,
    /// At whose word it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<Asker>,
    /// From which version of the definition.
    #[serde(default)]
    pub generation: u64,
    /// Its end, when that has been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl Run {
    /// Of which nothing is known yet.
    #[must_use]
    pub fn unseen(id: InstanceId, run: RunId) -> Self {
        Self {
            id,
            run,
            pid: None,
            begun_ms: None,
            begun_by: None,
            generation: 0,
            ended: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_that_was_asked_for_is_not_one_after_the_grace() {
        let operation = OperationId::new("operation-1").unwrap();
        let asked = |verb, killed| Reason::Asked {
            asker: Asker::command(verb, "root", &operation),
            killed,
        };
        assert!(asked(Verb::Stop, true).was_killed_after_grace());
        assert!(!asked(Verb::Stop, false).was_killed_after_grace());
        assert!(!asked(Verb::Kill, true).was_killed_after_grace());
        assert!(!Reason::Itself.was_killed_after_grace());
    }

    #[test]
    fn who_asks_is_kept_short() {
        let operation = OperationId::new("operation-1").unwrap();
        let asker = Asker::command(Verb::Stop, &"ä".repeat(500), &operation);
        let Asker::Command { by, .. } = asker else {
            panic!("another asker");
        };
        assert_eq!(by.chars().count(), BY_MAX);
    }
}
