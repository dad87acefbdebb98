//! Lines in memory: a stretch of a log without holes but those that are marked, bounded, growing at both ends; between them
//! what adasa says.

mod said;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::api::{Cursor, LogLine, LogPage, LogPlace};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;

use super::line::{Line, Number};
use super::pane::Spotted;

/// At most so many bytes of lines are kept, and so many lines.
const BYTES_KEPT: usize = 4 << 20;
const LINES_KEPT: usize = 20_000;
/// How far apart the numbers of lines are that follow each other.
pub(super) const STEP: Number = 1 << 60;
/// How far what adasa says at the end is from the last line: there is room for all that is still to come before it.
const FAR: Number = 1 << 90;
/// So many lines around one are looked at for another run of its instance.
const RUN_NEAR: usize = 256;
/// The widest column of names, cells.
const NAME_MAX: usize = 24;

type Log = (InstanceId, Stream);

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Taken {
    /// It is the last one now.
    Added,
    /// It was there, in whole or in part.
    Known,
    /// It did not fit: what follows is read when it is wanted.
    LeftOut,
}

/// A stretch of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Buffer {
    lines: VecDeque<Line>,
    cost: usize,
    /// The number of the first line that comes.
    base: Number,
    /// Where the stretch begins and ends in each log.
    starts: BTreeMap<Log, u64>,
    ends: BTreeMap<Log, u64>,
    /// When the last line of each log came.
    last_ms: BTreeMap<Log, u64>,
    /// Nothing is before the first.
    pub(in crate::tui) oldest: bool,
    /// Nothing is behind the last but what still comes.
    pub(in crate::tui) newest: bool,
    names: BTreeSet<InstanceId>,
    name_width: usize,
}

fn map_of(place: &LogPlace) -> BTreeMap<Log, u64> {
    let cursors = place.0.iter();
    cursors.map(|c| ((c.id, c.stream), c.offset)).collect()
}

fn place_of(map: &BTreeMap<Log, u64>) -> LogPlace {
    LogPlace(
        map.iter()
            .map(|((id, stream), offset)| Cursor {
                id: *id,
                stream: *stream,
                offset: *offset,
            })
            .collect(),
    )
}

/// A number between two, near the first: many more fit behind it, and some before.
fn between(before: Number, after: Number) -> Number {
    before + ((after - before) / 4096).max(1)
}

impl Buffer {
    /// Another stretch; numbers are not used twice.
    pub(super) fn replace(&mut self, page: &LogPage) {
        *self = Self {
            base: self.behind(),
            starts: map_of(&page.start),
            ends: map_of(&page.end),
            oldest: page.oldest,
            newest: page.newest,
            ..Self::default()
        };
        for line in &page.lines {
            self.put_last(line);
        }
        // The page knows better than its lines where it ends.
        self.ends.extend(map_of(&page.end));
        self.bound_front(None);
    }

    fn notice(&mut self, id: InstanceId, name: &str) {
        self.names.insert(id);
        let cells = unicode_width::UnicodeWidthStr::width(name);
        self.name_width = self.name_width.max(cells.min(NAME_MAX));
    }

    fn put_last(&mut self, line: &LogLine) {
        self.notice(line.id, &line.name);
        let mut it = Line::new(line, self.base);
        let later = self.take_later(&it);
        if let Some(before) = self.lines.back() {
            let after = later
                .front()
                .map_or(before.number + FAR, |line| line.number);
            it.number = (before.number + STEP).min(between(before.number, after));
        } else if let Some(after) = later.front() {
            it.number = after.number - FAR;
        }
        (it.after_run, it.told) = self.run_before(it.id, it.run);
        if let Some(before) = self.lines.back().filter(|before| it.follows(before)) {
            it.alike = before.alike.saturating_add(1);
        }
        let log = (line.id, line.stream);
        self.starts.entry(log).or_insert(line.offset);
        self.ends.insert(log, it.end);
        self.last_ms.insert(log, it.time_ms.unwrap_or(0));
        self.cost += it.cost();
        self.lines.push_back(it);
        self.lines.extend(later);
    }

    /// The run of the last line of the same instance, when it is another, and whether adasa said so in between.
    fn run_before(&self, id: InstanceId, run: Option<RunId>) -> (Option<RunId>, bool) {
        let Some(run) = run else {
            return (None, false);
        };
        // Near: lines of one instance lie close together, and a mark that is missed costs a rule on the screen.
        let near = self.lines.iter().rev().take(RUN_NEAR);
        let mut told = false;
        for line in near.filter(|line| line.id == id && line.run.is_some()) {
            if line.said.is_none() {
                return (line.run.filter(|before| *before != run), told);
            }
            told = true;
        }
        (None, told)
    }

