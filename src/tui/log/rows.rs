//! How lines become rows of a pane: marks of gaps and runs before a line, a line in one row or in several.

use unicode_width::UnicodeWidthChar as _;

use crate::logs::safe::SafeText;

use super::buffer::Buffer;
use super::controls::Controls;
use super::line::Line;

/// The room for the text of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct Shape {
    /// Cells beside the gutter.
    pub(in crate::tui) width: usize,
    pub(in crate::tui) height: usize,
    /// Whether a line takes as many rows as it needs.
    pub(in crate::tui) wrap: bool,
    /// Whether similar lines in a row are shown as their last.
    pub(in crate::tui) fold: bool,
    /// How what stands for controls looks.
    pub(in crate::tui) controls: Controls,
}

/// One row of a pane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tui) enum Row<'a> {
    /// Lines before this one were passed over, or are gone.
    Gap(&'a Line),
    /// With this line another run begins.
    Run(&'a Line),
    /// Text from this byte on; the first row of a line begins at 0.
    Text(&'a Line, usize),
}

/// A row in the buffer: the index of a line, and which of its rows.
pub(super) type Spot = (usize, usize);

/// Where the rows of a text begin, as bytes of the plain text.
pub(in crate::tui) fn breaks(text: &SafeText, width: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let (mut at, mut cells) = (0, 0);
    for c in text.pieces().iter().flat_map(|(piece, _)| piece.chars()) {
        let wide = c.width().unwrap_or(0);
        if cells + wide > width && cells > 0 {
            starts.push(at);
            cells = 0;
        }
        cells += wide;
        at += c.len_utf8();
    }
    starts
}

impl Shape {
    fn starts(self, line: &Line) -> Vec<usize> {
        if self.wrap && self.width > 0 {
            breaks(&line.shown(self.controls), self.width)
        } else {
            vec![0]
        }
    }

    /// How many rows the line at a place takes; none when it is folded away.
    pub(super) fn rows(self, buffer: &Buffer, index: usize) -> usize {
        let Some(line) = buffer.get(index) else {
            return 0;
        };
        if self.fold && buffer.is_repeated(index) {
            return 0;
        }
        let marks = usize::from(line.has_gap()) + usize::from(line.has_rule());
        marks + self.starts(line).len()
    }

    fn rows_of(self, line: &Line) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        if line.has_gap() {
            rows.push(Row::Gap(line));
        }
        if line.has_rule() {
            rows.push(Row::Run(line));
        }
        let starts = self.starts(line);
        rows.extend(starts.into_iter().map(|start| Row::Text(line, start)));
        rows
    }

    /// The rows that are seen when this one is the first.
    pub(super) fn seen(self, buffer: &Buffer, (index, skip): Spot) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        let mut skip = skip;
        for (n, line) in (index..).zip(buffer.range(index..buffer.len())) {
            if rows.len() >= self.height {
                break;
            }
            if self.fold && buffer.is_repeated(n) {
                skip = 0;
                continue;
            }
            rows.extend(self.rows_of(line).into_iter().skip(skip));
            skip = 0;
        }
        rows.truncate(self.height);
        rows
    }

    /// The first row when the last line is at the bottom.
    pub(super) fn lowest(self, buffer: &Buffer) -> Spot {
        self.above(buffer, buffer.len(), self.height)
    }

    /// The row that is so many above a line.
    pub(super) fn above(self, buffer: &Buffer, index: usize, rows: usize) -> Spot {
        let mut left = rows;
        let mut at = index.min(buffer.len());
        while at > 0 && left > 0 {
            at -= 1;
            let rows = self.rows(buffer, at);
            if rows >= left {
                return (at, rows - left);
            }
            left -= rows;
            // What is folded into it is passed over at once.
            if self.fold && rows > 0 {
                let alike = buffer.get(at).map_or(1, |line| line.alike);
                at = at.saturating_sub(usize::try_from(alike - 1).unwrap_or(0));
            }
        }
        (at, 0)
    }

    /// Moves by rows; never before the first row, nor behind the last line.
    pub(super) fn moved(self, buffer: &Buffer, (index, row): Spot, by: isize) -> Spot {
        let by_rows = by.unsigned_abs();
        if by < 0 {
            return if row >= by_rows {
                (index, row - by_rows)
            } else {
                self.above(buffer, index, by_rows - row)
            };
        }
        let (mut at, mut row, mut left) = (index, row, by_rows);
        while at < buffer.len() {
            let rows = self.rows(buffer, at);
            if row + left < rows {
                return (at, row + left);
            }
            left -= rows.saturating_sub(row).min(left);
            row = 0;
            at += 1;
        }
        (buffer.len().saturating_sub(1), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_break_at_cells_and_never_inside_a_wide_one() {
        let of = |text: &str, width| breaks(&SafeText::new(text.as_bytes()), width);
        assert_eq!(of("abcdef", 3), [0, 3]);
        assert_eq!(of("abcdefg", 3), [0, 3, 6]);
        assert_eq!(of("", 3), [0]);
        assert_eq!(of("\u{4e16}\u{754c}\u{4e16}", 3), [0, 3, 6]);
        assert_eq!(of("e\u{301}e\u{301}", 1), [0, 3]);
        assert_eq!(
            of("\u{4e16}\u{754c}", 1),
            [0, 3],
            "narrower than a character"
        );
    }
}
