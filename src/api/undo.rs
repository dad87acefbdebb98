//! What can be taken back.

use serde::{Deserialize, Serialize};

use crate::domain::names::OperationId;
use crate::domain::operation::Work;

/// `POST /api/undo`: take an operation back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Of the taking back itself; made by the client; sent twice, done once.
    pub operation: OperationId,
    /// Which is taken back; the newest that is kept when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<OperationId>,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
}

/// An operation that can be taken back: an entry of `GET /api/undo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoView {
    /// The operation.
    pub operation: OperationId,
    /// What was done; a file that came into force is a start.
    pub verb: Work,
    /// Who did it.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Until when it can be taken back, milliseconds since 1970.
    pub until_ms: u64,
    /// What taking it back would do, in words.
    pub steps: Vec<String>,
    /// Why it is not possible as things are now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
