//! Archives: compressed, counted, and within age and quota. At the lowest priority, on a thread for each lane of logs: a
//! file system that does not answer holds the archives that lie there and no others.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use crate::keeper::lane::Lane;
use crate::logs::archive::{self, Archive};

use super::message::Keep;

/// All logs together, bytes, unless told otherwise.
pub(super) const TOTAL_QUOTA: u64 = 2 * 1024 * 1024 * 1024;
/// How much work may wait; a log that is left out is looked at with its next archive.
const QUEUE: usize = 4096;
/// A full disk is given so much room, or an eighth of it if that is less, bytes.
const ROOM: u64 = 16 * 1024 * 1024;
/// From the beginning of a daemon to its first look at what all logs have together.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// A clock that was set, or an archive from the future: looked at again after this at the latest.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the retention is told.
#[derive(Debug)]
pub(super) enum ToRetention {
    /// This is kept of this log.
    Limits {
        /// The log.
        path: PathBuf,
        /// How much.
        keep: Keep,
    },
    /// A new archive of this log is there.
    Look(PathBuf),
    /// The disk of this log is full.
    MakeRoom(PathBuf),
    /// All archives of this log go.
    Clear {
        /// Asks for an answer.
        ticket: u64,
        /// The log.
        path: PathBuf,
    },
}

impl ToRetention {
    fn log(&self) -> &Path {
        match self {
            Self::Limits { path, .. }
            | Self::Look(path)
            | Self::MakeRoom(path)
            | Self::Clear { path, .. } => path,
        }
    }
}

/// What it tells.
#[derive(Debug)]
pub(super) enum FromRetention {
    /// With each ticket: whether there was anything to remove.
    Cleared(u64, io::Result<bool>),
    /// So many archives were removed for want of room on the disk of this log.
    MadeRoom(u32, PathBuf),
}

type Tell = Arc<dyn Fn(FromRetention) + Send + Sync>;

/// All threads.
pub(super) struct Retention {
    logs: PathBuf,
    quota: u64,
    tell: Tell,
    lanes: BTreeMap<Lane, SyncSender<Box<ToRetention>>>,
}

impl Retention {
    pub(super) fn new(
        logs: PathBuf,
        quota: u64,
        tell: impl Fn(FromRetention) + Send + Sync + 'static,
    ) -> Self {
        Self {
            logs,
            quota,
            tell: Arc::new(tell),
            lanes: BTreeMap::new(),
        }
    }

    /// Begins to look after the folder of all logs.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        let sender = self.start(Lane::MAIN)?;
        self.lanes.insert(Lane::MAIN, sender);
        Ok(())
    }

    fn start(&self, lane: Lane) -> io::Result<SyncSender<Box<ToRetention>>> {
        let (sender, receiver) = sync_channel(QUEUE);
        let mut work = Work {
            logs: self.logs.clone(),
            quota: (lane == Lane::MAIN).then_some(self.quota),
            kept: HashMap::new(),
            due: (lane == Lane::MAIN).then(|| Instant::now() + FIRST_LOOK),
            tell: Arc::clone(&self.tell),
        };
        std::thread::Builder::new()
            .name("retention".into())
            .stack_size(512 * 1024)
            .spawn(move || {
                crate::platform::clock::be_nice();
                work.run(&receiver);
            })?;
        Ok(sender)
    }

    /// False when too much waits already.
    pub(super) fn send(&mut self, message: ToRetention) -> bool {
        let lane = Lane::of(message.log(), &self.logs);
        if !self.lanes.contains_key(&lane) {
            match self.start(lane) {
                Ok(sender) => drop(self.lanes.insert(lane, sender)),
                Err(_) => return false,
            }
        }
        let sender = self.lanes.get(&lane);
        sender.is_some_and(|sender| sender.try_send(Box::new(message)).is_ok())
    }
}

/// One thread.
struct Work {
    logs: PathBuf,
    /// None where somebody else sees to it.
    quota: Option<u64>,
    kept: HashMap<PathBuf, Keep>,
    /// When to look at all of it.
    due: Option<Instant>,
    tell: Tell,
}

