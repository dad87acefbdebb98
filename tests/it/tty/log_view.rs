//! Logs on the whole screen: reading back, finding, taking along, and what a process writes in it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::bytes::{Piece, is_ours, pieces};
use crate::tty::{
    COMMON, MEDIUM, Parrot, WIDE, at_the_terminal, footer, is_live, quit, select, status,
};

/// The log view of what is selected.
fn open(screen: &Screen, name: &str) {
    screen.keys("l");
    screen.until(|text| footer(text).contains("l read"));
    screen.keys("l");
    screen.until(|text| text.contains(&format!("{name} \u{b7} all")) && text.contains("FOLLOW"));
}

/// The view of a parrot that has said so many lines.
fn reading(home: &Sandbox, lines: u32, env: &[(&str, String)]) -> (Parrot, Screen) {
    let mut parrot = Parrot::start(home, "parrot");
    parrot.say_lines("tick", 1..=lines);
    let last = format!("tick {lines:04}");
    home.until_file("home/logs/default/parrot/0.out.log", |text| {
        text.contains(&last)
    });
    let mut command = at_the_terminal(home, &["tui"]);
    command.envs(env.iter().map(|(name, value)| (*name, value.as_str())));
    let screen = Screen::open(command, COMMON);
    screen.until(|text| is_live(text) && status(text, "parrot") == Some("running"));
    select(&screen, "parrot");
    screen.until(|text| text.contains(&last));
    open(&screen, "parrot");
    screen.until(|text| text.contains(&last));
    (parrot, screen)
}

/// Types into the prompt that a key opens. The text comes as one piece, which only a prompt takes; Enter for itself.
fn prompt(screen: &Screen, key: &str, lead: &str, text: &str) {
    screen.keys(key);
    screen.until(|screen| footer(screen).contains(lead));
    fill(screen, text);
}

fn fill(screen: &Screen, text: &str) {
    screen.keys("\x15");
    screen.until(|screen| !footer(screen).contains(".log"));
    screen.keys(text);
    let skip = text.chars().count().saturating_sub(8);
    let end: String = text.chars().skip(skip).collect();
    screen.until(|screen| footer(screen).contains(&end));
    screen.keys("\r");
}

fn leave(screen: &mut Screen) {
    screen.keys("q");
    screen.until(|text| text.contains("NAME") && text.contains("STATUS"));
    quit(screen);
}

fn foreign(screen: &Screen) -> Vec<Piece> {
    pieces(&screen.raw())
        .into_iter()
        .filter(|piece| !is_ours(piece))
        .collect()
}

#[test]
fn the_whole_log_is_read_back_to_its_first_line_and_followed_again() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = reading(&home, 3000, &[]);
    screen.keys("g");
    screen.until(|text| text.contains("tick 0001") && text.contains("PAUSED"));
    screen.keys("  ");
    screen.until(|text| !text.contains("tick 0001") && text.contains("tick 0045"));
    parrot.say_lines("tick", 3001..=3020);
    let text = screen.until(|text| text.contains("+20 new"));
    assert!(text.contains("tick 0045"), "the page moved:\n{text}");
    screen.keys("G");
    screen.until(|text| text.contains("FOLLOW") && text.contains("tick 3020"));
    leave(&mut screen);
}

#[test]
fn a_search_finds_what_is_far_back_and_a_filter_keeps_what_matches() {
    let home = Sandbox::new();
    let (_parrot, mut screen) = reading(&home, 3000, &[]);
    prompt(&screen, "/", "a regular", "tick 0[12]50");
    screen.until(|text| text.contains("tick 0250") && text.contains("2/2"));
    screen.keys("N");
    screen.until(|text| text.contains("tick 0150") && text.contains("1/2"));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("1/2"));
    screen.keys("G");
    prompt(&screen, "&", "keeps lines", "00$");
    screen.until(|text| {
        text.contains("tick 1200") && text.contains("tick 3000") && !text.contains("tick 2999")
    });
    prompt(&screen, "&", "keeps lines", "(");
    screen.until(|text| text.contains("unclosed group"));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("unclosed group"));
    leave(&mut screen);
}

