//! Where the parts of the view stand: pure, used by drawing and by moving alike.

use ratatui::layout::Rect;

use crate::tui::log::Pane;

use super::LogView;

/// Below this width there is no room for times.
const TIMES_FROM: u16 = 60;
/// Below this height there is no strip.
const STRIP_FROM: u16 = 12;
/// From this size on, counts have rows of their own.
const LARGE_WIDTH: u16 = 160;
const LARGE_HEIGHT: u16 = 45;
/// A title, lines, errors, runs.
const LARGE: u16 = 4;
/// What stands before the columns of these rows, and behind them.
pub(in crate::tui) const LABEL: u16 = 9;
/// How much time one of these columns is, milliseconds.
const COLUMN_MS: u64 = 2_000;
/// How much time a small strip shows, milliseconds.
const SPAN_MS: u64 = 10 * 60_000;
/// The most lines of the line for itself, with its title.
const WHOLE: u16 = 10;
/// The column of the stream with its rule and a space.
const STREAM: u16 = 5;

/// A pane: the line above it, and its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct PaneArea {
    pub(in crate::tui) title: Rect,
    pub(in crate::tui) body: Rect,
}

/// The parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Areas {
    pub(in crate::tui) panes: Vec<PaneArea>,
    /// The line for itself.
    pub(in crate::tui) whole: Option<Rect>,
    pub(in crate::tui) strip: Option<Rect>,
}

/// Divides the area of the view.
pub(in crate::tui) fn areas(view: &LogView, area: Rect) -> Areas {
    let strip = match (area.width, area.height) {
        _ if view.embedded => 0,
        (LARGE_WIDTH.., LARGE_HEIGHT..) => LARGE,
        (_, STRIP_FROM..) => 1,
        (_, _) => 0,
    };
    let whole = match view.whole {
        Some(_) => (area.height / 3).clamp(1, WHOLE).min(area.height),
        None => 0,
    };
    let rest = area.height.saturating_sub(strip + whole);
    let count = u16::try_from(view.panes.len()).unwrap_or(1).max(1);
    let pane = |x: u16, y: u16, width: u16, height: u16| PaneArea {
        title: Rect::new(x, y, width, height.min(1)),
        body: Rect::new(x, y + height.min(1), width, height.saturating_sub(1)),
    };
    let mut panes = Vec::new();
    let (mut x, mut y) = (area.x, area.y);
    for n in 0..count {
        let share = |all: u16| all / count + u16::from(n < all % count);
        if view.side {
            // A rule between two panes.
            let between = count - 1;
            let width = share(area.width.saturating_sub(between));
            panes.push(pane(x, y, width, rest));
            x = x.saturating_add(width + 1);
        } else {
            let height = share(rest);
            panes.push(pane(x, y, area.width, height));
            y += height;
        }
    }
    let below = area.y + rest;
    Areas {
        panes,
        whole: (whole > 0).then(|| Rect::new(area.x, below, area.width, whole)),
        strip: (strip > 0).then(|| Rect::new(area.x, below + whole, area.width, strip)),
    }
}

/// Whether a strip has rows of its own for lines, errors and runs.
pub(in crate::tui) fn is_large(strip: Rect) -> bool {
    strip.height >= LARGE
}

/// How much time a strip shows, milliseconds.
pub(in crate::tui) fn strip_span(strip: Rect) -> u64 {
    if is_large(strip) {
        u64::from(strip_columns(strip)) * COLUMN_MS
    } else {
        SPAN_MS
    }
}

/// How many columns of counts a strip has.
pub(in crate::tui) fn strip_columns(strip: Rect) -> u16 {
    match strip.width {
        width if is_large(strip) => width.saturating_sub(LABEL + 1).min(500),
        0..60 => 0,
        60..120 => 20,
        120..180 => 48,
        _ => 100,
    }
}

/// How many cells stand before the text of a line.
pub(in crate::tui) fn gutter(view: &LogView, pane: &Pane, width: u16) -> u16 {
    let times = match view.times.width() {
        n if n > 0 && width >= TIMES_FROM => n + 1,
        _ => 0,
    };
    let name = if pane.buffer.is_mixed() {
        u16::try_from(pane.buffer.name_width()).unwrap_or(0) + 1
    } else {
        0
    };
    (times + name + STREAM).min(width)
}
