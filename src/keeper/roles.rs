//! Daemon and scribe: started, introduced to each other, heard, and started again when they are over.

use std::os::fd::AsFd as _;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use crate::domain::exit::Signal;
use crate::domain::pulse::Pulse;
use crate::platform::beat::Beat;
use crate::platform::child;
use crate::platform::clock::monotonic_ns;
use crate::platform::failpoint::failpoint;
use crate::platform::signal;

use super::link::{Link, LinkError};
use super::protocol::{Entry, KeeperToScribe, ScribeToKeeper, ToDaemon, ToKeeper, VERSION};
use super::role::{
    DAEMON, HOPELESS, Keeper, KeeperError, OLD_SCRIBE, RoleProcess, SCRIBE, backoff, own_binary,
    pipe_message,
};
use super::runs::PipeKey;
use super::who::{Roles, Who};

impl Keeper {
    pub(super) fn start_scribe(&mut self) {
        let made = Link::pair().and_then(|(link, theirs)| {
            let beat = Beat::make()?;
            let shared = beat.share()?;
            let pid = child::spawn_role(&["__scribe"], &[theirs.as_fd()], own_binary())?;
            Ok((link, pid, beat, shared))
        });
        let (mut link, pid, beat, shared) = match made {
            Ok(made) => made,
            Err(_) => {
                self.scribe_due = Some(monotonic_ns() + backoff(self.scribe_failures));
                self.scribe_failures += 1;
                return;
            }
        };
        let _ = link.send(&KeeperToScribe::Beat, vec![shared]);
        failpoint!("keeper.scribe.forked");
        let _ = self
            .stage
            .copies()
            .map(|fds| link.send(&KeeperToScribe::Stage, fds));
        for (pipe, end) in &self.pipes {
            if let Ok(fd) = end.read.try_clone() {
                let _ = link.send(&pipe_message(*pipe, end), vec![fd]);
            }
        }
        failpoint!("keeper.scribe.told");
        self.add_link(&link, SCRIBE);
        self.scribe = Some(RoleProcess {
            pid,
            link,
            ready: true,
            beat,
            pulse: Pulse::default(),
        });
        let _ = self.note_roles();
        self.introduce();
    }

    /// Gives daemon and scribe a socket to each other.
    pub(super) fn introduce(&mut self) {
        let (Some(daemon), Some(scribe)) = (&mut self.daemon, &mut self.scribe) else {
            return;
        };
        if let Ok((a, b)) = std::os::unix::net::UnixStream::pair() {
            let _ = scribe.link.send(&KeeperToScribe::Daemon, vec![a.into()]);
            failpoint!("keeper.introduced.scribe");
            let _ = daemon
                .link
                .send(&ToDaemon::Scribe { pid: scribe.pid }, vec![b.into()]);
        }
    }

    pub(super) fn start_daemon(&mut self) -> Result<(), KeeperError> {
        let live = self.table.entries().any(Entry::is_live);
        if self.daemon_failures >= HOPELESS && !live {
            self.drop_scribe();
            return Err(KeeperError::Hopeless(self.daemon_failures));
        }
        let epoch = self.table.next_epoch()?;
        failpoint!("keeper.epoch.raised");
        let mut args = vec!["__daemon"];
        if self.setup.foreground {
            args.push("--foreground");
        }
        let made = Link::pair().and_then(|(link, theirs)| {
            let fds = [
                theirs.as_fd(),
                self.setup.listener.as_fd(),
                self.setup.lock.as_fd(),
            ];
            let beat = Beat::make()?;
            let shared = beat.share()?;
            let pid = child::spawn_role(&args, &fds, own_binary())?;
            Ok((link, pid, beat, shared))
        });
        let (mut link, pid, beat, shared) = match made {
            Ok(made) => made,
            Err(_) => {
                self.daemon_due = Some(monotonic_ns() + backoff(self.daemon_failures));
                self.daemon_failures += 1;
                return Ok(());
            }
        };
        failpoint!("keeper.daemon.forked");
        let welcome = ToDaemon::Welcome {
            version: VERSION,
            epoch,
            keeper_pid: nix::unistd::getpid().as_raw(),
            scribe_pid: self.scribe.as_ref().map_or(0, |s| s.pid),
            volatile: self.setup.paths.volatile.clone(),
            file_limit: self.file_limit,
            entries: self.table.entries().cloned().collect(),
            before: std::mem::take(&mut self.before),
            groups: self.table.groups().to_vec(),
        };
        let _ = link.send(&welcome, vec![]);
        let _ = link.send(&ToDaemon::Beat, vec![shared]);
        if let Some(at_once) = self.shutdown {
            // The one before was told, and did not live to do it.
            let _ = link.send(&ToDaemon::Shutdown { at_once }, vec![]);
        }
        failpoint!("keeper.daemon.welcomed");
        self.add_link(&link, DAEMON);
        self.daemon = Some(RoleProcess {
            pid,
            link,
            ready: false,
            beat,
            pulse: Pulse::default(),
        });
        self.note_roles()?;
        self.introduce();
        Ok(())
    }

