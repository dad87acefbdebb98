//! How much of each part of the daemon is taken, and how much of that is shown.

use crate::api::Level;

/// Which records of a target there are; none of them, or this bad and worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct Limits {
    /// Taken from the daemon.
    pub(in crate::tui) captured: Option<Level>,
    /// Shown here.
    pub(in crate::tui) shown: Option<Level>,
}

impl Limits {
    pub(super) const USUAL: Self = Self {
        captured: Some(Level::Info),
        shown: Some(Level::Info),
    };
}

/// From nothing over errors alone to every step.
pub(super) fn more(limit: Option<Level>) -> Option<Level> {
    match limit {
        None => Some(Level::Error),
        Some(Level::Error) => Some(Level::Warn),
        Some(Level::Warn) => Some(Level::Info),
        Some(Level::Info) => Some(Level::Debug),
        Some(Level::Debug | Level::Trace) => Some(Level::Trace),
    }
}

/// The other way round.
pub(super) fn less(limit: Option<Level>) -> Option<Level> {
    match limit {
        None | Some(Level::Error) => None,
        Some(Level::Warn) => Some(Level::Error),
        Some(Level::Info) => Some(Level::Warn),
        Some(Level::Debug) => Some(Level::Info),
        Some(Level::Trace) => Some(Level::Debug),
    }
}

/// Whether a limit lets this level through.
pub(in crate::tui) fn passes(limit: Option<Level>, level: Level) -> bool {
    limit.is_some_and(|limit| level >= limit)
}
