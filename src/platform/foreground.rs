//! Another program has the terminal for a while: its own process group in front, ours behind.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, tcsetpgrp};

/// Runs a program in front of the terminal until it ends, and says whether it ended well; a thread writes what it reads, if
/// its standard input is a pipe. A program that is stopped goes on: there is no shell behind it that would continue it.
///
/// Whoever else of this process reads from the terminal meanwhile gets an error, provided that its thread blocks SIGTTIN.
///
/// # Errors
/// When the program cannot be started or the terminal not be given.
pub(crate) fn run_in_front(
    mut command: Command,
    tty: impl AsFd,
    feed: impl FnOnce(ChildStdin) + Send + 'static,
) -> io::Result<bool> {
    // Who is behind and sets who is in front is stopped, unless it blocks this.
    let mut quiet = SigSet::empty();
    quiet.add(Signal::SIGTTOU);
    let before = quiet.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let result = lend(&mut command, tty.as_fd(), feed);
    let _ = tcsetpgrp(tty, getpgrp());
    before.thread_set_mask()?;
    result
}

fn lend(
    command: &mut Command,
    tty: impl AsFd,
    feed: impl FnOnce(ChildStdin) + Send + 'static,
) -> io::Result<bool> {
    let mut child = command.process_group(0).spawn()?;
    let pid = Pid::from_raw(child.id().cast_signed());
    tcsetpgrp(&tty, pid)?;
    // It may have been stopped for touching the terminal before it was in front.
    let _ = killpg(pid, Signal::SIGCONT);
    if let Some(stdin) = child.stdin.take() {
        std::thread::Builder::new()
            .name("feed".into())
            .stack_size(512 * 1024)
            .spawn(move || feed(stdin))?;
    }
    loop {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Stopped(..)) => {
                let _ = killpg(pid, Signal::SIGCONT);
            }
            Err(Errno::EINTR) => {}
            Ok(status) => return Ok(matches!(status, WaitStatus::Exited(_, 0))),
            Err(error) => return Err(error.into()),
        }
    }
}
