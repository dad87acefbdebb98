//! What the machine is told, and what it asks for.

use crate::domain::exit::Ending;
use crate::domain::names::RunId;
use crate::domain::spec::Restart;

/// The part of a definition that decisions need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// After which ends it is started again.
    pub restart: Restart,
    /// How many failures mean giving up; 0 and 1 both mean the first.
    pub budget: u32,
    /// Whether what a run leaves behind lives on: its end is the end of its main process.
    pub detach: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Wanted up.
    Start,
    /// Wanted down; `force` skips the grace.
    Stop {
        /// `SIGKILL` at once.
        force: bool,
    },
    /// Wanted up, as another process than now.
    Restart,
    /// Wanted gone.
    Remove,
    /// Seen of a run. Of another run than the current one it changes nothing.
    Report {
        /// Which run.
        run: RunId,
        /// What was seen.
        what: Report,
    },
    /// A deadline passed. Of another epoch than the current one it changes nothing.
    Deadline {
        /// Which deadline.
        epoch: u32,
    },
}

/// What was seen of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// The child exists.
    Spawned,
    /// No child could be made.
    SpawnFailed {
        /// Earlier failures that are outside the window by now.
        forgiven: u32,
    },
    /// Nobody was left to make the child: the keeper that was asked is gone, and its record has none.
    NeverSpawned,
    /// The child became the program.
    Executed,
    /// The main process was reaped.
    Exited {
        /// How it ended.
        ending: Ending,
        /// Earlier failures that are outside the window by now.
        forgiven: u32,
    },
    /// Its tree is above a limit that means another run.
    OverLimit,
    /// Nothing is left of its tree.
    Swept,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Make a child for the (new) current run.
    Spawn,
    /// Send the stop signal to the process group.
    Signal,
    /// Send `SIGKILL` to the process group and all that descends from it.
    Kill,
    /// Look for what is left of the tree and end it; report `Swept` when nothing is.
    Sweep(Sweep),
    /// Replace the deadline.
    Arm(Delay),
    /// Forget the instance.
    Retire,
    /// Say that it does not die.
    Alarm,
    /// Say that the command is not possible.
    Refuse(Refusal),
}

/// How what is left of a tree is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sweep {
    /// Everything left gets the stop signal.
    Fresh,
    /// The group has had the stop signal; only what left the group gets it now.
    Remaining,
    /// Everything left is killed.
    Kill,
}

/// Which delay a deadline is for; the driver knows how long each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delay {
    /// From asking the keeper to a child.
    Spawn,
    /// From fork to exec.
    Execute,
    /// From the stop signal to `SIGKILL`.
    StopTimeout,
    /// Until a run counts as stable.
    Stable,
    /// Before this attempt (from 1).
    Backoff {
        /// How many failures came before.
        attempt: u32,
    },
    /// Until `SIGKILL` is sent once more.
    KillAgain,
}

/// Why a command is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is being removed.
    BeingRemoved,
}

/// What is to be done after a step.
pub(super) type Effects = Vec<Effect>;
