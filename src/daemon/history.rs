//! The bounded journals of events and of runs: one JSON object a line, their own thread.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::activity::is_activity;
use crate::domain::event::Event;
use crate::domain::names::InstanceId;
use crate::domain::run::Run;
use crate::domain::saying::is_said;
use crate::logs::read::private_options;
use crate::logs::records::end_of;
use crate::platform::failpoint::failpoint;

use super::journal::{Journal, Seen};

/// The first line of both files: the version of what follows.
pub(super) const SCHEMA: &[u8] = b"{\"schema\":1}\n";
/// A file of this size becomes the older one.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// How long somebody waits for what the disk has.
const PATIENCE: Duration = Duration::from_secs(4);
/// How much of the end of a file is looked at.
const TAIL: u64 = 2 * 1024 * 1024;
/// How many events may wait for the disk; more are dropped, for nothing waits for history.
const QUEUE: usize = 4096;

/// What is wanted to be known of some instances.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    /// Of which.
    pub(super) ids: BTreeSet<InstanceId>,
    /// When, milliseconds since 1970.
    pub(super) span: RangeInclusive<u64>,
    /// At most so many, the newest.
    pub(super) most: usize,
}

/// What waits for the disk.
enum ToHistory {
    Event(Box<Event>),
    Seen(Box<Seen>),
    /// The last runs of these instances.
    Runs {
        ids: Vec<InstanceId>,
        most: usize,
        reply: oneshot::Sender<io::Result<BTreeMap<InstanceId, VecDeque<Run>>>>,
    },
    /// The last entries of who did what.
    Activity {
        since_ms: u64,
        most: usize,
        reply: oneshot::Sender<Vec<Event>>,
    },
    /// What happened to these instances.
    Happened {
        wanted: Happened,
        reply: oneshot::Sender<Vec<Event>>,
    },
    /// There is no more.
    Close,
}

/// Where events and runs go.
#[derive(Debug, Clone)]
pub(crate) struct History {
    sender: SyncSender<ToHistory>,
}

impl History {
    /// Appends; when the disk does not keep up the event is dropped.
    pub(super) fn append(&self, event: Event) {
        let _ = self.sender.try_send(ToHistory::Event(Box::new(event)));
    }

    /// Appends what was seen of a run; dropped as an event is.
    pub(super) fn saw(&self, seen: Seen) {
        let _ = self.sender.try_send(ToHistory::Seen(Box::new(seen)));
    }

    /// Nothing more comes: the thread ends when it has written what waits.
    pub(super) fn close(&self) {
        let _ = self.sender.send(ToHistory::Close);
    }

    /// The events since then that are more than steps, oldest first: at most so many, the newest.
    ///
    /// # Errors
    /// A queue that is full, or a disk that takes too long.
    pub(super) async fn activity(&self, since_ms: u64, most: usize) -> io::Result<Vec<Event>> {
        let (reply, answer) = oneshot::channel();
        let asked = ToHistory::Activity {
            since_ms,
            most,
            reply,
        };
        self.ask(asked, answer).await
    }

    /// What happened to some instances that is said in their logs, oldest first.
    ///
    /// # Errors
    /// As [`Self::activity`].
    pub(super) async fn happened(&self, wanted: Happened) -> io::Result<Vec<Event>> {
        let (reply, answer) = oneshot::channel();
        self.ask(ToHistory::Happened { wanted, reply }, answer)
            .await
    }

    async fn ask(
        &self,
        asked: ToHistory,
        answer: oneshot::Receiver<Vec<Event>>,
    ) -> io::Result<Vec<Event>> {
        self.sender
            .try_send(asked)
            .map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    /// The last runs of these instances, oldest first.
    ///
    /// # Errors
    /// A queue that is full, or the disk's word.
    pub(super) async fn runs(
        &self,
        ids: Vec<InstanceId>,
        most: usize,
    ) -> io::Result<BTreeMap<InstanceId, VecDeque<Run>>> {
        let (reply, answer) = oneshot::channel();
        let asked = ToHistory::Runs { ids, most, reply };
        self.sender
            .try_send(asked)
            .map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        answer
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?
    }
}

/// Starts the thread.
///
/// # Errors
/// When the folder or the thread cannot be made.
pub(super) fn start(folder: PathBuf) -> io::Result<(History, std::thread::JoinHandle<()>)> {
    crate::platform::folder::make_private(&folder)?;
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("history".into())
        .stack_size(256 * 1024)
        .spawn(move || write(&folder, &receiver))?;
    Ok((History { sender }, thread))
}

/// What was seen of runs, in the folder of the history.
pub(super) fn journal(folder: &Path) -> Journal {
    Journal::new(folder.join("runs.jsonl"))
}

fn write(folder: &Path, receiver: &Receiver<ToHistory>) {
    let mut events = Events::new(folder);
    let mut journal = journal(folder);
    while let Ok(first) = receiver.recv() {
        let mut lines = Vec::new();
        let mut seen = Vec::new();
        let mut asked = Vec::new();
        let mut looked = Vec::new();
        let mut of_some = Vec::new();
        let mut close = false;
        // All that wait go with one write.
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                ToHistory::Event(event) => {
                    if serde_json::to_writer(&mut lines, &event).is_ok() {
                        lines.push(b'\n');
                    }
                }
                ToHistory::Seen(it) => seen.push(*it),
                ToHistory::Runs { ids, most, reply } => asked.push((ids, most, reply)),
                ToHistory::Activity {
                    since_ms,
                    most,
                    reply,
                } => looked.push((since_ms, most, reply)),
                ToHistory::Happened { wanted, reply } => of_some.push((wanted, reply)),
                ToHistory::Close => close = true,
            }
            next = receiver.try_recv().ok();
        }
        events.append(&lines);
        journal.append(&seen);
        for (ids, most, reply) in asked {
            let _ = reply.send(journal.read(&ids, most));
        }
        for (since_ms, most, reply) in looked {
            let _ = reply.send(events.activity(since_ms, most));
        }
        for (wanted, reply) in of_some {
            // Who asked may have gone meanwhile: then nothing is read for nobody.
            if !reply.is_closed() {
                let _ = reply.send(events.happened(&wanted));
            }
        }
        if close {
            return;
        }
    }
}

