//! The scribe's loop: epoll, one round per wake-up, two hops (run's pipe → stage pipe → file), all inside the kernel.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::keeper::link::{Link, LinkError};
use crate::keeper::protocol::{FromScribe, KeeperToScribe, Route, ScribeToKeeper};
use crate::platform::beat::Beat;
use crate::platform::clock::monotonic_ns;
use crate::platform::failpoint::failpoint;
use crate::platform::{child, descriptor, memory, signal};

use super::file::LogFile;
use super::pipes::Grown;
use super::stage::{PipeId, Stage, Written};

/// The most bytes of one round.
const ROUND: usize = 1 << 20;
/// A round that moved less re-arms: many tiny splices cost more than they bring.
const ROUND_SMALL: usize = 64 * 1024;
/// How long a chatty pipe is left to fill before it is emptied.
const COALESCE: Duration = Duration::from_micros(500);
/// A pipe that was emptied this recently is chatty.
const CHATTY_NS: u64 = 50_000_000;
/// A file that does not take its bytes is tried again this often, milliseconds.
const BLOCKED_MS: u8 = 250;

/// Why the scribe ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScribeError {
    /// The kernel's word.
    #[error("the scribe: {0}")]
    Io(#[from] io::Error),
    /// The keeper did not hand over the stage.
    #[error("the scribe was not given its stage")]
    NoStage,
}

pub(super) struct Pipe {
    pub(super) id: PipeId,
    pub(super) read: OwnedFd,
    pub(super) log: Arc<Path>,
    pub(super) last_ns: u64,
    pub(super) large: bool,
    pub(super) nearly_full: bool,
}

const KEEPER: u64 = 0;
const DAEMON: u64 = 1;
const FIRST_PIPE: u64 = 2;

pub(super) struct Scribe {
    pub(super) epoll: Epoll,
    pub(super) keeper: Link,
    pub(super) daemon: Option<Link>,
    pub(super) stage: Option<Stage>,
    /// It has all pipes that there were when it began, and nothing is left to do for the scribe before it.
    begun: bool,
    pub(super) pipes: BTreeMap<u64, Pipe>,
    pub(super) next_token: u64,
    pub(super) logs: BTreeMap<Arc<Path>, LogFile>,
    pub(super) grew: BTreeSet<Arc<Path>>,
    /// Bytes taken out of pipes since what grew was told.
    pub(super) taken: u64,
    pub(super) watched: bool,
    pub(super) told_ns: u64,
    pub(super) grown: Grown,
    pub(super) ending: bool,
    /// The keeper is gone: what is written goes on, until the next keeper ends this scribe.
    pub(super) orphaned: bool,
    pub(super) beat: Option<Beat>,
    pub(super) asked: bool,
    /// What a burst of new pipes needed is to be given back when it is over.
    pub(super) untidy: bool,
    /// Pipes whose file does not take their bytes, and whose writers have to wait.
    pub(super) held: BTreeSet<u64>,
}

/// Runs the scribe until the keeper says that it is to end, or is gone and every pipe has ended.
///
/// # Errors
/// What kept it from going on; the next scribe goes on from there.
pub(crate) fn run() -> Result<(), ScribeError> {
    child::leave_session();
    signal::ignore_terminal_signals()?;
    signal::ignore_write_signals()?;
    let keeper = Link::new(UnixStream::from(descriptor::inherited(3)?))?;
    Scribe::new(keeper)?.turn_until_done()
}

