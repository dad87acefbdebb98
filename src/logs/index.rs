//! The index beside a log file: one fixed-size entry per drained chunk. It gives times, run boundaries and stable
//! positions without a byte in the log itself; torn or missing, it costs times, never lines.
//!
//! Layout, little endian: a head of 32 bytes (`ADASAIX1`, inode of the log file, logical offset of its first byte,
//! milliseconds when it was begun, 6 bytes, and a checksum, 2 bytes), then entries of 32 bytes (microseconds since 1970, logical offset, length, flags with
//! 24 bits of a checksum above them, run). Builds before that wrote no checksums: zeroes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::domain::names::RunId;

const MAGIC: &[u8; 8] = b"ADASAIX1";
/// Bytes of the head and of each entry.
pub(crate) const UNIT: u64 = 32;
/// The time is that of finding the bytes, not of their coming.
pub(crate) const LATE: u32 = 1;
/// No chunk, but a mark: so many bytes that the disk did not take, and that nobody could wait with, were let go here.
pub(crate) const DROPPED: u32 = 2;
/// How many entries are looked through for the last one of a run.
const BACKWARDS: u64 = 1024;
/// No log has so many bytes.
const FARTHEST: u64 = 1 << 60;
/// Chunks that come within this many microseconds share an entry.
const COALESCE_US: u64 = 1000;

/// What the head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Of the log file that it belongs to.
    pub inode: u64,
    /// Logical offset of the file's first byte.
    pub base: u64,
    /// When the file was begun, milliseconds since 1970.
    pub begun_ms: u64,
}

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was drained, microseconds since 1970.
    pub time_us: u64,
    /// Logical offset of its first byte.
    pub offset: u64,
    /// How many bytes; those of a mark are in no file.
    pub length: u32,
    /// [`LATE`], [`DROPPED`] or nothing.
    pub flags: u32,
    /// Which run wrote it.
    pub run: RunId,
}

impl Entry {
    /// Logical offset behind its last byte.
    #[must_use]
    pub(crate) fn end(&self) -> u64 {
        self.offset
            + if self.is_mark() {
                0
            } else {
                u64::from(self.length)
            }
    }

    fn is_mark(&self) -> bool {
        self.flags & DROPPED != 0
    }

    fn encode(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.time_us.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.flags.to_le_bytes());
        bytes[24..].copy_from_slice(&self.run.0.to_le_bytes());
        let sum = checksum(&bytes);
        bytes[21..24].copy_from_slice(&sum);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let short = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let entry = Self {
            time_us: long(0)?,
            offset: long(8)?,
            length: short(16)?,
            flags: u32::from(*bytes.get(20)?),
            run: RunId(long(24)?),
        };
        let sum = bytes.get(21..24)?;
        if sum != [0; 3] {
            let mut bare = *bytes.first_chunk::<32>()?;
            bare[21..24].fill(0);
            if checksum(&bare) != sum {
                return None;
            }
        }
        (entry.length > 0 && entry.offset.checked_add(u64::from(entry.length)).is_some())
            .then_some(entry)
    }
}

/// Of an entry whose place for it is zero. It is never zero itself.
fn checksum(bytes: &[u8; 32]) -> [u8; 3] {
    let [a, b, c, d] = crc32fast::hash(bytes).to_le_bytes();
    if [a, b, c] == [0; 3] {
        [d | 1, b, c]
    } else {
        [a, b, c]
    }
}

impl Head {
    fn encode(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.inode.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.base.to_le_bytes());
        bytes[24..].copy_from_slice(&self.begun_ms.to_le_bytes());
        bytes[30..].fill(0);
        let [a, b, _] = checksum(&bytes);
        bytes[30..].copy_from_slice(&[a | 1, b]);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        (bytes.get(..8)? == MAGIC).then_some(())?;
        let mut bare = *bytes.first_chunk::<32>()?;
        bare[30..].fill(0);
        let [a, b, _] = checksum(&bare);
        let sum = bytes.get(30..32)?;
        if sum != [0; 2] && sum != [a | 1, b] {
            return None;
        }
        let head = Self {
            inode: long(8)?,
            base: long(16)?,
            begun_ms: long(24)? & 0xffff_ffff_ffff,
        };
        // Nobody has ever written so much: it is damaged.
        (head.base <= FARTHEST).then_some(head)
    }

    /// Whether it belongs to this file, which comes behind its archives.
    #[must_use]
    pub(crate) fn fits(&self, inode: u64, archived: u64) -> bool {
        self.inode == inode && self.base >= archived
    }
}

/// Reads the head of an index; none when there is no good one.
#[must_use]
pub(crate) fn head(path: &Path) -> Option<Head> {
    let mut bytes = [0; 32];
    File::open(path).ok()?.read_exact_at(&mut bytes, 0).ok()?;
    Head::decode(&bytes)
}

/// Appends entries; the scribe is the only one who does.
#[derive(Debug)]
pub(crate) struct Writer {
    file: File,
    /// Where the next entry goes.
    at: u64,
    last: Option<Entry>,
}

