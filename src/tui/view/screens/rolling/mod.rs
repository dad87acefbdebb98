//! A rolling restart: the plan, then each instance with its step, new against old, and the log of the new.

mod gate;
mod parts;

use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::{Intent, Place, PlaceView, RolloutView, Status, Whole};
use crate::config::units::{short_duration, short_seconds};
use crate::logs::safe::harmless;
use crate::tui::company::lock;
use crate::tui::model::Model;
use crate::tui::screens::Screen;
use crate::tui::screens::rolling::RollingScreen;
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::header::bar;

use super::log_view;

pub(in crate::tui) use parts::log_area;
use parts::parts;

/// How many lines say what holds for it.
const NOTES: u16 = 3;

/// One line of the list: sign, its role, and what stands in the columns.
struct Line {
    sign: char,
    role: Role,
    name: String,
    step: String,
    old: String,
    new: String,
    up: String,
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &RollingScreen) {
    match it.progress(model) {
        Some((view, at)) => progress(canvas, area, model, it, view, at),
        None => plan(canvas, area, model, it),
    }
}

/// Keys of the screen on top that would do nothing now, by their words in the footer.
pub(in crate::tui::view) fn idle(model: &Model) -> &'static [&'static str] {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return &[];
    };
    match it.progress(model).map(|(view, _)| view.state) {
        None => &[],
        Some(Whole::Advancing) => &["continue"],
        Some(Whole::Paused) => &["pause"],
        Some(Whole::Halted | Whole::Aborted | Whole::Completed) => &["pause", "continue", "abort"],
    }
}

fn pid(pid: Option<i32>) -> String {
    pid.map_or_else(String::new, |pid| pid.to_string())
}

fn plan(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &RollingScreen) {
    let rows = it.planned(model);
    let times = canvas.glyphs.times;
    let name = harmless(&it.key.to_string());
    let title = format!("rolling restart {name} {times}{}", rows.len());
    let asked = it.operation.is_some();
    canvas.title(area, &title, if asked { "asked" } else { "plan" });
    let up = |status| !matches!(status, Status::Stopped | Status::Exited | Status::Stopping);
    let size = rows.iter().filter(|row| up(row.view.status)).count();
    let most = it.most();
    let at_once = usize::try_from(most.unwrap_or(1)).unwrap_or(usize::MAX);
    let (summary, role) = if let Some(why) = &it.refused {
        (harmless(why), Role::Bad)
    } else if size == 0 {
        (
            "nothing of it is up: nothing would be restarted".to_owned(),
            Role::Text,
        )
    } else if most.is_none() && size > 1 {
        (
            "as many at once as its definition says".to_owned(),
            Role::Title,
        )
    } else if size <= at_once {
        let which = if size == 1 {
            "one instance".to_owned()
        } else {
            format!("all {size} at once")
        };
        (
            format!("{which}: down meanwhile, this is not zero-downtime"),
            Role::Bad,
        )
    } else {
        (
            format!(
                "{at_once} at once; never fewer than {} of {size} up",
                size - at_once
            ),
            Role::Title,
        )
    };
    let lines: Vec<Line> = rows
        .iter()
        .map(|row| {
            let view = &row.view;
            Line {
                sign: canvas.glyphs.sign(view.status),
                role: role_of(view.status),
                name: harmless(&row.name()),
                step: if up(view.status) {
                    view.status.to_string()
                } else {
                    format!("{}: left alone", view.status)
                },
                old: pid(view.pid),
                new: String::new(),
                up: String::new(),
            }
        })
        .collect();
    let ids: Vec<_> = rows.iter().map(|row| row.view.id).collect();
    let under_way = lock(model, &ids).map(|it| format!("under way: {}", harmless(&it)));
    let always = [
        "each new one has to stay up for its min_uptime (at most 30s)".to_owned(),
        "the first that fails halts it: the rest stays on the old run".to_owned(),
        format!("= {}", twin(&name, it.chosen())),
    ];
    let notes: Vec<String> = under_way.into_iter().chain(always).collect();
    canvas.text(area.x + 1, area.y + 1, width(area), &summary, role);
    let room = u16::try_from(notes.len()).unwrap_or(NOTES);
    let parts = parts(area, lines.len(), room, false);
    list(canvas, parts.list, it.scroll, &lines);
    said(canvas, parts.notes, &notes);
}

