//! The log pane.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::logs::safe::{Colour, Look, harmless};
use crate::tui::model::{Focus, Model};
use crate::tui::theme::{Role, Theme};

use super::canvas::{Canvas, cells};
use super::screens::log_view;

pub(super) fn title(canvas: &mut Canvas<'_>, area: Rect, whole: Rect, model: &Model) {
    canvas.rule(area);
    let pane = model.logs.pane();
    let name = pane.map_or("none", |pane| pane.scope.name.as_str());
    let text = format!(" logs: {} ", harmless(name));
    let role = if model.focus == Focus::Logs {
        Role::Selected
    } else {
        Role::Title
    };
    canvas.text(
        area.x + 1,
        area.y,
        area.width.saturating_sub(1),
        &text,
        role,
    );
    let Some(pane) = pane else {
        return;
    };
    let right = format!(
        " {} ",
        log_view::words(canvas, whole, &model.logs.view, pane)
    );
    let width = cells(&right);
    canvas.text(
        area.right().saturating_sub(width + 1),
        area.y,
        width,
        &right,
        Role::Title,
    );
}

pub(super) fn lines(canvas: &mut Canvas<'_>, area: Rect, whole: Rect, model: &Model) {
    log_view::lines(canvas, area, whole, model, &model.logs.view, 0);
}

fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Indexed(n) => Color::Indexed(n),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

pub(super) fn style(look: Look, theme: Theme) -> Style {
    let mut style = Style::default();
    for (on, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    if theme.has_colours() {
        style.fg = look.fg.map(colour);
        style.bg = look.bg.map(colour);
    }
    style
}
