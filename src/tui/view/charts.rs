//! The charts of one instance, with the time cursor and what happened on the same axis.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::{Detail, RunView};
use crate::config::units::short_duration;
use crate::domain::event::{Event, What};
use crate::domain::names::InstanceId;
use crate::domain::status::Status;
use crate::domain::trend::{Trend, trend};
use crate::domain::why::span;
use crate::logs::safe::harmless;
use crate::tui::model::{Model, Row};
use crate::tui::moment::{Timeline, others};
use crate::tui::theme::Role;

use super::canvas::{Canvas, cells};
use super::chart::Chart;
use super::clock;
use super::figures::{percent, rate, short_bytes};

/// So many events, and so many other instances, are told at a moment.
const EVENTS: usize = 3;
const OTHERS: usize = 4;
/// No name is longer there, characters.
const NAME: usize = 20;
/// Two tellings of the same beginning are this near, milliseconds.
const SAME: u64 = 2000;

/// What stands on the axis of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Marks {
    moment: Option<u64>,
    /// When runs began.
    begins: Vec<u64>,
    /// When the first run of another definition began.
    changes: Vec<u64>,
}

impl Marks {
    pub(super) fn of(moment: Option<u64>, detail: Option<&Detail>, runs: &[RunView]) -> Self {
        let mut it = Self {
            moment,
            ..Self::default()
        };
        for (n, run) in runs.iter().enumerate() {
            let Some(begun) = run.run.begun_ms else {
                continue;
            };
            let older = runs.get(n + 1);
            if older.is_some_and(|older| older.run.generation != run.run.generation) {
                it.changes.push(begun);
            } else {
                it.begins.push(begun);
            }
        }
        let events = detail.map_or(&[][..], |detail| &detail.events);
        let begins = events.iter().filter(|event| match event.what {
            What::Status { from, to, .. } => {
                to == Status::Starting || (to == Status::Running && from != Status::Starting)
            }
            What::Exit { .. }
            | What::Asked { .. }
            | What::Limit { .. }
            | What::Alarm { .. }
            | What::Did { .. }
            | What::Done { .. }
            | What::Began { .. }
            | What::Note { .. } => false,
        });
        for event in begins {
            let mut known = it.begins.iter().chain(&it.changes);
            if !known.any(|at| at.abs_diff(event.at_ms) < SAME) {
                it.begins.push(event.at_ms);
            }
        }
        it
    }

    /// Columns from the left of a chart, with what stands there.
    fn columns(&self, timeline: &Timeline, area: Rect, glyphs: [char; 2]) -> Vec<(usize, char)> {
        let [begin, change] = glyphs;
        let shown = filled(timeline, area);
        let place = |ms: &u64| shown.checked_sub(timeline.back(*ms)? + 1);
        let begins = self.begins.iter().filter_map(place);
        let begins = begins.map(|n| (n, begin));
        let changes = self.changes.iter().filter_map(place);
        begins.chain(changes.map(|n| (n, change))).collect()
    }
}

/// How many columns of a chart can have a value by now.
fn filled(timeline: &Timeline, area: Rect) -> usize {
    Chart::columns(area).saturating_sub(timeline.ahead())
}

/// A chart below its heading.
fn body(area: Rect) -> Rect {
    Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    }
}

fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    (values, top, labels): (&[Option<f64>], f64, [&str; 2]),
    timeline: &Timeline,
    marks: &Marks,
) {
    let shown = filled(timeline, area);
    let cursor = marks.moment.and_then(|ms| timeline.back(ms));
    let glyphs = [canvas.glyphs.hanging, canvas.glyphs.mark];
    Chart {
        values,
        top,
        labels,
        ticks: &marks.columns(timeline, area, glyphs),
        ahead: timeline.ahead(),
        cursor: cursor.and_then(|back| shown.checked_sub(back + 1)),
    }
    .draw(canvas, body(area));
}

/// The time of a moment, to the second.
pub(super) fn second(ms: u64) -> String {
    clock(ms).chars().take(8).collect()
}

fn heading(marks: &Marks, timeline: &Timeline, area: Rect) -> String {
    match marks.moment {
        Some(ms) => format!("at {}", second(ms)),
        None => {
            let columns = u64::try_from(Chart::columns(area)).unwrap_or(0);
            let span = Duration::from_millis(columns * timeline.period_ms);
            format!("last {}", short_duration(span))
        }
    }
}

fn of_tenths(tenths: u16) -> f32 {
    f32::from(tenths) / 10.0
}

