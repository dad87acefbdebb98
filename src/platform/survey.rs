//! Tries out what this machine offers; leaves nothing behind.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::sys::statvfs::statvfs;

use crate::domain::checkup::{Facts, Folder, Linger, Pipes};

use super::cgroup::{self, Home};
use super::paths::Paths;
use super::signal::PidFd;
use super::{child, clock, descriptor, folder, procfs};

/// Looks at everything. Folders are made when they are not there, as any command does.
#[must_use]
pub(crate) fn look(paths: &Result<Paths, String>) -> Facts {
    Facts {
        kernel: kernel(),
        pidfd: words(PidFd::open(own_pid()).map(|_| ())),
        exit_info: words(exit_info()),
        control_group: words(control_group()),
        orphans: words(orphans()),
        pipes: pipes(),
        files: descriptor::file_limit().map_or(0, |(_, hard)| hard),
        processes: processes(),
        volatile: paths.clone().and_then(|p| words(volatile(&p))),
        linger: linger(),
        inotify: words(inotify()),
        boot: match clock::boot_id() {
            id if id.is_empty() => Err("this boot has no id".into()),
            _ => Ok(()),
        },
        folders: match paths {
            Ok(paths) => vec![
                written("state folder", &paths.state),
                written("log folder", &paths.logs),
            ],
            Err(why) => vec![Folder {
                what: "folders",
                path: "none".into(),
                free: Err(why.clone()),
            }],
        },
    }
}

fn words<T>(result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_owned(),
        None => error.to_string(),
    })
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(0)
}

fn number(path: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string(path)?;
    text.trim().parse().map_err(io::Error::other)
}

fn kernel() -> String {
    nix::sys::utsname::uname().map_or_else(
        |_| "unknown".into(),
        |name| name.release().to_string_lossy().into_owned(),
    )
}

/// See pidfd_info in linux/pidfd.h.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    rest: [u32; 16],
}

/// `PIDFD_INFO_EXIT`: the exit code, once the process was reaped.
const INFO_EXIT: u64 = 1 << 3;

/// Asks for the exit code of a child of ours that was already collected, as one would for another's.
fn exit_info() -> io::Result<()> {
    nix::ioctl_readwrite!(pidfd_get_info, 0xff, 11, PidfdInfo);
    let mut child = Command::new("/proc/self/exe")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let handle = PidFd::open(i32::try_from(child.id()).unwrap_or(0));
    child.wait()?;
    let mut info = PidfdInfo {
        mask: INFO_EXIT,
        ..PidfdInfo::default()
    };
    // SAFETY: the kernel writes at most the size that the request number names, which is that of `info`.
    unsafe { pidfd_get_info(handle?.as_fd().as_raw_fd(), &raw mut info) }?;
    if info.mask & INFO_EXIT == 0 {
        return Err(io::Error::other("this kernel tells only the parent"));
    }
    Ok(())
}

/// Makes a control group as the keeper does, and removes it.
fn control_group() -> io::Result<(String, bool)> {
    let home = Home::make(&format!("probe-{}", own_pid()))?;
    let kill = home.path().join("cgroup.kill").exists();
    let place = home
        .path()
        .parent()
        .map_or_else(String::new, |above| above.display().to_string());
    cgroup::clear(home.path());
    Ok((place, kill))
}

fn orphans() -> io::Result<()> {
    child::become_subreaper()?;
    let pid = own_pid();
    std::fs::read(format!("/proc/{pid}/task/{pid}/children"))?;
    procfs::stat(pid)
        .map(|_| ())
        .ok_or_else(|| io::Error::other("/proc shows no processes"))
}

fn pipes() -> Pipes {
    let read = |name: &str| number(&format!("/proc/sys/fs/{name}")).unwrap_or(0);
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    let page = page.ok().flatten().and_then(|n| u64::try_from(n).ok());
    Pipes {
        soft: read("pipe-user-pages-soft"),
        hard: read("pipe-user-pages-hard"),
        page: page.unwrap_or(4096),
        exempt: exempt(),
    }
}

/// The kernel exempts whoever has one of two capabilities; see pipe(7).
fn exempt() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    const SYS_RESOURCE: u64 = 1 << 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    held.is_some_and(|held| held & (SYS_ADMIN | SYS_RESOURCE) != 0)
}

fn processes() -> Option<u64> {
    let most = number("/proc/sys/kernel/pid_max").ok();
    let own = getrlimit(Resource::RLIMIT_NPROC).map(|(soft, _)| soft).ok();
    let own = own.filter(|n| *n != RLIM_INFINITY);
    let group = cgroup::own().ok().and_then(|folder| {
        let text = std::fs::read_to_string(folder.join("pids.max")).ok()?;
        text.trim().parse().ok()
    });
    [most, own, group].into_iter().flatten().min()
}

fn volatile(paths: &Paths) -> io::Result<(String, bool)> {
    let place = paths.volatile.display().to_string();
    Ok((place, folder::lies_in_memory(&paths.volatile)))
}

fn linger() -> Linger {
    let user = nix::unistd::geteuid();
    if user.is_root() || !Path::new("/run/systemd/system").is_dir() {
        return Linger::NotNeeded;
    }
    let name = nix::unistd::User::from_uid(user).ok().flatten();
    let on = name.is_some_and(|user| {
        Path::new("/var/lib/systemd/linger")
            .join(user.name)
            .exists()
    });
    if on { Linger::On } else { Linger::Off }
}

fn inotify() -> io::Result<u64> {
    Inotify::init(InitFlags::IN_CLOEXEC)?;
    number("/proc/sys/fs/inotify/max_user_instances")
}

/// Whether a folder can be written: tried, for a permission is not all that it takes.
fn written(what: &'static str, path: &Path) -> Folder {
    let free = || -> io::Result<u64> {
        let probe = path.join(format!(".doctor-{}", own_pid()));
        std::fs::write(&probe, "?").and_then(|()| std::fs::remove_file(&probe))?;
        let disk = statvfs(path)?;
        Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
    };
    Folder {
        what,
        path: path.display().to_string(),
        free: words(free()),
    }
}
