//! The daemon's process: takes the keeper's word, runs the supervisor, and does what the supervisor wants done.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::{mpsc, watch};

use crate::keeper::link::{Link, LinkError};
use crate::keeper::loss;
use crate::keeper::protocol::{OLDEST, ToDaemon, ToKeeper, VERSION};
use crate::platform::cgroup::Groups;
use crate::platform::clock::{boot_id, monotonic_ns, wall_ms};
use crate::platform::failpoint::failpoint;
use crate::platform::paths::Paths;
use crate::platform::{child, descriptor, procfs, signal as signals};

use super::backlog;
use super::handle::{Handle, QUEUE};
use super::hands::{Hands, Threads};
use super::heir::Heir;
use super::ledger::Ledger;
use super::past::Past;
use super::reading::Readers;
use super::settings::Source;

pub(crate) use super::message::Msg;
use super::subsystems::{State, Subsystems};
use super::supervisor::{Now, Setting, Supervisor};
use super::telemetry::{NotKnown, OwnLog, Telemetry};
use super::tree::Looks;
use super::turns::turn;
use super::unlisted;

/// How long the keeper may take for its first word, or to take our last.
pub(super) const WELCOME: i32 = 5_000;
/// How long the parts get at the end.
const GRACE: Duration = Duration::from_millis(500);

/// A keeper that speaks an earlier version does not pass limits of logs on.
const LIMITS_SINCE: u32 = 5;

/// Why the daemon could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// The kernel's word.
    #[error("the daemon could not {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The keeper's link.
    #[error("the keeper: {0}")]
    Keeper(#[from] LinkError),
    /// The keeper is of another build that speaks otherwise.
    #[error(
        "the keeper speaks version {0}, this daemon speaks {VERSION}: `adasa daemon stop`, then start again"
    )]
    Version(u32),
    /// The keeper is gone, and this daemon did not become the keeper.
    #[error("{0}")]
    Alone(#[source] io::Error),
    /// Its own log cannot be kept as is asked for.
    #[error(transparent)]
    Log(#[from] NotKnown),
    /// The keeper did not say what it should.
    #[error("the keeper did not introduce itself")]
    NoWelcome,
}

pub(super) fn doing<T>(what: &'static str, result: io::Result<T>) -> Result<T, DaemonError> {
    result.map_err(|source| DaemonError::Io { what, source })
}

pub(super) fn now() -> Now {
    Now {
        ns: monotonic_ns(),
        ms: wall_ms(),
    }
}

/// What the doors need: the API's socket, a way to ask, and the news of logs.
pub(crate) struct Doors {
    /// Bound and listening.
    pub listener: UnixListener,
    /// Asks the supervisor.
    pub handle: Handle,
    /// Changes when a followed log grows.
    pub growth: watch::Receiver<u64>,
    /// Tells the supervisor that somebody follows, or no longer.
    pub messages: mpsc::Sender<Msg>,
    /// Answers about what was.
    pub past: Past,
    /// What the daemon says of itself.
    pub own_log: OwnLog,
    /// Who may read logs.
    pub readers: Readers,
}

/// Runs the daemon. `settings` reads its settings, `open` puts the doors in.
///
/// # Errors
/// What kept it from beginning.
pub(crate) fn run(
    foreground: bool,
    settings: Source,
    open: impl FnOnce(&Subsystems, Doors) + 'static,
) -> Result<(), DaemonError> {
    crate::platform::memory::use_one_arena();
    child::leave_session();
    doing("ignore SIGPIPE", signals::ignore_write_signals())?;
    let link = doing("take its link", descriptor::inherited(3))?;
    let listener = doing("take its socket", descriptor::inherited(4))?;
    let lock = doing("take the lock", descriptor::inherited(5))?;
    let paths = doing("find its folders", Paths::find())?;
    let telemetry = match super::telemetry::begin(paths.daemon_log(), foreground) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            let _ = std::fs::write(paths.start_error(), error.to_string());
            return Err(error.into());
        }
    };
    let result = begin(&paths, link, (listener, lock), &telemetry, settings, open);
    if let Err(error) = &result {
        tracing::error!("{error}");
        // A keeper that is gone is no reason not to start: the next one begins another.
        if !matches!(error, DaemonError::Keeper(LinkError::Closed)) {
            let _ = std::fs::write(paths.start_error(), error.to_string());
        }
    }
    telemetry.last_words();
    result
}

