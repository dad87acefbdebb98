//! Scribes: one for each lane of logs, with a stage of its own. Started when there is something to write, heard, and
//! started again when they are over. A scribe that waits for its file system holds the logs of its lane and no others.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use crate::domain::exit::Signal;
use crate::domain::pulse::{Pulse, Verdict};
use crate::platform::beat::Beat;
use crate::platform::child;
use crate::platform::clock::{as_ns, monotonic_ns};
use crate::platform::failpoint::failpoint;
use crate::platform::signal::{self, PidFd};

use super::lane::Lane;
use super::link::Link;
use super::protocol::{KeeperToScribe, ScribeToKeeper, ToDaemon};
use super::role::{Keeper, KeeperError, RoleProcess, backoff, own_binary};
use super::runs::{PipeEnd, PipeKey};
use super::stage::{self, Stage};
use super::who::{Roles, Who};

/// A scribe other than the first that has had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(60);
/// So many pipes are let go of in one turn.
const LET_GO_AT_ONCE: usize = 16;
/// Tokens of scribes have this bit; no run's have.
const OF_SCRIBE: u64 = 1 << 63;

/// What an event of epoll is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// A scribe says something, or is gone.
    Scribe(Lane),
    /// The scribe of an earlier keeper is gone.
    Old(Lane),
}

impl Heard {
    pub(super) fn token(self) -> u64 {
        let (lane, old) = match self {
            Self::Scribe(lane) => (lane, 0),
            Self::Old(lane) => (lane, 1),
        };
        OF_SCRIBE | lane.number() << 1 | old
    }

    pub(super) fn of(token: u64) -> Option<Self> {
        let lane = Lane::of_number((token & !OF_SCRIBE) >> 1);
        match (token & OF_SCRIBE, token & 1) {
            (0, _) => None,
            (_, 0) => Some(Self::Scribe(lane)),
            (_, _) => Some(Self::Old(lane)),
        }
    }
}

/// One lane.
#[derive(Default)]
pub(super) struct Scribe {
    /// The folder whose logs it writes; none for that of all logs.
    folder: Option<PathBuf>,
    /// None until it can be made.
    stage: Option<Stage>,
    pub(super) role: Option<RoleProcess>,
    /// The scribe of an earlier keeper, until it is gone.
    old: Option<PidFd>,
    /// When it is started, monotonic nanoseconds.
    due: Option<u64>,
    failures: u32,
    /// Its file system does not answer, and the daemon knows.
    held: bool,
    /// It was killed for that and will take nothing more.
    given_up: bool,
    /// When to end it, if it still has nothing to do.
    idle_due: Option<u64>,
}

impl Scribe {
    /// The first one, which is always there, and those of which an earlier keeper left a stage: what is in it must not
    /// go with the last who has it open.
    pub(super) fn all(main: Stage, volatile: &Path) -> BTreeMap<Lane, Self> {
        let with = |stage, due| Self {
            stage,
            due,
            ..Self::default()
        };
        let others = stage::lanes(volatile).into_iter();
        let others = others.filter(|lane| *lane != Lane::MAIN);
        let mut all: BTreeMap<Lane, Self> = others
            .map(|lane| (lane, with(Stage::open(volatile, lane).ok(), None)))
            .collect();
        all.insert(Lane::MAIN, with(Some(main), Some(0)));
        all
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        [self.due, self.idle_due].into_iter().flatten().min()
    }

    /// What shows how far bytes have come on their way.
    pub(super) fn stage(&self) -> Option<&Stage> {
        self.stage.as_ref()
    }

    /// Nobody has it, and nobody is about to.
    fn is_vacant(&self) -> bool {
        self.role.is_none() && self.old.is_none() && self.due.is_none()
    }
}

impl Keeper {
    fn lane_of(&self, end: &PipeEnd) -> Lane {
        Lane::of(&end.route.path, &self.setup.paths.logs)
    }

    /// Sees to it that somebody writes the logs of this folder.
    pub(super) fn want_scribe(&mut self, folder: Option<PathBuf>) -> Lane {
        let lane = Lane::of_folder(folder.as_deref());
        let scribe = self.scribes.entry(lane).or_default();
        scribe.folder = folder;
        if scribe.is_vacant() {
            scribe.due = Some(0);
        }
        if lane != Lane::MAIN {
            scribe.idle_due = Some(monotonic_ns() + as_ns(IDLE));
        }
        lane
    }

