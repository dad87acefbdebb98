//! list.

use std::process::ExitCode;

use unicode_width::UnicodeWidthStr as _;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use crate::api::{InstanceView, Status};
use crate::config::units::{short_seconds, short_size};
use crate::logs::safe::harmless;

use super::args::{Global, List};
use super::failure::Failure;
use super::print;
use super::select::{client, words};

pub(super) fn list(global: &Global, list: &List) -> Result<ExitCode, Failure> {
    let select = words(&list.targets.select)?;
    let rows = client(global)?.list(&select)?;
    if global.json {
        print::json(&rows);
    } else if rows.is_empty() && select.is_empty() {
        print::line("no processes yet: `adasa start ./my-app` starts one");
    } else if rows.is_empty() {
        print::line("nothing is selected");
    } else {
        print::bytes(table(&rows, print::width()).as_bytes());
    }
    Ok(ExitCode::SUCCESS)
}

/// A column: its title, whether numbers stand in it, and how dear it is (the dearest go last when it is narrow).
struct Column {
    title: &'static str,
    right: bool,
    dear: u8,
    text: fn(&InstanceView) -> String,
}

pub(super) fn dash<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

pub(super) fn status_text(row: &InstanceView) -> String {
    match (row.status, row.due_in_ms, &row.exit) {
        (Status::Backoff, Some(ms), _) => format!("backoff {}s", ms.div_ceil(1000)),
        (Status::Errored | Status::Exited, _, Some(exit)) => match exit.code {
            Some(code) => format!("{} {code}", row.status),
            None => row.status.to_string(),
        },
        _ => row.status.to_string(),
    }
}

const COLUMNS: [Column; 9] = [
    Column {
        title: "ID",
        right: true,
        dear: 7,
        text: |r| r.id.to_string(),
    },
    Column {
        title: "Name",
        right: false,
        dear: 9,
        text: |r| harmless(&r.name),
    },
    Column {
        title: "Namespace",
        right: false,
        dear: 1,
        text: |r| r.namespace.to_string(),
    },
    Column {
        title: "Status",
        right: false,
        dear: 9,
        text: status_text,
    },
    Column {
        title: "CPU",
        right: true,
        dear: 5,
        text: |r| dash(r.cpu, |c| format!("{c:.1}%")),
    },
    Column {
        title: "Memory",
        right: true,
        dear: 6,
        text: |r| dash(r.memory, short_size),
    },
    Column {
        title: "Uptime",
        right: true,
        dear: 4,
        text: |r| dash(r.uptime, short_seconds),
    },
    Column {
        title: "Restarts",
        right: true,
        dear: 3,
        text: |r| r.restarts.to_string(),
    },
    Column {
        title: "PID",
        right: true,
        dear: 2,
        text: |r| dash(r.pid, |p| p.to_string()),
    },
];

fn colour(status: Status) -> Option<Color> {
    match status {
        Status::Running => Some(Color::Green),
        Status::Starting | Status::Stopping | Status::Restarting => Some(Color::Cyan),
        Status::Backoff | Status::Orphaned => Some(Color::Magenta),
        Status::Errored => Some(Color::Red),
        Status::Stopped | Status::Exited => None,
    }
}

/// The table, as wide as there is room: dear columns stay.
fn table(rows: &[InstanceView], width: usize) -> String {
    let fancy = print::colours();
    let spaces = rows.iter().any(|r| !r.namespace.is_default());
    let mut shown: Vec<(&Column, Vec<String>)> = COLUMNS
        .iter()
        .filter(|c| spaces || c.title != "Namespace")
        .map(|c| (c, rows.iter().map(c.text).collect()))
        .collect();
    let statuses: Vec<Status> = rows.iter().map(|row| row.status).collect();
    while width < usize::MAX && widest(&shown, fancy) > width {
        let cheapest = shown.iter().map(|(c, _)| c.dear).min().unwrap_or(9);
        if cheapest >= 9 {
            return cut(&render(&statuses, &shown, false), width);
        }
        shown.retain(|(c, _)| c.dear > cheapest);
    }
    render(&statuses, &shown, fancy)
}

/// How many cells the longest line takes: that of a table of one row, which has the widest text of each column.
fn widest(columns: &[(&Column, Vec<String>)], fancy: bool) -> usize {
    let longest = |texts: &Vec<String>| texts.iter().max_by_key(|text| text.width()).cloned();
    let of_each: Vec<_> = columns
        .iter()
        .map(|(column, texts)| (*column, longest(texts).into_iter().collect()))
        .collect();
    let text = render(&[Status::Stopped], &of_each, fancy);
    text.lines().map(cells).max().unwrap_or(0)
}

/// How many cells a line takes, without its own colour codes.
pub(super) fn cells(line: &str) -> usize {
    let mut bare = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\x1b') {
        bare.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    bare.width()
}

/// The last resort of a very narrow terminal: names are cut. There are no colours then, whose codes would be cut too.
fn cut(text: &str, width: usize) -> String {
    text.lines()
        .map(|line| {
            let plain: String = line.chars().take(width).collect();
            plain + "\n"
        })
        .collect()
}

fn render(statuses: &[Status], columns: &[(&Column, Vec<String>)], fancy: bool) -> String {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.load_style(if fancy {
        presets::UTF8_FULL_CONDENSED
    } else {
        presets::NOTHING
    });
    table.set_header(columns.iter().map(|(c, _)| {
        let cell = Cell::new(c.title);
        if fancy {
            cell.add_attribute(Attribute::Bold)
        } else {
            cell
        }
    }));
    for (n, status) in statuses.iter().enumerate() {
        table.add_row(columns.iter().map(|(c, texts)| {
            let mut cell = Cell::new(texts.get(n).map_or("", String::as_str));
            if c.right {
                cell = cell.set_alignment(CellAlignment::Right);
            }
            match colour(*status) {
                Some(colour) if fancy && c.title == "Status" => cell.fg(colour),
                Some(_) | None => cell,
            }
        }));
    }
    if fancy {
        table.enforce_styling();
    }
    let text = table.to_string();
    text.lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// Wall-clock time for people.
pub(super) fn time(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || "-".to_owned(),
            |at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M:%S")
                    .to_string()
            },
        )
}
