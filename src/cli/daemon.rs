//! The daemon's life, and the composition of the roles.

use std::ffi::OsString;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::api::ServerControl;
use crate::client::{Client, ClientError, Started, lease};
use crate::config;
use crate::config::units::{short_seconds, short_size};
use crate::keeper::begin::{Setup, run as run_keeper};
use crate::keeper::handover::Inheritance;
use crate::platform::child::call_it;
use crate::platform::paths::Paths;
use crate::platform::signal::PidFd;
use crate::platform::{child, descriptor, folder};

use super::args::{DaemonVerb, Global};
use super::end::{Ended, stop_and_wait};
use super::failure::{Failure, exit};
use super::select::new_client;
use super::{own_log, print, upgrade};

/// How long the next daemon may take at a restart.
const REPLACE: Duration = Duration::from_secs(10);

pub(super) fn command(global: &Global, verb: Option<DaemonVerb>) -> Result<ExitCode, Failure> {
    match verb {
        None => foreground(),
        Some(DaemonVerb::Start) => start(global),
        Some(DaemonVerb::Stop) => stop(global),
        Some(DaemonVerb::Restart { binary }) => restart(global, binary.as_deref()),
        Some(DaemonVerb::Status) => status(global),
        Some(DaemonVerb::Log(wanted)) => own_log::show(global, wanted),
    }
}

/// Becomes the keeper of a daemon in the foreground.
fn foreground() -> Result<ExitCode, Failure> {
    call_it(c"adasa-keeper");
    let paths = Paths::find().map_err(ClientError::Folders)?;
    let Some(lease) = lease(&paths).map_err(ClientError::Launch)? else {
        let who = new_client(false)?.info().map_or_else(
            |error| format!(": {error}"),
            |info| format!(" (keeper pid {}, daemon pid {})", info.keeper_pid, info.pid),
        );
        return Err(Failure::new(
            exit::FAILED,
            format!("a daemon of {} runs already{who}", paths.state.display()),
        )
        .hint("`adasa daemon stop` ends it; another ADASA_HOME has its own"));
    };
    if std::process::id()
        .try_into()
        .is_ok_and(crate::platform::service::restarts)
    {
        // Without it a client may only be quicker than the service manager.
        let _ = std::fs::write(paths.restarted(), "");
    }
    let setup = Setup {
        paths,
        lock: lease.lock,
        listener: lease.listener,
        foreground: true,
        inherited: None,
    };
    match run_keeper(setup) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::new(exit::FAILED, error.to_string())),
    }
}

/// The keeper's process, started by a client that gave it lock and socket.
pub(super) fn keeper(arguments: &[OsString]) -> ExitCode {
    call_it(c"adasa-keeper");
    let number = |n: usize| -> Option<i32> { arguments.get(n)?.to_str()?.parse().ok() };
    let inherited = |paper: i32| -> std::io::Result<Setup> {
        let inheritance = Inheritance::receive(paper)?;
        Ok(Setup {
            paths: Paths::find()?,
            lock: inheritance.lock,
            listener: UnixListener::from(inheritance.listener),
            foreground: inheritance.foreground,
            inherited: Some(inheritance.held),
        })
    };
    let taken = || -> std::io::Result<Setup> {
        if arguments.get(2).is_some_and(|word| word == "--heir") {
            return inherited(number(3).unwrap_or(-1));
        }
        child::leave_session();
        let missing = || std::io::Error::other("lock and socket were not given");
        let lock = descriptor::inherited(number(2).ok_or_else(missing)?)?;
        let listener = descriptor::inherited(number(3).ok_or_else(missing)?)?;
        // What else whoever launched it had open (a pipe, a lock) is not the keeper's to hold.
        child::keep_only(lock.as_fd(), listener.as_fd())?;
        Ok(Setup {
            paths: Paths::find()?,
            lock: folder::inherited_lock(lock)?,
            listener: UnixListener::from(listener),
            foreground: false,
            inherited: None,
        })
    };
    let setup = match taken() {
        Ok(setup) => setup,
        Err(_) => return ExitCode::FAILURE,
    };
    let complaint = setup.paths.start_error();
    match run_keeper(setup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !complaint.exists() {
                let _ = std::fs::write(complaint, error.to_string());
            }
            ExitCode::FAILURE
        }
    }
}

