//! What the daemon says about itself, and the remarks of this session. Keys are those of tui-logger's smart widget.

mod limits;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::{Level, Record, RecordQuery};
use crate::logs::safe::SafeText;
use crate::tui::keymap::Action;
use crate::tui::log::breaks;
use crate::tui::model::{Message, Model};
use crate::tui::msg::Cmd;
use crate::tui::query::Ticket;
use crate::tui::regions::regions;

use super::{Handled, Screen};

pub(in crate::tui) use limits::{Limits, passes};
use limits::{less, more};

/// How many records are kept.
const KEPT: usize = 5_000;
/// How many records back are asked for.
const BACK: usize = 500;
/// The most rows that one record takes.
const ROWS_MAX: usize = 100;
/// A log that could not be opened is opened again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// Under this name stand the remarks of this session.
pub(in crate::tui) const OWN: &str = "tui";
/// The longest name of a target.
const TARGET_MAX: usize = 20;
/// Below this width there is no list of targets, and no column for them.
const NARROW: u16 = 60;

/// A record, and its place among the others: by time, then as they came.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Entry {
    key: (u64, u64),
    pub(in crate::tui) record: Record,
}

/// The rows of a message in so many cells.
pub(in crate::tui) fn rows(message: &str, room: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for part in message.split('\n') {
        let text = SafeText::new(part.as_bytes());
        let plain = text.plain();
        let starts = breaks(&text, room.max(1));
        let ends = starts.iter().skip(1).copied().chain([plain.len()]);
        for (start, end) in starts.iter().zip(ends) {
            if rows.len() == ROWS_MAX {
                return rows;
            }
            rows.push(plain.get(*start..end).unwrap_or("").to_owned());
        }
    }
    rows
}

/// Where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct Areas {
    pub(in crate::tui) title: Rect,
    pub(in crate::tui) targets: Option<Rect>,
    pub(in crate::tui) records: Rect,
    /// Cells for the target in each row; none without room for them.
    pub(in crate::tui) target: usize,
}

impl Areas {
    /// Cells before a message: time, level, target.
    pub(in crate::tui) fn head(&self) -> usize {
        let target = if self.target == 0 { 0 } else { self.target + 1 };
        "12:03:58 I ".len() + target
    }

    fn room(&self) -> usize {
        usize::from(self.records.width).saturating_sub(self.head())
    }
}

/// The screen.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct OwnLogScreen {
    entries: VecDeque<Entry>,
    count: u64,
    pub(in crate::tui) targets: BTreeMap<String, Limits>,
    pub(in crate::tui) selected: usize,
    /// Without the list of targets.
    hidden: bool,
    /// Without those of which nothing is shown.
    without_off: bool,
    /// Only the selected target.
    pub(in crate::tui) focused: bool,
    /// The record at the bottom while it is paused.
    anchor: Option<(u64, u64)>,
    /// How many that pass have come since.
    pub(in crate::tui) arrived: usize,
    stream: Option<Ticket>,
    /// What the stream was asked for.
    asked: Level,
    /// When it is opened again.
    pub(in crate::tui) due: Option<Duration>,
    /// Records that were not sent.
    pub(in crate::tui) missed: u64,
}

