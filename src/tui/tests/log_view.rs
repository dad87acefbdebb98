//! The full-screen log view: where it stands, what it asks for, what it finds.

use crate::domain::spec::Stream::{Err, Out};
use crate::tui::log::Pane;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::screens::{Screen, log_view};

use super::desk::{Desk, everything, snapshot};
use super::library::{Library, Reading};

/// So many lines of one process; every tenth an error, a run for each thousand.
fn library(lines: u64) -> Library {
    let mut library = Library::default();
    for n in 0..lines {
        let (stream, text) = if n % 10 == 9 {
            (Err, format!("ERROR line {n:05}"))
        } else {
            (Out, format!("line {n:05}"))
        };
        library.write(5, "cron", stream, 1 + n / 1000, &text);
    }
    library
}

pub(super) fn reading(lines: u64) -> Reading {
    let mut desk = Desk::new();
    desk.select(5);
    Reading::open(desk, library(lines))
}

fn add(it: &mut Reading, lines: std::ops::Range<u64>) {
    for n in lines {
        it.library.write(5, "cron", Out, 9, &format!("line {n:05}"));
    }
    it.flow();
}

fn pane(it: &Reading) -> &Pane {
    match it.desk.model.screens.last() {
        Some(Screen::Logs(view)) => view.pane().unwrap(),
        other => panic!("no log view: {other:?}"),
    }
}

/// The text of the line that keys are about.
fn pointed(it: &Reading) -> String {
    pane(it).pointed().unwrap().text.plain()
}

#[test]
fn it_begins_at_the_end_and_follows_with_one_stream() {
    let mut it = reading(5_000);
    assert_eq!(it.last(), "ERROR line 04999");
    assert!(it.screen().contains("FOLLOW"));
    assert_eq!(it.streams.len(), 1);
    add(&mut it, 5_000..5_020);
    assert_eq!(it.last(), "line 05019");
    let own = *it.streams.keys().next().unwrap();
    it.press("q");
    assert!(
        !it.streams.contains_key(&own) && it.streams.len() == 1,
        "a view that is left hears nothing, the pane below it does again"
    );
    assert!(it.desk.model.screens.is_empty());
}

/// Acceptance check 9.
#[test]
fn check_09_paused_the_top_line_stays_through_lines_sizes_wrap_streams_and_filters() {
    let mut it = reading(5_000);
    it.press("PgUp PgUp");
    let before = it.top();
    add(&mut it, 5_000..5_050);
    assert_eq!(it.top(), before);
    assert!(it.screen().contains("PAUSED +50 new"), "{}", it.screen());
    for (width, height) in [(120, 40), (60, 14), (200, 60), (40, 12), (80, 24)] {
        it.desk.resize(width, height);
        it.serve();
        assert_eq!(it.top(), before, "{width}x{height}");
    }
    for key in ["w", "w", "t", "t", "t", "t", "t"] {
        it.press(key);
        assert_eq!(it.top(), before, "{key}");
    }
    let number: u64 = before[before.len() - 5..].parse().unwrap();
    let near = |it: &Reading| {
        let top = it.top();
        let top: u64 = top[top.len() - 5..].parse().unwrap();
        assert!((number..number + 10).contains(&top), "{before}: {top}");
    };
    it.press("o");
    near(&it);
    it.press("o");
    near(&it);
    assert!(it.texts().iter().all(|text| text.starts_with("ERROR")));
    it.press("o");
    assert_eq!(it.top(), before);
    it.prompt("&", "[05]$");
    near(&it);
    let all = it.texts();
    assert!(all.iter().all(|t| t.ends_with('5') || t.ends_with('0')));
    it.prompt("&", "");
    assert_eq!(it.top(), before);
    it.press("L L");
    near(&it);
    let all = it.texts();
    assert!(
        all.iter().any(|text| !text.starts_with("ERROR")),
        "what has no level stays"
    );
}

