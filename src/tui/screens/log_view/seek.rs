//! Going to the next hit, error or run: first in memory, then through the daemon.

use crate::api::{LogSearchQuery, SearchEnd, SearchNews};
use crate::tui::log::{Aim, Asking, Found, Hunt, Line, Number, Pane, Shape, Spotted, Way, Words};
use crate::tui::query::Ticket;

use super::LogView;

/// So many pages are read for the beginning of a run.
const PAGES: u32 = 20;
/// How long a count may take, and how long the way to one hit, milliseconds.
const COUNT_MS: u64 = 60_000;
const NEXT_MS: u64 = 10_000;
/// So many hits are told by their place.
const PLACES: usize = 1000;

/// What is being looked for beyond memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seek {
    pane: usize,
    way: Way,
    aim: Aim,
    ticket: Option<Ticket>,
    /// How many pages may still be read.
    left: u32,
}

fn name(aim: Aim) -> &'static str {
    match aim {
        Aim::Hit => "hit",
        Aim::Error => "error",
        Aim::Run => "run",
    }
}

fn none(aim: Aim, way: Way) -> String {
    let side = match way {
        Way::Back => "before",
        Way::On => "after",
    };
    format!("no {} {side} this line", name(aim))
}

impl LogView {
    fn query(&self, pane: usize) -> LogSearchQuery {
        let Some(pane) = self.panes.get(pane) else {
            return LogSearchQuery::default();
        };
        LogSearchQuery {
            select: pane.scope.select.clone(),
            stream: pane.scope.stream,
            filter: pane.scope.filter.join("\n"),
            level: pane.scope.level,
            ..LogSearchQuery::default()
        }
    }

