//! Does what the supervisor wants done; decides nothing.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::mpsc::SyncSender;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::{mpsc, watch};

use crate::keeper::link::Link;
use crate::keeper::protocol::{ToKeeper, ToScribe};
use crate::platform::beat::Beat;
use crate::platform::cgroup::Groups;
use crate::platform::failpoint::failpoint;
use crate::platform::notify::Nudge;
use crate::platform::paths::Paths;
use crate::platform::procfs;

use super::heir::Heir;
use super::history::History;
use super::inspector::{FromInspector, ToInspector};
use super::ledger::Ledger;
use super::message::{Deed, Msg};
use super::retention::{FromRetention, Retention, TOTAL_QUOTA, ToRetention};
use super::role::{WELCOME, now};
use super::sampler::{FromSampler, Identified, ToSampler};
use super::scribes::Scribes;
use super::store::Store;
use super::supervisor::Supervisor;

/// The threads around the supervisor.
pub(super) struct Threads {
    pub(super) sampler: SyncSender<Box<ToSampler>>,
    pub(super) inspector: SyncSender<Box<ToInspector>>,
    pub(super) retention: Retention,
}

impl Threads {
    pub(super) fn start(
        paths: &Paths,
        keeper: i32,
        marker: &str,
        groups: &Groups,
        sender: &mpsc::Sender<Msg>,
    ) -> io::Result<Self> {
        // What the inspector finds out goes to the sampler directly.
        let (identified, relay) = std::sync::mpsc::sync_channel::<Identified>(1024);
        let told = sender.clone();
        let (inspector, _) =
            super::inspector::start(keeper, marker.to_owned(), groups.clone(), move |message| {
                let message = match message {
                    FromInspector::Swept { id, run } => Msg::Swept { id, run },
                    FromInspector::Survivors { id, run, text } => Msg::Survivors { id, run, text },
                    FromInspector::Found { id, run, evidence } => Msg::Found { id, run, evidence },
                    FromInspector::Confirmed { id, run, memory } => {
                        Msg::Confirmed { id, run, memory }
                    }
                    FromInspector::Identified { pid, start, owner } => {
                        let _ = identified.try_send((pid, start, owner));
                        return;
                    }
                };
                let _ = told.blocking_send(message);
            })?;
        let told = sender.clone();
        let asked = inspector.clone();
        let (sampler, _) = super::sampler::start(
            paths.logs.clone(),
            keeper,
            relay,
            move |message| match message {
                FromSampler::Sampled {
                    host,
                    samples,
                    strays,
                } => told
                    .blocking_send(Msg::Sampled {
                        host,
                        samples,
                        strays,
                    })
                    .is_ok(),
                FromSampler::Identify { pid, start } => {
                    let _ = asked.try_send(Box::new(ToInspector::Identify { pid, start }));
                    true
                }
            },
        )?;
        let told = sender.clone();
        let quota = quota(std::env::var("ADASA_LOGS__QUOTA").ok())?;
        let mut retention = Retention::new(paths.logs.clone(), quota, move |message| {
            let message = match message {
                FromRetention::Cleared(ticket, result) => {
                    let (removed, error) = match result {
                        Ok(removed) => (removed, None),
                        Err(error) => (false, Some(error.to_string())),
                    };
                    Msg::Cleared {
                        ticket,
                        removed,
                        error,
                    }
                }
                FromRetention::MadeRoom(archives, log) => Msg::Noted(format!(
                    "the disk of {} is full: the oldest {archives} archives on it were removed",
                    log.display()
                )),
            };
            let _ = told.blocking_send(message);
        });
        retention.begin()?;
        Ok(Self {
            sampler,
            inspector,
            retention,
        })
    }
}

/// What all logs may have together, as the environment says.
fn quota(said: Option<String>) -> io::Result<u64> {
    let Some(said) = said.filter(|text| !text.is_empty()) else {
        return Ok(TOTAL_QUOTA);
    };
    let size = said.parse::<bytesize::ByteSize>();
    size.map(|size| size.as_u64()).map_err(|_| {
        io::Error::other(format!(
            "ADASA_LOGS__QUOTA={said:?} is no size (as 512MB, 1.5GiB, 65536)"
        ))
    })
}

