//! Reading a log as one logical stream of bytes: archives, then the file, addressed by offsets that stay valid.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::domain::names::RunId;

use super::archive::{self, Archive};
use super::index::{self, Entry, LATE, Lookup};

/// A longer line comes in pieces of this size.
pub(crate) const LINE_MAX: usize = 1 << 20;
/// How much is read at a time, unless told otherwise.
const CHUNK: usize = 256 * 1024;
/// How much of a compressed archive is kept around the last place that was read.
const UNPACKED: usize = 1 << 20;

/// For files that only their owner reads, never through a link.
#[must_use]
pub(crate) fn private_options() -> std::fs::OpenOptions {
    let mut options = File::options();
    options
        .create(true)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits() | nix::fcntl::OFlag::O_CLOEXEC.bits());
    options
}

/// One line of a log, without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Logical offset of its first byte.
    pub offset: u64,
    /// Logical offset behind it and its newline.
    pub end: u64,
    /// When its first byte was drained, microseconds since 1970; none where no index tells.
    pub time_us: Option<u64>,
    /// Which run wrote it; none where no index tells.
    pub run: Option<RunId>,
    /// What was written, at most [`LINE_MAX`] bytes.
    pub bytes: Vec<u8>,
    /// Whether a newline ends it. If none does, this is a piece of a very long line, or the last line of the log,
    /// which may still grow.
    pub complete: bool,
    /// Whether it is the last of its log and may still grow.
    pub grows: bool,
    /// How many bytes directly before it, or within it, are not there: removed with an archive, or cut off from outside.
    pub missing: u64,
    /// How many bytes directly before it, or within it, were let go because the disk did not take them.
    pub dropped: u64,
    /// Whether a damaged archive ends with it, or before it where nothing else of that is left.
    pub damaged: bool,
}

impl Line {
    /// Whether it will stay as it is: a newline or a hole ends it, or it is a whole piece.
    #[must_use]
    pub(crate) fn is_final(&self) -> bool {
        !self.grows
    }
}

/// One log: its archives and its file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    archives: Vec<Archive>,
    current: Option<(File, u64, u64)>,
    /// The compressed archive that was last read.
    unpacked: Option<Unpacked>,
    /// Archives that turned out to be damaged: where they begin, and behind what can be read of them.
    damaged: Vec<(u64, u64)>,
    lookups: Vec<(u64, Option<Lookup>)>,
    /// What was read last, for the lines that are in it.
    pub(super) window: (u64, Vec<u8>),
    /// The chunk that the last line was in.
    /// The entry that was looked at last, and its place in its index.
    entry: Option<(u64, Entry)>,
    /// How much is read at a time.
    chunk: usize,
}

/// A compressed archive, and a part of what is in it. It is never in memory as a whole.
struct Unpacked {
    /// Logical offset of the archive's first byte.
    base: u64,
    reader: Box<dyn Read + Send>,
    /// How far the reader is, logical offset.
    at: u64,
    /// Where it should end.
    end: u64,
    /// It ended otherwise, or the checksum at its end is of other bytes.
    damaged: bool,
    /// The bytes before `at` that are kept.
    kept: Vec<u8>,
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Unpacked {
    /// Reads on until `to` or to the end; what can be read of a damaged archive is given, the rest is gone.
    fn advance(&mut self, to: u64) {
        let mut buffer = [0; 16 * 1024];
        while self.at < to {
            let length = match self.reader.read(&mut buffer) {
                Ok(length @ 1..) => length,
                Ok(_) => {
                    self.damaged |= self.at < self.end;
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    self.damaged = true;
                    return;
                }
            };
            self.kept.extend_from_slice(&buffer[..length]);
            self.at += length as u64;
            let excess = self.kept.len().saturating_sub(2 * UNPACKED);
            if excess > 0 {
                self.kept.drain(..excess + UNPACKED);
            }
        }
    }

    /// Behind the last byte is a checksum of all of them.
    fn check(&mut self) {
        self.damaged |= self.at > self.end || !matches!(self.reader.read(&mut [0; 1]), Ok(0));
    }

    fn from(&self) -> u64 {
        self.at - self.kept.len() as u64
    }
}

impl Log {
    /// Looks at what there is of a log now.
    ///
    /// # Errors
    /// When the folder or the file cannot be read; a log that is not there is empty.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // The file first: an archive made between the two looks is then seen twice, which the bases tell, and not missed.
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut archives = archive::list(path)?;
        let current = match file {
            None => None,
            Some(file) => {
                use std::os::unix::fs::MetadataExt as _;
                let meta = file.metadata()?;
                let index_path = archive::with_suffix(path, ".idx");
                let last = archives.last().map_or(0, |a| a.end);
                let base = match index::head(&index_path) {
                    Some(head) if head.fits(meta.ino(), last) => head.base,
                    Some(_) | None => last,
                };
                Some((file, base, meta.len()))
            }
        };
        if let Some((_, base, _)) = &current {
            archives.retain(|a| a.end <= *base);
        }
        Ok(Self {
            path: path.to_owned(),
            archives,
            current,
            unpacked: None,
            damaged: Vec::new(),
            chunk: CHUNK,
            lookups: Vec::new(),
            window: (0, Vec::new()),
            entry: None,
        })
    }

