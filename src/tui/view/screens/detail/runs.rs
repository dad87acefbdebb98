//! The runs of one instance: a list, and the last words of the one that is looked at.

use ratatui::layout::Rect;

use crate::api::{RunState, RunView};
use crate::domain::why::{short, span};
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::regions::regions;
use crate::tui::screens::detail::{DetailScreen, Tab};
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

use super::{last_words, parts, unknown, when};

/// How many runs are listed at once.
pub(in crate::tui) fn list_height(model: &Model) -> usize {
    usize::from(list(parts(regions(model).screen, Tab::Runs).text).height)
}

/// The list of runs leaves room for the last words of one.
fn list(area: Rect) -> Rect {
    let height = area.height.saturating_sub(1);
    Rect {
        y: area.y + 1,
        height: height - height / 2,
        ..area
    }
}

/// Its end in a few words.
pub(super) fn end(run: &RunView) -> (String, Role) {
    match (run.state, &run.run.ended) {
        (RunState::Ended, Some(ended)) => {
            let well = run.exit.as_ref().is_some_and(|exit| exit.code == Some(0));
            let role = if well { Role::Text } else { Role::Bad };
            (harmless(&short(ended)), role)
        }
        (RunState::Running, _) => ("running".into(), Role::Good),
        (RunState::Unseen | RunState::Ended, _) => ("nobody saw how".into(), Role::Stale),
    }
}

pub(super) fn runs(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    let mut y = area.y;
    for (text, role) in unknown(&it.past) {
        canvas.text(area.x, y, area.width, &text, role);
        y += 1;
    }
    let runs = it.runs();
    if runs.is_empty() {
        if it.past.told.is_some() {
            canvas.text(area.x, y, area.width, "no run is remembered", Role::Text);
        }
        return;
    }
    let roomy = area.width >= 76;
    let head = if roomy {
        "  RUN  STARTED         LASTED   ENDED BY"
    } else {
        "  RUN  LASTED   ENDED BY"
    };
    let by_at = area.x + area.width - area.width / 3;
    if y == area.y {
        canvas.text(area.x, y, area.width, head, Role::Title);
        if roomy {
            canvas.text(by_at, y, area.width / 3, "STARTED BY", Role::Title);
        }
    }
    let place = list(area);
    let chosen = it.chosen();
    let first = chosen.saturating_sub(usize::from(place.height).saturating_sub(1));
    let mut y = place.y;
    for (n, run) in runs.iter().enumerate().skip(first) {
        if y >= place.bottom() {
            break;
        }
        let mark = if n == chosen {
            canvas.glyphs.cursor
        } else {
            ' '
        };
        let begun = run.run.begun_ms.map_or_else(String::new, when);
        let row = model.rows.get(&it.id).map(|row| &row.view);
        let up = row.filter(|row| row.run == run.run.run && run.state == RunState::Running);
        let up = up.and_then(|row| row.uptime).map(|s| s * 1000);
        let lasted = run.run.ended.as_ref().map(|end| end.lasted_ms).or(up);
        let lasted = lasted.map_or_else(String::new, span);
        let start = if roomy {
            format!("{mark}{:>4}  {begun:<14}  {lasted:<7}  ", run.run.run)
        } else {
            format!("{mark}{:>4}  {lasted:<7}  ", run.run.run)
        };
        let x = canvas.text(area.x, y, area.width, &start, Role::Text);
        let (text, role) = end(run);
        let until = if roomy { by_at - 1 } else { area.right() };
        canvas.text(x, y, until.saturating_sub(x), &text, role);
        if roomy && let Some(by) = &run.run.begun_by {
            let by = harmless(&by.to_string());
            canvas.text(by_at, y, area.width / 3, &by, Role::Text);
        }
        y += 1;
    }
    let Some(run) = runs.get(chosen) else {
        return;
    };
    let words = last_words(Some(run.run.run.0), &run.stderr);
    let room = usize::from(area.bottom().saturating_sub(y + 1));
    // The last ones are the nearest to the end.
    let skip = words.len().saturating_sub(room.max(1));
    for (n, (text, role)) in words.iter().enumerate() {
        if n == 0 || n > skip {
            if y >= area.bottom() {
                break;
            }
            canvas.text(area.x, y, area.width, text, *role);
            y += 1;
        }
    }
}
