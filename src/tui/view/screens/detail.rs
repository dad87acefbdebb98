//! Everything about one instance: a live line, then one of its tabs.

mod config;
mod env;
mod parts;
mod runs;
mod tree;
mod wide;

use ratatui::layout::Rect;

use crate::api::{Next, Why};
use crate::config::units::short_seconds;
use crate::domain::why::span;
use crate::logs::safe::harmless;
use crate::tui::model::{Model, Row};
use crate::tui::regions::regions;
use crate::tui::screens::Screen;
use crate::tui::screens::detail::{self, DetailScreen, Known, Tab};
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::charts::{Marks, cpu_chart, files_chart, memory_chart, then};

use super::log_view;

pub(in crate::tui) use parts::log_area;
use parts::parts;
pub(in crate::tui) use runs::list_height;
use runs::runs;

type Line = (String, Role);

/// So wide that the first line says at whose word the run began.
const BEGUN_BY: u16 = 100;

/// Breaks a text between words; what is longer than a line is cut by the edge.
fn folded(text: &str, width: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            break;
        };
        if !line.is_empty() && cells(line) + 1 + cells(word) > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Lines with a title before the first.
fn titled(title: &str, text: &str, width: u16, role: Role) -> Vec<Line> {
    let folded = folded(&harmless(text), width.saturating_sub(10).max(10));
    let titles = std::iter::once(title).chain(std::iter::repeat(""));
    let lines = folded.into_iter().zip(titles);
    lines
        .map(|(line, title)| (format!("{title:<10}{line}"), role))
        .collect()
}

/// What is said before anything is known, or because nothing is.
fn unknown<T>(known: &Known<T>) -> Vec<Line> {
    match (&known.refused, &known.told) {
        (Some(why), _) => vec![(harmless(why), Role::Bad)],
        (None, None) => vec![("asking the daemon".into(), Role::Text)],
        (None, Some(_)) => vec![],
    }
}

/// What it is now.
fn live(model: &Model, it: &DetailScreen, width: u16) -> Line {
    let Some(row) = model.rows.get(&it.id) else {
        return ("it is gone".into(), Role::Bad);
    };
    let view = &row.view;
    let mut text = format!("{} {}", model.glyphs.sign(view.status), view.status);
    if let Some(left) = row.due_seconds(model.told_at()) {
        text.push_str(&format!(" {left}s"));
    }
    text.push_str(&format!("  id {}", view.id));
    if let Some(pid) = view.pid {
        text.push_str(&format!("  pid {pid}"));
    }
    text.push_str(&format!("  run {}", view.run));
    if let Some(uptime) = view.uptime {
        text.push_str(&format!("  up {}", short_seconds(uptime)));
    }
    text.push_str(&format!("  restarts {}", view.restarts));
    if let Some(verb) = row.requested {
        text.push_str(&format!("  {} asked", verb.word()));
    }
    let newest = it.runs().first().filter(|run| run.run.run == view.run);
    if let Some(by) = newest.and_then(|run| run.run.begun_by.as_ref())
        && width >= BEGUN_BY
        && by.to_string() != view.because
    {
        text.push_str(&format!("  began: {}", harmless(&by.to_string())));
    }
    if !view.because.is_empty() {
        text.push_str(&format!("  {}", harmless(&view.because)));
    }
    (text, role_of(view.status))
}

/// What it is about at the time cursor.
fn moment(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    if let (Some(ms), Some(timeline)) = (model.moment.at_ms, detail::timeline(model, it)) {
        let events = it.detail.told.as_ref().map_or(&[][..], |told| &told.events);
        for (title, text) in then(model, it.id, ms, &timeline, events) {
            lines.extend(titled(title, &text, width, Role::Moving));
        }
        lines.push((String::new(), Role::Text));
    }
    lines
}

fn overview(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = unknown(&it.detail);
    lines.extend(moment(model, it, width));
    let Some(detail) = &it.detail.told else {
        return lines;
    };
    lines.extend(config::short(model, it, detail, width));
    lines.extend(tree::short(model, it, width));
    // The daemon masks what is secret before it tells it.
    for (n, (key, value)) in detail.env.iter().enumerate() {
        let title = if n == 0 { "env" } else { "" };
        lines.extend(titled(title, &format!("{key}={value}"), width, Role::Text));
    }
    lines
}

/// What happens next, with the time that is left now.
fn next(model: &Model, it: &DetailScreen, why: &Why) -> String {
    let row = model.rows.get(&it.id);
    let left = row.and_then(|row: &Row| row.due_seconds(model.told_at()));
    match (&why.next, left) {
        (
            Next::Retries {
                failures, allowed, ..
            },
            Some(left),
        ) => format!("the next attempt is in {left}s ({failures} of {allowed} failures)"),
        (
            Next::Ends {
                kill_in_ms: Some(_),
            },
            Some(left),
        ) => format!("it is being ended; SIGKILL follows in {left}s"),
        (
            Next::Runs
            | Next::Starts
            | Next::Ends { .. }
            | Next::Retries { .. }
            | Next::GaveUp { .. }
            | Next::StaysStopped
            | Next::StaysEnded,
            _,
        ) => why.next_text.clone(),
    }
}

