//! `client.toml`: the dashboard's own settings.

use crate::screen::Screen;
use crate::tty::{
    COMMON, WIDE, at_the_terminal, dashboard, home_with, is_live, live_dashboard, quit, say_yes,
    select, status,
};

fn settings(home: &crate::sandbox::Sandbox, text: &str) {
    let folder = home.home().join("config");
    std::fs::create_dir_all(&folder).expect("the folder of settings");
    std::fs::write(folder.join("client.toml"), text).expect("the settings");
}

#[test]
fn a_configured_sequence_does_what_it_says_and_shows_what_may_follow() {
    let home = home_with(&["alpha"]);
    settings(&home, "[tui.keys]\nstop = [\"Z+x\"]\n");
    let mut screen = live_dashboard(&home, COMMON, &["alpha"]);
    select(&screen, "alpha");
    screen.keys("Z");
    screen.until(|text| text.contains("Z…") && text.contains("stop (asks)"));
    screen.keys("x");
    say_yes(&screen, "stop", "alpha");
    screen.until(|text| status(text, "alpha") == Some("stopped"));
    quit(&mut screen);
}

#[test]
fn a_conflict_of_keys_is_reported_with_both_actions_and_the_default_stays() {
    let home = home_with(&["alpha"]);
    settings(&home, "[tui.keys]\nstop = \"r\"\n");
    let mut screen = dashboard(&home, (120, 40));
    screen.until(|text| is_live(text) && text.contains("r would mean both stop and restart"));
    select(&screen, "alpha");
    screen.keys("x");
    say_yes(&screen, "stop", "alpha");
    screen.until(|text| status(text, "alpha") == Some("stopped"));
    quit(&mut screen);
}

#[test]
fn a_mistake_in_the_settings_is_an_error_with_its_place() {
    let home = home_with(&["alpha"]);
    settings(&home, "[tui]\nintervall = 1\n");
    let mut screen = Screen::open(at_the_terminal(&home, &["tui"]), WIDE);
    screen.until(|text| {
        text.contains("client.toml:2:1: there is no key `intervall`")
            && text.contains("did you mean `interval`?")
    });
    assert_eq!(screen.wait_exit().code(), Some(2));
}

#[test]
fn check_37_read_only_is_refused_by_the_screen_and_by_the_daemon() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    let home = home_with(&["alpha"]);
    let command = at_the_terminal(&home, &["tui", "--read-only"]);
    let mut screen = Screen::open(command, COMMON);
    screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
    for key in ["x", "D", "X", "r", "n"] {
        screen.keys(key);
        screen.until(|text| text.contains("read-only: this dashboard only looks"));
        screen.keys("\x1b");
        screen.until(|text| !text.contains("read-only"));
    }
    quit(&mut screen);
    // By hand, as such a session would: the daemon refuses too.
    let body = r#"{"operation":"by-hand-1","verb":"stop","select":["alpha"]}"#;
    let mut socket = UnixStream::connect(home.socket()).expect("the socket");
    let request = format!(
        "POST /api/operations HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\nadasa-read-only: 1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("only looks"), "{answer}");
    assert_eq!(home.status("alpha"), "running");
}

#[test]
fn every_theme_is_taken_and_an_unknown_one_is_an_error() {
    let home = home_with(&["alpha"]);
    for theme in ["terminal", "dark", "light", "mono", "high-contrast"] {
        let command = at_the_terminal(&home, &["tui", "--theme", theme]);
        let mut screen = Screen::open(command, COMMON);
        screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
        quit(&mut screen);
    }
    let mut screen = Screen::open(at_the_terminal(&home, &["tui", "--theme", "pink"]), WIDE);
    screen.until(|text| text.contains("it is one of terminal, dark, light, mono, high-contrast"));
    assert_eq!(screen.wait_exit().code(), Some(2));
}

/// The row of a process as it is drawn.
fn row<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find(|line| line.contains(name) && status(line, name).is_some())
}

#[test]
fn numbers_are_drawn_anew_as_often_as_the_interval_says() {
    let home = home_with(&["alpha"]);
    let slow = at_the_terminal(&home, &["tui", "--interval", "1h"]);
    let mut slow = Screen::open(slow, COMMON);
    let shown = |text: &str| is_live(text) && status(text, "alpha") == Some("running");
    let before = slow.until(shown);
    let mut usual = live_dashboard(&home, COMMON, &["alpha"]);
    for _ in 0..3 {
        let drawn = usual.text();
        usual.until(|text| row(text, "alpha") != row(&drawn, "alpha"));
    }
    assert_eq!(row(&slow.text(), "alpha"), row(&before, "alpha"));
    // Keys are answered at once all the same, and what is there is told without waiting for numbers.
    select(&slow, "alpha");
    slow.keys("x");
    say_yes(&slow, "stop", "alpha");
    slow.until(|text| status(text, "alpha") == Some("stopped"));
    quit(&mut slow);
    quit(&mut usual);
}
