//! Everything about one instance: a live line, then one of its tabs.

use ratatui::layout::Rect;

use crate::api::{Detail, Next, RunState, RunView, Why};
use crate::config::units::{short_duration, short_seconds, short_size};
use crate::domain::spec::Origin;
use crate::domain::why::{short, span};
use crate::logs::safe::harmless;
use crate::tui::model::{Model, Row};
use crate::tui::regions::regions;
use crate::tui::screens::Screen;
use crate::tui::screens::detail::{DetailScreen, Known, Tab};
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::pane::{cpu_chart, memory_chart};

type Line = (String, Role);

/// Lines above a tab: title, live line, tabs.
const ABOVE: u16 = 3;
/// So wide that charts stand beside the text.
const BESIDE: u16 = 110;
/// So high that charts stand below the text.
const BELOW: u16 = 18;
/// The height of charts below the text.
const CHARTS: u16 = 7;

/// The text of a tab, and its charts.
#[derive(Debug, Clone, Copy)]
struct Parts {
    text: Rect,
    charts: Option<[Rect; 2]>,
}

fn parts(area: Rect, tab: Tab) -> Parts {
    let body = Rect {
        x: area.x + 1,
        y: area.y + ABOVE,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(ABOVE),
    };
    if tab != Tab::Overview {
        return Parts {
            text: body,
            charts: None,
        };
    }
    if body.width >= BESIDE && body.height >= BELOW {
        let width = body.width / 2;
        let (x, height) = (body.x + width + 2, (body.height / 2).min(16));
        let right = Rect::new(x, body.y, body.right().saturating_sub(x), height - 1);
        let below = Rect {
            y: body.y + height,
            ..right
        };
        let charts = Some([right, below]);
        return Parts {
            text: Rect { width, ..body },
            charts,
        };
    }
    if body.height >= BELOW {
        let height = body.height - CHARTS - 1;
        let half = body.width / 2;
        let left = Rect::new(body.x, body.y + height + 1, half - 1, CHARTS);
        let right = Rect {
            x: body.x + half + 1,
            ..left
        };
        return Parts {
            text: Rect { height, ..body },
            charts: Some([left, right]),
        };
    }
    Parts {
        text: body,
        charts: None,
    }
}

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
fn live(model: &Model, it: &DetailScreen) -> Line {
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
    if !view.because.is_empty() {
        text.push_str(&format!("  {}", harmless(&view.because)));
    }
    (text, role_of(view.status))
}

fn overview(model: &Model, it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = unknown(&it.detail);
    let Some(detail) = &it.detail.told else {
        return lines;
    };
    let row = model.rows.get(&it.id).map(|row| &row.view);
    let view = row.unwrap_or(&detail.instance);
    let mut add = |title: &str, text: String, role| {
        lines.extend(titled(title, &text, width, role));
    };
    if let Some(alarm) = &view.alarm {
        add("alarm", alarm.clone(), Role::Bad);
    }
    let args = detail.command.args.join(" ");
    let command = format!("{} {args}", detail.command.program);
    add("command", command, Role::Text);
    add("folder", detail.cwd.display().to_string(), Role::Text);
    add("origin", origin(detail), Role::Text);
    let restart = &detail.restart;
    let text = format!(
        "{}, from {} to {}, errored after {} failures",
        restart.on.word(),
        short_duration(restart.backoff.initial),
        short_duration(restart.backoff.cap),
        restart.max_restarts
    );
    add("restart", text, Role::Text);
    let grace = short_duration(detail.stop.timeout);
    let text = format!("{}, SIGKILL after {grace}", detail.stop.signal);
    add("stop", text, Role::Text);
    let limit = detail.limits.max_memory;
    let text = limit.map_or_else(|| "none".into(), |m| format!("memory {}", short_size(m)));
    add("limits", text, Role::Text);
    if detail.tree > 1 {
        let text = format!("{} processes in its tree", detail.tree);
        add("tree", text, Role::Text);
    }
    for (stream, path) in &detail.logs {
        let text = path.display().to_string();
        add(&format!("log {stream}"), text, Role::Text);
    }
    let keep = &detail.log_policy;
    let text = format!(
        "{} a file, {} archives",
        short_size(keep.max_size),
        keep.archives
    );
    add("kept", text, Role::Text);
    let tags: Vec<String> = view.tags.iter().map(ToString::to_string).collect();
    if !tags.is_empty() {
        add("tags", tags.join(" "), Role::Text);
    }
    // The daemon masks what is secret before it tells it.
    for (n, (key, value)) in detail.env.iter().enumerate() {
        let title = if n == 0 { "env" } else { "" };
        add(title, format!("{key}={value}"), Role::Text);
    }
    lines
}

fn origin(detail: &Detail) -> String {
    let from = match &detail.origin {
        Origin::Typed => "typed".to_owned(),
        Origin::File(file) => file.display().to_string(),
    };
    let (now, run) = (detail.generation, detail.run_generation);
    let old = if now == run || run == 0 {
        String::new()
    } else {
        format!("; its run is of {run}")
    };
    format!("{from}, generation {now}{old}")
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
        Tab::Why => why(model, it, width),
        Tab::Runs => unknown(&it.past),
    }
}

/// How many lines the tab has, beyond those that are seen at once but for the last.
pub(in crate::tui) fn height(model: &Model) -> usize {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return 0;
    };
    let text = parts(regions(model).screen, it.tab).text;
    let all = lines(model, it, text.width).len();
    (all + 1).saturating_sub(usize::from(text.height).max(1))
}

/// How many runs are listed at once.
pub(in crate::tui) fn list_height(model: &Model) -> usize {
    usize::from(list(parts(regions(model).screen, Tab::Runs).text).height)
}

