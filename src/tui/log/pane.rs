//! A reader's place in a log. Following, it is the end; paused, it is a line: neither more lines nor another filter nor
//! another size moves it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::{Cursor, Level, LogLine};
use crate::domain::names::InstanceId;
use crate::domain::selector::{Candidate, Selector};
use crate::domain::spec::Stream;
use crate::tui::query::Ticket;

use super::alike::Rate;
use super::buffer::Buffer;
use super::feed::Wanted;
use super::gather::Asking;
use super::hunt::Way;
use super::line::{Line, Number};
use super::ours::Ours;
use super::rows::{Row, Shape, Spot};

/// Whose lines, and which of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Scope {
    /// As the API takes it.
    pub(in crate::tui) select: String,
    /// As it is called.
    pub(in crate::tui) name: String,
    pub(in crate::tui) stream: Option<Stream>,
    pub(in crate::tui) level: Option<Level>,
    /// Patterns, all of which a line must match; behind a `!` none.
    pub(in crate::tui) filter: Vec<String>,
}

impl Scope {
    /// Both, out, err.
    pub(in crate::tui) fn next_stream(&mut self) {
        self.stream = match self.stream {
            None => Some(Stream::Out),
            Some(Stream::Out) => Some(Stream::Err),
            Some(Stream::Err) => None,
        };
    }

    /// Whether an instance belongs to it.
    pub(in crate::tui) fn takes(&self, it: &Candidate<'_>) -> bool {
        let words = self.select.split(',').filter(|word| !word.is_empty());
        let mut selectors = words.filter_map(|word| word.parse::<Selector>().ok());
        self.select.is_empty() || selectors.any(|selector| selector.matches(it))
    }

    /// Whether another instance may come to belong to it.
    pub(in crate::tui) fn is_open_set(&self) -> bool {
        self.select.parse::<u32>().is_err()
    }
}

/// A line by its place in its log, and when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tui) struct Spotted {
    pub(super) time_ms: Option<u64>,
    id: InstanceId,
    /// None of what adasa said: it is found by its time.
    pub(super) at: Option<Cursor>,
}

impl Spotted {
    pub(in crate::tui) fn of(line: &LogLine) -> Self {
        Self {
            time_ms: line.time,
            id: line.id,
            at: Some(line.cursor()),
        }
    }

    /// Whether it is this line.
    pub(super) fn is(self, line: &Line) -> bool {
        match self.at {
            Some(_) => self.at == line.at,
            None => line.at.is_none() && (self.id, self.time_ms) == (line.id, line.time_ms),
        }
    }
}

fn spotted(line: &Line) -> Spotted {
    Spotted {
        time_ms: line.time_ms,
        id: line.id,
        at: line.at,
    }
}

/// What a paused view stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tui) struct Anchor {
    pub(super) line: Spotted,
    pub(super) number: Number,
    pub(super) row: usize,
}

/// A pane of a log.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Pane {
    pub(in crate::tui) scope: Scope,
    pub(in crate::tui) buffer: Buffer,
    pub(super) anchor: Option<Anchor>,
    /// Somebody wanted it to stand still before there was a line to stand on.
    pub(super) to_pause: bool,
    /// The line that keys are about, while paused.
    pub(super) point: Option<Number>,
    /// Where a selection begins.
    pub(super) selected_from: Option<Number>,
    marks: BTreeSet<Spotted>,
    pub(super) new: u64,
    pub(super) rate: Rate,
    /// What adasa says in between.
    pub(super) ours: Ours,
    /// Lines up to here were counted as new.
    pub(super) heard: BTreeMap<(InstanceId, Stream), u64>,
    pub(super) stream: Option<Ticket>,
    pub(super) asked: Option<(Ticket, Wanted)>,
    /// Why there is nothing.
    pub(in crate::tui) refused: Option<String>,
    /// When it is tried again.
    pub(in crate::tui) due: Option<Duration>,
}