    /// Begins a search; no text ends it.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub(super) fn search(
        &mut self,
        text: &str,
        shape: Shape,
        asking: &mut Asking<'_>,
    ) -> Result<(), String> {
        if text.is_empty() {
            self.end_search(asking);
            return Ok(());
        }
        let words = Words::new(text)?;
        self.end_search(asking);
        let counting = self.ask_count(text, asking);
        self.hunt = Some(Hunt::new(words.clone(), counting));
        // The line at hand is a hit like any other.
        if let Some(pane) = self.panes.get_mut(self.at)
            && let Some(here) = pane.pointed()
            && here.at.is_some()
            && words.is_in(&here.text.plain())
        {
            let number = here.number;
            pane.pause(shape);
            pane.point_at(number, shape);
            return Ok(());
        }
        self.seek(Aim::Hit, Way::Back, shape, asking);
        Ok(())
    }

    /// Counts the hits anew: what passes is another.
    pub(super) fn recount(&mut self, text: &str, asking: &mut Asking<'_>) {
        self.end_search(asking);
        if let Ok(words) = Words::new(text) {
            let counting = self.ask_count(text, asking);
            self.hunt = Some(Hunt::new(words, counting));
        }
    }

    fn ask_count(&self, text: &str, asking: &mut Asking<'_>) -> Option<Ticket> {
        asking.live.then(|| {
            asking.search(LogSearchQuery {
                pattern: text.to_owned(),
                count: true,
                limit: Some(PLACES),
                deadline_ms: Some(COUNT_MS),
                ..self.query(self.at)
            })
        })
    }

    /// Whether it looks for something under this ticket.
    pub(super) fn seeks(&self, ticket: Ticket) -> bool {
        self.seek.as_ref().and_then(|seek| seek.ticket) == Some(ticket)
    }

    /// Ends the search and what it asked for; whether there was one.
    pub(super) fn end_search(&mut self, asking: &mut Asking<'_>) -> bool {
        self.end_seek(asking);
        let Some(hunt) = self.hunt.take() else {
            return false;
        };
        asking.close(hunt.counting());
        true
    }

    /// Gives up what is being looked for; whether there was anything.
    pub(super) fn end_seek(&mut self, asking: &mut Asking<'_>) -> bool {
        let seek = self.seek.take();
        asking.close(seek.as_ref().and_then(|seek| seek.ticket));
        seek.is_some()
    }

    /// Gives up counting; whether it was.
    pub(super) fn end_count(&mut self, asking: &mut Asking<'_>) -> bool {
        let Some(hunt) = &mut self.hunt else {
            return false;
        };
        let counting = hunt.counting();
        asking.close(counting);
        hunt.give_up();
        counting.is_some()
    }

    fn look(&self, pane: usize, aim: Aim, way: Way) -> Option<Number> {
        let pane = self.panes.get(pane)?;
        match aim {
            Aim::Hit => {
                let words = &self.hunt.as_ref()?.words;
                pane.look(way, |line| {
                    line.at.is_some() && words.is_in(&line.text.plain())
                })
            }
            Aim::Error => pane.look(way, Line::is_error),
            Aim::Run => pane.look(way, |line| line.after_run.is_some()),
        }
    }

    /// Goes to the next thing of a kind.
    pub(super) fn seek(&mut self, aim: Aim, way: Way, shape: Shape, asking: &mut Asking<'_>) {
        if aim == Aim::Hit && self.hunt.is_none() {
            asking.remark("nothing is searched for: / begins", false);
            return;
        }
        self.end_seek(asking);
        let pane = self.at;
        if let Some(it) = self.panes.get_mut(pane) {
            it.pause(shape);
        }
        match self.seek_on(pane, aim, way, shape, asking) {
            Found::Here | Found::Asked => {}
            Found::None => asking.remark(none(aim, way), false),
        }
    }

    fn seek_on(
        &mut self,
        pane: usize,
        aim: Aim,
        way: Way,
        shape: Shape,
        asking: &mut Asking<'_>,
    ) -> Found {
        let found = self.look(pane, aim, way);
        let Some(it) = self.panes.get_mut(pane) else {
            return Found::None;
        };
        if let Some(number) = found {
            it.point_at(number, shape);
            return Found::Here;
        }
        let at_the_end = match way {
            Way::Back => it.buffer.oldest,
            Way::On => it.buffer.newest,
        };
        if at_the_end || !asking.live {
            return Found::None;
        }
        let place = match way {
            Way::Back => it.buffer.start(),
            Way::On => it.buffer.end(),
        };
        let ticket = match aim {
            Aim::Run => {
                it.ask_more(way, asking);
                None
            }
            Aim::Hit | Aim::Error => {
                let hunt = self.hunt.as_ref().filter(|_| aim == Aim::Hit);
                Some(asking.search(LogSearchQuery {
                    pattern: hunt.map_or_else(String::new, |h| h.words.text().to_owned()),
                    errors: aim == Aim::Error,
                    cursor: Some(place),
                    backward: way == Way::Back,
                    limit: Some(1),
                    deadline_ms: Some(NEXT_MS),
                    ..self.query(pane)
                }))
            }
        };
        self.seek = Some(Seek {
            pane,
            way,
            aim,
            ticket,
            left: PAGES,
        });
        Found::Asked
    }

    /// More of the log is in memory: the beginning of a run may be there now.
    pub(super) fn seek_further(&mut self, shape: Shape, asking: &mut Asking<'_>) {
        let Some(Seek {
            pane,
            way,
            aim: aim @ Aim::Run,
            left,
            ..
        }) = self.seek
        else {
            return;
        };
        if self.panes.get(pane).is_none_or(Pane::is_asking) {
            return;
        }
        self.seek = None;
        match self.seek_on(pane, aim, way, shape, asking) {
            Found::Here => {}
            Found::None => asking.remark(none(aim, way), false),
            Found::Asked if left > 1 => {
                if let Some(seek) = &mut self.seek {
                    seek.left = left - 1;
                }
            }
            Found::Asked => {
                self.seek = None;
                asking.remark("no other run within 10,000 lines", false);
            }
        }
    }

    /// News of a search.
    pub(super) fn take_news(
        &mut self,
        ticket: Ticket,
        news: &Result<SearchNews, String>,
        shape: Shape,
        asking: &mut Asking<'_>,
    ) {
        if let Some(hunt) = &mut self.hunt
            && hunt.counting() == Some(ticket)
        {
            match news {
                Ok(news) => hunt.hear(news),
                Err(why) => {
                    hunt.give_up();
                    asking.remark(format!("the search was not counted: {why}"), true);
                }
            }
            return;
        }
        let Some(seek) = self.seek.take_if(|seek| seek.ticket == Some(ticket)) else {
            return;
        };
        match news {
            Ok(SearchNews::Hit { line }) => {
                if let Some(pane) = self.panes.get_mut(seek.pane) {
                    pane.go_to(Spotted::of(line), shape, asking);
                }
            }
            Ok(SearchNews::Progress(_)) => self.seek = Some(seek),
            Ok(SearchNews::Done { end, .. }) => {
                let text = match end {
                    SearchEnd::Deadline => {
                        let seconds = NEXT_MS / 1000;
                        format!(
                            "no {} found in {seconds} s: the log is long",
                            name(seek.aim)
                        )
                    }
                    SearchEnd::Exhausted | SearchEnd::Limit => none(seek.aim, seek.way),
                };
                asking.remark(text, false);
            }
            Err(why) => asking.remark(why.clone(), true),
        }
    }
}
