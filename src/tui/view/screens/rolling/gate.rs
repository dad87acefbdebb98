//! New against old: is it getting better?

use ratatui::layout::Rect;

use crate::api::{Figure, Side, Verdict};
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::rolling::{RollingScreen, sides};
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::figures::{percent, short_bytes};

/// A figure as it is shown.
fn shown(figure: Figure, value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes are not negative, and two digits of a share are shown"
    )]
    match figure {
        Figure::Errors | Figure::Stderr | Figure::Ends => short(value),
        Figure::Memory => short_bytes(value.max(0.0) as u64),
        Figure::Cpu => percent(value as f32),
    }
}

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

/// A word for a difference.
fn word(verdict: Option<Verdict>) -> (&'static str, Role) {
    match verdict {
        None => ("", Role::Text),
        Some(Verdict::Young) => ("(young)", Role::Text),
        Some(Verdict::Worse) => ("worse", Role::Bad),
        Some(Verdict::Better) => ("better", Role::Good),
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
    let beside = right + column + 2;
    let y = area.y + 1;
    let none = canvas.glyphs.none.to_string();
    canvas.right(left, y, column, &who("old", &old, column - 1), Role::Frame);
    canvas.right(right, y, column, &who("new", &new, column - 1), Role::Frame);
    for (y, figure) in (y + 1..area.bottom()).zip(Figure::ALL) {
        canvas.text(names, y, 17, figure.name(), Role::Text);
        for (x, side) in [(left, &old), (right, &new)] {
            let text = figure.of(side);
            let text = text.map_or(none.clone(), |value| shown(figure, value));
            canvas.right(x, y, column, &text, Role::Text);
        }
        let (text, role) = word(figure.verdict(&old, &new));
        canvas.text(beside, y, area.right().saturating_sub(beside), text, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_few_digits() {
        let shown = [0.0, 0.4, 2.0, 9.4, 14.3, 9999.0, 48_123.0].map(short);
        assert_eq!(shown, ["0", "0.4", "2", "9.4", "14", "9999", "48k"]);
    }
}
