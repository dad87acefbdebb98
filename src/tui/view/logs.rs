//! The log pane.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::logs::safe::{Colour, Look, harmless};
use crate::tui::model::{Focus, Model};
use crate::tui::theme::{Role, Theme};
use crate::tui::update::stream_word;

use super::canvas::{Canvas, cells};
use super::clock;

pub(super) fn title(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    canvas.rule(area);
    let scope = model
        .logs
        .scope
        .as_ref()
        .map_or("none", |(_, name)| name.as_str());
    let text = format!(" logs: {} ", harmless(scope));
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
    let state = if model.logs.is_following() {
        "FOLLOW".to_owned()
    } else {
        format!("PAUSED +{} new, G follows", model.logs.new_lines())
    };
    let dot = canvas.glyphs.dot;
    let right = format!(" {} {dot} {state} ", stream_word(model.logs.stream));
    let width = cells(&right);
    canvas.text(
        area.right().saturating_sub(width + 1),
        area.y,
        width,
        &right,
        Role::Title,
    );
}

pub(super) fn lines(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let visible = model.logs.visible(usize::from(area.height));
    if visible.is_empty() {
        canvas.text(
            area.x + 1,
            area.y,
            area.width.saturating_sub(1),
            "no output yet",
            Role::Text,
        );
        return;
    }
    let mixed = model.logs.is_mixed();
    let widest = visible
        .iter()
        .map(|line| cells(&line.name))
        .max()
        .unwrap_or(0)
        .min(24);
    for (y, line) in (area.y..area.bottom()).zip(visible) {
        let mut x = area.x;
        if model.logs.times && area.width >= 60 {
            x = canvas.text(x, y, area.width, &clock(line.time_ms), Role::Text) + 1;
        }
        if mixed {
            canvas.text(x, y, widest, &harmless(&line.name), Role::Text);
            x += widest + 1;
        }
        x = canvas.text(
            x,
            y,
            area.right().saturating_sub(x),
            line.stream.word(),
            Role::Text,
        );
        let gutter = canvas.glyphs.gutter.to_string();
        x = canvas.text(x, y, area.right().saturating_sub(x), &gutter, Role::Frame) + 1;
        if line.gap > 0 {
            let text = format!("[{} lines passed over] ", line.gap);
            x = canvas.text(x, y, area.right().saturating_sub(x), &text, Role::Waiting);
        }
        for (piece, look) in line.text.pieces() {
            let style = style(*look, canvas.theme);
            x = canvas.styled(x, y, area.right().saturating_sub(x), piece, style);
        }
    }
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
