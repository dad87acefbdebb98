//! The lines of a pane.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar as _;

use crate::api::Level;
use crate::config::units::short_size;
use crate::logs::safe::{SafeText, harmless};
use crate::tui::log::{Line, Pane, Row, Times};
use crate::tui::model::Model;
use crate::tui::screens::log_view::{LogView, gutter};
use crate::tui::theme::{Role, Theme};
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::logs::style;

/// The rows of a pane in its place.
pub(in crate::tui::view) fn lines(
    canvas: &mut Canvas<'_>,
    area: Rect,
    whole: Rect,
    model: &Model,
    view: &LogView,
    n: usize,
) {
    let Some(pane) = view.panes.get(n) else {
        return;
    };
    let rows = pane.rows(view.shape_in(whole, n));
    if rows.is_empty() {
        let text = nothing(pane);
        canvas.text(
            area.x + 1,
            area.y,
            area.width.saturating_sub(1),
            &text,
            Role::Text,
        );
        return;
    }
    let width = gutter(view, pane, area.width);
    let chosen = pane.selection();
    let mut before = None;
    for (y, row) in (area.y..area.bottom()).zip(rows) {
        let row_area = Rect {
            y,
            height: 1,
            ..area
        };
        match row {
            Row::Gap(line) => note(canvas, row_area, width, &gap_words(line)),
            Row::Run(line) => run(canvas, row_area, width, view, line),
            Row::Text(line, 0) => {
                let at = pane.point() == Some(line.number);
                let selected = chosen.is_some_and(|(a, b)| (a..=b).contains(&line.number));
                let time = view.times.text(line.time_ms, before, model.wall_ms);
                before = line.time_ms;
                gutter_of(canvas, row_area, view, pane, line, &time, at || selected);
                text(canvas, row_area, width, view, line, 0);
            }
            Row::Text(line, start) => {
                let x = area.x + width.saturating_sub(2);
                let hanging = canvas.glyphs.hanging.to_string();
                canvas.text(x, y, 1, &hanging, Role::Frame);
                text(canvas, row_area, width, view, line, start);
            }
        }
    }
}

/// Why there are no lines.
fn nothing(pane: &Pane) -> String {
    if let Some(why) = &pane.refused {
        harmless(why)
    } else if pane.is_asking() {
        "reading the log".to_owned()
    } else if pane.scope.filter.is_empty() && pane.scope.level.is_none() {
        "no output yet".to_owned()
    } else {
        "no line passes the filter: & and Enter clears it".to_owned()
    }
}

fn gap_words(line: &Line) -> String {
    let mut words = Vec::new();
    if line.gap > 0 {
        words.push(format!("{} lines not sent, Enter reads them", line.gap));
    }
    if line.missing > 0 {
        words.push(format!(
            "{} removed from the disk",
            short_size(line.missing)
        ));
    }
    if line.dropped > 0 {
        let size = short_size(line.dropped);
        words.push(format!("{size} let go: the disk did not take them"));
    }
    if line.damaged {
        words.push("a damaged archive ends here: lines of it are wrong or missing".to_owned());
    }
    words.join(", ")
}

/// A remark between lines.
fn note(canvas: &mut Canvas<'_>, area: Rect, gutter: u16, words: &str) {
    let dots = canvas.glyphs.dot.to_string().repeat(3);
    let text = format!("{dots} {words} {dots}");
    let x = area.x + gutter.min(area.width);
    let room = area.right().saturating_sub(x);
    canvas.text(x, area.y, room, &text, Role::Waiting);
}

/// The rule where another run begins.
fn run(canvas: &mut Canvas<'_>, area: Rect, gutter: u16, view: &LogView, line: &Line) {
    let (Some(run), Some(before)) = (line.run, line.after_run) else {
        return;
    };
    let rule = canvas.glyphs.line.to_string();
    let x = area.x + gutter.min(area.width);
    let room = area.right().saturating_sub(x);
    let name = harmless(&line.name);
    let lead = rule.repeat(3);
    let told = |run| view.endings.of(line.id, run);
    let over = match told(before).and_then(|it| it.end.as_ref()) {
        Some(end) => format!("run {before}: {}", harmless(end)),
        None => format!("run {before} is over"),
    };
    // Whose word ended the one is not said twice.
    let by = told(run).and_then(|it| it.begun_by.as_ref());
    let begins = match by.filter(|by| !over.contains(&harmless(by))) {
        Some(by) => format!("run {run}: {}", harmless(by)),
        None => format!("run {run} begins"),
    };
    let text = format!("{lead} {name} {over} {} {begins} ", canvas.glyphs.arrow);
    let end = canvas.text(x, area.y, room, &text, Role::Title);
    let rest = area.right().saturating_sub(end);
    let rule = rule.repeat(usize::from(rest));
    canvas.text(end, area.y, rest, &rule, Role::Frame);
}

