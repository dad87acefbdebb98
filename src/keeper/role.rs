//! The keeper's loop.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::Flock;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::Signal as Native;
use nix::sys::signalfd::SignalFd;

use crate::domain::exit::{Ending, Exit, Signal};
use crate::domain::names::{InstanceId, RunId};
use crate::platform::child::{self, ExecFailure, Reaped};
use crate::platform::clock::{as_ns, boot_id, monotonic_ns, wall_ms};
use crate::platform::paths::Paths;
use crate::platform::signal::{self, PidFd};
use crate::platform::{descriptor, folder, procfs};

use super::link::{Link, LinkError};
use super::protocol::{
    ChildSpec, Entry, KeeperToScribe, NOTE_MAX, Routes, RunState, ScribeToKeeper, ToDaemon,
    ToKeeper, VERSION,
};
use super::runs::{self, Outcome, Pids, PipeEnd, PipeKey, Stage};
use super::table::{Table, TableError};

/// How long after a `TERM` a daemon may take to say that it is stopping.
const SHUTDOWN_ANSWER: Duration = Duration::from_secs(10);
/// What processes get when the keeper has to end them itself.
const LAST_GRACE: Duration = Duration::from_secs(10);
/// How long the scribe may take to write what waits at the end.
const SCRIBE_GRACE: Duration = Duration::from_secs(5);
/// The longest wait before a role that keeps dying before it took over is started again.
const ROLE_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A daemon that never took over this often, with nothing to look after, is given up.
const HOPELESS: u32 = 3;

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

fn doing<T>(what: &'static str, result: io::Result<T>) -> Result<T, KeeperError> {
    result.map_err(|source| KeeperError::Io { what, source })
}

/// What the keeper begins with.
pub(crate) struct Setup {
    /// Where everything lies.
    pub paths: Paths,
    /// The lock of the state folder: nobody reads it, it is held for life.
    #[expect(dead_code, reason = "held, not read")]
    pub lock: Flock<File>,
    /// The API's socket, bound and listening.
    pub listener: UnixListener,
    /// Whether a person or systemd watches standard error.
    pub foreground: bool,
}

const SIGNALS: u64 = 0;
const DAEMON: u64 = 1;
const SCRIBE: u64 = 2;
/// Above these, `key × 4 + kind`.
const RESULT: u64 = 3;
const ADOPTED: u64 = 2;

struct RoleProcess {
    pid: i32,
    link: Link,
    ready: bool,
}

struct Keeper {
    setup: Setup,
    epoll: Epoll,
    signals: SignalFd,
    table: Table,
    stage: Stage,
    null: OwnedFd,
    file_limit: (u64, u64),
    daemon: Option<RoleProcess>,
    scribe: Option<RoleProcess>,
    /// A daemon that said its last word and is not reaped yet.
    leaving: Option<i32>,
    /// Monotonic nanoseconds.
    daemon_due: Option<u64>,
    scribe_due: Option<u64>,
    daemon_failures: u32,
    scribe_failures: u32,
    pipes: BTreeMap<PipeKey, PipeEnd>,
    results: HashMap<InstanceId, Pending>,
    pids: Pids,
    adopted: HashMap<InstanceId, PidFd>,
    shutdown_due: Option<u64>,
    ending: Option<LastGrace>,
    quitting: bool,
}

/// A child whose exec has not been told yet.
struct Pending {
    run: RunId,
    result: OwnedFd,
    /// What the result said: it can be read only once, and is told with the exit that follows.
    failure: Option<ExecFailure>,
}

/// The keeper ends everything itself.
#[derive(Debug, Clone, Copy)]
struct LastGrace {
    kill_at: u64,
}

