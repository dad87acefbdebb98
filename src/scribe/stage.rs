//! The way from a run's pipe to its file. The kernel puts copies into the stage pipe (they share their pages), they go
//! from there to the file, and only then are the bytes taken out of the run's own pipe, which the program itself holds
//! open: whoever is killed, all of adasa included, the bytes are still there. A note beside the stage says how far it
//! came, so that none is written twice. The stage holds copies and nothing else: what does not get into one file is
//! in no other's way.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::platform::descriptor;
use crate::platform::failpoint::failpoint;

use super::file::{After, LogFile};
use super::note::{self, Note, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PipeId {
    pub(super) key: InstanceId,
    pub(super) run: RunId,
    pub(super) stream: Stream,
}

pub(super) struct Stage {
    read: OwnedFd,
    write: OwnedFd,
    owner: File,
    null: File,
}

/// What writing came to.
pub(super) struct Written {
    pub(super) rotated: bool,
    /// Something to say about trouble: begun (with words) or over (without).
    pub(super) trouble: Option<Option<String>>,
    pub(super) dropped: u64,
    /// So many bytes are out of the pipe, in the file or given up.
    pub(super) taken: usize,
    /// The file takes nothing and its writer has to wait.
    pub(super) blocked: bool,
}

impl Written {
    /// Nothing was written.
    pub(super) fn none(trouble: Option<Option<String>>) -> Self {
        Self {
            rotated: false,
            trouble,
            dropped: 0,
            taken: 0,
            blocked: false,
        }
    }
}

impl Stage {
    pub(super) fn new(read: OwnedFd, write: OwnedFd, owner: File) -> io::Result<Self> {
        let null = File::options().write(true).open("/dev/null")?;
        Ok(Self {
            read,
            write,
            owner,
            null,
        })
    }

    /// Puts copies of what is in a pipe into the stage. None when nobody has the pipe open to write and it is empty.
    pub(super) fn copy(&self, pipe: &OwnedFd, most: usize) -> io::Result<usize> {
        descriptor::tee(pipe, &self.write, most)
    }

    fn note(&self, note: Option<Note>) -> io::Result<()> {
        self.owner.write_all_at(&note::encode(note), note::PLACE)
    }

    fn noted(&self) -> Option<Note> {
        let mut bytes = [0; note::LENGTH];
        self.owner.read_exact_at(&mut bytes, note::PLACE).ok()?;
        note::decode(&bytes)
    }

    fn waiting(&self) -> io::Result<usize> {
        descriptor::waiting(&self.read)
    }

    fn clear(&self) -> io::Result<()> {
        loop {
            let waiting = self.waiting()?;
            if waiting == 0 || descriptor::splice(&self.read, &self.null, None, waiting)? == 0 {
                return Ok(());
            }
        }
    }

    /// Moves copies that are in the stage to the end of the file, and takes what has arrived there, or is given up, out
    /// of the pipe.
    pub(super) fn write(
        &self,
        pipe: &OwnedFd,
        file: &mut LogFile,
        id: PipeId,
        copied: usize,
    ) -> io::Result<Written> {
        let mut written = Written {
            dropped: file.dropped,
            ..Written::none(None)
        };
        let mut begun: Option<Note> = None;
        let mut left = copied;
        while left > 0 {
            let moved = file.target().and_then(|target| {
                if begun.is_none() {
                    let note = Note {
                        step: Step::Writing,
                        id,
                        base: target.end,
                        count: copied,
                    };
                    self.note(Some(note))?;
                    begun = Some(note);
                    failpoint!("scribe.writing.noted");
                }
                let mut offset = target.offset;
                descriptor::splice(&self.read, target.file, Some(&mut offset), left)
            });
            match moved {
                Ok(0) => break,
                Ok(moved) => {
                    failpoint!("scribe.hop.two");
                    left = left.saturating_sub(moved);
                    if file.failing.take().is_some() {
                        file.dropped = 0;
                        written.trouble = Some(None);
                    }
                    if matches!(file.wrote(moved, id.run), Ok(After::Rotated)) {
                        written.rotated = true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing is wrong with the file: later.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    written.blocked = true;
                    break;
                }
                // The oldest that is kept goes before the newest that is written.
                Err(error) if file.makes_room(&error) => {}
                Err(error) => {
                    written.trouble = file.fails(&error);
                    if file.route.block {
                        written.blocked = true;
                        break;
                    }
                    // The disk does not take them and the writer must not wait: they are counted and let go.
                    file.lets_go(left, id.run);
                    written.dropped = file.dropped;
                    left = 0;
                }
            }
        }
        self.clear()?;
        let base = begun.map_or(0, |note| note.base);
        written.taken = copied - left;
        self.take(pipe, id, base, written.taken)?;
        Ok(written)
    }

    /// Takes bytes that are in their file out of their pipe. The stage is empty.
    fn take(&self, pipe: &OwnedFd, id: PipeId, base: u64, count: usize) -> io::Result<()> {
        if count > 0 {
            self.note(Some(Note {
                step: Step::Taking,
                id,
                base,
                count,
            }))?;
            failpoint!("scribe.taking.noted");
        }
        self.take_rest(pipe, count)
    }

    fn take_rest(&self, pipe: &OwnedFd, mut left: usize) -> io::Result<()> {
        while left > 0 {
            match descriptor::splice(pipe, &self.write, None, left) {
                Ok(0) => break,
                Ok(moved) => left = left.saturating_sub(moved),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        failpoint!("scribe.taken");
        self.note(None)?;
        failpoint!("scribe.note.cleared");
        self.clear()
    }

    /// Goes on where a scribe was that did not live to.
    pub(super) fn recover<'a>(
        &self,
        find: impl FnOnce(PipeId) -> Option<(&'a OwnedFd, &'a mut LogFile)>,
    ) -> io::Result<()> {
        let noted = self.noted();
        let found = noted.and_then(|note| Some((note, find(note.id)?)));
        let Some((note, (pipe, file))) = found else {
            self.note(None)?;
            return self.clear();
        };
        match note.step {
            Step::Writing => {
                self.clear()?;
                // A log that cannot be opened any more is one where nothing can be missing twice.
                let end = file.target().map_or(note.base, |target| target.end);
                let arrived = end.saturating_sub(note.base);
                let arrived = usize::try_from(arrived).unwrap_or(0).min(note.count);
                self.take(pipe, note.id, note.base, arrived)
            }
            Step::Taking => {
                let taken = self.waiting()?;
                let left = note.count.saturating_sub(taken);
                // An empty stage may be another one: nobody of those who had it open lives. Then the bytes tell.
                let begins = taken > 0 || self.begins_with(pipe, file, note).unwrap_or(false);
                self.take_rest(pipe, if begins { left } else { 0 })
            }
        }
    }

    /// Whether the pipe begins with what the log has at that place.
    fn begins_with(&self, pipe: &OwnedFd, file: &mut LogFile, note: Note) -> io::Result<bool> {
        let mut written = vec![0; note.count];
        file.read_at(note.base, &mut written)?;
        if descriptor::waiting(pipe)? < note.count {
            return Ok(false);
        }
        let mut waiting = vec![0; self.copy(pipe, note.count)?];
        File::from(self.read.try_clone()?).read_exact(&mut waiting)?;
        Ok(waiting == written)
    }
}