fn why(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = unknown(&it.past);
    let Some(past) = &it.past.told else {
        return lines;
    };
    let Some(why) = &past.why else {
        lines.push(("the daemon knows of no end".into(), Role::Text));
        return lines;
    };
    let answer = folded(&harmless(&why.answer), width);
    lines.extend(answer.into_iter().map(|line| (line, Role::Title)));
    let mut add = |title: &str, text: &str, role| {
        lines.extend(titled(title, text, width, role));
    };
    if let Some(at) = why.ended_ms {
        add("ended", &when(at), Role::Text);
    }
    if why.evidence.is_empty() && why.run.is_some() {
        add("evidence", "none but the exit itself", Role::Text);
    }
    for (n, text) in why.evidence.iter().enumerate() {
        add(if n == 0 { "evidence" } else { "" }, text, Role::Text);
    }
    add("next", &next(model, it, why), Role::Text);
    if let Some(hint) = &why.hint {
        add("hint", hint, Role::Waiting);
    }
    for (n, end) in why.earlier.iter().enumerate() {
        let lasted = end.lasted_ms;
        let lasted = lasted.map_or_else(String::new, |ms| format!(", after {}", span(ms)));
        let text = format!("run {}: {}{lasted}", end.run, end.text);
        add(if n == 0 { "before" } else { "" }, &text, Role::Text);
    }
    lines.extend(last_words(why.run.map(|run| run.0), &why.stderr));
    lines
}

fn last_words(run: Option<u64>, stderr: &[String]) -> Vec<Line> {
    let Some(run) = run else {
        return vec![];
    };
    if stderr.is_empty() {
        let text = format!("run {run} left nothing on standard error");
        return vec![(text, Role::Text)];
    }
    let title = format!("last lines of standard error of run {run}");
    let own = stderr.iter().map(|line| (harmless(line), Role::Text));
    std::iter::once((title, Role::Title)).chain(own).collect()
}

/// Month, day and time, where this runs.
fn when(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(String::new, |at| {
            let at = at.to_zoned(jiff::tz::TimeZone::system());
            at.strftime("%m-%d %H:%M:%S").to_string()
        })
}

fn lines(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    match it.tab {
        Tab::Overview => overview(model, it, width),
        Tab::Config => config::lines(it, width),
        Tab::Tree => tree::lines(model, it, width),
        Tab::Why => why(model, it, width),
        Tab::Runs => unknown(&it.past),
        Tab::Env => unknown(&it.detail),
        Tab::Logs => Vec::new(),
    }
}

/// How many lines the tab has, beyond those that are seen at once but for the last.
pub(in crate::tui) fn height(model: &Model) -> usize {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return 0;
    };
    let parts = parts(regions(model).screen, it.tab);
    if parts.columns.is_some() {
        return 0;
    }
    let text = parts.text;
    let all = lines(model, it, text.width).len();
    (all + 1).saturating_sub(usize::from(text.height).max(1))
}

fn tabs(canvas: &mut Canvas<'_>, area: Rect, it: &DetailScreen) {
    let dot = format!(" {} ", canvas.glyphs.dot);
    let words = Tab::ALL.iter().map(|tab| cells(tab.word()));
    let gaps = u16::try_from(Tab::ALL.len() - 1).unwrap_or(0) * cells(&dot);
    let between = if words.sum::<u16>() + gaps < area.width {
        dot.as_str()
    } else {
        " "
    };
    let mut x = area.x + 1;
    for (n, tab) in Tab::ALL.into_iter().enumerate() {
        let room = |x: u16| area.right().saturating_sub(x);
        if n > 0 {
            x = canvas.text(x, area.y, room(x), between, Role::Frame);
        }
        let (word, role) = if tab == it.tab {
            (tab.word().to_uppercase(), Role::Title)
        } else {
            (tab.word().to_owned(), Role::Text)
        };
        x = canvas.text(x, area.y, room(x), &word, role);
    }
    let help = "[ ] change the tab";
    let room = area.right().saturating_sub(x + 2);
    if room > cells(help) {
        canvas.right(x, area.y, room, help, Role::Text);
    }
}

/// Lines from the top of an area.
fn put(canvas: &mut Canvas<'_>, area: Rect, lines: &[Line]) {
    for (y, (text, role)) in (area.y..area.bottom()).zip(lines) {
        canvas.text(area.x, y, area.width, text, *role);
    }
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    canvas.title(area, &harmless(&it.name), "");
    let (text, role) = live(model, it, area.width);
    let width = area.width.saturating_sub(2);
    canvas.text(area.x + 1, area.y + 1, width, &text, role);
    let line = Rect {
        y: area.y + 2,
        height: 1,
        ..area
    };
    tabs(canvas, line, it);
    let parts = parts(area, it.tab);
    match it.tab {
        Tab::Runs => runs(canvas, parts.text, model, it),
        Tab::Env => env::draw(canvas, parts.text, model, it),
        Tab::Overview | Tab::Config | Tab::Tree | Tab::Why | Tab::Logs => {
            if let Some(columns) = parts.columns {
                wide::draw(canvas, columns, model, it);
            } else {
                let lines = lines(model, it, parts.text.width);
                let seen = lines.get(it.scroll..).unwrap_or_default();
                put(canvas, parts.text, seen);
            }
        }
    }
    if let Some(place) = parts.logs {
        log_view::titled(canvas, place, model, &it.logs, &harmless(&it.name));
    }
    if let Some(places) = parts.charts {
        charts(canvas, places, parts.third, model, it);
    }
}

fn charts(
    canvas: &mut Canvas<'_>,
    [one, other]: [Rect; 2],
    third: Option<Rect>,
    model: &Model,
    it: &DetailScreen,
) {
    let timeline = detail::timeline(model, it);
    if let (Some(row), Some(timeline)) = (model.rows.get(&it.id), timeline) {
        let detail = it.detail.told.as_deref();
        let marks = Marks::of(model.moment.at_ms, detail, it.runs());
        cpu_chart(canvas, one, row, &timeline, &marks);
        let limit = detail.and_then(|d| d.limits.max_memory);
        memory_chart(canvas, other, row, (&timeline, limit), &marks);
        if let Some(area) = third {
            files_chart(canvas, area, row, (&timeline, detail), &marks);
        }
    }
}
