//! What the copy menu takes along: of what is marked, else of what is selected or shown.

use crate::logs::safe::SafeText;

use super::keymap::Action;
use super::model::{Model, Row, Target};
use super::msg::Cmd;
use super::screens::Screen;
use super::view::{row_text, view_text};

/// The rows that it is about, in the order of the table.
fn rows(model: &Model) -> Vec<&Row> {
    if let Some(Screen::Detail(it)) = model.screens.last() {
        return model.rows.get(&it.id).into_iter().collect();
    }
    if !model.marks.is_empty() {
        return model
            .marks
            .iter()
            .filter_map(|id| model.rows.get(id))
            .collect();
    }
    match &model.selected {
        Some(Target::Instance(id)) => model.rows.get(id).into_iter().collect(),
        Some(Target::Process(key)) => model.members(key),
        None => vec![],
    }
}

/// Without colours and controls, so that pasting it does nothing but say it.
pub(super) fn bare(text: &str) -> String {
    SafeText::up_to(text.as_bytes(), text.len().max(4)).bare()
}

/// What the daemon told of the first of them beyond its row.
fn command_of(model: &Model, row: &Row) -> Option<String> {
    let id = row.view.id;
    let shown = model.screens.iter().rev().find_map(|screen| {
        let Screen::Detail(it) = screen else {
            return None;
        };
        it.detail.told.as_deref().filter(|_| it.id == id)
    });
    let about = model.about.as_ref().filter(|it| it.id == id);
    let detail = shown.or_else(|| about.and_then(|it| it.detail.as_deref()))?;
    Some(detail.command.typed())
}

fn last_error(row: &Row) -> Option<String> {
    let view = &row.view;
    let exit = view.exit.as_ref().map(|exit| exit.text.clone());
    let because = Some(view.because.clone()).filter(|text| !text.is_empty());
    view.alarm
        .clone()
        .or(exit.filter(|text| !text.is_empty()))
        .or(because)
}

/// Copies it, or says why there is nothing.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other actions copy nothing"
)]
pub(super) fn copy(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) {
    let rows = rows(model);
    let each = |of: &dyn Fn(&Row) -> Option<String>| {
        let found: Vec<String> = rows.iter().filter_map(|row| of(row)).collect();
        (!found.is_empty()).then(|| found.join(" "))
    };
    let (text, nothing): (Option<String>, &str) = match action {
        Action::CopyName => (each(&|row| Some(row.name())), "nothing is selected"),
        Action::CopyId => (
            each(&|row| Some(row.view.id.to_string())),
            "nothing is selected",
        ),
        Action::CopyPid => (
            each(&|row| row.view.pid.map(|pid| pid.to_string())),
            "it has no pid: it does not run",
        ),
        Action::CopyCommand => (
            rows.first().and_then(|row| command_of(model, row)),
            "its command is known in its detail: d, then y",
        ),
        Action::CopyError => (
            rows.first().and_then(|row| last_error(row)),
            "it has no last error",
        ),
        Action::CopyRow => {
            let lines: Vec<String> = rows.iter().map(|row| row_text(model, row)).collect();
            let text = (!lines.is_empty()).then(|| lines.join("\n"));
            (text, "nothing is selected")
        }
        Action::CopyLine => {
            let pane = model.logs.pane();
            let line = pane.and_then(|pane| match pane.point() {
                Some(_) => pane.pointed(),
                None => pane.buffer.last_written(),
            });
            (line.map(|line| line.bare()), "there is no line")
        }
        Action::CopyTwin => {
            let twin = model.last_ask.as_ref().map(|ask| {
                // Of several that are marked there is no name.
                let several = ask.name.contains(' ');
                let names = if several {
                    ask.select.join(" ")
                } else {
                    ask.name.clone()
                };
                ask.what.twin(&names)
            });
            (twin, "nothing was asked for yet")
        }
        Action::CopyView => {
            // Line by line: between two there is no control.
            let lines = view_text(model);
            let lines: Vec<String> = lines.iter().map(|line| bare(line)).collect();
            commands.push(Cmd::Copy(lines.join("\n")));
            return;
        }
        _ => return,
    };
    match text {
        Some(text) => commands.push(Cmd::Copy(bare(&text))),
        None => model.toast(nothing, false),
    }
}
