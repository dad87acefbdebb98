//! Several logs as one sequence of lines in the order of time: forwards and backwards from a place, once or going on.

use std::io;
use std::path::PathBuf;

use super::read::{Line, Log};

/// Memory for what was read and not yet given out, of all logs together.
const WINDOWS: usize = 16 << 20;

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// So many lines before the end, of all logs together.
    Last(usize),
    /// What came at this time or later, microseconds since 1970, and of that the last so many lines.
    Since(u64, usize),
    /// At these logical offsets, one per log.
    At {
        /// None for a log that is to begin at a time.
        places: Vec<Option<u64>>,
        /// That time, microseconds since 1970; when it is not known, that of the newest of the others.
        otherwise_us: Option<u64>,
    },
}

/// A way back over some lines that are wanted.
#[derive(Debug)]
pub(crate) struct Retreat {
    count: usize,
    since_us: u64,
    found: usize,
    floors: Vec<u64>,
}

impl Retreat {
    /// Over so many lines, but not over what came before this time, microseconds since 1970.
    #[must_use]
    pub(crate) fn new(count: usize, since_us: u64) -> Self {
        Self {
            count,
            since_us,
            found: 0,
            floors: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    log: Log,
    /// Behind the last line that was given out forwards, and before the last that was given out backwards.
    high: u64,
    low: u64,
    ahead: Option<Line>,
    /// Lines that end at `low`, the nearest last.
    behind: Vec<Line>,
    /// Times never go back within a log, also where the index is missing.
    ahead_us: u64,
    behind_us: u64,
    /// The last line that was given out may still grow; here it begins.
    unfinished: Option<u64>,
}

impl Source {
    fn place(&mut self, at: u64) {
        self.high = at;
        self.low = at;
        self.ahead = None;
        self.behind.clear();
        self.ahead_us = 0;
        self.behind_us = u64::MAX;
        self.unfinished = None;
    }
}

/// Several logs, merged. Lines of one log keep their order; between logs the time of draining decides, then the place
/// of the log in the list.
#[derive(Debug)]
pub(crate) struct Merge {
    sources: Vec<Source>,
}

impl Merge {
    /// Opens the logs; a line's number in the result is the place of its log in `paths`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(paths: Vec<PathBuf>, from: From) -> io::Result<Self> {
        let chunk = WINDOWS / paths.len().max(1);
        let mut sources = Vec::new();
        for path in paths {
            let mut log = Log::open(&path)?;
            log.set_chunk(chunk);
            let end = log.end();
            let mut source = Source {
                path,
                log,
                high: 0,
                low: 0,
                ahead: None,
                behind: Vec::new(),
                ahead_us: 0,
                behind_us: 0,
                unfinished: None,
            };
            source.place(end);
            sources.push(source);
        }
        let mut merge = Self { sources };
        match from {
            From::Last(count) => merge.go_back(count, 0)?,
            From::Since(time_us, count) => merge.go_back(count, time_us)?,
            From::At {
                places,
                otherwise_us,
            } => merge.place(&places, otherwise_us)?,
        }
        Ok(merge)
    }

    /// Begins so many lines before the end, but not with what came before this time.
    fn go_back(&mut self, count: usize, time_us: u64) -> io::Result<()> {
        if let [source] = self.sources.as_mut_slice() {
            let mut at = if count == usize::MAX {
                source.log.begin()
            } else {
                source.log.back(u64::MAX, count)?
            };
            if time_us > 0 {
                at = at.max(source.log.since(time_us)?);
            }
            source.place(at);
            return Ok(());
        }
        let mut retreat = Retreat::new(count, time_us);
        self.retreat(&mut retreat, |_| true, || false)?;
        Ok(())
    }

    /// Goes back over so many wanted lines, and begins there. Stops when `pause` says so, which it is asked at each
    /// line; true when it is done.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn retreat(
        &mut self,
        retreat: &mut Retreat,
        wanted: impl Fn(&[u8]) -> bool,
        mut pause: impl FnMut() -> bool,
    ) -> io::Result<bool> {
        if retreat.floors.is_empty() {
            for source in &mut self.sources {
                retreat.floors.push(match retreat.since_us {
                    0 => source.log.begin(),
                    time_us => source.log.since(time_us)?,
                });
            }
        }
        if retreat.count == usize::MAX {
            for (source, floor) in self.sources.iter_mut().zip(&retreat.floors) {
                source.place(*floor);
            }
            return Ok(true);
        }
        while let Some((n, line)) = self.pick_back(&retreat.floors)? {
            // The pieces of a very long line count as one.
            if (line.complete || line.grows) && wanted(&line.bytes) {
                if retreat.found == retreat.count {
                    self.sources[n].low = line.end;
                    break;
                }
                retreat.found += 1;
            }
            if pause() {
                return Ok(false);
            }
        }
        for source in &mut self.sources {
            source.place(source.low);
        }
        Ok(true)
    }

