//! A daemon that has logs: answers what a view asks, as the real one does.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{
    Bucket, Cursor, Event, Level, LogEvents, LogEventsQuery, LogHistogram, LogHistogramQuery,
    LogLine, LogPage, LogPageQuery, LogPlace, LogQuery, LogSearchQuery, Reason, SearchEnd,
    SearchNews, SearchState, What,
};
use crate::domain::exit::{Ending, Exit};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::logs::filter::{Filter, Pattern};
use crate::tui::log::Told;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};

use super::desk::{Desk, noon_ms};

/// The end of a run, with 1, by itself, after 0.4 s.
pub(super) fn exit(run: u64) -> What {
    What::Exit {
        run: RunId(run),
        exit: Exit {
            ending: Ending::Code(1),
            at_ms: 0,
            cpu_ms: 0,
            peak_rss: 0,
        },
        lasted_ms: 400,
        reason: Reason::Itself,
    }
}

/// Lines in the order of time.
#[derive(Clone, Default)]
pub(super) struct Library {
    pub(super) lines: Vec<LogLine>,
    /// What happened, in the order of time.
    pub(super) events: Vec<Event>,
    /// Searches go on until they are told to end.
    pub(super) slow: bool,
}

impl Library {
    /// Adds a line; ends and times go on.
    pub(super) fn write(&mut self, id: u32, name: &str, stream: Stream, run: u64, text: &str) {
        let time = noon_ms() + 137 * self.lines.len() as u64;
        let log = |line: &&LogLine| line.id == InstanceId(id) && line.stream == stream;
        let before = self.lines.iter().rev().find(log);
        let mut line = LogLine {
            time: Some(time),
            id: InstanceId(id),
            name: name.to_owned(),
            stream,
            run: Some(RunId(run)),
            offset: before.map_or(0, |line| line.end().offset),
            line: String::new(),
            raw: None,
            complete: true,
            gap: 0,
            missing: 0,
            dropped: 0,
            damaged: false,
        };
        line.set_bytes(text.as_bytes());
        self.lines.push(line);
    }

    fn passing(
        &self,
        select: &str,
        stream: Option<Stream>,
        filter: &str,
        level: Option<Level>,
    ) -> Vec<bool> {
        let filter = Filter::new(filter, level).unwrap();
        let passes = |line: &LogLine| {
            let id = line.id.to_string();
            let selected = select
                .split(',')
                .map(|word| word.trim_start_matches("default/"))
                .any(|word| {
                    let copy = line.name.strip_prefix(word);
                    let copy = copy.is_some_and(|rest| rest.starts_with('-'));
                    word == "all" || word == id || word == line.name || copy
                });
            selected && stream.is_none_or(|s| s == line.stream) && filter.passes(&line.bytes())
        };
        self.lines.iter().map(passes).collect()
    }

    /// The line before which a place is.
    fn index(&self, place: &LogPlace) -> usize {
        let named: BTreeMap<_, _> = place
            .0
            .iter()
            .map(|c| ((c.id, c.stream), c.offset))
            .collect();
        let newest = place
            .0
            .iter()
            .filter_map(|cursor| self.lines.iter().position(|line| line.cursor() == *cursor))
            .max();
        let behind = |(n, line): (usize, &LogLine)| match named.get(&(line.id, line.stream)) {
            Some(offset) => line.offset >= *offset,
            None => newest.is_some_and(|newest| n >= newest),
        };
        self.lines
            .iter()
            .enumerate()
            .position(behind)
            .unwrap_or(self.lines.len())
    }

    fn place(&self, index: usize) -> LogPlace {
        let mut ends: BTreeMap<(InstanceId, Stream), u64> = BTreeMap::new();
        for line in &self.lines {
            ends.entry((line.id, line.stream)).or_insert(0);
        }
        for line in &self.lines[..index] {
            ends.insert((line.id, line.stream), line.end().offset);
        }
        let cursor = |((id, stream), offset)| Cursor { id, stream, offset };
        LogPlace(ends.into_iter().map(cursor).collect())
    }

