//! What the kernel says of processes and files: identity, death, change. Waiting here is blocking on descriptors.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// One process, told apart from a later one with the same number by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Known {
    pub pid: i32,
    start: u64,
}

/// The fields of `/proc/PID/stat` behind the command's name, from the state on.
pub(crate) fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

impl Known {
    /// The live process with this number; a zombie is not alive.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let fields = stat(pid)?;
        let start = fields.get(19)?.parse().ok()?;
        (!matches!(fields[0].as_str(), "Z" | "X")).then_some(Self { pid, start })
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal, unless the process is over.
    pub(crate) fn signal(self, signal: Signal) {
        if self.is_alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Blocks until it is over; false when it still lives at the deadline.
    pub(crate) fn is_gone_by(self, deadline: Instant) -> bool {
        while self.is_alive() {
            let Some(fd) = pidfd(self.pid) else {
                return !self.is_alive();
            };
            if !self.is_alive() {
                return true;
            }
            if !readable_by(&[fd.as_fd()], deadline) {
                return false;
            }
        }
        true
    }
}

#[expect(unsafe_code, reason = "nix has no pidfd_open")]
fn pidfd(pid: i32) -> Option<OwnedFd> {
    // SAFETY: the call takes two integers and returns a new descriptor or -1.
    let fd = unsafe { nix::libc::syscall(nix::libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the kernel has just made this descriptor and nobody else has it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Blocks until one of the descriptors can be read; false when none can at the deadline.
pub(super) fn readable_by(fds: &[BorrowedFd<'_>], deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut fds: Vec<_> = fds
            .iter()
            .map(|fd| PollFd::new(*fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut fds, left) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(nix::Error::EINTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}

/// Wakes up when something is made, moved or written in a folder: the nearest one above `path` that exists.
pub(crate) fn watch(path: &Path) -> Inotify {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).expect("inotify");
    let what = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_DELETE;
    let folder = path.ancestors().find(|p| p.is_dir());
    let folder = folder.expect("some folder above exists");
    inotify
        .add_watch(folder, what)
        .unwrap_or_else(|e| panic!("watching {}: {e}", folder.display()));
    inotify
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
}

/// Every live process whose environment holds `marker`.
pub(crate) fn marked(marker: &str) -> Vec<Known> {
    let holds = |pid: &i32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|env| env.windows(marker.len()).any(|w| w == marker.as_bytes()))
    };
    pids().filter(holds).filter_map(Known::of).collect()
}

/// Every live process below `root`, by the kernel's parents.
pub(crate) fn below(root: i32) -> Vec<Known> {
    let parents: Vec<(i32, i32)> = pids()
        .filter_map(|pid| Some((pid, stat(pid)?.get(1)?.parse().ok()?)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents
                .iter()
                .filter(|(_, p)| *p == parent)
                .map(|(c, _)| *c),
        );
        next += 1;
    }
    found[1..]
        .iter()
        .filter_map(|pid| Known::of(*pid))
        .collect()
}

/// One line for a process: pid, parent, group, session, state, command.
pub(crate) fn describe(pid: i32) -> String {
    let stat = stat(pid).unwrap_or_default();
    let field = |n: usize| stat.get(n).map_or("?", String::as_str);
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    format!(
        "pid {pid} parent {} group {} session {} {} {command}",
        field(1),
        field(2),
        field(3),
        field(0)
    )
}

/// Removes what is empty of a folder of control groups.
pub(super) fn remove_group(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}