/// Acceptance check 35, where the terminal is asked.
#[test]
fn check_35_y_sends_the_line_to_the_terminal_and_says_that_nobody_confirms_it() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = reading(&home, 20, &[]);
    parrot.say(b"\x1b[31mred\x1b[0m \x1b]52;c;b3duZWQ=\x07end\n");
    screen.until(|text| text.contains("red ") && text.contains("end"));
    screen.keys("y");
    screen.until(|text| text.contains("sent 7 characters to the terminal"));
    let sent = format!("52;c;{}", STANDARD.encode("red end"));
    assert_eq!(foreign(&screen), [Piece::Text7(']', sent)]);
    leave(&mut screen);
}

/// Acceptance check 35, in tmux: a stand-in writes down what it is given.
#[test]
fn check_35_in_tmux_the_text_goes_into_its_buffer() {
    let home = Sandbox::new();
    let folder = home.path("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    let taken = home.path("taken");
    let body = format!(
        "#!/bin/sh\necho \"$*\" > '{0}.args'\ncat > '{0}.part'\nmv '{0}.part' '{0}'\n",
        taken.display()
    );
    home.file_mode("bin/tmux", body, 0o755);
    let path = std::env::var("PATH").unwrap_or_default();
    let env = [
        ("TMUX", "/nowhere/default,1,0".to_owned()),
        ("PATH", format!("{}:{path}", folder.display())),
    ];
    let (_parrot, mut screen) = reading(&home, 20, &env);
    screen.keys("vk");
    screen.until(|text| text.contains("SELECT 2"));
    screen.keys("y");
    screen.until(|text| text.contains("in the buffer of tmux"));
    assert_eq!(home.read("taken"), "tick 0019\ntick 0020");
    assert_eq!(home.read("taken.args").trim(), "load-buffer -w -");
    leave(&mut screen);
}

/// Acceptance checks 28 and 29, as far as they are about logs: on the screen, on the plain one and in a saved text.
#[test]
fn check_28_what_a_process_writes_commands_nothing_in_the_view_on_the_plain_screen_and_in_a_saved_text()
 {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = reading(&home, 5, &[]);
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    parrot.say(&all);
    parrot.say(b"\n\x1b[2J\x1b[H\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1bPx\x1b\\\x1b[?1049l");
    parrot.say(b"\x1b[?1000h\x1bc\x1b[6n\n");
    parrot.say("\u{202e}abc \u{1f468}\u{200d}\u{1f469} \u{1f1e9}\u{1f1ea} e".as_bytes());
    parrot.say("\u{301}".repeat(10_000).as_bytes());
    parrot.say(b"\n\x1b]0;never ends\n");
    parrot.say(&[b'x'; 100_000]);
    parrot.say(b"\nthe last of all\n");
    screen.until(|text| text.contains("the last of all"));
    screen.keys("w");
    screen.until(|text| text.contains("\u{b7} wrap"));
    screen.keys("w");
    screen.until(|text| !text.contains("\u{b7} wrap"));
    screen.keys("G");
    screen.until(|text| text.contains("FOLLOW") && text.contains("the last of all"));
    let save = home.path("saved.txt");
    prompt(&screen, "W", "save as", &save.display().to_string());
    screen.until(|text| text.contains("saved 11 lines"));
    let saved = std::fs::read(&save).expect("the saved text");
    let wrong = saved
        .iter()
        .find(|byte| **byte < 0x20 && **byte != b'\n' || **byte == 0x7f);
    assert_eq!(wrong, None, "a control in a saved text");
    let raw = home.path("saved.raw");
    screen.keys("W");
    screen.until(|text| footer(text).contains("save as"));
    screen.keys("\t");
    screen.until(|text| footer(text).contains("save raw bytes to"));
    fill(&screen, &raw.display().to_string());
    let written = home.path("home/logs/default/parrot/0.out.log");
    screen.until(|_| std::fs::read(&raw).ok() == std::fs::read(&written).ok());
    screen.keys("C");
    screen.until(|text| text.contains("any key returns"));
    assert!(!screen.terminal(vt100::Screen::alternate_screen));
    screen.keys("x");
    screen.until(|text| text.contains("parrot \u{b7} all") && is_live(text));
    assert!(screen.terminal(vt100::Screen::alternate_screen));
    let mouse = screen.terminal(vt100::Screen::mouse_protocol_mode);
    assert_eq!(mouse, vt100::MouseProtocolMode::None);
    leave(&mut screen);
    assert_eq!(foreign(&screen), [], "not what a dashboard writes");
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let home = Sandbox::new();
    let (_parrot, mut screen) = reading(&home, 5, &[]);
    let file = home.file("mine.log", "mine");
    prompt(&screen, "W", "save as", &file.display().to_string());
    screen.until(|text| text.contains("is there already"));
    assert_eq!(home.read("mine.log"), "mine");
    leave(&mut screen);
}

/// Acceptance check 31, without its clock: in a flood keys are answered, and pausing holds the page.
#[test]
fn check_31_in_a_flood_a_page_stands_still_and_keys_are_answered() {
    let home = Sandbox::new();
    let script = "exec awk 'BEGIN { while (1) print \"flood \" ++i \" of many lines\" }'";
    let args = ["start", "sh", "--name", "flood", "--", "-c", script];
    crate::tty::done(&home, &args);
    let mut screen = crate::tty::live_dashboard(&home, MEDIUM, &["flood"]);
    select(&screen, "flood");
    open(&screen, "flood");
    screen.until(|text| text.contains("of many lines"));
    screen.keys("k");
    let page = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("of many"));
        lines.map(str::to_owned).collect()
    };
    let before = screen.until(|text| text.contains("PAUSED"));
    // What is seen stays where it is; below it there may be room for more.
    let moved = screen.seen_within(Duration::from_millis(700), |text| {
        !page(text).starts_with(&page(&before))
    });
    assert!(moved.is_err(), "{before}\nmoved:\n{}", screen.text());
    screen.until(|text| !text.contains("+0 new"));
    screen.keys("G");
    screen.until(|text| text.contains("FOLLOW"));
    leave(&mut screen);
    crate::tty::done(&home, &["delete", "flood"]);
}

