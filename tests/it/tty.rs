//! The dashboard on a real terminal, in front of a real daemon. What the screen says is held against what the command
//! line says about the same processes.

mod browse;
pub(crate) mod bytes;
mod company;
mod detail;
mod edit;
mod frames;
mod hostile;
mod leave;
mod link;
mod log_view;
mod logs;
mod looks;
mod own_log;
mod plain;
mod rolling;
mod said;
mod settings;
mod verbs;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

pub(crate) const COMMON: (u16, u16) = (80, 24);
pub(crate) const MEDIUM: (u16, u16) = (120, 40);
pub(crate) const WIDE: (u16, u16) = (200, 60);

const STATUS_WORDS: [&str; 8] = [
    "starting",
    "running",
    "stopping",
    "stopped",
    "restarting",
    "backoff",
    "exited",
    "errored",
];

/// A home with quiet processes of these names, all running.
pub(crate) fn home_with(names: &[&str]) -> Sandbox {
    let home = Sandbox::new();
    for name in names {
        start_quiet(&home, name);
    }
    home
}

pub(crate) fn start_quiet(home: &Sandbox, name: &str) {
    done(home, &["start", "sleep", "--name", name, "--", "100000"]);
}

pub(crate) fn start_copies(home: &Sandbox, name: &str, copies: u32) {
    let copies = copies.to_string();
    let args = [
        "start",
        "sleep",
        "--name",
        name,
        "--instances",
        &copies,
        "--",
        "100000",
    ];
    done(home, &args);
}

/// A process that writes, byte for byte, what it is told.
pub(crate) struct Parrot {
    ear: File,
}

impl Parrot {
    pub(crate) fn start(home: &Sandbox, name: &str) -> Parrot {
        let path = home.path(&format!("{name}.ear"));
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a fifo");
        let ear = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .expect("the fifo");
        let script = format!("exec cat <>'{}'", path.display());
        done(home, &["start", "sh", "--name", name, "--", "-c", &script]);
        Parrot { ear }
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.ear.write_all(bytes).expect("told the parrot");
    }

    pub(crate) fn say_lines(&mut self, word: &str, numbers: std::ops::RangeInclusive<u32>) {
        let lines: String = numbers
            .map(|number| format!("{word} {number:04}\n"))
            .collect();
        self.say(lines.as_bytes());
    }
}

/// The binary as the person at the terminal would run it.
pub(crate) fn at_the_terminal(home: &Sandbox, args: &[&str]) -> Command {
    let mut command = home.command();
    command
        .args(args)
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8");
    command
}

pub(crate) fn dashboard(home: &Sandbox, size: (u16, u16)) -> Screen {
    Screen::open(at_the_terminal(home, &["tui"]), size)
}

/// The dashboard with a connection and these processes on it, all running.
#[track_caller]
pub(crate) fn live_dashboard(home: &Sandbox, size: (u16, u16), names: &[&str]) -> Screen {
    let screen = dashboard(home, size);
    screen.until(|text| {
        is_live(text)
            && names
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
    screen
}

pub(crate) fn is_live(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|header| header.split_whitespace().any(|word| word == "live"))
}

/// The words of a row, without what the table draws around them and marks behind names.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace()
        .map(|word| word.trim_start_matches('▌').trim_end_matches(['\'', ',']))
        .filter(|word| !word.is_empty())
}

/// The status word in the row of `name`, if the table has such a row.
pub(crate) fn status(text: &str, name: &str) -> Option<&'static str> {
    text.lines()
        .filter(|line| words(line).any(|word| word == name))
        .find_map(|line| {
            STATUS_WORDS
                .into_iter()
                .find(|status| words(line).any(|word| word == *status))
        })
}

/// The name in the selected row.
pub(crate) fn selected(text: &str) -> Option<&str> {
    let row = text.lines().find(|line| line.starts_with('▌'))?;
    words(row).find(|word| word.chars().next().is_some_and(char::is_alphanumeric))
}

/// Moves the selection to the row of `name`.
#[track_caller]
pub(crate) fn select(screen: &Screen, name: &str) {
    let mut to_the_top = true;
    for _ in 0..200 {
        let before = screen.until(|text| selected(text).is_some());
        if selected(&before) == Some(name) {
            return;
        }
        screen.keys("j");
        let moved = screen.seen_within(Duration::from_secs(2), |text| {
            selected(text) != selected(&before)
        });
        if moved.is_err() {
            assert!(
                to_the_top,
                "{name} cannot be selected; the screen is:\n{before}"
            );
            to_the_top = false;
            screen.keys("g");
            screen.until(|text| selected(text) != selected(&before));
        }
    }
    panic!(
        "{name} is never selected; the screen is:\n{}",
        screen.text()
    );
}

/// The last line with anything on it: keys, prompts and questions of one instance.
pub(crate) fn footer(text: &str) -> &str {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("")
}

/// Is the question whether to `verb` the process `name` on the screen, in the footer or in a box?
pub(crate) fn asks(text: &str, verb: &str, name: &str) -> bool {
    let question = format!("{verb} {name}");
    text.lines()
        .any(|line| line.to_lowercase().contains(&question) && line.contains('?'))
        && text.contains("Esc")
}

/// Answers yes. A question takes `y` only a moment after it is shown, so this says it again until the question is gone.
#[track_caller]
pub(crate) fn say_yes(screen: &Screen, verb: &str, name: &str) {
    screen.until(|text| asks(text, verb, name));
    for _ in 0..40 {
        // The look before the key is the pause of a person who reads the question.
        if screen
            .seen_within(Duration::from_millis(250), |text| !asks(text, verb, name))
            .is_ok()
        {
            return;
        }
        screen.keys("y");
    }
    screen.until(|text| !asks(text, verb, name));
}

/// Runs a command that has to succeed.
#[track_caller]
pub(crate) fn done(home: &Sandbox, args: &[&str]) {
    drop(home.run(args).success());
}

#[track_caller]
pub(crate) fn listed_status(home: &Sandbox, name: &str) -> Option<String> {
    let row = home.find_row(name)?;
    Some(row["status"].as_str().expect("a status word").to_owned())
}

/// Leaves the dashboard and expects it to have gone well.
#[track_caller]
pub(crate) fn quit(screen: &mut Screen) {
    screen.keys("q");
    let exit = screen.wait_exit();
    assert_eq!(
        exit.code(),
        Some(0),
        "q leaves with 0; the screen is:\n{}",
        screen.text()
    );
}