impl Work {
    fn run(&mut self, receiver: &Receiver<Box<ToRetention>>) {
        loop {
            let wait = self
                .due
                .map(|due| due.saturating_duration_since(Instant::now()));
            let received = match wait {
                Some(wait) => receiver.recv_timeout(wait),
                None => receiver.recv().map_err(RecvTimeoutError::from),
            };
            let result = match received {
                Ok(message) => self.tend(*message),
                Err(RecvTimeoutError::Timeout) => self.look_at_all(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(error) = result {
                tracing::warn!("archives could not be tended: {error}");
            }
        }
    }

    fn tend(&mut self, message: ToRetention) -> io::Result<()> {
        match message {
            ToRetention::Limits { path, keep: limits } => {
                // Archives were made while nobody tended them, or more are there than are wanted now.
                match self.kept.insert(path.clone(), limits) {
                    Some(before) if before == limits => Ok(()),
                    Some(_) | None => self.keep(&path, limits),
                }
            }
            ToRetention::Look(path) => {
                // Of a log whose limits nobody told, nothing is removed.
                let kept = match self.kept.get(&path).copied() {
                    Some(limits) => self.keep(&path, limits),
                    None => Ok(()),
                };
                kept.and_then(|()| self.within_quota())
            }
            ToRetention::MakeRoom(path) => {
                let archives = make_room(&self.logs, &path)?;
                if archives > 0 {
                    (self.tell)(FromRetention::MadeRoom(archives, path));
                }
                Ok(())
            }
            ToRetention::Clear { ticket, path } => {
                (self.tell)(FromRetention::Cleared(ticket, clear(&path)));
                Ok(())
            }
        }
    }

    /// Keeps what is to be kept of one log, and remembers when the next of it is too old.
    fn keep(&mut self, path: &Path, limits: Keep) -> io::Result<()> {
        let kept = keep(path, limits, SystemTime::now());
        let (Some(age), Ok(Some(oldest))) = (limits.max_age, &kept) else {
            return kept.map(drop);
        };
        let left = (*oldest + age).duration_since(SystemTime::now());
        let due = Instant::now()
            + left
                .unwrap_or_default()
                .clamp(Duration::from_millis(10), LONGEST);
        self.due = Some(self.due.map_or(due, |at| at.min(due)));
        Ok(())
    }

    fn look_at_all(&mut self) -> io::Result<()> {
        self.due = None;
        let aged: Vec<(PathBuf, Keep)> = (self.kept.iter())
            .filter(|(_, limits)| limits.max_age.is_some())
            .map(|(path, limits)| (path.clone(), *limits))
            .collect();
        let mut result = Ok(());
        for (path, limits) in aged {
            result = self.keep(&path, limits).and(result);
        }
        self.within_quota().and(result)
    }

    fn within_quota(&self) -> io::Result<()> {
        self.quota
            .map_or(Ok(()), |quota| within_quota(&self.logs, quota))
    }
}

/// Whether there was anything to remove.
fn clear(path: &Path) -> io::Result<bool> {
    let archives = archive::list(path)?;
    archive::remove_unfinished(path)?;
    for it in &archives {
        it.remove()?;
    }
    Ok(!archives.is_empty())
}

/// Leaves the newest archives of a log, as many as are wanted and none that is too old, compressed if wanted. When the
/// oldest of them was written last.
fn keep(path: &Path, limits: Keep, now: SystemTime) -> io::Result<Option<SystemTime>> {
    let archives = archive::list(path)?;
    let count = usize::try_from(limits.archives).unwrap_or(usize::MAX);
    let excess = archives.len().saturating_sub(count);
    let written = |it: &Archive| std::fs::metadata(&it.path).and_then(|meta| meta.modified());
    let is_old = |it: &Archive| {
        let age = |at| now.duration_since(at).unwrap_or_default();
        let limit = limits.max_age.unwrap_or(Duration::MAX);
        written(it).is_ok_and(|at| age(at) >= limit)
    };
    let aged = archives[excess..]
        .iter()
        .take_while(|it| is_old(it))
        .count();
    let (old, kept) = archives.split_at(excess + aged);
    archive::remove_unfinished(path)?;
    // Oldest first: that frees room for what compressing needs.
    for it in old {
        it.remove()?;
    }
    if limits.compress {
        for it in kept {
            it.compress()?;
        }
    }
    let oldest = archive::list(path)?.into_iter().next();
    Ok(oldest.and_then(|it| written(&it).ok()))
}

/// A file of a folder of logs.
struct Found {
    modified: SystemTime,
    length: u64,
    device: u64,
    path: PathBuf,
    /// The log that it is an archive of.
    log: Option<PathBuf>,
}

/// All files below a folder, those that were written last at the end.
fn files_below(folder: &Path) -> io::Result<Vec<Found>> {
    let mut files = Vec::new();
    let mut queue = vec![folder.to_owned()];
    while let Some(folder) = queue.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                queue.push(entry.path());
            } else {
                files.push(Found {
                    modified: meta.modified()?,
                    length: meta.len(),
                    device: meta.dev(),
                    log: log_of(&entry.path()),
                    path: entry.path(),
                });
            }
        }
    }
    files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
    Ok(files)
}

