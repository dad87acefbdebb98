//! What one keeper hands to the next over an exec: the numbers of the descriptors that stay open, and what cannot be
//! found out again. Everything else is in the table and in the volatile folder.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use crate::domain::names::{InstanceId, RunId};
use crate::platform::signal::PidFd;
use crate::platform::{child, descriptor, folder};

use super::lane::Lane;
use super::protocol::{OLDEST, VERSION};

/// A longer one was not written by a keeper.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Something of one run.
type OfRun<T> = (InstanceId, RunId, T);

/// What is written.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    version: u32,
    heir: bool,
    foreground: bool,
    lock: RawFd,
    listener: RawFd,
    /// The first lane's; builds before lanes know no other.
    stage: RawFd,
    #[serde(default)]
    stages: Vec<RawFd>,
    back: Option<RawFd>,
    file_limit: (u64, u64),
    handles: Vec<OfRun<RawFd>>,
    results: Vec<OfRun<RawFd>>,
}

/// What is handed over.
#[derive(Debug)]
pub(crate) struct Handover<'a> {
    /// Whether the keeper before is dead; else it is the same process, and the runs are still its children.
    pub heir: bool,
    /// Whether a person or systemd watches standard error.
    pub foreground: bool,
    /// The lock of the state folder.
    pub lock: BorrowedFd<'a>,
    /// The API's socket.
    pub listener: BorrowedFd<'a>,
    /// What keeps the bytes on their way to logs: the first lane's, and those of others.
    pub stages: Vec<BorrowedFd<'a>>,
    /// The program to go back to, should this one not be able to begin.
    pub back: Option<BorrowedFd<'a>>,
    /// Soft and hard limit on open files that children get.
    pub file_limit: (u64, u64),
    /// Handles on main processes.
    pub handles: Vec<OfRun<BorrowedFd<'a>>>,
    /// Exec results that are awaited.
    pub results: Vec<OfRun<BorrowedFd<'a>>>,
}

impl<'a> Handover<'a> {
    /// Becomes the keeper: this process goes on as `program`, with the same pid. Returns only when it cannot; then
    /// nothing has changed.
    pub(crate) fn become_keeper(&self, program: BorrowedFd<'_>) -> io::Error {
        let paper = match self.write() {
            Ok(paper) => paper,
            Err(error) => return error,
        };
        for fd in self.descriptors() {
            if let Err(error) = descriptor::inherit(fd, true) {
                return error;
            }
        }
        let number = paper.as_raw_fd().to_string();
        let error = child::become_role(&["__keeper", "--heir", &number], program);
        for fd in self.descriptors() {
            let _ = descriptor::inherit(fd, false);
        }
        error
    }

    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'a>> {
        let runs = self.handles.iter().chain(&self.results);
        [self.lock, self.listener]
            .into_iter()
            .chain(self.stages.iter().copied())
            .chain(self.back)
            .chain(runs.map(|(_, _, fd)| *fd))
    }

    fn write(&self) -> io::Result<File> {
        let numbers = |of: &[OfRun<BorrowedFd<'_>>]| {
            let numbers = of.iter().map(|(key, run, fd)| (*key, *run, fd.as_raw_fd()));
            numbers.collect()
        };
        let written = Written {
            version: VERSION,
            heir: self.heir,
            foreground: self.foreground,
            lock: self.lock.as_raw_fd(),
            listener: self.listener.as_raw_fd(),
            stage: self.stages.first().map_or(-1, |stage| stage.as_raw_fd()),
            stages: self
                .stages
                .iter()
                .skip(1)
                .map(|stage| stage.as_raw_fd())
                .collect(),
            back: self.back.map(|fd| fd.as_raw_fd()),
            file_limit: self.file_limit,
            handles: numbers(&self.handles),
            results: numbers(&self.results),
        };
        let mut paper = File::from(memfd_create(c"adasa-handover", MFdFlags::empty())?);
        paper.write_all(&serde_json::to_vec(&written).map_err(io::Error::from)?)?;
        paper.rewind()?;
        Ok(paper)
    }
}

/// What the next keeper begins with.
#[derive(Debug)]
pub(crate) struct Inheritance {
    /// The lock of the state folder, held.
    pub lock: File,
    /// The API's socket.
    pub listener: OwnedFd,
    /// Whether a person or systemd watches standard error.
    pub foreground: bool,
    /// The rest.
    pub held: Held,
}

/// What the next keeper uses up while it begins.
#[derive(Debug)]
pub(crate) struct Held {
    /// Whether the keeper before is dead; else it is the same process.
    pub heir: bool,
    /// What keeps the bytes on their way to logs until the next keeper has opened the stages.
    pub stages: Vec<OwnedFd>,
    /// The program to go back to.
    pub back: Option<OwnedFd>,
    /// Soft and hard limit on open files that children get.
    pub file_limit: (u64, u64),
    /// Handles on main processes.
    pub handles: Vec<OfRun<PidFd>>,
    /// Exec results that are awaited.
    pub results: Vec<OfRun<OwnedFd>>,
}

impl Inheritance {
    /// Reads what was handed over on this descriptor.
    ///
    /// # Errors
    /// A descriptor that is not open, a text that is no handover or one of another language.
    pub(crate) fn receive(number: RawFd) -> io::Result<Self> {
        let paper = File::from(descriptor::inherited(number)?);
        let mut text = Vec::new();
        paper.take(LONGEST).read_to_end(&mut text)?;
        let written: Written = serde_json::from_slice(&text)?;
        if !(OLDEST..=VERSION).contains(&written.version) {
            let version = written.version;
            let why = format!("the keeper before speaks version {version}, this one {VERSION}");
            return Err(io::Error::other(why));
        }
        let lock = folder::inherited_lock(descriptor::inherited(written.lock)?)?;
        let take = |(key, run, fd)| Ok((key, run, descriptor::inherited(fd)?));
        let handles: io::Result<Vec<OfRun<OwnedFd>>> =
            written.handles.into_iter().map(take).collect();
        let results: io::Result<Vec<OfRun<OwnedFd>>> =
            written.results.into_iter().map(take).collect();
        let stages = std::iter::once(written.stage).chain(written.stages);
        let stages: io::Result<Vec<OwnedFd>> = stages.map(descriptor::inherited).collect();
        Ok(Self {
            lock,
            listener: descriptor::inherited(written.listener)?,
            foreground: written.foreground,
            held: Held {
                heir: written.heir,
                stages: stages?,
                back: written.back.map(descriptor::inherited).transpose()?,
                file_limit: written.file_limit,
                handles: handles?
                    .into_iter()
                    .map(|(key, run, fd)| (key, run, PidFd::from(fd)))
                    .collect(),
                results: results?,
            },
        })
    }
}

/// A descriptor that keeps the stage of a lane alive when keeper and scribe die together.
///
/// # Errors
/// The kernel's.
pub(crate) fn hold_stage(volatile: &Path, lane: Lane) -> io::Result<OwnedFd> {
    super::stage::open_stage(volatile, lane, true)
}

/// This very program, also when its file was replaced meanwhile.
///
/// # Errors
/// The kernel's.
pub(crate) fn own_program() -> io::Result<OwnedFd> {
    Ok(File::open(super::role::own_binary())?.into())
}