    fn place(&mut self, places: &[Option<u64>], otherwise_us: Option<u64>) -> io::Result<()> {
        let mut newest: Option<(u64, usize)> = None;
        for (n, source) in self.sources.iter_mut().enumerate() {
            if let Some(Some(at)) = places.get(n) {
                let asked = (*at).min(source.log.end());
                let at = asked.max(source.log.begin());
                source.place(at);
                // What is no longer there is said with the first line.
                source.high = asked;
                if let Some(time) = source.log.time_at(at) {
                    newest = newest.max(Some((time, n)));
                }
            }
        }
        // What came at the very moment stands before the line of a cursor when its log does.
        let Some((time, pivot)) = otherwise_us.map(|us| (us, 0)).or(newest) else {
            return Ok(());
        };
        for (n, source) in self.sources.iter_mut().enumerate() {
            if let Some(None) | None = places.get(n) {
                let at = source
                    .log
                    .since(time.saturating_add(u64::from(n < pivot)))?;
                source.place(at);
            }
        }
        Ok(())
    }

    /// Goes to the first lines that came at this time or later.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn seek(&mut self, time_us: u64) -> io::Result<()> {
        for source in &mut self.sources {
            let at = source.log.since(time_us)?;
            source.place(at);
        }
        Ok(())
    }

    /// Goes back to where everything begins.
    pub(crate) fn rewind(&mut self) {
        for source in &mut self.sources {
            let begin = source.log.begin();
            source.place(begin);
        }
    }

    /// Before the first and behind the last line that were given out: a logical offset per log. A line that may
    /// still grow is not counted as given out.
    #[must_use]
    pub(crate) fn bounds(&self) -> (Vec<u64>, Vec<u64>) {
        let low = self.sources.iter().map(|s| s.low).collect();
        let high = self.sources.iter().map(|s| s.unfinished.unwrap_or(s.high));
        (low, high.collect())
    }

    /// The next line. `whole` leaves a last line that may still grow for later.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn next(&mut self, whole: bool) -> io::Result<Option<(usize, Line)>> {
        let mut best: Option<(u64, usize)> = None;
        for (n, source) in self.sources.iter_mut().enumerate() {
            if source.ahead.is_none() {
                source.ahead = source
                    .log
                    .line(source.high)?
                    .filter(|line| !whole || line.is_final());
                if let Some(line) = &source.ahead {
                    source.ahead_us = source.ahead_us.max(line.time_us.unwrap_or(0));
                }
            }
            if source.ahead.is_some() && best.is_none_or(|(time, _)| source.ahead_us < time) {
                best = Some((source.ahead_us, n));
            }
        }
        let Some((_, n)) = best else {
            return Ok(None);
        };
        let source = &mut self.sources[n];
        let line = source.ahead.take();
        if let Some(line) = &line {
            source.high = line.end;
            source.unfinished = line.grows.then_some(line.offset);
        }
        Ok(line.map(|line| (n, line)))
    }

    /// The line before the place, or before the last one that this gave.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn previous(&mut self) -> io::Result<Option<(usize, Line)>> {
        self.pick_back(&[])
    }

    /// Nothing that begins before a log's floor.
    fn pick_back(&mut self, floors: &[u64]) -> io::Result<Option<(usize, Line)>> {
        let mut best: Option<(u64, usize)> = None;
        for (n, source) in self.sources.iter_mut().enumerate() {
            let floor = floors.get(n).copied().unwrap_or(0);
            if source.behind.is_empty() && source.low > floor {
                source.behind = source.log.lines_before(source.low)?;
            }
            let Some(line) = source.behind.last().filter(|l| l.offset >= floor) else {
                continue;
            };
            let time = source.behind_us.min(line.time_us.unwrap_or(u64::MAX));
            if best.is_none_or(|(newest, _)| time >= newest) {
                best = Some((time, n));
            }
        }
        let Some((time, n)) = best else {
            return Ok(None);
        };
        let source = &mut self.sources[n];
        let line = source.behind.pop();
        if let Some(line) = &line {
            source.low = line.offset;
            source.behind_us = time;
        }
        Ok(line.map(|line| (n, line)))
    }

    /// Looks again at what there is: growth, rotation, files made anew. Positions stay.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn refresh(&mut self) -> io::Result<()> {
        for source in &mut self.sources {
            let chunk = source.log.chunk();
            let log = Log::open(&source.path)?;
            // A log that was emptied and lost its index begins again.
            if log.end() < source.high {
                source.place(log.begin());
            }
            source.log = log;
            source.log.set_chunk(chunk);
        }
        Ok(())
    }

    /// Whether nothing is before what was given out.
    #[must_use]
    pub(crate) fn is_at_the_beginning(&self) -> bool {
        self.sources.iter().all(|s| s.low <= s.log.begin())
    }

    /// How many bytes are ahead, of all logs.
    #[must_use]
    pub(crate) fn backlog(&self) -> u64 {
        let left = |s: &Source| s.log.end().saturating_sub(s.high);
        self.sources.iter().map(left).sum()
    }

    /// Passes over all but the last lines of each log; says how many were passed over.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub(crate) fn skip_to_last(&mut self, count: usize) -> io::Result<u64> {
        let mut skipped = 0;
        for source in &mut self.sources {
            let to = source.log.back(u64::MAX, count)?;
            if to > source.high {
                skipped += source.log.count_lines(source.high, to)?;
                source.high = to;
                source.ahead = None;
            }
        }
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests;