    /// Takes a line that came. With `keep`, lines from that number on are not given up for it.
    pub(super) fn push(&mut self, line: &LogLine, keep: Option<Number>) -> Taken {
        let log = (line.id, line.stream);
        let time = line.time.unwrap_or(0);
        if let Some(end) = self.ends.get(&log)
            && line.offset < *end
            // A log that was lost with its index begins again at 0, but later.
            && time <= self.last_ms.get(&log).copied().unwrap_or(0)
        {
            return self.grow(line);
        }
        if let Some(last) = self.last_written()
            && last.at == Some(line.cursor())
        {
            return self.grow(line);
        }
        if !self.newest || !self.has_room(line, keep) {
            self.newest = false;
            return Taken::LeftOut;
        }
        self.put_last(line);
        self.bound_front(keep);
        Taken::Added
    }

    /// A line that was unfinished comes again when it is whole.
    fn grow(&mut self, line: &LogLine) -> Taken {
        let cursor = line.cursor();
        let near = self.lines.iter_mut().rev().take(64);
        if let Some(it) = near.into_iter().find(|it| it.at == Some(cursor)) {
            let mut grown = Line::new(line, it.number);
            if grown.end > it.end {
                (grown.after_run, grown.told) = (it.after_run, it.told);
                grown.gap = it.gap;
                grown.alike = it.alike;
                self.ends.insert((line.id, line.stream), grown.end);
                self.cost = self.cost - it.cost() + grown.cost();
                *it = grown;
            }
        }
        Taken::Known
    }

    fn is_over(&self) -> bool {
        self.cost > BYTES_KEPT || self.lines.len() > LINES_KEPT
    }

    fn has_room(&self, line: &LogLine, keep: Option<Number>) -> bool {
        let full = self.cost + line.line.len() > BYTES_KEPT || self.lines.len() >= LINES_KEPT;
        let spare = match (keep, self.lines.front()) {
            (Some(keep), Some(first)) => first.number < keep,
            (None, _) | (_, None) => true,
        };
        !full || spare
    }

    fn bound_front(&mut self, keep: Option<Number>) {
        while self.is_over() && self.lines.len() > 1 {
            if let (Some(keep), Some(first)) = (keep, self.lines.front())
                && first.number >= keep
            {
                return;
            }
            if let Some(gone) = self.lines.pop_front() {
                self.cost -= gone.cost();
                if let Some(log) = gone.log() {
                    self.starts.insert(log, gone.end);
                }
                self.oldest = false;
            }
        }
    }

    fn bound_back(&mut self) {
        while self.is_over() && self.lines.len() > 1 {
            if let Some(gone) = self.lines.pop_back() {
                self.cost -= gone.cost();
                if let Some(at) = gone.at {
                    self.ends.insert((at.id, at.stream), at.offset);
                }
                self.newest = false;
            }
        }
    }

    /// A page that ends where the stretch begins.
    pub(super) fn prepend(&mut self, page: &LogPage) {
        for line in page.lines.iter().rev() {
            let log = (line.id, line.stream);
            if self
                .starts
                .get(&log)
                .is_some_and(|start| line.offset >= *start)
            {
                continue;
            }
            self.notice(line.id, &line.name);
            let number = self.first().map_or(self.base, |first| first - STEP);
            let it = Line::new(line, number);
            self.starts.insert(log, line.offset);
            self.ends.entry(log).or_insert(it.end);
            self.cost += it.cost();
            self.lines.push_front(it);
        }
        self.starts.extend(map_of(&page.start));
        self.oldest = page.oldest;
        self.bound_back();
        self.mark();
    }

    /// A page that begins where the stretch ends.
    pub(super) fn append(&mut self, page: &LogPage, keep: Option<Number>) {
        for line in &page.lines {
            let log = (line.id, line.stream);
            if self.ends.get(&log).is_some_and(|end| line.offset < *end) {
                self.grow(line);
                continue;
            }
            self.put_last(line);
        }
        self.ends.extend(map_of(&page.end));
        self.newest = page.newest;
        self.bound_front(keep);
    }

    /// Lines of the gap before a line.
    pub(super) fn fill(&mut self, number: Number, lines: &[LogLine]) {
        let Some(place) = self.index(number) else {
            return;
        };
        let Some(gap) = self.lines.get(place).map(|line| line.gap) else {
            return;
        };
        let known: BTreeSet<Cursor> = self.lines.iter().filter_map(|line| line.at).collect();
        let new: Vec<&LogLine> = lines
            .iter()
            .filter(|line| !known.contains(&line.cursor()))
            .collect();
        let mut behind = self.lines.split_off(place);
        let before = self.lines.back().map_or(number - STEP, |line| line.number);
        let mut last = before;
        for line in &new {
            self.notice(line.id, &line.name);
            let mut it = Line::new(line, between(last, number));
            if last == before {
                // What is still missing is before the first that came.
                it.gap = gap.saturating_sub(new.len() as u64);
            }
            last = it.number;
            self.cost += it.cost();
            self.lines.push_back(it);
        }
        if let Some(first) = behind.front_mut() {
            first.gap = 0;
        }
        self.lines.append(&mut behind);
        self.mark();
    }

