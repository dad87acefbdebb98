//! Making children and collecting them. Only a single-threaded caller may fork here.

use std::ffi::CString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::{ForkResult, fork};

use crate::domain::exit::{Ending, ShortText, Signal};

use super::failpoint::failpoint;
use super::{descriptor, signal};

/// See clone(2); the constant of the same name in `libc` is too narrow.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What a child is to become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program<'a> {
    /// A path, or a word that is looked up in the `PATH` of `env`.
    pub program: &'a str,
    /// Without the program itself.
    pub args: &'a [String],
    /// The whole environment, `NAME=value`.
    pub env: &'a [String],
    /// Absolute.
    pub cwd: &'a Path,
    /// Soft and hard limit on open files.
    pub file_limit: (u64, u64),
}

/// The three standard descriptors of a child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stdio<'a> {
    /// Descriptor 0.
    pub input: BorrowedFd<'a>,
    /// Descriptor 1.
    pub output: BorrowedFd<'a>,
    /// Descriptor 2.
    pub error: BorrowedFd<'a>,
}

/// A child between fork and exec.
#[derive(Debug)]
pub(crate) struct Fork {
    /// Its pid; it leads a session and a process group of its own.
    pub pid: i32,
    /// Ends without a byte when the exec succeeded, else gives an [`ExecFailure`].
    pub result: OwnedFd,
    /// The child does nothing that is seen outside before this lets it.
    pub leave: Leave,
}

/// The child's leave to become its program. It is given when the pid is written where it will be found. A caller that
/// is killed takes the leave with it; then the child looks itself whether it is written, and ends if it is not: no child
/// runs that nobody knows, and none that is known ends for it.
#[derive(Debug)]
pub(crate) struct Leave(OwnedFd);

impl Leave {
    /// Lets the child go on.
    ///
    /// # Errors
    /// When the child is gone.
    pub(crate) fn give(self) -> io::Result<()> {
        std::fs::File::from(self.0).write_all(&[1])
    }
}

/// What went wrong between fork and exec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecFailure(String);

impl ExecFailure {
    /// Reads what the child wrote; none when it wrote nothing.
    #[must_use]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self(String::from_utf8_lossy(bytes).into_owned()))
    }

    /// As the ending of the run.
    #[must_use]
    pub(crate) fn ending(&self) -> Ending {
        Ending::NotExecuted(ShortText::new(&self.0))
    }
}

/// Makes a child that becomes `program`, in a control group of its own when there is one. Returns as soon as the child
/// exists: everything that can hang (folders, lookups, the exec itself) happens in the child, whose result comes over
/// the pipe.
///
/// # Errors
/// The kernel's: no descriptors, no pids, no memory, or a control group that takes nobody.
pub(crate) fn spawn(
    program: Program<'_>,
    stdio: Stdio<'_>,
    group: Option<BorrowedFd<'_>>,
    is_recorded: &dyn Fn() -> bool,
) -> io::Result<Fork> {
    let (result, report) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    descriptor::set_nonblocking(&result, true)?;
    let (wait, leave) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let forked = match group {
        // SAFETY: the caller is single-threaded (the keeper), so the child may run ordinary code.
        None => unsafe { fork() }?,
        // SAFETY: as above.
        Some(group) => unsafe { fork_into(group) }?,
    };
    match forked {
        ForkResult::Parent { child } => Ok(Fork {
            pid: child.as_raw(),
            result,
            leave: Leave(leave),
        }),
        ForkResult::Child => {
            failpoint!("child.forked");
            let failed = match become_program(program, stdio, &report, wait, is_recorded) {
                Ok(never) => match never {},
                Err(text) => text,
            };
            let mut report = std::fs::File::from(report);
            let _ = report.write_all(failed.as_bytes());
            // SAFETY: _exit ends this child without running the parent's exit handlers.
            unsafe { nix::libc::_exit(127) }
        }
    }
}

/// Forks straight into a control group, so that nothing of the child is ever outside of it.
///
/// # Safety
/// As `fork`. The handlers of `pthread_atfork` do not run; this program sets none.
unsafe fn fork_into(group: BorrowedFd<'_>) -> io::Result<ForkResult> {
    // SAFETY: the arguments are plain numbers, for which zero is a value.
    let mut args: nix::libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = CLONE_INTO_CGROUP;
    args.exit_signal = u64::try_from(nix::libc::SIGCHLD).map_err(io::Error::other)?;
    args.cgroup = u64::try_from(group.as_raw_fd()).map_err(io::Error::other)?;
    let size = size_of_val(&args);
    // SAFETY: clone3 without a stack of its own and without shared memory is a fork; it reads `args` only.
    let pid = unsafe { nix::libc::syscall(nix::libc::SYS_clone3, &raw const args, size) };
    match Errno::result(pid)? {
        0 => Ok(ForkResult::Child),
        pid => {
            let child = nix::unistd::Pid::from_raw(i32::try_from(pid).map_err(io::Error::other)?);
            Ok(ForkResult::Parent { child })
        }
    }
}

