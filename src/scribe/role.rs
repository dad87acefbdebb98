//! The scribe's loop: epoll, one round per wake-up, two hops (run's pipe → stage pipe → file), all inside the kernel.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::keeper::link::Link;
use crate::keeper::protocol::{FromScribe, KeeperToScribe, Route, ScribeToKeeper, ToScribe};
use crate::platform::clock::monotonic_ns;
use crate::platform::{child, descriptor, signal};

use super::file::{After, LogFile};

/// The most bytes of one round.
const ROUND: usize = 1 << 20;
/// A round that moved less re-arms: many tiny splices cost more than they bring.
const ROUND_SMALL: usize = 64 * 1024;
/// How long a chatty pipe is left to fill before it is emptied.
const COALESCE: Duration = Duration::from_micros(500);
/// A pipe that was emptied this recently is chatty.
const CHATTY_NS: u64 = 50_000_000;
/// Followers are told this often at most.
const TELL_NS: u64 = 25_000_000;
/// What chatty pipes grow to.
const LARGE_PIPE: i32 = 1 << 20;
/// Where a user's share of pipe memory cannot be read.
const QUOTA_DEFAULT_PAGES: u64 = 16384;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PipeId {
    key: InstanceId,
    run: RunId,
    stream: Stream,
}

struct Pipe {
    id: PipeId,
    read: OwnedFd,
    log: PathBuf,
    last_ns: u64,
    large: bool,
    nearly_full: bool,
}

struct Stage {
    read: OwnedFd,
    write: OwnedFd,
    owner: File,
    noted: Option<PipeId>,
}

const KEEPER: u64 = 0;
const DAEMON: u64 = 1;
const FIRST_PIPE: u64 = 2;

struct Scribe {
    epoll: Epoll,
    keeper: Link,
    daemon: Option<Link>,
    stage: Option<Stage>,
    pipes: BTreeMap<u64, Pipe>,
    next_token: u64,
    logs: BTreeMap<PathBuf, LogFile>,
    grew: BTreeSet<PathBuf>,
    watched: bool,
    told_ns: u64,
    /// Bytes of pipe memory that may still be asked for.
    pipe_budget: u64,
    ending: bool,
}

/// Runs the scribe until the keeper closes its link and every pipe is empty.
///
/// # Errors
/// What kept it from going on; the next scribe goes on from there.
pub(crate) fn run() -> Result<(), ScribeError> {
    child::leave_session();
    signal::ignore_terminal_signals()?;
    signal::ignore_write_signals()?;
    let keeper = Link::new(UnixStream::from(descriptor::inherited(3)?))?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(io::Error::from)?;
    epoll
        .add(&keeper, EpollEvent::new(EpollFlags::EPOLLIN, KEEPER))
        .map_err(io::Error::from)?;
    let mut scribe = Scribe {
        epoll,
        keeper,
        daemon: None,
        stage: None,
        pipes: BTreeMap::new(),
        next_token: FIRST_PIPE,
        logs: BTreeMap::new(),
        grew: BTreeSet::new(),
        watched: false,
        told_ns: 0,
        pipe_budget: pipe_quota() / 4,
        ending: false,
    };
    scribe.turn_until_done()
}

/// The user's quota of pipe memory in bytes; see pipe(7), `pipe-user-pages-soft`.
fn pipe_quota() -> u64 {
    let pages = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(QUOTA_DEFAULT_PAGES);
    // Zero means without limit.
    if pages == 0 { u64::MAX } else { pages * 4096 }
}

impl Scribe {
    fn turn_until_done(&mut self) -> Result<(), ScribeError> {
        let mut events = [EpollEvent::empty(); 256];
        loop {
            if self.ending {
                self.drain_everything();
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
            self.let_fill(&ready);
            while let Some(token) = ready.pop_front() {
                if self.round(token) {
                    ready.push_back(token);
                }
            }
            self.tell_growth();
        }
    }

    fn timeout(&self) -> EpollTimeout {
        if self.watched && !self.grew.is_empty() {
            EpollTimeout::from(25u8)
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
        let mut over = self.keeper.flush().is_err() | self.keeper.fill().is_err();
        loop {
            match self.keeper.next::<KeeperToScribe>() {
                Ok(Some(message)) => self.apply(message)?,
                Ok(None) => break,
                Err(_) => {
                    over = true;
                    break;
                }
            }
        }
        self.ending |= over;
        Ok(())
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
                self.stage = Some(Stage {
                    read,
                    write,
                    owner: owner.into(),
                    noted: None,
                });
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
            KeeperToScribe::Daemon => {
                if let Some(fd) = self.keeper.take_fd() {
                    let link = Link::new(UnixStream::from(fd))?;
                    let event = EpollEvent::new(EpollFlags::EPOLLIN, DAEMON);
                    self.epoll.add(&link, event).map_err(io::Error::from)?;
                    self.daemon = Some(link);
                    self.watched = false;
                }
            }
        }
        Ok(())
    }

    fn add_pipe(&mut self, id: PipeId, read: OwnedFd, route: Route) -> Result<(), ScribeError> {
        // What an older run left comes first.
        let older: Vec<u64> = self
            .pipes
            .iter()
            .filter(|(_, p)| p.id.key == id.key && p.id.run < id.run && p.log == route.path)
            .map(|(token, _)| *token)
            .collect();
        for token in older {
            self.rounds(token);
        }
        let log = route.path.clone();
        self.logs
            .entry(log.clone())
            .and_modify(|file| file.route = route.clone())
            .or_insert_with(|| LogFile::new(route));
        self.finish_stage(id, &log);
        let token = self.next_token;
        self.next_token += 1;
        let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, token);
        self.epoll.add(&read, event).map_err(io::Error::from)?;
        self.pipes.insert(
            token,
            Pipe {
                id,
                read,
                log,
                last_ns: 0,
                large: false,
                nearly_full: false,
            },
        );
        // A pipe without writers never wakes anybody: look once.
        self.round(token);
        Ok(())
    }