    fn page(&self, query: &LogPageQuery) -> LogPage {
        let passing = self.passing(&query.select, query.stream, &query.filter, query.level);
        let at = match (&query.cursor, query.at_ms) {
            (Some(place), _) => self.index(place),
            (None, Some(ms)) => self.lines.partition_point(|line| line.time < Some(ms)),
            (None, None) => self.lines.len(),
        };
        let (mut from, mut to) = (at, at);
        let (mut before, mut after) = (query.before, query.after);
        while before > 0 && from > 0 {
            from -= 1;
            before -= usize::from(passing[from]);
        }
        while after > 0 && to < self.lines.len() {
            after -= usize::from(passing[to]);
            to += 1;
        }
        let lines = (from..to).filter(|n| passing[*n]);
        LogPage {
            lines: lines.map(|n| self.lines[n].clone()).collect(),
            start: self.place(from),
            end: self.place(to),
            oldest: from == 0,
            newest: to == self.lines.len(),
            complete: true,
        }
    }

    /// Something happens after the last line.
    pub(super) fn happen(&mut self, id: u32, name: &str, what: What) -> Event {
        let last = self.lines.last().and_then(|line| line.time);
        let event = Event {
            at_ms: last.unwrap_or(noon_ms()) + 1,
            id: Some(InstanceId(id)),
            name: name.to_owned(),
            what,
        };
        self.events.push(event.clone());
        event
    }

    fn happened(&self, query: &LogEventsQuery) -> LogEvents {
        let span = query.from_ms..=query.to_ms.unwrap_or(u64::MAX);
        let wanted = |event: &&Event| {
            let of = event.id.map(|id| id.to_string()).unwrap_or_default();
            let name = query.select.trim_start_matches("default/");
            let selected = query.select.split(',').any(|word| word == of);
            span.contains(&event.at_ms) && (selected || event.name.starts_with(name))
        };
        LogEvents {
            events: self.events.iter().filter(wanted).cloned().collect(),
            since_ms: query.from_ms,
        }
    }

    fn search(&self, query: &LogSearchQuery) -> Vec<SearchNews> {
        let passing = self.passing(&query.select, query.stream, &query.filter, query.level);
        let pattern = Pattern::new(&query.pattern).unwrap();
        let hit = |n: &usize| {
            let bytes = self.lines[*n].bytes();
            let error = !query.errors || Level::of(&bytes) == Some(Level::Error);
            passing[*n] && error && pattern.matches(&bytes)
        };
        let at = query.cursor.as_ref().map(|place| self.index(place));
        let all = self.lines.len();
        let hits: Vec<usize> = if query.backward {
            (0..at.unwrap_or(all)).rev().filter(hit).collect()
        } else {
            (at.unwrap_or(0)..all).filter(hit).collect()
        };
        let limit = query.limit.unwrap_or(1);
        let state = SearchState {
            hits: hits.len() as u64,
            lines: all as u64,
            bytes: 0,
            next: LogPlace::default(),
        };
        let told = hits.iter().take(limit);
        let mut news: Vec<SearchNews> = told
            .map(|n| SearchNews::Hit {
                line: Box::new(self.lines[*n].clone()),
            })
            .collect();
        let end = if query.count || hits.len() < limit {
            SearchEnd::Exhausted
        } else {
            SearchEnd::Limit
        };
        news.push(if self.slow {
            SearchNews::Progress(state)
        } else {
            SearchNews::Done { state, end }
        });
        news
    }

    fn histogram(&self, query: &LogHistogramQuery) -> LogHistogram {
        let (from, to) = (query.from_ms, query.to_ms.unwrap());
        let count = query.buckets.unwrap();
        let mut buckets = vec![Bucket::default(); count];
        for line in &self.lines {
            let time = line.time.unwrap();
            if (from..to).contains(&time) {
                let n = (time - from) * count as u64 / (to - from);
                let bucket = &mut buckets[usize::try_from(n).unwrap()];
                bucket.lines += 1;
                let error = Level::of(&line.bytes()) == Some(Level::Error);
                bucket.errors += u64::from(error);
            }
        }
        LogHistogram {
            from_ms: from,
            to_ms: to,
            buckets,
            complete: true,
            counted_ms: to,
        }
    }
}

/// A desk with a library behind it.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) desk: Desk,
    pub(super) library: Library,
    /// Streams that are open, and up to which line they were told.
    pub(super) streams: BTreeMap<Ticket, (LogQuery, usize)>,
    /// Of whose runs it was asked how they ended.
    pub(super) asked_endings: Vec<Vec<String>>,
}

