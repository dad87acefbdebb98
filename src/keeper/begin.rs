//! How the keeper begins: with what it was given, or with what the keeper before handed over.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixListener;

use nix::sys::epoll::{Epoll, EpollCreateFlags};
use nix::sys::signal::Signal as Native;
use nix::sys::signalfd::SignalFd;

use crate::platform::cgroup::{self, Home};
use crate::platform::child;
use crate::platform::clock::{as_ns, boot_id, monotonic_ns};
use crate::platform::descriptor::Reserve;
use crate::platform::paths::Paths;
use crate::platform::{descriptor, folder, signal};

use super::handover::{Handover, Held};
use super::lane::Lane;
use super::protocol::Before;
use super::role::{Keeper, KeeperError, SIGNALS, TIDY, doing};
use super::scribes::Scribe;
use super::stage::Stage;
use super::table::Table;

/// What the keeper begins with.
pub(crate) struct Setup {
    /// Where everything lies.
    pub paths: Paths,
    /// The lock of the state folder, held for life; the daemon has it too, for the day when the keeper is gone.
    pub lock: File,
    /// The API's socket, bound and listening.
    pub listener: UnixListener,
    /// Whether a person or systemd watches standard error.
    pub foreground: bool,
    /// What an earlier keeper's heir brings along.
    pub inherited: Option<Held>,
}

/// What can fail, and is made before anything is changed.
struct Ready {
    signals: SignalFd,
    raised: (u64, u64),
    stage: Stage,
    table: Table,
    home: Option<Home>,
    epoll: Epoll,
    null: OwnedFd,
    reserve: Reserve,
}

fn prepare(setup: &Setup) -> Result<Ready, KeeperError> {
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
    let raised = doing("raise the file limit", descriptor::raise_file_limit())?;
    let stage = doing(
        "make the stage",
        Stage::open(&setup.paths.volatile, Lane::MAIN),
    )?;
    doing(
        "make the folder of pipes",
        folder::make_private(&setup.paths.pipes()),
    )?;
    let mut table = Table::open(&setup.paths.table(), &boot_id())?;
    let home = nest(&mut table, &setup.paths.marker())?;
    let epoll = doing(
        "make an epoll",
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Into::into),
    )?;
    let null = doing(
        "open /dev/null",
        File::options().read(true).open("/dev/null"),
    )?
    .into();
    let reserve = doing("keep descriptors in reserve", Reserve::new())?;
    Ok(Ready {
        signals,
        raised,
        stage,
        table,
        home,
        epoll,
        null,
        reserve,
    })
}

/// This build cannot begin: the one before goes on. Returns when there is none, or it cannot either.
fn go_back(setup: &Setup, held: &Held) {
    if let Some(back) = &held.back {
        let handles = held.handles.iter();
        let results = held.results.iter();
        let _ = Handover {
            heir: held.heir,
            foreground: setup.foreground,
            lock: setup.lock.as_fd(),
            listener: setup.listener.as_fd(),
            stages: held.stages.iter().map(|stage| stage.as_fd()).collect(),
            back: None,
            file_limit: held.file_limit,
            handles: handles
                .map(|(key, run, handle)| (*key, *run, handle.as_fd()))
                .collect(),
            results: results
                .map(|(key, run, fd)| (*key, *run, fd.as_fd()))
                .collect(),
        }
        .become_keeper(back.as_fd());
    }
}

/// Runs the keeper until everything has ended.
///
/// # Errors
/// What kept it from beginning, or a daemon that does not start.
pub(crate) fn run(mut setup: Setup) -> Result<(), KeeperError> {
    let held = setup.inherited.take();
    let ready = match prepare(&setup) {
        Ok(ready) => ready,
        Err(error) => {
            if let Some(held) = &held {
                go_back(&setup, held);
            }
            return Err(error);
        }
    };
    let mut keeper = Keeper {
        scribes: Scribe::all(ready.stage, &setup.paths.volatile),
        setup,
        epoll: ready.epoll,
        signals: ready.signals,
        table: ready.table,
        home: ready.home,
        null: ready.null,
        reserve: ready.reserve,
        file_limit: held.as_ref().map_or(ready.raised, |held| held.file_limit),
        daemon: None,
        leaving: Vec::new(),
        before: Before::Over,
        watch_due: Keeper::first_look(),
        tidy_due: Some(monotonic_ns() + as_ns(TIDY)),
        daemon_due: Some(0),
        daemon_failures: 0,
        pipes: BTreeMap::new(),
        results: HashMap::new(),
        pids: HashMap::new(),
        adopted: HashMap::new(),
        to_reap: false,
        drained: VecDeque::new(),
        ending_pids: VecDeque::new(),
        shutdown: None,
        forked_due: None,
        shutdown_due: None,
        ending: None,
        quitting: false,
        quit_due: None,
        last_due: None,
        successor: None,
    };
    keeper.watch(SIGNALS)?;
    keeper.adopt(held);
    keeper.end_old_roles()?;
    let result = keeper.turn_until_done();
    for home in keeper.table.groups() {
        cgroup::clear(home);
    }
    result
}

/// Makes the folder of control groups, and remembers it together with those of earlier keepers.
fn nest(table: &mut Table, marker: &str) -> Result<Option<Home>, KeeperError> {
    // Without one, trees are walked.
    let home = Home::make(marker).ok();
    let own = home.as_ref().map(|home| home.path().to_owned());
    let before = table.groups().iter();
    let before = before.filter(|path| Some(*path) != own.as_ref() && path.exists());
    let groups = own.iter().chain(before).cloned().collect();
    if groups != table.groups() {
        table.set_groups(groups)?;
    }
    Ok(home)
}
