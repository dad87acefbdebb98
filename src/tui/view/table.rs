//! The process table.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::{Status, Verb};
use crate::logs::safe::harmless;
use crate::tui::model::{Focus, Model, Row, Target};
use crate::tui::order::SortBy;
use crate::tui::spark::COLUMN;
use crate::tui::theme::{Role, role_of};
use crate::tui::voices::Marks;

use super::canvas::Canvas;
use super::figures::{percent, short_bytes, short_uptime};

/// Which columns there is room for, and how wide each is.
struct Columns {
    name: u16,
    id: u16,
    status: u16,
    cpu: u16,
    spark: u16,
    memory: u16,
    restarts: u16,
    uptime: u16,
    pid: u16,
}

impl Columns {
    fn of(width: u16, wide: bool) -> Self {
        let mut it = Self {
            name: 0,
            id: 0,
            status: 13,
            cpu: 6,
            spark: 0,
            memory: 6,
            restarts: 0,
            uptime: 0,
            pid: 0,
        };
        if width >= 60 {
            it.id = 5;
            it.status = 14;
            it.restarts = 4;
            it.uptime = 7;
        }
        if width >= 74 {
            it.status = 16;
            it.spark = 10;
        }
        if width >= 76 {
            // "running »restart"
            it.status = 19;
        }
        if wide && (74..110).contains(&width) {
            (it.spark, it.pid, it.memory) = (0, 9, 8);
        }
        if width >= 110 {
            it.spark = 24;
            it.pid = 9;
            it.memory = 8;
            it.status = 20;
        }
        if width >= 160 {
            it.spark = 60;
        }
        let others =
            it.id + it.status + it.cpu + it.spark + it.memory + it.restarts + it.uptime + it.pid;
        let gaps = 2 + 2 * u16::from(it.spark > 0);
        it.name = width.saturating_sub(others + gaps + 1).min(48);
        it
    }
}

/// What one line shows; a process shows the sum of its instances and their worst status.
struct Cells {
    name: String,
    id: String,
    sign: char,
    status: String,
    role: Role,
    requested: Option<Verb>,
    /// For how many seconds nothing came of that.
    unanswered: Option<u64>,
    cpu: Option<f32>,
    series: VecDeque<Option<u16>>,
    memory: Option<u64>,
    restarts: u32,
    uptime: Option<u64>,
    pid: Option<i32>,
    /// How many of the instances it stands for are marked.
    marked: usize,
    /// What its output is worth a look for.
    voice: Marks,
}

fn status_words(row: &Row, now: Duration) -> String {
    let status = row.view.status;
    match status {
        Status::Backoff | Status::Stopping | Status::Restarting => match row.due_seconds(now) {
            Some(left) => format!("{status} {left}s"),
            None => status.to_string(),
        },
        Status::Errored | Status::Exited => match &row.view.exit {
            Some(exit) => match (exit.code, &exit.signal) {
                (Some(code), _) => format!("{status} {code}"),
                (None, Some(signal)) => format!("{status} {}", signal.trim_start_matches("SIG")),
                (None, None) => status.to_string(),
            },
            None => status.to_string(),
        },
        Status::Starting | Status::Running | Status::Stopped | Status::Orphaned => {
            status.to_string()
        }
    }
}

/// What it uses; with a time cursor, what it used then.
fn used(model: &Model, row: &Row) -> (Option<f32>, Option<u64>) {
    match model.moment.at_ms {
        Some(ms) => {
            let (cpu, memory) = row.series.at(ms);
            (cpu.map(|tenths| f32::from(tenths) / 10.0), memory)
        }
        None => (row.view.cpu, row.view.memory),
    }
}

