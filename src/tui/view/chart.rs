//! Charts of blocks: a column for each value, the newest at the right, or a few columns before.

use ratatui::layout::Rect;

use crate::tui::theme::Role;

use super::canvas::Canvas;

/// Cells of the axis at the left.
const AXIS: u16 = 8;

/// What a chart shows.
pub(super) struct Chart<'a> {
    /// Oldest first; none where nothing is known.
    pub(super) values: &'a [Option<f64>],
    /// What a full column is.
    pub(super) top: f64,
    /// What stands at the top and at the bottom of the axis.
    pub(super) labels: [&'a str; 2],
    /// So many columns at the right are still to come.
    pub(super) ahead: usize,
    /// What happened: in a column, a sign.
    pub(super) ticks: &'a [(usize, char)],
    /// The column that is looked at.
    pub(super) cursor: Option<usize>,
}

impl Chart<'_> {
    /// How many columns fit.
    pub(super) fn columns(area: Rect) -> usize {
        usize::from(area.width.saturating_sub(AXIS))
    }

    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height == 0 || area.width <= AXIS {
            return;
        }
        let glyphs = canvas.glyphs;
        let [top, bottom] = self.labels;
        let wanted = Self::columns(area).saturating_sub(self.ahead);
        let skip = self.values.len().saturating_sub(wanted);
        let missing = wanted.saturating_sub(self.values.len());
        let rows = u32::from(area.height);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the height"
        )]
        let height = |value: f64| {
            let part = (value / self.top.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
            (part * f64::from(rows * 8)).round() as u32
        };
        for n in 0..area.height {
            let y = area.y + n;
            let label = match n {
                0 => top,
                n if n + 1 == area.height => bottom,
                _ => "",
            };
            canvas.right(area.x, y, AXIS - 2, label, Role::Text);
            canvas.text(
                area.x + AXIS - 1,
                y,
                1,
                &glyphs.axis.to_string(),
                Role::Frame,
            );
            let below = u32::from(area.height - 1 - n) * 8;
            let line: String = std::iter::repeat_n(None, missing)
                .chain(self.values.iter().skip(skip).copied())
                .map(|value| match value {
                    // The lowest row says where nothing is known.
                    None if below == 0 => glyphs.missing,
                    None => ' ',
                    Some(value) => match height(value).saturating_sub(below) {
                        0 if below == 0 => glyphs.spark[0],
                        0 => ' ',
                        eighths => {
                            let level = usize::try_from(eighths.min(8) - 1).unwrap_or(7);
                            glyphs.spark[level]
                        }
                    },
                })
                .collect();
            canvas.text(area.x + AXIS, y, area.width - AXIS, &line, Role::Text);
            for (column, sign) in self.ticks {
                // Where nothing is drawn, and at the top in any case.
                let blank = line.chars().nth(*column) == Some(' ');
                if let Ok(column) = u16::try_from(*column)
                    && (n == 0 || blank)
                {
                    canvas.text(
                        area.x + AXIS + column,
                        y,
                        1,
                        &sign.to_string(),
                        Role::Waiting,
                    );
                }
            }
        }
        if let Some(column) = self.cursor.and_then(|n| u16::try_from(n).ok())
            && column < area.width - AXIS
        {
            let x = area.x + AXIS + column;
            canvas.paint(
                Rect {
                    x,
                    width: 1,
                    ..area
                },
                Role::Selected,
            );
        }
    }
}