/// What it used of the processors.
pub(super) fn cpu_chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    row: &Row,
    timeline: &Timeline,
    marks: &Marks,
) {
    if area.height < 2 {
        return;
    }
    let none = canvas.glyphs.none.to_string();
    let values = timeline.cpu.iter();
    let cpu: Vec<Option<f64>> = values
        .map(|tenths| tenths.map(|tenths| f64::from(tenths) / 10.0))
        .collect();
    let most = cpu.iter().flatten().copied().fold(10.0, f64::max);
    let used = match marks.moment {
        Some(ms) => timeline.at(ms).0.map(of_tenths),
        None => row.view.cpu,
    };
    let used = used.map_or(none, percent);
    let mut title = format!("cpu {used}   {}", heading(marks, timeline, area));
    let [begin, change] = [canvas.glyphs.hanging, canvas.glyphs.mark];
    let ticks = marks.columns(timeline, area, [begin, change]);
    for (sign, word) in [(begin, "started"), (change, "redefined")] {
        let text = format!("   {sign} {word}");
        let fits = cells(&title) + cells(&text) <= area.width;
        if fits && ticks.iter().any(|(_, there)| *there == sign) {
            title.push_str(&text);
        }
    }
    canvas.text(area.x, area.y, area.width, &title, Role::Title);
    let labels = [&*format!("{most:.0}%"), "0"];
    draw(canvas, area, (&cpu, most, labels), timeline, marks);
}

/// Whether its memory rises or falls, in the run that goes on.
fn memory_trend(row: &Row, timeline: &Timeline) -> Option<Trend> {
    let columns = row.view.uptime? * 1000 / timeline.period_ms;
    let columns = usize::try_from(columns).unwrap_or(usize::MAX);
    let older = timeline.memory.len().saturating_sub(columns);
    trend(timeline.memory.get(older..)?, timeline.period_ms)
}

/// Bytes in a minute, or in an hour where that is easier to read.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the sign is told before, and two digits are shown"
)]
fn per_time(per_minute: f64) -> String {
    let sign = if per_minute < 0.0 { '-' } else { '+' };
    let bytes = per_minute.abs();
    let (bytes, word) = if bytes < 100_000.0 {
        (bytes * 60.0, "h")
    } else {
        (bytes, "min")
    };
    format!("{sign}{}/{word}", rate(Some(bytes as u64), '0'))
}

/// So many minutes, as exact as a forecast is.
fn about(minutes: f64) -> String {
    match minutes {
        0.0..1.0 => "1 min".into(),
        1.0..120.0 => format!("{minutes:.0} min"),
        _ => format!("{:.0} h", minutes / 60.0),
    }
}

/// What it used of the memory, and of its limit.
#[expect(clippy::cast_precision_loss, reason = "pictures of numbers")]
pub(super) fn memory_chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    row: &Row,
    (timeline, limit): (&Timeline, Option<u64>),
    marks: &Marks,
) {
    if area.height < 2 {
        return;
    }
    let none = canvas.glyphs.none.to_string();
    let values = timeline.memory.iter();
    let memory: Vec<Option<f64>> = values
        .map(|bytes| bytes.map(|bytes| bytes as f64))
        .collect();
    let most = memory.iter().flatten().copied().fold(1.0, f64::max);
    let top = limit.map_or(most, |limit| limit as f64);
    let used = match marks.moment {
        Some(ms) => timeline.at(ms).1,
        None => row.view.memory,
    };
    let used = used.map_or_else(|| none.clone(), short_bytes);
    let of = limit.map_or_else(String::new, |limit| {
        format!(" of {} limit", short_bytes(limit))
    });
    let mut title = format!("memory {used}{of}");
    if marks.moment.is_none()
        && let Some(trend) = memory_trend(row, timeline)
    {
        let rate = per_time(trend.per_minute);
        let arrow = canvas.glyphs.arrow;
        let met = limit.and_then(|limit| trend.minutes_to(limit));
        let met = met.map(|minutes| format!("  {rate} {arrow} limit in ~{}", about(minutes)));
        // Where there is no room for when, there is for how fast.
        let fits = |text: &String| cells(&title) + cells(text) <= area.width;
        let text = met.filter(fits).unwrap_or_else(|| format!("  {rate}"));
        title.push_str(&text);
    }
    canvas.text(area.x, area.y, area.width, &title, Role::Title);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was a number of bytes"
    )]
    let label = if memory.iter().flatten().next().is_some() || limit.is_some() {
        short_bytes(top as u64)
    } else {
        none
    };
    draw(canvas, area, (&memory, top, [&label, "0"]), timeline, marks);
}

