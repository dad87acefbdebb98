//! What the keeper holds of the runs: pids, the read ends of their pipes, and the exec results that are awaited.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::platform::cgroup::Home;
use crate::platform::child::{self, ExecFailure, Fork, Leave, Program, Stdio};
use crate::platform::failpoint::failpoint;
use crate::platform::procfs;

use super::protocol::{ChildSpec, Entry, Route, Routes};
use super::table::Table;

/// Names one output pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PipeKey {
    pub(super) key: InstanceId,
    pub(super) run: RunId,
    pub(super) stream: Stream,
}

impl PipeKey {
    fn file_name(self) -> String {
        format!("{}.{}.{}", self.key, self.run, self.stream.word())
    }

    /// Reads back what [`Self::file_name`] wrote.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let key = InstanceId(parts.next()?.parse().ok()?);
        let run = RunId(parts.next()?.parse().ok()?);
        let word = parts.next()?;
        let stream = Stream::ALL.into_iter().find(|s| s.word() == word)?;
        parts.next().is_none().then_some(Self { key, run, stream })
    }
}

/// The keeper's end of an output pipe.
#[derive(Debug)]
pub(super) struct PipeEnd {
    pub(super) read: OwnedFd,
    pub(super) route: Route,
}

impl PipeEnd {
    /// Opens the read end by name; the open never waits, and what is in the pipe stays.
    pub(super) fn reopen(folder: &Path, key: PipeKey, route: Route) -> io::Result<Self> {
        let path = folder.join(key.file_name());
        let read = std::fs::File::options()
            .read(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
            .open(&path)?
            .into();
        Ok(Self { read, route })
    }

    /// Opens the read end of a pipe that has no name any more, through the descriptor of who writes to it.
    pub(super) fn of_process(pid: i32, key: PipeKey, route: Route) -> io::Result<Self> {
        let name = key.file_name();
        let leads = |target: &str| {
            let target = target.strip_suffix(" (deleted)").unwrap_or(target);
            target.ends_with(&format!("/pipes/{name}"))
        };
        let targets = procfs::output_targets(pid);
        let (fd, _) = (targets.iter().find(|(_, target)| leads(target)))
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let read = std::fs::File::options()
            .read(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
            .open(format!("/proc/{pid}/fd/{fd}"))?
            .into();
        Ok(Self { read, route })
    }

    /// Makes the pipe: anybody may open it to write (`> /dev/stderr` after a change of user), none but us can
    /// reach it by name, for the folder is closed.
    fn make(folder: &Path, key: PipeKey, route: Route) -> io::Result<(Self, OwnedFd)> {
        let path = folder.join(key.file_name());
        match nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o622)) {
            Ok(()) => {}
            Err(nix::errno::Errno::EEXIST) => {
                // Left by a run that was never recorded; its bytes are nobody's.
                std::fs::remove_file(&path)?;
                nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o622))?;
            }
            Err(error) => return Err(error.into()),
        }
        nix::sys::stat::fchmodat(
            nix::fcntl::AT_FDCWD,
            &path,
            Mode::from_bits_truncate(0o622),
            nix::sys::stat::FchmodatFlags::FollowSymlink,
        )?;
        failpoint!("keeper.fifo.made");
        let end = Self::reopen(folder, key, route)?;
        // Read and write: a writer whose readers are all gone waits instead of dying of SIGPIPE.
        let write = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&path)?;
        Ok((end, write.into()))
    }

    /// Forgets the name; the descriptor closes with the value.
    pub(super) fn remove(self, folder: &Path, key: PipeKey) {
        let _ = std::fs::remove_file(folder.join(key.file_name()));
    }
}

/// A child that was just made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) pid: i32,
    pub(super) start: u64,
    pub(super) result: OwnedFd,
    pub(super) leave: Leave,
    pub(super) pipes: Vec<(PipeKey, PipeEnd)>,
}

/// What every child is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    /// Where output pipes lie.
    pub(super) folder: &'a Path,
    /// `/dev/null`.
    pub(super) null: &'a OwnedFd,
    /// Soft and hard limit on open files.
    pub(super) file_limit: (u64, u64),
    /// Where control groups are made.
    pub(super) home: Option<&'a Home>,
    /// Where their pids are written.
    pub(super) table: &'a Path,
}

