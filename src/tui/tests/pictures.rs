//! Pictures of the screen in `tests/golden/tui`: the text, then one letter per cell for what it means.
//! `ADASA_BLESS=1` draws them anew; look at what changed.

use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::api::{Act, Progress, Push, Status, Verb};
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::link::Alive;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::theme::{Glyphs, Role, Theme};

use super::desk::{Desk, answer, everything, instance, line, snapshot, text_of};

pub(super) const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

/// The letter of a cell: its role; `,` for what a process wrote, in whatever colour.
pub(super) fn letter(cell: &Cell) -> char {
    let role = Role::ALL
        .iter()
        .find(|(role, _)| Theme::mark(*role) == cell.fg);
    match role {
        Some((Role::Text, _)) if cell.symbol() == " " => ' ',
        Some((_, letter)) => *letter,
        None if cell.symbol() == " " => ' ',
        None => ',',
    }
}

/// The letter of a cell without colours: bold, reversed, both, underlined.
pub(super) fn mono(cell: &Cell) -> char {
    let has = |modifier| cell.modifier.contains(modifier);
    match (has(Modifier::BOLD), has(Modifier::REVERSED)) {
        (true, true) => 'Q',
        (true, false) => 'b',
        (false, true) => 'R',
        (false, false) if has(Modifier::UNDERLINED) => 'u',
        (false, false) if cell.symbol() == " " => ' ',
        (false, false) => '.',
    }
}

fn letters(buffer: &Buffer, of: fn(&Cell) -> char) -> String {
    let mut grid = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width)) {
        let line: String = row.iter().map(of).collect();
        grid.push_str(line.trim_end());
        grid.push('\n');
    }
    grid
}

#[track_caller]
pub(super) fn compare(name: &str, buffer: &Buffer, of: fn(&Cell) -> char) {
    keep(
        name,
        &format!("{}\n{}", text_of(buffer), letters(buffer, of)),
    );
}

/// The sizes of the design, each also in characters that every terminal has and without colours: of the one the text, of
/// the other what stands out. All else is as in the picture in colours.
#[track_caller]
pub(super) fn compare_plain(name: &str, desk: &mut Desk) {
    let (width, height) = desk.model.size;
    if !SIZES
        .get(..3)
        .is_some_and(|sizes| sizes.contains(&(width, height)))
    {
        return;
    }
    let (glyphs, theme) = (desk.model.glyphs, desk.model.theme);
    desk.model.glyphs = Glyphs::ASCII;
    keep(
        &format!("{name}_{width}x{height}_ascii"),
        &text_of(&desk.frame()),
    );
    desk.model.glyphs = glyphs;
    desk.model.theme = Theme::Mono;
    let grid = letters(&desk.frame(), mono);
    keep(&format!("{name}_{width}x{height}_mono"), &grid);
    desk.model.theme = theme;
}

#[track_caller]
fn keep(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/tui")
        .join(format!("{name}.txt"));
    if std::env::var_os("ADASA_BLESS").is_some() {
        std::fs::write(&path, picture).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == picture,
        "{name} is another picture than before; ADASA_BLESS=1 takes it over. Expected:\n{golden}\nGot:\n{picture}"
    );
}

/// What a process may write: colours, an erased screen, a title, another direction, bytes that are no text.
fn hostile() -> Vec<crate::api::LogLine> {
    let mut binary = line(8, "api-0", Out, "");
    binary.set_bytes(b"caf\xe9 \xff ends");
    let mut behind = line(9, "api-0", Out, "the last one");
    behind.gap = 1204;
    vec![
        line(0, "api-0", Out, "listening on :8001"),
        line(
            1,
            "api-0",
            Err,
            "\x1b[31mERROR\x1b[0m upstream \x1b[1mledger\x1b[0m",
        ),
        line(2, "api-0", Out, "\x1b[2J\x1b[Herased? \x1b]0;owned\x07 no"),
        line(3, "api-0", Out, "\x1b]52;c;aGk=\x07clip\tboard\rback"),
        line(4, "api-0", Err, "abc\u{202e}dcba\u{202c} turned"),
        line(
            5,
            "api-0",
            Out,
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} e\u{301}\u{301}\u{301} \u{1f1e9}\u{1f1ea} \u{4f60}\u{597d}",
        ),
        line(6, "api-0", Out, &"wide \u{4e16}\u{754c}".repeat(40)),
        line(7, "api-0", Err, ""),
        binary,
        behind,
    ]
}

