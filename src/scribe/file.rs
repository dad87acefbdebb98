//! One log file with its index: where the next byte goes, and when the file becomes an archive.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::Path;

use crate::domain::names::RunId;
use crate::keeper::protocol::Route;
use crate::logs::archive;
use crate::logs::index::{self, DROPPED, Entry, Head, LATE, Writer};
use crate::logs::read::private_options;
use crate::platform::clock::{monotonic_ns, wall_ms};
use crate::platform::descriptor;
use crate::platform::failpoint::failpoint;

/// A line that passes the limit may end this much later; then the file is cut inside it.
const OVERSHOOT: u64 = 1024 * 1024;

/// That archives are removed for want of room is told this often at most: a flood removes many.
const FREED_TOLD_NS: u64 = 10_000_000_000;

/// A log file that is open for writing. Made by the first byte, so that a folder that was deleted underneath is made
/// again and a process that says nothing has no file.
pub(super) struct LogFile {
    pub(super) route: Route,
    open: Option<Open>,
    /// Bytes that could not be written since the last time they could.
    pub(super) dropped: u64,
    /// Those of them that the index does not tell of yet: since when, how many, and of which run.
    unmarked: Option<(u64, u64, RunId)>,
    /// Why bytes are not taken at present, in words; none when they are.
    pub(super) failing: Option<String>,
    /// Archives that were removed because the disk is full, and nobody has been told of yet.
    pub(super) freed: u32,
    /// When that was told last, monotonic nanoseconds.
    pub(super) freed_told_ns: u64,
    /// What somebody else did to the file and nobody has been told yet: cut by so many bytes, or took it away.
    pub(super) touched: Vec<Option<u64>>,
}

struct Open {
    file: File,
    index: Option<Writer>,
    inode: u64,
    /// Logical offset of the file's first byte.
    base: u64,
    /// Bytes that were in the file when it was last looked at.
    size: u64,
    begun_ms: u64,
}

/// Where the next byte of a log goes.
pub(super) struct Target<'a> {
    pub(super) file: &'a File,
    /// In the file.
    pub(super) offset: i64,
    /// In the whole log.
    pub(super) end: u64,
}

/// What a look at the file after writing says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Go on.
    Same,
    /// An archive was made.
    Rotated,
}

fn index_path(log: &Path) -> std::path::PathBuf {
    archive::with_suffix(log, ".idx")
}

fn now_us() -> u64 {
    wall_ms().saturating_mul(1000)
}

impl LogFile {
    pub(super) fn new(route: Route) -> Self {
        Self {
            route,
            open: None,
            dropped: 0,
            unmarked: None,
            failing: None,
            freed: 0,
            freed_told_ns: 0,
            touched: Vec::new(),
        }
    }

    /// It takes nothing; what there is to say about it, when that is new.
    pub(super) fn fails(&mut self, error: &io::Error) -> Option<Option<String>> {
        let text = error.to_string();
        let new = self.failing.replace(text.clone()).is_none();
        new.then_some(Some(text))
    }

    /// Whether the disk was full and is less so now: this log's oldest archive was removed.
    pub(super) fn makes_room(&mut self, error: &io::Error) -> bool {
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let oldest = || archive::list(&self.route.path).ok()?.into_iter().next();
        let made = full && oldest().is_some_and(|it| it.remove().is_ok());
        self.freed += u32::from(made);
        made
    }

    /// How many archives were removed since that was told, when it is time to tell.
    pub(super) fn take_freed(&mut self) -> Option<u32> {
        let now = monotonic_ns();
        let since = now.saturating_sub(self.freed_told_ns);
        if self.freed == 0 || (self.freed_told_ns > 0 && since < FREED_TOLD_NS) {
            return None;
        }
        self.freed_told_ns = now;
        Some(std::mem::take(&mut self.freed))
    }

