//! The keeper's loop.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::Signal as Native;
use nix::sys::signalfd::SignalFd;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::pulse::Pulse;
use crate::platform::beat::Beat;
use crate::platform::cgroup::Home;
use crate::platform::clock::{as_ns, monotonic_ns};
use crate::platform::descriptor::Reserve;
use crate::platform::failpoint::failpoint;
use crate::platform::memory;
use crate::platform::signal::{self, PidFd};

use super::begin::Setup;
use super::children::Pending;
use super::ending::LastGrace;
use super::lane::Lane;
use super::link::Link;
use super::loss;
use super::protocol::{Before, Entry, NOTE_MAX, RunState, ToDaemon, ToKeeper};
use super::runs::{Pids, PipeEnd, PipeKey};
use super::scribes::{Heard, Scribe};
use super::table::{Table, TableError};

/// How long after a `TERM` a daemon may take to say that it is stopping.
const SHUTDOWN_ANSWER: Duration = Duration::from_secs(10);
/// What a burst of spawns needed is given back this long after it.
pub(super) const TIDY: Duration = Duration::from_secs(5);
/// How long the scribes may take to write what waits at the end.
const SCRIBE_GRACE: Duration = Duration::from_secs(5);
/// The longest wait before a role that keeps dying before it took over is started again.
const ROLE_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A daemon that never took over this often, with nothing to look after, is given up.
pub(super) const HOPELESS: u32 = 3;

/// Why the keeper could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    /// The kernel's word.
    #[error("the keeper could not {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The daemon does not start.
    #[error("the daemon ended {0} times before it was ready")]
    Hopeless(u32),
}

pub(super) fn doing<T>(what: &'static str, result: io::Result<T>) -> Result<T, KeeperError> {
    result.map_err(|source| KeeperError::Io { what, source })
}

pub(super) const SIGNALS: u64 = 0;
pub(super) const DAEMON: u64 = 1;
/// Above these, `key × 4 + kind`, and far above those the scribes.
pub(super) const RESULT: u64 = 3;
pub(super) const ADOPTED: u64 = 2;

pub(super) struct RoleProcess {
    pub(super) pid: i32,
    pub(super) link: Link,
    /// It took over, or needs no taking over.
    pub(super) ready: bool,
    pub(super) beat: Beat,
    pub(super) pulse: Pulse,
}

pub(super) struct Keeper {
    pub(super) setup: Setup,
    pub(super) epoll: Epoll,
    pub(super) signals: SignalFd,
    pub(super) table: Table,
    /// Where each run gets a control group, when this is possible here.
    pub(super) home: Option<Home>,
    /// By what they write.
    pub(super) scribes: BTreeMap<Lane, Scribe>,
    pub(super) null: OwnedFd,
    /// For the next run of what ran already, and for the roles, when there are no other descriptors.
    pub(super) reserve: Reserve,
    pub(super) file_limit: (u64, u64),
    pub(super) daemon: Option<RoleProcess>,
    /// Daemons that said their last word and are not reaped yet.
    pub(super) leaving: Vec<i32>,
    /// What became of the last one.
    pub(super) before: Before,
    /// When to look whether the roles answer.
    pub(super) watch_due: u64,
    /// When to give back what a burst of spawns needed.
    pub(super) tidy_due: Option<u64>,
    /// Monotonic nanoseconds.
    pub(super) daemon_due: Option<u64>,
    pub(super) daemon_failures: u32,
    pub(super) pipes: BTreeMap<PipeKey, PipeEnd>,
    pub(super) results: HashMap<InstanceId, Pending>,
    pub(super) pids: Pids,
    pub(super) adopted: HashMap<InstanceId, PidFd>,
    /// Children have ended that nobody has collected.
    pub(super) to_reap: bool,
    /// Pipes that are empty and at their end, and that were not let go of.
    pub(super) drained: VecDeque<PipeKey>,
    /// Children that were told to end last.
    pub(super) ending_pids: VecDeque<i32>,
    /// Everything is to end; at once, if so.
    pub(super) shutdown: Option<bool>,
    /// When to look again at adopted children that have not become their program.
    pub(super) forked_due: Option<u64>,
    pub(super) shutdown_due: Option<u64>,
    pub(super) ending: Option<LastGrace>,
    pub(super) quitting: bool,
    /// When not to wait any more for what the scribes still write at the end.
    pub(super) quit_due: Option<u64>,
    /// The build to go on as when the daemon has left.
    pub(super) successor: Option<OwnedFd>,
    /// When not to wait any more for the death of roles that were killed at the end.
    pub(super) last_due: Option<u64>,
}