fn mixed(from: u64) -> Vec<crate::api::LogLine> {
    vec![
        line(from, "api-0", Out, "GET /v1/orders/8812 200 14ms"),
        line(from + 1, "api-2", Out, "GET /v1/orders/8813 200 11ms"),
        line(
            from + 2,
            "mailer",
            Err,
            "Error: connect ECONNREFUSED 127.0.0.1:2525",
        ),
        line(from + 3, &"long-name-".repeat(6), Out, "its name is cut"),
    ]
}

/// The screen as it mostly is: web folded, api-1 selected, hostile logs.
fn main_screen() -> Desk {
    let mut desk = Desk::new();
    desk.select(10);
    desk.press("h");
    desk.select(2);
    desk.wait(200);
    desk.logs(hostile());
    desk
}

fn conditions() -> Vec<(&'static str, Desk)> {
    let mut all = vec![("main", main_screen()), ("connecting", Desk::alone())];
    let mut add = |name, desk| all.push((name, desk));

    add("first_start", Desk::with(vec![]));
    let mut config = Desk::with(vec![]);
    config.model.machine.config = true;
    add("first_start_config", config);

    let many = (1..=60)
        .map(|n| instance(n, &format!("job-{n:03}"), (0, 1), Status::Running))
        .collect();
    let mut desk = Desk::with(many);
    desk.press("PgDn PgDn j j");
    add("scrolled", desk);

    let mut desk = main_screen();
    desk.press("/");
    desk.type_text("status:err");
    add("filtering", desk.clone());
    desk.press("Enter");
    add("filtered", desk);

    let mut desk = main_screen();
    desk.press("/");
    desk.type_text("nobody");
    add("nothing_matches", desk);

    let mut desk = main_screen();
    desk.press("/");
    desk.type_text("api cpu>many");
    add("wrong_filter", desk);

    let mut desk = main_screen();
    desk.press("x");
    add("question", desk);

    let mut desk = main_screen();
    desk.press("k k x");
    add("question_box", desk);

    let mut desk = main_screen();
    desk.press("X");
    add("kill_box", desk);

    let mut desk = main_screen();
    desk.select(4);
    desk.press("D");
    desk.type_text("bil");
    add("delete", desk.clone());
    desk.type_text("ling");
    add("delete_typed", desk);

    let mut desk = main_screen();
    desk.press("?");
    add("help", desk.clone());
    let mut found = desk.clone();
    desk.press("PgDn");
    add("help_scrolled", desk);
    found.press("/");
    found.type_text("copy");
    add("help_found", found);

    let mut desk = main_screen();
    desk.lose();
    desk.wait(7000);
    desk.lose();
    desk.send(Msg::Alive(Alive {
        alive: 9,
        of: 10,
        daemon: Some(false),
    }));
    add("lost", desk.clone());
    desk.press("Esc");
    add("lost_hidden", desk.clone());
    desk.press("x");
    add("lost_refuses", desk.clone());
    desk.press("Esc");
    desk.push(Push::Snapshot(Box::new(snapshot(everything()))));
    add("reconnected", desk);

    let mut desk = main_screen();
    desk.press("x");
    desk.seen();
    desk.press("y");
    add("requested", desk.clone());
    let mut unheard = desk.clone();
    unheard.wait(12_000);
    add("unanswered", unheard);
    let reason = "its pid 48002 changed: it was restarted by someone else meanwhile".to_owned();
    desk.send(Msg::Answered {
        ids: vec![InstanceId(2)],
        result: Ok(answer(Verb::Stop, 2, "api-1", Progress::Failed { reason })),
    });
    add("failed", desk);

    let mut desk = main_screen();
    desk.press("Tab k k");
    desk.logs(mixed(20));
    add("paused", desk);

    let mut desk = Desk::new();
    desk.wait(200);
    desk.logs(mixed(0));
    add("mixed", desk);

    let mut desk = Desk::new();
    desk.wait(200);
    desk.logs(
        (0..6)
            .map(|n| {
                let before = "x".repeat(55 + usize::try_from(n).unwrap());
                line(n, "api-0", Out, &format!("{before}\u{4e16}\u{754c}|"))
            })
            .collect(),
    );
    add("wide_edge", desk);

    let mut desk = main_screen();
    desk.press("l z");
    add("zoomed_logs", desk);
    all
}

#[test]
fn check_01_the_main_screen_at_every_size() {
    for (width, height) in SIZES {
        let mut desk = main_screen();
        desk.resize(width, height);
        compare(&format!("main_{width}x{height}"), &desk.frame(), letter);
        desk.model.glyphs = Glyphs::ASCII;
        compare(
            &format!("main_{width}x{height}_ascii"),
            &desk.frame(),
            letter,
        );
        desk.model.glyphs = Glyphs::UNICODE;
        desk.model.theme = Theme::Mono;
        compare(&format!("main_{width}x{height}_mono"), &desk.frame(), mono);
    }
}

