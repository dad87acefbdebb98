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

#[test]
fn check_39_on_the_first_screen_e_writes_a_config_has_it_edited_and_starts_what_it_defines() {
    let home = Sandbox::new();
    let script = "grep -c '^# \\[\\[processes' \"$1\" && printf '[[processes]]\\nname = \"alpha\"\\nscript = \"sleep\"\\nargs = [\"1000\"]\\n' >>\"$1\"";
    let mut command = at_the_terminal(&home, &["tui"]);
    command.env_remove("VISUAL");
    command.env("EDITOR", home.script("editor", script));
    command.current_dir(home.root());
    let mut screen = Screen::open(command, COMMON);
    screen.until(|text| is_live(text) && text.contains("no ./adasa.toml yet"));
    screen.keys("e");
    screen.until(|text| text.contains("Start what it defines (alpha)? [y/N]"));
    // Nobody agreed: the file stays, and the screen says so.
    screen.keys("n\n");
    screen.until(|text| is_live(text) && text.contains("edit ./adasa.toml"));
    assert_eq!(home.find_row("alpha"), None);
    home.script("editor", "true");
    screen.keys("e");
    // The first question still stands above it.
    screen.until(|text| text.matches("Start what it defines (alpha)? [y/N]").count() == 2);
    screen.keys("y\n");
    screen.until(|text| is_live(text) && status(text, "alpha") == Some("running"));
    quit(&mut screen);
}