#[test]
fn check_29_the_pager_has_the_terminal_gets_harmless_text_and_gives_it_back() {
    let home = Sandbox::new();
    let paged = home.path("paged");
    // It writes, as pagers do, on the terminal, and waits for a key there.
    let script = format!(
        "cat >'{0}.part' && mv '{0}.part' '{0}' && echo the pager has it && read answer </dev/tty && echo \"$answer\" >'{0}.answer'",
        paged.display()
    );
    let env = [("PAGER", script)];
    let (mut parrot, mut screen) = reading(&home, 40, &env);
    parrot.say(b"\x1b[2J\x1b]0;owned\x07 hostile\n");
    screen.until(|text| text.contains("hostile"));
    screen.keys("|");
    screen.until(|text| text.contains("the pager has it"));
    let text = std::fs::read_to_string(&paged).expect("what the pager got");
    let (first, rest) = text.split_once('\n').expect("lines");
    assert!(
        first.starts_with("--- adasa: parrot: run 1 begins (start by "),
        "{text}"
    );
    assert!(rest.starts_with("tick 0001\n"), "{text}");
    assert!(text.contains("hostile"), "{text}");
    assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
    // Keys are the pager's now: q does not leave the view below.
    screen.keys("q for the pager\n");
    screen.until(|text| text.contains("FOLLOW") && text.contains("tick 0040"));
    let answer = std::fs::read_to_string(home.path("paged.answer")).expect("what was typed");
    assert_eq!(answer, "q for the pager\n");
    screen.keys("k");
    screen.until(|text| text.contains("PAUSED"));
    leave(&mut screen);
}

#[test]
fn a_large_screen_has_a_histogram_to_go_along_and_enter_tells_where_a_line_is() {
    let home = Sandbox::new();
    let (_parrot, mut screen) = reading(&home, 40, &[]);
    screen.resize(WIDE);
    screen.until(|text| text.contains("one column = 2s") && text.contains(" errors  "));
    screen.keys("\x1b[D");
    screen.until(|text| text.contains("PAUSED"));
    screen.keys("\r");
    screen.until(|text| text.contains("process parrot run 1   said by adasa"));
    screen.keys("j");
    screen.until(|text| text.contains("cursor 1:out:0") && text.contains("similar in the minute"));
    screen.keys("\r");
    screen.until(|text| !text.contains("cursor 1:out:"));
    screen.keys("\x1b[C");
    screen.until(|text| text.contains("FOLLOW"));
    leave(&mut screen);
}
