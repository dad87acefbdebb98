//! Control groups, version 2: the kernel's own list of the tree of a run. Nothing leaves it by forking, by a session
//! of its own or by another environment.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::stat::Mode;
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use nix::unistd::AccessFlags;

use crate::domain::names::{InstanceId, RunId};

fn folder_name(marker: &str) -> String {
    format!("adasa-{marker}")
}

fn group_name(id: InstanceId, run: RunId) -> String {
    format!("{id}.{run}")
}

fn read_name(name: &str) -> Option<(InstanceId, RunId)> {
    let (id, run) = name.split_once('.')?;
    Some((InstanceId(id.parse().ok()?), RunId(run.parse().ok()?)))
}

/// The folder of the control group this process is in.
///
/// # Errors
/// No hierarchy of version 2, or one that cannot be seen from here.
pub(crate) fn own() -> io::Result<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let path = groups
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .ok_or_else(|| io::Error::other("there are no control groups of version 2"))?;
    let folder = locate(&mounts, path).ok_or_else(|| {
        io::Error::other("no file system of control groups of version 2 is mounted")
    })?;
    // A mount above it can hide it.
    if statfs(&folder)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
        let what = format!("{} shows no control groups", folder.display());
        return Err(io::Error::other(what));
    }
    Ok(folder)
}

/// Where the group `path` is to be found, by the text of `/proc/self/mountinfo`.
fn locate(mounts: &str, path: &str) -> Option<PathBuf> {
    let folder = |line: &str| {
        let (place, kind) = line.split_once(" - ")?;
        if kind.split(' ').next()? != "cgroup2" {
            return None;
        }
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (unescape(fields.next()?), unescape(fields.next()?));
        let below = Path::new(path).strip_prefix(root).ok()?;
        Some(Path::new(&point).join(below))
    };
    mounts.lines().rev().find_map(folder)
}

/// Spaces and the like are written as three octal digits there.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        match after.get(..3).and_then(|n| u8::from_str_radix(n, 8).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[3..];
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out + rest
}

/// The keeper's folder of control groups: one below it for each run.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    folder: OwnedFd,
}

impl Home {
    /// Makes it below the group of this process, or takes over what an earlier keeper made there. `marker` names
    /// this daemon among all others.
    ///
    /// # Errors
    /// When the group of this process is not delegated to its user, which is the usual case outside of a service
    /// manager; or when the kernel has no control groups of version 2.
    pub(crate) fn make(marker: &str) -> io::Result<Self> {
        let name = folder_name(marker);
        let mut above = own()?;
        // Begun by a command of one of our own runs: stopping that run must not end its keeper.
        let inside = above
            .ancestors()
            .filter(|a| a.file_name().is_some_and(|n| n == name.as_str()))
            .last()
            .and_then(Path::parent)
            .map(Path::to_owned);
        if let Some(outside) = inside {
            fs::write(outside.join("cgroup.procs"), "0")?;
            above = outside;
        }
        nix::unistd::access(&above.join("cgroup.procs"), AccessFlags::W_OK)?;
        let path = above.join(name);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if fs::read_to_string(path.join("cgroup.type"))?.trim() != "domain" {
            let _ = fs::remove_dir(&path);
            return Err(io::Error::other("a group of threads cannot hold processes"));
        }
        let folder = nix::fcntl::open(
            &path,
            OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { path, folder })
    }

    /// Where it is.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the group of a run that is about to begin.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn begin(&self, id: InstanceId, run: RunId) -> io::Result<OwnedFd> {
        let name = group_name(id, run);
        match nix::sys::stat::mkdirat(&self.folder, name.as_str(), Mode::from_bits_truncate(0o755))
        {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(nix::fcntl::openat(
            &self.folder,
            name.as_str(),
            OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?)
    }

    /// Removes the group of a run that has none after all.
    pub(crate) fn forget(&self, id: InstanceId, run: RunId) {
        let name = group_name(id, run);
        let flag = nix::unistd::UnlinkatFlags::RemoveDir;
        let _ = nix::unistd::unlinkat(&self.folder, name.as_str(), flag);
    }
}

/// Removes what is empty of a keeper's folder, and the folder itself when all was.
pub(crate) fn clear(home: &Path) {
    remove(home);
}

/// The control groups of all runs of one daemon, wherever its keepers made them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    homes: Vec<PathBuf>,
}

impl Groups {
    /// Below these folders, of the present keeper and of earlier ones.
    #[must_use]
    pub(crate) fn new(homes: Vec<PathBuf>) -> Self {
        Self { homes }
    }

