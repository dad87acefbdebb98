//! Starting a keeper: whoever gets the lock binds the socket and hands both over; everybody else waits for it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::platform::failpoint::failpoint;
use crate::platform::paths::Paths;
use crate::platform::{descriptor, folder};

/// Why no daemon could be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The kernel's word.
    #[error("a daemon could not be started: {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("the daemon could not start: {0}")]
    Failed(String),
}

fn doing<T>(what: &'static str, result: io::Result<T>) -> Result<T, LaunchError> {
    result.map_err(|source| LaunchError::Io { what, source })
}

/// What makes this process the only one that may start a keeper.
#[derive(Debug)]
pub(crate) struct Lease {
    /// The lock of the state folder.
    pub lock: File,
    /// The API's socket, bound: who connects from now on waits in its queue.
    pub listener: UnixListener,
}

/// Takes the lock and binds the socket; none when somebody else has the lock.
///
/// # Errors
/// When either cannot be made.
pub(crate) fn lease(paths: &Paths) -> Result<Option<Lease>, LaunchError> {
    doing("the volatile folder", paths.make_volatile())?;
    let lock = folder::try_lock(&paths.lock()).map_err(|error| {
        let named = format!("{}: {error}", paths.lock().display());
        io::Error::new(error.kind(), named)
    });
    let Some(lock) = doing("the lock", lock)? else {
        return Ok(None);
    };
    failpoint!("client.locked");
    let socket = paths.socket();
    let _ = std::fs::remove_file(&socket);
    for old in [paths.start_error(), paths.restarted()] {
        let _ = std::fs::remove_file(old);
    }
    let (address, _folder) = doing("the socket's path", folder::socket_address(&socket))?;
    let listener = doing("the socket", UnixListener::bind(address))?;
    let closed = std::fs::Permissions::from_mode(0o600);
    doing(
        "the socket's mode",
        std::fs::set_permissions(&socket, closed),
    )?;
    failpoint!("client.bound");
    Ok(Some(Lease { lock, listener }))
}

/// Of the environment the keeper and its roles get only what they need: no secret of whoever started them.
fn is_passed(name: &str) -> bool {
    matches!(
        name,
        "HOME" | "PATH" | "USER" | "LOGNAME" | "LANG" | "TZ" | "TMPDIR" | "RUST_BACKTRACE"
    ) || ["XDG_", "LC_"].into_iter().any(|of| name.starts_with(of))
        // A setting of the daemon; one that is not known is told by it.
        || name.starts_with("ADASA_") && name.contains("__")
}

/// Starts a keeper in the background, which alone has lock and socket from now on: who launched it may live long, and
/// must not keep others from bringing adasa back.
///
/// # Errors
/// When it cannot be made.
pub(super) fn launch(lease: Lease) -> Result<Child, LaunchError> {
    doing("the lock", descriptor::inherit(&lease.lock, true))?;
    doing("the socket", descriptor::inherit(&lease.listener, true))?;
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("adasa")
        .arg("__keeper")
        .arg(lease.lock.as_raw_fd().to_string())
        .arg(lease.listener.as_raw_fd().to_string())
        .env_clear()
        .envs(std::env::vars_os().filter(|(n, _)| n.to_str().is_some_and(is_passed)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(home) = std::env::var_os("ADASA_HOME") {
        let home = doing("its folder", std::path::absolute(Path::new(&home)))?;
        command.env("ADASA_HOME", home);
    }
    let child = doing("a process", command.spawn())?;
    failpoint!("client.launched");
    drop(lease);
    Ok(child)
}
