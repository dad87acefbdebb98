//! Reading other processes: with held descriptors, and without anything that allocates per process.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::domain::exit::Ending;

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Dead and not yet collected.
    pub zombie: bool,
    /// Processor time, clock ticks.
    pub ticks: u64,
    /// Clock ticks between boot and its start: with the pid, an identity.
    pub start: u64,
    /// Resident bytes.
    pub rss: u64,
}

pub(super) fn page_size() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| u64::try_from(size).ok())
        .unwrap_or(4096)
}

/// Clock ticks in a second.
#[must_use]
pub(crate) fn ticks_per_second() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .and_then(|ticks| u64::try_from(ticks).ok())
        .unwrap_or(100)
}

/// Parses the fields after the name, which may itself contain anything. See proc_pid_stat(5).
fn parse(line: &[u8], page: u64) -> Option<Stat> {
    let text = std::str::from_utf8(line).unwrap_or_else(|e| {
        std::str::from_utf8(&line[line.len().min(e.valid_up_to())..]).unwrap_or("")
    });
    let rest = match text.rfind(')') {
        Some(end) => text.get(end + 2..)?,
        None => {
            let end = line.iter().rposition(|b| *b == b')')?;
            std::str::from_utf8(line.get(end + 2..)?).ok()?
        }
    };
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let mut number = |skip: usize| fields.nth(skip)?.parse::<i64>().ok();
    let parent = number(0)?;
    let group = number(0)?;
    let session = number(0)?;
    let user = number(7)?;
    let system = number(0)?;
    let start = number(6)?;
    let pages = number(1)?;
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    Some(Stat {
        parent: i32::try_from(parent).ok()?,
        group: i32::try_from(group).ok()?,
        session: i32::try_from(session).ok()?,
        zombie: matches!(state, "Z" | "X" | "x"),
        ticks: unsigned(user) + unsigned(system),
        start: unsigned(start),
        rss: unsigned(pages) * page,
    })
}

/// Reads the stat of a process once.
#[must_use]
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&line, page_size())
}

/// When this process began, clock ticks since boot.
#[must_use]
pub(crate) fn own_start() -> Option<u64> {
    Some(stat(i32::try_from(std::process::id()).ok()?)?.start)
}

/// Whether the process with this pid and this start is alive (a zombie is not).
#[must_use]
pub(crate) fn is_alive(pid: i32, start: u64) -> bool {
    stat(pid).is_some_and(|stat| stat.start == start && !stat.zombie)
}

/// How a process ended that nobody has collected yet: readable by root and by the user it ran as.
#[must_use]
pub(crate) fn ending_of_zombie(pid: i32, start: u64) -> Option<Ending> {
    use std::os::unix::fs::MetadataExt as _;
    let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = parse(&line, page_size()).filter(|stat| stat.start == start && stat.zombie)?;
    let text = String::from_utf8_lossy(&line);
    let (_, rest) = text.rsplit_once(')')?;
    let status = rest.split_ascii_whitespace().nth(49)?.parse().ok()?;
    let me = nix::unistd::geteuid().as_raw();
    let owner = std::fs::metadata(format!("/proc/{pid}")).ok()?.uid();
    // To everybody else the kernel says zero, whatever it was.
    (stat.zombie && (me == 0 || me == owner)).then(|| super::child::ending(status))
}

/// Every process there is.
#[must_use]
pub(crate) fn all() -> Vec<i32> {
    let Ok(names) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    names
        .flatten()
        .filter_map(|name| name.file_name().to_str()?.parse().ok())
        .collect()
}

/// The letter for what a process is doing; see proc_pid_stat(5).
#[must_use]
pub(crate) fn state(pid: i32) -> Option<char> {
    let line = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&line);
    let (_, rest) = text.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

/// What the main thread of a process is doing, by the letter of proc_pid_stat(5), and the processor time that it has had,
/// in clock ticks.
#[must_use]
pub(crate) fn main_thread(pid: i32) -> Option<(char, u64)> {
    let line = std::fs::read(format!("/proc/{pid}/task/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&line);
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((fields.first()?.chars().next()?, ticks(11)? + ticks(12)?))
}

/// The direct children of a process, of all its threads.
#[must_use]
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return found;
    };
    for thread in threads.flatten() {
        if let Ok(text) = std::fs::read_to_string(thread.path().join("children")) {
            found.extend(
                text.split_ascii_whitespace()
                    .filter_map(|n| n.parse::<i32>().ok()),
            );
        }
    }
    found
}

/// Every process below `root`, `root` itself not included, each with its start.
#[must_use]
pub(crate) fn descendants(root: i32) -> Vec<(i32, Stat)> {
    let mut found: Vec<(i32, Stat)> = Vec::new();
    let mut queue = children(root);
    while let Some(pid) = queue.pop() {
        if found.iter().any(|(known, _)| *known == pid) {
            continue;
        }
        if let Some(stat) = stat(pid) {
            found.push((pid, stat));
            queue.extend(children(pid));
        }
    }
    found
}

/// The value of a variable in the environment a process was started with. Can hang on a stuck process: call it
/// from a thread that nobody waits for.
#[must_use]
pub(crate) fn environment_value(pid: i32, name: &str) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    bytes.split(|b| *b == 0).find_map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        pair.strip_prefix(name)?
            .strip_prefix('=')
            .map(str::to_owned)
    })
}