impl Scribe {
    pub(super) fn new(keeper: Link) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&keeper, EpollEvent::new(EpollFlags::EPOLLIN, KEEPER))?;
        Ok(Self {
            epoll,
            keeper,
            daemon: None,
            stage: None,
            begun: false,
            pipes: BTreeMap::new(),
            next_token: FIRST_PIPE,
            logs: BTreeMap::new(),
            grew: BTreeSet::new(),
            taken: 0,
            watched: false,
            told_ns: 0,
            grown: Grown::new(),
            ending: false,
            orphaned: false,
            beat: None,
            asked: false,
            untidy: true,
            held: BTreeSet::new(),
        })
    }

    fn turn_until_done(&mut self) -> Result<(), ScribeError> {
        let mut events = [EpollEvent::empty(); 256];
        loop {
            if self.ending {
                self.drain_everything();
                return Ok(());
            }
            if self.orphaned && self.pipes.is_empty() {
                return Ok(());
            }
            let count = match self.epoll.wait(&mut events, self.timeout()) {
                Ok(count) => count,
                Err(nix::errno::Errno::EINTR) => 0,
                Err(error) => return Err(io::Error::from(error).into()),
            };
            let mut ready: VecDeque<u64> = VecDeque::new();
            for event in &events[..count] {
                match event.data() {
                    KEEPER => self.heard_keeper()?,
                    DAEMON => self.heard_daemon(),
                    token => ready.push_back(token),
                }
            }
            self.unblock(&mut ready);
            self.let_fill(&ready);
            while let Some(token) = ready.pop_front() {
                if self.round(token) {
                    ready.push_back(token);
                }
            }
            self.tell_growth();
            self.shrink_idle(monotonic_ns());
            let asked = std::mem::take(&mut self.asked);
            if let Some(beat) = &mut self.beat {
                beat.strike(asked);
            }
        }
    }

    fn timeout(&self) -> EpollTimeout {
        if !self.held.is_empty() {
            EpollTimeout::from(BLOCKED_MS)
        } else if self.watched && !self.grew.is_empty() {
            EpollTimeout::from(25u8)
        } else if let Some(at) = self.grown.look_ns {
            let wait = at.saturating_sub(monotonic_ns()).div_ceil(1_000_000);
            u16::try_from(wait).map_or(EpollTimeout::MAX, EpollTimeout::from)
        } else {
            EpollTimeout::NONE
        }
    }

    /// Half a millisecond for all that are ready, unless one is nearly full or has been quiet: emptying a pipe at
    /// each small write would cost the writer and us a wake-up each time.
    fn let_fill(&self, ready: &VecDeque<u64>) {
        let now = monotonic_ns();
        let chatty =
            |pipe: &Pipe| now.saturating_sub(pipe.last_ns) < CHATTY_NS && !pipe.nearly_full;
        let pipes: Vec<&Pipe> = ready.iter().filter_map(|t| self.pipes.get(t)).collect();
        if !pipes.is_empty() && pipes.into_iter().all(chatty) {
            std::thread::sleep(COALESCE);
        }
    }

    fn heard_keeper(&mut self) -> Result<(), ScribeError> {
        // What cannot be sent to one who is gone is seen when nothing more can be read.
        let _ = self.keeper.flush();
        self.keeper.fill()?;
        loop {
            match self.keeper.next::<KeeperToScribe>() {
                Ok(Some(message)) => self.apply(message)?,
                Ok(None) => return Ok(()),
                Err(LinkError::Closed) => {
                    let _ = self.epoll.delete(&self.keeper);
                    self.orphaned = true;
                    return Ok(());
                }
                Err(_) => {
                    self.ending = true;
                    return Ok(());
                }
            }
        }
    }

    fn apply(&mut self, message: KeeperToScribe) -> Result<(), ScribeError> {
        match message {
            KeeperToScribe::Stage => {
                let (Some(read), Some(write), Some(owner)) = (
                    self.keeper.take_fd(),
                    self.keeper.take_fd(),
                    self.keeper.take_fd(),
                ) else {
                    return Err(ScribeError::NoStage);
                };
                self.stage = Some(Stage::new(read, write, owner.into())?);
            }
            KeeperToScribe::Pipe {
                key,
                run,
                stream,
                route,
            } => {
                if let Some(read) = self.keeper.take_fd() {
                    self.add_pipe(PipeId { key, run, stream }, read, route)?;
                }
            }
            KeeperToScribe::All => self.begin()?,
            KeeperToScribe::Daemon => {
                if let Some(fd) = self.keeper.take_fd() {
                    let link = Link::new(UnixStream::from(fd))?;
                    let event = EpollEvent::new(EpollFlags::EPOLLIN, DAEMON);
                    self.epoll.add(&link, event).map_err(io::Error::from)?;
                    self.daemon = Some(link);
                    self.watched = false;
                    self.tell_troubles();
                }
            }
            KeeperToScribe::Limits { route } => self.renew_limits(route),
            KeeperToScribe::Beat => self.beat = self.keeper.take_fd().map(Beat::from),
            // Nothing has come for a while, or it would not ask.
            KeeperToScribe::Ping => {
                self.asked = true;
                if std::mem::take(&mut self.untidy) {
                    memory::give_back();
                }
            }
            KeeperToScribe::End => self.ending = true,
        }
        Ok(())
    }

    pub(super) fn add_pipe(
        &mut self,
        id: PipeId,
        read: OwnedFd,
        route: Route,
    ) -> Result<(), ScribeError> {
        let log = route.path.clone();
        self.logs
            .entry(log.clone())
            .and_modify(|file| file.route = route.clone())
            .or_insert_with(|| LogFile::new(route));
        failpoint!("scribe.pipe.taken");
        self.untidy = true;
        let token = self.next_token;
        self.next_token += 1;
        let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, token);
        self.epoll.add(&read, event).map_err(io::Error::from)?;
        let mut pipe = Pipe {
            id,
            read,
            log,
            last_ns: 0,
            large: false,
            nearly_full: false,
        };
        self.grown.take(&mut pipe);
        self.pipes.insert(token, pipe);
        self.look_at(token);
        Ok(())
    }

    /// A pipe without writers never wakes anybody: one look at each. What an older run left comes first.
    fn look_at(&mut self, token: u64) {
        let Some(new) = self.pipes.get(&token).filter(|_| self.begun) else {
            return;
        };
        let older: Vec<u64> = (self.pipes.iter())
            .filter(|(_, p)| p.id.key == new.id.key && p.id.run < new.id.run && p.log == new.log)
            .map(|(token, _)| *token)
            .collect();
        for token in older {
            self.rounds(token);
        }
        self.round(token);
    }

    /// Everything is there: goes on where the scribe before was, and begins.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        let Self {
            stage, pipes, logs, ..
        } = self;
        if let Some(stage) = stage {
            stage.recover(|id| {
                let pipe = pipes.values().find(|pipe| pipe.id == id)?;
                Some((&pipe.read, logs.get_mut(&pipe.log)?))
            })?;
        }
        self.begun = true;
        let tokens: Vec<u64> = self.pipes.keys().copied().collect();
        for token in tokens {
            self.look_at(token);
        }
        Ok(())
    }

    /// One round of one pipe. True when there may be more at once.
    pub(super) fn round(&mut self, token: u64) -> bool {
        let (Some(pipe), Some(stage), true) = (self.pipes.get_mut(&token), &self.stage, self.begun)
        else {
            return false;
        };
        let Some(file) = self.logs.get_mut(&pipe.log) else {
            return false;
        };
        let there = descriptor::waiting(&pipe.read).unwrap_or(0);
        pipe.nearly_full = there >= pipe.capacity() / 4 * 3;
        // A full one is emptied by halves: the program fills the one while the other is written.
        let mut most = if pipe.nearly_full {
            pipe.capacity() / 2
        } else {
            ROUND
        };
        if file.route.block {
            // It stays where it is until there is room for it.
            most = most.min(there);
            if most > 0
                && let Err(error) = file.reserve(most)
            {
                let trouble = file.fails(&error);
                let log = pipe.log.clone();
                self.held.insert(token);
                self.after_writing(log, Ok(Written::none(trouble)));
                return false;
            }
            // Nothing there: whether there are writers is found out all the same.
            most = most.max(1);
        }
        pipe.last_ns = monotonic_ns();
        match stage.copy(&pipe.read, most) {
            Ok(0) => {
                self.drained(token);
                false
            }
            Ok(copied) => {
                failpoint!("scribe.hop.one");
                let written = stage.write(&pipe.read, file, pipe.id, copied);
                let blocked = !matches!(&written, Ok(written) if !written.blocked);
                let log = pipe.log.clone();
                if pipe.nearly_full {
                    self.grown.grow(pipe);
                }
                self.after_writing(log, written);
                if blocked {
                    self.held.insert(token);
                    return false;
                }
                if copied >= ROUND_SMALL || copied < there {
                    return true;
                }
                self.rearm(token);
                false
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.rearm(token);
                false
            }
            Err(_) => {
                self.drained(token);
                false
            }
        }
    }

    /// A file that did not take its bytes is tried again.
    pub(super) fn unblock(&mut self, ready: &mut VecDeque<u64>) {
        ready.extend(std::mem::take(&mut self.held));
    }

    pub(super) fn rearm(&mut self, token: u64) {
        if let Some(pipe) = self.pipes.get(&token) {
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT;
            let mut event = EpollEvent::new(flags, token);
            let _ = self.epoll.modify(&pipe.read, &mut event);
        }
    }

    fn drained(&mut self, token: u64) {
        if let Some(pipe) = self.pipes.remove(&token) {
            let _ = self.epoll.delete(&pipe.read);
            self.grown.forget(&pipe);
            let PipeId { key, run, stream } = pipe.id;
            failpoint!("scribe.drained");
            let _ = self
                .keeper
                .send(&ScribeToKeeper::Drained { key, run, stream }, vec![]);
            failpoint!("scribe.drained.told");
            let shared = self.pipes.values().any(|p| p.log == pipe.log);
            // One that takes nothing is remembered until it does: whoever writes to it next is who finds out.
            let failing = (self.logs.get(&pipe.log)).is_some_and(|file| file.failing.is_some());
            if !shared && !failing {
                self.logs.remove(&pipe.log);
            }
        }
    }

    fn after_writing(&mut self, log: Arc<Path>, written: io::Result<Written>) {
        let touched = (self.logs.get_mut(&log)).map(|file| std::mem::take(&mut file.touched));
        let freed = (self.logs.get_mut(&log)).and_then(LogFile::take_freed);
        let mut messages: Vec<FromScribe> = (touched.into_iter().flatten())
            .map(|cut| FromScribe::Touched {
                path: log.to_path_buf(),
                cut,
            })
            .collect();
        messages.extend(freed.map(|archives| FromScribe::Freed {
            path: log.to_path_buf(),
            archives,
        }));
        match written {
            Ok(written) => {
                self.taken += written.taken as u64;
                if written.rotated {
                    messages.push(FromScribe::Rotated {
                        path: log.to_path_buf(),
                    });
                }
                if let Some(error) = written.trouble {
                    messages.push(FromScribe::Trouble {
                        path: log.to_path_buf(),
                        dropped: written.dropped,
                        error,
                    });
                }
            }
            Err(error) => messages.push(FromScribe::Trouble {
                path: log.to_path_buf(),
                dropped: 0,
                error: Some(error.to_string()),
            }),
        }
        if self.watched {
            self.grew.insert(log);
        }
        for message in messages {
            self.tell(&message);
        }
    }

    /// The keeper is gone or replaces this scribe: write what waits, then end.
    fn drain_everything(&mut self) {
        let tokens: Vec<u64> = self.pipes.keys().copied().collect();
        for token in tokens {
            self.rounds(token);
        }
    }

    /// What is in a pipe now. Bounded: a writer that never pauses must not keep anybody waiting.
    pub(super) fn rounds(&mut self, token: u64) {
        for _ in 0..64 {
            if !self.round(token) {
                break;
            }
        }
    }
}
