//! One record of the daemon's own log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::level::Level;

/// One thing that the daemon said about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, microseconds since 1970.
    pub at_us: u64,
    /// How bad it is.
    pub level: Level,
    /// Which part of the daemon said it.
    pub target: String,
    /// What.
    pub message: String,
    /// What belongs to it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// So many records before it were not told: whoever reads was too slow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Record {
    /// The message with what belongs to it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.fields {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// About how much memory it takes, bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        let fields = self.fields.iter().map(|(k, v)| k.len() + v.len() + 64);
        self.message.len() + self.target.len() + fields.sum::<usize>() + 96
    }
}
