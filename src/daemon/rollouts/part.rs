//! What the note of an instance keeps of the rolling restart that it is part of: enough, over all instances, for the
//! next daemon to go on with it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::domain::names::{OperationId, RunId};
use crate::domain::rollout::{Place, Whole};

/// The share of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    #[serde(rename = "o")]
    pub(super) operation: OperationId,
    /// The run at the beginning.
    #[serde(rename = "b")]
    pub(super) base: RunId,
    /// The pid at the beginning.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) old_pid: Option<i32>,
    /// Grows with each change of the whole: the newest of all parts is in force.
    #[serde(rename = "v")]
    pub(super) version: u32,
    /// None until every instance has its part: before that nothing was begun, and nobody was told that it was.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) whole: Option<Whole>,
    #[serde(rename = "m")]
    pub(super) max_unavailable: NonZeroU32,
    /// Milliseconds.
    #[serde(rename = "s")]
    pub(super) stable_ms: u64,
    /// Milliseconds since 1970.
    #[serde(rename = "t")]
    pub(super) begun_ms: u64,
    /// Who asked for it.
    #[serde(rename = "y")]
    pub(super) by: String,
    /// Where it stood when the whole changed last.
    #[serde(rename = "a")]
    pub(super) place: Place,
    /// Why it failed, if this is the one that did.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
}

impl Part {
    /// What a new daemon begins to look from. What was asked of an instance may never have reached it, so as long as
    /// batches follow that is found out anew.
    pub(super) fn remembered(&self, whole: Whole) -> Place {
        match self.place {
            Place::Done | Place::Failed | Place::Left => self.place,
            Place::Waiting | Place::Down | Place::Draining | Place::Rising | Place::Settling => {
                if whole.is_final() {
                    self.place
                } else {
                    Place::Waiting
                }
            }
        }
    }

    /// Without what is only told to people.
    #[must_use]
    pub(in crate::daemon) fn shorter(self) -> Self {
        Self {
            failed: None,
            by: String::new(),
            ..self
        }
    }

    /// As large as one can be.
    #[cfg(test)]
    pub(in crate::daemon) fn longest() -> Self {
        Self {
            operation: OperationId::new("x".repeat(64)).unwrap(),
            base: RunId(u64::MAX),
            old_pid: Some(i32::MAX),
            version: u32::MAX,
            whole: Some(Whole::Completed),
            max_unavailable: NonZeroU32::MAX,
            stable_ms: u64::MAX,
            begun_ms: u64::MAX,
            by: "\u{10ffff}".repeat(super::WORDS),
            place: Place::Settling,
            failed: Some("\u{10ffff}".repeat(super::WORDS)),
        }
    }
}
