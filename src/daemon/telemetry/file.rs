//! The file of the daemon's own log, written by a thread of its own and rotated by size.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::domain::level::Level;
use crate::domain::record::Record;
use crate::logs::archive::with_suffix;
use crate::logs::read::private_options;
use crate::logs::records::{Format, line};
use crate::platform::clock::wall_us;

const FILE_MAX: u64 = 10 * 1024 * 1024;
const OLDER: u32 = 3;
/// How many records may wait for the disk; more are dropped and counted, for nothing waits for the log.
const QUEUE: usize = 4096;

/// Set by [`reopen`], taken by the next line.
static REOPEN: AtomicBool = AtomicBool::new(false);

/// Whoever moved the file away has moved it: the next line begins a new one, and this is it.
pub(in crate::daemon) fn reopen() {
    REOPEN.store(true, Ordering::Relaxed);
    tracing::info!("begun anew");
}

enum ToFile {
    Record(Arc<Record>),
    /// Says when all before it is written.
    Flush(SyncSender<()>),
}

/// Where records for the file go.
#[derive(Debug, Clone)]
pub(super) struct Pen {
    sender: SyncSender<ToFile>,
    dropped: Arc<AtomicU64>,
}

impl Pen {
    pub(super) fn write(&self, record: Arc<Record>) {
        if self.sender.try_send(ToFile::Record(record)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all is written, not longer than this.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(1);
        if self.sender.try_send(ToFile::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(patience);
        }
    }

    #[cfg(test)]
    pub(super) fn to_nowhere() -> Self {
        Self {
            sender: sync_channel(1).0,
            dropped: Arc::default(),
        }
    }
}

/// Starts the thread, which looks back first: these reads can take long too. Without a thread nothing is written, and
/// what is said is still there to be read from the ring.
pub(super) fn start(
    path: PathBuf,
    format: Format,
    stderr: bool,
    look_back: impl FnOnce() + Send + 'static,
) -> Pen {
    let (sender, receiver) = sync_channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let pen = Pen {
        sender,
        dropped: Arc::clone(&dropped),
    };
    let mut open = Open {
        path,
        file: None,
        written: 0,
        stderr,
        limit: FILE_MAX,
    };
    let _ = std::thread::Builder::new()
        .name("log".into())
        .stack_size(256 * 1024)
        .spawn(move || {
            look_back();
            write(&mut open, format, &receiver, &dropped);
        });
    pen
}

fn write(open: &mut Open, format: Format, receiver: &Receiver<ToFile>, dropped: &AtomicU64) {
    while let Ok(message) = receiver.recv() {
        match message {
            ToFile::Record(record) => {
                let lost = dropped.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ = open.write(line(&gap(lost), format).as_bytes());
                }
                let _ = open.write(line(&record, format).as_bytes());
            }
            ToFile::Flush(done) => drop(done.send(())),
        }
    }
}

fn gap(lost: u64) -> Record {
    Record {
        at_us: wall_us(),
        level: Level::Warn,
        target: "telemetry".into(),
        message: format!(
            "{lost} records before this one were not written: the disk did not keep up"
        ),
        fields: std::collections::BTreeMap::new(),
        missed: lost,
    }
}

struct Open {
    path: PathBuf,
    file: Option<File>,
    written: u64,
    stderr: bool,
    limit: u64,
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if REOPEN.swap(false, Ordering::Relaxed) {
            self.file = None;
        }
        if self.stderr {
            let _ = io::stderr().write_all(bytes);
        }
        if self.file.is_none() {
            let file = private_options().append(true).open(&self.path)?;
            self.written = file.metadata()?.len();
            self.file = Some(file);
        }
        if let Some(file) = &mut self.file {
            if let Err(error) = file.write_all(bytes) {
                self.file = None;
                return Err(error);
            }
            self.written += bytes.len() as u64;
        }
        if self.written >= self.limit {
            for n in (1..OLDER).rev() {
                let name = |n: u32| with_suffix(&self.path, &format!(".{n}"));
                let _ = std::fs::rename(name(n), name(n + 1));
            }
            let _ = std::fs::rename(&self.path, with_suffix(&self.path, ".1"));
            self.file = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_rotated_by_size_and_three_older_ones_are_kept() {
        let folder = std::env::temp_dir().join(format!("adasa-telemetry-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("daemon.log");
        let mut open = Open {
            path: path.clone(),
            file: None,
            written: 0,
            stderr: false,
            limit: 20,
        };
        for n in 0..12 {
            open.write(format!("line {n:05}\n").as_bytes()).unwrap();
        }
        let read = |suffix: &str| std::fs::read_to_string(with_suffix(&path, suffix)).unwrap();
        assert_eq!(read(".1"), "line 00010\nline 00011\n");
        assert_eq!(read(".3"), "line 00006\nline 00007\n");
        assert!(!with_suffix(&path, ".4").exists() && !path.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_disk_that_does_not_keep_up_costs_records_that_are_counted_and_delays_nobody() {
        let (sender, receiver) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let pen = Pen {
            sender,
            dropped: Arc::clone(&dropped),
        };
        for _ in 0..10 {
            pen.write(Arc::new(gap(0)));
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 8);
        drop(pen);
        let folder = std::env::temp_dir().join(format!("adasa-slow-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("daemon.log");
        let mut open = Open {
            path: path.clone(),
            file: None,
            written: 0,
            stderr: false,
            limit: FILE_MAX,
        };
        write(&mut open, Format::Text, &receiver, &dropped);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("8 records before this one were not written"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 3);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
