//! What a process writes is text: on the screen, in the bytes sent to the terminal, and in what is left after leaving.

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::bytes::{Piece, count, is_ours, pieces};
use crate::tty::{
    COMMON, MEDIUM, Parrot, asks, is_live, live_dashboard, quit, select, selected, start_quiet,
    status,
};

/// Each with a word behind it that shows that it was drawn.
const ATTACKS: [(&[u8], &str); 21] = [
    (b"\x1b[2J\x1b[H", "clear-all"),
    (b"\x1b[3J", "clear-back"),
    (b"\x1b]0;owned\x07", "title-bel"),
    (b"\x1b]2;owned\x1b\\", "title-st"),
    (b"\x1b]52;c;b3duZWQ=\x07", "clipboard"),
    (b"\x1b]8;;http://owned/\x1b\\", "link"),
    (b"\x1b]10;?\x07\x1b[c\x1b[6n\x1b[>c\x1b[5n", "queries"),
    (b"\x1bPowned\x1b\\", "dcs"),
    (
        b"\x1b_owned\x1b\\\x1b^owned\x1b\\\x1bXowned\x1b\\",
        "apc-pm-sos",
    ),
    (b"\x9b2J\x9b1;1H\xc2\x9b2J", "c1-csi"),
    (b"\x9d0;owned\x9c", "c1-osc"),
    (b"\x1b[?1049l", "leave-screen"),
    (b"\x1b[?1000h\x1b[?1006h", "mouse"),
    (b"\x1b[?2004l\x1b[?25h", "modes"),
    (b"\x1bc", "full-reset"),
    (b"\x1b[5;1H\x1b[K\x1b[10A", "cursor"),
    (b"\x1b(0\x0e", "charset"),
    ("\u{202e}\u{2066}".as_bytes(), "right-to-left"),
    ("a\u{200b}b\u{feff}c\u{e0041}".as_bytes(), "zero-width"),
    (b"\x08\x08\x08\x0b\x0c\x07\x7f\x00", "controls"),
    (b"over\rwritten\rby ", "returns"),
];

/// A parrot selected on a live dashboard, and what the screen's edge looks like before it says anything.
fn listening(home: &Sandbox, size: (u16, u16)) -> (Parrot, Screen) {
    start_quiet(home, "alpha");
    let mut parrot = Parrot::start(home, "villain");
    let screen = live_dashboard(home, size, &["alpha", "villain"]);
    select(&screen, "villain");
    parrot.say(b"all quiet\n");
    screen.until(|text| text.contains("all quiet"));
    (parrot, screen)
}

#[track_caller]
fn assert_intact(screen: &Screen, clears: usize) {
    let text = screen.until(|text| {
        is_live(text)
            && status(text, "alpha") == Some("running")
            && status(text, "villain") == Some("running")
            && selected(text) == Some("villain")
    });
    assert!(
        text.lines()
            .next()
            .is_some_and(|line| line.contains("adasa")),
        "the header is gone:\n{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.contains("NAME") && line.contains("STATUS")),
        "no head of the table:\n{text}"
    );
    assert!(
        text.lines()
            .last()
            .is_some_and(|line| line.contains("help")),
        "the keys are gone:\n{text}"
    );
    assert!(
        screen.terminal(vt100::Screen::alternate_screen),
        "the screen was left"
    );
    assert!(
        screen.terminal(vt100::Screen::hide_cursor),
        "the cursor was shown"
    );
    assert!(
        screen.terminal(vt100::Screen::bracketed_paste),
        "bracketed paste was turned off"
    );
    let mouse = screen.terminal(vt100::Screen::mouse_protocol_mode);
    assert_eq!(
        mouse,
        vt100::MouseProtocolMode::None,
        "the mouse was captured"
    );
    assert_eq!(
        count(&screen.raw(), "\x1b[2J"),
        clears,
        "the screen was cleared"
    );
}

#[track_caller]
fn assert_only_ours(screen: &Screen) {
    let foreign: Vec<Piece> = pieces(&screen.raw())
        .into_iter()
        .filter(|piece| !is_ours(piece))
        .collect();
    assert_eq!(foreign, [], "not what a dashboard writes");
}

#[test]
fn check_28_control_sequences_in_a_log_are_shown_and_never_obeyed() {
    for size in [COMMON, MEDIUM] {
        let home = Sandbox::new();
        let (mut parrot, mut screen) = listening(&home, size);
        let clears = count(&screen.raw(), "\x1b[2J");
        for (bytes, word) in ATTACKS {
            parrot.say(bytes);
            parrot.say(format!(" {word}!\n").as_bytes());
            screen.until(|text| text.contains(&format!("{word}!")));
        }
        assert_intact(&screen, clears);
        quit(&mut screen);
        assert_only_ours(&screen);
    }
}