impl Writer {
    /// Begins an index anew.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn begin(path: &Path, head: Head) -> io::Result<Self> {
        let file = super::read::private_options().truncate(true).open(path)?;
        file.write_all_at(&head.encode(), 0)?;
        Ok(Self {
            file,
            at: UNIT,
            last: None,
        })
    }

    /// Goes on with an index that is there; what is torn at its end is written over.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn resume(path: &Path) -> io::Result<Self> {
        let file = super::read::private_options().truncate(false).open(path)?;
        let length = file.metadata()?.len();
        let whole = length / UNIT * UNIT;
        let mut last = None;
        let mut at = whole.max(UNIT);
        while at > UNIT {
            let mut bytes = [0; 32];
            file.read_exact_at(&mut bytes, at - UNIT)?;
            last = Entry::decode(&bytes);
            if last.is_some() {
                break;
            }
            at -= UNIT;
        }
        Ok(Self { file, at, last })
    }

    /// Logical offset behind the last entry.
    #[must_use]
    pub(crate) fn end(&self) -> Option<u64> {
        self.last.map(|e| e.end())
    }

    /// Adds a chunk, or lengthens the entry before it when that is of the same moment and run.
    ///
    /// # Errors
    /// The kernel's; the bytes of the log are written already and will count as late.
    pub(crate) fn add(&mut self, entry: Entry) -> io::Result<()> {
        if let Some(last) = self.last
            && last.run == entry.run
            && last.flags == entry.flags
            && last.end() == entry.offset
            && (entry.is_mark() || entry.time_us.saturating_sub(last.time_us) < COALESCE_US)
            && let Some(length) = last.length.checked_add(entry.length)
        {
            let longer = Entry { length, ..last };
            self.file.write_all_at(&longer.encode(), self.at - UNIT)?;
            self.last = Some(longer);
            return Ok(());
        }
        self.file.write_all_at(&entry.encode(), self.at)?;
        self.at += UNIT;
        self.last = Some(entry);
        Ok(())
    }
}

/// Looks things up in an index file.
#[derive(Debug)]
pub(crate) struct Lookup {
    file: File,
    count: u64,
}

