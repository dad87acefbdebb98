//! What is selected, beside the table.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::config::units::short_duration;
use crate::logs::safe::harmless;
use crate::tui::model::{Model, Row};
use crate::tui::spark::COLUMN;
use crate::tui::theme::{Role, role_of};

use super::canvas::Canvas;
use super::chart::Chart;
use super::table::{percent, short_bytes};

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
            Role::Title,
        ),
        (
            format!("{} {}", model.glyphs.sign(view.status), view.status),
            role_of(view.status),
        ),
    ];
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
    let detail = model.about.as_ref().filter(|it| it.id == view.id);
    if let Some(detail) = detail.and_then(|it| it.detail.as_ref()) {
        let args = detail.command.args.join(" ");
        add(format!("$ {} {args}", detail.command.program));
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
    let limit = about.and_then(|it| it.detail.as_ref()?.limits.max_memory);
    cpu_chart(canvas, above, row);
    memory_chart(canvas, below, row, limit);
}

/// A chart below its heading.
fn body(area: Rect) -> Rect {
    Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    }
}

/// What it used of the processors.
pub(super) fn cpu_chart(canvas: &mut Canvas<'_>, area: Rect, row: &Row) {
    if area.height < 2 {
        return;
    }
    let none = canvas.glyphs.none.to_string();
    let columns = Chart::columns(area);
    let span = Duration::from_secs(u64::try_from(columns).unwrap_or(0) * u64::from(COLUMN));
    let cpu: Vec<Option<f64>> = row
        .series
        .cpu()
        .iter()
        .map(|tenths| tenths.map(|tenths| f64::from(tenths) / 10.0))
        .collect();
    let most = cpu.iter().flatten().copied().fold(10.0, f64::max);
    let now = row.view.cpu.map_or(none, percent);
    let title = format!("cpu {now}   last {}", short_duration(span));
    canvas.text(area.x, area.y, area.width, &title, Role::Title);
    Chart {
        values: &cpu,
        top: most,
        labels: [&format!("{most:.0}%"), "0"],
    }
    .draw(canvas, body(area));
}

/// What it used of the memory, and of its limit.
#[expect(clippy::cast_precision_loss, reason = "pictures of numbers")]
pub(super) fn memory_chart(canvas: &mut Canvas<'_>, area: Rect, row: &Row, limit: Option<u64>) {
    if area.height < 2 {
        return;
    }
    let none = canvas.glyphs.none.to_string();
    let memory: Vec<Option<f64>> = row
        .series
        .memory()
        .iter()
        .map(|bytes| bytes.map(|bytes| bytes as f64))
        .collect();
    let most = memory.iter().flatten().copied().fold(1.0, f64::max);
    let top = limit.map_or(most, |limit| limit as f64);
    let now = row.view.memory.map_or_else(|| none.clone(), short_bytes);
    let of = limit.map_or_else(String::new, |limit| format!(" of {}", short_bytes(limit)));
    let title = format!("memory {now}{of}");
    canvas.text(area.x, area.y, area.width, &title, Role::Title);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was a number of bytes"
    )]
    let label = if memory.iter().flatten().next().is_some() || limit.is_some() {
        short_bytes(top as u64)
    } else {
        none
    };
    Chart {
        values: &memory,
        top,
        labels: [&label, "0"],
    }
    .draw(canvas, body(area));
}
