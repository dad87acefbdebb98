//! What a machine offers, and what follows from it for the promises.

use serde::{Deserialize, Serialize};

/// How many descriptors the scribe, which needs the most, holds for one process: two pipes, two files, two indexes.
const FILES_PER_PROCESS: u64 = 6;
/// Descriptors that are not there for processes.
const FILES_RESERVED: u64 = 64;
/// A disk with less than this is as good as full: one archive and its log do not fit.
const ROOM: u64 = 32 << 20;
/// What a pipe has, in pages, before its user's quota is used up.
const PIPE_PAGES: u64 = 16;

/// What was seen of the machine. An error is in the kernel's or the library's words.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Its release.
    pub kernel: String,
    /// Handles on processes.
    pub pidfd: Result<(), String>,
    /// Whether a handle tells the exit code of another's child.
    pub exit_info: Result<(), String>,
    /// Where runs get control groups, and whether they can be killed as a whole.
    pub control_group: Result<(String, bool), String>,
    /// Adoption of orphans, and the lists of children.
    pub orphans: Result<(), String>,
    /// Pipes.
    pub pipes: Pipes,
    /// Hard limit on open files.
    pub files: u64,
    /// How many processes this user may have.
    pub processes: Option<u64>,
    /// Sockets, pipes and table: the folder, and whether it lies in memory.
    pub volatile: Result<(String, bool), String>,
    /// Whether the user's programs live on when the user leaves.
    pub linger: Linger,
    /// How many inotify handles the user may have.
    pub inotify: Result<u64, String>,
    /// The id of this boot, by which deadlines know that they are void.
    pub boot: Result<(), String>,
    /// Folders that must be written.
    pub folders: Vec<Folder>,
}

/// The user's share of pipe memory, in pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipes {
    /// Above it pipes shrink to two pages and less; 0 is no limit.
    pub soft: u64,
    /// Above it there are none; 0 is no limit.
    pub hard: u64,
    /// Bytes.
    pub page: u64,
    /// Whether the user is exempt.
    pub exempt: bool,
}

/// What happens to a user's programs when the user leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linger {
    /// No service manager ends them, or the user never leaves.
    NotNeeded,
    /// They may stay.
    On,
    /// They may be ended.
    Off,
}

/// A folder that must be written.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// What it is for.
    pub what: &'static str,
    /// Where it is.
    pub path: String,
    /// Free bytes on its disk, when it can be written.
    pub free: Result<u64, String>,
}

/// How a mechanism stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// It works.
    Works,
    /// It does not, or not wholly; every promise is kept without it.
    Reduced,
    /// A promise cannot be kept here.
    Broken,
}

/// One mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// Its name.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was seen.
    pub found: String,
    /// What it costs that it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

fn works(name: &'static str, found: impl Into<String>) -> Check {
    Check {
        name,
        standing: Standing::Works,
        found: found.into(),
        costs: None,
        remedy: None,
    }
}

impl Check {
    fn fails(self, standing: Standing, costs: &str) -> Self {
        Self {
            standing,
            costs: Some(costs.to_owned()),
            ..self
        }
    }

    fn remedy(self, what: &str) -> Self {
        Self {
            remedy: Some(what.to_owned()),
            ..self
        }
    }
}

/// Everything, in the order in which it matters.
#[must_use]
pub(crate) fn check(facts: &Facts) -> Vec<Check> {
    let mut all = vec![
        works("kernel", format!("Linux {}", facts.kernel)),
        pidfd(facts),
        orphans(facts),
        control_groups(facts),
        exit_codes(facts),
        volatile(facts),
        pipes(facts.pipes),
        files(facts.files),
    ];
    if let Some(most) = facts.processes {
        all.push(works("processes", format!("at most {most} of this user")));
    }
    all.push(inotify(facts));
    all.push(clock(facts));
    all.push(linger(facts.linger));
    all.extend(facts.folders.iter().map(folder));
    all
}

fn pidfd(facts: &Facts) -> Check {
    match &facts.pidfd {
        Ok(()) => works("pidfd", "processes are signalled by handle"),
        Err(why) => works("pidfd", why).fails(
            Standing::Broken,
            "what an earlier daemon left cannot be taken over, and a signal could reach a stranger that got the same pid",
        )
        .remedy("Linux 5.3 or later; a container's filter may forbid pidfd_open"),
    }
}