/// Acceptance check 10.
#[test]
fn check_10_moving_down_onto_the_last_line_does_not_follow_and_g_does() {
    let mut it = reading(100);
    it.press("k j j PgDn PgDn");
    assert_eq!(it.last(), "ERROR line 00099");
    add(&mut it, 100..101);
    assert_eq!(it.last(), "ERROR line 00099");
    assert!(it.screen().contains("PAUSED +1 new"));
    it.press("G");
    assert_eq!(it.last(), "line 00100");
    assert!(it.screen().contains("FOLLOW"));
    it.press("f");
    assert!(it.screen().contains("PAUSED at the end, G follows"));
    it.press("f");
    assert!(it.screen().contains("FOLLOW"));
}

#[test]
fn paging_goes_beyond_memory_in_both_directions_and_memory_is_bounded() {
    let mut it = reading(22_000);
    it.desk.resize(200, 60);
    let mut seen = u64::MAX;
    for _ in 0..1_000 {
        it.press("PgUp");
        let top = it.top();
        let Ok(number) = top[top.len().saturating_sub(5)..].parse::<u64>() else {
            panic!("{}", it.screen());
        };
        assert!(number < seen || number == 0, "{number} after {seen}");
        seen = number;
        if number == 0 {
            break;
        }
    }
    assert_eq!(seen, 0, "the first line is reached");
    assert!(pane(&it).buffer.len() <= 20_000);
    it.press("g");
    assert_eq!(it.top(), "line 00000");
    let mut count = 0;
    while it.last() != "ERROR line 21999" {
        it.press("PgDn");
        count += 1;
        assert!(count < 1_000, "{}", it.screen());
    }
    add(&mut it, 22_000..22_001);
    it.press("PgDn");
    assert_eq!(it.last(), "line 22000", "the stream goes on at the end");
}

#[test]
fn lines_that_come_while_a_reader_is_far_away_are_counted_and_read_later() {
    let mut it = reading(22_000);
    it.press("g");
    let before = it.top();
    add(&mut it, 22_000..44_000);
    assert_eq!(it.top(), before);
    assert!(it.screen().contains("PAUSED +22000 new"), "{}", it.screen());
    it.press("G");
    assert_eq!(it.last(), "line 43999");
    add(&mut it, 44_000..44_001);
    assert_eq!(it.last(), "line 44000");
}

#[test]
fn a_search_goes_through_the_whole_log_and_counts() {
    let mut it = reading(5_000);
    it.prompt("/", "line 00[23]77");
    assert_eq!(pointed(&it), "line 00377");
    let screen = it.screen();
    assert!(screen.contains("/line 00[23]77  2/2"), "{screen}");
    it.press("N");
    assert_eq!(pointed(&it), "line 00277");
    assert!(it.screen().contains("  1/2"));
    it.press("N");
    assert!(it.screen().contains("no hit before this line"));
    it.press("n");
    assert_eq!(pointed(&it), "line 00377");
    it.press("Esc Esc");
    assert!(!it.screen().contains("00[23]77"), "{}", it.screen());
}

#[test]
fn a_search_is_cancelled_and_says_how_far_it_came() {
    let mut it = reading(5_000);
    it.library.slow = true;
    it.prompt("/", "ERROR");
    let screen = it.screen();
    assert!(screen.contains("/ERROR  500/500\u{2026}"), "{screen}");
    it.desk.press("Esc");
    let closed = |c: &Cmd| matches!(c, Cmd::Close { .. });
    assert!(
        it.desk.wanted.iter().any(closed),
        "the daemon stops looking"
    );
    let screen = it.screen();
    assert!(screen.contains("/ERROR  500/500+"), "{screen}");
}

#[test]
fn a_pattern_that_is_none_is_said_while_it_can_be_corrected() {
    let mut it = reading(100);
    for key in ["/", "&", "H"] {
        it.prompt(key, "(");
        assert!(it.screen().contains("unclosed group"), "{}", it.screen());
        it.press("Backspace Backspace");
        assert!(it.desk.is_browsing());
    }
}

#[test]
fn errors_and_runs_are_found_wherever_they_are() {
    let mut it = reading(5_000);
    it.press("E");
    assert_eq!(pointed(&it), "ERROR line 04989");
    it.press("E e");
    assert_eq!(pointed(&it), "ERROR line 04989");
    it.press("[");
    assert_eq!(pointed(&it), "line 04000");
    let screen = it.screen();
    assert!(
        screen.contains("cron run 4: exit 1, up 2m 17s \u{2192} run 5: restart by ops"),
        "{screen}"
    );
    it.press("[");
    assert_eq!(pointed(&it), "line 03000");
    it.press("]");
    assert_eq!(pointed(&it), "line 04000");
    it.press("g [");
    assert!(it.screen().contains("no run before this line"));
}

