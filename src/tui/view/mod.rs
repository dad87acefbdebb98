//! Draws the model into a buffer; records nothing.

mod boxes;
mod canvas;
mod chart;
mod charts;
mod figures;
mod header;
mod help;
mod logs;
mod marks;
mod palette;
mod pane;
mod pinned;
mod question;
pub(super) mod screens;
mod table;
mod voices;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::asked;
use super::keymap::NO_ANSWER;
use super::model::{Link, Mode, Model, Tier};
use super::regions::{Regions, SMALLEST, regions};
use super::screens::Screen;
use super::theme::Role;

use canvas::{Canvas, cells};

pub(super) use help::page as help_page;
pub(super) use table::{row_text, sorted_at};

/// The whole screen.
pub(super) fn view(model: &Model, buffer: &mut Buffer) {
    let mut canvas = Canvas::new(buffer, model.theme, model.glyphs);
    let (width, height) = model.size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let text = format!("adasa: {} processes", model.rows.len());
        canvas.text(0, 0, width, &text, Role::Text);
        let notice = format!(
            "{width}x{height} is too small: {}x{}",
            SMALLEST.0, SMALLEST.1
        );
        canvas.text(0, 1, width, &notice, Role::Text);
        return;
    }
    let places = regions(model);
    header::header(&mut canvas, places.header, model);
    match model.screens.last() {
        Some(screen @ Screen::Form(_)) => {
            main_screen(&mut canvas, &places, model);
            screens::screen(&mut canvas, places.screen, model, screen);
        }
        Some(screen) => screens::screen(&mut canvas, places.screen, model, screen),
        None => main_screen(&mut canvas, &places, model),
    }
    if let Some(news) = &model.company.news {
        screens::activity::news(&mut canvas, places.screen, news);
    }
    boxes::toasts(&mut canvas, places.footer, model);
    footer(&mut canvas, places.footer, model);
    screens::which_key(&mut canvas, places.footer, model);
    if let Link::Lost(lost) = &model.link {
        boxes::lost(&mut canvas, model, lost);
    }
    match &model.mode {
        Mode::Ask(ask) if ask.tier != Tier::Footer => question::ask(&mut canvas, model, ask),
        Mode::Help(it) => help::draw(&mut canvas, model, it),
        Mode::Palette(it) => palette::palette(&mut canvas, model, it),
        Mode::Ask(_) | Mode::Browse | Mode::Filter | Mode::LogPrompt(_) | Mode::Plain => {}
    }
}

/// The lines of the whole screen, as text.
pub(super) fn view_text(model: &Model) -> Vec<String> {
    let (width, height) = model.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    view(model, &mut buffer);
    let rows = buffer.content.chunks(usize::from(width.max(1)));
    let rows = rows.map(|row| {
        let mut line = String::new();
        let mut hidden = 0;
        // The cells behind a wide character are blank.
        for cell in row {
            if hidden == 0 {
                line.push_str(cell.symbol());
                hidden = cells(cell.symbol()).saturating_sub(1);
            } else {
                hidden -= 1;
            }
        }
        line.trim_end().to_owned()
    });
    rows.collect()
}

/// A clock of the day, with milliseconds; blank of the same width when the time is not known.
pub(super) fn clock(ms: impl Into<Option<u64>>) -> String {
    ms.into()
        .and_then(|ms| i64::try_from(ms).ok())
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || "            ".to_owned(),
            |at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%H:%M:%S%.3f")
                    .to_string()
            },
        )
}