/// The same for the shell.
fn twin(name: &str, max_unavailable: Option<u32>) -> String {
    Intent::Roll { max_unavailable }.twin(name)
}

/// Without the margins.
fn width(area: Rect) -> u16 {
    area.width.saturating_sub(2)
}

fn due(place: &PlaceView, since: Duration) -> String {
    let Some(ms) = place.due_in_ms else {
        return String::new();
    };
    let left = Duration::from_millis(ms).saturating_sub(since);
    let left = format!("{}s", left.as_millis().div_ceil(1000));
    if place.place == Place::Draining {
        format!(", SIGKILL {left}")
    } else {
        format!(", {left}")
    }
}

fn sign(canvas: &Canvas<'_>, place: Place, whole: Whole) -> (char, Role) {
    let glyphs = canvas.glyphs;
    match place {
        Place::Waiting if whole.is_final() => (glyphs.running, Role::Text),
        Place::Waiting => (glyphs.stopped, Role::Text),
        Place::Down => (glyphs.backoff, Role::Moving),
        Place::Draining => (glyphs.stopping, Role::Moving),
        Place::Rising | Place::Settling => (glyphs.starting, Role::Moving),
        Place::Done => (glyphs.exited, Role::Good),
        Place::Failed => (glyphs.errored, Role::Bad),
        Place::Left => (glyphs.none, Role::Text),
    }
}

fn summary(canvas: &Canvas<'_>, it: &RollingScreen, view: &RolloutView) -> (String, Role) {
    let done = view.count(|place| place == Place::Done);
    let now = view.count(Place::is_in_flight);
    let left = view.count(Place::is_to_come);
    let dot = canvas.glyphs.dot;
    if it.aborting.is_some() {
        let text = "abort? y yes, any other key no; what is new stays new, the rest stays old";
        return (text.to_owned(), Role::Requested);
    }
    match view.state {
        Whole::Halted => {
            let why = view.why.as_deref().unwrap_or("one failed");
            (format!("halted at {}", harmless(why)), Role::Bad)
        }
        Whole::Aborted => (
            format!("aborted {dot} {done} replaced {dot} {left} on the old run"),
            Role::Bad,
        ),
        Whole::Advancing | Whole::Paused | Whole::Completed => (
            format!("{done} replaced {dot} {now} now {dot} {left} to go"),
            Role::Title,
        ),
    }
}

fn progress(
    canvas: &mut Canvas<'_>,
    area: Rect,
    model: &Model,
    it: &RollingScreen,
    view: &RolloutView,
    at: Duration,
) {
    let since = model.told_at().saturating_sub(at);
    let times = canvas.glyphs.times;
    let name = harmless(&view.process);
    let begun = Duration::from_millis(model.wall_ms.saturating_sub(view.begun_ms));
    let title = format!("rolling restart {name} {times}{}", view.places.len());
    let right = if view.over {
        format!("{} by {}", view.state.word(), harmless(&view.by))
    } else {
        let age = short_duration(Duration::from_secs(begun.as_secs().max(1)));
        format!("{} by {} {age}", view.state.word(), harmless(&view.by))
    };
    canvas.title(area, &title, &right);
    let (text, role) = summary(canvas, it, view);
    let lines: Vec<Line> = view
        .places
        .iter()
        .map(|place| {
            let (sign, role) = sign(canvas, place.place, view.state);
            let step = if view.state.is_final() && place.place.is_to_come() {
                "on the old run".to_owned()
            } else {
                format!("{}{}", place.place.word(), due(place, since))
            };
            Line {
                sign,
                role,
                name: harmless(&place.name),
                step,
                old: pid(place.old_pid),
                new: pid(place.new_pid),
                up: up(model, place),
            }
        })
        .collect();
    summed(canvas, area, view, &text, role);
    let parts = parts(area, lines.len(), NOTES, true);
    list(canvas, parts.list, it.scroll, &lines);
    if let Some(area) = parts.gate {
        gate::gate(canvas, area, model, it);
    }
    said(canvas, parts.notes, &notes(view, &name));
    if let Some(area) = parts.log {
        log(canvas, area, model, it);
    }
}