impl Pane {
    pub(in crate::tui) fn new(scope: Scope) -> Self {
        Self {
            scope,
            buffer: Buffer::default(),
            anchor: None,
            to_pause: false,
            point: None,
            selected_from: None,
            marks: BTreeSet::new(),
            new: 0,
            rate: Rate::default(),
            ours: Ours::default(),
            heard: BTreeMap::new(),
            stream: None,
            asked: None,
            refused: None,
            due: None,
        }
    }

    // Where it stands.

    /// The page that it waits for, and its stream.
    #[cfg(test)]
    pub(in crate::tui) fn tickets(&self) -> (Option<Ticket>, Option<Ticket>) {
        (self.asked.as_ref().map(|(ticket, _)| *ticket), self.stream)
    }

    pub(in crate::tui) fn is_following(&self) -> bool {
        self.anchor.is_none()
    }

    /// What it stands on, while it does not follow.
    pub(in crate::tui) fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// Whether more lines come than can be read; of a pane that does not follow, whether they did when it was paused.
    pub(in crate::tui) fn is_flooded(&self) -> bool {
        self.rate.flood
    }

    /// How many lines came in the last second, in a flood.
    pub(in crate::tui) fn per_second(&self) -> Option<u64> {
        self.rate.flooded()
    }

    /// Percent of those that are here to be shown; none when all are.
    pub(in crate::tui) fn share(&self) -> Option<u64> {
        self.rate.share()
    }

    /// Whether its last line is seen, while it does not follow.
    pub(in crate::tui) fn is_at_end(&self, shape: Shape) -> bool {
        let last = self.buffer.len().checked_sub(1);
        let last = last.and_then(|n| self.buffer.get(n));
        let seen = self.seen(shape).map(|(_, last)| last);
        self.anchor.is_some() && self.buffer.newest && seen == last.map(|line| line.number)
    }

    /// Whether its stream is open.
    pub(in crate::tui) fn is_listening(&self) -> bool {
        self.stream.is_some()
    }

    /// How many lines came since the pause began.
    pub(in crate::tui) fn new_lines(&self) -> u64 {
        self.new
    }

    /// Whether something was asked for that is still to come.
    pub(in crate::tui) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn top(&self, shape: Shape) -> Spot {
        match self.anchor {
            None => shape.lowest(&self.buffer),
            Some(anchor) => {
                let index = self.buffer.nearest(anchor.number);
                let line = self.buffer.get(index);
                let same = line.is_some_and(|line| line.number == anchor.number);
                (index, if same { anchor.row } else { 0 })
            }
        }
    }

