//! New against old: is it getting better?

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::rolling::{RollingScreen, Side, sides};
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::figures::{percent, short_bytes};

/// What is compared. Of all of it less is better.
struct Figure {
    name: &'static str,
    of: fn(&Side) -> Option<f64>,
    shown: fn(f64) -> String,
    /// Less than this is no difference.
    least: f64,
    /// Whether it takes its time to become what it is.
    grows: bool,
}

const FIGURES: [Figure; 5] = [
    Figure {
        name: "error lines/min",
        of: |side| side.errors,
        shown: short,
        least: 1.0,
        grows: false,
    },
    Figure {
        name: "stderr lines/min",
        of: |side| side.stderr,
        shown: short,
        least: 1.0,
        grows: false,
    },
    Figure {
        name: "memory",
        of: |side| side.memory,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bytes are not negative"
        )]
        shown: |bytes| short_bytes(bytes.max(0.0) as u64),
        least: 8.0 * 1024.0 * 1024.0,
        grows: true,
    },
    Figure {
        name: "cpu",
        of: |side| side.cpu,
        #[expect(clippy::cast_possible_truncation, reason = "two digits are shown")]
        shown: |cpu| percent(cpu as f32),
        least: 5.0,
        grows: true,
    },
    Figure {
        name: "ended by itself",
        of: |side| side.ends,
        shown: short,
        least: 1.0,
        grows: false,
    },
];

/// A rate in few digits.
fn short(rate: f64) -> String {
    if rate > 0.0 && rate < 9.95 && rate.fract() > 0.05 {
        format!("{rate:.1}")
    } else if rate < 10_000.0 {
        format!("{rate:.0}")
    } else {
        format!("{:.0}k", rate / 1000.0)
    }
}

/// A word for the difference, where there is one that counts.
fn verdict(figure: &Figure, [old, new]: [&Side; 2]) -> (&'static str, Role) {
    let (Some(before), Some(after)) = ((figure.of)(old), (figure.of)(new)) else {
        return ("", Role::Text);
    };
    let differs = (before - after).abs() >= figure.least;
    if figure.grows && new.young {
        ("(young)", Role::Text)
    } else if differs && after > 2.0 * before {
        ("worse", Role::Bad)
    } else if differs && after < 0.8 * before {
        ("better", Role::Good)
    } else {
        ("", Role::Text)
    }
}

/// Who stands on a side: as many names as fit, else how many.
fn who(word: &str, side: &Side, room: u16) -> String {
    if side.names.is_empty() {
        return word.to_owned();
    }
    let names = format!("{word} ({})", harmless(&side.names.join(" ")));
    if cells(&names) <= room {
        names
    } else {
        format!("{word} ({})", side.names.len())
    }
}

pub(super) fn gate(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &RollingScreen) {
    let Some([old, new]) = sides(model, it) else {
        return;
    };
    canvas.title(area, "new against old", "last 60 s, of one instance");
    let column = ((area.width.saturating_sub(20 + 12)) / 2).min(40);
    let names = area.x + 3;
    let (left, right) = (area.x + 20, area.x + 20 + column);
    let word = right + column + 2;
    let y = area.y + 1;
    let none = canvas.glyphs.none.to_string();
    canvas.right(left, y, column, &who("old", &old, column - 1), Role::Frame);
    canvas.right(right, y, column, &who("new", &new, column - 1), Role::Frame);
    for (y, figure) in (y + 1..area.bottom()).zip(&FIGURES) {
        canvas.text(names, y, 17, figure.name, Role::Text);
        for (x, side) in [(left, &old), (right, &new)] {
            let shown = (figure.of)(side).map_or(none.clone(), figure.shown);
            canvas.right(x, y, column, &shown, Role::Text);
        }
        let (text, role) = verdict(figure, [&old, &new]);
        canvas.text(word, y, area.right().saturating_sub(word), text, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(errors: Option<f64>, memory: Option<f64>, young: bool) -> Side {
        Side {
            errors,
            memory,
            young,
            ..Side::default()
        }
    }

    #[test]
    fn a_word_is_said_where_both_are_known_and_differ_enough() {
        let [errors, _, memory, ..] = &FIGURES;
        let mib = 1024.0 * 1024.0;
        let said = |figure, old, new| verdict(figure, [&old, &new]).0;
        let lines = |n| side(Some(n), None, false);
        assert_eq!(said(errors, lines(14.0), lines(2.0)), "better");
        assert_eq!(said(errors, lines(2.0), lines(14.0)), "worse");
        assert_eq!(said(errors, lines(0.0), lines(0.9)), "");
        assert_eq!(said(errors, lines(10.0), lines(12.0)), "");
        assert_eq!(said(errors, side(None, None, false), lines(12.0)), "");
        let old = || side(None, Some(100.0 * mib), false);
        assert_eq!(
            said(memory, old(), side(None, Some(9.0 * mib), true)),
            "(young)"
        );
        assert_eq!(
            said(memory, old(), side(None, Some(9.0 * mib), false)),
            "better"
        );
        assert_eq!(
            said(memory, old(), side(None, Some(300.0 * mib), false)),
            "worse"
        );
    }

    #[test]
    fn rates_have_few_digits() {
        let shown = [0.0, 0.4, 2.0, 9.4, 14.3, 9999.0, 48_123.0].map(short);
        assert_eq!(shown, ["0", "0.4", "2", "9.4", "14", "9999", "48k"]);
    }
}
