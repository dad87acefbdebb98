//! What may follow the keys pressed so far.

use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};

/// A box above the footer, at the right.
pub(in crate::tui::view) fn which_key(canvas: &mut Canvas<'_>, footer: Rect, model: &Model) {
    if model.pending.is_empty() {
        return;
    }
    let followers = model.keymap.followers(&model.places(), &model.pending);
    let keys = followers
        .iter()
        .map(|(key, _)| cells(key))
        .max()
        .unwrap_or(0);
    let words = followers
        .iter()
        .map(|(_, help)| cells(help))
        .max()
        .unwrap_or(0);
    let width = (keys + words + 7).min(footer.width);
    let lines = u16::try_from(followers.len()).unwrap_or(u16::MAX);
    let height = lines.saturating_add(2).min(footer.y);
    let area = Rect::new(
        footer.right().saturating_sub(width),
        footer.y - height,
        width,
        height,
    );
    let typed: String = model.pending.iter().map(ToString::to_string).collect();
    let inside = canvas.frame(area, &typed);
    for (y, (key, help)) in (inside.y..inside.bottom()).zip(&followers) {
        canvas.text(inside.x, y, inside.width, key, Role::Title);
        let x = inside.x + keys + 2;
        canvas.text(x, y, inside.right().saturating_sub(x), help, Role::Text);
    }
}