    /// The rows that are seen.
    pub(in crate::tui) fn rows(&self, shape: Shape) -> Vec<Row<'_>> {
        let (index, row) = self.top(shape);
        let most = shape.rows(&self.buffer, index).saturating_sub(1);
        shape.seen(&self.buffer, (index, row.min(most)))
    }

    fn stand(&mut self, (index, row): Spot) {
        let Some(line) = self.buffer.get(index) else {
            return;
        };
        let anchor = Anchor {
            line: spotted(line),
            number: line.number,
            row,
        };
        if self.anchor.is_none() {
            self.new = 0;
        }
        self.anchor = Some(anchor);
    }

    pub(super) fn settle_anchor(&mut self, anchor: Anchor) {
        if let Some(number) = self.buffer.find(anchor.line, true) {
            self.anchor = Some(Anchor { number, ..anchor });
        }
    }

    /// Numbers of the first and the last line that are seen.
    fn seen(&self, shape: Shape) -> Option<(Number, Number)> {
        let rows = self.rows(shape);
        let of = |row: &Row<'_>| match row {
            Row::Gap(line) | Row::Run(line) | Row::Text(line, _) => line.number,
        };
        Some((of(rows.first()?), of(rows.last()?)))
    }

    /// Moves by rows; any move up pauses, no move down follows.
    pub(in crate::tui) fn scroll(&mut self, by: isize, shape: Shape) {
        if self.buffer.len() == 0 {
            self.to_pause |= by < 0;
            return;
        }
        if self.is_following() && by >= 0 {
            return;
        }
        let top = self.top(shape);
        let mut to = shape.moved(&self.buffer, top, by);
        if by > 0 && self.buffer.newest {
            to = to.min(shape.lowest(&self.buffer)).max(top.min(to));
        }
        self.stand(to);
        self.keep_point(shape);
    }

    fn keep_point(&mut self, shape: Shape) {
        if let Some((first, last)) = self.seen(shape) {
            let point = self.point.unwrap_or(last);
            self.point = Some(point.clamp(first, last));
        }
    }

    /// Moves the line that is pointed at.
    pub(in crate::tui) fn step(&mut self, by: isize, shape: Shape) {
        self.pause(shape);
        let Some(point) = self.point else {
            return;
        };
        let index = self.buffer.nearest(point).saturating_add_signed(by);
        let last = self.buffer.len().saturating_sub(1);
        let mut index = index.min(last);
        // What is folded away is passed over.
        while shape.rows(&self.buffer, index) == 0 && index > 0 && index < last {
            index = index.saturating_add_signed(by.signum());
        }
        if let Some(line) = self.buffer.get(index) {
            let number = line.number;
            self.point = Some(number);
            if let Some((first, last)) = self.seen(shape) {
                if number <= first {
                    self.stand((index, 0));
                } else if number >= last {
                    let to = shape.above(&self.buffer, index + 1, shape.height);
                    self.stand(to);
                }
            }
        }
    }

    pub(in crate::tui) fn go_to_top(&mut self, shape: Shape, asking: &mut Asking<'_>) {
        if self.buffer.oldest {
            self.stand((0, 0));
            self.point = self.buffer.get(0).map(|line| line.number);
        } else {
            self.open_at(0, shape, asking);
        }
    }

    /// Pauses where it stands.
    pub(in crate::tui) fn pause(&mut self, shape: Shape) {
        self.to_pause = self.buffer.len() == 0;
        if self.is_following() {
            let top = self.top(shape);
            self.stand(top);
            self.keep_point(shape);
        }
    }

    pub(in crate::tui) fn follow(&mut self, asking: &mut Asking<'_>) {
        self.anchor = None;
        self.to_pause = false;
        self.point = None;
        self.selected_from = None;
        self.new = 0;
        if !self.buffer.newest && self.asked.as_ref().is_none_or(|(_, w)| *w != Wanted::Tail) {
            self.open(asking);
        }
    }

    /// Points at a line, a third below the top when it is not seen yet.
    pub(in crate::tui) fn point_at(&mut self, number: Number, shape: Shape) {
        let index = self.buffer.nearest(number);
        let is_seen = !self.is_following()
            && self
                .seen(shape)
                .is_some_and(|(first, last)| first <= number && number < last);
        if !is_seen {
            let lowest = shape.lowest(&self.buffer);
            let to = shape.above(&self.buffer, index, shape.height / 3);
            self.stand(if self.buffer.newest {
                to.min(lowest)
            } else {
                to
            });
        }
        self.point = self.buffer.get(index).map(|line| line.number);
    }

    /// Goes to a line wherever it is.
    pub(in crate::tui) fn go_to(&mut self, line: Spotted, shape: Shape, asking: &mut Asking<'_>) {
        self.pause(shape);
        match self.buffer.find(line, false) {
            Some(number) => self.point_at(number, shape),
            None => self.open_around(line, true, asking),
        }
    }

    /// The line that keys are about: the one pointed at, else the last.
    pub(in crate::tui) fn pointed(&self) -> Option<&Line> {
        let index = match self.point {
            Some(number) => self.buffer.nearest(number),
            None => self.buffer.len().checked_sub(1)?,
        };
        self.buffer.get(index)
    }

    /// The number of the line that is pointed at, while there is one.
    pub(in crate::tui) fn point(&self) -> Option<Number> {
        self.point
    }

    /// The nearest line behind or before the one pointed at for which this holds, in memory.
    pub(in crate::tui) fn look(&self, way: Way, holds: impl Fn(&Line) -> bool) -> Option<Number> {
        let here = match self.point {
            Some(number) => self.buffer.nearest(number),
            None => self.buffer.len(),
        };
        let found = match way {
            Way::Back => self.buffer.range(0..here).rev().find(|line| holds(line)),
            Way::On => {
                let range = (here + 1).min(self.buffer.len())..self.buffer.len();
                self.buffer.range(range).find(|line| holds(line))
            }
        };
        found.map(|line| line.number)
    }

    /// When the line that is pointed at came, while paused.
    pub(in crate::tui) fn moment(&self, shape: Shape) -> Option<u64> {
        self.anchor?;
        let at = self.point.map(|number| self.buffer.nearest(number));
        let (top, _) = self.top(shape);
        self.buffer.get(at.unwrap_or(top))?.time_ms
    }

    /// When the line came that it stands on, while it does not follow.
    pub(in crate::tui) fn stands_at(&self) -> Option<u64> {
        let anchor = self.anchor?;
        let pointed = self.point.map(|number| self.buffer.nearest(number));
        let pointed = pointed.and_then(|index| self.buffer.get(index));
        pointed.map_or(anchor.line.time_ms, |line| line.time_ms)
    }

    // Selections and marks.

    pub(in crate::tui) fn is_selecting(&self) -> bool {
        self.selected_from.is_some()
    }

    /// Points at a line that is seen.
    pub(in crate::tui) fn point_here(&mut self, number: Number) {
        self.point = Some(number);
    }

    /// Selects from the line that was pointed at to another.
    pub(in crate::tui) fn select_to(&mut self, number: Number) {
        let from = self.selected_from.or(self.point).unwrap_or(number);
        self.selected_from = Some(from);
        self.point = Some(number);
    }

    /// Begins or ends a selection at the line that is pointed at.
    pub(in crate::tui) fn select(&mut self, shape: Shape) {
        self.pause(shape);
        self.selected_from = match self.selected_from {
            None => self.point,
            Some(_) => None,
        };
    }

    pub(in crate::tui) fn end_selection(&mut self) -> bool {
        self.selected_from.take().is_some()
    }

    /// Numbers of the first and the last line that are selected.
    pub(in crate::tui) fn selection(&self) -> Option<(Number, Number)> {
        let (a, b) = (self.selected_from?, self.point?);
        Some((a.min(b), a.max(b)))
    }

    /// The lines that are selected, or the one that is pointed at.
    pub(in crate::tui) fn chosen(&self) -> Vec<&Line> {
        match self.selection() {
            Some((first, last)) => {
                let range = self.buffer.nearest(first)..self.buffer.nearest(last) + 1;
                self.buffer.range(range).collect()
            }
            None => self.pointed().into_iter().collect(),
        }
    }

    /// Sets or takes away a mark.
    pub(in crate::tui) fn mark(&mut self, shape: Shape) {
        self.pause(shape);
        if let Some(line) = self.pointed().map(spotted)
            && !self.marks.insert(line)
        {
            self.marks.remove(&line);
        }
    }

    pub(in crate::tui) fn is_marked(&self, line: &Line) -> bool {
        !self.marks.is_empty() && self.marks.contains(&spotted(line))
    }

    /// The next mark behind the line that is pointed at, else the first.
    pub(in crate::tui) fn next_mark(&self) -> Option<Spotted> {
        let here = self.pointed().map(spotted);
        let next = here.and_then(|here| self.marks.iter().find(|mark| **mark > here));
        next.or_else(|| self.marks.first()).copied()
    }
}