#[test]
fn marks_stay_on_their_lines_and_are_gone_to() {
    let mut it = reading(22_000);
    it.press("E m");
    let first = pointed(&it);
    assert!(it.screen().contains("err* ERROR"), "{}", it.screen());
    it.press("g m '");
    assert_eq!(pointed(&it), first);
    it.press("'");
    assert_eq!(pointed(&it), "line 00000");
    it.press("m ' m '");
    assert!(it.screen().contains("no line is marked"));
}

#[test]
fn a_time_is_gone_to() {
    let mut it = reading(5_000);
    // 137 ms a line.
    it.prompt("T", "12:04:35");
    assert_eq!(pointed(&it), "line 00030", "{}", it.screen());
    it.prompt("T", "noon");
    assert!(it.screen().contains("14:05"), "{}", it.screen());
}

#[test]
fn other_screens_open_it_at_a_moment() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    desk.wanted.clear();
    let library = library(5_000);
    let moment = library.lines[1_234].time.unwrap();
    let mut commands = vec![];
    let (select, name) = ("5".to_owned(), "cron".to_owned());
    log_view::open_at(&mut desk.model, select, name, moment, &mut commands);
    desk.wanted = commands;
    let it = Reading::behind(desk, library);
    assert_eq!(pointed(&it), "line 01234");
    assert!(it.screen().contains("PAUSED"));
}

#[test]
fn long_lines_are_wrapped_or_moved_and_lines_that_follow_do_not_undo_that() {
    let mut it = reading(10);
    let long = format!("{}END", "abcdefghij".repeat(30));
    it.library.write(5, "cron", Out, 1, &long);
    it.flow();
    assert!(!it.screen().contains("END"));
    it.press("$");
    assert!(it.screen().contains("END"), "{}", it.screen());
    add(&mut it, 10..12);
    assert!(it.screen().contains("END"));
    it.press("0");
    assert!(!it.screen().contains("END"));
    it.press("l l l l l l l l l");
    assert!(it.screen().contains("END"));
    it.press("w");
    let screen = it.screen();
    assert!(
        screen.contains("END") && screen.contains("\u{254e} "),
        "{screen}"
    );
    add(&mut it, 12..13);
    assert!(it.screen().contains("END"));
}

#[test]
fn enter_shows_the_line_with_its_fields_and_keys_step_through_lines() {
    let mut it = reading(10);
    let json = r#"{"level":"error","msg":"no ledger","after_ms":1500}"#;
    it.library.write(5, "cron", Out, 1, json);
    it.flow();
    it.press("Enter");
    let screen = it.screen();
    assert!(screen.contains("after_ms 1500"), "{screen}");
    assert!(screen.contains("Enter closes"));
    let cursor = it.library.lines.last().unwrap().cursor();
    assert!(screen.contains(&format!("cursor {cursor}")), "{screen}");
    let first = "0 similar in the minute before, this is the first";
    assert!(screen.contains(first), "{screen}");
    it.press("k");
    assert!(it.screen().contains("ERROR line 00009"));
    assert!(!it.screen().contains("after_ms 1500"));
    it.press("k");
    let eight = "8 similar in the minute before, the first at 12:04:31.000";
    assert!(it.screen().contains(eight), "{}", it.screen());
    it.press("j");
    it.press("Enter");
    assert!(!it.screen().contains("Enter closes"));
}

#[test]
fn all_of_a_very_long_line_is_fetched_when_it_is_opened() {
    let mut it = reading(10);
    let long = format!("{}END", "x".repeat(20_000));
    it.library.write(5, "cron", Out, 1, &long);
    it.flow();
    it.desk.resize(200, 60);
    it.press("w");
    assert!(it.screen().contains("+11811 bytes"), "{}", it.screen());
    it.press("w Enter");
    assert!(!it.screen().contains("END"));
    it.desk.resize(80, 24);
    let mut pages = 0;
    while !it.screen().contains("END") {
        it.press("PgDn");
        pages += 1;
        assert!(pages < 100, "{}", it.screen());
    }
    it.press("PgUp PgUp");
    assert!(!it.screen().contains("END"));
}

