//! How the programs, the keeper and the disk of the made-up world behave.

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MS: u64 = 1_000_000;

/// How the keeper's fork of a program goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fork {
    Works,
    Fails,
    /// The child dies before it becomes the program.
    NotExecuted,
    /// The child never becomes the program.
    Hangs,
    /// The keeper does not answer.
    Unanswered,
}

/// What a run leaves behind when its main process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    Nothing,
    /// Ends so long after a polite signal.
    Polite(u64),
    Stubborn,
    Immortal,
}

/// How a program behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habit {
    pub(super) fork: Fork,
    /// It ends by itself after this time, with this code.
    pub(super) life: Option<(u64, i32)>,
    /// How long it takes to obey; `None` ignores.
    pub(super) obeys: Option<u64>,
    pub(super) killable: bool,
    pub(super) leaves: Leaves,
}

pub(super) const WELL: Habit = Habit {
    fork: Fork::Works,
    life: None,
    obeys: Some(0),
    killable: true,
    leaves: Leaves::Nothing,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disk {
    Works,
    Fails,
    /// Takes records and does not answer.
    Stalls,
    /// Takes records at once, and does not come to make them durable.
    Cached,
}
