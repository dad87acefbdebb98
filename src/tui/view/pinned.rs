//! The pinned log.

use ratatui::layout::Rect;

use crate::domain::why::span;
use crate::logs::safe::harmless;
use crate::tui::model::Model;

use super::canvas::Canvas;
use super::screens::log_view;

pub(super) fn draw(canvas: &mut Canvas<'_>, title: Rect, area: Rect, model: &Model) {
    let Some(pane) = model.pinned.pane() else {
        return;
    };
    let word = if model.pinned.is_chosen() {
        "pinned"
    } else {
        "worst"
    };
    let left = format!("{word}: {}", harmless(&pane.scope.name));
    let facts = facts(model).join(&format!(" {} ", canvas.glyphs.dot));
    canvas.title(title, &left, &facts);
    log_view::lines(
        canvas,
        area,
        title.union(area),
        model,
        &model.pinned.view,
        0,
    );
}

/// How it stands, where it is one instance.
fn facts(model: &Model) -> Vec<String> {
    let row = model.pinned.instance().and_then(|id| model.rows.get(&id));
    let Some(row) = row else {
        return vec![];
    };
    let view = &row.view;
    let mut facts = Vec::new();
    if let Some(exit) = &view.exit {
        let lasted = exit.lasted_ms.map(|ms| format!(" after {}", span(ms)));
        let lasted = lasted.unwrap_or_default();
        facts.push(format!("last run: {}{lasted}", harmless(&exit.text)));
    }
    match row.due_seconds(model.told_at()) {
        Some(left) if view.status == crate::api::Status::Backoff => {
            facts.push(format!("next try in {left}s"));
        }
        Some(_) | None => facts.push(view.status.to_string()),
    }
    match view.restarts {
        0 => {}
        1 => facts.push("1 restart".to_owned()),
        many => facts.push(format!("{many} restarts")),
    }
    facts
}
