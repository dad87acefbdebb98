//! What was asked for under which operation id and what became of it, for the daemons after this one: a journal in the
//! volatile folder. Its writes are copies in memory, so they can be made in the turn that they are about, in order with
//! what the keeper is told; and it goes with the boot, as the processes do.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::api::Change;
use crate::domain::names::OperationId;
use crate::domain::operation::{Progress, Work};
use crate::logs::read::private_options;

use super::line::{Line, encode, parse};
use super::operations::Target;

/// The version of the file.
const SCHEMA: u32 = 1;
/// What the file of each daemon is called, before the daemon's number.
const NAME: &str = "operations.";

/// Which kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    Act,
    Define,
    Apply,
    Down,
    Undo,
    Scale,
    Signal,
    Edit,
}

/// What was asked for: enough to tell a repeated request from another one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) verb: Work,
    form: Form,
    /// Another build may write the same request otherwise.
    build: String,
    length: usize,
    sum: u32,
}

impl Asked {
    pub(super) fn new(verb: impl Into<Work>, form: Form, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            verb: verb.into(),
            form,
            build: env!("CARGO_PKG_VERSION").into(),
            length: body.len(),
            sum: crc32fast::hash(&body),
        }
    }

    /// What was asked for, in words.
    pub(super) fn words(&self, rolling: bool) -> &'static str {
        match self.form {
            Form::Act if rolling => "rolling restart",
            Form::Act => self.verb.word(),
            Form::Define => "define",
            Form::Apply => "apply",
            Form::Down => "down",
            Form::Undo => "undo",
            Form::Scale => "scale",
            Form::Signal => "signal",
            Form::Edit => "edit",
        }
    }

    /// Whether both are the same request.
    pub(super) fn is(&self, other: &Self) -> bool {
        let body = |a: &Self| (a.length, a.sum);
        (self.verb, self.form) == (other.verb, other.form)
            && (self.build != other.build || body(self) == body(other))
    }
}

/// All that is known of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Memo {
    pub(super) asked: Asked,
    pub(super) targets: Vec<Target>,
    /// What the answer says of each process.
    pub(super) changes: Vec<Change>,
    /// Whether its definitions have to be in the state folder before it is carried out.
    pub(super) awaits: bool,
    /// Whether the answer waits until a power cut would not undo it.
    pub(super) durable: bool,
    /// Whether all targets have been told.
    pub(super) told: bool,
    /// Whether it goes batch by batch.
    pub(super) rolling: bool,
    /// Monotonic nanoseconds.
    pub(super) begun_ns: u64,
    /// When it was at its end, monotonic nanoseconds.
    pub(super) settled_ns: Option<u64>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// The first line of every file.
    Head {
        schema: u32,
    },
    Begun {
        operation: OperationId,
        memo: Box<Memo>,
    },
    Told {
        operation: OperationId,
    },
    Settled {
        operation: OperationId,
        at_ns: u64,
        /// Of each target.
        progress: Vec<Progress>,
    },
    /// Nothing came of it.
    Cancelled {
        operation: OperationId,
    },
    /// `up` started this daemon.
    Transient,
}

/// What the daemons before knew.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Remembered {
    /// In the order in which they were begun.
    pub(super) operations: Vec<(OperationId, Memo)>,
    pub(super) transient: bool,
    /// What was wrong with the file.
    pub(super) trouble: Option<String>,
}

impl Remembered {
    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Head { .. } => {}
            Entry::Begun { operation, memo } => self.operations.push((operation, *memo)),
            Entry::Told { operation } => {
                if let Some(memo) = self.of(&operation) {
                    memo.told = true;
                }
            }
            Entry::Settled {
                operation,
                at_ns,
                progress,
            } => {
                if let Some(memo) = self.of(&operation) {
                    memo.settled_ns = Some(at_ns);
                    for (target, progress) in memo.targets.iter_mut().zip(progress) {
                        target.progress = progress;
                    }
                }
            }
            Entry::Cancelled { operation } => self.operations.retain(|(id, _)| *id != operation),
            Entry::Transient => self.transient = true,
        }
    }

    fn of(&mut self, operation: &OperationId) -> Option<&mut Memo> {
        let mut all = self.operations.iter_mut().rev();
        all.find(|(id, _)| id == operation).map(|(_, memo)| memo)
    }
}