    /// Gives a new pipe to whom it is for. One who is not there yet is given all pipes of its lane when it begins.
    pub(super) fn give_pipe(&mut self, pipe: PipeKey, end: &PipeEnd) {
        let lane = self.want_scribe(Lane::folder(&end.route.path, &self.setup.paths.logs));
        if let Some(scribe) = self.scribes.get_mut(&lane)
            && !scribe.given_up
            && let (Some(role), Ok(fd)) = (&mut scribe.role, end.read.try_clone())
        {
            let _ = role.link.send(&pipe_message(pipe, end), vec![fd]);
        }
    }

    /// Starts those whose time it is, and ends those that have nothing to do.
    pub(super) fn tend_scribes(&mut self, now: u64) {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let lanes: Vec<Lane> = self.scribes.keys().copied().collect();
        for lane in lanes {
            let Some(scribe) = self.scribes.get_mut(&lane) else {
                continue;
            };
            if due(scribe.due) {
                scribe.due = None;
                self.start_scribe(lane);
            } else if due(scribe.idle_due) {
                scribe.idle_due = None;
                if !self.has_pipes(lane) {
                    self.end_scribe(lane);
                }
            }
        }
    }

    fn has_pipes(&self, lane: Lane) -> bool {
        self.pipes.values().any(|end| self.lane_of(end) == lane)
    }

    fn start_scribe(&mut self, lane: Lane) {
        self.reserve.lend_all();
        self.begin_scribe(lane);
        self.reserve.refill();
    }

    fn begin_scribe(&mut self, lane: Lane) {
        let volatile = &self.setup.paths.volatile;
        let Some(scribe) = self.scribes.get_mut(&lane) else {
            return;
        };
        let stage = match scribe.stage.take() {
            Some(stage) => Ok(stage),
            None => Stage::open(volatile, lane),
        };
        let made = stage.and_then(|stage| {
            let stage = scribe.stage.insert(stage);
            let (link, theirs) = Link::pair()?;
            let beat = Beat::make()?;
            let shared = beat.share()?;
            let pid = child::spawn_role(&["__scribe"], &[theirs.as_fd()], own_binary())?;
            let _ = stage.note_scribe(Who::of(pid));
            Ok((link, pid, beat, shared, stage.copies()))
        });
        let (mut link, pid, beat, shared, stage) = match made {
            Ok(made) => made,
            Err(_) => {
                scribe.due = Some(monotonic_ns() + backoff(scribe.failures));
                scribe.failures += 1;
                return;
            }
        };
        let _ = link.send(&KeeperToScribe::Beat, vec![shared]);
        failpoint!("keeper.scribe.forked");
        let _ = stage.map(|fds| link.send(&KeeperToScribe::Stage, fds));
        for (pipe, end) in &self.pipes {
            if self.lane_of(end) == lane
                && let Ok(fd) = end.read.try_clone()
            {
                let _ = link.send(&pipe_message(*pipe, end), vec![fd]);
            }
        }
        let _ = link.send(&KeeperToScribe::All, vec![]);
        failpoint!("keeper.scribe.told");
        self.add_link(&link, Heard::Scribe(lane).token());
        if let Some(scribe) = self.scribes.get_mut(&lane) {
            scribe.failures = 0;
            scribe.given_up = false;
            scribe.held = false;
            scribe.role = Some(RoleProcess {
                pid,
                link,
                ready: true,
                beat,
                pulse: Pulse::default(),
            });
        }
        let _ = self.note_roles();
        self.introduce(lane);
    }

    /// Gives daemon and scribe a socket to each other.
    fn introduce(&mut self, lane: Lane) {
        let scribe = self.scribes.get_mut(&lane);
        let (Some(daemon), Some(scribe)) = (&mut self.daemon, scribe) else {
            return;
        };
        let Some(role) = &mut scribe.role else {
            return;
        };
        if let Ok((a, b)) = std::os::unix::net::UnixStream::pair() {
            let _ = role.link.send(&KeeperToScribe::Daemon, vec![a.into()]);
            failpoint!("keeper.introduced.scribe");
            let (pid, folder) = (role.pid, scribe.folder.clone());
            let message = ToDaemon::Scribe { pid, folder };
            let _ = daemon.link.send(&message, vec![b.into()]);
        }
    }

