//! Every way out: the terminal is as it was, and the processes run on.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::sandbox::{Known, Sandbox, below};
use crate::screen::Screen;
use crate::tty::{
    COMMON, at_the_terminal, dashboard, done, home_with, is_live, listed_status, live_dashboard,
    quit, status,
};

const NAMES: [&str; 2] = ["alpha", "beta"];

/// The line settings, taken while the program had not touched them, beside a dashboard that is live.
fn shown(home: &Sandbox) -> (nix::sys::termios::Termios, Screen) {
    // The settings of a fresh terminal are always the same.
    let before = Screen::open(Command::new("true"), COMMON).termios();
    let screen = live_dashboard(home, COMMON, &NAMES);
    assert_ne!(
        screen.termios(),
        before,
        "a dashboard reads keys, not lines"
    );
    assert!(
        screen.terminal(vt100::Screen::alternate_screen),
        "the dashboard has a screen of its own"
    );
    assert!(
        screen.terminal(vt100::Screen::hide_cursor),
        "no cursor on the dashboard"
    );
    assert!(
        screen.terminal(vt100::Screen::bracketed_paste),
        "pastes are told from keys"
    );
    (before, screen)
}

#[track_caller]
fn assert_restored(screen: &Screen, how: &str) {
    let text = screen.text();
    assert!(
        !screen.terminal(vt100::Screen::alternate_screen),
        "{how}: still on the other screen:\n{text}"
    );
    assert!(
        !screen.terminal(vt100::Screen::hide_cursor),
        "{how}: the cursor is hidden"
    );
    assert!(
        !screen.terminal(vt100::Screen::bracketed_paste),
        "{how}: bracketed paste is on"
    );
    assert!(
        !screen.terminal(vt100::Screen::application_cursor),
        "{how}: application cursor keys are on"
    );
    let mouse = screen.terminal(vt100::Screen::mouse_protocol_mode);
    assert_eq!(
        mouse,
        vt100::MouseProtocolMode::None,
        "{how}: the mouse is captured"
    );
    let raw = screen.raw();
    for (on, off) in [
        ("\x1b[?1007h", "\x1b[?1007l"),
        ("\x1b[?2026h", "\x1b[?2026l"),
        ("\x1b[?1004h", "\x1b[?1004l"),
    ] {
        let last = |mode: &str| {
            raw.windows(mode.len())
                .rposition(|window| window == mode.as_bytes())
        };
        assert!(
            last(on).is_none() || last(off) > last(on),
            "{how}: {on:?} is still on"
        );
    }
}

#[track_caller]
fn assert_untouched(home: &Sandbox) {
    for name in NAMES {
        assert_eq!(
            listed_status(home, name).as_deref(),
            Some("running"),
            "{name} has nothing to do with the screen"
        );
    }
}

#[test]
fn q_restores_the_terminal_and_says_in_one_line_that_the_processes_keep_running() {
    let home = home_with(&NAMES);
    let pids = NAMES.map(|name| home.pid(name));
    let (before, mut screen) = shown(&home);
    screen.keys("q");
    assert_eq!(screen.ended_within(Duration::from_secs(20)).code(), Some(0));
    assert_eq!(screen.termios(), before, "the line settings are as before");
    screen.wait_exit();
    assert_restored(&screen, "q");
    let text = screen.text();
    let said: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(said.len(), 1, "one line is left on the screen:\n{text}");
    assert!(
        said[0].starts_with("adasa: ") && said[0].contains("2 processes keep running"),
        "{text}"
    );
    assert_untouched(&home);
    assert_eq!(NAMES.map(|name| home.pid(name)), pids);
}

#[test]
fn ctrl_c_restores_the_terminal() {
    let home = home_with(&NAMES);
    let (before, mut screen) = shown(&home);
    screen.keys("\x03");
    assert_eq!(
        screen.ended_within(Duration::from_secs(20)).code(),
        Some(0),
        "Ctrl-C leaves like q"
    );
    assert_eq!(screen.termios(), before, "the line settings are as before");
    screen.wait_exit();
    assert_restored(&screen, "Ctrl-C");
    assert!(screen.text().contains("keep running"), "{}", screen.text());
    assert_untouched(&home);
}

