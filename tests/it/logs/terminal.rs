//! Output is text, not commands: what a process wrote moves no cursor and sets no clipboard of whoever reads it.

use std::fs;

use super::follow::when;
use super::log_of;
use crate::child;
use crate::sandbox::Sandbox;
use crate::screen::Screen;

/// What a hostile program writes, between `before` and `after`.
const HOSTILE: &[u8] = b"before \x1b]52;c;aGFja2Vk\x07 \x1b]0;title\x1b\\ \x1bPq#0\x1b\\ \x1b_apc\x1b\\ \x1b^pm\x1b\\ \x1b[2J\x1b[H\x1b[6n\x1b[?1049h \
    \xc2\x9b2J \xc2\x9d0;c1\xc2\x9c \x9b5n \x9d0;raw\x9c \x07\x08\x0e\r \x1bc after\n";

/// Every control that reached the terminal and is neither a line's end, a tab nor a colour.
fn controls(raw: &[u8]) -> Vec<String> {
    let colour = regex::bytes::Regex::new(r"(?-u)\x1b\[[0-9;:]*m|\r\n|\n|\t").unwrap();
    let rest = colour.replace_all(raw, &b""[..]).into_owned();
    let text = String::from_utf8_lossy(&rest).into_owned();
    text.chars()
        .filter(|c| c.is_control())
        .map(|c| format!("{c:?}"))
        .collect()
}

#[test]
fn on_a_terminal_output_is_text_and_not_commands() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("hostile.bin", HOSTILE);
    let body = format!("cat '{}'; exec sleep 1000", file.display());
    let script = sandbox.script("hostile", &body);
    sandbox
        .run(&["start", &script, "--name", "hostile"])
        .success();
    sandbox
        .run(&["start", &script, "--name", "second"])
        .success();
    for name in ["hostile", "second"] {
        let log = log_of(&sandbox, name, "out");
        when(
            log.parent().unwrap(),
            "the hostile line in the file",
            || match fs::read(&log) {
                Ok(bytes) if bytes == HOSTILE => Ok(()),
                other => Err(format!("{other:?}")),
            },
        );
    }
    for args in [
        &["logs", "hostile"][..],
        &["logs", "all", "--timestamps"],
        &["logs", "hostile", "--json"],
    ] {
        let mut command = sandbox.command();
        command.args(args).env("TERM", "xterm-256color");
        let mut screen = Screen::open(command, (200, 30));
        assert!(screen.wait_exit().success(), "{args:?}");
        let raw = screen.raw();
        let text = String::from_utf8_lossy(&raw).into_owned();
        assert!(
            text.contains("before") && text.contains("after"),
            "{args:?} shows {text:?}"
        );
        assert_eq!(
            controls(&raw),
            Vec::<String>::new(),
            "{args:?} lets through: {text:?}"
        );
    }
    let mut command = sandbox.command();
    command
        .args(["logs", "-f", "hostile"])
        .env("TERM", "xterm-256color");
    let screen = Screen::open(command, (200, 30));
    screen.until_raw(|raw| raw.windows(5).any(|w| w == b"after"));
    assert_eq!(controls(&screen.raw()), Vec::<String>::new());
    let piped = sandbox.run(&["logs", "hostile"]).success();
    assert!(
        piped.bytes == HOSTILE,
        "a pipe gets the bytes: {:?}",
        piped.stdout
    );
}

#[test]
fn an_argument_commands_no_terminal_in_any_output() {
    let sandbox = Sandbox::new();
    let hostile = "before\u{1b}]0;title\u{7}\u{9b}2J\u{7f}\u{202e}after";
    let program = child::stays(&sandbox);
    let start = ["start", &program, "--name", "it", "--env"];
    let value = format!("PLAIN={hostile}");
    let all = [&start[..], &[&value, "--", hostile]].concat();
    drop(sandbox.run(&all).success());
    for args in [&["status", "it"][..], &["status", "it", "--json"]] {
        let mut command = sandbox.command();
        command.args(args).env("TERM", "xterm-256color");
        let mut screen = Screen::open(command, (200, 60));
        assert!(screen.wait_exit().success(), "{args:?}");
        let raw = screen.raw();
        let text = String::from_utf8_lossy(&raw).into_owned();
        assert!(text.contains("after"), "{args:?} shows {text:?}");
        assert_eq!(controls(&raw), Vec::<String>::new(), "{args:?}: {text:?}");
        assert!(!text.contains('\u{202e}'), "{args:?}: {text:?}");
    }
    let told = sandbox.run(&["status", "it", "--json"]).success().json();
    assert_eq!(
        told[0]["command"]["args"][0], hostile,
        "the value is the same"
    );
}