/// The summary; while it goes on and there is room, with a bar.
fn summed(canvas: &mut Canvas<'_>, area: Rect, view: &RolloutView, text: &str, role: Role) {
    let (mut x, y) = (area.x + 1, area.y + 1);
    if role == Role::Title && area.width >= 60 {
        #[expect(clippy::cast_precision_loss, reason = "a part of a bar")]
        let part = |count: usize| count as f32 * 100.0 / view.size().max(1) as f32;
        let done = part(view.count(|place| place == Place::Done));
        x = bar(canvas, (x, y), 20, done, Role::Good) + 1;
    }
    canvas.text(x, y, area.right().saturating_sub(x + 1), text, role);
}

/// How long the new run of a place is up.
fn up(model: &Model, place: &PlaceView) -> String {
    let row = model
        .rows
        .get(&place.id)
        .filter(|_| place.new_pid.is_some());
    row.and_then(|row| row.view.uptime)
        .map_or_else(String::new, short_seconds)
}

fn notes(view: &RolloutView, name: &str) -> [String; 3] {
    let size = view.size();
    let most = usize::try_from(view.max_unavailable).unwrap_or(usize::MAX);
    let serving = view.count(|place| match place {
        Place::Waiting | Place::Settling | Place::Done => true,
        Place::Down | Place::Draining | Place::Rising | Place::Failed | Place::Left => false,
    });
    [
        format!(
            "in service {serving} of {size}, never fewer than {} by this; a new one that ends halts it",
            size.saturating_sub(most)
        ),
        "closing this screen does not stop it; it goes on in the daemon".to_owned(),
        format!(
            "= {}; adasa rollout status {name}",
            twin(name, Some(view.max_unavailable))
        ),
    ]
}

/// What the new instances write.
fn log(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &RollingScreen) {
    match it.logs.pane() {
        Some(pane) => {
            let name = harmless(&pane.scope.name);
            log_view::titled(canvas, area, model, &it.logs, &name);
        }
        None => canvas.title(area, "logs: no instance is new yet", ""),
    }
}

fn said(canvas: &mut Canvas<'_>, area: Rect, notes: &[String]) {
    for (y, note) in (area.y..area.bottom()).zip(notes) {
        canvas.text(area.x + 1, y, width(area), note, Role::Text);
    }
}

/// Each instance with its step.
fn list(canvas: &mut Canvas<'_>, area: Rect, scroll: usize, lines: &[Line]) {
    let (x, width) = (area.x + 1, width(area));
    let head = u16::from(area.height > 2);
    let wide = area.width >= 60;
    let names = lines.iter().map(|l| cells(&l.name)).max().unwrap_or(0);
    let names = names.clamp(8, if wide { 32 } else { 14 });
    let steps = if wide {
        26
    } else {
        width.saturating_sub(names + 5)
    };
    let (name_x, step_x) = (x + 3, x + 3 + names + 2);
    let old_x = step_x + steps + 1;
    let columns = [("OLD PID", 9), ("NEW PID", 9), ("UP", 8)];
    let mut at = old_x;
    // A column that does not fit is not begun.
    let columns = columns.map(|(title, room)| {
        let begun = at;
        at += room;
        (wide && at <= x + width).then_some((title, begun, room))
    });
    if head > 0 {
        canvas.text(name_x, area.y, names, "INSTANCE", Role::Frame);
        canvas.text(step_x, area.y, steps, "STEP", Role::Frame);
        for (title, x, room) in columns.into_iter().flatten() {
            canvas.right(x, area.y, room, title, Role::Frame);
        }
    }
    let list = (area.y + head)..area.bottom();
    // The last line is never scrolled past.
    let most = lines.len().saturating_sub(list.len());
    for (y, line) in list.zip(lines.iter().skip(scroll.min(most))) {
        canvas.text(x + 1, y, 1, &line.sign.to_string(), line.role);
        canvas.text(name_x, y, names, &line.name, Role::Text);
        canvas.text(step_x, y, steps, &line.step, line.role);
        let told = [&line.old, &line.new, &line.up];
        for (column, text) in columns.into_iter().zip(told) {
            if let Some((_, x, room)) = column {
                canvas.right(x, y, room, text, Role::Text);
            }
        }
    }
}