#[test]
fn check_23_a_signal_restores_the_terminal_and_is_told_by_the_exit_code() {
    let home = home_with(&NAMES);
    for signal in [
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
    ] {
        let (before, mut screen) = shown(&home);
        screen.signal(signal);
        let exit = screen.ended_within(Duration::from_secs(20));
        assert_eq!(
            exit.code(),
            Some(128 + signal as i32),
            "after {signal}: {exit}"
        );
        assert_eq!(
            screen.termios(),
            before,
            "the line settings are as before {signal}"
        );
        screen.wait_exit();
        assert_restored(&screen, signal.as_str());
    }
    assert_untouched(&home);
}

#[test]
fn check_23_a_dashboard_that_is_killed_leaves_a_usable_terminal() {
    let home = home_with(&NAMES);
    let (before, mut screen) = shown(&home);
    let drawing = below(screen.pid());
    assert!(
        !drawing.is_empty(),
        "someone has to survive the one that draws"
    );
    for process in drawing {
        process.signal(Signal::SIGKILL);
    }
    let exit = screen.ended_within(Duration::from_millis(500));
    assert!(!exit.success(), "a killed dashboard is no success");
    assert_eq!(screen.termios(), before, "the line settings are as before");
    screen.wait_exit();
    assert_restored(&screen, "SIGKILL");
    assert_untouched(&home);
}

#[test]
fn check_25_a_terminal_that_closes_ends_the_dashboard_within_two_seconds() {
    let home = home_with(&NAMES);
    let (_, mut screen) = shown(&home);
    let all = everything_of(&screen);
    ends_quietly_when_hung_up(&mut screen);
    for process in all {
        home.until_gone(process);
    }
    assert_untouched(&home);
}

#[test]
fn check_25_a_terminal_that_closes_ends_a_dashboard_that_must_ignore_hang_ups() {
    let home = home_with(&NAMES);
    let binary = at_the_terminal(&home, &[]);
    let mut command = Command::new("sh");
    command.env_clear().current_dir(home.root());
    for (name, value) in binary.get_envs() {
        command.env(name, value.expect("only set variables"));
    }
    command
        .args(["-c", "trap '' HUP; exec \"$0\" tui"])
        .arg(binary.get_program());
    let mut screen = Screen::open(command, COMMON);
    screen.until(is_live);
    let all = everything_of(&screen);
    ends_quietly_when_hung_up(&mut screen);
    for process in all {
        home.until_gone(process);
    }
    assert_untouched(&home);
}

/// Within two seconds, and not by asking a terminal over and over that is no longer there.
#[track_caller]
fn ends_quietly_when_hung_up(screen: &mut Screen) {
    let before = screen.processor_time();
    screen.hang_up();
    screen.ended_within(Duration::from_secs(2));
    let spent = screen.processor_time().saturating_sub(before);
    assert!(
        spent < Duration::from_millis(200),
        "it took {spent:?} of processor time to leave"
    );
}

fn everything_of(screen: &Screen) -> Vec<Known> {
    let mut all = below(screen.pid());
    all.extend(Known::of(screen.pid()));
    all
}