fn orphans(facts: &Facts) -> Check {
    match &facts.orphans {
        Ok(()) => works("orphans", "the keeper adopts and finds them"),
        Err(why) => works("orphans", why)
            .fails(
                Standing::Broken,
                "what a process leaves behind when it ends is not found: stop does not mean gone",
            )
            .remedy("mount /proc, in a kernel with CONFIG_PROC_CHILDREN"),
    }
}

fn control_groups(facts: &Facts) -> Check {
    match &facts.control_group {
        Ok((place, true)) => works("control groups", format!("one for each run, in {place}")),
        Ok((place, false)) => works(
            "control groups",
            format!("one for each run, in {place}, without cgroup.kill"),
        )
        .fails(
            Standing::Reduced,
            "a tree that forks while it is killed is killed one by one",
        )
        .remedy("Linux 5.14 or later"),
        Err(why) => works("control groups", format!("none: {why}"))
            .fails(
                Standing::Reduced,
                "trees are walked: a process that sheds session, output and environment is not ended with its run but shown as a stray",
            )
            .remedy("run the daemon from a unit with Delegate=yes: `adasa startup`"),
    }
}

fn exit_codes(facts: &Facts) -> Check {
    match &facts.exit_info {
        Ok(()) => works(
            "exit codes",
            "the kernel tells those of adopted processes too",
        ),
        Err(why) => works("exit codes", why)
            .fails(
                Standing::Reduced,
                "when the keeper was killed, how an adopted process ends stays unknown",
            )
            .remedy("Linux 6.15 or later"),
    }
}

fn volatile(facts: &Facts) -> Check {
    let name = "volatile folder";
    match &facts.volatile {
        Ok((place, true)) => works(name, format!("{place}, in memory")),
        Ok((place, false)) => works(name, format!("{place}, on a disk"))
            .fails(
                Standing::Reduced,
                "the keeper's table waits for that disk, and a full one stops new processes",
            )
            .remedy("mount a tmpfs at /run or /dev/shm"),
        Err(why) => works(name, why).fails(Standing::Broken, "no daemon can be started"),
    }
}

fn pipes(pipes: Pipes) -> Check {
    let name = "pipe quota";
    if pipes.exempt || (pipes.soft == 0 && pipes.hard == 0) {
        return works(name, "none for this user");
    }
    let pairs = |pages: u64| pages / (2 * PIPE_PAGES);
    let mebibytes = |pages: u64| pages.saturating_mul(pipes.page) >> 20;
    if pipes.hard != 0 {
        let pages = pipes.hard;
        let most = pairs(pages);
        let found = format!("{} MiB, for {most} processes", mebibytes(pages));
        return works(name, found).fails(
            Standing::Reduced,
            "above that the kernel makes no pipe, and no process starts",
        );
    }
    let most = pairs(pipes.soft);
    works(
        name,
        format!(
            "{} MiB: {most} processes with pipes of full size, smaller ones above that",
            mebibytes(pipes.soft)
        ),
    )
}

fn files(hard: u64) -> Check {
    let most = hard.saturating_sub(FILES_RESERVED) / FILES_PER_PROCESS;
    let check = works("open files", format!("{hard}, enough for {most} processes"));
    if most < 100 {
        return check
            .fails(Standing::Broken, "the scribe runs out of descriptors")
            .remedy("raise the hard limit: `ulimit -Hn`, or LimitNOFILE= of the unit");
    }
    check
}

fn inotify(facts: &Facts) -> Check {
    match &facts.inotify {
        Ok(most) => works("inotify", format!("{most} handles for this user")),
        Err(why) => works("inotify", why).fails(
            Standing::Reduced,
            "a command that waits for a daemon to begin looks again and again instead of being told",
        )
        .remedy("raise fs.inotify.max_user_instances"),
    }
}

fn clock(facts: &Facts) -> Check {
    match &facts.boot {
        Ok(()) => works(
            "clock",
            "deadlines follow the time since boot, sleep included",
        ),
        Err(why) => works("clock", why).fails(
            Standing::Broken,
            "a table of an earlier boot cannot be told from a present one",
        ),
    }
}

fn linger(linger: Linger) -> Check {
    let name = "linger";
    match linger {
        Linger::NotNeeded => works(name, "not needed here"),
        Linger::On => works(name, "on: processes stay when you log out"),
        Linger::Off => works(name, "off")
            .fails(
                Standing::Reduced,
                "a daemon of yours may be ended, and its table in /dev/shm removed, when you log out; it does not begin at boot",
            )
            .remedy("loginctl enable-linger"),
    }
}