/// Does what the supervisor wants done; decides nothing.
pub(super) struct Hands {
    pub(super) keeper: Link,
    /// What it said and can wait a turn.
    pub(super) backlog: super::backlog::Backlog,
    /// Where the keeper looks whether we are alive.
    pub(super) beat: Option<Beat>,
    /// It asked.
    pub(super) asked: bool,
    pub(super) scribes: Scribes,
    /// The keeper can be told of limits; else scribes are, and forget them when they end.
    pub(super) passes_limits_on: bool,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    pub(super) growth: watch::Sender<u64>,
    pub(super) threads: Threads,
    /// Has the settings read anew.
    pub(super) settings: Nudge,
    pub(super) groups: Groups,
    pub(super) leaving: bool,
    /// For the day the keeper dies.
    pub(super) heir: Heir,
    /// That day.
    pub(super) bereft: bool,
}

impl Hands {
    pub(super) fn keeper_says(&mut self, message: &ToKeeper) {
        if self.keeper.send(message, vec![]).is_err() {
            self.bereft = true;
        }
    }

    /// Sends what still waits: the keeper must not miss the last of it, which may be that all is over.
    pub(super) fn last_words(&mut self) {
        while self.keeper.wants_write() && self.keeper.flush().is_ok() {
            let mut fds = [PollFd::new(self.keeper.as_fd(), PollFlags::POLLOUT)];
            let timeout = PollTimeout::try_from(WELCOME).unwrap_or(PollTimeout::NONE);
            if self.keeper.wants_write() && !matches!(poll(&mut fds, timeout), Ok(1..)) {
                return;
            }
        }
    }

    pub(super) fn scribe_says(&mut self, message: &ToScribe) {
        if let Some(folder) = self.scribes.say(message) {
            self.keeper_says(&ToKeeper::Scribe { folder });
        }
    }

