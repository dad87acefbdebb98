//! A definition edited from the dashboard: the terminal goes to the editor and comes back.

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::{
    COMMON, at_the_terminal, done, home_with, is_live, listed_status, quit, select, status,
};

/// The dashboard with `alpha` selected, and an editor that is this script; the file is its first argument.
fn with_editor(script: &str) -> (Sandbox, Screen) {
    let home = home_with(&["alpha", "beta"]);
    let mut command = at_the_terminal(&home, &["tui"]);
    command.env_remove("VISUAL");
    command.env("EDITOR", home.script("editor", script));
    let screen = Screen::open(command, COMMON);
    screen.until(|text| is_live(text) && status(text, "beta") == Some("running"));
    select(&screen, "alpha");
    (home, screen)
}

#[test]
fn e_gives_the_terminal_to_the_editor_and_comes_back_with_the_change_in_force() {
    let script = "echo a key && read key </dev/tty && sed -i 's/^max_restarts = .*/max_restarts = 3/' \"$1\"";
    let (home, mut screen) = with_editor(script);
    let before = home.known("alpha");
    screen.keys("e");
    screen.until(|text| text.contains("a key"));
    // Keys are the editor's now.
    screen.keys("q\n");
    screen.until(|text| {
        text.contains("- max_restarts = 10")
            && text.contains("+ max_restarts = 3")
            && text.contains("[y/N]")
    });
    screen.keys("y\n");
    screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
    assert_eq!(home.known("alpha"), before, "nothing had to be restarted");
    let seen = home.run_with(&[("EDITOR", "cat")], &["edit", "alpha"]);
    let _ = seen.success().stdout_has("\nmax_restarts = 3\n");
    // It is live: what is done elsewhere is seen, and keys are its own again.
    done(&home, &["stop", "beta"]);
    screen.until(|text| status(text, "beta") == Some("stopped"));
    quit(&mut screen);
}

#[test]
fn what_an_editor_that_fails_says_stays_until_enter() {
    let (home, mut screen) = with_editor("exit 7");
    screen.keys("e");
    let text = screen.until(|text| text.contains("Enter returns"));
    assert!(text.contains("failed; nothing was changed"), "{text}");
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    screen.keys("\r");
    screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
    quit(&mut screen);
}
