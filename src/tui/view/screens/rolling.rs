//! A rolling restart: the plan, then each instance with its step.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::{Place, PlaceView, RolloutView, Status, Whole};
use crate::config::units::short_duration;
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::rolling::RollingScreen;
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::{Canvas, cells};

/// One line of the list: sign, its role, and what stands in the columns.
struct Line {
    sign: char,
    role: Role,
    name: String,
    step: String,
    old: String,
    new: String,
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &RollingScreen) {
    match it.progress(model) {
        Some((view, at)) => progress(canvas, area, model, it, view, at),
        None => plan(canvas, area, model, it),
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
    let most = usize::try_from(it.most).unwrap_or(usize::MAX);
    let (summary, role) = if let Some(why) = &it.refused {
        (harmless(why), Role::Bad)
    } else if size == 0 {
        (
            "nothing of it is up: nothing would be restarted".to_owned(),
            Role::Text,
        )
    } else if size <= most {
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
                "{} at once; never fewer than {} of {size} up",
                it.most,
                size - most
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
            }
        })
        .collect();
    let notes = [
        "each new one has to stay up for its min_uptime (at most 30s)".to_owned(),
        "the first that fails halts it: the rest stays on the old run".to_owned(),
        format!(
            "= adasa restart {name} --rolling --max-unavailable {}",
            it.most
        ),
    ];
    body(canvas, area, it.scroll, (&summary, role), &lines, &notes);
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
            }
        })
        .collect();
    let size = view.size();
    let most = usize::try_from(view.max_unavailable).unwrap_or(usize::MAX);
    let notes = [
        format!(
            "never fewer than {} of {size} up because of it; a new one that ends halts it",
            size.saturating_sub(most)
        ),
        "closing this screen does not stop it; it goes on in the daemon".to_owned(),
        format!("= adasa rollout status {name}"),
    ];
    body(canvas, area, it.scroll, (&text, role), &lines, &notes);
}

fn body(
    canvas: &mut Canvas<'_>,
    area: Rect,
    scroll: usize,
    (summary, role): (&str, Role),
    lines: &[Line],
    notes: &[String],
) {
    let (x, width) = (area.x + 1, area.width.saturating_sub(2));
    canvas.text(x, area.y + 1, width, summary, role);
    let below = if area.height > 10 { 4 } else { 0 };
    let top = area.y + 2;
    let height = area.height.saturating_sub(2 + below);
    let head = u16::from(height > 6);
    let wide = area.width >= 60;
    let names = lines.iter().map(|l| cells(&l.name)).max().unwrap_or(0);
    let names = names.clamp(8, if wide { 32 } else { 14 });
    let steps = if wide {
        32
    } else {
        width.saturating_sub(names + 5)
    };
    let (name_x, step_x) = (x + 3, x + 3 + names + 2);
    let old_x = step_x + steps + 1;
    if head > 0 {
        canvas.text(name_x, top, names, "INSTANCE", Role::Frame);
        canvas.text(step_x, top, steps, "STEP", Role::Frame);
        if wide {
            canvas.right(old_x, top, 9, "OLD PID", Role::Frame);
            canvas.right(old_x + 9, top, 9, "NEW PID", Role::Frame);
        }
    }
    let list = (top + head)..(top + height);
    // The last line is never scrolled past.
    let most = lines.len().saturating_sub(list.len());
    for (y, line) in list.zip(lines.iter().skip(scroll.min(most))) {
        canvas.text(x + 1, y, 1, &line.sign.to_string(), line.role);
        canvas.text(name_x, y, names, &line.name, Role::Text);
        canvas.text(step_x, y, steps, &line.step, line.role);
        if wide {
            canvas.right(old_x, y, 9, &line.old, Role::Text);
            canvas.right(old_x + 9, y, 9, &line.new, Role::Text);
        }
    }
    if below > 0 {
        for (y, note) in (area.bottom() - 3..area.bottom()).zip(notes) {
            canvas.text(x, y, width, note, Role::Text);
        }
    }
}