    /// Performs deeds until none is left; some bring about others at once.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other deeds are done one by one"
    )]
    pub(super) fn perform(&mut self, supervisor: &mut Supervisor) {
        loop {
            let deeds = supervisor.take_deeds();
            if deeds.is_empty() {
                return;
            }
            let mut orphans = None;
            let mut swept = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Sweep(order) => {
                        // One act of the kernel's own memory: it waits for no disk and for nobody. Nobody is left of
                        // a tree whose group can be removed; without a group it is seen by the keeper's orphans.
                        let (id, run) = (order.id, order.run);
                        let grouped = self.groups.has(id, run);
                        let gone = !order.adopted
                            && (grouped
                                || !*orphans.get_or_insert_with(|| has_orphans(supervisor)))
                            && self.groups.remove(id, run);
                        if !gone {
                            let _ = self
                                .threads
                                .inspector
                                .try_send(Box::new(ToInspector::Sweep(order)));
                        } else {
                            swept.push((id, run));
                        }
                    }
                    other => self.perform_one(other, supervisor),
                }
            }
            for (id, run) in swept {
                supervisor.handle(now(), Msg::Swept { id, run });
            }
        }
    }

    /// An operation that cannot be remembered is carried out all the same; that it is forgotten with this daemon is said.
    fn remember(
        &mut self,
        supervisor: &mut Supervisor,
        write: impl FnOnce(&mut Ledger) -> io::Result<()>,
    ) {
        let result = write(&mut self.ledger);
        let failing = result.is_err();
        if let Err(error) = result
            && !self.ledger.failing
        {
            let text = format!("operations cannot be remembered in the volatile folder: {error}");
            supervisor.handle(now(), Msg::Subsystem(text));
        }
        self.ledger.failing = failing;
    }

    pub(super) fn perform_one(&mut self, deed: Deed, supervisor: &mut Supervisor) {
        failpoint!("daemon.deed");
        match deed {
            Deed::Keeper(message) => self.keeper_says(&message),
            // It was executed a moment ago: this open waits for nothing that was not there then.
            Deed::Upgrade(binary) => match std::fs::File::open(&binary) {
                Ok(file) => {
                    let _ = self.keeper.send(&ToKeeper::Upgrade, vec![file.into()]);
                }
                Err(error) => tracing::error!("{}: {error}", binary.display()),
            },
            Deed::Scribe(message) => self.scribe_says(&message),
            Deed::Limits { id: key, routes } if self.passes_limits_on => {
                self.keeper_says(&ToKeeper::Limits { key, routes });
            }
            Deed::Limits { routes, .. } => {
                for (_, route) in routes.each() {
                    let route = route.clone();
                    self.scribe_says(&ToScribe::Limits { route });
                }
            }
            Deed::Remember(entry) => self.remember(supervisor, |ledger| ledger.append(entry)),
            Deed::RememberAnew(known) => self.remember(supervisor, |ledger| ledger.anew(known)),
            Deed::Store {
                record,
                ticket,
                durable,
            } => {
                let taken = self.store.append(record, ticket, durable);
                if let (Err(why), Some(ticket)) = (taken, ticket) {
                    let error = Some(why.to_owned());
                    supervisor.handle(now(), Msg::Stored { ticket, error });
                }
            }
            Deed::History(event) => self.history.append(event),
            Deed::Saw(seen) => self.history.saw(seen),
            Deed::Sweep(_) => {}
            Deed::SweepAgain => {
                let _ = self
                    .threads
                    .inspector
                    .try_send(Box::new(ToInspector::Again));
            }
            Deed::SweepOver(id) => {
                let _ = self
                    .threads
                    .inspector
                    .try_send(Box::new(ToInspector::Over(id)));
            }
            Deed::Track {
                id,
                run,
                pid,
                start,
            } => {
                self.heir.hold(id, run, pid, start);
                let _ =
                    self.threads
                        .inspector
                        .try_send(Box::new(ToInspector::Main { id, run, pid }));
                let _ = self.threads.sampler.try_send(Box::new(ToSampler::Track {
                    id,
                    run,
                    pid,
                    start,
                }));
            }
            Deed::Untrack(id) => {
                self.heir.let_go(id);
                let gone = ToInspector::Main {
                    id,
                    run: crate::domain::names::RunId(0),
                    pid: 0,
                };
                let _ = self.threads.inspector.try_send(Box::new(gone));
                let _ = self
                    .threads
                    .sampler
                    .try_send(Box::new(ToSampler::Untrack(id)));
            }
            Deed::Confirm { id, run } => {
                if let Some(pid) = supervisor.main_pid(id) {
                    let _ = self
                        .threads
                        .inspector
                        .try_send(Box::new(ToInspector::Confirm { id, run, pid }));
                }
            }
            Deed::Autopsy {
                id,
                run,
                pid,
                begun_us,
            } => {
                let autopsy = ToInspector::Autopsy {
                    id,
                    run,
                    pid,
                    begun_us,
                };
                let _ = self.threads.inspector.try_send(Box::new(autopsy));
            }
            Deed::Retain { path } => {
                self.threads.retention.send(ToRetention::Look(path));
            }
            Deed::MakeRoom { path } => {
                self.threads.retention.send(ToRetention::MakeRoom(path));
            }
            Deed::Retention { route, keep } => {
                let path = route.path.to_path_buf();
                self.threads
                    .retention
                    .send(ToRetention::Limits { path, keep });
            }
            Deed::ClearArchives { ticket, path } => {
                let order = ToRetention::Clear { ticket, path };
                if !self.threads.retention.send(order) {
                    let error = Some("too many archives wait to be tended".to_owned());
                    let removed = false;
                    supervisor.handle(
                        now(),
                        Msg::Cleared {
                            ticket,
                            removed,
                            error,
                        },
                    );
                }
            }
            Deed::Grew => self.growth.send_modify(|n| *n = n.wrapping_add(1)),
            Deed::ReopenLog => {
                super::telemetry::reopen();
                self.settings.give();
            }
            Deed::Dump => supervisor.dump(),
            Deed::Leave => self.leaving = true,
        }
    }
}

/// Whether the keeper has a child that is no role and nobody's main process. These reads cannot hang.
fn has_orphans(supervisor: &Supervisor) -> bool {
    let mut own = supervisor.lanes.pids();
    own.push(i32::try_from(std::process::id()).unwrap_or(0));
    let mains = supervisor.main_pids();
    let any = || {
        procfs::children(supervisor.setting.keeper_pid)
            .into_iter()
            .any(|pid| !own.contains(&pid) && !mains.contains(&pid))
    };
    // One that is reaped while they are read hides the one that is listed after it.
    any() || any()
}
