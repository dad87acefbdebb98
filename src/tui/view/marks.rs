//! What the marked instances are, and what each verb would do to them: where the logs stand otherwise.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use crate::api::{Status, Verb};
use crate::logs::safe::harmless;
use crate::tui::model::{Model, Row};
use crate::tui::theme::{Role, role_of};

use super::canvas::{Canvas, cells};

const VERBS: [(Verb, &str); 5] = [
    (Verb::Start, "s"),
    (Verb::Stop, "x"),
    (Verb::Restart, "r"),
    (Verb::Kill, "X"),
    (Verb::Delete, "D"),
];

pub(super) fn title(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let rows = marked(model);
    let left = format!("{} marked", rows.len());
    let room = usize::from(area.width).saturating_sub(usize::from(cells(&left)) + 12);
    let mut names = String::new();
    for row in rows {
        let name = harmless(&row.name());
        if names.chars().count() + name.chars().count() + 1 > room {
            names.push(canvas.glyphs.more);
            break;
        }
        names.push_str(&name);
        names.push(' ');
    }
    canvas.title(area, &left, names.trim_end());
}

fn marked(model: &Model) -> Vec<&Row> {
    model
        .marks
        .iter()
        .filter_map(|id| model.rows.get(id))
        .collect()
}

pub(super) fn lines(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let mut counts: BTreeMap<(u8, Status), usize> = BTreeMap::new();
    for row in marked(model) {
        *counts
            .entry((row.view.status.urgency(), row.view.status))
            .or_default() += 1;
    }
    let dot = format!(" {} ", canvas.glyphs.dot);
    let mut x = area.x + 2;
    for (n, ((_, status), count)) in counts.iter().enumerate() {
        let room = area.right().saturating_sub(x);
        if n > 0 {
            x = canvas.text(x, area.y, room, &dot, Role::Text);
        }
        let room = area.right().saturating_sub(x);
        x = canvas.text(
            x,
            area.y,
            room,
            &format!("{count} {status}"),
            role_of(*status),
        );
    }
    let mut lines = Vec::new();
    for (verb, key) in VERBS {
        let count = model.targets(verb).len();
        let asks = match verb {
            Verb::Delete => format!(" (type {count})"),
            Verb::Start | Verb::Stop | Verb::Kill | Verb::Restart => String::new(),
        };
        lines.push(format!("{key} {} {count}{asks}", verb.word()));
    }
    let verbs = lines.join("    ");
    let texts = [
        verbs.as_str(),
        "each key acts on the marked only; those that are so already are skipped",
        "Space mark   v range   * invert   A all of the filter   Esc clears the marks",
    ];
    for (y, text) in (area.y + 1..area.bottom()).zip(texts) {
        canvas.text(
            area.x + 2,
            y,
            area.width.saturating_sub(2),
            text,
            Role::Text,
        );
    }
}
