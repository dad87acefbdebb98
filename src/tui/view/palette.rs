//! The command line of the dashboard.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::palette::{Palette, suggestions, twin};
use crate::tui::theme::Role;

use super::canvas::Canvas;

/// How many suggestions are seen.
const SHOWN: u16 = 8;

pub(super) fn palette(canvas: &mut Canvas<'_>, model: &Model, it: &Palette) {
    let (columns, rows) = model.size;
    let width = columns.saturating_sub(4).min(72);
    let list = suggestions(model, it);
    let height = (SHOWN + 6).min(rows.saturating_sub(2));
    let area = Rect::new(
        (columns - width) / 2,
        (rows - 1 - height) / 2,
        width,
        height,
    );
    let inside = canvas.frame(area, "command");
    let room = inside.width.saturating_sub(3);
    // The end of a long line is what is typed.
    let text: Vec<char> = it.text.chars().collect();
    let from = text.len().saturating_sub(usize::from(room));
    let text: String = text.iter().skip(from).collect();
    let x = canvas.text(
        inside.x,
        inside.y,
        inside.width,
        &format!(":{text}"),
        Role::Title,
    );
    canvas.text(x, inside.y, 1, "_", Role::Selected);
    let listed = inside.height.saturating_sub(4).min(SHOWN);
    let first = it
        .choice
        .saturating_sub(usize::from(listed).saturating_sub(1));
    let shown = list
        .iter()
        .enumerate()
        .skip(first)
        .take(usize::from(listed));
    for (y, (n, suggestion)) in (inside.y + 2..).zip(shown) {
        let note = harmless(&suggestion.note);
        // One column for all keys: wide enough for a count, narrow enough for a phone.
        let notes = if inside.width >= 50 { 16 } else { 0 };
        let names = inside.width.saturating_sub(notes + 8);
        let x = canvas.text(
            inside.x + 2,
            y,
            names,
            &harmless(&suggestion.command),
            Role::Text,
        );
        let keys = inside.right().saturating_sub(notes + 5).max(x + 1);
        canvas.text(
            keys,
            y,
            inside.right().saturating_sub(keys),
            &suggestion.key,
            Role::Title,
        );
        canvas.right(inside.right() - notes, y, notes, &note, Role::Text);
        if n == it.choice {
            canvas.paint(Rect::new(inside.x, y, inside.width, 1), Role::Selected);
            canvas.text(
                inside.x,
                y,
                1,
                &canvas.glyphs.cursor.to_string(),
                Role::Text,
            );
        }
    }
    let last = inside.bottom().saturating_sub(1);
    match (&it.error, list.get(it.choice)) {
        (Some(error), _) => {
            let error = harmless(error);
            let second = error.chars().count() > usize::from(inside.width);
            let cut = error
                .char_indices()
                .nth(usize::from(inside.width))
                .map_or(error.len(), |(at, _)| at);
            let (first, rest) = error.split_at(cut);
            let above = last.saturating_sub(u16::from(second));
            canvas.text(inside.x, above, inside.width, first, Role::Bad);
            canvas.text(
                inside.x,
                last,
                inside.width,
                if second { rest } else { first },
                Role::Bad,
            );
        }
        (None, suggestion) => {
            // What would be done: the line as it is typed, when that is whole, else what is chosen.
            let whole = (it.choice == 0)
                .then(|| twin(model, it.text.trim()))
                .flatten();
            let twin = whole.or_else(|| twin(model, &suggestion?.command));
            let twin = twin.map_or_else(String::new, |twin| format!("= {}", harmless(&twin)));
            canvas.text(inside.x, last, inside.width, &twin, Role::Text);
        }
    }
}