impl OwnLogScreen {
    fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            count: 0,
            targets: BTreeMap::new(),
            selected: 0,
            hidden: false,
            without_off: false,
            focused: false,
            anchor: None,
            arrived: 0,
            stream: None,
            asked: Level::Info,
            due: None,
            missed: 0,
        }
    }

    pub(in crate::tui) fn owns(&self, ticket: Ticket) -> bool {
        self.stream == Some(ticket)
    }

    pub(in crate::tui) fn is_paused(&self) -> bool {
        self.anchor.is_some()
    }

    /// The mildest that is taken of any target.
    pub(in crate::tui) fn captured(&self) -> Level {
        let limits = self.targets.values().filter_map(|it| it.captured);
        limits.min().unwrap_or(Level::Info).min(Level::Info)
    }

    /// The targets that are listed.
    pub(in crate::tui) fn listed(&self) -> Vec<(&str, Limits)> {
        let all = self.targets.iter().map(|(name, it)| (name.as_str(), *it));
        all.filter(|(_, it)| !self.without_off || it.shown.is_some())
            .collect()
    }

    fn chosen(&self) -> Option<String> {
        self.listed()
            .get(self.selected)
            .map(|(name, _)| (*name).to_owned())
    }

    pub(in crate::tui) fn areas(&self, screen: Rect) -> Areas {
        let title = Rect {
            height: screen.height.min(1),
            ..screen
        };
        let body = Rect {
            y: screen.y + title.height,
            height: screen.height - title.height,
            ..screen
        };
        let wide = screen.width >= NARROW;
        let longest = self.targets.keys().map(String::len).max().unwrap_or(0);
        let longest = longest.clamp("TARGET".len(), TARGET_MAX);
        let beside = if wide && !self.hidden {
            u16::try_from(longest).unwrap_or(0) + 10
        } else {
            0
        };
        Areas {
            title,
            targets: (beside > 0).then_some(Rect {
                width: beside.saturating_sub(1),
                ..body
            }),
            records: Rect {
                x: body.x + beside,
                width: body.width.saturating_sub(beside),
                ..body
            },
            target: if wide { longest } else { 0 },
        }
    }

    fn is_shown(&self, record: &Record) -> bool {
        let limit = self.targets.get(&record.target).and_then(|it| it.shown);
        let here = !self.focused || self.chosen().is_none_or(|it| it == record.target);
        here && passes(limit, record.level)
    }

    /// Behind which record the rows end.
    fn end(&self) -> usize {
        self.anchor.map_or(self.entries.len(), |anchor| {
            self.entries.partition_point(|it| it.key <= anchor)
        })
    }

    /// The records of these rows, the last at the bottom.
    pub(in crate::tui) fn visible(&self, areas: &Areas) -> Vec<&Record> {
        let (room, height) = (areas.room(), usize::from(areas.records.height));
        let mut left = height;
        let mut seen = Vec::new();
        let before = self.entries.range(..self.end()).rev();
        for entry in before.filter(|it| self.is_shown(&it.record)) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(rows(&entry.record.text(), room).len());
            seen.push(&entry.record);
        }
        seen.reverse();
        seen
    }

    fn put(&mut self, mut record: Record) {
        let known = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        let target = record.target.chars().take(TARGET_MAX);
        record.target = target.map(|c| if known(c) { c } else { '?' }).collect();
        self.missed += record.missed;
        let limits = self.targets.entry(record.target.clone());
        let limits = *limits.or_insert(Limits::USUAL);
        if !passes(limits.captured, record.level) {
            return;
        }
        let key = (record.at_us, self.count);
        self.count += 1;
        let place = self.entries.partition_point(|it| it.key <= key);
        if self.is_paused() && self.is_shown(&record) {
            self.arrived += 1;
        }
        self.entries.insert(place, Entry { key, record });
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
    }

    pub(in crate::tui) fn remark(&mut self, message: &Message) {
        self.put(Record {
            at_us: message.at_ms.saturating_mul(1000),
            level: if message.bad {
                Level::Error
            } else {
                Level::Info
            },
            target: OWN.to_owned(),
            message: message.text.clone(),
            fields: BTreeMap::new(),
            missed: 0,
        });
    }

    /// Moves by rows, at least by one record; a move up pauses.
    fn scroll(&mut self, by: isize, areas: &Areas) {
        let (room, height) = (areas.room(), usize::from(areas.records.height));
        let shown = self.entries.iter().filter(|it| self.is_shown(&it.record));
        let shown: Vec<(usize, (u64, u64))> = shown
            .map(|it| (rows(&it.record.text(), room).len(), it.key))
            .collect();
        let Some(last) = shown.len().checked_sub(1) else {
            return;
        };
        // The first picture that is full.
        let mut filled = 0;
        let first = shown.iter().position(|(rows, _)| {
            filled += rows;
            filled >= height
        });
        let Some(first) = first.filter(|first| *first < last) else {
            return;
        };
        let mut at = self.anchor.map_or(last, |anchor| {
            shown.partition_point(|(_, key)| *key <= anchor).max(1) - 1
        });
        let mut left = by.unsigned_abs();
        while left > 0 && (if by < 0 { at > first } else { at < last }) {
            let passed = if by < 0 { at } else { at + 1 };
            left = left.saturating_sub(shown.get(passed).map_or(1, |it| it.0));
            at = if by < 0 { at - 1 } else { at + 1 };
        }
        if self.anchor.is_none() {
            if by >= 0 {
                return;
            }
            self.arrived = 0;
        }
        self.anchor = shown.get(at.max(first)).map(|it| it.1);
    }

    fn follow(&mut self) {
        self.anchor = None;
        self.arrived = 0;
    }

    fn change(&mut self, change: impl FnOnce(&mut Limits)) {
        if let Some(limits) = self.chosen().and_then(|it| self.targets.get_mut(&it)) {
            change(limits);
        }
        self.selected = self.selected.min(self.listed().len().saturating_sub(1));
    }

    /// Takes more or less of the selected target; what was shown to the full stays so.
    fn capture(&mut self, step: fn(Option<Level>) -> Option<Level>) {
        self.change(|limits| {
            let full = limits.shown == limits.captured;
            limits.captured = step(limits.captured);
            let too_much = limits.shown.is_some() && limits.shown < limits.captured;
            if full || too_much || limits.captured.is_none() {
                limits.shown = limits.captured;
            }
        });
    }

    /// Shows more or less of the selected target, of what is taken.
    fn show(&mut self, step: fn(Option<Level>) -> Option<Level>) {
        self.change(|limits| {
            let wanted = step(limits.shown);
            let there = wanted.is_none_or(|level| passes(limits.captured, level));
            if there {
                limits.shown = wanted;
            }
        });
    }

    fn select(&mut self, by: isize) {
        let last = self.listed().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}

