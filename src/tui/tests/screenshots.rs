//! Screenshots for the README, made of the same scenes as the pictures. `ADASA_BLESS=1` draws them anew.

use std::fmt::Write as _;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use crate::api::LogLine;
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::theme::Theme;

use super::desk::{Desk, Dice, line};
use super::scenes;

/// Pixels of a cell.
const CELL: (f32, f32) = (8.4, 18.0);
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d7dae0";

fn colour(colour: Color, otherwise: &'static str) -> String {
    match colour {
        Color::Red => "#e06c75".into(),
        Color::Green => "#98c379".into(),
        Color::Yellow => "#e5c07b".into(),
        Color::Blue => "#61afef".into(),
        Color::Magenta => "#c678dd".into(),
        Color::Cyan => "#56b6c2".into(),
        Color::Indexed(n) => indexed(n),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => otherwise.into(),
    }
}

/// The 256 colours of xterm.
fn indexed(n: u8) -> String {
    const BASE: [&str; 16] = [
        "#16181d", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
        "#5c6370", "#ff7a85", "#b5e890", "#ffd68a", "#7cc4ff", "#de8cf2", "#6fd3de", "#ffffff",
    ];
    match n {
        0..16 => BASE[usize::from(n)].into(),
        16..232 => {
            let n = n - 16;
            let part = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            format!(
                "#{:02x}{:02x}{:02x}",
                part(n / 36),
                part(n / 6 % 6),
                part(n % 6)
            )
        }
        _ => {
            let grey = 8 + 10 * (n - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// How much of its cell a block fills from the left and from below. Fonts leave gaps between them; a terminal does not.
fn block(sign: char) -> Option<(f32, f32)> {
    let eighths = |from: char| f32::from(u8::try_from(u32::from(sign) - u32::from(from)).unwrap());
    match sign {
        '▁'..='█' => Some((1.0, (eighths('▁') + 1.0) / 8.0)),
        '▉'..='▏' => Some(((7.0 - eighths('▉')) / 8.0, 1.0)),
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Fill and weight of a cell, and what is behind it.
fn look(cell: &Cell) -> (String, bool, Option<String>) {
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    let bold = cell.modifier.contains(Modifier::BOLD);
    let fg = colour(cell.fg, FOREGROUND);
    let bg = (cell.bg != Color::Reset).then(|| colour(cell.bg, BACKGROUND));
    if reversed {
        (bg.unwrap_or_else(|| BACKGROUND.into()), bold, Some(fg))
    } else {
        (fg, bold, bg)
    }
}

fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (
        f32::from(area.width) * CELL.0 + 16.0,
        f32::from(area.height) * CELL.1 + 16.0,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let cell = &buffer[(x, y)];
            let like = look(cell);
            let from = x;
            let mut text = String::new();
            let drawn = |x: u16| buffer[(x, y)].symbol().chars().next().and_then(block);
            let is_block = drawn(x).is_some();
            while x < area.width && look(&buffer[(x, y)]) == like && drawn(x).is_some() == is_block
            {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                x += u16::try_from(symbol.width().max(1)).unwrap();
            }
            let (fill, bold, behind) = like;
            let left = f32::from(from) * CELL.0 + 8.0;
            let wide = f32::from(x - from) * CELL.0;
            let top = f32::from(y) * CELL.1 + 8.0;
            if let Some(behind) = behind {
                writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{behind}\"/>",
                    CELL.1
                )
                .unwrap();
            }
            let blocks = text.chars().map(block).collect::<Option<Vec<_>>>();
            if let Some(blocks) = blocks {
                let mut at = left;
                for alike in blocks.chunk_by(|a, b| a == b && a.0 >= 1.0) {
                    let (wide, high) = alike[0];
                    let cells = CELL.0 * f32::from(u16::try_from(alike.len()).unwrap());
                    writeln!(
                        out,
                        "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{fill}\" shape-rendering=\"crispEdges\"/>",
                        top + CELL.1 * (1.0 - high),
                        cells * wide,
                        CELL.1 * high
                    )
                    .unwrap();
                    at += cells;
                }
                continue;
            }
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            // Each word at its own place: viewers differ in how wide a space is.
            let mut at = from;
            for word in text.split(' ') {
                let cells = u16::try_from(word.width()).unwrap();
                if !word.is_empty() {
                    writeln!(
                        out,
                        "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{fill}\"{weight}>{}</text>",
                        f32::from(at) * CELL.0 + 8.0,
                        top + 13.5,
                        f32::from(cells) * CELL.0,
                        escaped(word)
                    )
                    .unwrap();
                }
                at += cells + 1;
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

#[track_caller]
fn compare(name: &str, buffer: &Buffer) {
    let drawn = svg(buffer);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets/screens")
        .join(format!("{name}.svg"));
    if std::env::var_os("ADASA_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &drawn).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == drawn,
        "{name}.svg is another picture than before; ADASA_BLESS=1 takes it over"
    );
}

/// What a web server says on a usual day.
fn traffic() -> Vec<LogLine> {
    let lines = [
        (Out, "GET /v1/orders/8812 200 14ms"),
        (Out, "GET /v1/orders/8813 200 11ms"),
        (
            Err,
            "\u{1b}[33mWARN\u{1b}[0m pool exhausted: waited 1500ms (max=20)",
        ),
        (Out, "POST /v1/orders 201 38ms"),
        (Out, "GET /v1/customers/77 200 9ms"),
        (
            Err,
            "\u{1b}[31mERROR\u{1b}[0m upstream ledger: deadline exceeded",
        ),
        (Out, "GET /v1/orders/8814 200 12ms"),
        (Out, "GET /v1/orders?page=2 200 44ms"),
        (Out, "GET /healthz 200 0ms"),
        (Out, "POST /v1/orders 201 31ms"),
        (Out, "GET /v1/orders/8815 200 13ms"),
        (Out, "GET /v1/orders/8816 200 10ms"),
    ];
    let numbered = (0..).zip(lines);
    numbered
        .map(|(n, (stream, text))| line(n, "web-0", stream, text))
        .collect()
}

/// Five minutes in which what runs was busy, more and less; the figures of now are the scene's.
fn lived(desk: &mut Desk) {
    let mut dice = Dice::new(2027);
    let rows = desk.model.rows.values();
    let now: Vec<_> = rows
        .filter_map(|row| Some((row.view.id, row.view.cpu?, row.view.memory?)))
        .collect();
    for (id, cpu, memory) in now {
        let (mut busy, mut held) = (40_u16, 60_u64);
        for _ in 0..60 {
            busy = (busy + u16::try_from(dice.below(41)).unwrap()).clamp(30, 140) - 20;
            held = (held + u64::try_from(dice.below(7)).unwrap()).min(102) - 2;
            for _ in 0..5 {
                let share = f32::from(busy) / 100.0;
                desk.model
                    .measure(id, Some(cpu * share), Some(memory * held / 100));
            }
        }
        desk.model.measure(id, Some(cpu), Some(memory));
    }
}

#[test]
fn the_screenshots_are_of_this_dashboard() {
    let mut main = Desk::new();
    lived(&mut main);
    main.wait(200);
    main.select(10);
    main.wait(200);
    main.logs(traffic());
    main.model.theme = Theme::Dark;
    main.resize(120, 40);
    main.wait(200);
    compare("main", &main.frame());
    for (name, mut desk) in scenes::all() {
        if ["several", "palette", "rolling"].contains(&name) {
            desk.model.theme = Theme::Dark;
            desk.resize(120, 32);
            compare(name, &desk.frame());
        }
    }
}