#[test]
fn an_unfinished_sequence_takes_nothing_with_it() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = listening(&home, COMMON);
    let clears = count(&screen.raw(), "\x1b[2J");
    for unfinished in [
        &b"\x1b]0;never ends"[..],
        b"\x1bPnever",
        b"\x1b[12;",
        b"\x1b",
        b"\xe2\x96",
        b"\x9d52;c;never",
    ] {
        parrot.say(unfinished);
        parrot.say(b"\nthe next line\n");
    }
    parrot.say(b"last of all\n");
    let text = screen.until(|text| text.contains("last of all"));
    assert!(
        text.contains("the next line"),
        "a sequence swallowed lines:\n{text}"
    );
    assert_intact(&screen, clears);
    quit(&mut screen);
    assert_only_ours(&screen);
}

#[test]
fn colours_of_a_log_do_not_bleed_into_the_next_line() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = listening(&home, COMMON);
    parrot.say(b"\x1b[41;7;4mpainted-line\nplain-line\n");
    let text = screen.until(|text| text.contains("plain-line"));
    let row = text
        .lines()
        .position(|line| line.contains("plain-line"))
        .expect("the line");
    let line = text.lines().nth(row).expect("the line");
    let column = line[..line.find("plain-line").expect("the word")]
        .chars()
        .count();
    let (row, column) = (
        u16::try_from(row).expect("a row"),
        u16::try_from(column).expect("a column"),
    );
    let cell = screen
        .terminal(|terminal| terminal.cell(row, column).cloned())
        .expect("a cell");
    assert_eq!(
        (cell.bgcolor(), cell.underline(), cell.inverse()),
        (vt100::Color::Default, false, false),
        "{text}"
    );
    quit(&mut screen);
    assert_only_ours(&screen);
}

#[test]
fn check_28_all_bytes_and_a_line_of_a_megabyte_leave_the_screen_whole() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = listening(&home, COMMON);
    let clears = count(&screen.raw(), "\x1b[2J");
    let every: Vec<u8> = (0..=255).collect();
    for byte in &every {
        parrot.say(&[b'<', *byte, b'>', b'\n']);
    }
    parrot.say(&every);
    parrot.say(&every.repeat(16));
    parrot.say(b"\nafter the bytes\n");
    screen.until(|text| text.contains("after the bytes"));
    assert_intact(&screen, clears);
    parrot.say(&b"long ".repeat(1024 * 1024 / 5));
    parrot.say(b"\nafter the long line\n");
    screen.until(|text| text.contains("after the long line"));
    assert_intact(&screen, clears);
    parrot.say(&"\u{301}".repeat(10_000).into_bytes());
    parrot.say("\n👨‍👩‍👧‍👦 🇩🇪 1️⃣ 漢字漢字 wide-end\n".as_bytes());
    screen.until(|text| text.contains("wide-end"));
    assert_intact(&screen, clears);
    quit(&mut screen);
    assert_only_ours(&screen);
}

#[test]
fn wide_characters_at_the_edge_do_not_break_the_rows() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = listening(&home, COMMON);
    let clears = count(&screen.raw(), "\x1b[2J");
    for blanks in 0..4 {
        parrot.say(" ".repeat(blanks).as_bytes());
        parrot.say("漢字".repeat(60).as_bytes());
        parrot.say(b"\n");
    }
    parrot.say(b"narrow again\n");
    let text = screen.until(|text| text.contains("narrow again"));
    assert!(text.contains('漢'), "wide text is shown:\n{text}");
    assert_intact(&screen, clears);
    quit(&mut screen);
    assert_only_ours(&screen);
}

#[test]
fn check_29_hostile_text_in_an_argument_or_a_folder_never_reaches_the_terminal() {
    let home = Sandbox::new();
    let attack = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}";
    let folder = home.path(&format!("in{attack}"));
    std::fs::create_dir(&folder).expect("a folder with a bad name");
    let cwd = folder.to_str().expect("text");
    let args = [
        "start",
        "sh",
        "--name",
        "bad-words",
        "--cwd",
        cwd,
        "--",
        "-c",
        "exec sleep 100000",
        attack,
    ];
    crate::tty::done(&home, &args);
    let mut screen = live_dashboard(&home, (200, 60), &["bad-words"]);
    select(&screen, "bad-words");
    // What a key shows, and Esc takes away again; the numbers of the screen change by themselves.
    let shown = |text: &str, key: &str| match key {
        "x" => asks(text, "stop", "bad-words"),
        "D" => asks(text, "delete", "bad-words"),
        _ => text.contains("keep running"),
    };
    for key in ["x", "D", "?"] {
        screen.keys(key);
        screen.until(|text| shown(text, key));
        screen.keys("\x1b");
        screen.until(|text| is_live(text) && !shown(text, key));
    }
    quit(&mut screen);
    assert_only_ours(&screen);
}
