//! What adasa says between the lines of processes.

use std::collections::VecDeque;

use crate::domain::event::Event;
use crate::domain::names::RunId;
use crate::domain::saying::{Saying, Stand};

use super::{Buffer, FAR, Line, Number, RUN_NEAR, between};

/// So many lines around its moment are looked at for the run that something is said of.
const NEAR: usize = 64;

/// Whether a line stands before something that is said.
fn precedes(line: &Line, said: &Saying) -> bool {
    match &line.said {
        Some(other) => order(other.stand) < order(said.stand),
        None => said.is_behind(line.id, line.run, line.time_ms),
    }
}

/// The order of beginnings and ends of one instance.
fn order(stand: Stand) -> Option<(RunId, bool)> {
    match stand {
        Stand::Begins(run) => Some((run, false)),
        Stand::Ends(run) => Some((run, true)),
        Stand::Between => None,
    }
}

impl Buffer {
    /// Takes out what was said at the end that belongs behind a line that comes now.
    pub(super) fn take_later(&mut self, it: &Line) -> VecDeque<Line> {
        let later = |line: &Line| line.said.as_ref().is_some_and(|said| precedes(it, said));
        let count = self
            .lines
            .iter()
            .rev()
            .take_while(|line| later(line))
            .count();
        self.lines.split_off(self.lines.len() - count)
    }

    /// Puts in what adasa said where it stands; what is there already is said as fully as it is known.
    pub(in crate::tui::log) fn say(&mut self, said: &[Saying]) {
        for it in said {
            self.say_one(it);
        }
        self.mark();
        self.bound_front(None);
    }

    /// Puts in what adasa said just now; whether it is new.
    pub(in crate::tui::log) fn say_now(&mut self, said: &Saying, keep: Option<Number>) -> bool {
        let new = self.say_one(said);
        if let Some(place) = new {
            self.mark_behind(place, said);
        }
        self.bound_front(keep);
        new.is_some()
    }

    /// What lines are to those before them, after something was said between them.
    fn mark_behind(&mut self, place: usize, said: &Saying) {
        if said.stand != Stand::Between {
            let mut behind = self.lines.range_mut(place + 1..).take(RUN_NEAR);
            let next = behind.find(|line| line.id == said.id && line.run.is_some());
            if let Some(line) = next.filter(|line| line.said.is_none()) {
                line.told = true;
            }
        }
        // Lines that said the same as the one before this are counted from here on.
        let behind = self.lines.range_mut(place + 1..);
        for (alike, line) in (1..).zip(behind.take_while(|line| line.alike > 1)) {
            line.alike = alike;
        }
    }

    /// Whether what happened was said with what happened before it; then it is by now.
    pub(in crate::tui::log) fn goes_on(&mut self, event: &Event) -> bool {
        let mut near = self.lines.iter().rev().take(NEAR);
        let last = near.find_map(|line| line.said.as_ref().filter(|it| Some(it.id) == event.id));
        let Some(mut said) = last.cloned() else {
            return false;
        };
        let goes_on = said.goes_on(event);
        if goes_on {
            self.say_one(&said);
        }
        goes_on
    }

    /// Where it was put; nowhere when it is there already.
    fn say_one(&mut self, said: &Saying) -> Option<usize> {
        let mut line = Line::of_ours(said, self.base);
        let place = self.place_for(said);
        let mut near = self
            .lines
            .range_mut(place.saturating_sub(NEAR)..)
            .take(2 * NEAR);
        if let Some(known) = near.find(|known| known.said.as_ref().is_some_and(|it| it.is_as(said)))
        {
            if known.length < line.length {
                line.number = known.number;
                self.cost = self.cost - known.cost() + line.cost();
                *known = line;
            }
            return None;
        }
        let before = place.checked_sub(1).and_then(|n| self.lines.get(n));
        let before = before.map(|line| line.number);
        let after = self.lines.get(place).map(|line| line.number);
        line.number = match (before, after) {
            (None, None) => self.base,
            (Some(before), None) => before + FAR,
            (None, Some(after)) => after - FAR,
            (Some(before), Some(after)) => between(before, after),
        };
        self.notice(said.id, &said.name);
        self.cost += line.cost();
        self.lines.insert(place, line);
        Some(place)
    }

    /// Before which line something that is said stands.
    fn place_for(&self, said: &Saying) -> usize {
        let time = said.at_ms;
        let place = self
            .lines
            .partition_point(|line| line.time_ms.unwrap_or(0) <= time);
        if said.stand == Stand::Between {
            return place;
        }
        let of_same = |line: &Line| line.id == said.id && line.run.is_some();
        let behind = self.lines.range(place..).take(NEAR).enumerate();
        let mut behind = behind.filter(|(_, line)| of_same(line) && precedes(line, said));
        if let Some((n, _)) = behind.next_back() {
            return place + n + 1;
        }
        let before = self.lines.range(..place).rev().take(NEAR).enumerate();
        let mut before = before.filter(|(_, line)| of_same(line) && !precedes(line, said));
        before.next_back().map_or(place, |(n, _)| place - n - 1)
    }
}