    /// Whether runs have no control groups of their own.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.homes.is_empty()
    }

    fn places(&self, id: InstanceId, run: RunId) -> impl Iterator<Item = PathBuf> {
        let name = group_name(id, run);
        self.homes.iter().map(move |home| home.join(&name))
    }

    /// Whether a run has a group of its own.
    #[must_use]
    pub(crate) fn has(&self, id: InstanceId, run: RunId) -> bool {
        self.places(id, run).any(|path| path.exists())
    }

    /// Removes the group of a run when nobody is left in it, in one act of the kernel. True when it is gone, also
    /// when there was none.
    #[must_use]
    pub(crate) fn remove(&self, id: InstanceId, run: RunId) -> bool {
        self.places(id, run).all(|path| remove(&path))
    }

    /// Who is in the group of a run.
    #[must_use]
    pub(crate) fn members(&self, id: InstanceId, run: RunId) -> Vec<i32> {
        let mut found = Vec::new();
        for path in self.places(id, run) {
            members(&path, &mut found);
        }
        found
    }

    /// Kills everybody in the group of a run at once, also what is being forked. Kernels before 5.14 cannot.
    pub(crate) fn kill(&self, id: InstanceId, run: RunId) {
        for path in self.places(id, run) {
            let _ = fs::write(path.join("cgroup.kill"), "1");
        }
    }

    /// Whose group a process is in.
    #[must_use]
    pub(crate) fn owner(&self, pid: i32) -> Option<(InstanceId, RunId)> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        self.homes.iter().find_map(|home| {
            let folder = home.file_name()?.to_str()?;
            let mut parts = path.split('/').skip_while(|part| *part != folder);
            parts.next()?;
            read_name(parts.next()?)
        })
    }
}

fn members(path: &Path, found: &mut Vec<i32>) {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    // A process of another pid namespace is shown as 0.
    let pids = text.lines().filter_map(|line| line.parse::<i32>().ok());
    found.extend(pids.filter(|pid| *pid > 0));
    for below in below(path) {
        members(&below, found);
    }
}

fn below(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let folder = |e: fs::DirEntry| e.file_type().is_ok_and(|t| t.is_dir()).then(|| e.path());
    entries.flatten().filter_map(folder).collect()
}

/// True when the group is gone.
fn remove(path: &Path) -> bool {
    let gone = |result: io::Result<()>| match result {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    // What programs made below it goes first.
    gone(fs::remove_dir(path))
        || (below(path).iter().all(|path| remove(path)) && gone(fs::remove_dir(path)))
}

/// Waits for groups to become empty.
#[derive(Debug)]
pub(crate) struct Vigil {
    epoll: Epoll,
}

impl Vigil {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        })
    }

    /// Watches the group of a run for as long as what is given back is kept.
    #[must_use]
    pub(crate) fn watch(&self, groups: &Groups, id: InstanceId, run: RunId) -> Vec<fs::File> {
        let mut files = Vec::new();
        for path in groups.places(id, run) {
            if let Ok(file) = fs::File::open(path.join("cgroup.events")) {
                let flags = EpollFlags::EPOLLPRI | EpollFlags::EPOLLET;
                let _ = self.epoll.add(file.as_fd(), EpollEvent::new(flags, 0));
                files.push(file);
            }
        }
        files
    }

    /// Returns when one of those watched may have become empty.
    pub(crate) fn wait(&self) {
        let mut events = [EpollEvent::empty(); 16];
        let _ = self.epoll.wait(&mut events, EpollTimeout::NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
25 1 8:1 / / rw - ext4 /dev/sda rw\n\
31 25 0:27 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs ro\n\
32 31 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n\
33 31 0:29 /a /mnt/with\\040space rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_own_group_is_found_through_the_mount_that_shows_it() {
        let at = |path: &str| locate(MOUNTS, path).map(|p| p.display().to_string());
        assert_eq!(at("/").as_deref(), Some("/sys/fs/cgroup/unified/"));
        assert_eq!(at("/b/c").as_deref(), Some("/sys/fs/cgroup/unified/b/c"));
        assert_eq!(at("/a/b").as_deref(), Some("/mnt/with space/b"));
        assert_eq!(locate("25 1 8:1 / / rw - ext4 /dev/sda rw\n", "/"), None);
    }

    #[test]
    fn a_group_is_named_by_instance_and_run() {
        let (id, run) = (InstanceId(3), RunId(12));
        assert_eq!(read_name(&group_name(id, run)), Some((id, run)));
        for name in ["", "3", "3.", "a.1", "3.1.2"] {
            assert_eq!(read_name(name), None, "{name}");
        }
    }

    #[test]
    fn folders_that_are_not_there_hold_nobody() {
        let groups = Groups::new(vec!["/nowhere/adasa-x".into()]);
        assert!(groups.remove(InstanceId(1), RunId(1)));
        assert!(groups.members(InstanceId(1), RunId(1)).is_empty());
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(groups.owner(me), None);
    }
}
