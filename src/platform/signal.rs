//! Signals to processes and to ourselves.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal as Native, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::domain::exit::{Ending, Signal};

/// Blocks the signals and returns a descriptor that becomes readable when one of them comes.
///
/// # Errors
/// The kernel's.
pub(crate) fn listen(signals: &[Native]) -> io::Result<SignalFd> {
    let set: SigSet = signals.iter().copied().collect();
    set.thread_block()?;
    Ok(SignalFd::with_flags(
        &set,
        SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
    )?)
}

/// From now on `SIGINT` does not end this process: another thread does `what` instead, once.
/// To be called while there is no other thread.
///
/// # Errors
/// The kernel's.
pub(crate) fn on_interrupt(what: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let set: SigSet = std::iter::once(Native::SIGINT).collect();
    set.thread_block()?;
    std::thread::Builder::new()
        .name("interrupt".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            if set.wait().is_ok() {
                what();
            }
        })?;
    Ok(())
}

/// Ignores the signals that a writer gets for somebody else's fault: `SIGPIPE` and `SIGXFSZ`.
///
/// # Errors
/// The kernel's.
pub(crate) fn ignore_write_signals() -> io::Result<()> {
    set_all(&[Native::SIGPIPE, Native::SIGXFSZ], SigHandler::SigIgn)
}

/// Ignores what a terminal or a shell may send to a background role.
///
/// # Errors
/// The kernel's.
pub(crate) fn ignore_terminal_signals() -> io::Result<()> {
    set_all(
        &[
            Native::SIGINT,
            Native::SIGTERM,
            Native::SIGHUP,
            Native::SIGQUIT,
        ],
        SigHandler::SigIgn,
    )
}

/// Gives `SIGPIPE` its default back: a command line whose reader left ends quietly.
///
/// # Errors
/// The kernel's.
pub(crate) fn end_on_broken_pipe() -> io::Result<()> {
    set_all(&[Native::SIGPIPE], SigHandler::SigDfl)
}

/// Default dispositions and an empty mask: what a program expects to be started with.
///
/// # Errors
/// The kernel's.
pub(crate) fn reset_for_child() -> io::Result<()> {
    for signal in Native::iterator() {
        if !matches!(signal, Native::SIGKILL | Native::SIGSTOP) {
            set_all(&[signal], SigHandler::SigDfl)?;
        }
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    Ok(())
}

fn set_all(signals: &[Native], handler: SigHandler) -> io::Result<()> {
    for signal in signals {
        // SAFETY: only SIG_IGN and SIG_DFL are set here; no handler of ours can run.
        unsafe { nix::sys::signal::signal(*signal, handler) }?;
    }
    Ok(())
}

/// Sends a signal to a whole process group, or to its leader alone while that has not made the group yet.
/// The caller knows the leader to be its own unreaped child. One that is gone is no error.
///
/// # Errors
/// `EPERM` when none of its members may be signalled.
pub(crate) fn send_to_group(leader: i32, signal: Signal) -> io::Result<()> {
    if !send(-leader, signal)? {
        send(leader, signal)?;
    }
    Ok(())
}

/// Sends a signal to a process that the caller knows to be its own unreaped child.
///
/// # Errors
/// `EPERM`. A process that is gone is no error.
pub(crate) fn send_to_child(pid: i32, signal: Signal) -> io::Result<()> {
    send(pid, signal).map(|_| ())
}

/// False when there was nothing to signal.
fn send(target: i32, signal: Signal) -> io::Result<bool> {
    if target == 0 || target == -1 || target == 1 {
        return Err(io::Error::other("refused to signal everything"));
    }
    let native = native(signal)?;
    match nix::sys::signal::kill(Pid::from_raw(target), native) {
        Ok(()) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn native(signal: Signal) -> io::Result<Native> {
    Native::try_from(signal.number())
        .map_err(|_| io::Error::other(format!("{signal} cannot be sent here")))
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A handle on one process that can never mean another one.
#[derive(Debug)]
pub(crate) struct PidFd(OwnedFd);

impl From<OwnedFd> for PidFd {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

/// The first version of the kernel's `struct pidfd_info`; see linux/pidfd.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PidFdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit: i32,
}

/// `PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9 and later.
const SIGNAL_GROUP: u32 = 1 << 2;

/// `PIDFD_INFO_EXIT`: the exit is asked for, and answered.
const INFO_EXIT: u64 = 1 << 3;

nix::ioctl_readwrite!(
    /// `PIDFD_GET_INFO`, Linux 6.13 and later; exits from 6.15.
    pidfd_get_info,
    0xff,
    11,
    PidFdInfo
);

impl PidFd {
    /// Opens a handle on the process that has this pid now.
    ///
    /// # Errors
    /// `ESRCH` when there is none.
    pub(crate) fn open(pid: i32) -> io::Result<Self> {
        // SAFETY: pidfd_open takes two integers and returns a new descriptor or an error.
        let fd = unsafe { nix::libc::syscall(nix::libc::SYS_pidfd_open, pid, 0) };
        let fd = Errno::result(fd)?;
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: the kernel has just given us this descriptor.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// How the process ended, if it was collected by its parent (who need not be us) and this kernel tells.
    pub(crate) fn ending(&self) -> Option<Ending> {
        let mut info = PidFdInfo {
            mask: INFO_EXIT,
            ..PidFdInfo::default()
        };
        // SAFETY: the kernel writes at most the size that is part of the request's number, into this stack frame.
        unsafe { pidfd_get_info(self.0.as_raw_fd(), &raw mut info) }.ok()?;
        (info.mask & INFO_EXIT != 0).then(|| super::child::ending(info.exit))
    }

    /// Waits until the process has ended; false when it has not within this time.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn wait(&self, most: std::time::Duration) -> io::Result<bool> {
        let deadline = std::time::Instant::now() + most;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match nix::poll::poll(&mut fds, timeout) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a signal to that process and no other. One that is gone is no error.
    ///
    /// # Errors
    /// `EPERM`.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<()> {
        match self.send_as(signal, 0) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a signal to the group that the process leads and to no other. Kernels before 6.9 cannot: then it goes
    /// to the process alone.
    ///
    /// # Errors
    /// `EPERM`.
    pub(crate) fn send_to_group(&self, signal: Signal) -> io::Result<()> {
        match self.send_as(signal, SIGNAL_GROUP) {
            Ok(()) => Ok(()),
            // No such group, or no such flag.
            Err(Errno::ESRCH | Errno::EINVAL) => self.send(signal),
            Err(error) => Err(error.into()),
        }
    }

    fn send_as(&self, signal: Signal, flags: u32) -> Result<(), Errno> {
        // SAFETY: the siginfo pointer may be null; everything else is integers.
        let sent = unsafe {
            nix::libc::syscall(
                nix::libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                signal.number(),
                std::ptr::null::<nix::libc::siginfo_t>(),
                flags,
            )
        };
        Errno::result(sent).map(|_| ())
    }
}
