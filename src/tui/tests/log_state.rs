//! What a log view says of itself: how runs ended, whether it is at the end, how much of a flood is shown.

use crate::domain::spec::Stream::{Err, Out};

use super::desk::{Desk, noon_ms};
use super::library::{Library, Reading};

fn reading(lines: u64) -> Reading {
    let mut library = Library::default();
    for n in 0..lines {
        library.write(5, "cron", Out, 1 + n / 30, &format!("line {n:05}"));
    }
    let mut desk = Desk::new();
    desk.select(5);
    Reading::open(desk, library)
}

#[test]
fn the_rule_between_two_runs_says_how_the_one_ended_and_who_began_the_other() {
    let mut it = reading(100);
    it.press("[");
    let screen = it.screen();
    let told = "run 3: exit 1, up 2m 17s \u{2192} run 4: restart by ops\u{241b}[2J";
    assert!(screen.contains(told), "{screen}");
    let asked = it.asked_endings.len();
    it.press("k j k j PgUp PgDn");
    assert_eq!(it.asked_endings.len(), asked, "it is asked once");
    // Of the oldest nothing is remembered.
    it.press("[ [");
    let screen = it.screen();
    assert!(screen.contains("run 1 is over \u{2192} run 2"), "{screen}");
}

#[test]
fn at_the_end_it_says_so_and_does_not_follow_by_itself() {
    let mut it = reading(100);
    it.press("PgUp");
    assert!(it.screen().contains("PAUSED +0 new"), "{}", it.screen());
    it.press("PgDn PgDn");
    assert!(
        it.screen().contains("PAUSED at the end, G follows"),
        "{}",
        it.screen()
    );
    it.library.write(5, "cron", Out, 4, "one more");
    it.flow();
    assert!(it.screen().contains("PAUSED +1 new"), "{}", it.screen());
    it.press("G");
    assert!(it.screen().contains("FOLLOW"), "{}", it.screen());
}

#[test]
fn a_flood_says_how_much_of_it_is_shown() {
    let mut it = reading(10);
    let second = noon_ms() / 1000 * 1000 + 60_000;
    for n in 0..40 {
        it.library.write(5, "cron", Out, 1, &format!("line {n}"));
        let line = it.library.lines.last_mut().unwrap();
        (line.time, line.gap) = (Some(second + n * 20), 24);
    }
    it.library.write(5, "cron", Out, 1, "the next second");
    it.library.lines.last_mut().unwrap().time = Some(second + 1000);
    it.flow();
    let screen = it.screen();
    assert!(screen.contains("FOLLOW 1000 lines/s, 4% shown"), "{screen}");
}

#[test]
fn where_errors_are_is_seen_without_colours_where_there_is_room() {
    let mut it = reading(200);
    for n in 0..9 {
        it.library.write(5, "cron", Err, 7, &format!("ERROR {n}"));
    }
    it.flow();
    // Else they are of the future.
    it.desk.model.wall_ms = noon_ms() + 60_000;
    it.desk.resize(120, 40);
    it.serve();
    let screen = it.screen();
    let strip = screen.lines().rev().find(|row| row.contains("9 errors"));
    let strip = strip.unwrap_or_else(|| panic!("{screen}"));
    let (_, after) = strip.split_once("9 errors ").unwrap();
    let signs: Vec<char> = after.trim_end().chars().collect();
    assert_eq!(signs.len(), 12, "{strip}");
    assert!(signs.contains(&'\u{2588}'), "{strip}");
}

#[test]
fn a_move_up_before_the_first_line_is_there_pauses_when_it_comes() {
    for (keys, word) in [
        ("l l k", "PAUSED"),
        ("l l PgUp", "PAUSED"),
        ("l l f", "PAUSED"),
        ("l l k G", "FOLLOW"),
        ("l l j", "FOLLOW"),
    ] {
        let mut library = Library::default();
        for n in 0..100 {
            library.write(5, "cron", Out, 1, &format!("line {n:05}"));
        }
        let mut desk = Desk::new();
        desk.select(5);
        desk.wait(200);
        desk.press(keys);
        let mut it = Reading::behind(desk, library);
        it.library.write(5, "cron", Out, 1, "one more");
        it.flow();
        assert!(it.screen().contains(word), "{keys}: {}", it.screen());
    }
}