fn become_program(
    it: Program<'_>,
    stdio: Stdio<'_>,
    report: &OwnedFd,
    wait: OwnedFd,
    is_recorded: &dyn Fn() -> bool,
) -> Result<std::convert::Infallible, String> {
    let why = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("{what}: {}", words(&error))
    };
    let errno = |error: Errno| io::Error::from(error);
    // Only stdio and these two pipes stay open, whatever else the keeper holds, its end of the second included.
    place(stdio).map_err(why("cannot set up stdio"))?;
    keep_only(report.as_fd(), wait.as_fd()).map_err(why("cannot close descriptors"))?;
    // Whoever comes after a keeper that died just now finds the record, and takes this child for the run.
    if std::fs::File::from(wait).read_exact(&mut [0]).is_err() && !is_recorded() {
        return Err("the keeper was gone before it could begin".to_owned());
    }
    signal::reset_for_child().map_err(why("cannot reset signals"))?;
    nix::unistd::setsid()
        .map_err(errno)
        .map_err(why("cannot make a session"))?;
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    let (soft, hard) = it.file_limit;
    descriptor::set_file_limit(soft, hard).map_err(why("cannot set the file limit"))?;
    nix::unistd::chdir(it.cwd)
        .map_err(errno)
        .map_err(why(&format!("cannot enter {}", it.cwd.display())))?;
    failpoint!("child.ready");
    execute(it)
}

fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{} ({number})", Errno::from_raw(number).desc()),
        None => error.to_string(),
    }
}

fn place(stdio: Stdio<'_>) -> io::Result<()> {
    // Copies above the standard three first, so that no source is overwritten before it is used.
    let high = |fd: BorrowedFd<'_>| -> io::Result<i32> {
        Ok(nix::fcntl::fcntl(
            fd,
            nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(10),
        )?)
    };
    let sources = [high(stdio.input)?, high(stdio.output)?, high(stdio.error)?];
    for (target, source) in (0..).zip(sources) {
        // SAFETY: dup2 on descriptors of this child only; the copy is not closed on exec.
        Errno::result(unsafe { nix::libc::dup2(source, target) })?;
    }
    Ok(())
}

/// Closes all descriptors but stdio and these two. For a process that has just begun: nothing else of it is open yet.
///
/// # Errors
/// The kernel's, for want of `close_range`.
pub(crate) fn keep_only(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<()> {
    let number = |fd: BorrowedFd<'_>| u32::try_from(fd.as_raw_fd()).map_err(io::Error::other);
    let (one, other) = (number(one)?, number(other)?);
    let (low, high) = (one.min(other).max(3), one.max(other).max(3));
    let close = |from: u32, to: u32| {
        if from > to {
            return Ok(0);
        }
        // SAFETY: closes descriptors that this process was forked or started with, none of which is used again.
        Errno::result(unsafe { nix::libc::close_range(from, to, 0) })
    };
    close(3, low - 1)?;
    close(low + 1, high - 1)?;
    close(high + 1, u32::MAX)?;
    Ok(())
}

fn execute(it: Program<'_>) -> Result<std::convert::Infallible, String> {
    let c = |text: &str| CString::new(text).map_err(|_| "an argument contains NUL".to_owned());
    let mut args = vec![c(it.program)?];
    for arg in it.args {
        args.push(c(arg)?);
    }
    let env = it
        .env
        .iter()
        .map(|pair| c(pair))
        .collect::<Result<Vec<_>, _>>()?;
    let candidates: Vec<String> = if it.program.contains('/') {
        vec![it.program.to_owned()]
    } else {
        let path = it
            .env
            .iter()
            .find_map(|pair| pair.strip_prefix("PATH="))
            .unwrap_or("/usr/local/bin:/usr/bin:/bin");
        path.split(':')
            .filter(|folder| !folder.is_empty())
            .map(|folder| format!("{folder}/{}", it.program))
            .collect()
    };
    let mut failure = Errno::ENOENT;
    for candidate in candidates {
        let error = match nix::unistd::execve(&c(&candidate)?, &args, &env) {
            Ok(never) => return Ok(never),
            Err(error) => error,
        };
        // As execvp does: what cannot be run is remembered, what is not there is passed over.
        if !matches!(error, Errno::ENOENT | Errno::ENOTDIR) {
            failure = error;
            if error != Errno::EACCES {
                break;
            }
        }
    }
    Err(format!(
        "cannot execute {}: {}",
        it.program,
        words(&io::Error::from(failure))
    ))
}

/// Starts one of adasa's own roles from this very binary, with `fds` at 3 and up.
///
/// # Errors
/// The kernel's, up to the fork.
pub(crate) fn spawn_role(
    args: &[&str],
    fds: &[BorrowedFd<'_>],
    own_binary: &Path,
) -> io::Result<i32> {
    let mut argv = vec![CString::new("adasa")?];
    for arg in args {
        argv.push(CString::new(*arg)?);
    }
    let binary = CString::new(own_binary.as_os_str().as_encoded_bytes())?;
    // SAFETY: the caller is single-threaded (the keeper), so the child may run ordinary code.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child.as_raw()),
        ForkResult::Child => {
            failpoint!("child.role.forked");
            let _ = signal::reset_for_child();
            let _ = nix::unistd::setsid();
            let _ = pass(fds);
            let _ = nix::unistd::execv(&binary, &argv);
            // SAFETY: as in `spawn`.
            unsafe { nix::libc::_exit(127) }
        }
    }
}

fn pass(fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let base = 3 + i32::try_from(fds.len()).map_err(io::Error::other)?;
    let mut copies = Vec::new();
    for fd in fds {
        copies.push(nix::fcntl::fcntl(
            fd,
            nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(base),
        )?);
    }
    for (target, source) in (3..).zip(copies) {
        // SAFETY: dup2 in this forked child; the copy is not closed on exec.
        Errno::result(unsafe { nix::libc::dup2(source, target) })?;
    }
    Ok(())
}

/// A child that was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reaped {
    /// Its pid.
    pub pid: i32,
    /// How it ended.
    pub ending: Ending,
    /// Processor time, milliseconds.
    pub cpu_ms: u64,
    /// Largest resident set, bytes.
    pub peak_rss: u64,
}

