//! Where the lines of a pane come from: pages that it asks for, and a stream of what comes.

use std::time::Duration;

use crate::api::{Cursor, LogHistogramQuery, LogLine, LogPage, LogPageQuery, LogPlace, LogQuery};
use crate::logs::filter::Filter;
use crate::tui::query::Ticket;

use super::buffer::{STEP, Taken};
use super::gather::Asking;
use super::hunt::Way;
use super::line::Number;
use super::pane::{Anchor, Pane, Scope, Spotted};
use super::rows::Shape;

/// Lines that a page brings.
const PAGE: usize = 500;
/// Lines that are kept before the place of a paused reader, however many come.
pub(super) const SPARE: Number = 1000 * STEP;
/// The most lines a second that a pane is sent.
const RATE: u32 = 2000;
/// After a stream broke, it is opened again this much later.
const AGAIN: Duration = Duration::from_secs(1);

/// What the daemon was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// The end.
    Tail,
    /// A place, which then is the top row, or the line that is pointed at.
    Around {
        line: Spotted,
        point: bool,
    },
    /// A moment.
    At {
        ms: u64,
    },
    Before,
    After,
    /// The gap before a line.
    Gap {
        number: Number,
    },
}

impl Pane {
    /// A question for lines of this scope.
    pub(in crate::tui) fn page(&self) -> LogPageQuery {
        LogPageQuery {
            select: self.scope.select.clone(),
            stream: self.scope.stream,
            filter: self.scope.filter.join("\n"),
            level: self.scope.level,
            ..LogPageQuery::default()
        }
    }

    /// All that passes, from the beginning to the end.
    pub(in crate::tui) fn everything(&self) -> LogQuery {
        LogQuery {
            select: self.scope.select.clone(),
            stream: self.scope.stream,
            filter: self.scope.filter.join("\n"),
            level: self.scope.level,
            lines: Some(usize::MAX),
            ..LogQuery::default()
        }
    }

    /// A question for how many lines came when.
    pub(in crate::tui) fn counts(
        &self,
        from_ms: u64,
        to_ms: u64,
        buckets: usize,
    ) -> LogHistogramQuery {
        LogHistogramQuery {
            select: self.scope.select.clone(),
            stream: self.scope.stream,
            filter: self.scope.filter.join("\n"),
            level: self.scope.level,
            from_ms,
            to_ms: Some(to_ms),
            buckets: Some(buckets),
            ..LogHistogramQuery::default()
        }
    }

    fn ask(&mut self, wanted: Wanted, query: LogPageQuery, asking: &mut Asking<'_>) {
        if !asking.live {
            return;
        }
        let ticket = asking.page(query);
        self.asked = Some((ticket, wanted));
    }

    /// Begins at the end.
    pub(in crate::tui) fn open(&mut self, asking: &mut Asking<'_>) {
        self.hush(asking);
        let query = LogPageQuery {
            before: PAGE,
            ..self.page()
        };
        self.ask(Wanted::Tail, query, asking);
    }

    fn place(&self, line: Spotted, query: LogPageQuery) -> LogPageQuery {
        // A line of the other stream, or none of a log, has no place among these; its moment has.
        let here = |at: &Cursor| self.scope.stream.is_none_or(|s| s == at.stream);
        match (line.at.filter(here), line.at, line.time_ms) {
            (None, _, Some(ms)) => LogPageQuery {
                at_ms: Some(ms),
                ..query
            },
            (Some(at), ..) | (None, Some(at), None) => LogPageQuery {
                cursor: Some(LogPlace(vec![at])),
                ..query
            },
            (None, None, None) => query,
        }
    }

    pub(super) fn open_around(&mut self, line: Spotted, point: bool, asking: &mut Asking<'_>) {
        let query = LogPageQuery {
            before: PAGE,
            after: PAGE,
            ..self.page()
        };
        let query = self.place(line, query);
        self.ask(Wanted::Around { line, point }, query, asking);
    }

