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
/// How much is read at a time.
const CHUNK: usize = 256 * 1024;

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
}

impl Line {
    /// Whether it will stay as it is: a newline ends it or it is a whole piece.
    #[must_use]
    pub(crate) fn is_final(&self) -> bool {
        self.complete || self.bytes.len() >= LINE_MAX
    }
}

/// One log: its archives and its file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    archives: Vec<Archive>,
    current: Option<(File, u64, u64)>,
    /// The archive that was last decompressed or read whole.
    cached: Option<(u64, Vec<u8>)>,
    lookups: Vec<(u64, Option<Lookup>)>,
    /// What was read last, for the lines that are in it.
    window: (u64, Vec<u8>),
    /// The chunk that the last line was in.
    entry: Option<Entry>,
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
                    Some(head) if head.inode == meta.ino() => head.base,
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
            cached: None,
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
            let mut bytes = vec![0; most.min(CHUNK)];
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
        let bytes = self.archive_bytes(&found, from, most.min(CHUNK))?;
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
        if self
            .cached
            .as_ref()
            .is_none_or(|(base, _)| *base != it.base)
        {
            let packed = Archive {
                path: if it.compressed {
                    it.path.clone()
                } else {
                    archive::with_suffix(&it.path, ".gz")
                },
                compressed: true,
                ..it.clone()
            };
            let mut bytes = Vec::new();
            match packed.open() {
                // What can be read of a damaged archive is given; the rest is gone.
                Ok(mut reader) => {
                    let _ = reader.read_to_end(&mut bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.cached = Some((it.base, bytes));
        }
        let bytes = self.cached.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        let start = usize::try_from(from - it.base)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let end = start.saturating_add(most).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn lookup(&mut self, offset: u64) -> Option<&Lookup> {
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
    fn origin(&mut self, offset: u64) -> (Option<u64>, Option<RunId>) {
        let near = self.entry.filter(|e| (e.offset..e.end()).contains(&offset));
        self.entry = near.or_else(|| self.lookup(offset).and_then(|l| l.at(offset)));
        match self.entry {
            Some(entry) if entry.flags & LATE == 0 => (Some(entry.time_us), Some(entry.run)),
            Some(entry) => (Some(entry.time_us), None),
            None => (None, None),
        }
    }

    /// Logical offset of the first line that begins at this time or later; the end when there is none.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn since(&mut self, time_us: u64) -> io::Result<u64> {
        let mut bases: Vec<u64> = self.archives.iter().map(|a| a.base).collect();
        bases.extend(self.current.as_ref().map(|(_, base, _)| *base));
        for base in bases {
            if let Some(found) = self.lookup(base).and_then(|l| l.since(time_us)) {
                return self.line_start(found);
            }
        }
        Ok(self.end())
    }

    /// Logical offset behind the last byte that a run wrote; none where no index tells of it.
    #[must_use]
    pub(crate) fn end_of_run(&mut self, run: RunId) -> Option<u64> {
        let mut bases: Vec<u64> = self.archives.iter().map(|a| a.base).collect();
        bases.extend(self.current.as_ref().map(|(_, base, _)| *base));
        bases
            .into_iter()
            .rev()
            .find_map(|base| self.lookup(base).and_then(|l| l.end_of_run(run)))
    }

    /// The first offset at or behind this one where a line begins.
    fn line_start(&mut self, offset: u64) -> io::Result<u64> {
        if offset <= self.begin() {
            return Ok(self.begin());
        }
        let mut at = offset - 1;
        while at < self.end() {
            let (from, bytes) = self.read_at(at, CHUNK)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(n) = bytes.iter().position(|b| *b == b'\n') {
                return Ok(from + n as u64 + 1);
            }
            at = from + bytes.len() as u64;
        }
        Ok(self.end())
    }

    /// Logical offset where the last `count` lines before `end` begin.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn back(&mut self, end: u64, count: usize) -> io::Result<u64> {
        let begin = self.begin();
        let mut end = end.min(self.end());
        if count == 0 {
            return Ok(end);
        }
        // A newline at the very end closes the last line, it does not begin another.
        let mut wanted = count;
        let mut first = true;
        while end > begin {
            let from = end.saturating_sub(CHUNK as u64).max(begin);
            let mut bytes = Vec::new();
            let mut base = from;
            let mut at = from;
            while at < end {
                let most = usize::try_from(end - at).unwrap_or(CHUNK);
                let (start, piece) = self.read_at(at, most)?;
                if piece.is_empty() || start >= end {
                    break;
                }
                // Behind a gap (an archive that was removed) everything begins anew.
                if start != at {
                    bytes.clear();
                }
                if bytes.is_empty() {
                    base = start;
                }
                at = start + piece.len() as u64;
                bytes.extend(piece);
            }
            let newlines = bytes.iter().enumerate().rev().filter(|(_, b)| **b == b'\n');
            for (n, _) in newlines {
                if first && n + 1 == bytes.len() {
                    first = false;
                    continue;
                }
                first = false;
                wanted -= 1;
                if wanted == 0 {
                    return Ok(base + n as u64 + 1);
                }
            }
            first = false;
            end = from;
        }
        Ok(begin)
    }

    /// The line that begins at this offset; none at the end.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn line(&mut self, offset: u64) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut at = offset.max(self.begin());
        let mut start = None;
        let mut complete = false;
        while !complete && bytes.len() < LINE_MAX {
            let (from, piece) = self.windowed(at)?;
            if piece.is_empty() {
                break;
            }
            start.get_or_insert(from);
            let room = LINE_MAX - bytes.len();
            let piece = &piece[..piece.len().min(room)];
            let taken = match piece.iter().position(|b| *b == b'\n') {
                Some(n) => {
                    complete = true;
                    n
                }
                None => piece.len(),
            };
            bytes.extend_from_slice(&piece[..taken]);
            at = from + taken as u64 + u64::from(complete);
        }
        let Some(start) = start else {
            return Ok(None);
        };
        let (time_us, run) = self.origin(start);
        Ok(Some(Line {
            offset: start,
            end: at,
            time_us,
            run,
            bytes,
            complete,
        }))
    }

    /// Bytes from this offset, from what was read before when it holds a whole line.
    fn windowed(&mut self, at: u64) -> io::Result<(u64, &[u8])> {
        let (from, window) = &self.window;
        let inside = usize::try_from(at.wrapping_sub(*from))
            .ok()
            .filter(|n| *n < window.len());
        let whole = inside.filter(|n| window[*n..].contains(&b'\n'));
        let skip = match whole {
            Some(skip) => skip,
            None => {
                self.window = self.read_at(at, CHUNK)?;
                0
            }
        };
        let from = self.window.0 + skip as u64;
        Ok((from, &self.window.1[skip..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("adasa-read-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn lines_are_found_across_archives_forwards_and_backwards() {
        let folder = scratch("across");
        let log = folder.join("0.out.log");
        let text: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let (a, b) = (3000, 6000);
        std::fs::write(archive::path_of(&log, 0, a as u64), &text[..a]).unwrap();
        std::fs::write(archive::path_of(&log, a as u64, b as u64), &text[a..b]).unwrap();
        std::fs::write(&log, &text[b..]).unwrap();
        archive::list(&log).unwrap()[0].compress().unwrap();

        let mut it = Log::open(&log).unwrap();
        assert_eq!((it.begin(), it.end()), (0, text.len() as u64));
        let mut at = 0;
        for n in 0..1000 {
            let line = it.line(at).unwrap().unwrap();
            assert_eq!(line.bytes, format!("line {n}").as_bytes());
            assert!(line.complete);
            at = line.end;
        }
        assert_eq!(it.line(at).unwrap(), None);
        for count in [1, 10, 400, 999, 1000, 2000] {
            let from = it.back(u64::MAX, count).unwrap();
            let first = it.line(from).unwrap().unwrap();
            let expected = format!("line {}", 1000 - count.min(1000));
            assert_eq!(first.bytes, expected.as_bytes(), "{count} back");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_giant_line_comes_in_pieces_and_an_unfinished_one_says_so() {
        let folder = scratch("giant");
        let log = folder.join("0.out.log");
        let mut bytes = vec![b'x'; LINE_MAX + 10];
        bytes.extend(b"\nrest");
        std::fs::write(&log, &bytes).unwrap();
        let mut it = Log::open(&log).unwrap();
        let piece = it.line(0).unwrap().unwrap();
        assert_eq!(piece.bytes.len(), LINE_MAX);
        assert!(!piece.complete && piece.is_final());
        let tail = it.line(piece.end).unwrap().unwrap();
        assert_eq!(tail.bytes.len(), 10);
        assert!(tail.complete);
        let rest = it.line(tail.end).unwrap().unwrap();
        assert!(!rest.is_final() && rest.bytes == b"rest");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
