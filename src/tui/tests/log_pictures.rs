//! Pictures of the log view in every state, at every size.

use crate::api::{Asker, Follows, Reason, Status, What};
use crate::domain::exit::{Ending, Exit, Signal};
use crate::domain::names::RunId;
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::theme::{Glyphs, Theme};

use super::desk::Desk;
use super::library::{Library, Reading};
use super::pictures::{SIZES, compare, compare_plain, letter};

/// An app with three instances on a bad day.
fn bad_day() -> Library {
    let mut library = Library::default();
    for n in 0..400_u32 {
        let id = 1 + n % 3;
        let name = format!("api-{}", n % 3);
        let run = if id == 3 && n > 380 { 4 } else { 3 };
        let (stream, text) = match n % 11 {
            3 => (
                Err,
                "WARN  pool exhausted: waited 1502ms (max=20)".to_owned(),
            ),
            7 => (
                Err,
                format!("ERROR upstream ledger: deadline exceeded {{trace=8f{n:x}, after=1500ms}}"),
            ),
            9 => (
                Out,
                format!(
                    r#"{{"level":"info","msg":"POST /v1/orders 201","ms":{n},"items":[{{"sku":1}}]}}"#
                ),
            ),
            _ => (Out, format!("GET /v1/orders/{} 200 {}ms", 8800 + n, n % 40)),
        };
        library.write(id, &name, stream, run, &text);
    }
    for (stream, text) in [
        (Out, "progress \x1b[2K\x1b[1G 41%\x07"),
        (
            Err,
            "\x1b[31mError\x1b[0m: \x1b[1mECONNREFUSED\x1b[0m \x1b]52;c;aGk=\x07",
        ),
        (Out, "abc\u{202e}dcba \u{4f60}\u{597d} e\u{301}"),
    ] {
        library.write(2, "api-1", stream, 3, text);
    }
    let last = library.lines.len() - 2;
    library.lines[last].gap = 2310;
    library
}

/// One of three ends, waits, begins again and uses too much; of the others nothing is said.
fn crashing() -> Library {
    let mut library = bad_day();
    let end = |run, ending| What::Exit {
        run: RunId(run),
        exit: Exit {
            ending,
            at_ms: 0,
            cpu_ms: 0,
            peak_rss: 0,
        },
        lasted_ms: 9_420_000,
        reason: Reason::Itself,
    };
    let status = |to, follows| What::Status {
        from: Status::Running,
        to,
        because: String::new(),
        follows,
    };
    for run in 4..7 {
        library.write(3, "api-2", Err, run, "panic: slice bounds out of range");
        let ending = match run {
            5 => Ending::Signal {
                signal: Signal::KILL,
                core: false,
            },
            _ => Ending::Code(2),
        };
        library.happen(3, "api-2", end(run, ending));
        let again = Follows::Attempt {
            restart: u32::try_from(run).unwrap(),
            in_ms: 8_000,
        };
        library.happen(3, "api-2", status(Status::Backoff, Some(again)));
        library.write(1, "api-0", Out, 3, "GET /healthz 200 0ms");
        let begun = Follows::Run {
            run: RunId(run + 1),
            by: Some(Asker::Policy),
        };
        library.happen(3, "api-2", status(Status::Running, Some(begun)));
        library.write(3, "api-2", Out, run + 1, "listening on :8003");
    }
    let limit = What::Limit {
        memory: 300_000_000,
        allowed: 256_000_000,
    };
    library.happen(3, "api-2", limit);
    let text = "SIGHUP by ops \u{1b}[2J".to_owned();
    library.happen(3, "api-2", What::Note { text });
    library
}

fn following() -> Reading {
    let mut desk = Desk::new();
    desk.select(1);
    desk.press("k");
    desk.wait(60_000);
    Reading::open(desk, bad_day())
}

fn scenes() -> Vec<(&'static str, Reading)> {
    let mut all = vec![("log_view", following())];
    let mut add = |name, it| all.push((name, it));

    let mut it = following();
    it.prompt("/", "pool exhausted");
    it.prompt("H", "ledger");
    it.press("m k k k k");
    add("log_paused", it.clone());
    it.press("N v k k");
    add("log_selecting", it);

    let mut it = following();
    it.press("k k k Enter");
    for _ in 0..11 {
        if !it.screen().contains("  msg ") {
            it.press("k");
        }
    }
    assert!(it.screen().contains("  msg "), "{}", it.screen());
    add("log_whole", it);

    let mut it = following();
    it.press("w t");
    add("log_wrapped", it);

    let mut desk = Desk::new();
    desk.select(1);
    desk.press("k");
    desk.wait(60_000);
    let mut it = Reading::open(desk, crashing());
    add("log_said", it.clone());
    it.press("o o k k v k");
    add("log_said_selecting", it);

    let mut it = following();
    it.prompt("&", "ledger|pool");
    it.press("L t t");
    it.prompt("p", "api-1");
    it.prompt("T", "12:05:10");
    add("log_panes", it.clone());
    it.press("\\");
    add("log_side_by_side", it);

    let mut it = following();
    it.press("/");
    it.desk.type_text("(pool");
    it.press("Enter");
    add("log_prompt", it);

    let mut desk = Desk::new();
    desk.select(9);
    add("log_empty", Reading::open(desk, Library::default()));

    let mut it = following();
    it.prompt("&", "nobody says this");
    add("log_nothing_passes", it);
    all
}

#[test]
fn every_state_of_the_log_view_at_every_size() {
    for (name, mut it) in scenes() {
        for (width, height) in SIZES {
            it.desk.resize(width, height);
            it.serve();
            let frame = it.desk.frame();
            compare(&format!("{name}_{width}x{height}"), &frame, letter);
            compare_plain(name, &mut it.desk);
        }
    }
}

#[test]
fn the_log_view_in_ascii_and_without_colours() {
    for (name, mut it) in scenes() {
        for (width, height) in SIZES {
            it.desk.resize(width, height);
            it.serve();
            it.desk.model.glyphs = Glyphs::ASCII;
            let screen = it.screen();
            let bad = screen.chars().find(|c| !matches!(c, ' '..='~' | '\n'));
            assert_eq!(bad, None, "{name} at {width}x{height}:\n{screen}");
            it.desk.model.glyphs = Glyphs::UNICODE;
            it.desk.model.theme = Theme::Mono;
            for cell in &it.desk.frame().content {
                let none = ratatui::style::Color::Reset;
                assert_eq!((cell.fg, cell.bg), (none, none), "{name}");
            }
            it.desk.model.theme = Theme::Roles;
        }
    }
}

/// No size, and no key at any size, panics; nothing is drawn outside.
#[test]
fn the_log_view_draws_at_every_size() {
    for (name, mut it) in scenes() {
        let step = if name == "log_panes" { 1 } else { 6 };
        for width in (0..=60).step_by(step) {
            for height in (0..=20).step_by(2) {
                it.desk.resize(width, height);
                drop(it.desk.frame());
            }
        }
        for (width, height) in [(0, 0), (1, 1), (40, 10), (59, 13), (60, 14), (500, 200)] {
            it.desk.resize(width, height);
            it.press("k PgUp g j ^D G w l $ 0 h w v j v o L t E N ] \\ Enter Enter f f Tab");
            for row in it.screen().lines() {
                assert!(!row.chars().any(char::is_control), "{name}: {row:?}");
                let cells = unicode_width::UnicodeWidthStr::width(row);
                assert!(cells <= usize::from(width), "{name}: {cells} in {row:?}");
            }
        }
    }
}
