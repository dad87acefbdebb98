//! Draws the model into a buffer; records nothing.

mod boxes;
mod canvas;
mod header;
mod logs;
mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::keymap::hints;
use super::model::{Link, Mode, Model, Tier};
use super::regions::{SMALLEST, regions};
use super::theme::Role;

use canvas::Canvas;

pub(super) use boxes::help_height;

/// The whole screen.
pub(super) fn view(model: &Model, buffer: &mut Buffer) {
    let mut canvas = Canvas::new(buffer, model.theme, model.glyphs);
    let (width, height) = model.size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let text = format!("adasa: {} processes", model.rows.len());
        canvas.text(0, 0, width, &text, Role::Text);
        let notice = format!(
            "{width}x{height} is too small: {}x{}",
            SMALLEST.0, SMALLEST.1
        );
        canvas.text(0, 1, width, &notice, Role::Text);
        return;
    }
    let places = regions(model);
    header::header(&mut canvas, places.header, model);
    header::gauges(&mut canvas, places.gauges, model);
    if model.rows.is_empty() && model.daemon.is_some() {
        first_start(&mut canvas, places.rows);
    } else {
        table::head(&mut canvas, places.head, model);
        table::rows(&mut canvas, places.rows, model);
    }
    if let Some(area) = places.logs {
        logs::title(&mut canvas, places.title, model);
        logs::lines(&mut canvas, area, model);
    }
    boxes::toasts(&mut canvas, places.footer, model);
    footer(&mut canvas, places.footer, model);
    if let Link::Lost(lost) = &model.link {
        boxes::lost(&mut canvas, model, lost);
    }
    match &model.mode {
        Mode::Ask(ask) if ask.tier != Tier::Footer => boxes::ask(&mut canvas, model, ask),
        Mode::Help { scroll } => boxes::help(&mut canvas, model, *scroll),
        Mode::Ask(_) | Mode::Browse | Mode::Filter => {}
    }
}

fn first_start(canvas: &mut Canvas<'_>, area: Rect) {
    let lines = [
        "",
        "Nothing runs under adasa here yet.",
        "",
        "From the shell:",
        "  $ adasa start ./my-app --name api",
        "  $ adasa up -d adasa.toml",
        "",
        "q leaves this screen; processes go on in the daemon.",
        "? shows every key.",
    ];
    for (n, line) in (0..area.height).zip(lines) {
        canvas.text(
            area.x + 2,
            area.y + n,
            area.width.saturating_sub(2),
            line,
            Role::Text,
        );
    }
}

fn footer(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    if area.height == 0 {
        return;
    }
    match &model.mode {
        Mode::Ask(ask) if ask.tier == Tier::Footer => boxes::question(canvas, area, model, ask),
        Mode::Filter => {
            let mut x = canvas.text(1, area.y, area.width, "/", Role::Title);
            x = canvas.text(
                x,
                area.y,
                area.width.saturating_sub(x),
                model.filter.text(),
                Role::Text,
            );
            x = canvas.text(x, area.y, area.width.saturating_sub(x), "_", Role::Selected);
            let after = match model.filter.error() {
                Some(error) => format!("  {error}"),
                None => "   Enter keeps it, Esc clears it".to_owned(),
            };
            canvas.text(x, area.y, area.width.saturating_sub(x), &after, Role::Text);
        }
        Mode::Browse | Mode::Help { .. } | Mode::Ask(_) => {
            if let Link::Lost(_) = model.link {
                let text = " not connected: actions off until it is back   Enter try now   q quit";
                canvas.text(0, area.y, area.width, text, Role::Text);
                return;
            }
            let mut x = 1;
            for (key, word) in hints(model.focus, &model.mode) {
                let width =
                    u16::try_from(key.chars().count() + word.chars().count() + 1).unwrap_or(0);
                if x + width > area.width {
                    break;
                }
                x = canvas.text(x, area.y, area.width - x, key, Role::Title);
                x = canvas.text(
                    x + 1,
                    area.y,
                    area.width.saturating_sub(x + 1),
                    word,
                    Role::Text,
                );
                x += 2;
            }
        }
    }
}
