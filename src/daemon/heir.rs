//! The daemon is the keeper's heir: should the keeper be killed, the daemon becomes the keeper, with the same pid, and
//! starts a new daemon and a new scribe. For that day it holds what would die with the keeper: lock, socket, the stage
//! of the logs, and a handle on each main process, through which the kernel tells how it ended.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::names::{InstanceId, RunId};
use crate::keeper::handover::{Handover, hold_stage, own_program};
use crate::keeper::lane::Lane;
use crate::platform::procfs;
use crate::platform::service;
use crate::platform::signal::PidFd;

/// How long a keeper whose link is over may take to be dead: the kernel closes its descriptors first.
const DYING: Duration = Duration::from_secs(5);

/// What is held for the day the keeper dies.
#[derive(Debug)]
pub(super) struct Heir {
    keeper: PidFd,
    keeper_pid: i32,
    lock: OwnedFd,
    listener: OwnedFd,
    file_limit: (u64, u64),
    mains: BTreeMap<InstanceId, (RunId, PidFd)>,
    volatile: PathBuf,
    /// What keeps the bytes on their way to logs.
    stages: BTreeMap<Lane, OwnedFd>,
}

impl Heir {
    /// Begins to hold.
    ///
    /// # Errors
    /// The kernel's: the keeper is gone already, no descriptors.
    pub(super) fn new(
        keeper_pid: i32,
        lock: OwnedFd,
        listener: OwnedFd,
        file_limit: (u64, u64),
        volatile: &Path,
    ) -> io::Result<Self> {
        Ok(Self {
            keeper: PidFd::open(keeper_pid)?,
            keeper_pid,
            lock,
            listener,
            file_limit,
            mains: BTreeMap::new(),
            volatile: volatile.to_owned(),
            stages: BTreeMap::from([(Lane::MAIN, hold_stage(volatile, Lane::MAIN)?)]),
        })
    }

    /// Holds a main process.
    pub(super) fn hold(&mut self, id: InstanceId, run: RunId, pid: i32, start: u64) {
        // The handle first, then the identity: what it means can no longer change.
        if let Ok(handle) = PidFd::open(pid)
            && procfs::stat(pid).is_some_and(|stat| stat.start == start)
        {
            self.mains.insert(id, (run, handle));
        }
    }

    /// Holds what is on its way to the logs of a lane.
    pub(super) fn hold_stage(&mut self, lane: Lane) {
        if let Ok(stage) = hold_stage(&self.volatile, lane) {
            self.stages.insert(lane, stage);
        }
    }

    /// The scribe of a lane is gone: the keeper holds it, or nothing is on its way any more.
    pub(super) fn let_go_of_stage(&mut self, lane: Lane) {
        if lane != Lane::MAIN {
            self.stages.remove(&lane);
        }
    }

    /// Lets go of it.
    pub(super) fn let_go(&mut self, id: InstanceId) {
        self.mains.remove(&id);
    }

    /// Becomes the keeper, if that is dead and nobody else brings it back; this daemon's `last_words` come before. Returns
    /// only when it does not.
    pub(super) fn succeed(&self, last_words: impl FnOnce()) -> io::Error {
        if !self.keeper.wait(DYING).unwrap_or(false) {
            return io::Error::other("the keeper lives, and has closed its link");
        }
        if service::restarts(self.keeper_pid) {
            return io::Error::other("the keeper is gone; systemd starts the next one");
        }
        tracing::warn!(
            "the keeper is gone: this process becomes the keeper, and starts the next daemon"
        );
        last_words();
        let program = match own_program() {
            Ok(program) => program,
            Err(error) => return error,
        };
        let handles = self.mains.iter();
        Handover {
            heir: true,
            foreground: false,
            lock: self.lock.as_fd(),
            listener: self.listener.as_fd(),
            // In the order of lanes: the first is that of all logs.
            stages: self.stages.values().map(AsFd::as_fd).collect(),
            back: None,
            file_limit: self.file_limit,
            handles: handles
                .map(|(id, (run, handle))| (*id, *run, handle.as_fd()))
                .collect(),
            results: Vec::new(),
        }
        .become_keeper(program.as_fd())
    }
}
