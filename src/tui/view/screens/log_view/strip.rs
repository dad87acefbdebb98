//! The strip below a log: how many lines came when, and how far a search is.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::log::{Hunt, Pane, Times};
use crate::tui::screens::log_view::{LogView, is_large, strip_columns};
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};

use super::histogram;

/// From so many columns on, errors have columns of their own.
const ERRORS_FROM: usize = 48;

pub(super) fn strip(canvas: &mut Canvas<'_>, area: Rect, whole: Rect, view: &LogView) {
    if is_large(area) {
        return histogram::histogram(canvas, area, whole, view);
    }
    let columns = usize::from(strip_columns(area));
    let mut x = area.x + 1;
    if columns > 0 && view.strip.buckets.len() == columns {
        x = counts(canvas, x, area, whole, view);
    }
    if let Some(hunt) = &view.hunt {
        let text = progress(view, hunt, canvas.glyphs.more);
        let room = area.right().saturating_sub(x + 2);
        let width = cells(&text).min(room);
        let at = area.right().saturating_sub(width + 1);
        canvas.text(at, area.y, width, &text, Role::Title);
    }
}

/// `/words 7/31`
pub(super) fn progress(view: &LogView, hunt: &Hunt, more: char) -> String {
    let here = view.pane().and_then(Pane::pointed);
    let here = here.and_then(|line| line.at);
    let here = here.and_then(|at| hunt.place_of(at));
    let total = hunt.total;
    let mut text = format!("/{}  ", harmless(hunt.words.text()));
    if let Some(here) = here {
        text.push_str(&format!("{here}/"));
    }
    text.push_str(&total.to_string());
    if hunt.is_counting() {
        text.push(more);
    } else if hunt.partly {
        text.push('+');
    }
    if here.is_none() {
        text.push_str(if total == 1 { " hit" } else { " hits" });
    }
    text
}

fn counts(canvas: &mut Canvas<'_>, x: u16, area: Rect, whole: Rect, view: &LogView) -> u16 {
    let strip = &view.strip;
    let y = area.y;
    let room = |x: u16| area.right().saturating_sub(x);
    let most = strip.buckets.iter().map(|b| b.lines).max().unwrap_or(0);
    let shape = view.shape_in(whole, view.at);
    let moment = view.pane().and_then(|pane| pane.moment(shape));
    let here = moment.and_then(|ms| strip.column(ms));
    let mut x = canvas.text(x, y, room(x), &clock(strip.from_ms), Role::Text) + 1;
    for (n, bucket) in strip.buckets.iter().enumerate() {
        let sign = bar(canvas, bucket.lines, most);
        let role = match here {
            Some(column) if column == n => Role::Selected,
            _ if bucket.errors > 0 => Role::Bad,
            _ => Role::Text,
        };
        x = canvas.text(x, y, room(x), &sign.to_string(), role);
    }
    x = canvas.text(x + 1, y, room(x + 1), &clock(strip.to_ms), Role::Text) + 2;
    let errors = strip.errors();
    let word = if errors == 1 { "error" } else { "errors" };
    let plus = if strip.complete { "" } else { "+" };
    x = canvas.text(x, y, room(x), &format!("{errors}{plus} {word}"), Role::Text);
    if errors == 0 || strip.buckets.len() < ERRORS_FROM {
        return x;
    }
    // Where errors are is seen without colours too.
    let together = strip.buckets.chunks(4);
    let sums: Vec<u64> = together
        .map(|buckets| buckets.iter().map(|bucket| bucket.errors).sum())
        .collect();
    let most = sums.iter().copied().max().unwrap_or(0);
    let signs: String = sums.iter().map(|count| bar(canvas, *count, most)).collect();
    canvas.text(x + 1, y, room(x + 1), &signs, Role::Bad)
}

/// The time of day without milliseconds.
pub(super) fn clock(ms: u64) -> String {
    let text = Times::Clock.text(Some(ms), None, ms);
    text.chars().take(8).collect()
}

/// The sign for a count; nothing at all has one of its own.
pub(super) fn bar(canvas: &Canvas<'_>, count: u64, most: u64) -> char {
    if count == 0 {
        return canvas.glyphs.missing;
    }
    let step = (count * 7).div_ceil(most.max(1)).min(7);
    let step = usize::try_from(step).unwrap_or(0);
    canvas.glyphs.spark.get(step).copied().unwrap_or(' ')
}
