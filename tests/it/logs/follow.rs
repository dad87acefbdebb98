//! Reading while it is written: a command whose standard output is a FIFO, and waits on files that grow.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::libc::O_NONBLOCK;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::sandbox::{ADASA, LIMIT, Output, Running, Sandbox, spawn, watch};

/// `sh -c SCRIPT` with the sandbox's environment, and `adasa` in its PATH.
pub(crate) fn shell(sandbox: &Sandbox, script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script])
        .env_clear()
        .stdin(Stdio::null())
        .current_dir(sandbox.root());
    for (name, value) in sandbox.command().get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let bin = Path::new(ADASA).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("ADASA_BIN", ADASA);
    command
}

/// Blocks until something can be read; false at the deadline.
pub(crate) fn readable(file: &impl AsFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLIN)], left) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(nix::Error::EINTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}

/// Blocks until the condition gives a value; it is asked again whenever something happens in `folder`.
#[track_caller]
pub(crate) fn when<T>(
    folder: &Path,
    what: &str,
    mut condition: impl FnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        let inotify = watch(folder);
        match condition() {
            Ok(value) => return value,
            Err(now) => assert!(
                Instant::now() < deadline,
                "never came: {what}; last seen: {now}"
            ),
        }
        readable(
            &inotify,
            deadline.min(Instant::now() + Duration::from_secs(1)),
        );
    }
}

/// A command that goes on printing; read line by line.
pub(crate) struct Follow {
    running: Running,
    pipe: File,
    unread: Vec<u8>,
    /// Everything it has printed.
    pub(crate) bytes: Vec<u8>,
    ended: bool,
}

impl Follow {
    /// Starts `adasa ARGS`.
    #[track_caller]
    pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = shell(sandbox, r#"exec "$ADASA_BIN" "$@" >"$FOLLOW_FIFO""#);
        command.arg("sh").args(args);
        Self::of(sandbox, command)
    }

    /// Starts a shell script that writes to `$FOLLOW_FIFO`.
    #[track_caller]
    pub(crate) fn of(sandbox: &Sandbox, mut command: Command) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let path = sandbox.path(&format!(".follow{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let pipe = OpenOptions::new()
            .read(true)
            .custom_flags(O_NONBLOCK)
            .open(&path)
            .unwrap();
        command.env("FOLLOW_FIFO", &path);
        Self {
            running: spawn(command),
            pipe,
            unread: Vec::new(),
            bytes: Vec::new(),
            ended: false,
        }
    }

    /// Takes what has come; false at the deadline or the end.
    pub(crate) fn more(&mut self, deadline: Instant) -> bool {
        if self.ended || !readable(&self.pipe, deadline) {
            return false;
        }
        let mut buffer = vec![0; 64 * 1024];
        match self.pipe.read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                self.bytes.extend_from_slice(&buffer[..count]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("reading what is followed: {error}"),
        }
        !self.ended
    }

    /// The next line, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            let seen =
                String::from_utf8_lossy(&self.bytes[self.bytes.len().saturating_sub(2000)..])
                    .into_owned();
            assert!(
                self.more(deadline),
                "no further line (ended: {}); the last were:\n{seen}",
                self.ended
            );
        }
    }

    /// The next lines are these and nothing between them.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        for expected in lines {
            assert_eq!(self.line(), *expected);
        }
    }

    /// Blocks until that many bytes have been printed.
    #[track_caller]
    pub(crate) fn until_bytes(&mut self, count: usize) {
        let mut deadline = Instant::now() + LIMIT;
        while self.bytes.len() < count {
            let before = self.bytes.len();
            assert!(
                self.more(deadline),
                "{} of {count} bytes, then none",
                self.bytes.len()
            );
            if self.bytes.len() > before {
                deadline = Instant::now() + LIMIT;
            }
        }
    }

    /// Interrupts it, as Ctrl-C does, and takes the rest. It has to end; how it says so is not looked at.
    #[track_caller]
    pub(crate) fn interrupt(mut self) -> Output {
        self.running.signal(Signal::SIGINT);
        let deadline = Instant::now() + LIMIT;
        while self.more(deadline) {}
        assert!(self.ended, "it goes on printing after an interrupt");
        let mut output = self.running.output();
        output.stdout = String::from_utf8_lossy(&self.bytes).into_owned();
        output.bytes = self.bytes;
        output
    }
}
