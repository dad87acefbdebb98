//! What a screen asks the daemon for, besides what is pushed to all.

use crate::api::Detail;
use crate::client::{Client, ClientError};

/// Ties an answer to the screen that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Ticket(pub(super) u64);

/// A question to the daemon that changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    /// Everything about the instances that a selector names.
    Detail { select: String },
}

/// What it answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Detail(Vec<Detail>),
}

impl Query {
    /// Asks; for a thread of its own.
    pub(super) fn ask(self, client: &Client) -> Result<Answer, ClientError> {
        match self {
            Self::Detail { select } => client.detail(&[select]).map(Answer::Detail),
        }
    }
}
