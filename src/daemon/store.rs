//! Definitions and goals on disk: a journal of checksummed records, folded into a snapshot when it is quiet.
//! It has its own thread: a disk that stalls stalls no decision.

use crate::platform::failpoint::failpoint;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::logs::read::private_options;

use super::environments::Environments;
use super::line::{Line, encode, parse};
use super::undo::Undoable;

pub(super) use rest::Rest;
pub(super) use saved::{Record, Saved, SavedInstance, SavedProcess};

/// Records of one turn are made durable together, this long after the first.
const SYNC_AFTER: Duration = Duration::from_millis(200);
/// The journal is folded after this much quiet.
const FOLD_AFTER: Duration = Duration::from_secs(5);
/// How many records may wait for the disk; then the supervisor is told that they are not recorded.
const QUEUE: usize = 4096;
/// So many records are taken together at most.
const BATCH: usize = 256;
/// Earlier snapshots that are kept.
const GENERATIONS: u32 = 2;
/// The version of both files.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    schema: u32,
    through: u64,
    last_id: u32,
    processes: Vec<SavedProcess>,
    #[serde(default)]
    undo: Vec<Undoable>,
    /// Who wrote it: the journal that follows it has no other opening record.
    #[serde(default)]
    boot: String,
    #[serde(default)]
    epoch: u64,
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("changes")
}

fn snapshot(folder: &Path, generation: u32) -> PathBuf {
    if generation == 0 {
        folder.join("specs.json")
    } else {
        folder.join(format!("specs.{generation}.json"))
    }
}

fn newer(path: &Path, schema: u32) -> String {
    let path = path.display();
    format!("{path} was written by a newer adasa (schema {schema}, this one knows {SCHEMA})")
}

fn read_snapshot(path: &Path) -> Result<Option<Snapshot>, String> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
    };
    let snapshot: Snapshot = serde_json::from_slice(&text)
        .map_err(|error| format!("{} is damaged: {error}", path.display()))?;
    if snapshot.schema > SCHEMA {
        return Err(newer(path, snapshot.schema));
    }
    Ok(Some(snapshot))
}

/// Reads what is kept. Damage is said, and costs no more than what is damaged.
#[must_use]
pub(super) fn load(folder: &Path) -> Saved {
    let mut saved = Saved::default();
    let mut newest: (String, u64) = (String::new(), 0);
    for generation in 0..=GENERATIONS {
        match read_snapshot(&snapshot(folder, generation)) {
            Ok(Some(found)) => {
                saved.anything = true;
                saved.through = found.through;
                saved.last_id = found.last_id;
                saved.undo = found.undo;
                newest = (found.boot, found.epoch);
                for process in found.processes {
                    saved.processes.insert(process.spec.key(), process);
                }
                if !saved.troubles.is_empty() {
                    saved.troubles.push(format!(
                        "{} is used instead: changes between it and what cannot be read are lost",
                        snapshot(folder, generation).display()
                    ));
                }
                break;
            }
            Ok(None) => {}
            Err(trouble) => {
                saved.anything = true;
                // It is kept for whoever wants to mend it; the one before it is used.
                let path = snapshot(folder, generation);
                let _ = std::fs::rename(&path, path.with_extension("damaged"));
                saved.troubles.push(trouble);
            }
        }
    }
    let bytes = match std::fs::read(journal(folder)) {
        Ok(bytes) => {
            saved.anything = true;
            bytes
        }
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                let path = journal(folder);
                let trouble = format!("{} cannot be read: {error}", path.display());
                saved.troubles.push(trouble);
            }
            Vec::new()
        }
    };
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match parse::<Record>(line) {
            Some(line) => {
                if let Record::Epoch { schema } = line.record {
                    newest = (line.boot.clone(), line.epoch);
                    if schema > SCHEMA {
                        saved.troubles.push(newer(&journal(folder), schema));
                    }
                }
                let fenced = line.boot == newest.0 && line.epoch < newest.1;
                if line.n > saved.through && !fenced {
                    saved.through = line.n;
                    saved.apply(line.record);
                }
            }
            None => saved.troubles.push(format!(
                "record {} of {} is damaged and was passed over",
                number + 1,
                journal(folder).display()
            )),
        }
    }
    saved.boot = newest.0;
    let mut environments = Environments::default();
    for process in saved.processes.values_mut() {
        environments.share(Arc::make_mut(&mut process.spec));
    }
    saved
}

/// One record for the thread.
#[derive(Debug)]
struct Append {
    record: Record,
    ticket: Option<u64>,
    /// The answer waits until it would survive a power cut.
    durable: bool,
}

/// The supervisor's end of the store.
#[derive(Debug, Clone)]
pub(super) struct Store {
    sender: SyncSender<Box<Append>>,
}

impl Store {
    /// Appends a record; a ticket is answered when it is in the file, or when it is durable there.
    ///
    /// # Errors
    /// When too much waits for the disk.
    pub(super) fn append(
        &self,
        record: Record,
        ticket: Option<u64>,
        durable: bool,
    ) -> Result<(), &'static str> {
        let append = Append {
            record,
            ticket,
            durable,
        };
        self.sender
            .try_send(Box::new(append))
            .map_err(|_| "the disk of the state folder does not keep up")
    }
}

/// Starts the thread. `stored` is called with each ticket.
///
/// # Errors
/// When the thread cannot be started.
pub(super) fn start(
    folder: PathBuf,
    saved: Saved,
    (boot, epoch): (String, u64),
    stored: impl Fn(u64, Option<String>) + Send + 'static,
) -> io::Result<(Store, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let mut writer = Writer {
        folder,
        saved,
        boot,
        epoch,
        file: None,
        dirty: false,
        unfolded: false,
    };
    let thread = std::thread::Builder::new()
        .name("store".into())
        .stack_size(256 * 1024)
        .spawn(move || writer.run(&receiver, stored))?;
    let store = Store { sender };
    let _ = store.append(Record::Epoch { schema: SCHEMA }, None, false);
    Ok((store, thread))
}

