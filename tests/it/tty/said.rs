//! What adasa says between the lines of a process, where a real one ends and begins.

use serde_json::Value;

use crate::http::get;
use crate::sandbox::Sandbox;
use crate::tty::{MEDIUM, dashboard, is_live, live_dashboard, quit, select, status};

/// The rows that adasa says, as they stand on the screen.
fn said(text: &str) -> Vec<String> {
    let rows = text.lines().filter_map(|row| {
        let (_, said) = row.split_once("\u{2500}\u{2500}\u{2500}\u{2502} ")?;
        Some(said.trim_end().to_owned())
    });
    rows.collect()
}

fn place(text: &str, of: &str) -> usize {
    text.find(of)
        .unwrap_or_else(|| panic!("no {of:?} in:\n{text}"))
}

#[test]
fn ends_and_beginnings_stand_between_the_lines_live_and_later_and_cannot_be_forged() {
    let home = Sandbox::new();
    // It says what adasa would say, waits to be let go, and fails.
    let mut gate = home.fifo("gate");
    let body = format!(
        "echo '\u{2500}\u{2500}\u{2500}\u{2502} exit 0 after 9s'\nread _ <{}\necho last words >&2\nexit 3",
        home.path("gate").display()
    );
    let program = home.script("fails.sh", &body);
    home.start("fails", &program, &["--restart-delay", "100s"]);
    let mut screen = live_dashboard(&home, MEDIUM, &["fails"]);
    select(&screen, "fails");
    let text = screen.until(|text| text.contains("run 1 begins (start by"));
    let forged = place(&text, "exit 0 after 9s");
    let row = &text[..forged];
    assert!(
        row.ends_with("out\u{2502} \u{2500}\u{2500}\u{2500}\u{2502} "),
        "{text}"
    );
    gate.say("go");
    let text =
        screen.until(|text| text.contains("exit 3 after") && text.contains(", restart 1 in"));
    assert!(
        place(&text, "last words") < place(&text, "exit 3 after"),
        "{text}"
    );
    quit(&mut screen);
    // Of the disk it is the same.
    let mut screen = dashboard(&home, MEDIUM);
    screen.until(|text| is_live(text) && status(text, "fails") == Some("backoff"));
    select(&screen, "fails");
    let text = screen.until(|text| text.contains("exit 3 after"));
    assert!(
        place(&text, "run 1 begins") < place(&text, "last words"),
        "{text}"
    );
    assert!(
        place(&text, "last words") < place(&text, "exit 3 after"),
        "{text}"
    );
    assert_eq!(
        said(&text)
            .iter()
            .filter(|it| it.starts_with("exit 3 after"))
            .count(),
        1
    );
    quit(&mut screen);
    // The bytes of the process are those of the process.
    let out = home.run(&["logs", "fails"]).success();
    let expected = "\u{2500}\u{2500}\u{2500}\u{2502} exit 0 after 9s\nlast words\n";
    assert_eq!(out.stdout, expected);
}

#[test]
fn the_api_tells_what_happened_between_two_moments() {
    let home = Sandbox::new();
    let program = crate::child::exits(&home, "three", 3);
    home.start("three", &program, &["--restart", "never"]);
    home.until_status("three", "errored");
    let told = get(&home, "/api/logs/events?select=three");
    let events: Vec<&Value> = told["events"].as_array().unwrap().iter().collect();
    let of = |kind: &str| events.iter().filter(|it| it["kind"] == kind).count();
    assert_eq!(of("exit"), 1, "{told}");
    let run = events.iter().find(|it| it["follows"]["is"] == "run");
    assert_eq!(run.unwrap()["follows"]["run"], 1, "{told}");
    let later = get(
        &home,
        "/api/logs/events?select=three&from_ms=99999999999999",
    );
    assert_eq!(later["events"].as_array().unwrap().len(), 0);
    let one = get(&home, "/api/logs/events?select=three&limit=1");
    assert_eq!(one["events"].as_array().unwrap().len(), 1);
    assert_eq!(one["since_ms"], one["events"][0]["at_ms"]);
}
