//! Archives: compressed, counted, and within the quota of all logs. Its own thread, at the lowest priority.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::logs::archive;

/// All logs together, bytes.
const TOTAL_QUOTA: u64 = 2 * 1024 * 1024 * 1024;
/// How much work may wait; a log that is left out is looked at with its next archive.
const QUEUE: usize = 4096;

/// What the retention is told.
#[derive(Debug)]
pub(super) enum ToRetention {
    /// These numbers are for this log.
    Limits {
        /// The log.
        path: PathBuf,
        /// How many archives.
        archives: u32,
        /// Whether they are compressed.
        compress: bool,
    },
    /// A new archive of this log is there.
    Look(PathBuf),
    /// All archives of this log go.
    Clear {
        /// Asks for an answer.
        ticket: u64,
        /// The log.
        path: PathBuf,
    },
}

/// Starts the thread. `cleared` is called with each ticket, and whether there was anything to remove.
///
/// # Errors
/// When it cannot be made.
pub(super) fn start(
    logs: PathBuf,
    cleared: impl Fn(u64, io::Result<bool>) + Send + 'static,
) -> io::Result<(SyncSender<Box<ToRetention>>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("retention".into())
        .stack_size(512 * 1024)
        .spawn(move || {
            crate::platform::clock::be_nice();
            run(&logs, &receiver, &cleared);
        })?;
    Ok((sender, thread))
}

fn run(
    logs: &Path,
    receiver: &Receiver<Box<ToRetention>>,
    cleared: &impl Fn(u64, io::Result<bool>),
) {
    let mut limits: HashMap<PathBuf, (u32, bool)> = HashMap::new();
    while let Ok(message) = receiver.recv() {
        let result = match *message {
            ToRetention::Limits {
                path,
                archives,
                compress,
            } => {
                // Archives were made while nobody tended them, or more are there than are wanted now.
                match limits.insert(path.clone(), (archives, compress)) {
                    Some(before) if before == (archives, compress) => Ok(()),
                    Some(_) | None => keep(&path, archives, compress),
                }
            }
            ToRetention::Look(path) => {
                // Of a log whose limits nobody told, nothing is removed.
                let kept = match limits.get(&path) {
                    Some((count, compress)) => keep(&path, *count, *compress),
                    None => Ok(()),
                };
                kept.and_then(|()| within_quota(logs, TOTAL_QUOTA))
            }
            ToRetention::Clear { ticket, path } => {
                cleared(ticket, clear(&path));
                Ok(())
            }
        };
        if let Err(error) = result {
            tracing::warn!("archives could not be tended: {error}");
        }
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

/// Leaves the newest `count` archives of a log, compressed if wanted.
fn keep(path: &Path, count: u32, compress: bool) -> io::Result<()> {
    let archives = archive::list(path)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let excess = archives.len().saturating_sub(count);
    let (old, kept) = archives.split_at(excess);
    archive::remove_unfinished(path)?;
    // Oldest first: that frees room for what compressing needs.
    for it in old {
        it.remove()?;
    }
    if compress {
        for it in kept {
            it.compress()?;
        }
    }
    Ok(())
}

/// Removes the oldest archives of all logs until everything fits.
fn within_quota(logs: &Path, quota: u64) -> io::Result<()> {
    let mut files = Vec::new();
    let mut queue = vec![logs.to_owned()];
    let mut total = 0;
    while let Some(folder) = queue.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                queue.push(entry.path());
            } else {
                total += meta.len();
                if let Some(log) = log_of(&entry.path()) {
                    files.push((meta.modified()?, meta.len(), log, entry.path()));
                }
            }
        }
    }
    files.sort();
    for (_, length, log, path) in files {
        if total <= quota {
            break;
        }
        if let Some(it) = archive::list(&log)?.into_iter().find(|a| a.path == path) {
            it.remove()?;
            total = total.saturating_sub(length);
        }
    }
    Ok(())
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
        keep(&log, 5, true).unwrap();
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
        keep(&log, 4, false).unwrap();
        let bases = |log: &Path| -> Vec<u64> {
            archive::list(log).unwrap().iter().map(|a| a.base).collect()
        };
        assert_eq!(bases(&log), [200, 300, 400, 500]);
        within_quota(&folder, 250).unwrap();
        assert_eq!(bases(&log).len(), 2);
        keep(&log, 2, true).unwrap();
        assert!(archive::list(&log).unwrap().iter().all(|a| a.compressed));
        assert!(clear(&log).unwrap() && !clear(&log).unwrap());
        assert!(bases(&log).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