    /// Begins where it was left.
    pub(in crate::tui) fn return_to(&mut self, place: Anchor, asking: &mut Asking<'_>) {
        self.anchor = Some(place);
        self.open_around(place.line, false, asking);
    }

    /// Goes to the first line at a moment or later.
    pub(in crate::tui) fn open_at(&mut self, ms: u64, shape: Shape, asking: &mut Asking<'_>) {
        if self.buffer.spans(ms) {
            if let Some(number) = self.buffer.at_time(ms) {
                self.point_at(number, shape);
            }
            return;
        }
        let query = LogPageQuery {
            before: PAGE,
            after: PAGE,
            at_ms: Some(ms),
            ..self.page()
        };
        self.ask(Wanted::At { ms }, query, asking);
    }

    /// Asks for more at an end, wherever the pane stands.
    pub(in crate::tui) fn ask_more(&mut self, way: Way, asking: &mut Asking<'_>) {
        let (wanted, query) = match way {
            Way::Back => (
                Wanted::Before,
                LogPageQuery {
                    cursor: Some(self.buffer.start()),
                    before: PAGE,
                    ..self.page()
                },
            ),
            Way::On => (
                Wanted::After,
                LogPageQuery {
                    cursor: Some(self.buffer.end()),
                    after: PAGE,
                    ..self.page()
                },
            ),
        };
        self.ask(wanted, query, asking);
    }

    /// Ends its stream.
    pub(in crate::tui) fn hush(&mut self, asking: &mut Asking<'_>) {
        asking.close(self.stream.take());
        self.due = None;
    }

    /// Follows from where the lines in memory end; when more is between there and now, only to count what comes.
    fn listen(&mut self, asking: &mut Asking<'_>) {
        if self.stream.is_some() || !asking.live {
            return;
        }
        let end = self.buffer.end();
        let cursor = (self.buffer.newest && !end.0.is_empty()).then_some(end);
        let query = LogQuery {
            lines: cursor.is_none().then_some(0),
            cursor,
            follow: true,
            rate: Some(RATE),
            ..self.everything()
        };
        self.stream = Some(asking.follow(query));
    }

    /// After the connection came back, or an instance: goes on where it ended.
    pub(in crate::tui) fn reopen(&mut self, asking: &mut Asking<'_>) {
        asking.close(self.stream.take());
        self.asked = None;
        self.due = None;
        self.forget_ours();
        match self.anchor {
            _ if self.buffer.newest && self.refused.is_none() => self.listen(asking),
            Some(anchor) => self.open_around(anchor.line, false, asking),
            None => self.open(asking),
        }
    }

    /// Another filter, stream or level.
    pub(in crate::tui) fn rescope(
        &mut self,
        change: impl FnOnce(&mut Scope),
        asking: &mut Asking<'_>,
    ) {
        change(&mut self.scope);
        self.selected_from = None;
        self.hush(asking);
        // At once what is known, then what the daemon says.
        if let Ok(filter) = Filter::new(&self.scope.filter.join("\n"), self.scope.level) {
            let stream = self.scope.stream;
            self.buffer.retain(|line| {
                line.stream()
                    .is_none_or(|here| stream.is_none_or(|s| s == here))
                    && filter.passes(line.text.plain().as_bytes())
            });
        }
        self.point = None;
        self.refused = None;
        match self.anchor {
            Some(anchor) => {
                self.settle_anchor(anchor);
                self.open_around(anchor.line, false, asking);
            }
            None => self.open(asking),
        }
    }

    /// Asks for what is soon wanted: called after everything that moves.
    pub(in crate::tui) fn settle(&mut self, shape: Shape, asking: &mut Asking<'_>) {
        if self.due.is_some_and(|due| due <= asking.now) && asking.live {
            self.reopen(asking);
        }
        if self.asked.is_some() || self.refused.is_some() || self.due.is_some() || !asking.live {
            return;
        }
        self.ask_ours(asking);
        if self.anchor.is_none() {
            if !self.buffer.newest {
                self.open(asking);
            }
            return;
        }
        let near = 2 * shape.height.max(1);
        let (top, _) = self.top(shape);
        if top < near && !self.buffer.oldest {
            self.ask_more(Way::Back, asking);
        } else if top + near + shape.height > self.buffer.len() && !self.buffer.newest {
            self.ask_more(Way::On, asking);
        }
    }

