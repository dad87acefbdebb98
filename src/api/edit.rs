//! A definition as it is read and written by hand.

use serde::{Deserialize, Serialize};

use crate::domain::names::OperationId;
use crate::domain::selector::Selector;
use crate::domain::spec::Spec;

/// What stands for a value of an environment: it may be a secret. In an edited definition it means that the value
/// stays as it is.
pub const MASK: &str = crate::domain::secrecy::MASK;

/// `GET /api/processes/{select}/definition`: the whole definition, values of its environment masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its version.
    pub generation: u64,
    /// It.
    pub spec: Spec,
}

/// `POST /api/reveal`: one value of the environment of a definition. Who asked for which is remembered with everything
/// else that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The process, or one of its instances.
    pub select: Selector,
    /// The name of the variable.
    pub key: String,
}

/// The answer to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// The name of the variable.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Without the value: it may be a secret, and what is debugged ends up in logs.
impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut it = f.debug_struct("Revealed");
        it.field("key", &self.key).field("value", &MASK).finish()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_in_what_is_debugged() {
        let it = Revealed {
            key: "TOKEN".into(),
            value: "hunter2".into(),
        };
        let text = format!("{it:?}");
        assert!(
            text.contains("TOKEN") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