#[test]
fn check_01_every_condition_at_every_size() {
    for (name, mut desk) in conditions() {
        for (width, height) in SIZES {
            desk.resize(width, height);
            compare(&format!("{name}_{width}x{height}"), &desk.frame(), letter);
            // The main screen has fuller pictures of its own.
            if name != "main" {
                compare_plain(name, &mut desk);
            }
        }
    }
}

#[test]
fn check_01_every_screen_at_every_size() {
    for (name, mut desk) in super::scenes::all() {
        for (width, height) in SIZES {
            desk.resize(width, height);
            compare(&format!("{name}_{width}x{height}"), &desk.frame(), letter);
            compare_plain(name, &mut desk);
        }
    }
}

#[test]
fn check_01_ascii_is_ascii_whatever_is_shown() {
    for (name, mut desk) in conditions().into_iter().chain(super::scenes::all()) {
        desk.model.glyphs = Glyphs::ASCII;
        for (width, height) in SIZES {
            desk.resize(width, height);
            let screen = desk.screen();
            let bad = screen.chars().find(|c| !matches!(c, ' '..='~' | '\n'));
            assert_eq!(bad, None, "{name} at {width}x{height}:\n{screen}");
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    for (name, mut desk) in conditions() {
        desk.model.theme = Theme::Mono;
        for (width, height) in SIZES {
            desk.resize(width, height);
            for cell in &desk.frame().content {
                let colours = (cell.fg, cell.bg);
                assert_eq!(colours, (Color::Reset, Color::Reset), "{name}");
            }
        }
    }
}

/// Bright black is invisible on some screens, white on others.
#[test]
fn check_34_no_text_is_in_a_colour_of_the_background() {
    for (name, mut desk) in conditions() {
        desk.model.theme = Theme::Terminal;
        desk.resize(120, 40);
        for cell in &desk.frame().content {
            assert!(
                !matches!(
                    cell.fg,
                    Color::Black | Color::Gray | Color::DarkGray | Color::White
                ),
                "{name}: {cell:?}"
            );
        }
    }
}

/// A grey picture still tells all statuses apart.
#[test]
fn check_13_every_status_has_its_sign_and_word_on_the_screen() {
    for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
        let mut desk = Desk::new();
        desk.model.glyphs = glyphs;
        desk.model.theme = Theme::Mono;
        desk.resize(120, 60);
        let orphan = super::desk::instance(99, "orphan", (0, 1), Status::Orphaned);
        desk.push(Push::Instance {
            instance: Box::new(orphan),
        });
        let screen = desk.screen();
        for status in Status::ALL {
            let pair = format!("{} {}", glyphs.sign(status), status.word());
            assert!(screen.contains(&pair), "{pair} in\n{screen}");
        }
    }
}

/// What is wrong is counted on every screen that counts at all.
#[test]
fn failures_are_counted_in_the_smallest_header() {
    for width in [40, 50, 59, 60, 80] {
        let mut desk = main_screen();
        desk.resize(width, 12);
        let screen = desk.screen();
        let header = screen.lines().next().unwrap().to_owned();
        assert!(header.contains("7 running \u{b7} 2 errored"), "{header}");
    }
}

/// No byte of a process reaches the screen as a command to it.
#[test]
fn every_cell_is_one_harmless_character() {
    for (name, mut desk) in conditions() {
        for (width, height) in SIZES {
            desk.resize(width, height);
            for row in desk.screen().lines() {
                assert!(!row.chars().any(char::is_control), "{name}: {row:?}");
                let cells = unicode_width::UnicodeWidthStr::width(row);
                assert!(cells <= usize::from(width), "{name}: {cells} in {row:?}");
            }
        }
    }
}

/// The question names what is called.
#[test]
fn the_question_and_the_call_are_of_the_same() {
    let mut desk = main_screen();
    desk.press("x");
    assert!(desk.screen().contains(" stop api-1 (pid 48002"));
    desk.seen();
    desk.press("y");
    let calls: Vec<&Act> = desk
        .wanted
        .iter()
        .filter_map(|command| match command {
            Cmd::Call { act, .. } => Some(act),
            _ => None,
        })
        .collect();
    let [act] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert_eq!(act.verb, Verb::Stop);
    assert_eq!(act.select, vec!["2".parse().unwrap()]);
    assert_eq!(act.only_run.map(|run| run.0), Some(3));
}