    /// Asks for the lines of the gap before the line that is pointed at.
    pub(in crate::tui) fn fill_gap(&mut self, asking: &mut Asking<'_>) -> bool {
        let Some(line) = self.pointed().filter(|line| line.gap > 0) else {
            return false;
        };
        let number = line.number;
        let query = LogPageQuery {
            cursor: line.at.map(|at| LogPlace(vec![at])),
            before: usize::try_from(line.gap).unwrap_or(usize::MAX).min(5_000),
            ..self.page()
        };
        self.ask(Wanted::Gap { number }, query, asking);
        true
    }

    // What is heard.

    pub(in crate::tui) fn owns(&self, ticket: Ticket) -> bool {
        self.streams(ticket) || self.asked.as_ref().is_some_and(|(t, _)| *t == ticket)
    }

    pub(in crate::tui) fn streams(&self, ticket: Ticket) -> bool {
        self.stream == Some(ticket)
    }

    /// A line of its stream; whether it was not known.
    pub(in crate::tui) fn take_line(&mut self, line: &LogLine) -> bool {
        let keep = self.anchor.map(|anchor| anchor.number - SPARE);
        let taken = self.buffer.push(line, keep);
        if taken == Taken::Known {
            return false;
        }
        let log = (line.id, line.stream);
        let heard = self.heard.entry(log).or_default();
        if line.offset >= *heard {
            *heard = line.offset + 1;
            if self.anchor.is_some() {
                self.new += 1 + line.gap;
            } else if let Some(ms) = line.time {
                self.rate.came(ms, line.gap);
            }
        }
        true
    }

    /// Its stream is over.
    pub(in crate::tui) fn take_end(&mut self, asking: &Asking<'_>) {
        self.stream = None;
        if asking.live {
            self.due = Some(asking.now + AGAIN);
        }
    }

    /// A page that was asked for, or why there is none.
    pub(in crate::tui) fn take_page(
        &mut self,
        ticket: Ticket,
        answer: Result<LogPage, String>,
        shape: Shape,
        asking: &mut Asking<'_>,
    ) {
        let Some((_, wanted)) = self.asked.take_if(|(t, _)| *t == ticket) else {
            return;
        };
        let page = match answer {
            Ok(page) => page,
            Err(why) => {
                self.refused = Some(why);
                self.due = Some(asking.now + AGAIN);
                return;
            }
        };
        self.refused = None;
        let was_newest = self.buffer.newest;
        let another = matches!(
            wanted,
            Wanted::Tail | Wanted::Around { .. } | Wanted::At { .. }
        );
        if another {
            self.forget_ours();
        }
        match wanted {
            Wanted::Tail => {
                self.buffer.replace(&page);
                // In a flood there is more already; the stream goes on from here.
                self.buffer.newest = true;
                if self.to_pause {
                    self.pause(shape);
                }
            }
            Wanted::Around { line, point } => {
                self.buffer.replace(&page);
                if let Some(number) = self.buffer.find(line, true) {
                    if point {
                        self.point_at(number, shape);
                    } else if let Some(anchor) = &mut self.anchor {
                        anchor.number = number;
                    }
                }
            }
            Wanted::At { ms } => {
                self.buffer.replace(&page);
                if let Some(number) = self.buffer.at_time(ms) {
                    self.point_at(number, shape);
                }
            }
            Wanted::Before => self.buffer.prepend(&page),
            Wanted::After => {
                let keep = self.anchor.map(|anchor| anchor.number - SPARE);
                self.buffer.append(&page, keep);
            }
            Wanted::Gap { number } => self.buffer.fill(number, &page.lines),
        }
        if another || (self.buffer.newest && !was_newest) {
            // What came meanwhile is read from where the page ends.
            asking.close(self.stream.take());
        }
        self.listen(asking);
    }
}
