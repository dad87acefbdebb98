//! The log pane of the main screen: what it follows, and where it stands when it does not.

use crate::domain::spec::Stream::{Err, Out};
use crate::tui::model::Focus;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Query;
use crate::tui::regions::regions;
use crate::tui::screens::Screen;

use super::desk::{Desk, line};
use super::library::{Library, Reading};

/// So many lines of one process, every third an error.
fn library(lines: u64) -> Library {
    let mut library = Library::default();
    add(&mut library, 0..lines);
    library
}

fn add(library: &mut Library, lines: std::ops::Range<u64>) {
    for n in lines {
        let stream = if n.is_multiple_of(3) { Err } else { Out };
        library.write(5, "cron", stream, 1, &format!("line {n}"));
    }
}

/// The pane of a process that wrote so many lines; it has the keys.
fn reading(lines: u64) -> Reading {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    desk.press("l");
    let it = Reading::behind(desk, library(lines));
    assert_eq!(it.last(), format!("line {}", lines - 1));
    it
}

fn more(it: &mut Reading, lines: std::ops::Range<u64>) {
    add(&mut it.library, lines);
    it.flow();
}

fn number(text: &str) -> u64 {
    text[5..].parse().unwrap()
}

fn follows(it: &Reading) -> bool {
    it.desk.model.logs.pane().unwrap().is_following()
}

#[test]
fn following_shows_the_newest() {
    let mut it = reading(100);
    more(&mut it, 100..101);
    assert_eq!(it.last(), "line 100");
    assert!(it.screen().contains("FOLLOW"));
}

#[test]
fn paused_the_top_line_stays() {
    for pause in ["k", "f", "PgUp", "^U", "g"] {
        let mut it = reading(100);
        it.press(pause);
        let before = it.top();
        for n in 100..150 {
            more(&mut it, n..n + 1);
            assert_eq!(it.top(), before, "{pause}");
        }
        assert!(it.screen().contains("PAUSED +50 new"), "{}", it.screen());
        for (width, height) in [(120, 40), (60, 14), (200, 60), (80, 24)] {
            it.desk.resize(width, height);
            it.serve();
            assert_eq!(it.top(), before, "{pause} at {width}x{height}");
        }
        it.press("t");
        assert_eq!(it.top(), before);
        it.press("z");
        assert_eq!(it.top(), before);
    }
}

#[test]
fn it_pages_through_all_that_is_kept_and_back() {
    let mut it = reading(30_000);
    it.press("g");
    assert_eq!(it.top(), "line 0");
    for _ in 0..200 {
        it.press("PgDn");
    }
    let there = number(&it.top());
    assert!((1_000..3_000).contains(&there), "{there}");
    it.press("k");
    assert_eq!(number(&it.top()), there - 1);
    it.press("G");
    assert_eq!(it.last(), "line 29999");
    more(&mut it, 30_000..30_001);
    assert_eq!(it.last(), "line 30000");
}

#[test]
fn it_searches_and_filters_as_the_whole_view_does() {
    let mut it = reading(5_000);
    it.prompt("/", "line 1234$");
    let pointed = it.desk.model.logs.pane().unwrap().pointed().unwrap();
    assert_eq!(pointed.text.plain(), "line 1234");
    assert!(it.screen().contains("/line 1234$  1/1"), "{}", it.screen());
    it.press("Esc G");
    it.prompt("&", "7$");
    assert!(it.texts().iter().all(|text| text.ends_with('7')));
    assert!(it.screen().contains("&7$"), "{}", it.screen());
}

#[test]
fn another_stream_shows_the_nearest_line() {
    let mut it = reading(100);
    it.press("PgUp PgUp PgUp PgUp");
    let both = it.top();
    let before = number(&both);
    it.press("o");
    let out = number(&it.top());
    assert!((before..before + 2).contains(&out), "{before} {out}");
    it.press("o");
    let err = number(&it.top());
    assert!((before..before + 3).contains(&err), "{before} {err}");
    it.press("o");
    assert_eq!(it.top(), both);
}

#[test]
fn moving_onto_the_last_line_does_not_follow() {
    let mut it = reading(100);
    it.press("k j");
    assert_eq!(it.last(), "line 99");
    for _ in 0..20 {
        it.press("j PgDn ^D");
    }
    assert!(!follows(&it));
    more(&mut it, 100..101);
    assert_eq!(it.last(), "line 99");
    it.press("G");
    assert!(follows(&it));
    assert_eq!(it.last(), "line 100");
}

#[test]
fn f_pauses_and_follows() {
    let mut it = reading(100);
    it.press("f");
    assert!(!follows(&it));
    it.press("f");
    assert!(follows(&it));
    it.press("j PgDn");
    assert!(follows(&it), "down at the end is no pause");
}

/// Each log is found again where it was left; one that was followed is followed.
#[test]
fn a_log_that_was_left_is_found_where_it_was() {
    let mut it = reading(3_000);
    it.press("PgUp PgUp PgUp");
    let before = it.top();
    it.press("Tab j");
    it.desk.wait(200);
    it.serve();
    assert_eq!(it.texts(), Vec::<String>::new());
    assert_eq!(it.streams.len(), 1, "what is left is not listened to");
    more(&mut it, 3_000..3_100);
    it.press("k");
    it.desk.wait(200);
    it.serve();
    assert_eq!(it.top(), before);
    it.press("Tab G Tab j");
    it.desk.wait(200);
    it.serve();
    it.press("k");
    it.desk.wait(200);
    it.serve();
    assert_eq!(it.last(), "line 3099");
}