impl Reading {
    /// The log view of what is selected.
    pub(super) fn open(mut desk: Desk, library: Library) -> Self {
        desk.wait(200);
        desk.press("l l");
        Self::behind(desk, library)
    }

    /// A library behind a desk.
    pub(super) fn behind(desk: Desk, library: Library) -> Self {
        let mut it = Self {
            desk,
            library,
            streams: BTreeMap::new(),
            asked_endings: Vec::new(),
        };
        it.serve();
        it
    }

    /// Answers until nothing is wanted any more.
    pub(super) fn serve(&mut self) {
        for _ in 0..1000 {
            let wanted = std::mem::take(&mut self.desk.wanted);
            if wanted.is_empty() {
                return;
            }
            for command in wanted {
                self.perform(command);
            }
        }
        panic!("it asks for ever");
    }

    fn perform(&mut self, command: Cmd) {
        match command {
            Cmd::Fetch { ticket, query } => {
                let answer = match query {
                    Query::LogPage(query) => Answer::LogPage(self.library.page(&query)),
                    Query::LogHistogram(query) => {
                        Answer::LogHistogram(self.library.histogram(&query))
                    }
                    Query::LogEvents(query) => Answer::LogEvents(self.library.happened(&query)),
                    Query::Endings { select } => Answer::Endings(self.endings(&select)),
                    _ => return,
                };
                let answer = Ok(answer);
                self.desk.send(Msg::Fetched { ticket, answer });
            }
            Cmd::Search { ticket, query } => {
                for news in self.library.search(&query) {
                    let news = Ok(news);
                    self.desk.send(Msg::News { ticket, news });
                }
            }
            Cmd::Stream { ticket, query } => {
                let at = query.cursor.as_ref().map(|place| self.library.index(place));
                let at = at.unwrap_or(self.library.lines.len());
                self.streams.insert(ticket, (query, at));
                self.flow();
            }
            Cmd::Close { ticket } => {
                self.streams.remove(&ticket);
            }
            _ => {}
        }
    }

    /// All runs but the last are over; the first is not remembered.
    fn endings(&mut self, select: &[String]) -> Vec<Told> {
        self.asked_endings.push(select.to_vec());
        let runs = self.library.lines.iter().filter_map(|line| {
            let run = line.run.filter(|run| run.0 > 1)?;
            select
                .contains(&line.id.to_string())
                .then_some((line.id, run))
        });
        let runs: BTreeSet<_> = runs.collect();
        let last = runs.last().map(|(_, run)| *run);
        let told = runs.into_iter().map(|(id, run)| Told {
            id,
            run,
            end: (Some(run) != last).then(|| "exit 1, up 2m 17s".to_owned()),
            begun_by: Some("restart by ops\x1b[2J".to_owned()),
        });
        told.collect()
    }

    /// Tells every stream what it was not told yet.
    pub(super) fn flow(&mut self) {
        let end = self.library.lines.len();
        let mut told = Vec::new();
        for (ticket, (query, at)) in &mut self.streams {
            let filter = &query.filter;
            let passing = self
                .library
                .passing(&query.select, query.stream, filter, query.level);
            let new = (*at..end).filter(|n| passing[*n]);
            let lines: Vec<LogLine> = new.map(|n| self.library.lines[n].clone()).collect();
            *at = end;
            if !lines.is_empty() {
                told.push((*ticket, lines));
            }
        }
        for (ticket, lines) in told {
            self.desk.send(Msg::Streamed { ticket, lines });
        }
        self.serve();
    }

    pub(super) fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.desk.press(key);
            self.serve();
        }
    }

    /// Types into a prompt that a key opens.
    pub(super) fn prompt(&mut self, key: &str, text: &str) {
        self.press(key);
        self.desk.type_text(text);
        self.press("Enter");
    }

    pub(super) fn screen(&self) -> String {
        self.desk.screen()
    }

    /// The texts of the rows of lines, from the top.
    pub(super) fn texts(&self) -> Vec<String> {
        let screen = self.screen();
        let texts = screen.lines().filter_map(|row| {
            let at = row.find("out\u{2502} ").or(row.find("err\u{2502} "))?;
            Some(row[at + 7..].trim_end().to_owned())
        });
        texts.collect()
    }

    pub(super) fn top(&self) -> String {
        self.texts().first().cloned().unwrap_or_default()
    }

    pub(super) fn last(&self) -> String {
        self.texts().last().cloned().unwrap_or_default()
    }
}
