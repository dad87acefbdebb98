//! What the kernel says of processes that it killed for want of memory: its log, and the counters of control groups.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The longest record of the kernel's log, with room to spare.
const RECORD_MAX: usize = 16 * 1024;
/// How many records are looked through: more than the log holds.
const RECORDS_MAX: usize = 100_000;

/// The line of the kernel's log that says that this pid was killed for want of memory, at `since_us` or later
/// (microseconds since boot). None also where the log may not be read.
#[must_use]
pub(crate) fn killed(pid: i32, since_us: u64) -> Option<String> {
    let mut log = OpenOptions::new()
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits())
        .open("/dev/kmsg")
        .ok()?;
    let mut record = vec![0; RECORD_MAX];
    let mut found = None;
    for _ in 0..RECORDS_MAX {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => {
                let text = String::from_utf8_lossy(&record[..length]);
                found = names(&text, pid, since_us).or(found);
            }
            // What was next has been overwritten: there is newer.
            Err(error) if error.raw_os_error() == Some(nix::libc::EPIPE) => {}
            Err(_) => break,
        }
    }
    found
}

/// `6,1234,98765432,-;Memory cgroup out of memory: Killed process 42 (api) total-vm:…`
fn names(record: &str, pid: i32, since_us: u64) -> Option<String> {
    let (head, text) = record.split_once(';')?;
    let at: u64 = head.split(',').nth(2)?.parse().ok()?;
    let line = text.lines().next()?;
    let said = line.contains(&format!("Killed process {pid} ("));
    let memory = line.to_lowercase().contains("out of memory");
    (said && memory && at >= since_us).then(|| line.to_owned())
}

/// A control group's counter of processes that were killed for want of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    /// Its group, as the kernel names it.
    pub group: String,
    file: PathBuf,
}

impl Counter {
    /// That of the group that a process is in, or of the nearest above it that has one; none where memory is not counted.
    #[must_use]
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        Self::parse(&text)
            .into_iter()
            .find(|it| it.read().is_some())
    }

    /// `5:memory:/path` of the first version, `0::/path` of the second.
    fn parse(text: &str) -> Vec<Self> {
        let mut found = Vec::new();
        for line in text.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(kinds), Some(group)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            // Where a group counts no memory, the nearest one above it does.
            let mut add = |mount: &str, file: &str| {
                found.extend(Path::new(group).ancestors().map(|group| {
                    Self {
                        group: group.display().to_string(),
                        file: Path::new(mount)
                            .join(group.strip_prefix("/").unwrap_or(group))
                            .join(file),
                    }
                }));
            };
            if kinds.is_empty() {
                add("/sys/fs/cgroup", "memory.events");
                add("/sys/fs/cgroup/unified", "memory.events");
            } else if kinds.split(',').any(|kind| kind == "memory") {
                add("/sys/fs/cgroup/memory", "memory.oom_control");
            }
        }
        found
    }

    /// How many so far.
    #[must_use]
    pub(crate) fn read(&self) -> Option<u64> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "))?;
        line.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_names_the_pid_since_its_beginning_counts() {
        let record = "3,812,5000000,-;Memory cgroup out of memory: Killed process 42 (api) total-vm:9kB\n SUBSYSTEM=memory\n";
        let line = names(record, 42, 4_000_000).unwrap();
        assert!(line.starts_with("Memory cgroup out of memory") && !line.contains("SUBSYSTEM"));
        assert_eq!(names(record, 4, 0), None);
        assert_eq!(names(record, 42, 5_000_001), None);
        assert_eq!(
            names("3,812,5000000,-;Killed process 42 (api)", 42, 0),
            None
        );
        assert_eq!(names("", 42, 0), None);
    }
}
