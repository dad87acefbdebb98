//! The log pane: whose lines, following, pausing.

use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::{COMMON, MEDIUM, Parrot, WIDE, live_dashboard, quit, select, status};

/// A parrot that has said fifty lines, selected, with the log pane focused and its last line on the screen.
fn reading(home: &Sandbox, size: (u16, u16)) -> (Parrot, Screen) {
    let mut parrot = Parrot::start(home, "parrot");
    let screen = live_dashboard(home, size, &["parrot"]);
    select(&screen, "parrot");
    parrot.say_lines("tick", 1..=50);
    screen.until(|text| text.contains("tick 0050") && text.contains("FOLLOW"));
    screen.keys("3");
    (parrot, screen)
}

/// The numbered lines that are on the screen, in order.
fn ticks(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.find("tick ").and_then(|at| line.get(at..at + 9)))
        .collect()
}

#[test]
fn the_pane_shows_the_lines_of_the_selected_process_and_follows() {
    let home = Sandbox::new();
    let mut cat = Parrot::start(&home, "cat-one");
    let mut dog = Parrot::start(&home, "dog-two");
    cat.say_lines("meow", 1..=3);
    dog.say_lines("woof", 1..=3);
    let mut screen = live_dashboard(&home, COMMON, &["cat-one", "dog-two"]);
    select(&screen, "cat-one");
    screen.until(|text| text.contains("meow 0003") && !text.contains("woof"));
    cat.say_lines("meow", 4..=4);
    screen.until(|text| text.contains("meow 0004"));
    select(&screen, "dog-two");
    screen.until(|text| text.contains("woof 0003") && !text.contains("meow"));
    cat.say_lines("meow", 5..=5);
    dog.say_lines("woof", 4..=40);
    screen.until(|text| text.contains("woof 0040") && !text.contains("meow"));
    quit(&mut screen);
}

#[test]
fn lines_written_before_the_dashboard_came_are_there() {
    let home = Sandbox::new();
    let mut parrot = Parrot::start(&home, "parrot");
    parrot.say_lines("tick", 1..=200);
    home.until_file("home/logs/default/parrot/0.out.log", |text| {
        text.contains("tick 0200")
    });
    let mut screen = live_dashboard(&home, COMMON, &["parrot"]);
    select(&screen, "parrot");
    screen.until(|text| ticks(text).last() == Some(&"tick 0200"));
    quit(&mut screen);
}

#[test]
fn both_streams_are_shown_and_told_apart() {
    let home = Sandbox::new();
    let script = "echo to-out; echo to-err >&2; exec sleep 100000";
    let args = ["start", "sh", "--name", "both", "--", "-c", script];
    crate::tty::done(&home, &args);
    let mut screen = live_dashboard(&home, COMMON, &["both"]);
    select(&screen, "both");
    let text = screen.until(|text| text.contains("to-out") && text.contains("to-err"));
    let line = |word: &str| {
        text.lines()
            .find(|line| line.contains(word))
            .expect("the line")
    };
    assert!(line("to-err").contains("err"), "{text}");
    assert_ne!(
        line("to-out").replace("to-out", ""),
        line("to-err").replace("to-err", ""),
        "{text}"
    );
    quit(&mut screen);
}

#[test]
fn moving_up_pauses_and_new_lines_do_not_move_the_page_until_follow() {
    let home = Sandbox::new();
    for size in [COMMON, MEDIUM] {
        let (mut parrot, mut screen) = reading(&home, size);
        screen.keys("kkk");
        let paused = screen.until(|text| text.contains("PAUSED") && !text.contains("tick 0050"));
        let page = ticks(&paused).join(",");
        assert!(!page.is_empty(), "a page of lines:\n{paused}");
        parrot.say_lines("tick", 51..=70);
        let later = screen.until(|text| text.contains("+20 new"));
        assert_eq!(
            ticks(&later).join(","),
            page,
            "new lines moved the page:\n{later}"
        );
        screen.keys("jjjjjjjjjj");
        let end = screen.seen_within(Duration::from_millis(400), |text| text.contains("FOLLOW"));
        assert!(
            end.is_err(),
            "moving down does not follow by itself:\n{}",
            screen.text()
        );
        screen.keys("G");
        screen.until(|text| text.contains("FOLLOW") && ticks(text).last() == Some(&"tick 0070"));
        parrot.say_lines("tick", 71..=71);
        screen.until(|text| ticks(text).last() == Some(&"tick 0071"));
        quit(&mut screen);
        crate::tty::done(&home, &["delete", "parrot"]);
        std::fs::remove_file(home.path("parrot.ear")).expect("the fifo of the deleted process");
        crate::tty::done(&home, &["flush"]);
    }
}