/// The files that daemons of this boot left, by the number of the daemon.
fn files(folder: &Path) -> BTreeMap<u64, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let epoch = name.strip_prefix(NAME)?.parse().ok()?;
            Some((epoch, entry.path()))
        })
        .collect()
}

/// What the file of the last daemon of this boot says. Each daemon has its own, so that no late word of an older one
/// is taken for one of a newer.
pub(super) fn load(folder: &Path, boot: &str) -> Remembered {
    for (_, path) in files(folder).into_iter().rev() {
        match read(&path, boot) {
            Ok(Some(known)) => return known,
            // Of another boot: the folder is not on a tmpfs.
            Ok(None) => {}
            Err(error) => {
                let trouble = Some(format!("{} cannot be read: {error}", path.display()));
                return Remembered {
                    trouble,
                    ..Remembered::default()
                };
            }
        }
    }
    Remembered::default()
}

fn read(path: &Path, boot: &str) -> io::Result<Option<Remembered>> {
    let mut known = Remembered::default();
    let mut any = false;
    let bytes = std::fs::read(path)?;
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        match parse::<Entry>(line) {
            Some(line) if line.boot == boot => {
                any = true;
                known.apply(line.record);
            }
            Some(_) => {}
            None => {
                known.trouble = Some(format!(
                    "a line of {} is damaged and was passed over: an operation may be forgotten",
                    path.display()
                ));
            }
        }
    }
    Ok((any || known.trouble.is_some()).then_some(known))
}

/// The file of this daemon.
#[derive(Debug)]
pub(super) struct Ledger {
    folder: PathBuf,
    boot: String,
    epoch: u64,
    n: u64,
    file: Option<File>,
    /// Whether that it cannot be written has been said.
    pub(super) failing: bool,
}

impl Ledger {
    pub(super) fn new(folder: PathBuf, boot: String, epoch: u64) -> Self {
        Self {
            folder,
            boot,
            epoch,
            n: 0,
            file: None,
            failing: false,
        }
    }

    fn lines(&mut self, entries: Vec<Entry>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for record in entries {
            self.n += 1;
            bytes.extend(encode(&Line {
                n: self.n,
                epoch: self.epoch,
                boot: self.boot.clone(),
                record,
            })?);
        }
        Ok(bytes)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// The kernel's: what was written of it is torn, and the next line begins anew.
    pub(super) fn append(&mut self, entry: Entry) -> io::Result<()> {
        let mut bytes = self.lines(vec![entry])?;
        if self.failing {
            bytes.insert(0, b'\n');
        }
        match &mut self.file {
            Some(file) => file.write_all(&bytes),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Begins the file with all that is known; then those of earlier daemons go.
    ///
    /// # Errors
    /// The kernel's; what was there is there still.
    pub(super) fn anew(&mut self, known: Vec<Entry>) -> io::Result<()> {
        self.n = 0;
        let mut bytes = self.lines(vec![Entry::Head { schema: SCHEMA }])?;
        bytes.extend(self.lines(known)?);
        let unfinished = self.folder.join("operations-part");
        let _ = std::fs::remove_file(&unfinished);
        let mut file = private_options().append(true).open(&unfinished)?;
        file.write_all(&bytes)?;
        std::fs::rename(
            &unfinished,
            self.folder.join(format!("{NAME}{}", self.epoch)),
        )?;
        self.file = Some(file);
        for (epoch, other) in files(&self.folder) {
            if epoch != self.epoch {
                let _ = std::fs::remove_file(other);
            }
        }
        Ok(())
    }
}
