//! Several logs as one sequence of lines in the order of time, once or going on.

use std::io;
use std::path::PathBuf;

use super::read::{Line, Log};

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// So many lines before the end, of all logs together.
    Last(usize),
    /// What came at this time or later, microseconds since 1970, and of that the last so many lines.
    Since(u64, usize),
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    log: Log,
    at: u64,
    next: Option<Line>,
    /// Times never go back within a log, also where the index is missing.
    time_us: u64,
}

/// Several logs, merged. Lines of one log keep their order; between logs the time of draining decides.
#[derive(Debug)]
pub(crate) struct Merge {
    sources: Vec<Source>,
    /// Lines that were read to find the last ones.
    ready: std::collections::VecDeque<(usize, Line)>,
}

impl Merge {
    /// Opens the logs; a line's number in the result is the place of its log in `paths`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(paths: Vec<PathBuf>, from: From) -> io::Result<Self> {
        let mut sources = Vec::new();
        for path in paths {
            let mut log = Log::open(&path)?;
            let at = match from {
                From::Last(count) => log.back(u64::MAX, count)?,
                From::Since(time, count) => log.since(time)?.max(log.back(u64::MAX, count)?),
            };
            sources.push(Source {
                path,
                log,
                at,
                next: None,
                time_us: 0,
            });
        }
        let mut merge = Self {
            sources,
            ready: std::collections::VecDeque::new(),
        };
        let (From::Last(count) | From::Since(_, count)) = from;
        if merge.sources.len() > 1 && count < usize::MAX {
            // The pieces of a very long line count as one.
            let ends = |line: &Line| line.complete || !line.is_final();
            let mut last = std::collections::VecDeque::new();
            let mut lines = 0;
            while let Some(found) = merge.pick(true)? {
                lines += usize::from(ends(&found.1));
                last.push_back(found);
                while lines > count
                    && let Some((_, line)) = last.pop_front()
                {
                    lines -= usize::from(ends(&line));
                }
            }
            merge.ready = last;
        }
        Ok(merge)
    }

    /// The next line. `whole` leaves a last line that may still grow for later.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn next(&mut self, whole: bool) -> io::Result<Option<(usize, Line)>> {
        if let Some((n, line)) = self.ready.front()
            && (line.is_final() || !whole)
        {
            let found = (*n, line.clone());
            self.ready.pop_front();
            return Ok(Some(found));
        }
        if let Some((n, line)) = self.ready.pop_front() {
            // It may have grown since: it is read again from where it begins.
            self.sources[n].at = self.sources[n].at.min(line.offset);
            return self.next(whole);
        }
        self.pick(!whole)
    }

    fn pick(&mut self, unfinished: bool) -> io::Result<Option<(usize, Line)>> {
        let mut best: Option<(u64, usize)> = None;
        for (n, source) in self.sources.iter_mut().enumerate() {
            if source.next.is_none() {
                source.next = source
                    .log
                    .line(source.at)?
                    .filter(|line| unfinished || line.is_final());
                if let Some(line) = &source.next {
                    source.time_us = source.time_us.max(line.time_us.unwrap_or(0));
                }
            }
            if source.next.is_some() && best.is_none_or(|(time, _)| source.time_us < time) {
                best = Some((source.time_us, n));
            }
        }
        let Some((_, n)) = best else {
            return Ok(None);
        };
        let source = &mut self.sources[n];
        let line = source.next.take();
        if let Some(line) = &line {
            source.at = line.end;
        }
        Ok(line.map(|line| (n, line)))
    }

    /// Looks again at what there is: growth, rotation, files made anew. Positions stay.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn refresh(&mut self) -> io::Result<()> {
        for source in &mut self.sources {
            let log = Log::open(&source.path)?;
            // A log that was emptied and lost its index begins again.
            if log.end() < source.at {
                source.at = log.begin();
                source.next = None;
            }
            source.log = log;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::RunId;
    use crate::logs::archive::with_suffix;
    use crate::logs::index::{Entry, Head, Writer};
    use std::os::unix::fs::MetadataExt as _;

    /// Writes lines with their times, as the scribe would.
    fn write(path: &std::path::Path, lines: &[(u64, &str)]) {
        let text: String = lines.iter().map(|(_, l)| format!("{l}\n")).collect();
        std::fs::write(path, &text).unwrap();
        let head = Head {
            inode: std::fs::metadata(path).unwrap().ino(),
            base: 0,
            begun_ms: 0,
        };
        let mut index = Writer::begin(&with_suffix(path, ".idx"), head).unwrap();
        let mut offset = 0;
        for (time, line) in lines {
            let length = u32::try_from(line.len() + 1).unwrap();
            index
                .add(Entry {
                    time_us: time * 1_000_000,
                    offset,
                    length,
                    flags: 0,
                    run: RunId(1),
                })
                .unwrap();
            offset += u64::from(length);
        }
    }

    fn all(merge: &mut Merge, whole: bool) -> Vec<String> {
        std::iter::from_fn(|| merge.next(whole).unwrap())
            .map(|(n, l)| format!("{n}:{}", String::from_utf8(l.bytes).unwrap()))
            .collect()
    }

    #[test]
    fn streams_are_merged_in_time_order_and_cut_to_the_last_lines() {
        let folder = std::env::temp_dir().join(format!("adasa-merge-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (a, b) = (folder.join("a.log"), folder.join("b.log"));
        write(&a, &[(1, "one"), (4, "four"), (5, "five")]);
        write(&b, &[(2, "two"), (3, "three"), (6, "six")]);
        let paths = || vec![a.clone(), b.clone()];
        let mut merge = Merge::open(paths(), From::Last(100)).unwrap();
        assert_eq!(
            all(&mut merge, false),
            ["0:one", "1:two", "1:three", "0:four", "0:five", "1:six"]
        );
        let mut merge = Merge::open(paths(), From::Last(2)).unwrap();
        assert_eq!(all(&mut merge, false), ["0:five", "1:six"]);
        let mut merge = Merge::open(paths(), From::Since(4_000_000, 100)).unwrap();
        assert_eq!(all(&mut merge, true), ["0:four", "0:five", "1:six"]);

        // Growth, an unfinished line, and its end.
        let text = std::fs::read_to_string(&a).unwrap();
        std::fs::write(&a, format!("{text}sev")).unwrap();
        merge.refresh().unwrap();
        assert!(all(&mut merge, true).is_empty());
        std::fs::write(&a, format!("{text}seven\n")).unwrap();
        merge.refresh().unwrap();
        assert_eq!(all(&mut merge, true), ["0:seven"]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