#[test]
fn the_whole_view_begins_where_the_pane_stands() {
    let mut it = reading(3_000);
    it.prompt("/", "line 700$");
    it.press("Enter");
    let Some(Screen::Logs(view)) = it.desk.model.screens.last() else {
        panic!("no log view");
    };
    let pointed = view.pane().unwrap().pointed().unwrap();
    assert_eq!(pointed.text.plain(), "line 700");
}

#[test]
fn the_pane_comes_after_the_selection_has_settled() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.wanted.clear();
    for _ in 0..5 {
        desk.press("j");
        desk.wait(100);
    }
    assert!(desk.wanted.is_empty(), "no subscription per step");
    desk.wait(20);
    let asked = desk.wanted.iter().find_map(|command| match command {
        Cmd::Fetch {
            query: Query::LogPage(query),
            ..
        } => Some(query.select.clone()),
        _ => None,
    });
    assert_eq!(asked, desk.model.scope().map(|scope| scope.0));
}

#[test]
fn lines_of_an_older_subscription_are_not_shown() {
    let mut it = reading(100);
    let (_, old) = it.desk.model.logs.pane().unwrap().tickets();
    it.press("Tab j");
    it.desk.wait(200);
    it.serve();
    it.desk.send(Msg::Streamed {
        ticket: old.unwrap(),
        lines: vec![line(500, "cron", Out, "line 500")],
    });
    assert!(!it.screen().contains("line 500"));
}

#[test]
fn only_several_names_have_a_column() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.logs(vec![line(0, "api-0", Out, "one")]);
    assert!(!desk.screen().contains("api-0 out"));
    desk.logs(vec![line(100, "api-1", Out, "other")]);
    let screen = desk.screen();
    assert!(screen.contains("api-1 out\u{2502} other"), "{screen}");
}

/// What is passed over stands between the lines; the whole view fills it.
#[test]
fn a_gap_is_marked() {
    let mut desk = Desk::new();
    desk.wait(200);
    let mut behind = line(9, "api-0", Out, "behind");
    behind.gap = 1204;
    desk.logs(vec![line(0, "api-0", Out, "before"), behind]);
    assert!(desk.screen().contains("1204 lines not sent"));
}

/// Keys go where something is seen to take them.
#[test]
fn the_keys_are_never_in_a_pane_that_is_not_there() {
    let mut it = reading(100);
    it.desk.resize(40, 12);
    it.desk.press("q");
    let focus = it.desk.model.focus;
    let seen = regions(&it.desk.model).logs.is_some();
    assert!(
        seen || focus == Focus::Table,
        "the keys are in {focus:?}, which is not drawn"
    );
    it.desk.resize(80, 24);
    it.desk.press("Tab");
    it.desk.resize(40, 12);
    it.desk.press("Esc Esc l q x");
    assert_eq!(it.desk.ask().targets.len(), 1, "x is of the table again");
}

/// So many lines in one second; every seventh an error, every hundredth another word.
fn flood(it: &mut Reading, lines: u64) {
    let from = it.library.lines.len();
    for n in 0..lines {
        let (stream, text) = match n {
            n if n % 7 == 3 => (Err, "refused".to_owned()),
            n if n % 100 == 50 => (Out, "a rest".to_owned()),
            n => (Out, format!("batch {n} of {} applied", n * 3)),
        };
        it.library.write(5, "cron", stream, 1, &text);
    }
    let first = it.library.lines[from].time.unwrap() / 1000 * 1000 + 1000;
    for (n, line) in it.library.lines[from..].iter_mut().enumerate() {
        line.time = Some(first + n as u64 * 1000 / lines);
    }
    it.flow();
}

#[test]
fn in_a_flood_similar_lines_are_one_and_errors_never() {
    let mut it = reading(100);
    assert!(!it.screen().contains("similar"), "{}", it.screen());
    flood(&mut it, 900);
    let screen = it.screen();
    assert!(screen.contains("similar as one"), "{screen}");
    assert!(screen.contains("\u{d7}6 similar"), "{screen}");
    let errors = it
        .texts()
        .iter()
        .filter(|t| t.as_str() == "refused")
        .count();
    let others = it.texts().len() - errors;
    assert!(
        errors >= others.saturating_sub(1),
        "an error between any two: {screen}"
    );
    assert!(
        it.texts()
            .iter()
            .all(|text| !text.starts_with("refused \u{d7}"))
    );
    // The same lines, one by one.
    it.press("s s");
    assert!(!it.screen().contains("\u{d7}6"), "{}", it.screen());
    it.press("s");
    assert!(it.screen().contains("\u{d7}6"));
}

#[test]
fn a_flood_that_ends_is_shown_line_by_line_and_a_paused_one_stays_as_it_was() {
    let mut it = reading(100);
    flood(&mut it, 900);
    it.press("k");
    let paused = it.texts();
    flood(&mut it, 10);
    flood(&mut it, 10);
    assert_eq!(it.texts(), paused);
    it.press("G");
    flood(&mut it, 10);
    flood(&mut it, 10);
    flood(&mut it, 10);
    let last = it.texts();
    assert!(!it.screen().contains("similar"), "{last:?}");
}

/// Every row is reached by single steps, in both directions, and what is folded is passed over.
#[test]
fn folded_lines_can_be_walked_through() {
    let mut it = reading(100);
    it.press("s");
    flood(&mut it, 700);
    it.press("g");
    let top = it.top();
    let mut seen = vec![top.clone()];
    for _ in 0..400 {
        it.press("j");
        seen.push(it.top());
    }
    for _ in 0..400 {
        it.press("k");
    }
    assert_eq!(it.top(), top);
    seen.dedup();
    assert!(seen.len() > 150, "{}", seen.len());
    it.press("l w PgDn PgDn G k k v k y");
    assert!(it.screen().contains("PAUSED"), "{}", it.screen());
}