/// Makes pipes and child.
pub(super) fn make(
    ground: Ground<'_>,
    key: InstanceId,
    run: RunId,
    spec: &ChildSpec,
    routes: &Routes,
) -> io::Result<Made> {
    let Ground {
        folder,
        null,
        file_limit,
        home,
        table,
    } = ground;
    let mut pipes = Vec::new();
    let mut writes = Vec::new();
    for (stream, route) in routes.each() {
        let pipe = PipeKey { key, run, stream };
        let (end, write) = PipeEnd::make(folder, pipe, route.clone())?;
        pipes.push((pipe, end));
        writes.push(write);
    }
    let output = writes.first().map_or(null.as_fd(), AsFd::as_fd);
    let error = writes.last().map_or(null.as_fd(), AsFd::as_fd);
    let program = Program {
        program: &spec.program,
        args: &spec.args,
        env: &spec.env,
        cwd: &spec.cwd,
        file_limit,
    };
    let stdio = Stdio {
        input: null.as_fd(),
        output,
        error,
    };
    let is_recorded = || {
        let pid = nix::unistd::getpid().as_raw();
        Table::read(table).is_ok_and(|known| {
            let is_it = |e: &Entry| (e.key, e.run, e.pid) == (key, run, pid) && e.is_live();
            known.entries.iter().any(is_it)
        })
    };
    let home = home.filter(|_| !spec.detach);
    match fork(program, stdio, home, (key, run), &is_recorded) {
        Ok(fork) => Ok(Made {
            pid: fork.pid,
            start: procfs::stat(fork.pid).map_or(0, |stat| stat.start),
            result: fork.result,
            leave: fork.leave,
            pipes,
        }),
        Err(error) => {
            for (pipe, end) in pipes {
                end.remove(folder, pipe);
            }
            Err(error)
        }
    }
}

/// Forks into a control group of the run's own. Where there can be none the run has none, and its tree is walked.
fn fork(
    program: Program<'_>,
    stdio: Stdio<'_>,
    home: Option<&Home>,
    (key, run): (InstanceId, RunId),
    is_recorded: &dyn Fn() -> bool,
) -> io::Result<Fork> {
    if let Some(home) = home
        && let Ok(group) = home.begin(key, run)
    {
        if let Ok(fork) = child::spawn(program, stdio, Some(group.as_fd()), is_recorded) {
            return Ok(fork);
        }
        home.forget(key, run);
    }
    child::spawn(program, stdio, None, is_recorded)
}

/// What an exec result pipe says.
pub(super) enum Outcome {
    /// Nothing yet.
    Waiting,
    /// The program runs.
    Executed,
    /// It never will.
    Failed(ExecFailure),
}

/// Reads an exec result pipe without waiting.
pub(super) fn outcome(result: &OwnedFd) -> Outcome {
    let Ok(copy) = result.try_clone() else {
        return Outcome::Waiting;
    };
    let mut bytes = Vec::new();
    let mut file = std::fs::File::from(copy);
    match file.read_to_end(&mut bytes) {
        Ok(_) => match ExecFailure::parse(&bytes) {
            None => Outcome::Executed,
            Some(failure) => Outcome::Failed(failure),
        },
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && bytes.is_empty() => {
            Outcome::Waiting
        }
        Err(_) => ExecFailure::parse(&bytes).map_or(Outcome::Executed, Outcome::Failed),
    }
}

/// Which instance and run a pid is.
pub(super) type Pids = HashMap<i32, (InstanceId, RunId)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_name_is_read_back() {
        for stream in Stream::ALL {
            let key = PipeKey {
                key: InstanceId(3),
                run: RunId(12),
                stream,
            };
            assert_eq!(PipeKey::parse(&key.file_name()), Some(key));
        }
        for name in ["", "1.2", "1.2.in", "1.2.out.x", "a.2.out"] {
            assert_eq!(PipeKey::parse(name), None, "{name}");
        }
    }
}
