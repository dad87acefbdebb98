//! The large histogram below logs: lines, errors and runs, and keys that go along it.

use crate::api::Push;
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::msg::Msg;

use super::desk::{Desk, noon_ms};
use super::library::{Library, Reading, exit};

/// A line each ten seconds, each sixth an error, two runs.
fn library() -> Library {
    let mut library = Library::default();
    for n in 0..30_u64 {
        let (stream, text) = if n % 6 == 5 {
            (Err, format!("ERROR line {n:05}"))
        } else {
            (Out, format!("line {n:05}"))
        };
        library.write(5, "cron", stream, 1 + n / 20, &text);
        let line = library.lines.last_mut().unwrap();
        line.time = Some(noon_ms() + n * 10_000);
        if n == 19 {
            library.happen(5, "cron", exit(1));
        }
    }
    library
}

fn reading() -> Reading {
    let mut desk = Desk::new();
    desk.resize(200, 60);
    desk.select(5);
    desk.wait(300_000);
    Reading::open(desk, library())
}

fn row(it: &Reading, label: &str) -> String {
    let screen = it.screen();
    let row = screen
        .lines()
        .find(|row| row.starts_with(&format!(" {label} ")));
    row.unwrap_or_else(|| panic!("no {label} in\n{screen}"))
        .to_owned()
}

#[test]
fn lines_errors_and_runs_have_rows_where_there_is_room() {
    let mut it = reading();
    assert!(it.screen().contains("one column = 2s"), "{}", it.screen());
    let bars = |row: &str| {
        row.chars()
            .filter(|c| "\u{2581}\u{2588}".contains(*c))
            .count()
    };
    assert_eq!(bars(&row(&it, "lines")), 30);
    assert_eq!(bars(&row(&it, "errors")), 5);
    assert_eq!(row(&it, "runs").matches('\u{2717}').count(), 1);
    // What happens from now on is there at once.
    let event = it.library.happen(5, "cron", exit(2));
    it.desk.send(Msg::Push(Push::Event { event }));
    assert_eq!(row(&it, "runs").matches('\u{2717}').count(), 2);
    it.desk.resize(120, 40);
    it.serve();
    assert!(!it.screen().contains("one column"));
    assert!(it.screen().contains("5 errors"), "{}", it.screen());
}

#[test]
fn left_and_right_move_all_panes_along_it() {
    let mut it = reading();
    it.prompt("p", "cron");
    it.press("Tab Left");
    assert_eq!(pointed(&it), ["ERROR line 00029", "ERROR line 00029"]);
    it.press("Left Left");
    assert_eq!(pointed(&it), ["line 00027", "line 00027"]);
    it.press("Right");
    assert_eq!(pointed(&it)[0], "line 00028");
    it.press("Right Right Right");
    assert!(it.screen().contains("FOLLOW"), "behind the last it follows");
    for _ in 0..31 {
        it.press("Left");
    }
    assert_eq!(pointed(&it)[0], "line 00000");
    assert!(it.screen().contains("no line is earlier in the histogram"));
}

#[test]
fn without_it_they_move_sideways() {
    let mut it = reading();
    it.desk.resize(80, 24);
    it.serve();
    let long = format!("{}END", "abcdefghij".repeat(30));
    it.library.write(5, "cron", Out, 3, &long);
    it.flow();
    it.press("Right Right Right Right Right Right Right Right Right");
    assert!(it.screen().contains("END"), "{}", it.screen());
}

/// The lines that the panes point at.
fn pointed(it: &Reading) -> Vec<String> {
    let Some(crate::tui::screens::Screen::Logs(view)) = it.desk.model.screens.last() else {
        panic!("no log view");
    };
    let panes = view.panes.iter();
    panes
        .map(|pane| pane.pointed().unwrap().text.plain())
        .collect()
}