    /// Makes sure that there is room for so many bytes: what may not be dropped stays in its own pipe until there is.
    pub(super) fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        loop {
            let room =
                (self.target()).and_then(|it| descriptor::reserve(it.file, it.offset, bytes));
            match room {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.makes_room(&error) => {}
                other => return other,
            }
        }
    }

    /// Whether the file behind the name is still the open one.
    fn still_there(&self, open: &Open) -> bool {
        std::fs::symlink_metadata(&self.route.path).is_ok_and(|m| m.ino() == open.inode)
    }

    /// The file, and where in it the next byte goes.
    pub(super) fn target(&mut self) -> io::Result<Target<'_>> {
        let stale = match &self.open {
            Some(open) => !self.still_there(open),
            None => true,
        };
        if stale {
            let made = open(&self.route.path)?;
            // One that was never written to is missed by nobody.
            if self.open.replace(made).is_some_and(|gone| gone.size > 0) {
                self.touched.push(None);
            }
        }
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("no log file is open"));
        };
        let size = open.file.metadata()?.len();
        if size < open.size {
            // Somebody cut it from outside: readers' positions stay valid because the base moves instead.
            self.touched.push(Some(open.size - size));
            open.base += open.size - size;
            let head = Head {
                inode: open.inode,
                base: open.base,
                begun_ms: open.begun_ms,
            };
            open.index = Writer::begin(&index_path(&self.route.path), head).ok();
        }
        open.size = size;
        Ok(Target {
            file: &open.file,
            offset: i64::try_from(size).map_err(io::Error::other)?,
            end: open.base + size,
        })
    }

    /// What the file has at a place of the log.
    pub(super) fn read_at(&mut self, place: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.target()?;
        let open = self.open.as_ref();
        let found = open.and_then(|open| Some((&open.file, place.checked_sub(open.base)?)));
        let (file, offset) = found.ok_or(io::ErrorKind::NotFound)?;
        file.read_exact_at(bytes, offset)
    }

    /// Counts bytes that were let go, and marks their place; where the index cannot be written either, as soon as it can.
    pub(super) fn lets_go(&mut self, count: usize, run: RunId) {
        self.dropped += count as u64;
        let (since, before, _) = self.unmarked.unwrap_or_else(|| (now_us(), 0, run));
        self.unmarked = Some((since, before + count as u64, run));
        self.mark();
    }

    fn mark(&mut self) {
        while let (Some((since, bytes, run)), Some(open)) = (self.unmarked, &mut self.open) {
            let Some(index) = &mut open.index else {
                return;
            };
            let length = u32::try_from(bytes).unwrap_or(u32::MAX);
            let added = index.add(Entry {
                time_us: since,
                offset: open.base + open.size,
                length,
                flags: DROPPED,
                run,
            });
            if added.is_err() {
                return;
            }
            let left = bytes - u64::from(length);
            self.unmarked = (left > 0).then_some((since, left, run));
        }
    }

    /// Counts bytes that were written at the target, and makes an archive when it is time.
    pub(super) fn wrote(&mut self, length: usize, run: RunId) -> io::Result<After> {
        self.mark();
        let Some(open) = &mut self.open else {
            return Ok(After::Same);
        };
        let entry = Entry {
            time_us: now_us(),
            offset: open.base + open.size,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            flags: 0,
            run,
        };
        open.size += length as u64;
        if let Some(index) = &mut open.index {
            let _ = index.add(entry);
        }
        failpoint!("scribe.index.written");
        let full = open.size >= self.route.max_size;
        let old = self
            .route
            .max_age_ms
            .is_some_and(|age| wall_ms().saturating_sub(open.begun_ms) >= age);
        if full || old {
            let mut last = [0; 1];
            open.file.read_exact_at(&mut last, open.size - 1)?;
            if last == *b"\n" || open.size >= self.route.max_size.saturating_add(OVERSHOOT) {
                self.rotate()?;
                return Ok(After::Rotated);
            }
        }
        Ok(After::Same)
    }

    /// Makes an archive of what is there; an empty file stays. Whether there was anything.
    pub(super) fn rotate(&mut self) -> io::Result<bool> {
        self.target()?;
        let Some(full) = self.open.take() else {
            return Ok(false);
        };
        if full.size == 0 {
            self.open = Some(full);
            return Ok(false);
        }
        let log = &self.route.path;
        let end = full.base + full.size;
        let target = archive::path_of(log, full.base, end);
        // The name of the archive carries the base of the next file: if this is the last thing that happens, whoever
        // goes on finds it there.
        std::fs::rename(log, &target)?;
        failpoint!("scribe.archive.renamed");
        let _ = std::fs::rename(index_path(log), archive::with_suffix(&target, ".idx"));
        failpoint!("scribe.archive.indexed");
        // The next file keeps the base while the archive that names it is still there: it may be removed at any time.
        self.open = open(log).ok();
        Ok(true)
    }

    /// Empties the file; logical offsets go on from where they were. Whether there was anything.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        if !self.route.path.exists() {
            return Ok(false);
        }
        self.target()?;
        let acted = self.open.as_ref().is_some_and(|open| open.size > 0);
        if let Some(open) = &mut self.open {
            open.file.set_len(0)?;
            failpoint!("scribe.flush.cut");
            open.base += open.size;
            open.size = 0;
            open.begun_ms = wall_ms();
            let head = Head {
                inode: open.inode,
                base: open.base,
                begun_ms: open.begun_ms,
            };
            open.index = Writer::begin(&index_path(&self.route.path), head).ok();
        }
        Ok(acted)
    }
}

/// Opens a log file and brings its index up to it, whatever a crash left.
fn open(path: &Path) -> io::Result<Open> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let file = private_options().truncate(false).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    failpoint!("scribe.file.made");
    let (inode, size) = (meta.ino(), meta.len());
    let index = index_path(path);
    let archived = archive::list(path)?.last().map(|a| (a.end, a.path.clone()));
    let head = match index::head(&index) {
        Some(head) if head.fits(inode, archived.as_ref().map_or(0, |(end, _)| *end)) => head,
        other => {
            if let (Some(_), Some((_, last))) = (other, &archived) {
                // The rename of the log was the last thing that happened: the index follows it.
                let place = archive::with_suffix(last, ".idx");
                if !place.exists() {
                    let _ = std::fs::rename(&index, place);
                }
            }
            let head = Head {
                inode,
                base: archived.map_or(0, |(end, _)| end),
                begun_ms: wall_ms(),
            };
            Writer::begin(&index, head)?;
            failpoint!("scribe.index.begun");
            head
        }
    };
    let mut writer = Writer::resume(&index)?;
    let indexed = writer.end().unwrap_or(head.base).max(head.base);
    let end = head.base + size;
    if end > indexed {
        let _ = writer.add(Entry {
            time_us: now_us(),
            offset: indexed,
            length: u32::try_from(end - indexed).unwrap_or(u32::MAX),
            flags: LATE,
            run: RunId(0),
        });
    }
    Ok(Open {
        file,
        index: Some(writer),
        inode,
        base: head.base,
        size,
        begun_ms: head.begun_ms,
    })
}
