//! A command that runs beside the test.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, signal};

use super::kernel::Known;
use super::output::Output;

/// No command is expected to take longer.
const COMMAND_LIMIT: Duration = Duration::from_secs(90);

/// A file that is open for writing in a child between fork and exec cannot be executed, so nobody forks while one is written.
static FORKING: RwLock<()> = RwLock::new(());

pub(super) fn writing() -> RwLockWriteGuard<'static, ()> {
    FORKING.write().unwrap_or_else(PoisonError::into_inner)
}

/// A command under way; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    what: String,
    child: Child,
    known: Option<Known>,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = to.send(bytes);
    });
    receiver
}

/// As a shell in front of a person starts it: a suite that runs in the background (`nohup … &`) hands down that SIGINT is
/// ignored, and a test that interrupts would wait for ever.
#[allow(unsafe_code)]
fn heed_interrupts(command: &mut Command) {
    let heed = || {
        // SAFETY: no handler is set, and the call is one that may be made between fork and exec.
        unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }?;
        Ok(())
    };
    // SAFETY: what runs between fork and exec is one system call; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(heed) };
}

/// Starts a command with its output collected.
#[must_use]
#[track_caller]
pub(crate) fn spawn(mut command: Command) -> Running {
    let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    let what = format!("adasa {}", args.join(" "));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    heed_interrupts(&mut command);
    let mut child = {
        let _shared = FORKING.read().unwrap_or_else(PoisonError::into_inner);
        let started = command.spawn();
        started.unwrap_or_else(|e| panic!("{what}: {e}"))
    };
    Running {
        stdout: collect(child.stdout.take().unwrap()),
        stderr: collect(child.stderr.take().unwrap()),
        known: i32::try_from(child.id()).ok().and_then(Known::of),
        what,
        child,
    }
}

impl Running {
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(known) = self.known {
            known.signal(signal);
        }
    }

    /// Waits for its end and for the end of what it printed.
    #[must_use]
    #[track_caller]
    pub(crate) fn output(mut self) -> Output {
        let deadline = Instant::now() + COMMAND_LIMIT;
        let over = self.known.is_none_or(|known| known.is_gone_by(deadline));
        assert!(over, "{} does not end", self.what);
        let status = self.child.wait().unwrap();
        let rest = |from: &Receiver<Vec<u8>>, name: &str| {
            let left = deadline.saturating_duration_since(Instant::now());
            from.recv_timeout(left.min(Duration::from_secs(10)))
                .unwrap_or_else(|_| panic!("{}: {name} is held open after its end", self.what))
        };
        let bytes = rest(&self.stdout, "stdout");
        let stderr = rest(&self.stderr, "stderr");
        Output {
            what: self.what.clone(),
            status,
            stdout: String::from_utf8_lossy(&bytes).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            bytes,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command whose failure does not matter: its standard output, and how it went. What it has not said in time is
/// lost, and that is told.
pub(super) fn quick(command: &mut Command) -> (String, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let child = {
        let _shared = FORKING.read().unwrap_or_else(PoisonError::into_inner);
        command.spawn()
    };
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return (String::new(), format!("not started: {error}")),
    };
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let known = i32::try_from(child.id()).ok().and_then(Known::of);
    if known.is_some_and(|k| !k.is_gone_by(Instant::now() + Duration::from_secs(30))) {
        let _ = child.kill();
    }
    let status = child.wait();
    let said = |from: Receiver<Vec<u8>>| {
        let bytes = from.recv_timeout(Duration::from_secs(5));
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    let (stdout, stderr) = (said(stdout), said(stderr));
    let how = format!("{status:?} after {:?}: {stderr}", begun.elapsed());
    (stdout, how)
}