fn gutter_of(
    canvas: &mut Canvas<'_>,
    area: Rect,
    view: &LogView,
    pane: &Pane,
    line: &Line,
    time: &str,
    selected: bool,
) {
    let width = gutter(view, pane, area.width);
    let end = area.x + width.saturating_sub(1);
    let mut x = area.x;
    let role = |role| if selected { Role::Selected } else { role };
    if width > 0 && selected {
        let blank = " ".repeat(usize::from(width.saturating_sub(1)));
        canvas.text(area.x, area.y, width, &blank, Role::Selected);
    }
    if view.times != Times::Off && area.width >= 60 {
        let room = view.times.width();
        let at = match view.times {
            Times::Ago | Times::Delta => x + room - cells(time).min(room),
            Times::Off | Times::Clock | Times::Date => x,
        };
        canvas.text(at, area.y, x + room - at, time, role(Role::Text));
        x += room + 1;
    }
    if pane.buffer.is_mixed() {
        let room = u16::try_from(pane.buffer.name_width()).unwrap_or(0);
        let room = room.min(end.saturating_sub(x));
        canvas.text(x, area.y, room, &harmless(&line.name), role(Role::Text));
        x += room + 1;
    }
    // The level is in the line; here it only catches the eye.
    let word = match (&line.said, line.level) {
        (Some(said), _) if said.bad => Role::Bad,
        (Some(_), _) => Role::Title,
        (None, Some(Level::Error)) => Role::Bad,
        (None, Some(Level::Warn)) => Role::Waiting,
        (None, Some(Level::Trace | Level::Debug | Level::Info) | None) => Role::Text,
    };
    // What stands here no process can write.
    let of = match line.stream() {
        Some(stream) => stream.word().to_owned(),
        None => canvas.glyphs.line.to_string().repeat(3),
    };
    let room = end.saturating_sub(x);
    x = canvas.text(x, area.y, room, &of, role(word));
    let (sign, sign_role) = if pane.is_marked(line) {
        (canvas.glyphs.mark, Role::Bad)
    } else {
        (canvas.glyphs.gutter, Role::Frame)
    };
    let room = end.saturating_sub(x);
    canvas.text(x, area.y, room, &sign.to_string(), role(sign_role));
}

/// How each of the words looks.
fn word(theme: Theme, n: usize) -> Style {
    let (modifier, colour) = match n {
        0 => (Modifier::UNDERLINED, Color::Cyan),
        1 => (Modifier::UNDERLINED | Modifier::BOLD, Color::Magenta),
        2 => (Modifier::REVERSED, Color::Green),
        3 => (Modifier::BOLD, Color::Blue),
        4 => (Modifier::REVERSED | Modifier::UNDERLINED, Color::Cyan),
        _ => (Modifier::ITALIC | Modifier::BOLD, Color::Magenta),
    };
    #[cfg(test)]
    if theme == Theme::Roles {
        return theme.style(Role::Requested);
    }
    let style = Style::default().add_modifier(modifier);
    if theme == Theme::Terminal {
        style.fg(colour)
    } else {
        style
    }
}

/// The text of a row: what fits from a byte on.
fn text(
    canvas: &mut Canvas<'_>,
    area: Rect,
    gutter: u16,
    view: &LogView,
    line: &Line,
    from: usize,
) {
    let x = area.x + gutter.min(area.width);
    let mut room = area.right().saturating_sub(x);
    // How many say the same is seen whatever the line is.
    let folds = view.pane().is_some_and(|pane| view.folds(pane));
    if folds && line.alike > 1 && from == 0 {
        let text = format!(" {}{} similar", canvas.glyphs.times, line.alike);
        let width = cells(&text).min(room);
        room -= width;
        canvas.text(x + room, area.y, width, &text, Role::Waiting);
    }
    let seen = line.shown(view.controls);
    let plain = seen.plain();
    let mut spans: Vec<(Range<usize>, Style)> = Vec::new();
    for (n, words) in view.words.iter().enumerate() {
        let style = word(canvas.theme, n);
        let ranges = words.ranges(&plain).into_iter();
        spans.extend(ranges.map(|range| (range, style)));
    }
    if let Some(hunt) = &view.hunt {
        let style = canvas.theme.style(Role::Question);
        let ranges = hunt.words.ranges(&plain).into_iter();
        spans.extend(ranges.map(|range| (range, style)));
    }
    let left = if view.wrap { 0 } else { view.left };
    pieces(canvas, (x, area.y, room), &seen, (from, left), &spans);
    let hidden = !view.wrap && seen.width() > left + usize::from(room);
    if hidden && room > 0 {
        let more = canvas.glyphs.more.to_string();
        canvas.text(x + room - 1, area.y, 1, &more, Role::Frame);
    }
}

/// Writes pieces from a byte and a cell on, with spans on top.
pub(super) fn pieces(
    canvas: &mut Canvas<'_>,
    (x, y, room): (u16, u16, u16),
    text: &SafeText,
    (from, left): (usize, usize),
    spans: &[(Range<usize>, Style)],
) {
    let end = x.saturating_add(room);
    let mut at = x;
    let (mut byte, mut passed) = (0, 0);
    for (piece, look) in text.pieces() {
        let base = style(*look, canvas.theme);
        let (mut run, mut run_style) = (String::new(), base);
        for c in piece.chars() {
            let here = byte;
            byte += c.len_utf8();
            if here < from {
                continue;
            }
            if passed < left {
                passed += c.width().unwrap_or(0);
                // Half of a wide character is a blank.
                if passed > left {
                    run.push(' ');
                }
                continue;
            }
            let on_top = spans.iter().rev().find(|(range, _)| range.contains(&here));
            let style = on_top.map_or(base, |(_, style)| base.patch(*style));
            if style != run_style {
                at = canvas.styled(at, y, end.saturating_sub(at), &run, run_style);
                run.clear();
                run_style = style;
            }
            run.push(c);
        }
        at = canvas.styled(at, y, end.saturating_sub(at), &run, run_style);
        if at >= end {
            return;
        }
    }
}