fn main_screen(canvas: &mut Canvas<'_>, places: &Regions, model: &Model) {
    header::gauges(canvas, places.gauges, model);
    if is_first_start(model) {
        // There are no logs either.
        let top = places.head.y;
        let height = places.footer.y.saturating_sub(top);
        return first_start(canvas, Rect::new(0, top, model.size.0, height), model);
    }
    table::head(canvas, places.head, model);
    table::rows(canvas, places.rows, model);
    if let Some(area) = places.pane {
        pane::pane(canvas, area, model);
    }
    if let Some(area) = places.logs {
        if model.marks.is_empty() {
            logs::title(canvas, places.title, places.log_pane(), model);
            logs::lines(canvas, area, places.log_pane(), model);
        } else {
            marks::title(canvas, places.title, model);
            marks::lines(canvas, area, model);
        }
    }
    if let Some(area) = places.pinned {
        pinned::draw(canvas, places.pinned_title, area, model);
    }
    if let Some(area) = places.activity {
        screens::activity::pane(canvas, area, model);
    }
}

/// Whether nothing is there, on the main screen.
fn is_first_start(model: &Model) -> bool {
    let main = matches!(model.screens.last(), None | Some(Screen::Form(_)));
    model.rows.is_empty() && model.daemon.is_some() && main
}

fn first_start(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let lines = [
        "",
        "Nothing runs under adasa here yet.",
        "",
        "  n   start a process here         e.g.  node server.js",
        if model.machine.config {
            "  e   edit ./adasa.toml            and start what it defines"
        } else {
            "  e   write and edit a config      no ./adasa.toml yet: with comments"
        },
        "",
        "From the shell it is the same:",
        "  $ adasa start --name api -i 4 -- node server.js",
        "  $ adasa init                    a config, edited and started",
        "  $ adasa startup                 they come back after a reboot",
        "",
        "q leaves this screen; processes go on in the daemon.",
        "The terminal's own mouse selection works; M takes the mouse.",
        "? shows every key, : takes any command.",
    ];
    for (n, line) in (0..area.height).zip(lines) {
        canvas.text(
            area.x + 2,
            area.y + n,
            area.width.saturating_sub(2),
            line,
            Role::Text,
        );
    }
    let below = u16::try_from(lines.len()).unwrap_or(u16::MAX) + 1;
    if let Some(daemon) = model.daemon.as_ref().filter(|_| area.height > below) {
        let line = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        let since = model.told_at().saturating_sub(model.daemon_at).as_secs();
        let up = figures::short_uptime(daemon.uptime + since);
        let dot = canvas.glyphs.dot;
        let text = format!("pid {} {dot} up {up} {dot} {}", daemon.pid, daemon.version);
        canvas.title(line, "daemon", &text);
    }
}

fn footer(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    if area.height == 0 {
        return;
    }
    match &model.mode {
        Mode::Ask(ask) if ask.tier == Tier::Footer => question::question(canvas, area, model, ask),
        Mode::Filter => {
            let mut x = canvas.text(1, area.y, area.width, "/", Role::Title);
            x = canvas.text(
                x,
                area.y,
                area.width.saturating_sub(x),
                model.filter.text(),
                Role::Text,
            );
            x = canvas.text(x, area.y, area.width.saturating_sub(x), "_", Role::Selected);
            let room = area.width.saturating_sub(x);
            let after = match model.filter.error() {
                Some(error) => format!("  {error}"),
                None => filter_hints(model, room),
            };
            canvas.text(x, area.y, room, &after, Role::Text);
        }
        Mode::LogPrompt(prompt) => boxes::prompt(canvas, area, prompt),
        Mode::Help(it) if it.typing => help::prompt(canvas, area, model, it),
        Mode::Browse | Mode::Help(_) | Mode::Ask(_) | Mode::Palette(_) | Mode::Plain => {
            if let Link::Lost(_) = model.link {
                let text = " not connected: actions off until it is back   Enter try now   q quit";
                canvas.text(0, area.y, area.width, text, Role::Text);
                return;
            }
            let mut x = 1;
            if !model.pending.is_empty() {
                let typed: String = model.pending.iter().map(ToString::to_string).collect();
                let typed = format!("{typed}{}", canvas.glyphs.more);
                x = canvas.text(x, area.y, area.width, &typed, Role::Requested) + 2;
            }
            let hints = hints(model);
            let cost = |(key, word): &(String, &str)| {
                u16::try_from(key.chars().count() + word.chars().count() + 3).unwrap_or(0)
            };
            // Where every key is explained is seen whatever else has to go.
            let help = hints.iter().position(|(_, word)| *word == "help");
            let mut reserved = help.and_then(|n| hints.get(n)).map_or(0, cost);
            for (n, hint) in hints.iter().enumerate() {
                if help == Some(n) {
                    reserved = 0;
                } else if x + cost(hint) + reserved > area.width + 2 {
                    if reserved == 0 {
                        break;
                    }
                    continue;
                }
                let (key, word) = hint;
                x = canvas.text(x, area.y, area.width.saturating_sub(x), key, Role::Title);
                x = canvas.text(
                    x + 1,
                    area.y,
                    area.width.saturating_sub(x + 1),
                    word,
                    Role::Text,
                );
                x += 2;
            }
        }
    }
}

