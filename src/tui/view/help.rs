//! The box of the help.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::help::{Help, Line, counts, lines, title};
use crate::tui::model::Model;
use crate::tui::theme::Role;

use super::canvas::Canvas;

/// What is said before the keys, where there is room.
const ABOVE: [&str; 3] = [
    "q leaves the dashboard only: processes keep running.",
    "Filter: names, status:x|y cpu>5 mem>1g tag:x ns:x /regex/ !not",
    "Behind a name: ' is new standard error, a comma a long silence.",
];
/// From this height on.
const ROOMY: u16 = 16;
/// A column of keys.
const COLUMN: u16 = 76;
/// So wide that the names of the configuration stand in it too.
const NAMED: u16 = 94;
/// Keys, what they do.
const KEYS: usize = 12;
const WORDS: usize = 62;

/// The box; the footer has its keys.
fn area(model: &Model) -> Rect {
    let (columns, rows) = model.size;
    let rows = rows.saturating_sub(1);
    let most = if columns >= 2 * NAMED {
        2 * NAMED + 6
    } else {
        NAMED + 4
    };
    let width = columns
        .saturating_sub(2)
        .min(if columns >= 120 { most } else { COLUMN + 4 });
    Rect::new((columns - width) / 2, 0, width, rows)
}

fn above(model: &Model) -> u16 {
    if area(model).height >= ROOMY { 3 } else { 0 }
}

/// How many columns of keys.
fn columns(inside: u16) -> u16 {
    if inside >= 2 * COLUMN + 2 { 2 } else { 1 }
}

/// How many lines of keys are seen at once.
pub(in crate::tui) fn page(model: &Model) -> usize {
    let area = area(model);
    let rows = area.height.saturating_sub(2 + above(model));
    usize::from(rows) * usize::from(columns(area.width.saturating_sub(4)))
}

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, help: &Help) {
    let inside = canvas.frame(area(model), &title(model));
    let above = above(model);
    for (y, text) in (inside.y..).zip(ABOVE).take(usize::from(above)) {
        canvas.text(inside.x, y, inside.width, text, Role::Text);
    }
    let rows = Rect {
        y: inside.y + above,
        height: inside.height.saturating_sub(above),
        ..inside
    };
    let all = lines(model, help);
    if all.is_empty() {
        let text = "no key and no word of it is called so";
        canvas.text(rows.x, rows.y, rows.width, text, Role::Text);
        return;
    }
    let count = columns(inside.width);
    let width = inside.width / count;
    let seen = all.get(help.scroll..).unwrap_or_default();
    let height = usize::from(rows.height).max(1);
    for (n, lines) in (0..count).zip(seen.chunks(height)) {
        let x = rows.x + n * width;
        for (y, line) in (rows.y..rows.bottom()).zip(lines) {
            let (text, role) = shown(line, width);
            canvas.text(x, y, width.saturating_sub(1), &text, role);
        }
    }
}

fn shown(line: &Line, width: u16) -> (String, Role) {
    match line {
        Line::Blank => (String::new(), Role::Text),
        Line::Title(title) => ((*title).to_owned(), Role::Title),
        Line::Key(keys, help, name) if width >= NAMED => {
            (format!("  {keys:<KEYS$} {help:<WORDS$} {name}"), Role::Text)
        }
        Line::Key(keys, help, _) => (format!("  {keys:<KEYS$} {help}"), Role::Text),
    }
}

/// What is looked for, in the footer.
pub(super) fn prompt(canvas: &mut Canvas<'_>, area: Rect, model: &Model, help: &Help) {
    let y = area.y;
    let room = |x: u16| area.width.saturating_sub(x);
    let mut x = canvas.text(1, y, area.width, "/", Role::Title);
    x = canvas.text(x, y, room(x), &harmless(&help.find), Role::Text);
    x = canvas.text(x, y, room(x), "_", Role::Selected);
    let (found, all) = counts(model, help);
    let after = format!("  {found} of {all} keys   Enter keep  Esc all");
    canvas.text(x, y, room(x), &after, Role::Text);
}