fn on_screen<T>(model: &mut Model, work: impl FnOnce(&mut OwnLogScreen) -> T) -> Option<T> {
    model
        .screens
        .iter_mut()
        .find_map(|screen| {
            let Screen::OwnLog(it) = screen else {
                return None;
            };
            Some(it)
        })
        .map(|it| work(it))
}

/// Opens it, or goes back to it.
pub(in crate::tui) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    if on_screen(model, |_| ()).is_none() {
        let mut it = Box::new(OwnLogScreen::new());
        for message in &model.messages {
            it.remark(message);
        }
        it.due = Some(model.now);
        model.screens.push(Screen::OwnLog(it));
        stream(model, commands);
    }
}

/// Asks for what is wanted now; the stream before is closed.
fn stream(model: &mut Model, commands: &mut Vec<Cmd>) {
    if !model.is_live() {
        return;
    }
    let ticket = model.ticket();
    on_screen(model, |it| {
        if let Some(ticket) = it.stream.take() {
            commands.push(Cmd::Close { ticket });
        }
        let own = |entry: &&Entry| entry.record.target != OWN;
        let last = it.entries.iter().rev().find(own).map(|entry| entry.key.0);
        it.stream = Some(ticket);
        it.asked = it.captured();
        it.due = None;
        let query = RecordQuery {
            level: Some(it.asked),
            lines: Some(BACK),
            after_us: last,
            follow: true,
        };
        commands.push(Cmd::Records { ticket, query });
    });
}

/// Records came.
pub(in crate::tui) fn told(model: &mut Model, ticket: Ticket, records: Vec<Record>) {
    on_screen(model, |it| {
        if it.owns(ticket) {
            records.into_iter().for_each(|record| it.put(record));
        }
    });
}

/// The stream is over: it is opened again soon, or when the daemon is there.
pub(in crate::tui) fn over(model: &mut Model, ticket: Ticket) {
    let again = model.now + AGAIN;
    on_screen(model, |it| {
        if it.owns(ticket) {
            it.stream = None;
            it.due = Some(again);
        }
    });
}

/// A remark was made.
pub(in crate::tui) fn remarked(model: &mut Model, message: &Message) {
    on_screen(model, |it| it.remark(message));
}

/// When the stream is opened again.
pub(in crate::tui) fn due(model: &Model) -> Option<Duration> {
    let open = model.screens.iter().find_map(|screen| {
        let Screen::OwnLog(it) = screen else {
            return None;
        };
        it.due
    });
    open.filter(|_| model.is_live())
}

/// Time passed, or the connection is back.
pub(in crate::tui) fn tick(model: &mut Model, commands: &mut Vec<Cmd>) {
    if due(model).is_some_and(|due| due <= model.now) {
        stream(model, commands);
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other actions are not of this screen"
)]
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    let screen = regions(model).screen;
    let remarks = !model.toasts.is_empty();
    let Some(Screen::OwnLog(it)) = model.screens.last_mut() else {
        return Handled::No;
    };
    let areas = it.areas(screen);
    let page = areas.records.height.saturating_sub(1).max(1).cast_signed();
    let page = isize::from(page);
    let listed = areas.targets.is_some();
    match action {
        Action::Up if listed => it.select(-1),
        Action::Down if listed => it.select(1),
        Action::Up => it.scroll(-1, &areas),
        Action::Down => it.scroll(1, &areas),
        Action::PageUp => it.scroll(-page, &areas),
        Action::PageDown => it.scroll(page, &areas),
        Action::HalfUp => it.scroll(-(page / 2).max(1), &areas),
        Action::HalfDown => it.scroll((page / 2).max(1), &areas),
        Action::First => it.scroll(isize::MIN / 2, &areas),
        Action::Last => it.follow(),
        Action::HideTargets => it.hidden = !it.hidden,
        Action::HideOff => {
            it.without_off = !it.without_off;
            it.select(0);
        }
        Action::FocusTarget => it.focused = !it.focused,
        Action::ShowMore => it.show(more),
        Action::ShowLess => it.show(less),
        Action::CaptureMore => it.capture(more),
        Action::CaptureLess => it.capture(less),
        // A remark lies on top of everything.
        Action::Back if it.is_paused() && !remarks => it.follow(),
        _ => return Handled::No,
    }
    if it.captured() != it.asked && it.stream.is_some() {
        stream(model, commands);
    }
    Handled::Yes
}
