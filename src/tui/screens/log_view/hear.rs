//! What the views hear: lines, ends of streams, pages, news of searches, and that time passed.

use std::time::Duration;

use crate::api::{Event, LogLine, LogPage, SearchNews};
use crate::domain::saying::is_said;
use crate::domain::spec::Stream;
use crate::logs::safe::{SafeText, WHOLE_MAX};
use crate::tui::log::{Asking, Hunt, Row, Strip, Times, fields};
use crate::tui::model::Model;
use crate::tui::msg::Cmd;
use crate::tui::query::{Answer, Ticket};

use super::{Areas, LogView, is_large, on_view, seats, strip_columns, strip_span, view};

impl LogView {
    /// Asks for all that is wanted now.
    pub(super) fn settle(&mut self, areas: &Areas, asking: &mut Asking<'_>) {
        self.lock(areas, asking);
        for n in 0..self.panes.len() {
            let shape = self.shape(areas, n);
            if let Some(pane) = self.panes.get_mut(n) {
                pane.settle(shape, asking);
            }
        }
        let shape = self.shape(areas, self.at);
        self.seek_further(shape, asking);
        // The line for itself is the one that is pointed at.
        if let Some(whole) = &self.whole
            && let Some(pane) = self.pane()
        {
            match pane.pointed() {
                Some(line) if line.number == whole.number => {}
                Some(_) => self.show_whole(asking),
                None => self.whole = None,
            }
        }
        self.count(areas, asking);
        self.ask_endings(areas, asking);
    }

    /// How the runs ended is asked when the rule between two is seen.
    fn ask_endings(&mut self, areas: &Areas, asking: &mut Asking<'_>) {
        let mut runs = Vec::new();
        for (n, pane) in self.panes.iter().enumerate() {
            for row in pane.rows(self.shape(areas, n)) {
                if let Row::Run(line) = row {
                    let both = line.after_run.into_iter().chain(line.run);
                    runs.extend(both.map(|run| (line.id, run)));
                }
            }
        }
        self.endings.ask(runs.into_iter(), asking);
    }

    /// The other panes stand where this one stands.
    fn lock(&mut self, areas: &Areas, asking: &mut Asking<'_>) {
        let shape = self.shape(areas, self.at);
        let Some(moment) = self.pane().map(|pane| pane.moment(shape)) else {
            return;
        };
        if self.panes.len() < 2 || self.locked_to == Some(moment) {
            return;
        }
        let mut all = true;
        for n in (0..self.panes.len()).filter(|n| *n != self.at) {
            let shape = self.shape(areas, n);
            let Some(pane) = self.panes.get_mut(n) else {
                continue;
            };
            match moment {
                _ if pane.is_asking() => all = false,
                Some(ms) => pane.open_at(ms, shape, asking),
                None if pane.is_following() => {}
                None => pane.follow(asking),
            }
        }
        if all {
            self.locked_to = Some(moment);
        }
    }

    /// The counts of the strip.
    fn count(&mut self, areas: &Areas, asking: &mut Asking<'_>) {
        let Some(strip) = areas.strip else {
            return;
        };
        let buckets = usize::from(strip_columns(strip));
        let shape = self.shape(areas, self.at);
        let Some(pane) = self.panes.get(self.at) else {
            return;
        };
        if buckets == 0 || !asking.live || pane.refused.is_some() {
            return;
        }
        let moment = pane.moment(shape);
        if self.strip.is_asking() || !self.strip.is_far(moment, asking.wall_ms, buckets) {
            return;
        }
        let (from, to) = Strip::around(moment, asking.wall_ms, strip_span(strip));
        self.strip.ask(pane.counts(from, to, buckets), asking);
        if is_large(strip) {
            self.strip.ask_runs(pane.happenings(from, to), asking);
        }
    }

    fn take_answer(
        &mut self,
        ticket: Ticket,
        answer: Result<Answer, String>,
        areas: &Areas,
        asking: &mut Asking<'_>,
    ) {
        if let Some(whole) = &mut self.whole
            && whole.ticket == Some(ticket)
        {
            whole.ticket = None;
            if let Ok(Answer::LogPage(page)) = answer
                && let Some(line) = page.lines.first()
            {
                let text = SafeText::up_to(&line.bytes(), WHOLE_MAX);
                whole.fields = fields(&text.plain());
                whole.text = Some(text);
            }
            return;
        }
        if let Some(pane) = self.panes.iter_mut().find(|pane| pane.asked_ours(ticket)) {
            pane.take_ours(match &answer {
                Ok(Answer::LogEvents(told)) => Some(told),
                Ok(_) | Err(_) => None,
            });
            return;
        }
        if self.endings.is_for(ticket) {
            self.endings.take(match answer {
                Ok(Answer::Endings(told)) => told,
                Ok(_) | Err(_) => vec![],
            });
            return;
        }
        if self.strip.asked_runs(ticket) {
            self.strip.take_runs(match &answer {
                Ok(Answer::LogEvents(told)) => Some(told),
                Ok(_) | Err(_) => None,
            });
            return;
        }
        if self.strip.is_for(ticket) {
            let counted = answer.and_then(|answer| {
                let Answer::LogHistogram(counted) = answer else {
                    return Err("another answer".to_owned());
                };
                Ok(counted)
            });
            self.strip.take(ticket, counted);
            return;
        }
        let page = answer.and_then(|answer| {
            let Answer::LogPage(page) = answer else {
                return Err("another answer".to_owned());
            };
            Ok(page)
        });
        self.take_page(ticket, page, areas, asking);
    }