/// Gives a snapshot the older name as well, so that there is no moment without one.
fn keep(newer: &Path, older: &Path) {
    let unfinished = older.with_extension("part");
    let _ = std::fs::remove_file(&unfinished);
    if std::fs::hard_link(newer, &unfinished).is_ok() {
        let _ = std::fs::rename(&unfinished, older);
    }
}

struct Writer {
    folder: PathBuf,
    saved: Saved,
    boot: String,
    epoch: u64,
    file: Option<File>,
    /// Appended and not yet durable.
    dirty: bool,
    /// In the journal and not yet in the snapshot.
    unfolded: bool,
}

impl Writer {
    fn run(&mut self, receiver: &Receiver<Box<Append>>, stored: impl Fn(u64, Option<String>)) {
        loop {
            let wait = match (self.dirty, self.unfolded) {
                (true, _) => SYNC_AFTER,
                (false, true) => FOLD_AFTER,
                (false, false) => Duration::MAX,
            };
            let received = if wait == Duration::MAX {
                receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                receiver.recv_timeout(wait)
            };
            match received {
                Ok(first) => {
                    let mut durable = Vec::new();
                    // Those that wait become durable with one word to the disk.
                    let waiting = std::iter::from_fn(|| receiver.try_recv().ok());
                    for append in std::iter::once(first).chain(waiting).take(BATCH) {
                        failpoint!("daemon.record.taken");
                        let (ticket, durably) = (append.ticket, append.durable);
                        let result = self.append(append.record);
                        failpoint!("daemon.record.written");
                        match ticket {
                            Some(ticket) if durably && result.is_ok() => {
                                durable.push(ticket);
                            }
                            Some(ticket) => stored(ticket, result.err().map(|e| e.to_string())),
                            None => {}
                        }
                    }
                    if !durable.is_empty() {
                        let error = self.sync().err().map(|e| e.to_string());
                        for ticket in durable {
                            stored(ticket, error.clone());
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) if self.dirty => self.sync_or_say(),
                Err(RecvTimeoutError::Timeout) => {
                    // On failure the journal goes on growing, which is safe; the next quiet moment tries again.
                    let folded = self.fold();
                    // What came in a burst is on disk now.
                    crate::platform::memory::give_back();
                    if let Err(error) = folded {
                        tracing::warn!("the state could not be folded: {error}");
                        self.unfolded = false;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.sync_or_say();
                    let _ = self.fold();
                    return;
                }
            }
        }
    }

    fn append(&mut self, record: Record) -> io::Result<()> {
        let line = Line {
            n: self.saved.through + 1,
            epoch: self.epoch,
            boot: self.boot.clone(),
            record,
        };
        let bytes = encode(&line)?;
        if self.file.is_none() {
            let mut options = private_options();
            let mut file = options.append(true).open(journal(&self.folder))?;
            // A torn end of the daemon before would swallow the first record of this one.
            use std::os::unix::fs::FileExt as _;
            let length = file.metadata()?.len();
            let mut last = [b'\n'; 1];
            if length > 0 {
                file.read_exact_at(&mut last, length - 1)?;
            }
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
            self.file = Some(file);
        }
        failpoint!("daemon.record.torn", || {
            if let Some(file) = &mut self.file {
                let _ = file.write_all(&bytes[..bytes.len() / 2]);
            }
        });
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&bytes)
        {
            // What was written of it is torn; the next record begins on a line of its own.
            self.file = None;
            return Err(error);
        }
        self.saved.through = line.n;
        self.unfolded |= !matches!(line.record, Record::Epoch { .. });
        self.saved.apply(line.record);
        self.dirty = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.dirty = false;
        match &self.file {
            Some(file) => file.sync_data(),
            None => Ok(()),
        }
    }

    fn sync_or_say(&mut self) {
        if let Err(error) = self.sync() {
            tracing::warn!("the state could not be made durable: {error}");
        }
    }

    /// A new snapshot takes the place of the old with one rename; then the journal begins anew.
    fn fold(&mut self) -> io::Result<()> {
        if !self.unfolded {
            return Ok(());
        }
        let folded = Snapshot {
            schema: SCHEMA,
            through: self.saved.through,
            last_id: self.saved.last_id,
            processes: self.saved.processes.values().cloned().collect(),
            undo: self.saved.undo.clone(),
            boot: self.boot.clone(),
            epoch: self.epoch,
        };
        let unfinished = self.folder.join("specs.json.part");
        let mut file = private_options().truncate(true).open(&unfinished)?;
        file.write_all(&serde_json::to_vec_pretty(&folded)?)?;
        failpoint!("daemon.fold.part");
        file.sync_all()?;
        for generation in (0..GENERATIONS).rev() {
            keep(
                &snapshot(&self.folder, generation),
                &snapshot(&self.folder, generation + 1),
            );
        }
        failpoint!("daemon.fold.kept");
        std::fs::rename(&unfinished, snapshot(&self.folder, 0))?;
        failpoint!("daemon.fold.renamed");
        File::open(&self.folder)?.sync_all()?;
        if let Some(file) = &self.file {
            file.set_len(0)?;
        }
        failpoint!("daemon.fold.cut");
        self.unfolded = false;
        Ok(())
    }
}

mod rest;
mod saved;
#[cfg(test)]
mod tests;
