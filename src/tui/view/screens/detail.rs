//! Everything about one instance, as lines.

use ratatui::layout::Rect;

use crate::api::Detail;
use crate::config::units::short_duration;
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::Screen;
use crate::tui::screens::detail::{DetailScreen, Known};
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::Canvas;

type Line = (String, Role);

fn lines(model: &Model, it: &DetailScreen) -> Vec<Line> {
    let detail = match &it.known {
        Known::Asked => return vec![("asking the daemon".into(), Role::Text)],
        Known::Refused(why) => return vec![(harmless(why), Role::Bad)],
        Known::Told(detail) => detail,
    };
    let row = model
        .rows
        .get(&it.id)
        .map_or(&detail.instance, |row| &row.view);
    let mut lines = vec![(
        format!(
            "{}  id {}  run {}{}",
            row.status,
            row.id,
            row.run,
            row.pid
                .map_or_else(String::new, |pid| format!("  pid {pid}"))
        ),
        role_of(row.status),
    )];
    lines.extend(definition(detail));
    lines
}

fn definition(detail: &Detail) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |what: &str, text: String| {
        lines.push((format!("{what:<12}{}", harmless(&text)), Role::Text));
    };
    add("because", detail.instance.because.clone());
    let args = detail.command.args.join(" ");
    add("command", format!("{} {args}", detail.command.program));
    add("folder", detail.cwd.display().to_string());
    add("restart", detail.restart.on.word().into());
    add(
        "stop",
        format!(
            "{}, {} to end",
            detail.stop.signal,
            short_duration(detail.stop.timeout)
        ),
    );
    for (stream, path) in &detail.logs {
        add(stream, path.display().to_string());
    }
    for (key, value) in &detail.env {
        add("env", format!("{key}={value}"));
    }
    lines
}

/// How many lines there are.
pub(in crate::tui) fn height(model: &Model) -> usize {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return 0;
    };
    lines(model, it).len()
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &DetailScreen) {
    canvas.title(area, &harmless(&it.name), "");
    let lines = lines(model, it);
    for (y, (text, role)) in (area.y + 1..area.bottom()).zip(lines.iter().skip(it.scroll)) {
        canvas.text(area.x + 1, y, area.width.saturating_sub(1), text, *role);
    }
}
