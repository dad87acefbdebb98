//! The full-screen log view.

mod histogram;
mod lines;
mod strip;
mod whole;

use ratatui::layout::Rect;

use crate::api::Level;
use crate::logs::safe::harmless;
use crate::tui::log::{Pane, Shape};
use crate::tui::model::Model;
use crate::tui::screens::log_view::{LogView, areas};
use crate::tui::theme::Role;
use crate::tui::update::stream_word;
use crate::tui::view::canvas::{Canvas, cells};

pub(in crate::tui::view) use lines::lines;
pub(in crate::tui) use whole::text_rows;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, view: &LogView) {
    let parts = areas(view, area);
    for (n, (pane, place)) in view.panes.iter().zip(&parts.panes).enumerate() {
        title(canvas, place.title, area, view, pane, n);
        lines(canvas, place.body, area, model, view, n);
        // A rule between panes that stand side by side.
        let x = place.title.right();
        if view.side && n + 1 < view.panes.len() {
            let rule = canvas.glyphs.gutter.to_string();
            for y in place.body.top()..place.body.bottom() {
                canvas.text(x, y, 1, &rule, Role::Frame);
            }
        }
    }
    if let (Some(place), Some(whole)) = (parts.whole, &view.whole) {
        whole::whole(canvas, place, view, whole);
    }
    if let Some(place) = parts.strip {
        strip::strip(canvas, place, area, view);
    }
}

/// Whose lines, which of them, and whether they follow.
fn title(canvas: &mut Canvas<'_>, area: Rect, whole: Rect, view: &LogView, pane: &Pane, n: usize) {
    canvas.rule(area);
    let scope = &pane.scope;
    let dot = canvas.glyphs.dot;
    let number = if view.panes.len() > 1 {
        format!("{} ", n + 1)
    } else {
        String::new()
    };
    let mut left = format!(
        " {number}{} {dot} {}",
        harmless(&scope.name),
        stream_word(scope.stream)
    );
    if let Some(level) = scope.level {
        left.push_str(&format!(" {dot} {} and worse", level_word(level)));
    }
    for filter in &scope.filter {
        left.push_str(&format!(" {dot} &{}", harmless(filter)));
    }
    if view.wrap {
        left.push_str(&format!(" {dot} wrap"));
    } else if view.left > 0 {
        left.push_str(&format!(" {dot} from column {}", view.left + 1));
    }
    left.push(' ');
    let right = format!(" {} ", state(view, pane, view.shape_in(whole, n)));
    let room = area.width.saturating_sub(2);
    let right_width = cells(&right).min(room);
    let role = if n == view.at && view.panes.len() > 1 {
        Role::Selected
    } else {
        Role::Title
    };
    let x = area.right().saturating_sub(right_width + 1);
    canvas.text(
        area.x + 1,
        area.y,
        x.saturating_sub(area.x + 2),
        &left,
        role,
    );
    canvas.text(x, area.y, right_width, &right, Role::Title);
}

/// A part of another screen: a title, and lines.
pub(in crate::tui::view) fn titled(
    canvas: &mut Canvas<'_>,
    area: Rect,
    model: &Model,
    view: &LogView,
    name: &str,
) {
    let Some((pane, place)) = view.pane().zip(areas(view, area).panes.first().copied()) else {
        return;
    };
    let right = words(canvas, area, view, pane);
    canvas.title(place.title, &format!("logs: {name}"), &right);
    lines(canvas, place.body, area, model, view, 0);
}

/// Which lines of an embedded view in its area, whether it follows, and how far a search is.
pub(in crate::tui::view) fn words(
    canvas: &Canvas<'_>,
    whole: Rect,
    view: &LogView,
    pane: &Pane,
) -> String {
    let dot = canvas.glyphs.dot;
    let mut words = stream_word(pane.scope.stream).to_owned();
    if let Some(level) = pane.scope.level {
        words.push_str(&format!(" {dot} {} and worse", level_word(level)));
    }
    for filter in &pane.scope.filter {
        words.push_str(&format!(" {dot} &{}", harmless(filter)));
    }
    if let Some(hunt) = &view.hunt {
        let progress = strip::progress(view, hunt, canvas.glyphs.more);
        words.push_str(&format!(" {dot} {progress}"));
    }
    format!(
        "{words} {dot} {}",
        state(view, pane, view.shape_in(whole, 0))
    )
}

fn state(view: &LogView, pane: &Pane, shape: Shape) -> String {
    let mut words = Vec::new();
    if view.folds(pane) {
        words.push("similar as one".to_owned());
    }
    if pane.is_selecting() {
        words.push(format!("SELECT {}", pane.chosen().len()));
    }
    if view.is_seeking() {
        words.push("searching, Esc ends it".to_owned());
    }
    if pane.is_following() {
        let share = pane.share();
        let share = share.map_or_else(String::new, |percent| format!(", {percent}% shown"));
        words.push(pane.per_second().map_or_else(
            || "FOLLOW".to_owned(),
            |lines| format!("FOLLOW {lines} lines/s{share}"),
        ));
    } else if pane.new_lines() == 0 && pane.is_at_end(shape) {
        words.push("PAUSED at the end, G follows".to_owned());
    } else {
        words.push(format!("PAUSED +{} new, G follows", pane.new_lines()));
    }
    words.join("  ")
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warnings",
        Level::Error => "errors",
    }
}