fn begin(
    paths: &Paths,
    link: OwnedFd,
    (listener, lock): (OwnedFd, OwnedFd),
    telemetry: &Telemetry,
    settings: Source,
    open: impl FnOnce(&Subsystems, Doors) + 'static,
) -> Result<(), DaemonError> {
    let mut link = doing("use its link", Link::new(UnixStream::from(link)))?;
    let welcome = first_word(&mut link)?;
    let ToDaemon::Welcome {
        version,
        epoch,
        keeper_pid,
        scribe_pid,
        entries,
        before,
        file_limit,
        groups,
        incomplete,
        ..
    } = welcome
    else {
        return Err(DaemonError::NoWelcome);
    };
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(DaemonError::Version(version));
    }
    failpoint!("daemon.welcomed");
    let spare = doing("use its socket", listener.try_clone())?;
    let heir = Heir::new(keeper_pid, lock, spare, file_limit, &paths.volatile);
    let heir = doing("prepare for the keeper's death", heir)?;
    let boot = boot_id();
    let setting = Setting {
        pid_start: procfs::own_start(),
        epoch,
        boot_id: boot.clone(),
        keeper_pid,
        state_dir: paths.state.clone(),
        logs: paths.logs.clone(),
        volatile: paths.volatile.clone(),
        socket: paths.socket(),
        control_group: groups.first().cloned(),
        marker: paths.marker(),
        seed: monotonic_ns() ^ u64::from(std::process::id()).rotate_left(32),
        ticks_per_second: procfs::ticks_per_second(),
        starts_at_once: super::pacing::starts_at_once(std::thread::available_parallelism().ok()),
    };
    let groups = Groups::new(groups);
    let runtime = doing(
        "make its runtime",
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(32)
            .thread_keep_alive(Duration::from_secs(5))
            .thread_stack_size(512 * 1024)
            .build(),
    )?;
    let result = runtime.block_on(async move {
        let listener = UnixListener::from(listener);
        doing("use its socket", listener.set_nonblocking(true))?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (subsystems, board) = Subsystems::new();
        let saved = super::store::load(&paths.state);
        let stored = sender.clone();
        let (store, store_thread) = doing(
            "start its store",
            super::store::start(
                paths.state.clone(),
                saved.clone(),
                (boot.clone(), epoch),
                move |ticket, error| {
                    let _ = stored.blocking_send(Msg::Stored { ticket, error });
                },
            ),
        )?;
        let (history, history_thread) = doing(
            "start its history",
            super::history::start(paths.state.join("history")),
        )?;
        let (growth, watch) = watch::channel(0);
        let threads = doing(
            "start its threads",
            Threads::start(paths, keeper_pid, &setting.marker, &groups, &sender),
        )?;
        let config = super::settings::start(&paths.config, settings, sender.clone());
        let config = doing("watch its settings", config)?;
        for name in ["store", "history", "sampler", "inspector", "retention"] {
            subsystems.note(name, State::Running);
        }
        let found = unlisted::search(incomplete, &saved, &setting);
        let mut supervisor = Supervisor::new(setting, now());
        supervisor.lanes.meet(None, scribe_pid);
        supervisor.board = Some(board);
        let remembered = super::ledger::load(&paths.volatile, &boot);
        supervisor.take_over(saved, remembered, entries, found);
        supervisor.daemon_began();
        supervisor.warn_of(before);
        // Said once: it is in the history then.
        let losses = loss::read(&paths.lost());
        for loss in &losses {
            supervisor.warn(&loss.to_string());
        }
        // Where there is none, even asking would wait for a disk that is frozen.
        if !losses.is_empty() {
            let _ = std::fs::remove_file(paths.lost());
        }
        failpoint!("daemon.taken_over");
        let handle = Handle::new(sender.clone());
        let looks = Looks::new(threads.sampler.clone());
        let readers = Readers::new(&paths.logs);
        let (asks, reads) = (handle.clone(), readers.clone());
        let past = Past::new(asks, history.clone(), paths.marker(), looks, reads);
        let mut hands = Hands {
            keeper: link,
            backlog: backlog::Backlog::default(),
            beat: None,
            asked: false,
            scribes: super::scribes::Scribes::new(paths.logs.clone(), version),
            passes_limits_on: version >= LIMITS_SINCE,
            store,
            ledger: Ledger::new(paths.volatile.clone(), boot, epoch),
            history,
            growth,
            threads,
            settings: config,
            groups,
            leaving: false,
            heir,
            bereft: false,
        };
        hands.keeper_says(&ToKeeper::Ready { version: VERSION });
        failpoint!("daemon.ready");
        hands.perform(&mut supervisor);
        open(
            &subsystems,
            Doors {
                listener,
                handle,
                growth: watch,
                messages: sender,
                past,
                own_log: telemetry.log.clone(),
                readers,
            },
        );
        let _ = std::fs::remove_file(paths.start_error());
        failpoint!("daemon.open");
        let result = turn(&mut supervisor, &mut hands, receiver).await;
        if hands.bereft {
            return Err(DaemonError::Alone(
                hands.heir.succeed(|| telemetry.last_words()),
            ));
        }
        failpoint!("daemon.leaving");
        hands.last_words();
        subsystems.end(GRACE).await;
        let Hands {
            store,
            history,
            keeper,
            ..
        } = hands;
        history.close();
        drop((store, history));
        let _ = store_thread.join();
        let _ = history_thread.join();
        drop(keeper);
        result
    });
    runtime.shutdown_background();
    result
}

fn first_word(link: &mut Link) -> Result<ToDaemon, DaemonError> {
    loop {
        doing("read from the keeper", link.fill())?;
        if let Some(message) = link.next()? {
            return Ok(message);
        }
        let mut fds = [PollFd::new(link.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(WELCOME).unwrap_or(PollTimeout::NONE);
        match poll(&mut fds, timeout) {
            Ok(0) => return Err(DaemonError::NoWelcome),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return doing("wait for the keeper", Err(error.into())),
        }
    }
}
