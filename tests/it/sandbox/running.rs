//! A command that runs beside the test.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

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

/// Starts a command with its output collected.
#[must_use]
#[track_caller]
pub(crate) fn spawn(mut command: Command) -> Running {
    let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    let what = format!("adasa {}", args.join(" "));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
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

/// Standard output of a command whose failure does not matter; what it has not said in time is lost.
pub(super) fn quick(command: &mut Command) -> String {
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let child = {
        let _shared = FORKING.read().unwrap_or_else(PoisonError::into_inner);
        command.spawn()
    };
    let Ok(mut child) = child else {
        return String::new();
    };
    let stdout = collect(child.stdout.take().unwrap());
    let known = i32::try_from(child.id()).ok().and_then(Known::of);
    if known.is_some_and(|k| !k.is_gone_by(Instant::now() + Duration::from_secs(30))) {
        let _ = child.kill();
    }
    let _ = child.wait();
    let bytes = stdout
        .recv_timeout(Duration::from_secs(5))
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