/// Becomes one of adasa's own roles: the same pid, another program image. Returns only when it cannot.
pub(crate) fn become_role(args: &[&str], program: BorrowedFd<'_>) -> io::Error {
    let become_it = || -> io::Result<std::convert::Infallible> {
        let mut argv = vec![CString::new("adasa")?];
        for arg in args {
            argv.push(CString::new(*arg)?);
        }
        let mut env = Vec::new();
        for (name, value) in std::env::vars_os() {
            let mut pair = name;
            pair.push("=");
            pair.push(value);
            env.push(CString::new(pair.as_encoded_bytes())?);
        }
        Ok(nix::unistd::fexecve(program, &argv, &env)?)
    };
    match become_it() {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

/// Collects one child that has ended: this one, or without a pid any; none when it, or no child, has.
#[must_use]
pub(crate) fn reap(pid: Option<i32>) -> Option<Reaped> {
    let which = pid.unwrap_or(-1);
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zero is a value.
    let mut usage: nix::libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: wait4 writes the two values, which live on this stack frame.
    let pid =
        unsafe { nix::libc::wait4(which, &raw mut status, nix::libc::WNOHANG, &raw mut usage) };
    if pid <= 0 {
        return None;
    }
    let ms = |time: nix::libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1000
            + u64::try_from(time.tv_usec).unwrap_or(0) / 1000
    };
    Some(Reaped {
        pid,
        ending: ending(status),
        cpu_ms: ms(usage.ru_utime) + ms(usage.ru_stime),
        peak_rss: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    })
}

/// What the kernel's number for the end of a process means; see wait(2).
#[must_use]
pub(super) fn ending(status: i32) -> Ending {
    if nix::libc::WIFEXITED(status) {
        return Ending::Code(nix::libc::WEXITSTATUS(status));
    }
    Signal::from_number(nix::libc::WTERMSIG(status)).map_or(Ending::Unknown, |signal| {
        Ending::Signal {
            signal,
            core: nix::libc::WCOREDUMP(status),
        }
    })
}

/// Makes this process the parent of orphans below it.
///
/// # Errors
/// The kernel's.
pub(crate) fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// What `ps` and `top` call this process; without it a program that was started by `/proc/self/exe` is called `exe`. At most 15 bytes
/// are kept.
pub(crate) fn call_it(name: &std::ffi::CStr) {
    // A name is all that it is: nothing depends on it.
    let _ = nix::sys::prctl::set_name(name);
}

/// Leaves the terminal and the session of whoever started this process.
pub(crate) fn leave_session() {
    // Fails only for a leader of a group, which is then already apart.
    let _ = nix::unistd::setsid();
}
