//! The private language between keeper, daemon and scribe: one JSON value a frame, versioned as a whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::exit::{Exit, Signal};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;

pub(crate) use super::route::{Route, Routes};

/// Grows with each change that an older role would not understand.
pub(crate) const VERSION: u32 = 6;
/// The oldest language that a role of this build still understands from a keeper.
pub(crate) const OLDEST: u32 = 1;
/// The largest note, in bytes.
pub(crate) const NOTE_MAX: usize = 1024;

/// What a child is to become.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildSpec {
    /// A path, or a word for the `PATH` of `env`.
    pub program: String,
    /// Without the program.
    pub args: Vec<String>,
    /// `NAME=value`, complete.
    pub env: Vec<String>,
    /// Absolute.
    pub cwd: PathBuf,
    /// What it leaves behind is to live on: no control group of its own.
    #[serde(default)]
    pub detach: bool,
}

impl std::fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildSpec")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// From the daemon to the keeper. Act and note travel together and are applied in one turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToKeeper {
    /// The daemon has taken over and answers.
    Ready {
        /// What it speaks.
        version: u32,
    },
    /// Make a child.
    Spawn {
        /// For which instance.
        key: InstanceId,
        /// Above every earlier one of this instance.
        run: RunId,
        /// The daemon's memory of the instance.
        note: String,
        /// What to execute.
        child: Box<ChildSpec>,
        /// Where its output goes.
        routes: Routes,
    },
    /// Remember.
    Note {
        /// Which instance.
        key: InstanceId,
        /// The daemon's memory of it.
        note: String,
    },
    /// The exit of this run is part of the note now.
    Settle {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// The daemon's memory of it.
        note: String,
    },
    /// Send a signal to this run, if it is the current one and not reaped.
    Signal {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// What to send.
        signal: Signal,
        /// To its main process alone, and not to its group.
        #[serde(default)]
        main: bool,
        /// The daemon's memory of it.
        note: String,
    },
    /// Forget the instance.
    Retire {
        /// Which instance.
        key: InstanceId,
    },
    /// A shutdown that was passed on is being carried out.
    Stopping,
    /// All has ended: end the scribe, then yourself.
    Quit,
    /// End the scribe when it has written what waits, and start another (the daemon ends itself).
    ReplaceScribe,
    /// Have a scribe for the logs of this folder; none for the folder of all logs. Since version 4.
    Scribe {
        /// The folder.
        folder: Option<PathBuf>,
    },
    /// Other limits for the logs of an instance, also for scribes and keepers to come. Since version 5.
    Limits {
        /// Which instance.
        key: InstanceId,
        /// The limits, with the files they are for.
        routes: Routes,
    },
    /// What runs and was not in the table: take it over as it stands there. Since version 6.
    Adopt {
        /// What the table would have held.
        entry: Box<Entry>,
    },
    /// When the daemon has left, go on as the program whose descriptor comes with this: it reads the table.
    Upgrade,
}

/// What became of the daemon before this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Before {
    /// There was none, or it ended.
    #[default]
    Over,
    /// It did not answer, and was killed.
    Hung,
    /// It asked for another build to take over, and that could not be executed.
    NotUpgraded,
}

/// From the keeper to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToDaemon {
    /// The first message: everything the keeper knows.
    Welcome {
        /// What it speaks.
        version: u32,
        /// How many daemons there have been since boot.
        epoch: u64,
        /// Its pid.
        keeper_pid: i32,
        /// The scribe's.
        scribe_pid: i32,
        /// The volatile folder.
        volatile: PathBuf,
        /// Soft and hard limit on open files that children get.
        file_limit: (u64, u64),
        /// One per instance.
        entries: Vec<Entry>,
        /// What became of the daemon before.
        #[serde(default)]
        before: Before,
        /// The folders below which runs have control groups of their own; none where the keeper may make none.
        #[serde(default)]
        groups: Vec<PathBuf>,
        /// The table was new or damaged: something may run that is not among the entries.
        #[serde(default)]
        incomplete: bool,
    },
    /// Where to show signs of life; the descriptor comes with this.
    Beat,
    /// Show one.
    Ping,
    /// A new scribe; its socket comes with this message.
    Scribe {
        /// Its pid.
        pid: i32,
        /// The folder whose logs it writes; none for the folder of all logs.
        #[serde(default)]
        folder: Option<PathBuf>,
    },
    /// A scribe does not answer, or does again: the file system of its folder holds it.
    Held {
        /// The folder whose logs it writes; none for the folder of all logs.
        folder: Option<PathBuf>,
        /// It does not answer.
        held: bool,
    },
    /// The child exists.
    Spawned {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// Its pid.
        pid: i32,
        /// Clock ticks between boot and its start.
        start: u64,
    },
    /// No child could be made.
    SpawnFailed {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// In words.
        why: String,
    },
    /// The child became the program.
    Executed {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
    },
    /// The main process was reaped.
    Exited {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// How it ended.
        exit: Exit,
    },
    /// Orphans of somebody's tree were reaped: time to look again.
    Orphans,
    /// The keeper was told to end.
    Shutdown {
        /// Without grace.
        at_once: bool,
    },
    /// `SIGHUP` came.
    Reopen,
    /// `SIGUSR1` came.
    Dump,
}