fn folder(folder: &Folder) -> Check {
    let path = &folder.path;
    match &folder.free {
        Ok(free) if *free < ROOM => works(folder.what, format!("{path}, {} MiB free", free >> 20))
            .fails(
                Standing::Broken,
                "what changes cannot be recorded, and output is dropped or its writer waits",
            )
            .remedy("free some of that disk"),
        Ok(free) => works(folder.what, format!("{path}, {} free", size(*free))),
        Err(why) => works(folder.what, format!("{path}: {why}")).fails(
            Standing::Broken,
            "nothing can be recorded: after a reboot nothing is known of what runs now",
        ),
    }
}

fn size(bytes: u64) -> String {
    if bytes >= 10 << 30 {
        format!("{} GiB", bytes >> 30)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// The worst of them.
#[must_use]
pub(crate) fn worst(checks: &[Check]) -> Standing {
    let any = |standing| checks.iter().any(|c| c.standing == standing);
    if any(Standing::Broken) {
        Standing::Broken
    } else if any(Standing::Reduced) {
        Standing::Reduced
    } else {
        Standing::Works
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            kernel: "6.18".into(),
            pidfd: Ok(()),
            exit_info: Ok(()),
            control_group: Ok(("/sys/fs/cgroup/x".into(), true)),
            orphans: Ok(()),
            pipes: Pipes {
                soft: 16384,
                hard: 0,
                page: 4096,
                exempt: false,
            },
            files: 1 << 20,
            processes: Some(1000),
            volatile: Ok(("/run/adasa".into(), true)),
            linger: Linger::On,
            inotify: Ok(128),
            boot: Ok(()),
            folders: vec![Folder {
                what: "state folder",
                path: "/state".into(),
                free: Ok(1 << 40),
            }],
        }
    }

    fn of(facts: &Facts, name: &str) -> Check {
        let found = check(facts).into_iter().find(|c| c.name == name);
        found.unwrap_or_else(|| panic!("no check {name}"))
    }

    #[test]
    fn a_good_machine_keeps_every_promise() {
        let all = check(&facts());
        assert_eq!(worst(&all), Standing::Works, "{all:#?}");
        assert!(all.iter().all(|c| c.costs.is_none()));
        assert_eq!(
            of(&facts(), "pipe quota").found,
            "64 MiB: 512 processes with pipes of full size, smaller ones above that"
        );
        assert_eq!(
            of(&facts(), "open files").found,
            "1048576, enough for 174752 processes"
        );
    }

    #[test]
    fn what_is_missing_says_what_it_costs_and_how_bad_that_is() {
        type Spoil = fn(&mut Facts);
        let cases: [(&str, Standing, Spoil); 13] = [
            ("pidfd", Standing::Broken, |f| {
                f.pidfd = Err("no".into());
            }),
            ("orphans", Standing::Broken, |f| {
                f.orphans = Err("no".into())
            }),
            ("control groups", Standing::Reduced, |f| {
                f.control_group = Err("no".into());
            }),
            ("control groups", Standing::Reduced, |f| {
                f.control_group = Ok(("/x".into(), false));
            }),
            ("exit codes", Standing::Reduced, |f| {
                f.exit_info = Err("no".into());
            }),
            ("volatile folder", Standing::Reduced, |f| {
                f.volatile = Ok(("/state/volatile".into(), false));
            }),
            ("volatile folder", Standing::Broken, |f| {
                f.volatile = Err("no".into());
            }),
            ("pipe quota", Standing::Reduced, |f| f.pipes.hard = 16384),
            ("open files", Standing::Broken, |f| f.files = 256),
            ("inotify", Standing::Reduced, |f| {
                f.inotify = Err("no".into())
            }),
            ("clock", Standing::Broken, |f| f.boot = Err("no".into())),
            ("linger", Standing::Reduced, |f| f.linger = Linger::Off),
            ("state folder", Standing::Broken, |f| {
                f.folders[0].free = Ok(1 << 20);
            }),
        ];
        for (name, standing, spoil) in cases {
            let mut spoilt = facts();
            spoil(&mut spoilt);
            let check = of(&spoilt, name);
            assert_eq!(check.standing, standing, "{name}");
            assert!(check.costs.is_some(), "{name}");
            assert_eq!(worst(&super::check(&spoilt)), standing);
        }
        let mut spoilt = facts();
        spoilt.folders[0].free = Err("read-only file system".into());
        assert_eq!(of(&spoilt, "state folder").standing, Standing::Broken);
    }
}