impl Keeper {
    pub(super) fn watch(&self, token: u64) -> Result<(), KeeperError> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
        doing(
            "watch its signals",
            self.epoll.add(&self.signals, event).map_err(Into::into),
        )
    }

    pub(super) fn turn_until_done(&mut self) -> Result<(), KeeperError> {
        let mut events = [EpollEvent::empty(); 64];
        loop {
            let now = monotonic_ns();
            if self.deadlines(now)? {
                return Ok(());
            }
            let next = if self.to_reap || !self.drained.is_empty() {
                Some(0)
            } else {
                self.next_deadline()
            };
            let timeout = next.map_or(EpollTimeout::NONE, |due| {
                let ms = due.saturating_sub(monotonic_ns()).div_ceil(1_000_000);
                EpollTimeout::from(u16::try_from(ms).unwrap_or(u16::MAX))
            });
            let count = match self.epoll.wait(&mut events, timeout) {
                Ok(count) => count,
                Err(nix::errno::Errno::EINTR) => 0,
                Err(error) => return doing("wait", Err(error.into())),
            };
            for event in &events[..count] {
                match event.data() {
                    SIGNALS => self.signalled(),
                    DAEMON => self.heard_daemon(),
                    other => match Heard::of(other) {
                        Some(Heard::Scribe(lane)) => self.heard_scribe(lane),
                        Some(Heard::Old(lane)) => self.old_scribe_is_over(lane),
                        None => self.heard_run(other),
                    },
                }
            }
            if self.to_reap {
                self.reap();
            }
            self.let_go_of_some();
            self.arm_links();
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        if self.quitting {
            return self.quit_due.or(self.last_due);
        }
        let ending = self.ending.map(LastGrace::due);
        [
            Some(self.watch_due),
            self.daemon_due,
            self.scribes.values().filter_map(Scribe::next_due).min(),
            self.shutdown_due,
            ending,
            self.tidy_due,
            self.forked_due,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// True when all is over.
    fn deadlines(&mut self, now: u64) -> Result<bool, KeeperError> {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if self.quitting {
            let written = self.scribes.values().all(|scribe| scribe.role.is_none());
            let reaped = written && self.daemon.is_none() && self.leaving.is_empty();
            if due(self.quit_due) {
                self.quit_due = None;
                self.last_due = Some(now + as_ns(SCRIBE_GRACE));
                self.kill_roles();
            }
            if reaped || due(self.last_due) {
                let lost = loss::find(&self.pipes);
                if !lost.is_empty() {
                    loss::leave_word(self.setup.paths.lost(), &lost);
                }
                let _ = std::fs::remove_dir_all(&self.setup.paths.volatile);
                return Ok(true);
            }
            return Ok(false);
        }
        self.look_after_roles(now);
        if due(self.tidy_due) {
            self.tidy_due = None;
            memory::give_back();
        }
        if due(self.forked_due) {
            self.forked_due = None;
            self.look_at_all_forked();
        }
        self.tend_scribes(now);
        if due(self.daemon_due) {
            self.daemon_due = None;
            self.start_daemon()?;
        }
        if due(self.shutdown_due) {
            self.shutdown_due = None;
            self.end_all_myself();
        }
        if self.ending.is_some() {
            self.go_on_ending(now);
        }
        Ok(false)
    }

    /// Asks to hear when a link that has something to send can take it.
    fn arm_links(&mut self) {
        let scribes = self.scribes.iter();
        let scribes = scribes.map(|(lane, it)| (&it.role, Heard::Scribe(*lane).token()));
        for (role, token) in scribes.chain([(&self.daemon, DAEMON)]) {
            if let Some(role) = role {
                let mut flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
                flags.set(EpollFlags::EPOLLOUT, role.link.wants_write());
                let mut event = EpollEvent::new(flags, token);
                let _ = self.epoll.modify(&role.link, &mut event);
            }
        }
    }

    fn signalled(&mut self) {
        while let Ok(Some(info)) = self.signals.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            match Native::try_from(number) {
                Ok(Native::SIGCHLD) => self.to_reap = true,
                Ok(Native::SIGTERM | Native::SIGINT) => self.shut_down(false),
                Ok(Native::SIGQUIT) => self.shut_down(true),
                Ok(Native::SIGHUP) => self.tell_daemon(&ToDaemon::Reopen),
                Ok(Native::SIGUSR1) => self.tell_daemon(&ToDaemon::Dump),
                Ok(_) | Err(_) => {}
            }
        }
    }

    pub(super) fn shut_down(&mut self, at_once: bool) {
        self.shutdown = Some(at_once);
        self.tell_daemon(&ToDaemon::Shutdown { at_once });
        if self.shutdown_due.is_none() && self.ending.is_none() {
            self.shutdown_due = Some(monotonic_ns() + as_ns(SHUTDOWN_ANSWER));
        }
    }

    pub(super) fn apply(&mut self, message: ToKeeper) {
        match message {
            ToKeeper::Ready { .. } => {
                self.daemon_failures = 0;
                if let Some(daemon) = &mut self.daemon {
                    daemon.ready = true;
                }
                // It has looked for what was missing, and said so before.
                let _ = self.table.complete();
            }
            // Whatever a daemon still wanted: nothing begins any more.
            ToKeeper::Spawn { .. } if self.ending.is_some() => {}
            ToKeeper::Spawn {
                key,
                run,
                note,
                child,
                routes,
            } => self.spawn(key, run, note, &child, routes),
            ToKeeper::Note { key, note } => self.note(key, note, None),
            ToKeeper::Settle { key, run, note } => self.note(key, note, Some(run)),
            ToKeeper::Signal {
                key,
                run,
                signal,
                main,
                note,
            } => {
                self.note(key, note, None);
                let live = self
                    .table
                    .get(key)
                    .filter(|e| e.run == run && e.is_live())
                    .cloned();
                failpoint!("keeper.signal.noted");
                if let Some(entry) = live {
                    self.expect_end(entry.pid);
                    self.signal(&entry, signal, main);
                }
                failpoint!("keeper.signal.sent");
            }
            ToKeeper::Retire { key } => {
                let _ = self.table.remove(key);
                failpoint!("keeper.retired");
            }
            ToKeeper::Stopping => {
                self.shutdown = None;
                self.shutdown_due = None;
            }
            ToKeeper::Quit => self.quit(),
            ToKeeper::ReplaceScribe => self.end_scribes(),
            ToKeeper::Scribe { folder } => drop(self.want_scribe(folder)),
            ToKeeper::Limits { key, routes } => self.renew_limits(key, &routes),
            ToKeeper::Adopt { entry } => self.adopt_unlisted(*entry),
            // Its descriptor was taken where it came.
            ToKeeper::Upgrade => {}
        }
    }

    pub(super) fn note(&mut self, key: InstanceId, note: String, settle: Option<RunId>) {
        if note.len() > NOTE_MAX {
            return;
        }
        let mut entry = self
            .table
            .get(key)
            .cloned()
            .unwrap_or_else(|| Entry::new(key));
        entry.note = note;
        failpoint!("keeper.note.read");
        if let (Some(run), RunState::Exited(_)) = (settle, entry.state)
            && entry.run == run
        {
            entry.state = RunState::Settled;
        }
        let _ = self.table.put(entry);
        failpoint!("keeper.note.written");
    }

    /// What had its time at the end and is not over: nobody is told that all is over while a role lives.
    fn kill_roles(&self) {
        let scribes = self.scribes.values().map(|scribe| &scribe.role);
        let roles = scribes.chain([&self.daemon]).flatten();
        for pid in roles.map(|role| &role.pid).chain(&self.leaving) {
            let _ = signal::send_to_child(*pid, crate::domain::exit::Signal::KILL);
        }
    }

    pub(super) fn quit(&mut self) {
        if self.quitting {
            return;
        }
        self.quitting = true;
        self.end_scribes();
        self.quit_due = Some(monotonic_ns() + as_ns(SCRIBE_GRACE));
    }
}

pub(super) fn token(key: InstanceId, kind: u64) -> u64 {
    // Keys begin at 1, so that these never meet the fixed tokens.
    u64::from(key.0) * 4 + kind
}

pub(super) fn backoff(failures: u32) -> u64 {
    let wait = Duration::from_millis(100).saturating_mul(1 << failures.min(10));
    as_ns(wait.min(ROLE_BACKOFF_MAX))
}

/// This very build, also when the file was replaced meanwhile.
pub(super) fn own_binary() -> &'static Path {
    Path::new("/proc/self/exe")
}
