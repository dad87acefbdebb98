//! A tiny parent that only waits: if the child is killed, somebody is left to repair the terminal.

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal as Native};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// Which of the two this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that works.
    Child,
    /// The one that waited; the child has ended with this code.
    Ended(u8),
}

/// Splits this process, which must be single-threaded, in two. The parent passes on what would end it and calls
/// `repair` when the child was killed.
///
/// # Errors
/// The kernel's, when there can be no second process.
pub(crate) fn guard(repair: impl FnOnce()) -> io::Result<Side> {
    // SAFETY: the caller is single-threaded: the dashboard forks before it makes its first thread.
    let child = match unsafe { fork() }? {
        ForkResult::Child => return Ok(Side::Child),
        ForkResult::Parent { child } => child,
    };
    let passed = [
        Native::SIGTERM,
        Native::SIGINT,
        Native::SIGHUP,
        Native::SIGQUIT,
    ];
    let mut set: SigSet = passed.iter().copied().collect();
    set.add(Native::SIGCHLD);
    set.thread_block()?;
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => {
                return Ok(Side::Ended(u8::try_from(code).unwrap_or(1)));
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                repair();
                let code = 128 + signal as i32;
                return Ok(Side::Ended(u8::try_from(code).unwrap_or(1)));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if let Ok(signal) = set.wait()
            && passed.contains(&signal)
        {
            let _ = nix::sys::signal::kill(child, signal);
        }
    }
}

/// Stops this process and its whole job, as the shell expects after Ctrl-Z; returns when it is continued.
pub(crate) fn suspend_job() {
    let _ = nix::sys::signal::kill(Pid::from_raw(0), Native::SIGSTOP);
}

/// Ends this process at once, without what other threads may still be doing.
pub(crate) fn leave_now(code: u8) -> ! {
    // SAFETY: _exit ends the process; nothing of it runs on.
    unsafe { nix::libc::_exit(i32::from(code)) }
}
