//! What is selected, beside the table.

use ratatui::layout::Rect;

use crate::config::units::short_duration;
use crate::logs::safe::harmless;
use crate::tui::model::{Focus, Model, Row};
use crate::tui::moment::Timeline;
use crate::tui::theme::{Role, role_of};

use super::canvas::Canvas;
use super::charts::{Marks, cpu_chart, memory_chart, then};
use super::figures::short_bytes;

/// Below this there is no room for charts.
const CHARTS: u16 = 16;

pub(super) fn pane(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let gutter = canvas.glyphs.gutter.to_string();
    for y in area.y..area.bottom() {
        canvas.text(area.x, y, 1, &gutter, Role::Frame);
    }
    let inside = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    let Some(row) = model.pane_row() else {
        return;
    };
    let lines = lines(model, row);
    let charts = inside.height >= CHARTS;
    let room = if charts {
        inside.height / 2
    } else {
        inside.height
    };
    let mut y = inside.y;
    for (text, role) in lines.iter().take(usize::from(room)) {
        canvas.text(inside.x, y, inside.width, text, *role);
        y += 1;
    }
    if charts {
        let rest = Rect {
            y: y + 1,
            height: inside.bottom().saturating_sub(y + 1),
            ..inside
        };
        draw_charts(canvas, rest, model, row);
    }
}

fn lines(model: &Model, row: &Row) -> Vec<(String, Role)> {
    let view = &row.view;
    let pid = view
        .pid
        .map_or_else(String::new, |pid| format!("  pid {pid}"));
    let mut lines = vec![
        (
            format!(
                "{}  id {}{pid}  run {}",
                harmless(&row.name()),
                view.id,
                view.run
            ),
            if model.focus == Focus::About {
                Role::Selected
            } else {
                Role::Title
            },
        ),
        (
            format!("{} {}", model.glyphs.sign(view.status), view.status),
            role_of(view.status),
        ),
    ];
    if let (Some(verb), Some(seconds)) = (row.requested, row.unanswered(model.now)) {
        let text = format!("{} was asked for: no answer ({seconds}s)", verb.word());
        lines.push((text, Role::Requested));
    }
    let about = model.about.as_ref().filter(|it| it.id == view.id);
    if let Some(ms) = model.moment.at_ms {
        let timeline = Timeline::of(row, model.told_ms());
        let detail = about.and_then(|it| it.detail.as_deref());
        let events = detail.map_or(&[][..], |it| &it.events);
        for (title, text) in then(model, view.id, ms, &timeline, events) {
            lines.push((format!("{title:<8}{text}"), Role::Moving));
        }
    }
    let mut add = |text: String| lines.push((harmless(&text), Role::Text));
    if !view.because.is_empty() {
        add(view.because.clone());
    }
    if let Some(alarm) = &view.alarm {
        add(format!("alarm: {alarm}"));
    }
    if let Some(exit) = &view.exit {
        add(format!("last end: {}", exit.text));
    }
    add(format!("restarts {}", view.restarts));
    if let Some(detail) = about.and_then(|it| it.detail.as_ref()) {
        add(format!("$ {}", detail.command.typed()));
        add(format!("in {}", detail.cwd.display()));
        let stop = short_duration(detail.stop.timeout);
        add(format!(
            "restart {}   stop {} {stop}",
            detail.restart.on.word(),
            detail.stop.signal
        ));
        if let Some(limit) = detail.limits.max_memory {
            add(format!("memory limit {}", short_bytes(limit)));
        }
        if detail.tree > 1 {
            add(format!("{} processes in its tree", detail.tree));
        }
    }
    lines
}

fn draw_charts(canvas: &mut Canvas<'_>, area: Rect, model: &Model, row: &Row) {
    let half = area.height / 2;
    let above = Rect {
        height: half.saturating_sub(1),
        ..area
    };
    let below = Rect {
        y: area.y + half,
        ..above
    };
    let about = model.about.as_ref().filter(|it| it.id == row.view.id);
    let detail = about.and_then(|it| it.detail.as_deref());
    let limit = detail.and_then(|it| it.limits.max_memory);
    let timeline = Timeline::of(row, model.told_ms());
    let marks = Marks::of(model.moment.at_ms, detail, &[]);
    cpu_chart(canvas, above, row, &timeline, &marks);
    memory_chart(canvas, below, row, (&timeline, limit), &marks);
}
