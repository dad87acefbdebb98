//! Whether the daemon is there, and what is known while it is not.

use std::time::Duration;

/// The connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Link {
    /// Not yet.
    Connecting,
    Live,
    Lost(Lost),
}

/// What is known about a lost connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    pub(super) since: Duration,
    /// Wall-clock milliseconds.
    pub(super) since_ms: u64,
    pub(super) why: String,
    pub(super) attempts: u32,
    /// How many of the pids that were up are alive, looked at here.
    pub(super) alive: Option<(usize, usize)>,
    /// Whether the box was put away.
    pub(super) hidden: bool,
}
