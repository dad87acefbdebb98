//! The large strip: lines, errors and runs over time, a row each.
//!
//! ```text
//! ─ 11:58:11 to 12:04:31 ───────────── one column = 2s  Left Right move all panes ─
//!  lines  ▂▃▂▅▂▄▃▃▃▃▄▁▃▅▅▅▃▃▃▁▅▅▄▅▂▁▂▂▄▅▄▅▃▅▃▃▄▂▄▂▁▅▃▅▅▂▄▃▃▃▄▃▅▅▄▂▄▂▃▅▂▃▃▂▅▁▄▄▄
//!  errors ·····▁···············▁·······▁···············▂·····▁·············▅▅▇▇▅
//!  runs                ✗  ╎ api-2 #4
//! ```

use ratatui::layout::Rect;

use crate::api::{Bucket, Status};
use crate::domain::saying::{Saying, Stand};
use crate::domain::why::span;
use crate::logs::safe::harmless;
use crate::tui::screens::log_view::{LABEL, LogView, strip_columns};
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};

use super::strip::{bar, clock, progress};

pub(super) fn histogram(canvas: &mut Canvas<'_>, area: Rect, whole: Rect, view: &LogView) {
    let strip = &view.strip;
    let columns = usize::from(strip_columns(area));
    let is_known = strip.buckets.len() == columns;
    let mut right = "Left Right move all panes".to_owned();
    if is_known {
        let one = strip.to_ms.saturating_sub(strip.from_ms) / (columns as u64).max(1);
        right = format!("one column = {}  {right}", span(one));
    }
    if let Some(hunt) = &view.hunt {
        let found = progress(view, hunt, canvas.glyphs.more);
        right = format!("{found}  {right}");
    }
    let left = if is_known {
        format!("{} to {}", clock(strip.from_ms), clock(strip.to_ms))
    } else {
        "counting lines".to_owned()
    };
    canvas.title(area, &left, &right);
    let below = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    for (n, label) in (1..).zip(["lines", "errors", "runs"]) {
        canvas.text(area.x + 1, below(n).y, LABEL - 1, label, Role::Title);
    }
    if !is_known {
        return;
    }
    let shape = view.shape_in(whole, view.at);
    let moment = view.pane().and_then(|pane| pane.moment(shape));
    let here = moment.and_then(|ms| strip.column(ms));
    counts(canvas, below(1), view, here, |bucket| bucket.lines);
    counts(canvas, below(2), view, here, |bucket| bucket.errors);
    runs(canvas, below(3), view, here);
}

/// A row of counts, measured by their largest.
fn counts(
    canvas: &mut Canvas<'_>,
    area: Rect,
    view: &LogView,
    here: Option<usize>,
    of: impl Fn(&Bucket) -> u64,
) {
    let buckets = &view.strip.buckets;
    let most = buckets.iter().map(&of).max().unwrap_or(0);
    let mut x = area.x + LABEL;
    for (n, bucket) in buckets.iter().enumerate() {
        let sign = bar(canvas, of(bucket), most).to_string();
        let role = match here {
            Some(column) if column == n => Role::Selected,
            _ if bucket.errors > 0 => Role::Bad,
            _ => Role::Text,
        };
        x = canvas.text(x, area.y, area.right().saturating_sub(x), &sign, role);
    }
}

/// Where runs began and ended.
fn runs(canvas: &mut Canvas<'_>, area: Rect, view: &LogView, here: Option<usize>) {
    let strip = &view.strip;
    let at = |n: usize| area.x + LABEL + u16::try_from(n).unwrap_or(u16::MAX - area.x - LABEL);
    let end = at(strip.buckets.len()).min(area.right());
    let column = |it: &Saying| strip.column(it.at_ms).filter(|n| *n < strip.buckets.len());
    let marks = strip.runs.iter().filter_map(|it| Some((column(it)?, it)));
    let mut marks: Vec<(usize, &Saying)> = marks.collect();
    marks.sort_by_key(|(column, it)| (*column, it.at_ms));
    if let Some(here) = here.filter(|here| at(*here) < end) {
        canvas.text(at(here), area.y, 1, " ", Role::Selected);
    }
    let mixed = view.pane().is_some_and(|pane| pane.buffer.is_mixed());
    for (n, (column, it)) in marks.iter().enumerate() {
        let x = at(*column);
        let (sign, role) = match it.stand {
            Stand::Begins(_) => (canvas.glyphs.hanging, Role::Title),
            Stand::Ends(_) if it.bad => (canvas.glyphs.sign(Status::Errored), Role::Bad),
            Stand::Ends(_) | Stand::Between => (canvas.glyphs.sign(Status::Stopped), Role::Text),
        };
        let role = if here == Some(*column) {
            Role::Selected
        } else {
            role
        };
        // In one column what is bad is seen.
        let hidden = !it.bad && marks.iter().any(|(other, it)| other == column && it.bad);
        if !hidden {
            canvas.text(x, area.y, 1, &sign.to_string(), role);
        }
        // Which it is stands behind it where there is room.
        let Stand::Begins(run) = it.stand else {
            continue;
        };
        let label = if mixed {
            format!(" {} #{run}", harmless(&it.name))
        } else {
            format!(" #{run}")
        };
        let next = marks.get(n + 1).map_or(end, |(column, _)| at(*column));
        let wide = cells(&label);
        if x + 1 + wide < next {
            canvas.text(x + 1, area.y, wide, &label, Role::Text);
        }
    }
}
