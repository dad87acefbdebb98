//! A name with what its output is worth a look for.

use crate::tui::theme::Role;
use crate::tui::voices::Marks;

use super::canvas::Canvas;

/// The marks stand behind the name, or over the end of one that is too long.
pub(super) fn name(
    canvas: &mut Canvas<'_>,
    (x, y, width): (u16, u16, u16),
    name: &str,
    marks: Marks,
) {
    let end = canvas.text(x, y, width, name, Role::Text);
    let signs = [
        (marks.errors, "'", Role::Bad),
        (marks.silent, ",", Role::Waiting),
    ];
    let signs: Vec<_> = signs.into_iter().filter(|(on, ..)| *on).collect();
    let room = u16::try_from(signs.len()).unwrap_or(0);
    let mut at = end.min((x + width).saturating_sub(room));
    for (_, sign, role) in signs {
        at = canvas.text(at, y, 1, sign, role);
    }
}
