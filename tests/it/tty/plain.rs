//! `tui --plain`: no terminal is needed, and nothing moves a cursor.

use nix::sys::signal::Signal;

use crate::logs::follow::{Follow, shell};
use crate::sandbox::Sandbox;

use super::{done, home_with};

/// What a line says, without its time of day.
fn said(follow: &mut Follow) -> String {
    let line = follow.line();
    let (clock, text) = line.split_at(8);
    assert!(
        clock.char_indices().all(|(n, c)| match n {
            2 | 5 => c == ':',
            _ => c.is_ascii_digit(),
        }),
        "{line}"
    );
    text.trim_start().to_owned()
}

#[test]
fn without_a_screen_each_change_is_a_line_also_over_the_death_of_the_daemon() {
    let home = home_with(&["web"]);
    let mut command = shell(&home, r#"exec "$ADASA_BIN" tui --plain >"$FOLLOW_FIFO""#);
    command.env("TERM", "dumb");
    let mut follow = Follow::of(&home, command);
    let pid = home.pid("web");
    let first = said(&mut follow);
    assert!(
        first.starts_with(&format!("web is running, pid {pid}")),
        "{first}"
    );
    done(&home, &["stop", "web"]);
    while !said(&mut follow).starts_with("web is stopped") {}

    home.role("pid").signal(Signal::SIGKILL);
    let lost = said(&mut follow);
    assert!(lost.starts_with("not connected: "), "{lost}");
    assert_eq!(said(&mut follow), "connected again");
    done(&home, &["delete", "web"]);
    assert_eq!(said(&mut follow), "web is deleted");
    let output = follow.interrupt();
    assert_eq!(output.stderr, "");
}

#[test]
fn with_json_each_change_is_an_object() {
    let home = home_with(&["web"]);
    let mut follow = Follow::start(&home, &["--json", "tui", "--plain"]);
    let first: serde_json::Value = serde_json::from_str(&follow.line()).unwrap();
    assert_eq!(first["name"], "web");
    assert_eq!(first["status"], "running");
    assert!(first["at_ms"].as_u64().is_some());
    done(&home, &["delete", "web"]);
    loop {
        let next: serde_json::Value = serde_json::from_str(&follow.line()).unwrap();
        if next["text"] == "web is deleted" {
            assert!(next["status"].is_null());
            break;
        }
    }
    follow.interrupt();
}

#[test]
fn flags_of_the_screen_are_refused_without_one() {
    let home = Sandbox::new();
    let output = home.run(&["tui", "--plain", "--theme", "dark"]);
    let output = output.code(2);
    assert!(output.stderr.contains("--theme"), "{}", output.stderr);
}
