//! What adasa says between the lines of a process: live, paused, through filters, taken along.

use crate::api::{Asker, Event, Follows, Push, Status, What};
use crate::domain::names::RunId;
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::msg::{Cmd, Msg};

use super::desk::{Desk, everything, snapshot};
use super::library::{Library, Reading, exit};

fn status(to: Status, follows: Option<Follows>) -> What {
    What::Status {
        from: Status::Running,
        to,
        because: "exit 1".into(),
        follows,
    }
}

fn backoff() -> What {
    let again = Follows::Attempt {
        restart: 17,
        in_ms: 8_000,
    };
    status(Status::Backoff, Some(again))
}

fn reading(lines: u64) -> Reading {
    let mut library = Library::default();
    for n in 0..lines {
        library.write(5, "cron", Out, 1, &format!("line {n:05}"));
    }
    let mut desk = Desk::new();
    desk.select(5);
    Reading::open(desk, library)
}

fn happen(it: &mut Reading, id: u32, name: &str, what: What) -> Event {
    let event = it.library.happen(id, name, what);
    let told = event.clone();
    it.desk.send(Msg::Push(Push::Event { event: told }));
    it.serve();
    event
}

fn ours(it: &Reading) -> Vec<String> {
    let screen = it.screen();
    let rows = screen.lines().filter_map(|row| {
        let (_, text) = row.split_once("\u{2500}\u{2500}\u{2500}\u{2502} ")?;
        Some(text.trim_end().to_owned())
    });
    rows.collect()
}

const END: &str = "exit 1 after 400ms, restart 17 in 8s";

#[test]
fn what_happens_is_said_at_once_and_stands_behind_lines_that_come_later() {
    let mut it = reading(3);
    happen(&mut it, 5, "cron", exit(1));
    assert_eq!(ours(&it), ["exit 1 after 400ms"]);
    happen(&mut it, 5, "cron", backoff());
    assert_eq!(ours(&it), [END]);
    it.library.write(5, "cron", Err, 1, "its last words");
    it.flow();
    let screen = it.screen();
    let words = screen.find("its last words").unwrap();
    assert!(words < screen.find(END).unwrap(), "{screen}");
    // Of another it is not said here.
    happen(&mut it, 9, "mailer", exit(1));
    assert_eq!(ours(&it), [END]);
    // Nor twice, when the connection comes back.
    it.desk.lose();
    it.desk
        .send(Msg::Push(Push::Snapshot(Box::new(snapshot(everything())))));
    it.serve();
    assert_eq!(ours(&it), [END]);
}

#[test]
fn paused_it_moves_nothing_and_is_counted_as_new() {
    let mut it = reading(100);
    it.press("PgUp");
    let top = it.top();
    happen(&mut it, 5, "cron", exit(1));
    happen(&mut it, 5, "cron", backoff());
    assert_eq!(it.top(), top);
    assert!(it.screen().contains("PAUSED +1 new"), "{}", it.screen());
    it.press("G");
    assert_eq!(ours(&it), [END]);
}

#[test]
fn it_is_read_back_with_the_lines_around_it() {
    let mut library = Library::default();
    for n in 0..5_000_u64 {
        let run = 1 + n / 1_000;
        library.write(5, "cron", Out, run, &format!("line {n:05}"));
        if n % 1_000 == 999 {
            library.happen(5, "cron", exit(run));
        }
    }
    let mut desk = Desk::new();
    desk.select(5);
    let mut it = Reading::open(desk, library);
    it.press("k [");
    let screen = it.screen();
    assert!(screen.contains("line 04000"), "{screen}");
    assert_eq!(ours(&it), ["exit 1 after 400ms"]);
    assert!(!screen.contains("run 4 is over"), "no rule says it again");
    it.press("[ [");
    assert!(it.screen().contains("line 02000"), "{}", it.screen());
    assert_eq!(ours(&it), ["exit 1 after 400ms"]);
}

#[test]
fn streams_do_not_hide_it_and_a_filter_asks_it_too() {
    let mut it = reading(3);
    happen(&mut it, 5, "cron", exit(1));
    happen(&mut it, 5, "cron", backoff());
    for _ in 0..3 {
        it.press("o");
        assert_eq!(ours(&it), [END]);
    }
    it.prompt("&", "line");
    assert!(ours(&it).is_empty());
    it.prompt("&", "");
    it.prompt("&", "restart");
    assert_eq!(ours(&it), [END]);
    assert!(it.texts().is_empty(), "{}", it.screen());
}

#[test]
fn one_that_never_wrote_says_why_it_is_not_there() {
    let mut desk = Desk::new();
    desk.select(5);
    let mut library = Library::default();
    library.happen(5, "cron", status(Status::Errored, None));
    let mut it = Reading::open(desk, library);
    assert_eq!(ours(&it), ["errored (exit 1)"]);
    let by = Some(Asker::Boot);
    let run = RunId(2);
    let begun = Some(Follows::Run { run, by });
    happen(&mut it, 5, "cron", status(Status::Running, begun));
    assert_eq!(
        ours(&it),
        ["errored (exit 1)", "run 2 begins (it was up before)"]
    );
    it.press("g");
    assert_eq!(ours(&it).len(), 2);
}

#[test]
fn what_is_taken_along_is_marked_as_ours() {
    let mut it = reading(2);
    happen(&mut it, 5, "cron", exit(1));
    it.library
        .write(5, "cron", Out, 2, "--- adasa: cron: exit 0");
    it.flow();
    it.desk.press("k v k");
    it.desk.press("y");
    let copied = it.desk.wanted.iter().find_map(|command| match command {
        Cmd::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let expected = "--- adasa: cron: exit 1 after 400ms\n--- adasa: cron: exit 0";
    assert_eq!(copied.as_deref(), Some(expected));
    it.desk.wanted.clear();
    it.desk.press("C");
    let plain = it.desk.wanted.iter().find_map(|command| match command {
        Cmd::Plain(lines) => Some(lines.clone()),
        _ => None,
    });
    assert!(
        plain
            .unwrap()
            .contains(&"--- adasa: cron: exit 1 after 400ms".to_owned())
    );
}

/// A search counts what is in the log; what adasa says is not.
#[test]
fn a_search_passes_over_it() {
    let mut it = reading(3);
    it.library.write(5, "cron", Out, 1, "exit of the building");
    it.flow();
    happen(&mut it, 5, "cron", exit(1));
    it.prompt("/", "exit");
    assert!(it.screen().contains("1/1"), "{}", it.screen());
    it.press("n");
    assert!(
        it.screen().contains("no hit after this line"),
        "{}",
        it.screen()
    );
}
