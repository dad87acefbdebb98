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