    /// Logical offset of the oldest byte that is kept.
    #[must_use]
    pub(crate) fn begin(&self) -> u64 {
        let current = self.current.as_ref().map_or(0, |(_, base, _)| *base);
        self.archives.first().map_or(current, |a| a.base)
    }

    /// Logical offset behind the newest byte.
    #[must_use]
    pub(crate) fn end(&self) -> u64 {
        match &self.current {
            Some((_, base, size)) => base + size,
            None => self.archives.last().map_or(0, |a| a.end),
        }
    }

    /// Reads bytes from a logical offset; nothing behind the end, and gaps between archives are passed over.
    /// Returns where the bytes begin and what they are.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn read_at(&mut self, offset: u64, most: usize) -> io::Result<(u64, Vec<u8>)> {
        if let Some((file, base, _)) = &self.current
            && offset >= *base
        {
            let mut bytes = vec![0; most.min(self.chunk)];
            let length = file.read_at(&mut bytes, offset - base)?;
            bytes.truncate(length);
            return Ok((offset, bytes));
        }
        let Some(found) = self.archives.iter().find(|a| a.end > offset).cloned() else {
            return match &self.current {
                Some((_, base, _)) => {
                    let base = *base;
                    self.read_at(base, most)
                }
                None => Ok((offset, Vec::new())),
            };
        };
        let from = offset.max(found.base);
        // Damaged, it may come to more than its name says.
        let within = usize::try_from(found.end - from).unwrap_or(usize::MAX);
        let bytes = self.archive_bytes(&found, from, most.min(self.chunk).min(within))?;
        if bytes.is_empty() {
            // Shorter than its name says: damaged. Go on behind it.
            return self.read_at(found.end, most);
        }
        Ok((from, bytes))
    }

    fn archive_bytes(&mut self, it: &Archive, from: u64, most: usize) -> io::Result<Vec<u8>> {
        if !it.compressed {
            match File::open(&it.path) {
                Ok(mut file) => {
                    file.seek(SeekFrom::Start(from - it.base))?;
                    let mut bytes = Vec::with_capacity(most);
                    file.take(most as u64).read_to_end(&mut bytes)?;
                    return Ok(bytes);
                }
                // Compressed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let behind = self
            .unpacked
            .as_ref()
            .is_some_and(|u| u.base == it.base && u.from() <= from);
        if !behind {
            let packed = Archive {
                path: if it.compressed {
                    it.path.clone()
                } else {
                    archive::with_suffix(&it.path, ".gz")
                },
                compressed: true,
                ..it.clone()
            };
            self.unpacked = match packed.open() {
                Ok(reader) => Some(Unpacked {
                    base: it.base,
                    reader,
                    at: it.base,
                    end: it.end,
                    damaged: false,
                    kept: Vec::new(),
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        let Some(unpacked) = &mut self.unpacked else {
            return Ok(Vec::new());
        };
        let to = from.saturating_add(most as u64).min(it.end);
        let checked = unpacked.at >= it.end;
        unpacked.advance(to);
        if unpacked.at >= it.end && !checked {
            unpacked.check();
        }
        if unpacked.damaged && !self.damaged.iter().any(|(base, _)| *base == it.base) {
            self.damaged.push((it.base, unpacked.at.min(it.end)));
        }
        let start = usize::try_from(from.saturating_sub(unpacked.from())).unwrap_or(usize::MAX);
        let bytes = unpacked.kept.get(start..).unwrap_or_default();
        Ok(bytes[..bytes.len().min(most)].to_vec())
    }

    /// How much is read at a time: less, when many logs are read together.
    pub(super) fn set_chunk(&mut self, bytes: usize) {
        self.chunk = bytes.clamp(16 * 1024, CHUNK);
    }

    pub(super) fn chunk(&self) -> usize {
        self.chunk
    }

    /// Logical offsets of the first bytes of all its files, oldest first.
    pub(super) fn bases(&self) -> Vec<u64> {
        let mut bases: Vec<u64> = self.archives.iter().map(|a| a.base).collect();
        bases.extend(self.current.as_ref().map(|(_, base, _)| *base));
        bases
    }

    /// Where the bytes end that come last before this offset: there, or at the lower end of the hole it is in.
    pub(super) fn edge(&self, offset: u64) -> u64 {
        let file = self
            .current
            .as_ref()
            .map(|(_, base, size)| (*base, base + size));
        let archives = self.archives.iter().map(|it| (it.base, it.end));
        let mut before = archives.chain(file).filter(|(base, _)| *base < offset);
        before
            .next_back()
            .map_or(offset, |(_, end)| end.min(offset))
    }

    /// How many bytes are gone between two files, if one begins here and there is one before it.
    pub(super) fn hole_before(&self, offset: u64) -> u64 {
        let before = self.archives.iter().rev().find(|a| a.base < offset);
        let begins = self.archives.iter().any(|a| a.base == offset)
            || self
                .current
                .as_ref()
                .is_some_and(|(_, base, _)| *base == offset);
        match before {
            Some(before) if begins => offset.saturating_sub(before.end),
            Some(_) | None => 0,
        }
    }

    /// Whether a line from one offset to the other is the last of a damaged archive, or begins behind one of which
    /// nothing is left.
    pub(super) fn is_damaged(&self, start: u64, end: u64) -> bool {
        let last = |(base, stop): &(u64, u64)| (*base..*stop).contains(&start) && end >= *stop;
        let behind = |(base, stop): &(u64, u64)| {
            let it = self.archives.iter().find(|it| it.base == *base);
            base == stop && it.is_some_and(|it| it.end == start)
        };
        self.damaged.iter().any(|it| last(it) || behind(it))
    }

    /// When what is at this offset came; at the end, when the last came. Microseconds since 1970.
    pub(super) fn time_at(&mut self, offset: u64) -> Option<u64> {
        let near = self.origin(offset).0;
        near.or_else(|| self.origin(offset.checked_sub(1)?).0)
    }

    pub(super) fn lookup(&mut self, offset: u64) -> Option<&Lookup> {
        let (base, path) = match &self.current {
            Some((_, base, _)) if offset >= *base => {
                (*base, archive::with_suffix(&self.path, ".idx"))
            }
            _ => {
                let found = self.archives.iter().find(|a| a.end > offset)?;
                (found.base, found.index_path())
            }
        };
        if !self.lookups.iter().any(|(b, _)| *b == base) {
            self.lookups.push((base, Lookup::open(&path)));
        }
        self.lookups
            .iter()
            .find(|(b, _)| *b == base)
            .and_then(|(_, lookup)| lookup.as_ref())
    }

    /// When the byte at this offset was drained, and by which run it was written.
    pub(super) fn origin(&mut self, offset: u64) -> (Option<u64>, Option<RunId>) {
        match self.entry_at(offset) {
            Some((_, entry)) if entry.flags & LATE == 0 => (Some(entry.time_us), Some(entry.run)),
            Some((_, entry)) => (Some(entry.time_us), None),
            None => (None, None),
        }
    }

    fn entry_at(&mut self, offset: u64) -> Option<(u64, Entry)> {
        let near = (self.entry).filter(|(_, e)| (e.offset..e.end()).contains(&offset));
        self.entry = near.or_else(|| self.lookup(offset).and_then(|l| l.at(offset)));
        self.entry
    }

    /// How many bytes were let go between two offsets, the second excluded, because the disk did not take them.
    pub(super) fn dropped(&mut self, from: u64, end: u64) -> u64 {
        let Some((n, entry)) = self.entry_at(from) else {
            return 0;
        };
        if from > entry.offset && end <= entry.end() {
            return 0;
        }
        self.lookup(from).map_or(0, |l| l.dropped(n, from, end))
    }
}
