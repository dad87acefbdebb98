//! Writing text into a buffer: always inside it, always whole cells, always in a role.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthChar as _;

use crate::tui::theme::{Glyphs, Role, Theme};

/// A buffer with theme and signs.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: Theme,
    pub(super) glyphs: Glyphs,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: Theme, glyphs: Glyphs) -> Self {
        Self {
            buffer,
            theme,
            glyphs,
        }
    }

    /// Writes at most `width` cells; returns the column behind.
    pub(super) fn text(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        let style = self.theme.style(role);
        self.styled(x, y, width, text, style)
    }

    /// As [`Self::text`], in any style.
    pub(super) fn styled(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        let end = x.saturating_add(width).min(area.right());
        let mut at = x;
        if y >= area.bottom() {
            return at;
        }
        for c in self.glyphs.text(text).chars() {
            let cells = u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
            if cells == 0 {
                // A mark belongs to the character before it.
                if at > x
                    && let Some(cell) = self.buffer.cell_mut((at - 1, y))
                {
                    let mut symbol = cell.symbol().to_owned();
                    symbol.push(c);
                    cell.set_symbol(&symbol);
                }
                continue;
            }
            if at + cells > end {
                break;
            }
            if let Some(cell) = self.buffer.cell_mut((at, y)) {
                cell.set_char(c).set_style(style);
            }
            for more in 1..cells {
                if let Some(cell) = self.buffer.cell_mut((at + more, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
            at += cells;
        }
        at
    }

    /// Writes so that the last cell is at the right edge of the width.
    pub(super) fn right(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) {
        let cells = cells(text).min(width);
        self.text(x + width - cells, y, cells, text, role);
    }

    /// Has somebody else's widget draw in an area.
    pub(super) fn widget(&mut self, widget: impl Widget, area: Rect) {
        let area = area.intersection(self.buffer.area);
        if !area.is_empty() {
            widget.render(area, self.buffer);
        }
    }

    /// Gives a whole area a role on top of what is there.
    pub(super) fn paint(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, style);
    }

    /// A rule with a title at its left and remarks at its right.
    pub(super) fn title(&mut self, area: Rect, left: &str, right: &str) {
        let line = Rect {
            height: area.height.min(1),
            ..area
        };
        self.rule(line);
        let left = format!(" {left} ");
        let x = self.text(
            area.x + 1,
            area.y,
            area.width.saturating_sub(2),
            &left,
            Role::Title,
        );
        if !right.is_empty() {
            let right = format!(" {right} ");
            let room = area.right().saturating_sub(x + 1);
            let width = cells(&right).min(room);
            self.text(
                area.right().saturating_sub(width + 1),
                area.y,
                width,
                &right,
                Role::Title,
            );
        }
    }

    /// A line of one sign.
    pub(super) fn rule(&mut self, area: Rect) {
        let line = self.glyphs.line;
        let text: String = std::iter::repeat_n(line, usize::from(area.width)).collect();
        self.text(area.x, area.y, area.width, &text, Role::Frame);
    }

    /// A framed, empty box with a title; returns its inside.
    pub(super) fn frame(&mut self, area: Rect, title: &str) -> Rect {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
        if area.width < 2 || area.height < 2 {
            return Rect::default();
        }
        let [line, side] = self.glyphs.sides;
        let [a, b, c, d] = self.glyphs.corners;
        let across: String = std::iter::repeat_n(line, usize::from(area.width - 2)).collect();
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        self.text(
            area.x,
            area.y,
            area.width,
            &format!("{a}{across}{b}"),
            Role::Frame,
        );
        self.text(
            area.x,
            bottom,
            area.width,
            &format!("{c}{across}{d}"),
            Role::Frame,
        );
        for y in area.y + 1..bottom {
            self.text(area.x, y, 1, &side.to_string(), Role::Frame);
            self.text(right, y, 1, &side.to_string(), Role::Frame);
        }
        self.text(
            area.x + 2,
            area.y,
            area.width.saturating_sub(4),
            &format!(" {title} "),
            Role::Title,
        );
        Rect::new(
            area.x + 2,
            area.y + 1,
            area.width.saturating_sub(4),
            area.height - 2,
        )
    }
}

/// How many cells a text takes.
pub(super) fn cells(text: &str) -> u16 {
    u16::try_from(text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>()).unwrap_or(u16::MAX)
}