fn cells_of(model: &Model, target: &Target, last: bool) -> Option<Cells> {
    let glyphs = &model.glyphs;
    match target {
        Target::Instance(id) => {
            let row = model.rows.get(id)?;
            let view = &row.view;
            let in_tree = view.instances > 1 && !model.order.is_flat(model.size.0);
            let name = harmless(&if in_tree {
                view.name.clone()
            } else {
                row.name()
            });
            let branch = if last { glyphs.last } else { glyphs.branch };
            Some(Cells {
                name: if in_tree {
                    format!("  {branch} {name}")
                } else {
                    format!("  {name}")
                },
                id: view.id.to_string(),
                sign: glyphs.sign(view.status),
                status: status_words(row, model.told_at()),
                role: role_of(view.status),
                requested: row.requested,
                unanswered: row.unanswered(model.now),
                cpu: used(model, row).0,
                series: row.series.cpu().clone(),
                memory: used(model, row).1,
                restarts: view.restarts,
                uptime: view.uptime,
                pid: view.pid,
                marked: usize::from(model.marks.contains(id)),
                voice: Marks::of(row, model.told_ms()),
            })
        }
        Target::Process(key) => {
            let rows = model.members(key);
            let worst = rows
                .iter()
                .map(|r| r.view.status)
                .min_by_key(|s| s.urgency())?;
            let up = rows
                .iter()
                .filter(|r| r.view.status == Status::Running)
                .count();
            let sign = if model.folded.contains(key) {
                glyphs.folded
            } else {
                glyphs.open
            };
            let length = rows.iter().map(|r| r.series.cpu().len()).max().unwrap_or(0);
            let series = (0..length)
                .map(|n| {
                    rows.iter()
                        .filter_map(|r| {
                            let skip = length - r.series.cpu().len();
                            r.series.cpu().get(n.checked_sub(skip)?).copied()?
                        })
                        .reduce(u16::saturating_add)
                })
                .collect();
            let bytes: Vec<u64> = rows.iter().filter_map(|r| used(model, r).1).collect();
            let marked = rows
                .iter()
                .filter(|r| model.marks.contains(&r.view.id))
                .count();
            // A fold hides no mark.
            let marks = if marked > 0 && model.folded.contains(key) {
                format!(" {}{marked}", glyphs.mark)
            } else {
                String::new()
            };
            let cpus: Vec<f32> = rows.iter().filter_map(|r| used(model, r).0).collect();
            Some(Cells {
                name: format!(
                    "{sign} {} {}{}{marks}",
                    harmless(&key.to_string()),
                    glyphs.times,
                    rows.len()
                ),
                id: String::new(),
                sign: glyphs.sign(worst),
                // The sign is of the worst; its word here would read as "so many are errored".
                status: format!("{up} of {} up", rows.len()),
                role: role_of(worst),
                // Unfolded, each instance says so itself.
                requested: model
                    .folded
                    .contains(key)
                    .then(|| rows.iter().find_map(|r| r.requested))
                    .flatten(),
                unanswered: model
                    .folded
                    .contains(key)
                    .then(|| rows.iter().find_map(|r| r.unanswered(model.now)))
                    .flatten(),
                cpu: (!cpus.is_empty()).then(|| cpus.iter().sum()),
                series,
                memory: (!bytes.is_empty()).then(|| bytes.iter().sum()),
                restarts: rows.iter().map(|r| r.view.restarts).sum(),
                uptime: rows.iter().filter_map(|r| r.view.uptime).min(),
                pid: None,
                marked,
                voice: rows
                    .iter()
                    .map(|row| Marks::of(row, model.told_ms()))
                    .fold(Marks::default(), Marks::with),
            })
        }
    }
}

