//! The log pane: what it follows, and where it stands when it does not.

use crate::api::LogLine;
use crate::domain::spec::Stream::{self, Err, Out};
use crate::tui::model::Focus;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::regions::regions;

use super::desk::{Desk, line};

fn both(n: u64) -> LogLine {
    let stream = if n.is_multiple_of(3) { Err } else { Out };
    line(n, "api-0", stream, &format!("line {n}"))
}

fn height(desk: &Desk) -> usize {
    regions(&desk.model)
        .logs
        .map_or(0, |area| usize::from(area.height))
}

/// What is at the top of the pane.
fn top(desk: &Desk) -> String {
    let lines = desk.model.logs.visible(height(desk));
    lines
        .first()
        .map_or_else(String::new, |line| line.text.plain())
}

fn last(desk: &Desk) -> String {
    let lines = desk.model.logs.visible(height(desk));
    lines
        .last()
        .map_or_else(String::new, |line| line.text.plain())
}

/// A hundred lines, the pane has the keys.
fn reading() -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.press("l");
    desk.logs((0..100).map(both).collect());
    assert_eq!(last(&desk), "line 99");
    desk
}

#[test]
fn following_shows_the_newest() {
    let mut desk = reading();
    desk.logs(vec![both(100)]);
    assert_eq!(last(&desk), "line 100");
    assert!(desk.screen().contains("FOLLOW"));
}

#[test]
fn paused_the_top_line_stays() {
    for pause in ["k", "f", "PgUp", "^U", "g"] {
        let mut desk = reading();
        desk.press(pause);
        let before = top(&desk);
        for n in 100..150 {
            desk.logs(vec![both(n)]);
            assert_eq!(top(&desk), before, "{pause}");
        }
        assert_eq!(desk.model.logs.new_lines(), 50);
        assert!(desk.screen().contains("PAUSED +50 new"));
        for (width, height) in [(120, 40), (60, 14), (200, 60), (80, 24)] {
            desk.resize(width, height);
            assert_eq!(top(&desk), before, "{pause} at {width}x{height}");
        }
        desk.press("t");
        assert_eq!(top(&desk), before);
        desk.press("z");
        assert_eq!(top(&desk), before);
    }
}

fn stream_of(desk: &Desk) -> Option<Stream> {
    desk.model.logs.stream
}

#[test]
fn paused_another_stream_shows_the_nearest_line() {
    let mut desk = reading();
    desk.press("PgUp PgUp PgUp PgUp");
    let before: u64 = top(&desk)[5..].parse().unwrap();
    let both_streams = top(&desk);
    desk.press("o");
    assert_eq!(stream_of(&desk), Some(Out));
    let out: u64 = top(&desk)[5..].parse().unwrap();
    assert!((before..before + 2).contains(&out), "{before} {out}");
    desk.press("o");
    assert_eq!(stream_of(&desk), Some(Err));
    let err: u64 = top(&desk)[5..].parse().unwrap();
    assert!((before..before + 3).contains(&err), "{before} {err}");
    desk.press("o");
    assert_eq!(top(&desk), both_streams);
}

/// Nothing of the other stream comes after the place: what came before it is nearer than an empty pane.
#[test]
fn paused_behind_the_last_line_of_a_stream_is_not_empty() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.press("l");
    desk.logs((0..5).map(|n| line(n, "api-0", Err, "early")).collect());
    desk.logs((5..100).map(|n| line(n, "api-0", Out, "late")).collect());
    desk.press("k o o");
    assert_eq!(stream_of(&desk), Some(Err));
    assert_eq!(top(&desk), "early");
    assert!(!desk.screen().contains("no output yet"));
}

#[test]
fn moving_onto_the_last_line_does_not_follow() {
    let mut desk = reading();
    desk.press("k j");
    assert_eq!(last(&desk), "line 99");
    for _ in 0..20 {
        desk.press("j PgDn ^D");
    }
    assert!(!desk.model.logs.is_following());
    desk.logs(vec![both(100)]);
    assert_eq!(last(&desk), "line 99");
    desk.press("G");
    assert!(desk.model.logs.is_following());
    assert_eq!(last(&desk), "line 100");
}

#[test]
fn f_pauses_and_follows() {
    let mut desk = reading();
    desk.press("f");
    assert!(!desk.model.logs.is_following());
    desk.press("f");
    assert!(desk.model.logs.is_following());
    desk.press("j PgDn");
    assert!(
        desk.model.logs.is_following(),
        "down at the end is no pause"
    );
}

#[test]
fn the_oldest_go_and_the_place_stays_while_it_can() {
    let mut desk = reading();
    desk.press("k");
    let before = top(&desk);
    desk.logs((100..9_900).map(both).collect());
    assert_eq!(top(&desk), before);
    desk.logs((9_900..40_000).map(both).collect());
    assert_eq!(top(&desk), "line 30000", "its nearest neighbour");
    assert!(!desk.model.logs.is_following());
}

#[test]
fn bytes_are_bounded_too() {
    let mut desk = reading();
    let long = "x".repeat(100_000);
    desk.logs((0..2_000).map(|n| line(n, "api-0", Out, &long)).collect());
    let kept = desk.model.logs.visible(usize::MAX).len();
    assert!(kept < 600, "{kept} lines of 8 KiB");
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
    let [Cmd::Follow { generation, select }] = desk.wanted.as_slice() else {
        panic!("{:?}", desk.wanted);
    };
    assert_eq!(*generation, desk.model.logs.generation);
    assert_eq!(Some(select), desk.model.scope().map(|s| s.0).as_ref());
}

#[test]
fn lines_of_an_older_subscription_are_not_shown() {
    let mut desk = reading();
    let generation = desk.model.logs.generation;
    desk.press("Tab j");
    desk.wait(200);
    desk.send(Msg::Lines {
        generation,
        lines: vec![both(500)],
    });
    assert!(!desk.screen().contains("line 500"));
}

#[test]
fn only_several_names_have_a_column() {
    let mut desk = reading();
    assert!(!desk.screen().contains("api-0 out"));
    desk.logs(vec![line(100, "api-1", Out, "other")]);
    assert!(
        desk.screen().contains("api-1 out\u{2502} other"),
        "{}",
        desk.screen()
    );
}

/// Keys go where something is seen to take them.
#[test]
fn the_keys_are_never_in_a_pane_that_is_not_there() {
    let mut desk = reading();
    desk.resize(40, 12);
    desk.press("q");
    let focus = desk.model.focus;
    assert!(
        height(&desk) > 0 || focus == Focus::Table,
        "the keys are in {focus:?}, which is not drawn"
    );
    desk.resize(80, 24);
    desk.press("Tab");
    desk.resize(40, 12);
    desk.press("Esc Esc l q x");
    assert_eq!(desk.ask().targets.len(), 1, "x is of the table again");
}