    /// What lines are to those before them, after lines came between them.
    fn mark(&mut self) {
        let mut runs: BTreeMap<InstanceId, (RunId, bool)> = BTreeMap::new();
        for line in &mut self.lines {
            let Some(run) = line.run else {
                continue;
            };
            if line.said.is_some() {
                if let Some((_, told)) = runs.get_mut(&line.id) {
                    *told = true;
                }
                continue;
            }
            let before = runs.insert(line.id, (run, false));
            line.told = before.is_some_and(|(_, told)| told);
            line.after_run = before.map(|(before, _)| before).filter(|it| *it != run);
        }
        for n in 0..self.lines.len() {
            let before = n.checked_sub(1).and_then(|n| self.lines.get(n));
            let alike = before
                .zip(self.lines.get(n))
                .filter(|(before, line)| line.follows(before))
                .map_or(1, |(before, _)| before.alike.saturating_add(1));
            if let Some(line) = self.lines.get_mut(n) {
                line.alike = alike;
            }
        }
    }

    /// Whether the line behind this one says the same: then only that one is shown where lines are folded.
    pub(super) fn is_repeated(&self, index: usize) -> bool {
        self.lines.get(index + 1).is_some_and(|line| line.alike > 1)
    }

    /// Only these stay; what is left is a stretch of what passes.
    pub(super) fn retain(&mut self, passes: impl Fn(&Line) -> bool) {
        self.base = self.behind();
        self.lines.retain(|line| passes(line));
        self.cost = self.lines.iter().map(Line::cost).sum();
        self.mark();
    }

    pub(in crate::tui) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(in crate::tui) fn get(&self, index: usize) -> Option<&Line> {
        self.lines.get(index)
    }

    /// Lines between two indices, in order.
    pub(in crate::tui) fn range(
        &self,
        range: std::ops::Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &Line> {
        let end = range.end.min(self.lines.len());
        self.lines.range(range.start.min(end)..end)
    }

    /// A number behind all that were given.
    fn behind(&self) -> Number {
        self.lines
            .back()
            .map_or(self.base, |last| last.number + FAR)
    }

    fn first(&self) -> Option<Number> {
        self.lines.front().map(|line| line.number)
    }

    /// The last line that a process wrote.
    pub(in crate::tui) fn last_written(&self) -> Option<&Line> {
        self.lines.iter().rev().find(|line| line.at.is_some())
    }

    /// Where the line of a number is; a number that is gone is nowhere.
    pub(in crate::tui) fn index(&self, number: Number) -> Option<usize> {
        self.lines
            .binary_search_by_key(&number, |line| line.number)
            .ok()
    }

    /// Where the line of a number is, or its nearest neighbour.
    pub(in crate::tui) fn nearest(&self, number: Number) -> usize {
        let index = self.lines.partition_point(|line| line.number < number);
        index.min(self.lines.len().saturating_sub(1))
    }

    /// The number of a line, or of the first at its time or later.
    pub(super) fn find(&self, it: Spotted, near: bool) -> Option<Number> {
        let same = self.lines.iter().find(|line| it.is(line));
        let near = || {
            let time = it.time_ms.filter(|_| near)?;
            let log = |line: &Line| {
                line.at
                    .zip(it.at)
                    .filter(|(a, b)| (a.id, a.stream) == (b.id, b.stream))
            };
            let after = self.lines.iter().find(|line| {
                line.time_ms.is_some_and(|t| t > time)
                    || (line.time_ms == Some(time)
                        && log(line).is_some_and(|(here, there)| here.offset >= there.offset))
            });
            after.or(self.lines.back())
        };
        same.or_else(near).map(|line| line.number)
    }

    /// The number of the first line at a time or later, else of the last.
    pub(super) fn at_time(&self, time_ms: u64) -> Option<Number> {
        let found = self
            .lines
            .iter()
            .find(|line| line.time_ms.is_some_and(|t| t >= time_ms));
        found.or(self.lines.back()).map(|line| line.number)
    }

    /// Whether a moment is between the first line and the last.
    pub(super) fn spans(&self, time_ms: u64) -> bool {
        let of = |line: Option<&Line>| line.and_then(|line| line.time_ms);
        let first = of(self.lines.front());
        let last = of(self.lines.back());
        (self.oldest || first.is_some_and(|first| first < time_ms))
            && (self.newest || last.is_some_and(|last| last >= time_ms))
            && !self.lines.is_empty()
    }

    /// Where the stretch begins.
    pub(in crate::tui) fn start(&self) -> LogPlace {
        place_of(&self.starts)
    }

    /// Where it ends.
    pub(in crate::tui) fn end(&self) -> LogPlace {
        place_of(&self.ends)
    }

    /// Lines of several instances.
    pub(in crate::tui) fn is_mixed(&self) -> bool {
        self.names.len() > 1
    }

    /// How wide the column of names is, cells.
    pub(in crate::tui) fn name_width(&self) -> usize {
        self.name_width
    }
}

#[cfg(test)]
mod tests;
