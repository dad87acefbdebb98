//! A definition as it is read and written by hand.

use serde::{Deserialize, Serialize};

use crate::domain::names::OperationId;
use crate::domain::selector::Selector;
use crate::domain::spec::Spec;

/// What stands for a value of an environment: it may be a secret. In an edited definition it means that the value
/// stays as it is.
pub const MASK: &str = "***";

/// `GET /api/processes/{select}/definition`: the whole definition, values of its environment masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its version.
    pub generation: u64,
    /// It.
    pub spec: Spec,
}

/// `POST /api/edit`: another definition for a process that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Made by the client.
    pub operation: OperationId,
    /// The process; all of its instances have to be selected.
    pub select: Selector,
    /// Only while this is its version: what was edited.
    pub only_generation: u64,
    /// The definition; [`MASK`] in its environment stays as it is.
    pub spec: Spec,
    /// Answer only when a power cut would not undo it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub durable: bool,
    /// Also what is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_protected: bool,
}
