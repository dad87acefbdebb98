//! Start, stop, restart, delete: what asks, what it asks, and who is hit.

use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::{
    COMMON, asks, done, footer, home_with, listed_status, live_dashboard, quit, say_yes, select,
    start_copies, status,
};

const THREE: [&str; 3] = ["alpha", "beta", "gamma"];

fn three() -> (Sandbox, Screen) {
    let home = home_with(&THREE);
    let screen = live_dashboard(&home, COMMON, &THREE);
    (home, screen)
}

#[test]
fn check_18_x_names_the_right_process_in_the_footer_and_esc_leaves_it_running() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("jx");
    let text = screen.until(|text| asks(text, "stop", "beta"));
    assert!(
        footer(&text).contains("stop beta"),
        "the question of one instance is in the footer:\n{text}"
    );
    let pid = home.pid("beta").to_string();
    assert!(
        footer(&text).contains(&pid),
        "the question names the pid {pid}:\n{text}"
    );
    screen.keys("\x1b");
    screen.until(|text| !asks(text, "stop", "beta"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("running"));
    assert_eq!(home.pid("beta").to_string(), pid);
    quit(&mut screen);
}

#[test]
fn check_19_x_then_y_stops_the_process_and_the_command_line_agrees() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("x");
    say_yes(&screen, "stop", "beta");
    // `sleep` obeys at once: its grace of 10 s and a second more would be too long by far.
    screen.within(Duration::from_secs(11), |text| {
        status(text, "beta") == Some("stopped")
    });
    // What the daemon knows of it, asked for by its id.
    screen.keys("O");
    screen.until(|text| text.contains("1 done") && text.contains("operation "));
    screen.keys("\x1b");
    screen.until(|text| status(text, "alpha") == Some("running"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("stopped"));
    for other in ["alpha", "gamma"] {
        assert_eq!(
            listed_status(&home, other).as_deref(),
            Some("running"),
            "{other} was not meant"
        );
    }
    quit(&mut screen);
}

#[test]
fn the_row_of_a_process_that_ignores_its_stop_signal_says_stopping_until_it_is_gone() {
    let home = home_with(&["alpha"]);
    let _never = home.fifo("never");
    let script = format!(
        "trap '' TERM; echo armed; read line <'{}'",
        home.path("never").display()
    );
    let args = [
        "start",
        "sh",
        "--name",
        "stubborn",
        "--stop-timeout",
        "3s",
        "--",
        "-c",
        &script,
    ];
    done(&home, &args);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "stubborn"]);
    select(&screen, "stubborn");
    screen.until(|text| text.contains("armed"));
    screen.keys("x");
    say_yes(&screen, "stop", "stubborn");
    screen.until(|text| status(text, "stubborn") == Some("stopping"));
    screen.until(|text| status(text, "stubborn") == Some("stopped"));
    assert_eq!(listed_status(&home, "stubborn").as_deref(), Some("stopped"));
    quit(&mut screen);
}

#[test]
fn a_y_typed_ahead_of_the_question_is_no_answer() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("xy");
    screen.until(|text| asks(text, "stop", "alpha"));
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    screen.keys("\x1b");
    screen.until(|text| !asks(text, "stop", "alpha"));
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn enter_is_no_answer_to_a_question() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("x");
    screen.until(|text| asks(text, "stop", "alpha"));
    screen.keys("\r\r");
    // Neither yes nor no: the question still stands and the process still runs.
    let gone = screen.seen_within(Duration::from_millis(600), |text| {
        !asks(text, "stop", "alpha")
    });
    assert!(
        gone.is_err(),
        "Enter took the question away:\n{}",
        screen.text()
    );
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    say_yes(&screen, "stop", "alpha");
    screen.until(|text| status(text, "alpha") == Some("stopped"));
    quit(&mut screen);
}