/// What its main process has open, and how many it may have open: as far as this dashboard has seen it.
pub(super) fn files_chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    row: &Row,
    (timeline, told): (&Timeline, Option<&Detail>),
    marks: &Marks,
) {
    if area.height < 2 {
        return;
    }
    let limit = told.and_then(|detail| detail.fds_limit);
    let none = canvas.glyphs.none.to_string();
    let fds: Vec<Option<f64>> = timeline.fds.iter().map(|it| it.map(f64::from)).collect();
    let most = fds.iter().flatten().copied().fold(1.0, f64::max);
    // Below a limit that is far away the rest would be one flat line.
    #[expect(clippy::cast_precision_loss, reason = "pictures of numbers")]
    let top = limit.map_or(most, |limit| (limit as f64).min(most * 4.0));
    let open = match marks.moment {
        Some(ms) => timeline.open_at(ms),
        None => {
            let newest = row.series.fds().back().copied().flatten();
            newest
                .or(told.and_then(|detail| detail.fds))
                .filter(|_| row.view.pid.is_some())
        }
    };
    let open = open.map_or_else(|| none.clone(), |open| open.to_string());
    let of = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    canvas.text(
        area.x,
        area.y,
        area.width,
        &format!("fds {open}{of}"),
        Role::Title,
    );
    let label = if fds.iter().flatten().next().is_some() {
        format!("{top:.0}")
    } else {
        none
    };
    draw(canvas, area, (&fds, top, [&label, "0"]), timeline, marks);
}

/// What happened, in a few words.
pub(super) fn words(event: &Event) -> String {
    match &event.what {
        What::Status { to, because, .. } if because.is_empty() => to.to_string(),
        What::Status { to, because, .. } => format!("{to} ({because})"),
        What::Exit {
            run,
            exit,
            lasted_ms,
            ..
        } => format!(
            "run {run} ended: {} after {}",
            exit.ending,
            span(*lasted_ms)
        ),
        What::Asked { verb, by, .. } => format!("{} asked by {by}", verb.word()),
        What::Limit { memory, allowed } => {
            let (memory, allowed) = (short_bytes(*memory), short_bytes(*allowed));
            format!("memory {memory}, {allowed} are allowed")
        }
        What::Alarm { text } | What::Note { text } => text.clone(),
        // Of the daemon as a whole: no instance has such an event.
        What::Did { what, .. } => what.clone(),
        What::Done { operation, .. } => format!("operation {operation} is done"),
        What::Began { version, .. } => format!("the daemon began, version {version}"),
    }
}

/// What an instance used at a moment, what happened around it, and what the others used then.
pub(super) fn then(
    model: &Model,
    id: InstanceId,
    ms: u64,
    timeline: &Timeline,
    events: &[Event],
) -> Vec<(&'static str, String)> {
    let none = || model.glyphs.none.to_string();
    let (cpu, memory) = timeline.at(ms);
    let cpu = cpu.map_or_else(none, |tenths| percent(of_tenths(tenths)));
    let memory = memory.map_or_else(none, short_bytes);
    let mut all = vec![("at", format!("{}  cpu {cpu}  memory {memory}", second(ms)))];
    let column = ms..ms + timeline.period_ms;
    let mut near: Vec<&Event> = events
        .iter()
        .filter(|event| column.contains(&event.at_ms))
        .collect();
    if near.is_empty() {
        near.extend(events.iter().rev().find(|event| event.at_ms < ms));
    }
    let skip = near.len().saturating_sub(EVENTS);
    for event in near.iter().skip(skip) {
        let text = harmless(&words(event));
        all.push(("event", format!("{}  {text}", second(event.at_ms))));
    }
    let others: Vec<String> = others(model, id, ms)
        .into_iter()
        .take(OTHERS)
        .map(|(row, cpu, memory)| {
            let memory = memory.map_or_else(String::new, |m| format!(" {}", short_bytes(m)));
            let cpu = percent(of_tenths(cpu));
            let name = harmless(&row.name());
            let name: String = name.chars().take(NAME).collect();
            format!("{name} {cpu}{memory}")
        })
        .collect();
    if !others.is_empty() {
        let dot = format!(" {} ", model.glyphs.dot);
        all.push(("others", others.join(&dot)));
    }
    all
}