impl Lookup {
    /// Opens an index; none when there is none.
    #[must_use]
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut bytes = [0; 32];
        file.read_exact_at(&mut bytes, 0).ok()?;
        Head::decode(&bytes)?;
        Some(Self {
            file,
            count: (length / UNIT).saturating_sub(1),
        })
    }

    fn get(&self, n: u64) -> Option<Entry> {
        let mut bytes = [0; 32];
        self.file.read_exact_at(&mut bytes, UNIT + n * UNIT).ok()?;
        Entry::decode(&bytes)
    }

    /// The first good entry at this place or behind it, before another place.
    fn good(&self, from: u64, to: u64) -> Option<(u64, Entry)> {
        (from..to).find_map(|n| Some((n, self.get(n)?)))
    }

    /// The first good entry of which it holds, or the end: damaged ones are passed over.
    fn first_where(&self, holds: impl Fn(&Entry) -> bool) -> u64 {
        let (mut low, mut high, mut found) = (0, self.count, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.good(middle, high) {
                Some((n, entry)) if !holds(&entry) => low = n + 1,
                Some((n, _)) => (found, high) = (n, middle),
                None => high = middle,
            }
        }
        found
    }

    /// The entry that holds the byte at this logical offset, and its place.
    #[must_use]
    pub(crate) fn at(&self, offset: u64) -> Option<(u64, Entry)> {
        let n = self.first_where(|e| e.end() > offset);
        let entry = self.get(n).filter(|e| e.offset <= offset)?;
        Some((n, entry))
    }

    /// How many bytes were let go between two logical offsets, the second excluded; `n` is the place of the entry that
    /// holds the byte at the first.
    #[must_use]
    pub(crate) fn dropped(&self, n: u64, from: u64, end: u64) -> u64 {
        let before = (0..n).rev().map_while(|n| self.get(n));
        let before = before.take_while(|e| e.is_mark() && e.offset == from);
        let behind = (n + 1..self.count).map_while(|n| self.get(n));
        let behind = behind.take_while(|e| e.offset < end);
        let marks = before.chain(behind.filter(Entry::is_mark));
        marks.map(|mark| u64::from(mark.length)).sum()
    }

    /// Logical offset behind the last chunk of a run. Runs follow one another, but for what a process that outlived
    /// its run still writes: so it is looked for backwards from where the next run begins.
    #[must_use]
    pub(crate) fn end_of_run(&self, run: RunId) -> Option<u64> {
        let next = self.first_where(|e| e.run > run);
        (next.saturating_sub(BACKWARDS)..next)
            .rev()
            .filter_map(|n| self.get(n))
            .find(|e| e.run == run)
            .map(|e| e.end())
    }

    /// Logical offset of the first chunk that came at this time or later.
    #[must_use]
    pub(crate) fn since(&self, time_us: u64) -> Option<u64> {
        self.get(self.first_where(|e| e.time_us >= time_us))
            .map(|e| e.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time_us: u64, offset: u64, length: u32, run: u64) -> Entry {
        Entry {
            time_us,
            offset,
            length,
            flags: 0,
            run: RunId(run),
        }
    }

    #[test]
    fn chunks_of_one_moment_share_an_entry_and_lookups_find_them() {
        let path = std::env::temp_dir().join(format!("adasa-index-{}", std::process::id()));
        let head_in = Head {
            inode: 5,
            base: 1000,
            begun_ms: 7,
        };
        let mut writer = Writer::begin(&path, head_in).unwrap();
        writer.add(entry(1_000_000, 1000, 10, 1)).unwrap();
        writer.add(entry(1_000_500, 1010, 10, 1)).unwrap();
        writer.add(entry(1_000_600, 1020, 10, 2)).unwrap();
        writer.add(entry(2_000_000, 1030, 70, 2)).unwrap();
        drop(writer);
        assert_eq!(head(&path), Some(head_in));
        let lookup = Lookup::open(&path).unwrap();
        assert_eq!(lookup.count, 3);
        assert_eq!(lookup.at(1019).unwrap().1.run, RunId(1));
        assert_eq!(lookup.at(1020).unwrap().1.run, RunId(2));
        assert_eq!(lookup.at(1099).unwrap().1.time_us, 2_000_000);
        assert_eq!(lookup.at(1100), None);
        assert_eq!(lookup.at(999), None);
        assert_eq!(lookup.since(1_500_000), Some(1030));
        assert_eq!(lookup.since(0), Some(1000));
        assert_eq!(lookup.since(3_000_000), None);
        assert_eq!(lookup.end_of_run(RunId(1)), Some(1020));
        assert_eq!(lookup.end_of_run(RunId(2)), Some(1100));
        assert_eq!(lookup.end_of_run(RunId(3)), None);
        assert_eq!(lookup.end_of_run(RunId(0)), None);

        // A damaged entry costs itself.
        let whole = std::fs::read(&path).unwrap();
        for at in 64..96 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, bytes).unwrap();
            let lookup = Lookup::open(&path).unwrap();
            assert_eq!(lookup.at(1020), None, "flipped at {at}");
            assert_eq!(lookup.at(1019).unwrap().1.run, RunId(1), "flipped at {at}");
            assert_eq!(lookup.since(1_000_600), Some(1030), "flipped at {at}");
            assert_eq!(lookup.since(0), Some(1000), "flipped at {at}");
            assert_eq!(lookup.end_of_run(RunId(2)), Some(1100), "flipped at {at}");
        }
        std::fs::write(&path, &whole).unwrap();

        // A torn end is written over.
        for cut in [33, 40, 64, 95, 97, 120] {
            std::fs::write(&path, &whole[..cut.min(whole.len())]).unwrap();
            let mut writer = Writer::resume(&path).unwrap();
            let offset = writer.end().unwrap_or(1000);
            writer.add(entry(9_000_000, offset, 5, 3)).unwrap();
            let lookup = Lookup::open(&path).unwrap();
            assert_eq!(lookup.at(offset).unwrap().1.run, RunId(3), "cut at {cut}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_was_let_go_is_found_where_it_would_have_been() {
        let path = std::env::temp_dir().join(format!("adasa-marks-{}", std::process::id()));
        let head = Head {
            inode: 5,
            base: 0,
            begun_ms: 7,
        };
        let mut writer = Writer::begin(&path, head).unwrap();
        let mark = |time_us, offset, length, run| Entry {
            flags: DROPPED,
            ..entry(time_us, offset, length, run)
        };
        writer.add(mark(500_000, 0, 3, 1)).unwrap();
        writer.add(entry(1_000_000, 0, 10, 1)).unwrap();
        writer.add(mark(2_000_000, 10, 100, 1)).unwrap();
        // However late: it is one piece that is not there.
        writer.add(mark(9_000_000, 10, 50, 1)).unwrap();
        writer.add(mark(9_100_000, 10, 1, 2)).unwrap();
        writer.add(entry(9_200_000, 10, 10, 2)).unwrap();
        writer.add(entry(9_900_000, 20, 10, 2)).unwrap();
        assert_eq!(writer.end(), Some(30));
        drop(writer);
        let lookup = Lookup::open(&path).unwrap();
        assert_eq!(lookup.count, 6);
        let dropped = |from, end| {
            let (n, entry) = lookup.at(from).unwrap();
            assert!(!entry.is_mark());
            lookup.dropped(n, from, end)
        };
        assert_eq!(dropped(0, 5), 3);
        assert_eq!(dropped(5, 10), 0, "it is of the line that begins there");
        assert_eq!(dropped(5, 11), 151);
        assert_eq!(dropped(10, 30), 151);
        assert_eq!(dropped(0, 30), 154);
        assert_eq!(dropped(11, 30), 0);
        assert_eq!(lookup.since(3_000_000), Some(10));
        assert_eq!(lookup.end_of_run(RunId(1)), Some(10));
        assert_eq!(Writer::resume(&path).unwrap().end(), Some(30));
        std::fs::remove_file(path).unwrap();
    }
}
