//! Who did what, who is here, and what changed meanwhile.

use serde::{Deserialize, Serialize};

use crate::domain::who::Who;

/// Somebody who listens to what happens: an entry of `GET /api/clients`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// A number of its own, as long as this daemon lives.
    pub session: u64,
    /// Who.
    pub who: Who,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
}

/// `GET /api/activity?…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActivityQuery {
    /// How many entries back; 500 when not given, which is also the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Only what was at this time or later, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
}

/// `GET /api/changes?…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesQuery {
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
}