/// The events' file.
struct Events {
    path: PathBuf,
    older: PathBuf,
    file: Option<File>,
}

impl Events {
    fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("events.jsonl"),
            older: folder.join("events.1.jsonl"),
            file: None,
        }
    }

    /// A new file begins with its version.
    fn open(&self) -> io::Result<File> {
        let mut file = private_options().append(true).open(&self.path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(SCHEMA)?;
        }
        Ok(file)
    }

    /// As far back as the ends of both files go.
    fn activity(&self, since_ms: u64, most: usize) -> Vec<Event> {
        self.back(TAIL, since_ms, most, is_activity)
    }

    /// As far back as there is anything.
    fn happened(&self, wanted: &Happened) -> Vec<Event> {
        let to = *wanted.span.end();
        self.back(
            FILE_MAX + TAIL,
            *wanted.span.start(),
            wanted.most,
            |event| {
                event.at_ms <= to
                    && event.id.is_some_and(|id| wanted.ids.contains(&id))
                    && is_said(event)
            },
        )
    }

    fn back(
        &self,
        bytes: u64,
        since_ms: u64,
        most: usize,
        wanted: impl Fn(&Event) -> bool,
    ) -> Vec<Event> {
        let mut found = Vec::new();
        for path in [&self.path, &self.older] {
            let bytes = end_of(path, bytes).unwrap_or_default();
            // The first line of a part may be a part of a line, which then is no event.
            let events = bytes
                .split(|byte| *byte == b'\n')
                .rev()
                .filter_map(|line| serde_json::from_slice::<Event>(line).ok());
            for event in events {
                if event.at_ms < since_ms || found.len() >= most {
                    found.reverse();
                    return found;
                }
                if wanted(&event) {
                    found.push(event);
                }
            }
        }
        found.reverse();
        found
    }

    fn append(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.file = self.open().ok();
        }
        if let Some(open) = &mut self.file {
            if open.write_all(lines).is_err() {
                self.file = None;
            } else if open.metadata().is_ok_and(|m| m.len() >= FILE_MAX) {
                failpoint!("daemon.history.full");
                let _ = std::fs::rename(&self.path, &self.older);
                failpoint!("daemon.history.renamed");
                self.file = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::What;

    fn line(at_ms: u64, id: u32) -> Vec<u8> {
        let event = Event {
            at_ms,
            id: Some(InstanceId(id)),
            name: String::new(),
            what: What::Note {
                text: at_ms.to_string(),
            },
        };
        let mut line = serde_json::to_vec(&event).unwrap();
        line.push(b'\n');
        line
    }

    #[test]
    fn what_happened_to_some_is_found_in_both_files_the_newest_first_kept() {
        let folder = std::env::temp_dir().join(format!("adasa-history-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut events = Events::new(&folder);
        for at in 0..10 {
            events.append(&line(at, u32::try_from(at % 2).unwrap()));
        }
        std::fs::rename(&events.path, &events.older).unwrap();
        events.file = None;
        for at in 10..20 {
            events.append(&line(at, u32::try_from(at % 2).unwrap()));
        }
        let of = |from, to, most| -> Vec<u64> {
            let wanted = Happened {
                ids: BTreeSet::from([InstanceId(1)]),
                span: from..=to,
                most,
            };
            let found = events.happened(&wanted);
            found.iter().map(|event| event.at_ms).collect()
        };
        assert_eq!(of(6, 13, 100), [7, 9, 11, 13]);
        assert_eq!(of(0, u64::MAX, 3), [15, 17, 19]);
        assert_eq!(of(20, 30, 3), [0; 0]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
