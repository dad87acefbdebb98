//! Lines of a log: forwards from a position, backwards from one, and from a moment on.

use std::io;

use crate::domain::names::RunId;

use super::read::{LINE_MAX, Line, Log};

/// How far a look backwards goes at first, bytes.
const LOOK: usize = 8 * 1024;

impl Log {
    /// Logical offset of the first line that begins at this time or later; the end when there is none.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn since(&mut self, time_us: u64) -> io::Result<u64> {
        for base in self.bases() {
            if let Some(found) = self.lookup(base).and_then(|l| l.since(time_us)) {
                return self.line_start(found);
            }
        }
        Ok(self.end())
    }

    /// Logical offset behind the last byte that a run wrote; none where no index tells of it.
    #[must_use]
    pub(crate) fn end_of_run(&mut self, run: RunId) -> Option<u64> {
        self.bases()
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
            let (from, bytes) = self.read_at(at, self.chunk())?;
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
        let mut look = LOOK;
        while end > begin {
            end = self.edge(end);
            let from = end.saturating_sub(look as u64).max(begin);
            look = (look * 2).min(self.chunk());
            let (base, bytes) = self.stretch(from, end)?;
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
            if base > from && !bytes.is_empty() {
                // Behind a hole a line begins, and before it the last one ends.
                wanted -= 1;
                if wanted == 0 {
                    return Ok(base);
                }
                first = true;
                end = base;
            } else {
                end = from;
            }
        }
        Ok(begin)
    }

    /// The bytes that end at `end`, or at the last hole before it: where they begin, and what they are. They begin at
    /// `from`, or behind the last hole after it.
    fn stretch(&mut self, from: u64, end: u64) -> io::Result<(u64, Vec<u8>)> {
        let mut bytes = Vec::new();
        let mut base = from;
        let mut at = from;
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX);
            let (start, mut piece) = self.read_at(at, most)?;
            if piece.is_empty() || start >= end {
                break;
            }
            // Behind a hole (an archive that was removed) everything begins anew.
            if start != at {
                bytes.clear();
            }
            if bytes.is_empty() {
                base = start;
            }
            let inside = usize::try_from(end - start).unwrap_or(usize::MAX);
            piece.truncate(inside);
            at = start + piece.len() as u64;
            bytes.extend(piece);
        }
        Ok((base, bytes))
    }

    /// Some lines that end at `end`, in their order: as many as a short look back shows. None at the beginning.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn lines_before(&mut self, end: u64) -> io::Result<Vec<Line>> {
        let begin = self.begin();
        let mut end = end.min(self.end());
        let mut look = LOOK;
        while end > begin {
            let from = end.saturating_sub(look as u64).max(begin);
            let (base, bytes) = self.stretch(from, end)?;
            if bytes.is_empty() {
                // An archive that is gone or damaged, or a hole: however large, it is passed over in one step.
                end = self.edge(from);
                continue;
            }
            // What stands before the first newline belongs to a line that began earlier, unless nothing is earlier.
            let body = &bytes[..bytes.len() - 1];
            let first = if base > from || base == begin {
                Some(0)
            } else {
                body.iter().position(|b| *b == b'\n').map(|n| n + 1)
            };
            match first {
                Some(first) => return Ok(self.cut_lines(base + first as u64, &bytes[first..])),
                None if bytes.len() < LINE_MAX => look = (look * 4).min(LINE_MAX),
                // A piece of a line that begins far before: it is cut where it is met.
                None => return Ok(self.cut_lines(base, &bytes)),
            }
        }
        Ok(Vec::new())
    }

    fn cut_lines(&mut self, base: u64, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut at = base;
        for text in bytes.split_inclusive(|b| *b == b'\n') {
            for piece in text.chunks(LINE_MAX) {
                let end = at + piece.len() as u64;
                let (bytes, complete) = match piece.split_last() {
                    Some((b'\n', line)) => (line, true),
                    Some(_) | None => (piece, false),
                };
                let (time_us, run) = self.origin(at);
                lines.push(Line {
                    offset: at,
                    end,
                    time_us,
                    run,
                    bytes: bytes.to_vec(),
                    complete,
                    grows: !complete && bytes.len() < LINE_MAX && end >= self.end(),
                    missing: self.hole_before(at),
                    dropped: self.dropped(at, end),
                    damaged: self.is_damaged(at, end),
                });
                at = end;
            }
        }
        lines
    }

    /// How many lines end between two positions.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn count_lines(&mut self, from: u64, to: u64) -> io::Result<u64> {
        let mut count = 0;
        let mut at = from;
        while at < to {
            let most = usize::try_from(to - at).unwrap_or(usize::MAX);
            let (start, bytes) = self.read_at(at, most)?;
            if bytes.is_empty() || start >= to {
                break;
            }
            let inside = usize::try_from(to - start).unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(inside)];
            count += bytes.iter().filter(|b| **b == b'\n').count() as u64;
            at = start + bytes.len() as u64;
        }
        Ok(count)
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
            // A line does not go on behind a hole.
            if piece.is_empty() || (from != at && start.is_some()) {
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
        let grows = !complete && bytes.len() < LINE_MAX && at >= self.end();
        Ok(Some(Line {
            offset: start,
            end: at,
            time_us,
            run,
            bytes,
            complete,
            grows,
            missing: self.hole_before(start).max(start.saturating_sub(offset)),
            dropped: self.dropped(start, at),
            damaged: self.is_damaged(start, at),
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
                self.window = self.read_at(at, self.chunk())?;
                0
            }
        };
        let from = self.window.0 + skip as u64;
        Ok((from, &self.window.1[skip..]))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::logs::archive;

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

    /// A log of two archives and a file, each with its index, as the scribe leaves them.
    fn whole(folder: &std::path::Path) -> (PathBuf, Vec<String>) {
        use crate::logs::index::{Entry, Head, Writer};
        use std::os::unix::fs::MetadataExt as _;
        let log = folder.join("0.out.log");
        let texts: Vec<String> = (0..30).map(|n| format!("line {n}\n")).collect();
        let mut base = 0;
        for (n, lines) in texts.chunks(10).enumerate() {
            let end = base + lines.concat().len() as u64;
            let path = match n {
                2 => log.clone(),
                _ => archive::path_of(&log, base, end),
            };
            std::fs::write(&path, lines.concat()).unwrap();
            let inode = std::fs::metadata(&path).unwrap().ino();
            let begun_ms = 7;
            let head = Head {
                inode,
                base,
                begun_ms,
            };
            let mut writer = Writer::begin(&archive::with_suffix(&path, ".idx"), head).unwrap();
            for (k, line) in lines.iter().enumerate() {
                let length = u32::try_from(line.len()).unwrap();
                let entry = Entry {
                    time_us: (n * 10 + k + 1) as u64 * 1_000_000,
                    offset: base,
                    length,
                    flags: 0,
                    run: RunId(1),
                };
                writer.add(entry).unwrap();
                base += u64::from(length);
            }
        }
        (log, texts)
    }

    /// Every line that can be read, forwards.
    fn all(log: &std::path::Path) -> Vec<Line> {
        let mut log = Log::open(log).unwrap();
        let mut at = log.begin();
        let mut lines = Vec::new();
        while let Some(line) = log.line(at).unwrap() {
            at = line.end;
            lines.push(line);
        }
        lines
    }

    #[test]
    fn an_index_cut_or_flipped_at_any_byte_costs_times_and_never_a_line() {
        let folder = scratch("damaged-index");
        let (log, texts) = whole(&folder);
        let index = archive::with_suffix(&log, ".idx");
        let good = std::fs::read(&index).unwrap();
        let cuts = (0..good.len()).map(|at| good[..at].to_vec());
        let flips = (0..good.len()).flat_map(|at| {
            [0x01, 0x80, 0xff].map(|mask| {
                let mut bytes = good.clone();
                bytes[at] ^= mask;
                bytes
            })
        });
        for (n, damaged) in cuts.chain(flips).enumerate() {
            std::fs::write(&index, damaged).unwrap();
            let lines = all(&log);
            let read: Vec<String> = (lines.iter())
                .map(|line| format!("{}\n", String::from_utf8_lossy(&line.bytes)))
                .collect();
            assert_eq!(read, texts, "damage {n}");
            for (line, expected) in lines.iter().zip(1..) {
                let time = expected * 1_000_000;
                assert!(
                    line.time_us.is_none_or(|it| it == time),
                    "damage {n}: {line:?}"
                );
                assert!(
                    line.run.is_none_or(|it| it == RunId(1)),
                    "damage {n}: {line:?}"
                );
            }
            let mut it = Log::open(&log).unwrap();
            let from = it.back(u64::MAX, 30).unwrap();
            assert_eq!(from, it.begin(), "damage {n}");
            let since = it.since(21_000_000).unwrap();
            assert!(since >= it.begin(), "damage {n}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_archive_cut_or_flipped_at_any_byte_is_missed_and_all_others_are_read() {
        let folder = scratch("damaged-archive");
        let (log, texts) = whole(&folder);
        let packed = archive::list(&log).unwrap()[1].compress().unwrap();
        let good = std::fs::read(&packed.path).unwrap();
        let cuts = (0..good.len()).map(|at| good[..at].to_vec());
        let flips = (0..good.len()).map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 0x41;
            bytes
        });
        for (n, damaged) in cuts.chain(flips).enumerate() {
            std::fs::write(&packed.path, damaged).unwrap();
            let lines = all(&log);
            let read: Vec<String> = (lines.iter())
                .map(|line| format!("{}\n", String::from_utf8_lossy(&line.bytes)))
                .collect();
            assert_eq!(read[..10], texts[..10], "damage {n}");
            assert_eq!(read[read.len() - 9..], texts[21..], "damage {n}");
            // What a flipped bit makes of the text before it may have no end of its own.
            let cut = n < good.len();
            let twentieth = &read[read.len() - 10];
            assert!(twentieth.ends_with(&texts[20]), "damage {n}: {twentieth:?}");
            assert!(*twentieth == texts[20] || !cut, "damage {n}: {twentieth:?}");
            // What is not there is said where it should be, and what may be wrong where it ends.
            if cut && read.len() < 30 {
                assert!(lines.iter().any(|line| line.missing > 0), "damage {n}");
            }
            let told = lines.iter().filter(|line| line.damaged).count();
            let harmed = cut || read != texts;
            assert!(told == 1 || told == 0 && !harmed, "damage {n}: {told}");
            let mut it = Log::open(&log).unwrap();
            let from = it.back(u64::MAX, 10).unwrap();
            let tenth = it.line(from).unwrap().unwrap();
            assert!(tenth.bytes.ends_with(b"line 20"), "damage {n}");
            // Backwards over the damage as well.
            let mut end = from;
            while let Some(first) = it.lines_before(end).unwrap().first() {
                assert!(first.offset < end, "damage {n}");
                end = first.offset;
            }
            assert_eq!(end, it.begin(), "damage {n}");
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