/// What the kernel calls a process: at most 15 bytes.
#[must_use]
pub(crate) fn name(pid: i32) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The words a process was started with, as `ps` shows them, of at most so many bytes; none of one that has none: a
/// zombie, a thread of the kernel. Can hang as [`environment_value`] can.
#[must_use]
pub(crate) fn command_line(pid: i32, most: u64) -> Option<String> {
    use std::io::Read as _;
    let file = File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    let words = bytes.trim_ascii_end();
    let end = words.iter().rposition(|b| *b != 0)?;
    let words: Vec<u8> = words
        .iter()
        .take(end + 1)
        .map(|b| if *b == 0 { b' ' } else { *b })
        .collect();
    Some(String::from_utf8_lossy(&words).into_owned())
}

/// As whom a process acts: its effective user.
#[must_use]
pub(crate) fn user(pid: i32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Whether a process has this file open.
#[must_use]
pub(crate) fn has_open(pid: i32, file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let is_it = |path: std::path::PathBuf| {
        let open = std::fs::metadata(path);
        open.is_ok_and(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()))
    };
    descriptors.flatten().any(|fd| is_it(fd.path()))
}

/// Where the standard output and error of a process lead, as the kernel names it, each with its descriptor.
#[must_use]
pub(crate) fn output_targets(pid: i32) -> Vec<(i32, String)> {
    let target = |fd| {
        let path = std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        Some((fd, path.to_string_lossy().into_owned()))
    };
    [1, 2].into_iter().filter_map(target).collect()
}

/// The proportional set size in bytes: shared pages count by their share. Can hang as [`environment_value`] can.
#[must_use]
pub(crate) fn proportional_set(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// A process's `stat` and `children` files, held open: a third of the cost of opening them each time.
#[derive(Debug)]
struct Held {
    stat: File,
    children: Option<File>,
}

/// Reads many processes again and again through held descriptors.
#[derive(Debug)]
pub(crate) struct Reader {
    held: HashMap<i32, Held>,
    buffer: Vec<u8>,
    page: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            held: HashMap::new(),
            buffer: vec![0; 4096],
            page: page_size(),
        }
    }
}

impl Reader {
    /// The stat of a process. A descriptor that was opened for a process which is gone never answers for
    /// another: the kernel says `ESRCH`, and the file is opened anew.
    pub(crate) fn stat(&mut self, pid: i32) -> Option<Stat> {
        for _ in 0..2 {
            let held = match self.held.entry(pid) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    let stat = File::open(format!("/proc/{pid}/stat")).ok()?;
                    let children = File::open(format!("/proc/{pid}/task/{pid}/children")).ok();
                    entry.insert(Held { stat, children })
                }
            };
            match held.stat.read_at(&mut self.buffer, 0) {
                Ok(length) if length > 0 => return parse(&self.buffer[..length], self.page),
                Ok(_) | Err(_) => {
                    self.held.remove(&pid);
                }
            }
        }
        None
    }

    /// The direct children of the process's main thread: cheap, and enough between the full walks of a sweep.
    pub(crate) fn children(&mut self, pid: i32) -> Vec<i32> {
        let Some(Held {
            children: Some(file),
            ..
        }) = self.held.get(&pid)
        else {
            return Vec::new();
        };
        let mut text = Vec::new();
        let mut offset = 0;
        while let Ok(length) = file.read_at(&mut self.buffer, offset) {
            if length == 0 {
                break;
            }
            text.extend_from_slice(&self.buffer[..length]);
            offset += length as u64;
        }
        String::from_utf8_lossy(&text)
            .split_ascii_whitespace()
            .filter_map(|n| n.parse().ok())
            .collect()
    }

    /// Lets go of every process that is not in `wanted`.
    pub(crate) fn retain(&mut self, wanted: impl Fn(i32) -> bool) {
        self.held.retain(|pid, _| wanted(*pid));
    }
}

/// How many descriptors a process has open: the size of the folder that lists them, without listing them. None where it is
/// gone, and before Linux 6.2, which says 0 of every process.
#[must_use]
pub(crate) fn open_files(pid: i32) -> Option<u32> {
    let size = std::fs::metadata(format!("/proc/{pid}/fd")).ok()?.len();
    u32::try_from(size).ok().filter(|count| *count > 0)
}

/// How many descriptors a process may have open; none when there is no limit, or it is not known.
#[must_use]
pub(crate) fn files_limit(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether a process that was forked from this program has become another. Reads one link, which cannot hang.
#[must_use]
pub(crate) fn is_another_program(pid: i32) -> bool {
    let program = |who: &str| std::fs::read_link(format!("/proc/{who}/exe"));
    match (program(&pid.to_string()), program("self")) {
        (Ok(theirs), Ok(own)) => theirs != own,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_passed_over() {
        let line = b"12 (a) b (c) S 1 12 12 0 -1 0 1 2 3 4 70 30 0 0 20 0 1 0 4242 1000 5 0\n";
        let stat = parse(line, 4096).unwrap();
        assert_eq!((stat.parent, stat.group, stat.session), (1, 12, 12));
        assert_eq!((stat.ticks, stat.start, stat.rss), (100, 4242, 5 * 4096));
        let mut bytes = line.to_vec();
        bytes[4] = 0xff;
        assert_eq!(parse(&bytes, 4096), Some(stat));
        assert_eq!(parse(b"12 (x", 4096), None);
        assert_eq!(parse(b"", 4096), None);
    }

    #[test]
    fn it_reads_this_very_process() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let once = stat(pid).unwrap();
        let mut reader = Reader::default();
        let held = reader.stat(pid).unwrap();
        assert_eq!((once.start, once.parent), (held.start, held.parent));
        assert!(is_alive(pid, once.start) && !is_alive(pid, once.start + 1));
        assert!(held.rss > 0 && proportional_set(pid).unwrap() > 0);
    }
}