#[test]
fn check_24_stop_and_continue_give_the_terminal_back_and_take_it_again() {
    let home = home_with(&NAMES);
    let (_, mut screen) = shown(&home);
    screen.signal_all(Signal::SIGSTOP);
    screen.resize((100, 30));
    screen.signal_all(Signal::SIGCONT);
    screen.until(|text| {
        is_live(text)
            && NAMES
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
    assert!(screen.terminal(vt100::Screen::alternate_screen));
    quit(&mut screen);
    assert_restored(&screen, "STOP, CONT, q");
}

#[test]
fn check_24_ctrl_z_gives_the_shell_its_terminal_and_fg_takes_it_back() {
    let home = home_with(&NAMES);
    let binary = at_the_terminal(&home, &[]);
    let mut command = Command::new("bash");
    command.env_clear().current_dir(home.root());
    for (name, value) in binary.get_envs() {
        command.env(name, value.expect("only set variables"));
    }
    let script = "\"$0\" tui; printf 'the shell again\\n'; read -r word; fg >/dev/null; exit $?";
    command.args(["-m", "-c", script]).arg(binary.get_program());
    let shown = |text: &str| {
        is_live(text)
            && NAMES
                .iter()
                .all(|name| status(text, name) == Some("running"))
    };
    let mut screen = Screen::open(command, COMMON);
    screen.until(shown);
    screen.keys("\x1a");
    screen.until(|text| text.contains("the shell again"));
    assert_restored(&screen, "Ctrl-Z");
    screen.resize((100, 30));
    screen.keys("\r");
    screen.until(|text| shown(text) && text.lines().count() == 30);
    assert!(screen.terminal(vt100::Screen::alternate_screen));
    quit(&mut screen);
    assert_restored(&screen, "Ctrl-Z, fg, q");
}

#[test]
fn up_on_a_terminal_opens_the_dashboard_and_down_ends_what_it_brought_up() {
    let home = Sandbox::new();
    let config = "[[processes]]\nname = \"alpha\"\nscript = \"sleep\"\nargs = [\"100000\"]\n\n\
                  [[processes]]\nname = \"beta\"\nscript = \"sleep\"\nargs = [\"100000\"]\n";
    home.file("adasa.toml", config);
    let mut screen = Screen::open(at_the_terminal(&home, &["up", "adasa.toml"]), COMMON);
    screen.until(|text| {
        is_live(text)
            && NAMES
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
    let daemon = home.role("pid");
    let pids = NAMES.map(|name| home.known(name));
    quit(&mut screen);
    assert_restored(&screen, "up, q");
    assert!(screen.text().contains("keep running"), "{}", screen.text());
    assert_untouched(&home);
    assert!(daemon.is_alive(), "the daemon does not end with the screen");
    done(&home, &["down", "adasa.toml"]);
    for process in pids {
        home.until_gone(process);
    }
}

#[test]
fn up_with_a_bad_file_says_so_and_draws_nothing() {
    let home = Sandbox::new();
    home.file(
        "adasa.toml",
        "[[processes]]\nname = \"alpha\"\nscrip = \"sleep\"\n",
    );
    let mut screen = Screen::open(at_the_terminal(&home, &["up", "adasa.toml"]), (200, 24));
    assert_eq!(screen.wait_exit().code(), Some(2), "{}", screen.text());
    let text = screen.text();
    assert!(
        text.contains("adasa.toml:3:1") && text.contains("script"),
        "{text}"
    );
    assert!(
        !screen
            .raw()
            .windows(8)
            .any(|window| window == b"\x1b[?1049h"),
        "no screen was taken"
    );
}

#[test]
fn two_dashboards_do_not_disturb_each_other() {
    let home = home_with(&NAMES);
    let mut first = live_dashboard(&home, COMMON, &NAMES);
    let mut second = live_dashboard(&home, (120, 40), &NAMES);
    quit(&mut first);
    done(&home, &["stop", "alpha"]);
    second.until(|text| is_live(text) && status(text, "alpha") == Some("stopped"));
    quit(&mut second);
}

#[test]
fn monit_is_the_same_screen() {
    let home = home_with(&NAMES);
    let mut screen = Screen::open(
        at_the_terminal(&home, &["monit", "--interval", "500ms"]),
        COMMON,
    );
    screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
    quit(&mut screen);
    let mut screen = dashboard(&home, COMMON);
    screen.until(is_live);
    screen.keys("Q");
    assert_eq!(screen.wait_exit().code(), Some(0), "Q leaves too");
}