    pub(super) fn add_link(&self, link: &Link, token: u64) {
        let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP, token);
        let _ = self.epoll.add(link, event);
    }

    pub(super) fn tell_daemon(&mut self, message: &ToDaemon) {
        let stuck = self
            .daemon
            .as_mut()
            .is_some_and(|d| matches!(d.link.send(message, vec![]), Err(LinkError::Stuck)));
        if stuck {
            // It stopped reading long ago: what it missed is in the table, which the next one reads.
            self.daemon_is_over(false);
        }
    }

    pub(super) fn heard_daemon(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let mut over = daemon.link.flush().is_err() | daemon.link.fill().is_err();
        loop {
            let Some(daemon) = &mut self.daemon else {
                return;
            };
            match daemon.link.next::<ToKeeper>() {
                Ok(Some(message)) => {
                    failpoint!("keeper.message.read");
                    if message == ToKeeper::Upgrade {
                        self.successor = daemon.link.take_fd();
                    }
                    self.apply(message);
                    failpoint!("keeper.message.applied");
                }
                Ok(None) => break,
                Err(_) => {
                    over = true;
                    break;
                }
            }
        }
        if over {
            self.daemon_is_over(false);
        }
    }

    /// Reads what the daemon said to the end, applies it, and starts the next.
    pub(super) fn daemon_is_over(&mut self, reaped: bool) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        if !reaped {
            // Its link is over and it is not: it may hang, and nobody waits for it.
            let _ = signal::send_to_child(daemon.pid, Signal::KILL);
            self.leaving.push(daemon.pid);
        }
        failpoint!("keeper.daemon.over");
        let _ = daemon.link.fill();
        let _ = self.epoll.delete(&daemon.link);
        let mut ready = daemon.ready;
        while let Ok(Some(message)) = daemon.link.next::<ToKeeper>() {
            ready |= matches!(message, ToKeeper::Ready { .. });
            if message == ToKeeper::Upgrade {
                self.successor = daemon.link.take_fd();
            }
            self.apply(message);
        }
        if self.quitting || self.ending.is_some() {
            return;
        }
        if let Some(program) = self.successor.take() {
            self.become_successor(&program);
        }
        if ready {
            self.daemon_failures = 0;
            self.daemon_due = Some(0);
        } else {
            self.daemon_due = Some(monotonic_ns() + backoff(self.daemon_failures));
            self.daemon_failures += 1;
        }
    }

    pub(super) fn heard_scribe(&mut self) {
        let Some(scribe) = &mut self.scribe else {
            return;
        };
        let mut over = scribe.link.flush().is_err() | scribe.link.fill().is_err();
        let mut drained = Vec::new();
        loop {
            match scribe.link.next::<ScribeToKeeper>() {
                Ok(Some(ScribeToKeeper::Drained { key, run, stream })) => {
                    scribe.ready = true;
                    failpoint!("keeper.drained.read");
                    drained.push(PipeKey { key, run, stream });
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
        for pipe in drained {
            self.forget_pipe(pipe);
        }
    }

    /// All that was in it is in its file, and nobody writes to it any more.
    fn forget_pipe(&mut self, pipe: PipeKey) {
        if let Some(end) = self.pipes.remove(&pipe) {
            end.remove(&self.setup.paths.pipes(), pipe);
        }
    }

    pub(super) fn scribe_is_over(&mut self) {
        if let Some(mut scribe) = self.scribe.take() {
            failpoint!("keeper.scribe.over");
            let _ = scribe.link.fill();
            while let Ok(Some(ScribeToKeeper::Drained { key, run, stream })) = scribe.link.next() {
                self.forget_pipe(PipeKey { key, run, stream });
            }
            let _ = self.epoll.delete(&scribe.link);
        }
        if !self.quitting {
            self.scribe_due = Some(0);
        }
    }

    /// The scribe writes what waits and ends; it is followed by another unless all is over.
    pub(super) fn drop_scribe(&mut self) {
        if let Some(scribe) = &mut self.scribe {
            let _ = scribe.link.send(&KeeperToScribe::End, vec![]);
        }
    }

    /// Records who plays the roles, for whoever comes when all of them are gone, or hang.
    pub(super) fn note_roles(&mut self) -> Result<(), KeeperError> {
        let before = self.table.roles();
        let who = |role: &Option<RoleProcess>, before: Who| {
            role.as_ref().map_or(before, |role| {
                if role.pid == before.pid {
                    before
                } else {
                    Who::of(role.pid)
                }
            })
        };
        let roles = Roles {
            keeper: Who::of(nix::unistd::getpid().as_raw()),
            daemon: who(&self.daemon, before.daemon),
            scribe: who(&self.scribe, before.scribe),
        };
        Ok(self.table.set_roles(roles)?)
    }

    /// Ends what an earlier keeper left of its roles. Two daemons would decide twice, two scribes write twice; the
    /// next scribe starts when the old one is gone.
    pub(super) fn end_old_roles(&mut self) -> Result<(), KeeperError> {
        let own = nix::unistd::getpid().as_raw();
        let Roles { daemon, scribe, .. } = self.table.roles();
        if let Some(handle) = daemon.handle().filter(|_| daemon.pid != own) {
            let _ = handle.send(Signal::KILL);
        }
        if let Some(handle) = scribe.handle() {
            let _ = handle.send(Signal::KILL);
            let event = EpollEvent::new(EpollFlags::EPOLLIN, OLD_SCRIBE);
            if self.epoll.add(&handle, event).is_ok() {
                self.scribe_due = None;
                self.old_scribe = Some(handle);
            }
        }
        let keeper = Who::of(own);
        Ok(self.table.set_roles(Roles {
            keeper,
            ..Roles::default()
        })?)
    }

    pub(super) fn old_scribe_is_over(&mut self) {
        // Said, not left to the drop: a child between fork and exec may still have the descriptor open.
        if let Some(handle) = self.old_scribe.take() {
            let _ = self.epoll.delete(&handle);
            self.scribe_due = Some(0);
        }
    }
}
