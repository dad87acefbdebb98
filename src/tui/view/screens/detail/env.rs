//! The environment of one instance: names, and the one value that is shown for a while.

use ratatui::layout::Rect;

use crate::api::{Detail, MASK};
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::detail::DetailScreen;
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

use super::{folded, put, unknown};

/// Where there is so much room, each says where it comes from.
const ORIGINS: u16 = 60;
/// The widest word for that.
const WORD: u16 = 9;

/// What is said above: how many there are, and what can be done.
fn heading(model: &Model, it: &DetailScreen, detail: &Detail) -> String {
    let count = detail.env.len();
    let masked = detail.env.values().filter(|it| it.contains(MASK)).count();
    let word = if count == 1 { "variable" } else { "variables" };
    match it.variables.due() {
        Some(until) => {
            let left = until.saturating_sub(model.now).as_millis().div_ceil(1000);
            format!("{count} {word}; shown for {left}s more, V hides it")
        }
        None => {
            format!("{count} {word}, {masked} masked; V shows a value for 10s, who saw it is noted")
        }
    }
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    let lines = unknown(&it.detail);
    put(canvas, area, &lines);
    let Some(detail) = it.detail.told.as_deref() else {
        return;
    };
    let y = area.y + u16::try_from(lines.len()).unwrap_or(0);
    if detail.env.is_empty() {
        let text = "its definition has no variables";
        canvas.text(area.x, y, area.width, text, Role::Text);
        let below = Rect {
            y: y + 1,
            height: area.bottom().saturating_sub(y + 1),
            ..area
        };
        return inherited(canvas, below, detail);
    }
    let text = heading(model, it, detail);
    canvas.text(area.x, y, area.width, &text, Role::Title);
    let place = it.variables.place(detail);
    let height = usize::from(area.bottom().saturating_sub(y + 1));
    let first = place.saturating_sub(height.saturating_sub(1));
    let widest = detail.env.keys().map(|key| key.chars().count()).max();
    let column = widest.unwrap_or(0).min(usize::from(area.width) / 2);
    // A mark, a blank, the name, two blanks, the value.
    let indent = column + 4;
    let room = area
        .width
        .saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX));
    let mut y = y + 1;
    for (n, (key, told)) in detail.env.iter().enumerate().skip(first) {
        let (value, real) = it.variables.value(key, told);
        let (mark, role) = match (n == place, real) {
            (true, true) => (canvas.glyphs.cursor, Role::Waiting),
            (true, false) => (canvas.glyphs.cursor, Role::Selected),
            (false, _) => (' ', Role::Text),
        };
        let value = harmless(value);
        // A value that was asked for is seen whole, as far as there is room.
        let rows = if real {
            broken(&value, room)
        } else {
            vec![value]
        };
        for (n, row) in rows.iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            let start = if n == 0 {
                format!("{mark} {:<column$}  ", harmless(key))
            } else {
                " ".repeat(indent)
            };
            let text = format!("{start}{row}");
            canvas.text(area.x, y, area.width, &text, role);
            let origin = detail.env_origins.get(key).filter(|_| n == 0);
            if let Some(origin) = origin.filter(|_| area.width >= ORIGINS) {
                let x = area.right() - WORD;
                canvas.text(x - 1, y, WORD + 1, &format!(" {:<9}", origin.word()), role);
            }
            y += 1;
        }
    }
    let below = Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    };
    inherited(canvas, below, detail);
}

/// What it has of whoever defined it, below.
fn inherited(canvas: &mut Canvas<'_>, area: Rect, detail: &Detail) {
    if detail.inherited.is_empty() || area.height < 2 {
        return;
    }
    let title = format!("{} inherited of whoever defined it", detail.inherited.len());
    canvas.text(area.x, area.y + 1, area.width, &title, Role::Title);
    let lines = detail.inherited.iter().zip(area.y + 2..area.bottom());
    for ((key, value), y) in lines {
        let text = harmless(&format!("  {key}={value}"));
        canvas.text(area.x, y, area.width, &text, Role::Text);
    }
}

/// Between words where there are any, else anywhere.
fn broken(value: &str, width: u16) -> Vec<String> {
    let width = width.max(8);
    let mut rows = Vec::new();
    for line in folded(value, width) {
        let chars: Vec<char> = line.chars().collect();
        let pieces = chars.chunks(usize::from(width));
        rows.extend(pieces.map(|piece| piece.iter().collect::<String>()));
    }
    if rows.is_empty() {
        rows.push(String::new());
    }
    rows
}