    fn take_page(
        &mut self,
        ticket: Ticket,
        page: Result<LogPage, String>,
        areas: &Areas,
        asking: &mut Asking<'_>,
    ) {
        let Some(n) = self.panes.iter().position(|pane| pane.owns(ticket)) else {
            return;
        };
        let shape = self.shape(areas, n);
        if let Some(pane) = self.panes.get_mut(n) {
            pane.take_page(ticket, page, shape, asking);
        }
    }

    fn take_lines(&mut self, ticket: Ticket, lines: &[LogLine]) {
        let Some(n) = self.panes.iter().position(|pane| pane.streams(ticket)) else {
            return;
        };
        for line in lines {
            let Some(pane) = self.panes.get_mut(n) else {
                return;
            };
            if !pane.take_line(line) || n != self.at {
                continue;
            }
            let at = line.cursor();
            let last = pane.buffer.last_written();
            let Some(last) = last.filter(|last| last.at == Some(at)) else {
                continue;
            };
            if let Some(ms) = line.time {
                let stderr = line.stream == Stream::Err;
                self.strip.came(ms, line.gap, last.is_error(), stderr);
            }
            if let Some(hunt) = &mut self.hunt
                && !hunt.is_counting()
                && hunt.words.is_in(&last.text.plain())
            {
                hunt.came(at);
            }
        }
    }

    fn owns(&self, ticket: Ticket) -> bool {
        self.panes.iter().any(|pane| pane.streams(ticket))
            || self.hunt.as_ref().and_then(Hunt::counting) == Some(ticket)
            || self.seeks(ticket)
    }
}

/// Every view there is.
fn views(model: &Model) -> impl Iterator<Item = &LogView> {
    seats(model).filter_map(|seat| view(model, seat))
}

/// Whether a view has this stream or search open.
pub(in crate::tui) fn owns(model: &Model, ticket: Ticket) -> bool {
    views(model).any(|view| view.owns(ticket))
}

/// Works on every view.
fn on_all(
    model: &mut Model,
    commands: &mut Vec<Cmd>,
    work: impl Fn(&mut LogView, &Areas, &mut Asking<'_>),
) {
    for seat in seats(model) {
        on_view(model, seat, commands, &work);
    }
}

/// Lines of a stream.
pub(in crate::tui) fn streamed(
    model: &mut Model,
    ticket: Ticket,
    lines: &[LogLine],
    commands: &mut Vec<Cmd>,
) {
    on_all(model, commands, |view, _, _| view.take_lines(ticket, lines));
}

/// A stream is over.
pub(in crate::tui) fn stream_over(model: &mut Model, ticket: Ticket, commands: &mut Vec<Cmd>) {
    on_all(model, commands, |view, _, asking| {
        for pane in view.panes.iter_mut().filter(|pane| pane.streams(ticket)) {
            pane.take_end(asking);
        }
    });
}

/// Something happened to an instance: adasa says so where its lines are.
pub(in crate::tui) fn happened(model: &mut Model, event: &Event, commands: &mut Vec<Cmd>) {
    if !is_said(event) {
        return;
    }
    let Some(view) = event
        .id
        .and_then(|id| model.rows.get(&id))
        .map(|row| row.view.clone())
    else {
        return;
    };
    let candidate = view.candidate();
    on_all(model, commands, |view, _, _| {
        if view.pane().is_some_and(|pane| pane.scope.takes(&candidate)) {
            view.strip.happened(event);
        }
        let panes = view.panes.iter_mut();
        for pane in panes.filter(|pane| pane.scope.takes(&candidate)) {
            pane.happened(event);
        }
    });
}

/// News of a search.
pub(in crate::tui) fn news(
    model: &mut Model,
    ticket: Ticket,
    news: &Result<SearchNews, String>,
    commands: &mut Vec<Cmd>,
) {
    on_all(model, commands, |view, areas, asking| {
        let shape = view.shape(areas, view.at);
        view.take_news(ticket, news, shape, asking);
    });
}

/// An answer of the daemon, for whichever view asked.
pub(in crate::tui) fn fetched(
    model: &mut Model,
    ticket: Ticket,
    answer: &Result<Answer, String>,
    commands: &mut Vec<Cmd>,
) {
    on_all(model, commands, |view, areas, asking| {
        view.take_answer(ticket, answer.clone(), areas, asking);
    });
}

/// The connection is back: every stream goes on where it ended.
pub(in crate::tui) fn reconnected(model: &mut Model, commands: &mut Vec<Cmd>) {
    on_all(model, commands, |view, _, asking| {
        view.end_count(asking);
        view.end_seek(asking);
        view.strip.forget();
        view.endings.forget_question();
        for pane in &mut view.panes {
            pane.reopen(asking);
        }
    });
}

/// An instance is new: it may belong to what is shown.
pub(in crate::tui) fn joined(model: &mut Model, commands: &mut Vec<Cmd>) {
    on_all(model, commands, |view, _, asking| {
        let sets = view
            .panes
            .iter_mut()
            .filter(|pane| pane.scope.is_open_set());
        for pane in sets {
            pane.reopen(asking);
        }
    });
}

/// When something is tried again, or a time that is shown is another.
pub(in crate::tui) fn due(model: &Model) -> Option<Duration> {
    let mut due = None;
    for view in views(model) {
        let again = view.panes.iter().filter_map(|pane| pane.due);
        let again = again.filter(|_| model.is_live());
        let ages = (view.times == Times::Ago).then(|| Duration::from_secs(model.now.as_secs() + 1));
        due = again.chain(ages).chain(due).min();
    }
    due
}

/// Time passed, or the size is another.
pub(in crate::tui) fn tick(model: &mut Model, commands: &mut Vec<Cmd>) {
    on_all(model, commands, |_, _, _| {});
}
