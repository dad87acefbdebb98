//! One numbered thing that happened, told to subscribers and kept in the history.

use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::names::{InstanceId, OperationId, RunId};
use super::operation::Verb;
use super::run::{Asker, Reason};
use super::status::Status;
use super::who::Who;

/// What a status means beyond its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Follows {
    /// A run is under way.
    Run {
        /// Which.
        run: RunId,
        /// At whose word it began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Asker>,
    },
    /// Another attempt comes.
    Attempt {
        /// Which restart it will be, from 1.
        restart: u32,
        /// In how many milliseconds.
        in_ms: u64,
    },
}

/// What happened to one instance or to the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum What {
    /// Its status is another.
    Status {
        /// Before.
        from: Status,
        /// Now.
        to: Status,
        /// Why, in words.
        because: String,
        /// What it means beyond that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follows: Option<Follows>,
    },
    /// A run ended.
    Exit {
        /// Which run.
        run: RunId,
        /// How.
        exit: Exit,
        /// How long it had lasted, milliseconds.
        lasted_ms: u64,
        /// Whether adasa had asked for it, and at whose word.
        #[serde(default)]
        reason: Reason,
    },
    /// A command came.
    Asked {
        /// Which.
        verb: Verb,
        /// The operation's id.
        operation: OperationId,
        /// Who asked.
        by: String,
    },
    /// Somebody did something: one for a request, however many instances it is about.
    Did {
        /// Who.
        who: Who,
        /// What, in words.
        what: String,
        /// To what: processes, and instances where it is not about all of a process; the first few.
        on: Vec<String>,
        /// To how many more.
        more: u32,
        /// The operation's id, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<OperationId>,
        /// The processes whose definitions are others by it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// An operation is at its end.
    Done {
        /// Which.
        operation: OperationId,
        /// For how many instances it is done.
        ok: u32,
        /// For how many it failed.
        failed: u32,
        /// Why the first failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// How long it took, milliseconds.
        took_ms: u64,
    },
    /// A daemon has taken over.
    Began {
        /// Its version.
        version: String,
        /// Its pid.
        pid: u32,
        /// Which daemon since boot it is.
        epoch: u64,
    },
    /// A limit was passed.
    Limit {
        /// Measured, bytes.
        memory: u64,
        /// Allowed, bytes.
        allowed: u64,
    },
    /// Something needs a person.
    Alarm {
        /// In words.
        text: String,
    },
    /// Something worth knowing.
    Note {
        /// In words.
        text: String,
    },
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Wall-clock time, milliseconds since 1970.
    pub at_ms: u64,
    /// To which instance; none for the daemon as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InstanceId>,
    /// What it was called then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
}