    /// A new daemon meets all scribes, and hears which of them are held.
    pub(super) fn introduce_all(&mut self) {
        let lanes: Vec<Lane> = self.scribes.keys().copied().collect();
        for lane in lanes {
            self.introduce(lane);
            if self.scribes.get(&lane).is_some_and(|scribe| scribe.held) {
                self.tell_held(lane, true);
            }
        }
    }

    pub(super) fn heard_scribe(&mut self, lane: Lane) {
        let scribe = self.scribes.get_mut(&lane);
        let Some(role) = scribe.and_then(|scribe| scribe.role.as_mut()) else {
            return;
        };
        let mut over = role.link.flush().is_err() | role.link.fill().is_err();
        loop {
            match role.link.next::<ScribeToKeeper>() {
                Ok(Some(ScribeToKeeper::Drained { key, run, stream })) => {
                    self.drained.push_back(PipeKey { key, run, stream });
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
            let _ = self.epoll.delete(&role.link);
            let _ = signal::send_to_child(role.pid, Signal::KILL);
        }
    }

    /// Lets go of some of the pipes that are empty and at their end. When very many ended at once the others wait for
    /// the next turn, so that what the daemon asks for meanwhile does not wait behind all of them.
    pub(super) fn let_go_of_some(&mut self) {
        for _ in 0..LET_GO_AT_ONCE {
            let Some(pipe) = self.drained.pop_front() else {
                return;
            };
            failpoint!("keeper.drained.read");
            self.let_go_of(pipe);
        }
    }

    /// And of all of them: what is still held is taken for unread.
    fn let_go_of_all(&mut self) {
        while let Some(pipe) = self.drained.pop_front() {
            self.let_go_of(pipe);
        }
    }

    fn let_go_of(&mut self, pipe: PipeKey) {
        let Some(end) = self.pipes.remove(&pipe) else {
            return;
        };
        let lane = self.lane_of(&end);
        end.remove(&self.setup.paths.pipes(), pipe);
        if lane != Lane::MAIN
            && let Some(scribe) = self.scribes.get_mut(&lane)
        {
            // Whether it is idle then is looked at then.
            scribe.idle_due = Some(monotonic_ns() + as_ns(IDLE));
        }
    }

    /// Which lane this child is the scribe of.
    pub(super) fn scribe_with(&self, pid: i32) -> Option<Lane> {
        let is = |scribe: &Scribe| scribe.role.as_ref().is_some_and(|role| role.pid == pid);
        let mut lanes = self.scribes.iter();
        lanes.find(|(_, scribe)| is(scribe)).map(|(lane, _)| *lane)
    }

    pub(super) fn scribe_is_over(&mut self, lane: Lane) {
        let scribe = self.scribes.get_mut(&lane);
        if let Some(mut role) = scribe.and_then(|scribe| scribe.role.take()) {
            failpoint!("keeper.scribe.over");
            let _ = role.link.fill();
            while let Ok(Some(ScribeToKeeper::Drained { key, run, stream })) = role.link.next() {
                self.drained.push_back(PipeKey { key, run, stream });
            }
            self.let_go_of_all();
            let _ = self.epoll.delete(&role.link);
        }
        if self.quitting {
            return;
        }
        if lane == Lane::MAIN || self.has_pipes(lane) {
            if let Some(scribe) = self.scribes.get_mut(&lane) {
                scribe.due = Some(0);
            }
        } else if let Some(scribe) = self.scribes.remove(&lane) {
            if scribe.held {
                self.tell_held_of(scribe.folder, false);
            }
            if let Some(stage) = scribe.stage {
                stage.remove(&self.setup.paths.volatile, lane);
            }
        }
    }

    fn end_scribe(&mut self, lane: Lane) {
        if let Some(role) = (self.scribes.get_mut(&lane)).and_then(|it| it.role.as_mut()) {
            let _ = role.link.send(&KeeperToScribe::End, vec![]);
        }
    }

    /// The scribes write what waits and end; they are followed by others unless all is over.
    pub(super) fn end_scribes(&mut self) {
        let lanes: Vec<Lane> = self.scribes.keys().copied().collect();
        for lane in lanes {
            self.end_scribe(lane);
        }
    }

    /// Looks whether they answer. One that waits for its file system is named; one that does so for too long is killed,
    /// and followed when it is dead, which may be when that file system is back.
    pub(super) fn look_after_scribes(&mut self, in_time: bool) {
        let mut changed = Vec::new();
        for (lane, scribe) in &mut self.scribes {
            let Some(role) = &mut scribe.role else {
                continue;
            };
            let verdict = role.look(in_time);
            let held = match verdict {
                Verdict::Alive => false,
                Verdict::Ask => scribe.held || role.pulse.is_late(),
                Verdict::Hung => true,
            };
            if held != scribe.held {
                scribe.held = held;
                changed.push((*lane, held));
            }
            match verdict {
                Verdict::Alive => {}
                Verdict::Ask if role.link.wants_write() => {}
                Verdict::Ask => {
                    let _ = role.link.send(&KeeperToScribe::Ping, vec![]);
                }
                // The next one begins when this one is reaped: two would write into one file.
                Verdict::Hung => {
                    scribe.given_up = true;
                    let _ = signal::send_to_child(role.pid, Signal::KILL);
                }
            }
        }
        for (lane, held) in changed {
            self.tell_held(lane, held);
        }
    }

    fn tell_held(&mut self, lane: Lane, held: bool) {
        let folder = (self.scribes.get(&lane)).and_then(|scribe| scribe.folder.clone());
        self.tell_held_of(folder, held);
    }

    fn tell_held_of(&mut self, folder: Option<PathBuf>, held: bool) {
        self.tell_daemon(&ToDaemon::Held { folder, held });
    }

    /// Ends what an earlier keeper left of its roles. Two daemons would decide twice, two scribes write twice; the
    /// next scribe of a lane starts when the old one is gone.
    pub(super) fn end_old_roles(&mut self) -> Result<(), KeeperError> {
        let own = nix::unistd::getpid().as_raw();
        let Roles { daemon, scribe, .. } = self.table.roles();
        if let Some(handle) = daemon.handle().filter(|_| daemon.pid != own) {
            let _ = handle.send(Signal::KILL);
        }
        let volatile = self.setup.paths.volatile.clone();
        let lanes: Vec<Lane> = self.scribes.keys().copied().collect();
        for lane in lanes {
            // Noted before it was given the stage: the table may name the one before it, for which it was begun.
            let newest = stage::scribe(&volatile, lane);
            let main = lane == Lane::MAIN && newest == Who::default();
            self.end_old_scribe(lane, if main { scribe } else { newest });
        }
        let folders: Vec<Option<PathBuf>> = (self.pipes.values())
            .map(|end| Lane::folder(&end.route.path, &self.setup.paths.logs))
            .collect();
        for folder in folders {
            self.want_scribe(folder);
        }
        let keeper = Who::of(own);
        Ok(self.table.set_roles(Roles {
            keeper,
            ..Roles::default()
        })?)
    }

    fn end_old_scribe(&mut self, lane: Lane, who: Who) {
        let entry = self.scribes.entry(lane).or_default();
        if let Some(handle) = who.handle() {
            let _ = handle.send(Signal::KILL);
            let event = EpollEvent::new(EpollFlags::EPOLLIN, Heard::Old(lane).token());
            if self.epoll.add(&handle, event).is_ok() {
                entry.due = None;
                entry.old = Some(handle);
            }
        }
    }

    pub(super) fn old_scribe_is_over(&mut self, lane: Lane) {
        // Said, not left to the drop: a child between fork and exec may still have the descriptor open.
        if let Some(scribe) = self.scribes.get_mut(&lane)
            && let Some(handle) = scribe.old.take()
        {
            let _ = self.epoll.delete(&handle);
            scribe.due = Some(0);
        }
    }
}

fn pipe_message(pipe: PipeKey, end: &PipeEnd) -> KeeperToScribe {
    KeeperToScribe::Pipe {
        key: pipe.key,
        run: pipe.run,
        stream: pipe.stream,
        route: end.route.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_scribes_are_read_back_and_are_no_others() {
        let other = Lane::of_folder(Some(std::path::Path::new("/mnt/a")));
        for lane in [Lane::MAIN, other] {
            for heard in [Heard::Scribe(lane), Heard::Old(lane)] {
                assert_eq!(Heard::of(heard.token()), Some(heard));
            }
        }
        let largest = crate::domain::names::InstanceId(u32::MAX);
        for token in [0, 1, super::super::role::token(largest, 3)] {
            assert_eq!(Heard::of(token), None);
        }
    }
}
