//! One line with all of it: unwrapped, whole, its fields.

use ratatui::layout::Rect;

use crate::config::units::short_size;
use crate::logs::safe::harmless;
use crate::tui::log::{Pane, Times, breaks};
use crate::tui::screens::log_view::{LogView, Whole};
use crate::tui::theme::Role;
use crate::tui::update::stream_word;
use crate::tui::view::canvas::{Canvas, cells};

use super::lines::pieces;

pub(super) fn whole(canvas: &mut Canvas<'_>, area: Rect, view: &LogView, it: &Whole) {
    let Some(line) = view.pane().and_then(Pane::pointed) else {
        return;
    };
    let time = Times::Date.text(line.time_ms, None, 0);
    let run = line
        .run
        .map_or_else(String::new, |run| format!("  run {run}"));
    let of = match line.at {
        Some(at) => format!(
            "{}  {}  byte {}",
            stream_word(Some(at.stream)),
            short_size(line.length as u64),
            at.offset
        ),
        None => "said by adasa".to_owned(),
    };
    let head = format!("{time}  {}{run}  {of}", harmless(&line.name));
    canvas.title(area, &head, "Enter closes");
    let text = it.text.as_ref().unwrap_or(&line.text);
    let x = area.x + 1;
    let width = area.width.saturating_sub(2);
    let mut y = area.y + 1;
    // The fields keep their room when the text is long.
    let fields = u16::try_from(it.fields.len()).unwrap_or(u16::MAX);
    let rows = area.height.saturating_sub(1);
    let room = rows.saturating_sub(fields.min(rows / 2)).max(1);
    let starts = breaks(text, usize::from(width));
    for start in starts.into_iter().skip(it.skip).take(usize::from(room)) {
        if y >= area.bottom() {
            return;
        }
        pieces(canvas, (x, y, width), text, (start, 0), &[]);
        y += 1;
    }
    let widest = it.fields.iter().map(|(key, _)| cells(key)).max();
    let widest = widest.unwrap_or(0).min(24);
    for (key, value) in &it.fields {
        if y >= area.bottom() {
            return;
        }
        canvas.text(x + 2, y, widest, key, Role::Title);
        let at = x + widest + 4;
        canvas.text(at, y, area.right().saturating_sub(at), value, Role::Text);
        y += 1;
    }
}
