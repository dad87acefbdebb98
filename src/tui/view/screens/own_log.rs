//! What the daemon says about itself. Its rows are drawn by tui-logger, which is given those that are seen.

use std::sync::{Mutex, PoisonError};

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_logger::{Drain, ExtLogRecord, LogFormatter, TuiLoggerWidget, TuiWidgetState};

use crate::api::{Level, Record};
use crate::tui::model::Model;
use crate::tui::screens::own_log::{Areas, Limits, OwnLogScreen, passes, rows};
use crate::tui::theme::{Glyphs, Role, Theme};
use crate::tui::view::canvas::Canvas;
use crate::tui::view::clock;

/// More rows than these no screen has.
const ROWS_MAX: usize = 500;
/// What tui-logger is given belongs to one picture: pictures that are drawn beside each other, as tests do, wait.
static PICTURE: Mutex<()> = Mutex::new(());

/// The levels as the list of targets has them, the worst first.
const LETTERS: [(Level, char); 5] = [
    (Level::Error, 'E'),
    (Level::Warn, 'W'),
    (Level::Info, 'I'),
    (Level::Debug, 'D'),
    (Level::Trace, 'T'),
];

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &OwnLogScreen) {
    let areas = it.areas(area);
    let dot = canvas.glyphs.dot;
    let focused = it.listed().get(it.selected).map(|(name, _)| *name);
    let of = match focused.filter(|_| it.focused) {
        Some(name) => format!("only {name}"),
        None => "all targets".to_owned(),
    };
    let level = it.captured().name();
    let left = if areas.target == 0 {
        format!("daemon log {dot} {level}")
    } else {
        format!("daemon log {dot} {level} and worse {dot} {of}")
    };
    let state = if it.is_paused() {
        format!("PAUSED +{} new (G follows)", it.arrived)
    } else if model.is_live() && it.due.is_none() {
        "FOLLOW".to_owned()
    } else {
        "not connected".to_owned()
    };
    let missed = match it.missed {
        0 => String::new(),
        many => format!("{many} records not sent {dot} "),
    };
    canvas.title(areas.title, &left, &format!("{missed}{state}"));
    if let Some(area) = areas.targets {
        targets(canvas, area, it);
        for y in areas.records.top()..areas.records.bottom() {
            let gutter = canvas.glyphs.gutter.to_string();
            canvas.text(area.right().saturating_sub(1), y, 1, &gutter, Role::Frame);
        }
    }
    let seen = it.visible(&areas);
    if seen.is_empty() {
        let text = if it.due.is_some() || !model.is_live() {
            "nothing to show until the daemon is there"
        } else {
            "nothing was said"
        };
        let room = areas.records.width.saturating_sub(1);
        canvas.text(areas.records.x + 1, areas.records.y, room, text, Role::Text);
        return;
    }
    records(canvas, &areas, &seen);
}

/// Names, and what is taken (small letters) and shown (capital letters) of each.
fn targets(canvas: &mut Canvas<'_>, area: Rect, it: &OwnLogScreen) {
    let letters_at = area.right().saturating_sub(7);
    let room = letters_at.saturating_sub(area.x + 2);
    canvas.text(area.x + 1, area.y, room, "TARGET", Role::Title);
    canvas.text(letters_at, area.y, 5, "EWIDT", Role::Title);
    let height = usize::from(area.height.saturating_sub(1));
    let listed = it.listed();
    let from = (it.selected + 1).saturating_sub(height.max(1));
    let below = (area.y + 1..area.bottom()).zip(listed.into_iter().enumerate().skip(from));
    for (y, (n, (name, limits))) in below {
        let chosen = n == it.selected;
        let role = if chosen { Role::Selected } else { Role::Text };
        if chosen {
            let cursor = canvas.glyphs.cursor.to_string();
            canvas.text(area.x, y, 1, &cursor, Role::Title);
        }
        canvas.text(area.x + 1, y, room, name, role);
        for (x, (level, letter)) in (letters_at..).zip(LETTERS) {
            let (sign, role) = sign(limits, level, letter, canvas.glyphs.missing);
            canvas.text(x, y, 1, &sign.to_string(), role);
        }
    }
}

fn sign(limits: Limits, level: Level, letter: char, missing: char) -> (char, Role) {
    if passes(limits.shown, level) {
        (letter, Role::Title)
    } else if passes(limits.captured, level) {
        (letter.to_ascii_lowercase(), Role::Text)
    } else {
        (missing, Role::Frame)
    }
}

/// Gives these to tui-logger and has it draw them.
fn records(canvas: &mut Canvas<'_>, areas: &Areas, seen: &[&Record]) {
    let _alone = PICTURE.lock().unwrap_or_else(PoisonError::into_inner);
    // Which empties it.
    tui_logger::set_buffer_depth(ROWS_MAX);
    let drain = Drain::new();
    for record in seen.iter().rev().take(ROWS_MAX).rev() {
        drain.log(
            &log::Record::builder()
                .level(level(record.level))
                .target(&record.target)
                .args(format_args!("{} {}", record.at_us, record.text()))
                .build(),
        );
    }
    tui_logger::move_events();
    let formatter = Formatter {
        theme: canvas.theme,
        glyphs: canvas.glyphs,
        target: areas.target,
        head: areas.head(),
    };
    // Which records are seen was decided before: here all are.
    let state = TuiWidgetState::new();
    let widget = TuiLoggerWidget::default()
        .formatter(Box::new(formatter))
        .style(canvas.theme.style(Role::Text))
        .state(&state);
    canvas.widget(widget, areas.records);
}

fn level(level: Level) -> log::Level {
    match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    }
}

/// Makes rows of a record: harmless, counted in cells, further rows below the message.
struct Formatter {
    theme: Theme,
    glyphs: Glyphs,
    target: usize,
    head: usize,
}

impl Formatter {
    fn role(level: log::Level) -> (char, Role) {
        match level {
            log::Level::Error => ('E', Role::Bad),
            log::Level::Warn => ('W', Role::Waiting),
            log::Level::Info => ('I', Role::Text),
            log::Level::Debug => ('D', Role::Text),
            log::Level::Trace => ('T', Role::Text),
        }
    }

    fn span(&self, text: &str, role: Role) -> Span<'static> {
        let style: Style = self.theme.style(role);
        Span::styled(self.glyphs.text(text), style)
    }
}

impl LogFormatter for Formatter {
    fn min_width(&self) -> u16 {
        1
    }

    fn format(&self, width: usize, event: &ExtLogRecord) -> Vec<Line<'_>> {
        let (at_us, message) = event.msg().split_once(' ').unwrap_or(("0", event.msg()));
        let at_ms = at_us.parse::<u64>().ok().map(|us| us / 1000);
        let time: String = clock(at_ms).chars().take("12:03:58".len()).collect();
        let (letter, role) = Self::role(event.level);
        let target = match self.target {
            0 => String::new(),
            cells => format!("{:<cells$} ", event.target()),
        };
        let all = rows(message, width.saturating_sub(self.head));
        let lines = all.iter().enumerate().map(|(n, text)| {
            let mut spans = Vec::with_capacity(4);
            if n == 0 {
                spans.push(self.span(&format!("{time} "), Role::Text));
                spans.push(self.span(&format!("{letter} "), role));
                spans.push(self.span(&target, Role::Text));
            } else {
                let blank = " ".repeat(self.head.saturating_sub(2));
                spans.push(self.span(&format!("{blank}{} ", self.glyphs.hanging), Role::Frame));
            }
            spans.push(self.span(text, Role::Text));
            Line::from(spans)
        });
        lines.collect()
    }
}
