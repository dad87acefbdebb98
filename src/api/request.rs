//! What clients ask for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::level::Level;
use crate::domain::names::{OperationId, RunId};
use crate::domain::operation::{Sending, Verb};
use crate::domain::scale::Count;
use crate::domain::selector::Selector;
use crate::domain::spec::Spec;

use super::place::LogPlace;

/// A request with this header may change nothing: how a client says that it only looks.
pub const READ_ONLY: &str = "adasa-read-only";

/// With this header of `GET /api/events` a client says which event it heard last.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// `POST /api/operations`: do something to what is selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Made by the client; sent twice, done once.
    pub operation: OperationId,
    /// What.
    pub verb: Verb,
    /// To which.
    pub select: Vec<Selector>,
    /// Only while this is the run of the (single) target: what was seen when the question was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_run: Option<RunId>,
    /// Batch by batch instead of all at once; only a restart can be so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling: Option<Rolling>,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}

/// How a rolling restart goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rolling {
    /// How many instances may be down at once because of it, 1 or more; as each process has it when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<u32>,
    /// How long a new run has to last before the next batch, milliseconds; the `min_uptime` of the process, but not
    /// more than 30 s, when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_ms: Option<u64>,
}

/// `POST /api/operations/{id}/control`: what is done to a rolling restart that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RolloutControl {
    /// Begin no further batch for now.
    Pause,
    /// Go on.
    Resume,
    /// Begin no further batch ever: what is new stays new, the rest stays old.
    Abort,
}

/// `POST /api/scale`: another number of instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Made by the client.
    pub operation: OperationId,
    /// The process; all of its instances have to be selected.
    pub select: Selector,
    /// How many it is to have; those with the highest numbers go first.
    pub to: Count,
    /// Only while it has so many: what was seen when the question was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_from: Option<u32>,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}

/// `POST /api/signal`: have the keeper send a signal. Nothing else is changed: one that ends a run ends it as a crash
/// does, and its restart policy decides what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendSignal {
    /// Made by the client; sent twice, done once.
    pub operation: OperationId,
    /// Which, and to whom.
    pub send: Sending,
    /// To which.
    pub select: Vec<Selector>,
    /// Only while this is the run of the (single) target: what was seen when the question was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_run: Option<RunId>,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}

/// `POST /api/processes`: a new definition, started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// Made by the client.
    pub operation: OperationId,
    /// The definition.
    pub spec: Spec,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
}

/// `POST /api/apply`: bring the definitions of a file in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Made by the client.
    pub operation: OperationId,
    /// Absolute.
    pub file: PathBuf,
    /// All that the file defines.
    pub specs: Vec<Spec>,
    /// Also start what is stopped (`up`, `start --config`); `reload` leaves it.
    pub start: bool,
    /// Whether what the file no longer defines is deleted.
    pub prune: bool,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}

/// `POST /api/down`: delete what a file brought up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Down {
    /// Made by the client.
    pub operation: OperationId,
    /// Absolute.
    pub file: PathBuf,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}

/// `POST /api/daemon`: end or replace the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerControl {
    /// End all processes in order, then everything.
    Stop,
    /// The next daemon and scribe; no process is touched.
    Restart,
    /// The same, and the keeper goes on as another build; refused, with nothing changed, unless that reads the table.
    Upgrade {
        /// The program, absolute.
        binary: PathBuf,
    },
    /// This daemon was started by `up`: it may end with the last process of a `down`.
    MarkTransient,
}

/// `GET /api/logs?…`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// `out` or `err`; none means both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<crate::domain::spec::Stream>,
    /// How many lines back; 100 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
    /// Only what came at this time or later, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Only what came before this time, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// From this place on, instead of `lines`. A log that it does not name begins at `since_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<LogPlace>,
    /// Regular expressions that must all match, one a line; behind a `!`, one that must not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Hides lines that are known to be milder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Go on with what comes.
    pub follow: bool,
    /// For a screen: at most so many lines a second (and at most 2,000), the newest when there are more; a reader that
    /// does not keep up is brought to the end, and told how many lines it missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
}

/// `GET /api/daemon/log?…`: the daemon's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordQuery {
    /// This bad and worse; `info` when not given. Milder ones are recorded while somebody wants them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// How many records back; 500 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
    /// Only what was said after this, microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_us: Option<u64>,
    /// Go on with what comes.
    pub follow: bool,
}