/// Runs the keeper until everything has ended.
///
/// # Errors
/// What kept it from beginning, or a daemon that does not start.
pub(crate) fn run(setup: Setup) -> Result<(), KeeperError> {
    doing("become the parent of orphans", child::become_subreaper())?;
    doing("ignore SIGPIPE", signal::ignore_write_signals())?;
    let signals = doing(
        "listen to signals",
        signal::listen(&[
            Native::SIGCHLD,
            Native::SIGTERM,
            Native::SIGINT,
            Native::SIGQUIT,
            Native::SIGHUP,
            Native::SIGUSR1,
        ]),
    )?;
    let file_limit = doing("raise the file limit", descriptor::raise_file_limit())?;
    doing(
        "make the folder of pipes",
        folder::make_private(&setup.paths.pipes()),
    )?;
    let table = Table::open(&setup.paths.table(), &boot_id())?;
    let epoll = doing(
        "make an epoll",
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Into::into),
    )?;
    let null = doing(
        "open /dev/null",
        File::options().read(true).open("/dev/null"),
    )?
    .into();
    let mut keeper = Keeper {
        stage: doing("make the stage", Stage::make())?,
        setup,
        epoll,
        signals,
        table,
        null,
        file_limit,
        daemon: None,
        scribe: None,
        leaving: None,
        daemon_due: Some(0),
        scribe_due: Some(0),
        daemon_failures: 0,
        scribe_failures: 0,
        pipes: BTreeMap::new(),
        results: HashMap::new(),
        pids: HashMap::new(),
        adopted: HashMap::new(),
        shutdown_due: None,
        ending: None,
        quitting: false,
    };
    keeper.watch(SIGNALS)?;
    keeper.adopt();
    keeper.turn_until_done()
}

