//! A search: what is looked for, what was found, how far it is.

use crate::api::{Cursor, SearchEnd, SearchNews};
use crate::tui::query::Ticket;

use super::words::Words;

/// So many hits are known by their place; of more, only how many there are.
const PLACES: usize = 1000;

/// Which way is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Way {
    Back,
    On,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Aim {
    /// The words of the search.
    Hit,
    /// A line that says that it is an error.
    Error,
    /// The first line of a run.
    Run,
}

/// A search over a whole log.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Hunt {
    pub(in crate::tui) words: Words,
    /// While it counts.
    counting: Option<Ticket>,
    hits: Vec<Cursor>,
    /// How many there are, as far as it is.
    pub(in crate::tui) total: u64,
    /// Why not all were counted.
    pub(in crate::tui) partly: bool,
}

impl Hunt {
    pub(in crate::tui) fn new(words: Words, counting: Option<Ticket>) -> Self {
        Self {
            words,
            counting,
            hits: vec![],
            total: 0,
            partly: counting.is_none(),
        }
    }

    /// Which search counts.
    pub(in crate::tui) fn counting(&self) -> Option<Ticket> {
        self.counting
    }

    pub(in crate::tui) fn is_counting(&self) -> bool {
        self.counting.is_some()
    }

    /// News of its count.
    pub(in crate::tui) fn hear(&mut self, news: &SearchNews) {
        match news {
            SearchNews::Hit { line } => {
                if self.hits.len() < PLACES {
                    self.hits.push(line.cursor());
                }
                self.total = self.total.max(self.hits.len() as u64);
            }
            SearchNews::Progress(state) => self.total = state.hits,
            SearchNews::Done { state, end } => {
                self.total = state.hits;
                self.counting = None;
                self.partly = *end == SearchEnd::Deadline;
            }
        }
    }

    /// Its count was given up.
    pub(in crate::tui) fn give_up(&mut self) {
        self.partly |= self.counting.take().is_some();
    }

    /// A line that came since.
    pub(in crate::tui) fn came(&mut self, at: Cursor) {
        self.total += 1;
        if self.hits.len() + 1 == usize::try_from(self.total).unwrap_or(usize::MAX)
            && self.hits.len() < PLACES
        {
            self.hits.push(at);
        }
    }

    /// Which of the hits begins there, from 1.
    pub(in crate::tui) fn place_of(&self, at: Cursor) -> Option<usize> {
        self.hits.iter().position(|hit| *hit == at).map(|n| n + 1)
    }
}
