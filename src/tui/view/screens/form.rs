//! The form of a new process, in front of the table.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::form::{Field, FormScreen, Verdict};
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

fn shown(it: &FormScreen, field: Field) -> String {
    match field {
        Field::Command => it.draft.command.clone(),
        Field::Name => it.draft.name.clone(),
        Field::Instances => it.draft.instances.clone(),
        Field::Folder => it.draft.folder.clone(),
        Field::Environment => it.draft.environment.clone(),
        Field::Restart => format!("{} (Left Right)", it.draft.restart.word()),
    }
}

/// What stands in an empty field.
fn hint(it: &FormScreen, field: Field) -> String {
    match field {
        Field::Command => "node server.js --port 8003".into(),
        Field::Name => it.draft.called(),
        Field::Folder => "where adasa tui was opened".into(),
        Field::Environment => "NAME=VALUE …".into(),
        Field::Instances | Field::Restart => String::new(),
    }
}

pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, it: &FormScreen) {
    let (columns, rows) = model.size;
    let width = columns.saturating_sub(4).min(90);
    let height = 14.min(rows.saturating_sub(1));
    let area = Rect::new(
        (columns - width) / 2,
        (rows - 1 - height) / 2,
        width,
        height,
    );
    let inside = canvas.frame(area, "new process");
    let mut y = inside.y;
    for field in Field::ALL {
        if y >= inside.bottom() {
            return;
        }
        let selected = it.field == field;
        let role = if selected { Role::Title } else { Role::Text };
        canvas.text(inside.x, y, 11, field.title(), role);
        let x = inside.x + 11;
        let room = inside.right().saturating_sub(x + 1);
        let text = harmless(&shown(it, field));
        // The end of a long text is what is typed.
        let skip = text.chars().count().saturating_sub(usize::from(room));
        let tail: String = text.chars().skip(skip).collect();
        let end = if tail.is_empty() && !selected {
            let hint = harmless(&hint(it, field));
            let hint = if hint.is_empty() {
                hint
            } else {
                format!("({hint})")
            };
            canvas.text(x, y, room, &hint, Role::Frame)
        } else {
            canvas.text(x, y, room, &tail, Role::Text)
        };
        if selected {
            let sign = canvas.glyphs.cursor.to_string();
            canvas.text(inside.x.saturating_sub(1), y, 1, &sign, Role::Title);
            if field != Field::Restart {
                canvas.text(end, y, 1, "_", Role::Selected);
            }
        }
        y += 1;
    }
    let (sign, text, role) = match &it.verdict {
        Verdict::Empty => (' ', "type what is to be run".to_owned(), Role::Text),
        Verdict::Checking => (canvas.glyphs.starting, "looking".to_owned(), Role::Moving),
        Verdict::Good => (
            canvas.glyphs.exited,
            "the program and the folder are there; Enter starts it".to_owned(),
            Role::Good,
        ),
        Verdict::Wrong(why) => (canvas.glyphs.errored, harmless(why), Role::Bad),
        Verdict::Sent => (canvas.glyphs.starting, "starting".to_owned(), Role::Moving),
    };
    let text = format!("{sign} {text}");
    let twin = format!("= {}", harmless(&it.draft.twin()));
    y += 1;
    for (text, role) in [(text, role), (twin, Role::Text)] {
        let mut rest = text.as_str();
        while !rest.is_empty() && y < inside.bottom() {
            let cut = rest
                .char_indices()
                .nth(usize::from(inside.width))
                .map_or(rest.len(), |(at, _)| at);
            let (line, after) = rest.split_at(cut);
            canvas.text(inside.x, y, inside.width, line, role);
            rest = after;
            y += 1;
        }
    }
}