#[test]
fn f_follows_again_and_pauses() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = reading(&home, COMMON);
    screen.keys("f");
    screen.until(|text| text.contains("PAUSED"));
    parrot.say_lines("tick", 51..=60);
    screen.until(|text| text.contains("+10 new") && !text.contains("tick 0051"));
    screen.keys("f");
    screen.until(|text| text.contains("FOLLOW") && ticks(text).last() == Some(&"tick 0060"));
    quit(&mut screen);
}

#[test]
fn a_pause_survives_another_size() {
    let home = Sandbox::new();
    let (mut parrot, mut screen) = reading(&home, COMMON);
    screen.keys("kkkkkkkk");
    let paused = screen.until(|text| text.contains("PAUSED") && !text.contains("tick 0043"));
    let top = (*ticks(&paused).first().expect("a page of lines")).to_owned();
    screen.resize(MEDIUM);
    parrot.say_lines("tick", 51..=55);
    let larger = screen.until(|text| {
        text.contains("PAUSED")
            && text.contains("+5 new")
            && text.lines().next().is_some_and(|l| l.len() > 80)
    });
    assert_eq!(
        ticks(&larger).first(),
        Some(&top.as_str()),
        "the top line is the same:\n{larger}"
    );
    quit(&mut screen);
}

#[test]
fn lines_of_a_stopped_process_stay_readable() {
    let home = Sandbox::new();
    let mut parrot = Parrot::start(&home, "parrot");
    parrot.say_lines("tick", 1..=5);
    home.until_file("home/logs/default/parrot/0.out.log", |text| {
        text.contains("tick 0005")
    });
    crate::tty::done(&home, &["stop", "parrot"]);
    let mut screen = live_dashboard(&home, COMMON, &[]);
    screen.until(|text| status(text, "parrot") == Some("stopped"));
    select(&screen, "parrot");
    screen.until(|text| text.contains("tick 0005"));
    quit(&mut screen);
}

#[test]
fn a_flood_leaves_the_keys_working() {
    let home = Sandbox::new();
    let script =
        "i=0; while :; do i=$((i+1)); echo \"flood $i of many lines that nobody can read\"; done";
    crate::tty::done(
        &home,
        &["start", "sh", "--name", "flood", "--", "-c", script],
    );
    crate::tty::start_quiet(&home, "calm");
    let mut screen = live_dashboard(&home, COMMON, &["flood", "calm"]);
    select(&screen, "flood");
    screen.until(|text| text.contains("of many lines"));
    screen.keys("x");
    crate::tty::say_yes(&screen, "stop", "flood");
    screen.until(|text| status(text, "flood") == Some("stopped"));
    select(&screen, "calm");
    screen.until(|text| !text.contains("of many lines"));
    quit(&mut screen);
}

#[test]
fn standard_error_of_another_is_marked_behind_its_name_until_its_log_is_shown() {
    let home = Sandbox::new();
    let mut gate = home.fifo("gate");
    let body = format!(
        "while read line; do echo \"$line\" >&2; done <{}",
        home.path("gate").display()
    );
    let program = home.script("complains.sh", &body);
    home.start("complains", &program, &[]);
    crate::tty::start_quiet(&home, "quiet");
    let mut screen = live_dashboard(&home, COMMON, &["complains", "quiet"]);
    select(&screen, "quiet");
    screen.until(|text| text.contains("logs: quiet"));
    gate.say("it hurts");
    screen.until(|text| text.contains("complains' ") && !text.contains("quiet'"));
    select(&screen, "complains");
    screen.until(|text| text.contains("it hurts") && !text.contains("complains'"));
    select(&screen, "quiet");
    screen.until(|text| text.contains("logs: quiet"));
    gate.say("again");
    screen.until(|text| text.contains("complains' "));
    quit(&mut screen);
}

#[test]
fn on_a_large_screen_what_fails_has_a_pane_of_its_own_until_another_is_pinned() {
    let home = Sandbox::new();
    let program = home.script("fails.sh", "echo cannot connect >&2; exit 3");
    home.launch("fails", &program, &["--restart-delay", "100s"]);
    home.until_status("fails", "backoff");
    crate::tty::start_quiet(&home, "quiet");
    let mut screen = live_dashboard(&home, WIDE, &["quiet"]);
    select(&screen, "quiet");
    let text = screen.until(|text| text.contains("cannot connect") && text.contains("logs: quiet"));
    let title = text.lines().find(|row| row.contains("worst: fails"));
    let title = title.unwrap_or_else(|| panic!("no title:\n{text}"));
    assert!(title.contains("last run: exit 3 after "), "{title}");
    assert!(title.contains("next try in "), "{title}");
    screen.keys("p");
    screen.until(|text| text.contains("pinned: quiet") && !text.contains("cannot connect"));
    screen.keys("p");
    screen.until(|text| text.contains("worst: fails") && text.contains("cannot connect"));
    quit(&mut screen);
}