/// What a click on the head sorts by.
pub(in crate::tui) fn sorted_at(model: &Model, area: Rect, x: u16) -> Option<SortBy> {
    let columns = Columns::of(area.width, model.wide);
    let mut end = 2;
    let spark = if columns.spark > 0 {
        columns.spark + 2
    } else {
        0
    };
    let all = [
        (columns.name, Some(SortBy::Name)),
        (columns.id, None),
        (columns.status, Some(SortBy::Status)),
        (columns.cpu + spark, Some(SortBy::Cpu)),
        (columns.memory, Some(SortBy::Memory)),
        (columns.restarts, Some(SortBy::Restarts)),
        (columns.uptime, Some(SortBy::Uptime)),
        (columns.pid, None),
    ];
    let found = all.into_iter().find(|(width, _)| {
        end += width;
        x < end
    });
    found.and_then(|(_, by)| by)
}

/// The row of an instance as text.
pub(in crate::tui) fn row_text(model: &Model, row: &Row) -> String {
    let view = &row.view;
    let none = || model.glyphs.none.to_string();
    let cpu = view.cpu.map_or_else(none, percent);
    let memory = view.memory.map_or_else(none, short_bytes);
    let uptime = view.uptime.map_or_else(none, short_uptime);
    let pid = view.pid.map_or_else(none, |pid| pid.to_string());
    let status = status_words(row, model.told_at());
    let restarts = view.restarts;
    format!(
        "{} id {} {status} cpu {cpu} mem {memory} restarts {restarts} up {uptime} pid {pid}",
        row.name(),
        view.id
    )
}

pub(super) fn head(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    if area.height == 0 {
        return;
    }
    let columns = Columns::of(area.width, model.wide);
    let y = area.y;
    let mut x = 2;
    let title = if model.filter.text().is_empty() {
        "NAME".to_owned()
    } else {
        format!("NAME /{}", model.filter.text())
    };
    let held = if model.order_is_held() {
        "  order held"
    } else {
        ""
    };
    // The figures are of then.
    let then = model.moment.at_ms.map(super::charts::second);
    let title = then.map_or(title, |then| format!("AT {then}"));
    canvas.text(x, y, columns.name, &format!("{title}{held}"), Role::Title);
    x += columns.name;
    let by = model.order.by(model.size.0);
    let arrow = if model.order.reversed {
        canvas.glyphs.rising
    } else {
        canvas.glyphs.open
    };
    let sorted = |text: &str, column: SortBy| {
        if by == column {
            format!("{text}{arrow}")
        } else {
            text.to_owned()
        }
    };
    let [status, cpu, memory, restarts, uptime] = [
        sorted("STATUS", SortBy::Status),
        sorted("CPU", SortBy::Cpu),
        sorted("MEM", SortBy::Memory),
        sorted("RST", SortBy::Restarts),
        sorted("UP", SortBy::Uptime),
    ];
    let mut put = |width: u16, text: &str, right: bool| {
        if width > 0 {
            if right {
                canvas.right(x, y, width, text, Role::Title);
            } else {
                canvas.text(x + 1, y, width - 1, text, Role::Title);
            }
            x += width;
        }
    };
    put(columns.id, "ID", true);
    put(columns.status, &status, false);
    put(columns.cpu, &cpu, true);
    if columns.spark > 0 {
        let span = u64::from(columns.spark) * u64::from(COLUMN);
        put(columns.spark + 2, &short_uptime(span), false);
    }
    put(columns.memory, &memory, true);
    put(columns.restarts, &restarts, true);
    put(columns.uptime, &uptime, true);
    put(columns.pid, "PID", true);
}

pub(super) fn rows(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let lines = model.lines();
    let columns = Columns::of(area.width, model.wide);
    let shown = lines
        .iter()
        .enumerate()
        .skip(model.offset)
        .take(usize::from(area.height));
    for (y, (n, target)) in (area.y..).zip(shown) {
        let last = match lines.get(n + 1) {
            None | Some(Target::Process(_)) => true,
            Some(Target::Instance(next)) => {
                model.rows.get(next).is_none_or(|r| r.view.instances == 1)
            }
        };
        if let Some(cells) = cells_of(model, target, last) {
            let selected = model.selected.as_ref() == Some(target);
            line(
                canvas,
                Rect::new(area.x, y, area.width, 1),
                &columns,
                &cells,
                selected,
                model,
            );
        }
    }
    if lines.is_empty() && !model.rows.is_empty() {
        let text = format!("nothing matches /{}", model.filter.text());
        canvas.text(
            area.x + 2,
            area.y,
            area.width.saturating_sub(2),
            &text,
            Role::Text,
        );
    }
}