impl Keeper {
    fn watch(&self, token: u64) -> Result<(), KeeperError> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
        doing(
            "watch its signals",
            self.epoll.add(&self.signals, event).map_err(Into::into),
        )
    }

    /// Takes over what an earlier keeper of this boot left: only what still has the same pid and start.
    fn adopt(&mut self) {
        let entries: Vec<Entry> = self.table.entries().cloned().collect();
        for entry in entries {
            let key = entry.key;
            match entry.state {
                RunState::Forked | RunState::Executed => {
                    let handle = PidFd::open(entry.pid).ok();
                    let same = procfs::is_alive(entry.pid, entry.start);
                    if let (Some(handle), true) = (handle, same) {
                        let event = EpollEvent::new(EpollFlags::EPOLLIN, token(key, ADOPTED));
                        let _ = self.epoll.add(&handle, event);
                        self.adopted.insert(key, handle);
                        let _ = self.table.change(key, |e| e.adopted = true);
                    } else {
                        self.gone_unseen(key);
                    }
                }
                RunState::Reserved => self.gone_unseen(key),
                RunState::None | RunState::Exited(_) | RunState::Settled => {}
            }
        }
        let folder = self.setup.paths.pipes();
        let Ok(names) = std::fs::read_dir(&folder) else {
            return;
        };
        for name in names.flatten() {
            let pipe = name.file_name().to_str().and_then(PipeKey::parse);
            let route = pipe.and_then(|p| {
                let routes = self.table.get(p.key)?.routes.clone()?;
                routes
                    .each()
                    .find(|(s, _)| *s == p.stream)
                    .map(|(_, r)| r.clone())
            });
            match (pipe, route) {
                (Some(pipe), Some(route)) => {
                    if let Ok(end) = PipeEnd::reopen(&folder, pipe, route) {
                        self.pipes.insert(pipe, end);
                    }
                }
                _ => {
                    let _ = std::fs::remove_file(name.path());
                }
            }
        }
    }

    fn gone_unseen(&mut self, key: InstanceId) {
        let exit = Exit {
            ending: Ending::Unknown,
            at_ms: wall_ms(),
            cpu_ms: 0,
            peak_rss: 0,
        };
        let _ = self.table.change(key, |e| e.state = RunState::Exited(exit));
    }

    fn turn_until_done(&mut self) -> Result<(), KeeperError> {
        let mut events = [EpollEvent::empty(); 64];
        loop {
            let now = monotonic_ns();
            if self.deadlines(now)? {
                return Ok(());
            }
            let timeout = self.next_deadline().map_or(EpollTimeout::NONE, |due| {
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
                    SCRIBE => self.heard_scribe(),
                    other => self.heard_run(other),
                }
            }
            self.arm_links();
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        if self.quitting {
            return self.scribe_due;
        }
        let ending = self.ending.map(|e| e.kill_at);
        [self.daemon_due, self.scribe_due, self.shutdown_due, ending]
            .into_iter()
            .flatten()
            .min()
    }

    /// True when all is over.
    fn deadlines(&mut self, now: u64) -> Result<bool, KeeperError> {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if self.quitting {
            let reaped = self.scribe.is_none() && self.daemon.is_none() && self.leaving.is_none();
            if reaped || due(self.scribe_due) {
                let _ = std::fs::remove_dir_all(&self.setup.paths.volatile);
                return Ok(true);
            }
            return Ok(false);
        }
        if due(self.scribe_due) {
            self.scribe_due = None;
            self.start_scribe();
        }
        if due(self.daemon_due) {
            self.daemon_due = None;
            self.start_daemon()?;
        }
        if due(self.shutdown_due) {
            self.shutdown_due = None;
            self.end_all_myself();
        }
        if due(self.ending.map(|e| e.kill_at)) {
            self.signal_all(Signal::KILL);
            self.ending = Some(LastGrace {
                kill_at: now + as_ns(LAST_GRACE),
            });
        }
        if self.ending.is_some() && self.table.entries().all(|e| !e.is_live()) {
            self.quit();
        }
        Ok(false)
    }

    fn start_scribe(&mut self) {
        let made = Link::pair().and_then(|(link, theirs)| {
            let pid = child::spawn_role(&["__scribe"], &[theirs.as_fd()], own_binary())?;
            Ok((link, pid))
        });
        let (mut link, pid) = match made {
            Ok(made) => made,
            Err(_) => {
                self.scribe_due = Some(monotonic_ns() + backoff(self.scribe_failures));
                self.scribe_failures += 1;
                return;
            }
        };
        let _ = self
            .stage
            .copies()
            .map(|fds| link.send(&KeeperToScribe::Stage, fds));
        for (pipe, end) in &self.pipes {
            if let Ok(fd) = end.read.try_clone() {
                let _ = link.send(&pipe_message(*pipe, end), vec![fd]);
            }
        }
        self.add_link(&link, SCRIBE);
        self.scribe = Some(RoleProcess {
            pid,
            link,
            ready: false,
        });
        self.introduce();
    }

    /// Gives daemon and scribe a socket to each other.
    fn introduce(&mut self) {
        let (Some(daemon), Some(scribe)) = (&mut self.daemon, &mut self.scribe) else {
            return;
        };
        if let Ok((a, b)) = std::os::unix::net::UnixStream::pair() {
            let _ = scribe.link.send(&KeeperToScribe::Daemon, vec![a.into()]);
            let _ = daemon
                .link
                .send(&ToDaemon::Scribe { pid: scribe.pid }, vec![b.into()]);
        }
    }

    fn start_daemon(&mut self) -> Result<(), KeeperError> {
        let live = self.table.entries().any(Entry::is_live);
        if self.daemon_failures >= HOPELESS && !live {
            self.drop_scribe();
            return Err(KeeperError::Hopeless(self.daemon_failures));
        }
        let epoch = self.table.next_epoch()?;
        let mut args = vec!["__daemon"];
        if self.setup.foreground {
            args.push("--foreground");
        }
        let made = Link::pair().and_then(|(link, theirs)| {
            let fds = [theirs.as_fd(), self.setup.listener.as_fd()];
            let pid = child::spawn_role(&args, &fds, own_binary())?;
            Ok((link, pid))
        });
        let (mut link, pid) = match made {
            Ok(made) => made,
            Err(_) => {
                self.daemon_due = Some(monotonic_ns() + backoff(self.daemon_failures));
                self.daemon_failures += 1;
                return Ok(());
            }
        };
        let welcome = ToDaemon::Welcome {
            version: VERSION,
            epoch,
            keeper_pid: nix::unistd::getpid().as_raw(),
            scribe_pid: self.scribe.as_ref().map_or(0, |s| s.pid),
            volatile: self.setup.paths.volatile.clone(),
            file_limit: self.file_limit,
            entries: self.table.entries().cloned().collect(),
        };
        let _ = link.send(&welcome, vec![]);
        self.add_link(&link, DAEMON);
        self.daemon = Some(RoleProcess {
            pid,
            link,
            ready: false,
        });
        self.introduce();
        Ok(())
    }

    fn add_link(&self, link: &Link, token: u64) {
        let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP, token);
        let _ = self.epoll.add(link, event);
    }

    /// Asks to hear when a link that has something to send can take it.
    fn arm_links(&mut self) {
        for (role, token) in [(&self.daemon, DAEMON), (&self.scribe, SCRIBE)] {
            if let Some(role) = role {
                let mut flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
                flags.set(EpollFlags::EPOLLOUT, role.link.wants_write());
                let mut event = EpollEvent::new(flags, token);
                let _ = self.epoll.modify(&role.link, &mut event);
            }
        }
    }

    fn tell_daemon(&mut self, message: &ToDaemon) {
        let stuck = self
            .daemon
            .as_mut()
            .is_some_and(|d| matches!(d.link.send(message, vec![]), Err(LinkError::Stuck)));
        if stuck {
            // It stopped reading long ago: what it missed is in the table, which the next one reads.
            self.daemon_is_over();
        }
    }

    fn signalled(&mut self) {
        while let Ok(Some(info)) = self.signals.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            match Native::try_from(number) {
                Ok(Native::SIGCHLD) => self.reap(),
                Ok(Native::SIGTERM | Native::SIGINT) => self.shut_down(false),
                Ok(Native::SIGQUIT) => self.shut_down(true),
                Ok(Native::SIGHUP) => self.tell_daemon(&ToDaemon::Reopen),
                Ok(Native::SIGUSR1) => self.tell_daemon(&ToDaemon::Dump),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn shut_down(&mut self, at_once: bool) {
        self.tell_daemon(&ToDaemon::Shutdown { at_once });
        if self.shutdown_due.is_none() && self.ending.is_none() {
            self.shutdown_due = Some(monotonic_ns() + as_ns(SHUTDOWN_ANSWER));
        }
    }

    /// No daemon answers: the keeper does what is left to do.
    fn end_all_myself(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            let _ = signal::send_to_child(daemon.pid, Signal::KILL);
            self.leaving = Some(daemon.pid);
        }
        self.daemon_due = None;
        self.signal_all(Signal::TERM);
        self.ending = Some(LastGrace {
            kill_at: monotonic_ns() + as_ns(LAST_GRACE),
        });
    }

    fn signal_all(&mut self, what: Signal) {
        let live: Vec<Entry> = self
            .table
            .entries()
            .filter(|e| e.is_live())
            .cloned()
            .collect();
        for entry in live {
            self.signal(&entry, what);
        }
    }

    fn signal(&self, entry: &Entry, what: Signal) {
        // A child of ours that is not reaped keeps its pid; an adopted one is reached by its handle.
        if let Some(handle) = self.adopted.get(&entry.key) {
            if procfs::is_alive(entry.pid, entry.start) {
                let _ = signal::send_to_group(entry.pid, what);
            } else {
                let _ = handle.send(what);
            }
        } else if self.pids.contains_key(&entry.pid) {
            let _ = signal::send_to_group(entry.pid, what);
        }
    }

    fn reap(&mut self) {
        let mut orphans = false;
        while let Some(reaped) = child::reap() {
            if self.daemon.as_ref().is_some_and(|d| d.pid == reaped.pid) {
                self.daemon_is_over();
                self.leaving = None;
            } else if self.leaving == Some(reaped.pid) {
                self.leaving = None;
            } else if self.scribe.as_ref().is_some_and(|s| s.pid == reaped.pid) {
                self.scribe_is_over();
            } else if let Some((key, run)) = self.pids.remove(&reaped.pid) {
                self.exited(key, run, reaped);
            } else {
                orphans = true;
            }
        }
        if orphans {
            self.tell_daemon(&ToDaemon::Orphans);
        }
    }

    fn exited(&mut self, key: InstanceId, run: RunId, reaped: Reaped) {
        let mut ending = reaped.ending;
        if let Some(pending) = self
            .results
            .remove(&key)
            .filter(|pending| pending.run == run)
        {
            let outcome = pending
                .failure
                .map_or_else(|| runs::outcome(&pending.result), Outcome::Failed);
            match outcome {
                Outcome::Failed(failure) => ending = failure.ending(),
                Outcome::Executed => self.tell_daemon(&ToDaemon::Executed { key, run }),
                Outcome::Waiting => {}
            }
        }
        let exit = Exit {
            ending,
            at_ms: wall_ms(),
            cpu_ms: reaped.cpu_ms,
            peak_rss: reaped.peak_rss,
        };
        let _ = self.table.change(key, |e| {
            if e.run == run {
                e.state = RunState::Exited(exit);
            }
        });
        self.tell_daemon(&ToDaemon::Exited { key, run, exit });
    }

    fn heard_run(&mut self, token: u64) {
        let key = InstanceId(u32::try_from(token / 4).unwrap_or(0));
        if token % 4 == ADOPTED {
            self.adopted_ended(key);
            return;
        }
        let Some(pending) = self.results.get_mut(&key) else {
            return;
        };
        let run = pending.run;
        match runs::outcome(&pending.result) {
            Outcome::Waiting => {}
            Outcome::Failed(failure) => {
                pending.failure = Some(failure);
                let _ = self.epoll.delete(&pending.result);
            }
            Outcome::Executed => {
                self.results.remove(&key);
                let _ = self.table.change(key, |e| {
                    if e.run == run && e.state == RunState::Forked {
                        e.state = RunState::Executed;
                    }
                });
                self.tell_daemon(&ToDaemon::Executed { key, run });
            }
        }
    }

    fn adopted_ended(&mut self, key: InstanceId) {
        self.adopted.remove(&key);
        let Some(entry) = self.table.get(key).cloned() else {
            return;
        };
        if entry.is_live() {
            self.gone_unseen(key);
            if let Some(Entry {
                state: RunState::Exited(exit),
                run,
                ..
            }) = self.table.get(key).cloned()
            {
                self.tell_daemon(&ToDaemon::Exited { key, run, exit });
            }
        }
    }

    fn heard_daemon(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let mut over = daemon.link.flush().is_err() | daemon.link.fill().is_err();
        loop {
            let Some(daemon) = &mut self.daemon else {
                return;
            };
            match daemon.link.next::<ToKeeper>() {
                Ok(Some(message)) => self.apply(message),
                Ok(None) => break,
                Err(_) => {
                    over = true;
                    break;
                }
            }
        }
        if over {
            self.daemon_is_over();
        }
    }

    /// Reads what the daemon said to the end, applies it, and starts the next.
    fn daemon_is_over(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        let _ = signal::send_to_child(daemon.pid, Signal::KILL);
        self.leaving = Some(daemon.pid);
        let _ = daemon.link.fill();
        let _ = self.epoll.delete(&daemon.link);
        let mut ready = daemon.ready;
        while let Ok(Some(message)) = daemon.link.next::<ToKeeper>() {
            ready |= matches!(message, ToKeeper::Ready { .. });
            self.apply(message);
        }
        if self.quitting || self.ending.is_some() {
            return;
        }
        if ready {
            self.daemon_failures = 0;
            self.daemon_due = Some(0);
        } else {
            self.daemon_due = Some(monotonic_ns() + backoff(self.daemon_failures));
            self.daemon_failures += 1;
        }
    }

    fn apply(&mut self, message: ToKeeper) {
        match message {
            ToKeeper::Ready { .. } => {
                self.daemon_failures = 0;
                if let Some(daemon) = &mut self.daemon {
                    daemon.ready = true;
                }
            }
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
                note,
            } => {
                self.note(key, note, None);
                let live = self
                    .table
                    .get(key)
                    .filter(|e| e.run == run && e.is_live())
                    .cloned();
                if let Some(entry) = live {
                    self.signal(&entry, signal);
                }
            }
            ToKeeper::Retire { key } => {
                let _ = self.table.remove(key);
            }
            ToKeeper::Stopping => self.shutdown_due = None,
            ToKeeper::Quit => self.quit(),
            ToKeeper::ReplaceScribe => self.drop_scribe(),
        }
    }

    fn note(&mut self, key: InstanceId, note: String, settle: Option<RunId>) {
        if note.len() > NOTE_MAX {
            return;
        }
        let mut entry = self
            .table
            .get(key)
            .cloned()
            .unwrap_or_else(|| Entry::new(key));
        entry.note = note;
        if let (Some(run), RunState::Exited(_)) = (settle, entry.state)
            && entry.run == run
        {
            entry.state = RunState::Settled;
        }
        let _ = self.table.put(entry);
    }

    fn spawn(
        &mut self,
        key: InstanceId,
        run: RunId,
        note: String,
        spec: &ChildSpec,
        routes: Routes,
    ) {
        let refuse = |why: String| ToDaemon::SpawnFailed { key, run, why };
        let before = self
            .table
            .get(key)
            .cloned()
            .unwrap_or_else(|| Entry::new(key));
        if run <= before.run || before.is_live() {
            let why = format!("run {run} was refused: run {} came before it", before.run);
            self.tell_daemon(&refuse(why));
            return;
        }
        let entry = Entry {
            key,
            run,
            pid: 0,
            start: 0,
            state: RunState::Reserved,
            adopted: false,
            note,
            routes: Some(routes.clone()),
        };
        if let Err(error) = self.table.put(entry) {
            self.tell_daemon(&refuse(error.to_string()));
            return;
        }
        let folder = self.setup.paths.pipes();
        let made = runs::make(
            &folder,
            key,
            run,
            spec,
            &routes,
            &self.null,
            self.file_limit,
        );
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                let _ = self.table.change(key, |e| e.state = RunState::Settled);
                self.tell_daemon(&refuse(format!("no child could be made: {error}")));
                return;
            }
        };
        let _ = self.table.change(key, |e| {
            e.pid = made.pid;
            e.start = made.start;
            e.state = RunState::Forked;
        });
        self.pids.insert(made.pid, (key, run));
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token(key, RESULT));
        let _ = self.epoll.add(&made.result, event);
        let pending = Pending {
            run,
            result: made.result,
            failure: None,
        };
        self.results.insert(key, pending);
        for (pipe, end) in made.pipes {
            if let (Some(scribe), Ok(fd)) = (&mut self.scribe, end.read.try_clone()) {
                let _ = scribe.link.send(&pipe_message(pipe, &end), vec![fd]);
            }
            self.pipes.insert(pipe, end);
        }
        self.tell_daemon(&ToDaemon::Spawned {
            key,
            run,
            pid: made.pid,
            start: made.start,
        });
    }

    fn heard_scribe(&mut self) {
        let Some(scribe) = &mut self.scribe else {
            return;
        };
        let mut over = scribe.link.flush().is_err() | scribe.link.fill().is_err();
        loop {
            match scribe.link.next::<ScribeToKeeper>() {
                Ok(Some(ScribeToKeeper::Drained { key, run, stream })) => {
                    scribe.ready = true;
                    if let Some(end) = self.pipes.remove(&PipeKey { key, run, stream }) {
                        end.remove();
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    over = true;
                    break;
                }
            }
        }
        if over {
            // The next one starts when this one is reaped: two would write into one file.
            let _ = self.epoll.delete(&scribe.link);
            let _ = signal::send_to_child(scribe.pid, Signal::KILL);
        }
    }

    fn scribe_is_over(&mut self) {
        if let Some(mut scribe) = self.scribe.take() {
            let _ = scribe.link.fill();
            while let Ok(Some(ScribeToKeeper::Drained { key, run, stream })) = scribe.link.next() {
                if let Some(end) = self.pipes.remove(&PipeKey { key, run, stream }) {
                    end.remove();
                }
            }
            let _ = self.epoll.delete(&scribe.link);
        }
        if !self.quitting {
            self.scribe_due = Some(0);
        }
    }

    /// Closes the link: the scribe writes what waits and ends; it is followed by another unless all is over.
    fn drop_scribe(&mut self) {
        if let Some(scribe) = &mut self.scribe {
            let _ = self.epoll.delete(&scribe.link);
            if let Ok((unused, _)) = Link::pair() {
                scribe.link = unused;
            }
        }
    }

    fn quit(&mut self) {
        if self.quitting {
            return;
        }
        self.quitting = true;
        self.drop_scribe();
        self.scribe_due = Some(monotonic_ns() + as_ns(SCRIBE_GRACE));
    }
}

fn token(key: InstanceId, kind: u64) -> u64 {
    // Keys begin at 1, so that these never meet the three fixed tokens.
    u64::from(key.0) * 4 + kind
}

fn pipe_message(pipe: PipeKey, end: &PipeEnd) -> KeeperToScribe {
    KeeperToScribe::Pipe {
        key: pipe.key,
        run: pipe.run,
        stream: pipe.stream,
        route: end.route.clone(),
    }
}

fn backoff(failures: u32) -> u64 {
    let wait = Duration::from_millis(100).saturating_mul(1 << failures.min(10));
    as_ns(wait.min(ROLE_BACKOFF_MAX))
}

/// This very build, also when the file was replaced meanwhile.
fn own_binary() -> &'static Path {
    Path::new("/proc/self/exe")
}