#[test]
fn any_other_key_takes_the_question_away_and_does_nothing_else() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("x");
    screen.until(|text| asks(text, "stop", "alpha"));
    screen.keys("n");
    screen.until(|text| !asks(text, "stop", "alpha"));
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn a_question_that_nobody_answers_goes_away_and_nothing_happens() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("x");
    screen.until(|text| asks(text, "stop", "alpha"));
    screen.until(|text| !asks(text, "stop", "alpha"));
    assert_eq!(listed_status(&home, "alpha").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn s_starts_a_stopped_process_without_asking() {
    let (home, mut screen) = three();
    done(&home, &["stop", "gamma"]);
    select(&screen, "gamma");
    screen.until(|text| status(text, "gamma") == Some("stopped"));
    screen.keys("s");
    screen.until(|text| status(text, "gamma") == Some("running"));
    assert_eq!(listed_status(&home, "gamma").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn s_does_nothing_to_a_running_process() {
    let (home, mut screen) = three();
    let before = home.row("alpha");
    select(&screen, "alpha");
    screen.keys("s?");
    screen.until(|text| text.contains("keep running"));
    let after = home.row("alpha");
    assert_eq!(
        (&before["pid"], &before["run"]),
        (&after["pid"], &after["run"])
    );
    screen.keys("\x1b");
    screen.until(|text| !text.contains("keep running"));
    quit(&mut screen);
}

#[test]
fn r_then_y_restarts_with_another_pid() {
    let (home, mut screen) = three();
    let (before, others) = (home.pid("beta"), [home.pid("alpha"), home.pid("gamma")]);
    select(&screen, "beta");
    screen.keys("r");
    say_yes(&screen, "restart", "beta");
    screen.until(|text| {
        let row = home.row("beta");
        let pid = row["pid"].as_i64();
        row["status"] == "running"
            && pid.is_some_and(|pid| pid != i64::from(before))
            && status(text, "beta") == Some("running")
    });
    assert_eq!(
        [home.pid("alpha"), home.pid("gamma")],
        others,
        "the others are untouched"
    );
    quit(&mut screen);
}

#[test]
fn a_verb_on_the_row_of_a_process_with_instances_asks_for_all_of_them_in_a_box() {
    let home = home_with(&["zeta"]);
    start_copies(&home, "api", 3);
    let instances = ["api-0", "api-1", "api-2"];
    let mut screen = live_dashboard(&home, COMMON, &instances);
    select(&screen, "api");
    screen.keys("x");
    let text = screen.until(|text| asks(text, "stop", "api"));
    assert!(
        text.contains("adasa stop api"),
        "the box shows the same as a command:\n{text}"
    );
    screen.keys("\r");
    let gone = screen.seen_within(Duration::from_millis(600), |text| {
        !asks(text, "stop", "api")
    });
    assert!(
        gone.is_err(),
        "Enter took the question away:\n{}",
        screen.text()
    );
    assert_eq!(listed_status(&home, "api-1").as_deref(), Some("running"));
    say_yes(&screen, "stop", "api");
    screen.until(|text| {
        instances
            .iter()
            .all(|name| status(text, name) == Some("stopped"))
    });
    for name in instances {
        assert_eq!(listed_status(&home, name).as_deref(), Some("stopped"));
    }
    assert_eq!(listed_status(&home, "zeta").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn check_21_delete_wants_the_name_typed_and_a_wrong_name_does_nothing() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("D");
    screen.until(|text| asks(text, "delete", "beta"));
    screen.keys("bet\r");
    screen.until(|text| asks(text, "delete", "beta") && text.contains("bet"));
    assert!(
        home.find_row("beta").is_some(),
        "half a name is not the name"
    );
    screen.keys("x\r");
    let gone = screen.seen_within(Duration::from_millis(600), |text| {
        !asks(text, "delete", "beta")
    });
    assert!(
        gone.is_err(),
        "a wrong name took the question away:\n{}",
        screen.text()
    );
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("running"));
    screen.keys("\x1b");
    screen.until(|text| !asks(text, "delete", "beta"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn check_21_delete_with_the_right_name_deletes_that_process_only() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("D");
    screen.until(|text| asks(text, "delete", "beta"));
    screen.keys("beta");
    screen.keys("\r");
    screen.until(|text| !asks(text, "delete", "beta") && status(text, "beta").is_none());
    assert_eq!(home.find_row("beta"), None);
    for other in ["alpha", "gamma"] {
        assert_eq!(
            listed_status(&home, other).as_deref(),
            Some("running"),
            "{other} was not meant"
        );
    }
    quit(&mut screen);
}

#[test]
fn a_process_deleted_elsewhere_takes_its_question_with_it() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("x");
    screen.until(|text| asks(text, "stop", "beta"));
    done(&home, &["delete", "beta"]);
    screen.until(|text| !asks(text, "stop", "beta") && status(text, "beta").is_none());
    quit(&mut screen);
}

#[test]
fn check_30_pasted_text_is_not_keys() {
    let (home, mut screen) = three();
    select(&screen, "alpha");
    screen.keys("\x1b[200~D y x y\x1b[201~");
    screen.keys("?");
    let text = screen.until(|text| text.contains("keep running"));
    for verb in ["delete", "stop"] {
        assert!(
            !asks(&text, verb, "alpha"),
            "a paste opened a question:\n{text}"
        );
    }
    screen.keys("\x1b");
    screen.until(|text| !text.contains("keep running"));
    for name in THREE {
        assert_eq!(listed_status(&home, name).as_deref(), Some("running"));
    }
    quit(&mut screen);
}

#[test]
fn check_30_a_torn_arrow_key_is_not_a_verb() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("\x1b");
    screen.keys("[D");
    screen.keys("?");
    let text = screen.until(|text| text.contains("keep running"));
    assert!(
        !asks(&text, "delete", "beta"),
        "half an arrow key opened a question:\n{text}"
    );
    screen.keys("\x1b");
    screen.until(|text| !text.contains("keep running"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("running"));
    quit(&mut screen);
}

#[test]
fn check_30_an_esc_that_comes_together_with_the_next_key_is_still_no() {
    let (home, mut screen) = three();
    select(&screen, "beta");
    screen.keys("x");
    screen.until(|text| asks(text, "stop", "beta"));
    // Long enough for `y` alone to be an answer.
    let gone = screen.seen_within(Duration::from_millis(400), |text| {
        !asks(text, "stop", "beta")
    });
    assert!(gone.is_err(), "the question went by itself");
    screen.keys("\x1by");
    screen.until(|text| !asks(text, "stop", "beta"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("running"));
    assert_eq!(home.row("beta")["restarts"], 0);
    screen.keys("\x1b?");
    screen.until(|text| text.contains("keep running"));
    screen.keys("\x1bq");
    assert_eq!(screen.wait_exit().code(), Some(0), "{}", screen.text());
}