/// The list of runs leaves room for the last words of one.
fn list(area: Rect) -> Rect {
    let height = area.height.saturating_sub(1);
    Rect {
        y: area.y + 1,
        height: height - height / 2,
        ..area
    }
}

/// Its end in a few words.
fn end(run: &RunView) -> (String, Role) {
    match (run.state, &run.run.ended) {
        (RunState::Ended, Some(ended)) => {
            let well = run.exit.as_ref().is_some_and(|exit| exit.code == Some(0));
            let role = if well { Role::Text } else { Role::Bad };
            (harmless(&short(ended)), role)
        }
        (RunState::Running, _) => ("running".into(), Role::Good),
        (RunState::Unseen | RunState::Ended, _) => ("nobody saw how".into(), Role::Stale),
    }
}

fn runs(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    let mut y = area.y;
    for (text, role) in unknown(&it.past) {
        canvas.text(area.x, y, area.width, &text, role);
        y += 1;
    }
    let runs = it.runs();
    if runs.is_empty() {
        if it.past.told.is_some() {
            canvas.text(area.x, y, area.width, "no run is remembered", Role::Text);
        }
        return;
    }
    let roomy = area.width >= 76;
    let head = if roomy {
        "  RUN  STARTED         LASTED   ENDED BY"
    } else {
        "  RUN  LASTED   ENDED BY"
    };
    let by_at = area.x + area.width - area.width / 3;
    if y == area.y {
        canvas.text(area.x, y, area.width, head, Role::Title);
        if roomy {
            canvas.text(by_at, y, area.width / 3, "STARTED BY", Role::Title);
        }
    }
    let place = list(area);
    let chosen = it.chosen();
    let first = chosen.saturating_sub(usize::from(place.height).saturating_sub(1));
    let mut y = place.y;
    for (n, run) in runs.iter().enumerate().skip(first) {
        if y >= place.bottom() {
            break;
        }
        let mark = if n == chosen {
            canvas.glyphs.cursor
        } else {
            ' '
        };
        let begun = run.run.begun_ms.map_or_else(String::new, when);
        let row = model.rows.get(&it.id).map(|row| &row.view);
        let up = row.filter(|row| row.run == run.run.run && run.state == RunState::Running);
        let up = up.and_then(|row| row.uptime).map(|s| s * 1000);
        let lasted = run.run.ended.as_ref().map(|end| end.lasted_ms).or(up);
        let lasted = lasted.map_or_else(String::new, span);
        let start = if roomy {
            format!("{mark}{:>4}  {begun:<14}  {lasted:<7}  ", run.run.run)
        } else {
            format!("{mark}{:>4}  {lasted:<7}  ", run.run.run)
        };
        let x = canvas.text(area.x, y, area.width, &start, Role::Text);
        let (text, role) = end(run);
        let until = if roomy { by_at - 1 } else { area.right() };
        canvas.text(x, y, until.saturating_sub(x), &text, role);
        if roomy && let Some(by) = &run.run.begun_by {
            let by = harmless(&by.to_string());
            canvas.text(by_at, y, area.width / 3, &by, Role::Text);
        }
        y += 1;
    }
    let Some(run) = runs.get(chosen) else {
        return;
    };
    let words = last_words(Some(run.run.run.0), &run.stderr);
    let room = usize::from(area.bottom().saturating_sub(y + 1));
    // The last ones are the nearest to the end.
    let skip = words.len().saturating_sub(room.max(1));
    for (n, (text, role)) in words.iter().enumerate() {
        if n == 0 || n > skip {
            if y >= area.bottom() {
                break;
            }
            canvas.text(area.x, y, area.width, text, *role);
            y += 1;
        }
    }
}

fn tabs(canvas: &mut Canvas<'_>, area: Rect, it: &DetailScreen) {
    let dot = canvas.glyphs.dot;
    let mut x = area.x + 1;
    for (n, tab) in Tab::ALL.into_iter().enumerate() {
        if n > 0 {
            x = canvas.text(x, area.y, 3, &format!(" {dot} "), Role::Frame);
        }
        let room = area.right().saturating_sub(x);
        let (word, role) = if tab == it.tab {
            (tab.word().to_uppercase(), Role::Title)
        } else {
            (tab.word().to_owned(), Role::Text)
        };
        x = canvas.text(x, area.y, room, &word, role);
    }
    let help = "[ ] change the tab";
    let room = area.right().saturating_sub(x + 2);
    if room > cells(help) {
        canvas.right(x, area.y, room, help, Role::Text);
    }
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    canvas.title(area, &harmless(&it.name), "");
    let (text, role) = live(model, it);
    let width = area.width.saturating_sub(2);
    canvas.text(area.x + 1, area.y + 1, width, &text, role);
    let line = Rect {
        y: area.y + 2,
        height: 1,
        ..area
    };
    tabs(canvas, line, it);
    let parts = parts(area, it.tab);
    if it.tab == Tab::Runs {
        runs(canvas, parts.text, model, it);
        return;
    }
    let lines = lines(model, it, parts.text.width);
    let rows = parts.text.y..parts.text.bottom();
    for (y, (text, role)) in rows.zip(lines.iter().skip(it.scroll)) {
        canvas.text(parts.text.x, y, parts.text.width, text, *role);
    }
    if let (Some([one, other]), Some(row)) = (parts.charts, model.rows.get(&it.id)) {
        cpu_chart(canvas, one, row);
        let detail = it.detail.told.as_ref();
        memory_chart(canvas, other, row, detail.and_then(|d| d.limits.max_memory));
    }
}