/// Where a run stands, as the keeper saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// No run yet.
    None,
    /// About to be forked.
    Reserved,
    /// Forked.
    Forked,
    /// The program runs.
    Executed,
    /// Reaped; the daemon has not said yet that it knows.
    Exited(Exit),
    /// Reaped, and the note knows it.
    Settled,
}

/// What the table holds of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Which instance.
    pub key: InstanceId,
    /// The newest run.
    pub run: RunId,
    /// Its pid; 0 before the fork.
    pub pid: i32,
    /// Clock ticks between boot and its start.
    pub start: u64,
    /// Where it stands.
    pub state: RunState,
    /// Whether an earlier keeper was its parent: its exit code may stay unknown.
    #[serde(default)]
    pub adopted: bool,
    /// Whether what it leaves behind is left on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
    /// The daemon's memory of the instance.
    pub note: String,
    /// Where its output goes.
    pub routes: Option<Routes>,
}

impl Entry {
    /// An instance that has never run.
    #[must_use]
    pub(crate) fn new(key: InstanceId) -> Self {
        Self {
            key,
            run: RunId(0),
            pid: 0,
            start: 0,
            state: RunState::None,
            adopted: false,
            detach: false,
            note: String::new(),
            routes: None,
        }
    }

    /// Whether the main process has not been reaped.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        match self.state {
            RunState::Forked | RunState::Executed => true,
            RunState::None | RunState::Reserved | RunState::Exited(_) | RunState::Settled => false,
        }
    }
}

/// From the keeper to the scribe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeeperToScribe {
    /// The first message: both ends of the stage pipe and the note of its owner come with it.
    Stage,
    /// The read end of one stream of one run comes with this.
    Pipe {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// Which stream.
        stream: Stream,
        /// Where its bytes go.
        route: Route,
    },
    /// These were all pipes that there are: begin.
    All,
    /// A new daemon's socket comes with this.
    Daemon,
    /// Other limits for a file.
    Limits {
        /// The new ones, with the file they are for.
        route: Route,
    },
    /// Where to show signs of life; the descriptor comes with this.
    Beat,
    /// Show one.
    Ping,
    /// Write what waits, then end.
    End,
}

/// From the scribe to the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScribeToKeeper {
    /// All writers are gone and every byte is in its file.
    Drained {
        /// Which instance.
        key: InstanceId,
        /// Which run.
        run: RunId,
        /// Which stream.
        stream: Stream,
    },
}

/// From the daemon to the scribe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToScribe {
    /// Other limits for a file: from a daemon whose keeper has to pass them on and cannot.
    Limits {
        /// The new ones, with the file they are for.
        route: Route,
    },
    /// Make an archive of what is there.
    Rotate {
        /// Told back when it is done.
        ticket: u64,
        /// The file.
        path: PathBuf,
    },
    /// Empty the file; its archives are the daemon's.
    Flush {
        /// Told back when it is done.
        ticket: u64,
        /// The file.
        path: PathBuf,
    },
    /// Whether anybody wants to know what grew.
    Watch {
        /// Somebody does.
        on: bool,
    },
}

/// An older scribe does not say whether there was anything to do.
fn yes() -> bool {
    true
}

/// From the scribe to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromScribe {
    /// These files have more bytes than before.
    Grew {
        /// The files.
        paths: Vec<PathBuf>,
        /// How many bytes were taken out of the pipes of programs since this was said last; an older scribe does not say.
        #[serde(default)]
        taken: Option<u64>,
    },
    /// An archive was made.
    Rotated {
        /// Of this file.
        path: PathBuf,
    },
    /// A request was carried out.
    Done {
        /// Which.
        ticket: u64,
        /// What went wrong, if anything did.
        error: Option<String>,
        /// Whether there was anything to do.
        #[serde(default = "yes")]
        acted: bool,
    },
    /// Somebody else had his hands on a file.
    Touched {
        /// The file.
        path: PathBuf,
        /// So many bytes are missing at its beginning; none when the whole file was gone and has been made again.
        cut: Option<u64>,
    },
    /// The disk is full, and the oldest archives of a log were removed.
    Freed {
        /// The log.
        path: PathBuf,
        /// How many.
        archives: u32,
    },
    /// Bytes could not be written, or can again.
    Trouble {
        /// To this file.
        path: PathBuf,
        /// How many bytes were dropped so far.
        dropped: u64,
        /// In words; none when it is over.
        error: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines are only ever added: a daemon and a keeper of two builds may have to understand each other.
    #[test]
    fn old_messages_are_still_understood() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/keeper");
        let read = |version| std::fs::read_to_string(format!("{folder}/v{version}.jsonl")).unwrap();
        let texts: Vec<String> = (OLDEST..=VERSION).map(read).collect();
        for line in texts.iter().flat_map(|text| text.lines()) {
            let (kind, json) = line.split_once(' ').unwrap();
            let error = match kind {
                "to-keeper" => serde_json::from_str::<ToKeeper>(json).err(),
                "to-daemon" => serde_json::from_str::<ToDaemon>(json).err(),
                "to-scribe" => serde_json::from_str::<ToScribe>(json).err(),
                "to-scribe-of-keeper" => serde_json::from_str::<KeeperToScribe>(json).err(),
                "from-scribe" => serde_json::from_str::<FromScribe>(json).err(),
                "entry" => serde_json::from_str::<Entry>(json).err(),
                other => panic!("unknown kind {other}"),
            };
            assert!(error.is_none(), "{line}: {error:?}");
        }
    }
}