/// What a filter leaves, how to end it, and what it may say: as much of that as there is room for.
fn filter_hints(model: &Model, room: u16) -> String {
    let shown = model.rows.values().filter(|row| model.filter.matches(row));
    let mut text = format!("  {} of {}", shown.count(), model.rows.len());
    let parts = [
        "   Enter keep",
        "  Esc clear",
        "   status:a|b",
        " cpu>5",
        " mem>1g",
        " tag:x",
        " /regex/",
        " !not",
    ];
    for part in parts {
        if text.len() + part.len() > usize::from(room) {
            break;
        }
        text.push_str(part);
    }
    text
}

/// The keys that work now.
fn hints(model: &Model) -> Vec<(String, &'static str)> {
    let own = |list: &[(&str, &'static str)]| {
        list.iter()
            .map(|(key, word)| ((*key).to_owned(), *word))
            .collect()
    };
    match &model.mode {
        Mode::Browse if matches!(model.screens.last(), Some(Screen::Form(_))) => own(&[
            ("Tab", "next field"),
            ("^U", "clear"),
            ("Enter", "start"),
            ("Esc", "cancel"),
        ]),
        Mode::Browse if model.pending.is_empty() => {
            let idle = screens::rolling::idle(model);
            let hints = model.hints().into_iter();
            let overdue = asked::is_overdue(model);
            let hints =
                hints.filter(|(_, word)| !idle.contains(word) && (overdue || *word != NO_ANSWER));
            if is_first_start(model) {
                // Nothing is there that a verb could be about.
                let own = ["cmd", "help", "quit"];
                let new = [("n".to_owned(), "new process"), ("e".to_owned(), "config")];
                return new
                    .into_iter()
                    .chain(hints.filter(|(_, word)| own.contains(word)))
                    .collect();
            }
            hints.collect()
        }
        Mode::Browse => own(&[("Esc", "none of these")]),
        Mode::Filter => own(&[("Enter", "keep"), ("Esc", "clear")]),
        Mode::Help(it) if it.find.is_empty() => own(&[
            ("j k", "scroll"),
            ("/", "find a key or a word"),
            ("Esc", "close"),
        ]),
        Mode::Help(_) => own(&[
            ("j k", "scroll"),
            ("/", "go on typing"),
            ("Esc", "all keys"),
        ]),
        Mode::Ask(ask) if ask.tier == Tier::Name => {
            own(&[("Enter", "does it, once it matches"), ("Esc", "no")])
        }
        Mode::Ask(_) => own(&[("y", "yes"), ("Esc", "no; Enter does nothing here")]),
        Mode::LogPrompt(_) | Mode::Plain => own(&[]),
        Mode::Palette(_) => own(&[
            ("Up Down", "choose"),
            ("Tab", "complete"),
            ("Enter", "do it (asks as the key does)"),
            ("Esc", "close"),
        ]),
    }
}