impl Found {
    /// Removes it, if it is still the archive that it was.
    fn remove(&self) -> io::Result<bool> {
        let Some(log) = &self.log else {
            return Ok(false);
        };
        let mut archives = archive::list(log)?.into_iter();
        let found = archives.find(|it| it.path == self.path);
        found.map_or(Ok(false), |it| it.remove().map(|()| true))
    }
}

/// Removes the oldest archives of all logs until everything fits.
fn within_quota(logs: &Path, quota: u64) -> io::Result<()> {
    let files = files_below(logs)?;
    let mut total: u64 = files.iter().map(|file| file.length).sum();
    for file in files.iter().filter(|file| file.log.is_some()) {
        if total <= quota {
            break;
        }
        if file.remove()? {
            total = total.saturating_sub(file.length);
        }
    }
    Ok(())
}

/// Removes the oldest archives of all logs on the disk of this one until there is room on it. How many.
fn make_room(logs: &Path, log: &Path) -> io::Result<u32> {
    let folder = log.parent().unwrap_or(log);
    let device = std::fs::metadata(folder)?.dev();
    let is_full = || -> io::Result<bool> {
        let disk = nix::sys::statvfs::statvfs(folder)?;
        let wanted = ROOM.min(disk.blocks() * disk.fragment_size() / 8);
        Ok(disk.blocks_available() * disk.fragment_size() < wanted)
    };
    if !is_full()? {
        return Ok(0);
    }
    let root = if folder.starts_with(logs) {
        logs
    } else {
        folder
    };
    let mut removed = 0;
    for file in files_below(root)? {
        if file.device == device && file.remove()? {
            removed += 1;
            if !is_full()? {
                break;
            }
        }
    }
    Ok(removed)
}