fn line(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &Columns,
    cells: &Cells,
    selected: bool,
    model: &Model,
) {
    let y = area.y;
    let none = canvas.glyphs.none.to_string();
    let mut x = 2;
    super::voices::name(canvas, (x, y, columns.name), &cells.name, cells.voice);
    x += columns.name;
    canvas.right(x, y, columns.id, &cells.id, Role::Text);
    x += columns.id;
    let role = if model.is_live() {
        cells.role
    } else {
        Role::Text
    };
    canvas.text(x + 1, y, 1, &cells.sign.to_string(), role);
    let after = canvas.text(
        x + 3,
        y,
        columns.status.saturating_sub(3),
        &cells.status,
        role,
    );
    if let Some(verb) = cells.requested {
        // It is seen at once, whatever else stands there: over the end of a long status.
        let mut text = format!("{}{}", canvas.glyphs.requested, verb.word());
        if let Some(seconds) = cells.unanswered {
            text.push_str(&format!(" ?{seconds}s"));
        }
        let end = x + columns.status;
        let at = (after + 1).min(end.saturating_sub(super::canvas::cells(&text)));
        canvas.text(at, y, end.saturating_sub(at), &text, Role::Requested);
    }
    x += columns.status;
    let cpu = cells.cpu.map_or_else(|| none.clone(), percent);
    canvas.right(x, y, columns.cpu, &cpu, Role::Text);
    x += columns.cpu;
    if columns.spark > 0 {
        spark(canvas, x + 1, y, columns.spark, &cells.series);
        x += columns.spark + 2;
    }
    let memory = cells.memory.map_or_else(|| none.clone(), short_bytes);
    canvas.right(x, y, columns.memory, &memory, Role::Text);
    x += columns.memory;
    canvas.right(
        x,
        y,
        columns.restarts,
        &cells.restarts.to_string(),
        Role::Text,
    );
    x += columns.restarts;
    let uptime = cells.uptime.map_or_else(|| none.clone(), short_uptime);
    canvas.right(x, y, columns.uptime, &uptime, Role::Text);
    x += columns.uptime;
    let pid = cells
        .pid
        .map_or_else(|| none.clone(), |pid| pid.to_string());
    canvas.right(x, y, columns.pid, &pid, Role::Text);
    if cells.marked > 0 {
        canvas.text(1, y, 1, &canvas.glyphs.mark.to_string(), Role::Title);
    }
    if selected {
        if model.focus == Focus::Table {
            canvas.paint(area, Role::Selected);
        }
        let cursor = canvas.glyphs.cursor.to_string();
        canvas.text(0, y, 1, &cursor, Role::Text);
    }
}

/// The newest values at the right. The largest of them is full height, but never less than a tenth of a core is.
fn spark(canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16, series: &VecDeque<Option<u16>>) {
    let glyphs = canvas.glyphs;
    let wanted = usize::from(width);
    let missing = wanted.saturating_sub(series.len());
    let shown: Vec<Option<u16>> = series
        .iter()
        .skip(series.len().saturating_sub(wanted))
        .copied()
        .collect();
    let top = shown.iter().copied().flatten().max().unwrap_or(0).max(100);
    let text: String = std::iter::repeat_n(glyphs.missing, missing)
        .chain(shown.iter().map(|value| {
            value.map_or(glyphs.missing, |value| {
                let level = usize::from(value) * 7 / usize::from(top);
                glyphs.spark[level.min(7)]
            })
        }))
        .collect();
    canvas.text(x, y, width, &text, Role::Text);
}