    /// A scribe that died left bytes in the stage: they belong to the pipe that is noted as its owner.
    fn finish_stage(&mut self, id: PipeId, log: &PathBuf) {
        let Some(stage) = &mut self.stage else {
            return;
        };
        if stage.noted.is_some() || descriptor::waiting(&stage.read).unwrap_or(0) == 0 {
            return;
        }
        let mut bytes = [0; 16];
        let read = stage.owner.read_exact_at(&mut bytes, 0);
        if read.is_ok() && bytes == encode(id) {
            stage.noted = Some(id);
            if let Some(file) = self.logs.get_mut(log) {
                let _ = empty_stage(stage, file, id.run);
            }
        }
    }

    /// One round of one pipe. True when there may be more at once.
    fn round(&mut self, token: u64) -> bool {
        let (Some(pipe), Some(stage)) = (self.pipes.get_mut(&token), &mut self.stage) else {
            return false;
        };
        let Some(file) = self.logs.get_mut(&pipe.log) else {
            return false;
        };
        if stage.noted != Some(pipe.id) {
            // Bytes of another owner are still there only if its file could not take them.
            if descriptor::waiting(&stage.read).unwrap_or(0) > 0 {
                return false;
            }
            if stage.owner.write_all_at(&encode(pipe.id), 0).is_err() {
                return false;
            }
            stage.noted = Some(pipe.id);
        }
        pipe.last_ns = monotonic_ns();
        match descriptor::splice(&pipe.read, &stage.write, None, ROUND) {
            Ok(0) => {
                self.drained(token);
                false
            }
            Ok(moved) => {
                let rotated = empty_stage(stage, file, pipe.id.run);
                let log = pipe.log.clone();
                pipe.nearly_full = moved >= pipe_capacity(pipe.large) / 4 * 3;
                if pipe.nearly_full && !pipe.large && self.pipe_budget >= ROUND as u64 {
                    pipe.large = descriptor::set_pipe_size(&pipe.read, LARGE_PIPE).is_ok();
                    if pipe.large {
                        self.pipe_budget -= ROUND as u64;
                    }
                }
                self.after_writing(log, rotated);
                if moved >= ROUND_SMALL {
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

    fn rearm(&mut self, token: u64) {
        if let Some(pipe) = self.pipes.get(&token) {
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT;
            let mut event = EpollEvent::new(flags, token);
            let _ = self.epoll.modify(&pipe.read, &mut event);
        }
    }

    fn drained(&mut self, token: u64) {
        if let Some(pipe) = self.pipes.remove(&token) {
            let _ = self.epoll.delete(&pipe.read);
            if pipe.large {
                self.pipe_budget = self.pipe_budget.saturating_add(ROUND as u64);
            }
            let PipeId { key, run, stream } = pipe.id;
            let _ = self
                .keeper
                .send(&ScribeToKeeper::Drained { key, run, stream }, vec![]);
            let shared = self.pipes.values().any(|p| p.log == pipe.log);
            if !shared {
                self.logs.remove(&pipe.log);
            }
        }
    }

    fn after_writing(&mut self, log: PathBuf, written: io::Result<Written>) {
        let mut messages = Vec::new();
        match written {
            Ok(written) => {
                if written.rotated {
                    messages.push(FromScribe::Rotated { path: log.clone() });
                }
                if let Some(error) = written.trouble {
                    messages.push(FromScribe::Trouble {
                        path: log.clone(),
                        dropped: written.dropped,
                        error,
                    });
                }
            }
            Err(error) => messages.push(FromScribe::Trouble {
                path: log.clone(),
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

    fn tell(&mut self, message: &FromScribe) {
        if let Some(daemon) = &mut self.daemon
            && daemon.send(message, vec![]).is_err()
        {
            self.daemon = None;
        }
    }

    fn tell_growth(&mut self) {
        let now = monotonic_ns();
        if self.watched && !self.grew.is_empty() && now.saturating_sub(self.told_ns) >= TELL_NS {
            self.told_ns = now;
            let paths = std::mem::take(&mut self.grew).into_iter().collect();
            self.tell(&FromScribe::Grew { paths });
        }
    }

    fn heard_daemon(&mut self) {
        let mut requests = Vec::new();
        let mut over = false;
        if let Some(daemon) = &mut self.daemon {
            over |= daemon.flush().is_err() | daemon.fill().is_err();
            loop {
                match daemon.next::<ToScribe>() {
                    Ok(Some(message)) => requests.push(message),
                    Ok(None) => break,
                    Err(_) => {
                        over = true;
                        break;
                    }
                }
            }
            if over {
                let _ = self.epoll.delete(&*daemon);
            }
        }
        for request in requests {
            self.carry_out(request);
        }
        if over {
            self.daemon = None;
            self.watched = false;
            self.grew.clear();
        }
    }

    fn carry_out(&mut self, request: ToScribe) {
        match request {
            ToScribe::Limits { route } => {
                if let Some(file) = self.logs.get_mut(&route.path) {
                    file.route = route;
                }
            }
            ToScribe::Watch { on } => {
                self.watched = on;
                self.grew.clear();
            }
            ToScribe::Rotate { ticket, path } => {
                self.empty_pipes_of(&path);
                let result = self.with_file(&path, LogFile::rotate);
                if result.is_ok() {
                    self.tell(&FromScribe::Rotated { path });
                }
                self.answer(ticket, &result);
            }
            ToScribe::Flush { ticket, path } => {
                self.empty_pipes_of(&path);
                let result = self.with_file(&path, LogFile::flush);
                self.answer(ticket, &result);
            }
        }
    }

    fn answer(&mut self, ticket: u64, result: &io::Result<()>) {
        let error = result.as_ref().err().map(ToString::to_string);
        self.tell(&FromScribe::Done { ticket, error });
    }

    /// What was written before the request belongs before it.
    fn empty_pipes_of(&mut self, path: &PathBuf) {
        let tokens: Vec<u64> = self
            .pipes
            .iter()
            .filter(|(_, p)| p.log == *path)
            .map(|(token, _)| *token)
            .collect();
        for token in tokens {
            self.rounds(token);
            self.rearm(token);
        }
    }

    fn with_file(
        &mut self,
        path: &PathBuf,
        act: impl FnOnce(&mut LogFile) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(file) = self.logs.get_mut(path) {
            return act(file);
        }
        if !path.exists() {
            return Ok(());
        }
        // Nobody writes to it now: an open for this one act.
        act(&mut LogFile::new(Route {
            path: path.clone(),
            max_size: u64::MAX,
            max_age_ms: None,
            block: false,
        }))
    }

    /// The keeper is gone or replaces this scribe: write what waits, then end.
    fn drain_everything(&mut self) {
        let tokens: Vec<u64> = self.pipes.keys().copied().collect();
        for token in tokens {
            self.rounds(token);
        }
    }

    /// What is in a pipe now. Bounded: a writer that never pauses must not keep anybody waiting.
    fn rounds(&mut self, token: u64) {
        for _ in 0..64 {
            if !self.round(token) {
                break;
            }
        }
    }
}

fn pipe_capacity(large: bool) -> usize {
    if large { ROUND } else { ROUND_SMALL }
}

fn encode(id: PipeId) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&id.key.0.to_le_bytes());
    bytes[4..12].copy_from_slice(&id.run.0.to_le_bytes());
    bytes[12] = match id.stream {
        Stream::Out => 1,
        Stream::Err => 2,
    };
    bytes
}

/// What emptying the stage came to.
struct Written {
    rotated: bool,
    /// Something to say about trouble: begun (with words) or over (without).
    trouble: Option<Option<String>>,
    dropped: u64,
}

/// Moves what is in the stage to the file, to its end.
fn empty_stage(stage: &mut Stage, file: &mut LogFile, run: RunId) -> io::Result<Written> {
    let mut written = Written {
        rotated: false,
        trouble: None,
        dropped: file.dropped,
    };
    loop {
        let waiting = descriptor::waiting(&stage.read)?;
        if waiting == 0 {
            break;
        }
        let moved = file.target().and_then(|(target, offset)| {
            let mut offset = offset;
            descriptor::splice(&stage.read, target, Some(&mut offset), waiting)
        });
        match moved {
            Ok(0) => break,
            Ok(moved) => {
                if file.dropped > 0 {
                    file.dropped = 0;
                    written.trouble = Some(None);
                }
                if matches!(file.wrote(moved, run), Ok(After::Rotated)) {
                    written.rotated = true;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if file.route.block => return Err(error),
            Err(error) => {
                // The disk does not take them and the writer must not wait: they are counted and let go.
                let began = file.dropped == 0;
                let lost = discard(&stage.read, waiting)?;
                file.dropped += lost;
                written.dropped = file.dropped;
                if began {
                    written.trouble = Some(Some(error.to_string()));
                }
            }
        }
    }
    Ok(written)
}

fn discard(pipe: &OwnedFd, bytes: usize) -> io::Result<u64> {
    let null = File::options().write(true).open("/dev/null")?;
    let moved = descriptor::splice(pipe, &null, None, bytes)?;
    Ok(moved as u64)
}