/// The log that an archive is of; none for what is no archive.
fn log_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (log, range) = name.rsplit_once('.')?;
    let (base, end) = range.split_once('-')?;
    (base.parse::<u64>().is_ok() && end.parse::<u64>().is_ok()).then(|| path.with_file_name(log))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(archives: u32, compress: bool) -> Keep {
        Keep {
            archives,
            max_age: None,
            compress,
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let name = format!("adasa-retention-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn bases(log: &Path) -> Vec<u64> {
        archive::list(log).unwrap().iter().map(|a| a.base).collect()
    }

    /// An archive of a hundred bytes that was written so long before `now`.
    fn archive_of_age(log: &Path, base: u64, now: SystemTime, age: Duration) {
        let path = archive::path_of(log, base, base + 100);
        std::fs::write(&path, [b'x'; 100]).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(now - age).unwrap();
    }

    #[test]
    fn archives_that_are_too_old_go_and_the_next_is_waited_for() {
        let folder = scratch("age");
        let log = folder.join("0.out.log");
        let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
        for (base, age) in [(0, 4), (100, 3), (200, 2), (300, 1)] {
            archive_of_age(&log, base, now, age * hour);
        }
        let limits = Keep {
            archives: 10,
            max_age: Some(3 * hour),
            compress: true,
        };
        let oldest = keep(&log, limits, now).unwrap().unwrap();
        assert_eq!(bases(&log), [200, 300]);
        // Compressed, it is as old as it was.
        let age = now.duration_since(oldest).unwrap();
        assert!(
            age >= 2 * hour && age < 2 * hour + Duration::from_secs(2),
            "{age:?}"
        );
        assert_eq!(keep(&log, limits, now + 5 * hour).unwrap(), None);
        assert!(bases(&log).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_quota_takes_the_oldest_of_all_logs_and_no_log() {
        let folder = scratch("quota");
        let now = SystemTime::now();
        let [one, two] = ["one.log", "two.log"].map(|name| folder.join(name));
        for n in 0..4 {
            let age = |n| Duration::from_secs(100 - n);
            archive_of_age(&one, n * 100, now, age(2 * n));
            archive_of_age(&two, n * 100, now, age(2 * n + 1));
        }
        std::fs::write(&one, [b'x'; 250]).unwrap();
        within_quota(&folder, 1050).unwrap();
        assert_eq!((bases(&one).len(), bases(&two).len()), (4, 4));
        within_quota(&folder, 700).unwrap();
        assert_eq!((bases(&one), bases(&two)), (vec![200, 300], vec![200, 300]));
        within_quota(&folder, 600).unwrap();
        assert_eq!((bases(&one), bases(&two)), (vec![300], vec![200, 300]));
        within_quota(&folder, 10).unwrap();
        assert!(bases(&one).is_empty() && bases(&two).is_empty() && one.exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_compression_that_was_cut_short_leaves_nothing_and_is_done_again() {
        let folder = std::env::temp_dir().join(format!("adasa-cut-short-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("0.out.log");
        let plain = archive::path_of(&log, 0, 100);
        std::fs::write(&plain, [b'x'; 100]).unwrap();
        // Of one archive that is there, and of one that has been removed since; and what is nobody's business.
        let cut = ["0.out.log.0-100.gz.part", "0.out.log.100-200.gz.part"];
        let others = ["0.out.log.mine.gz.part", "1.out.log.0-100.gz.part"];
        for name in cut.iter().chain(&others) {
            std::fs::write(folder.join(name), "half").unwrap();
        }
        keep(&log, limits(5, true), SystemTime::now()).unwrap();
        assert!(cut.iter().all(|name| !folder.join(name).exists()));
        assert!(others.iter().all(|name| folder.join(name).exists()));
        let done = archive::list(&log).unwrap();
        assert!(done.len() == 1 && done[0].compressed, "{done:?}");
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut done[0].open().unwrap(), &mut text).unwrap();
        assert_eq!(text, [b'x'; 100]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_newest_archives_stay_and_the_quota_takes_the_oldest() {
        let folder = std::env::temp_dir().join(format!("adasa-retention-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("0.out.log");
        for n in 0..6u64 {
            std::fs::write(archive::path_of(&log, n * 100, n * 100 + 100), [b'x'; 100]).unwrap();
        }
        keep(&log, limits(4, false), SystemTime::now()).unwrap();
        assert_eq!(bases(&log), [200, 300, 400, 500]);
        within_quota(&folder, 250).unwrap();
        assert_eq!(bases(&log).len(), 2);
        keep(&log, limits(2, true), SystemTime::now()).unwrap();
        assert!(archive::list(&log).unwrap().iter().all(|a| a.compressed));
        assert!(clear(&log).unwrap() && !clear(&log).unwrap());
        assert!(bases(&log).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