#[test]
fn a_gap_is_shown_and_filled() {
    let mut it = reading(100);
    for n in 100..150 {
        let text = format!("line {n:05}");
        it.library.write(5, "cron", Out, 1, &text);
    }
    let mut last = it.library.lines.last().unwrap().clone();
    last.gap = 49;
    let ticket = *it.streams.keys().next_back().unwrap();
    it.desk.send(Msg::Streamed {
        ticket,
        lines: vec![last],
    });
    assert!(it.screen().contains("49 lines not sent"), "{}", it.screen());
    it.press("Enter");
    assert!(!it.screen().contains("not sent"));
    assert!(it.screen().contains("line 00100"), "{}", it.screen());
    it.press("G");
    assert_eq!(it.last(), "line 00149");
    assert!(it.screen().contains("line 00148"), "{}", it.screen());
}

/// Acceptance check 35, as far as no terminal is needed.
#[test]
fn panes_stand_at_the_same_time() {
    let mut it = reading(0);
    for n in 0..2_000 {
        let (id, name) = if n % 2 == 0 {
            (5, "cron")
        } else {
            (6, "mailer")
        };
        it.library.write(id, name, Out, 1, &format!("line {n:05}"));
    }
    it.flow();
    it.desk.resize(120, 40);
    it.desk.wait(120_000);
    it.press("G");
    it.prompt("p", "mailer");
    assert!(it.screen().contains("2 mailer"), "{}", it.screen());
    it.prompt("T", "12:04:55");
    let near = |row: &&String| row.contains("00176") || row.contains("00177");
    let count = it.texts().iter().filter(near).count();
    assert_eq!(count, 2, "both panes stand there: {}", it.screen());
    it.press("\\");
    let both = |row: &str| row.matches("out\u{2502}").count() == 2;
    assert!(it.screen().lines().any(both));
    it.press("Tab P");
    assert!(!it.screen().contains("2 mailer"));
    assert_eq!(it.streams.len(), 1);
    it.press("P");
    assert!(it.screen().contains("the only pane"));
    for _ in 0..3 {
        it.prompt("p", "all");
    }
    it.prompt("p", "all");
    assert!(it.screen().contains("4 panes at most"));
}

#[test]
fn a_lost_connection_keeps_the_place_and_lines_are_not_there_twice() {
    let mut it = reading(1_000);
    it.press("PgUp");
    let before = it.top();
    it.desk.lose();
    it.serve();
    let streams: Vec<_> = it.streams.keys().copied().collect();
    for ticket in streams {
        it.streams.remove(&ticket);
        it.desk.send(Msg::StreamOver { ticket });
    }
    it.serve();
    for n in 1_000..1_010 {
        let text = format!("line {n:05}");
        it.library.write(5, "cron", Out, 1, &text);
    }
    let all = Box::new(snapshot(everything()));
    it.desk.push(crate::api::Push::Snapshot(all));
    it.serve();
    assert_eq!(it.top(), before);
    assert!(it.screen().contains("PAUSED +10 new"), "{}", it.screen());
    it.press("G");
    assert_eq!(it.last(), "line 01009");
    let texts = it.texts();
    let mut once = texts.clone();
    once.dedup();
    assert_eq!(texts, once);
}

#[test]
fn what_is_like_a_line_is_counted_as_far_as_memory_goes() {
    let mut it = reading(5_000);
    it.press("k Enter");
    let screen = it.screen();
    // A line each 137 ms, nine of ten of them alike.
    assert!(
        screen.contains("394 similar in the minute before, the first in memory at"),
        "{screen}"
    );
    // What adasa says has a page of its own.
    let what = crate::api::What::Note {
        text: "SIGHUP by ops".into(),
    };
    let mut it = reading(3);
    let event = it.library.happen(5, "cron", what);
    it.desk.send(Msg::Push(crate::api::Push::Event { event }));
    it.press("Enter");
    let screen = it.screen();
    assert!(screen.contains("process cron   said by adasa"), "{screen}");
}
