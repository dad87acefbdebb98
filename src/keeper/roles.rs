//! The daemon: started, heard, and started again when it is over.

use std::os::fd::AsFd as _;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use crate::domain::exit::Signal;
use crate::domain::pulse::Pulse;
use crate::platform::beat::Beat;
use crate::platform::child;
use crate::platform::clock::monotonic_ns;
use crate::platform::failpoint::failpoint;
use crate::platform::signal;

use super::lane::Lane;
use super::link::{Link, LinkError};
use super::protocol::{Entry, ToDaemon, ToKeeper, VERSION};
use super::role::{DAEMON, HOPELESS, Keeper, KeeperError, RoleProcess, backoff, own_binary};
use super::who::{Roles, Who};

impl Keeper {
    pub(super) fn start_daemon(&mut self) -> Result<(), KeeperError> {
        self.reserve.lend_all();
        let begun = self.begin_daemon();
        self.reserve.refill();
        begun
    }

    fn begin_daemon(&mut self) -> Result<(), KeeperError> {
        let live = self.table.entries().any(Entry::is_live);
        if self.daemon_failures >= HOPELESS && !live {
            self.end_scribes();
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
            scribe_pid: self.main_scribe().map_or(0, |role| role.pid),
            volatile: self.setup.paths.volatile.clone(),
            file_limit: self.file_limit,
            entries: self.table.entries().cloned().collect(),
            before: std::mem::take(&mut self.before),
            groups: self.table.groups().to_vec(),
            incomplete: self.table.is_incomplete(),
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
        self.introduce_all();
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

    /// The one that writes to the folder of all logs.
    fn main_scribe(&self) -> Option<&RoleProcess> {
        self.scribes.get(&Lane::MAIN)?.role.as_ref()
    }

    /// Records who plays the roles, for whoever comes when all of them are gone, or hang.
    pub(super) fn note_roles(&mut self) -> Result<(), KeeperError> {
        let before = self.table.roles();
        let who = |role: Option<&RoleProcess>, before: Who| {
            role.map_or(before, |role| {
                if role.pid == before.pid {
                    before
                } else {
                    Who::of(role.pid)
                }
            })
        };
        let roles = Roles {
            keeper: Who::of(nix::unistd::getpid().as_raw()),
            daemon: who(self.daemon.as_ref(), before.daemon),
            scribe: who(self.main_scribe(), before.scribe),
        };
        Ok(self.table.set_roles(roles)?)
    }
}