/// The daemon's process.
pub(super) fn daemon(foreground: bool) -> ExitCode {
    call_it(c"adasa-daemon");
    let env = super::select::caller().env;
    let settings = move || {
        let paths = Paths::find().map_err(|error| error.to_string())?;
        let file = paths.config.join(config::DAEMON_FILE);
        config::load_settings(&file, &env).map_err(|error| error.to_string())
    };
    match crate::daemon::role::run(foreground, Box::new(settings), crate::server::open) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if foreground {
                print::remark(&error.to_string());
            }
            ExitCode::FAILURE
        }
    }
}

/// The scribe's process.
pub(super) fn scribe() -> ExitCode {
    call_it(c"adasa-scribe");
    match crate::scribe::role::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn start(global: &Global) -> Result<ExitCode, Failure> {
    let client = new_client(true)?;
    let started = client.ensure()?;
    let info = client.info()?;
    if global.json {
        print::json(&info);
    } else if started == Started::Yes {
        print::line(&format!("daemon started (pid {})", info.pid));
    } else {
        print::line(&format!("the daemon runs already (pid {})", info.pid));
    }
    Ok(ExitCode::SUCCESS)
}

fn stop(global: &Global) -> Result<ExitCode, Failure> {
    let client = new_client(false)?;
    match stop_and_wait(&client, global) {
        Ok(Ended { pid, lost }) => {
            if global.json {
                let ended = serde_json::json!({ "stopped": true, "pid": pid, "lost": lost });
                print::json(&ended);
            } else {
                print::line("daemon stopped");
            }
            Ok(ExitCode::SUCCESS)
        }
        // All of it was killed: what runs on is taken over first, and ended as it is to be ended.
        Err(failure)
            if failure.exit == exit::NO_DAEMON
                && is_nobody(&client)
                && !client.left_running().is_empty() =>
        {
            client.ensure()?;
            stop(global)
        }
        Err(failure) if failure.exit == exit::NO_DAEMON && is_nobody(&client) => {
            if global.json {
                print::json(&serde_json::json!({ "stopped": false, "running": false }));
            } else {
                print::line("no daemon runs");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => Err(failure),
    }
}

fn is_nobody(client: &Client) -> bool {
    matches!(client.ensure_as(true), Err(ClientError::NoDaemon { .. }))
}

fn restart(global: &Global, binary: Option<&Path>) -> Result<ExitCode, Failure> {
    let mut client = new_client(false)?;
    let mut successor = None;
    let (epoch, pid) =
        match client.info() {
            Ok(info) => {
                let program =
                    binary.map_or_else(|| "this program".into(), |b| b.display().to_string());
                successor = upgrade::wanted(binary, info.keeper_pid)
                    .map_err(|e| Failure::new(exit::FAILED, format!("{program}: {e}")))?;
                let what = successor.clone().map_or(ServerControl::Restart, |binary| {
                    ServerControl::Upgrade { binary }
                });
                client.control(what)?;
                // There was one: if whoever should start the next is gone too, this command does.
                client = new_client(!global.no_autostart)?;
                (info.epoch, i32::try_from(info.pid).ok())
            }
            // What of it nobody can reach makes room first.
            Err(ClientError::NoDaemon { .. }) if client.end_unreachable() => {
                client = new_client(!global.no_autostart)?;
                (0, None)
            }
            Err(ClientError::NoDaemon { .. }) => return start(global),
            Err(error @ ClientError::Unresponsive(_)) => match client.end_hung_daemon() {
                Some(epoch) => {
                    // Should its keeper be gone too, a new one is started.
                    client = new_client(!global.no_autostart)?;
                    (epoch, None)
                }
                None => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
    let deadline = Instant::now() + REPLACE;
    // Each request waits in the socket's queue until the next daemon takes it.
    let mut info = client.info()?;
    while info.epoch == epoch && Instant::now() < deadline {
        if let Some(old) = pid
            && let Ok(handle) = PidFd::open(old)
        {
            let _ = handle.wait(Duration::from_secs(1));
        }
        info = client.info()?;
    }
    if info.epoch == epoch {
        return Err(Failure::new(
            exit::TIMED_OUT,
            "the daemon was not replaced in time",
        ));
    }
    if let Some(binary) = &successor
        && upgrade::differs(binary, info.keeper_pid).unwrap_or(true)
    {
        let what = format!(
            "the daemon was replaced, but the keeper (pid {}) could not go on as {}",
            info.keeper_pid,
            binary.display()
        );
        return Err(Failure::new(exit::FAILED, what));
    }
    if global.json {
        print::json(&info);
    } else {
        let both = if successor.is_some() {
            "keeper and daemon go on as another build"
        } else {
            "daemon restarted"
        };
        print::line(&format!(
            "{both} (pid {}); no process was touched",
            info.pid
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn counted(total: u32, by_status: &[String]) -> String {
    if by_status.is_empty() {
        return total.to_string();
    }
    format!("{total} ({})", by_status.join(", "))
}

fn status(global: &Global) -> Result<ExitCode, Failure> {
    let client = new_client(false)?;
    let info = match client.info() {
        Ok(info) => info,
        Err(ClientError::NoDaemon { socket }) => {
            let left = client.left_running();
            if global.json {
                let left: Vec<_> = (left.iter())
                    .map(|(name, pid)| serde_json::json!({ "name": name, "pid": pid }))
                    .collect();
                let status =
                    serde_json::json!({ "running": false, "socket": socket, "left": left });
                print::json(&status);
            } else if left.is_empty() {
                print::line("no daemon runs");
            } else {
                let left: Vec<_> = (left.iter())
                    .map(|(name, pid)| format!("{name} (pid {pid})"))
                    .collect();
                print::line(&format!(
                    "no daemon runs, and without it: {}",
                    left.join(", ")
                ));
                print::line("  `adasa list` takes over what runs, `adasa daemon stop` ends it");
            }
            return Ok(ExitCode::from(exit::NO_DAEMON));
        }
        Err(error) => return Err(error.into()),
    };
    if global.json {
        print::json(&info);
        return Ok(ExitCode::SUCCESS);
    }
    let counts: Vec<String> = info
        .counts
        .by_status
        .iter()
        .map(|(s, n)| format!("{n} {s}"))
        .collect();
    let mut lines = vec![
        format!("adasa {} runs (pid {})", info.version, info.pid),
        format!("  keeper     pid {}", info.keeper_pid),
        format!("  scribe     pid {}", info.scribe_pid),
        format!("  uptime     {}", short_seconds(info.uptime)),
        format!("  memory     {}", short_size(info.memory)),
        format!("  processes  {}", counted(info.counts.total, &counts)),
        format!("  socket     {}", info.socket.display()),
        format!("  state      {}", info.state_dir.display()),
        format!("  logs       {}", info.log_dir.display()),
    ];
    for scribe in &info.scribes {
        if let Some(folder) = &scribe.folder {
            let (pid, folder) = (scribe.pid, folder.display());
            let held = if scribe.held {
                ", held by its file system"
            } else {
                ""
            };
            lines.push(format!("  scribe     pid {pid} for {folder}{held}"));
        }
    }
    let trees = match &info.control_group {
        Some(folder) => format!("control groups in {}", folder.display()),
        None => "no control groups here: each is walked".to_owned(),
    };
    lines.push(format!("  trees      {trees}"));
    if info.strays > 0 {
        lines.push(format!(
            "  strays     {} below the keeper, of no known run",
            info.strays
        ));
    }
    let parts: Vec<String> = info
        .subsystems
        .iter()
        .map(|s| format!("{} {}", s.name, s.state))
        .collect();
    lines.push(format!("  parts      {}", parts.join(", ")));
    for alarm in &info.alarms {
        lines.push(format!("  ALARM      {alarm}"));
    }
    print::line(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}
