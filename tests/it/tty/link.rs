//! The connection: lost, back, and gone for good.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::sandbox::Sandbox;
use crate::tty::{
    COMMON, MEDIUM, asks, dashboard, done, home_with, is_live, listed_status, live_dashboard, quit,
    say_yes, select, selected, start_copies, status,
};

const THREE: [&str; 3] = ["alpha", "beta", "gamma"];

#[test]
fn check_27_a_daemon_that_is_killed_is_back_at_once_and_the_selection_stays() {
    let home = home_with(&THREE);
    let pids = THREE.map(|name| home.pid(name));
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    select(&screen, "beta");
    for _ in 0..3 {
        let old = home.murder("pid");
        home.wait_for("another daemon", |home| {
            let status = home.daemon_status()?;
            (status["pid"].as_i64() != Some(i64::from(old.pid))).then_some(())
        });
        screen.until(|text| {
            is_live(text)
                && selected(text) == Some("beta")
                && THREE
                    .iter()
                    .all(|name| status(text, name) == Some("running"))
        });
    }
    assert_eq!(
        THREE.map(|name| home.pid(name)),
        pids,
        "the processes did not notice"
    );
    screen.keys("x");
    say_yes(&screen, "stop", "beta");
    screen.until(|text| status(text, "beta") == Some("stopped"));
    assert_eq!(listed_status(&home, "beta").as_deref(), Some("stopped"));
    quit(&mut screen);
}

#[test]
fn a_filter_and_a_fold_outlive_the_daemon() {
    let home = home_with(&THREE);
    start_copies(&home, "api", 2);
    let mut screen = live_dashboard(&home, COMMON, &["api-0", "api-1"]);
    select(&screen, "api");
    screen.keys("h");
    screen.until(|text| status(text, "api-0").is_none() && status(text, "beta").is_some());
    screen.keys("/a\r");
    let shown = |text: &str| {
        is_live(text)
            && status(text, "alpha") == Some("running")
            && status(text, "api-0").is_none()
            && selected(text) == Some("api")
    };
    screen.until(shown);
    let old = home.murder("pid");
    done(
        &home,
        &["start", "sleep", "--name", "later-a", "--", "100000"],
    );
    home.wait_for("another daemon", |home| {
        (home.daemon_status()?["pid"].as_i64() != Some(i64::from(old.pid))).then_some(())
    });
    screen.until(|text| shown(text) && status(text, "later-a") == Some("running"));
    quit(&mut screen);
}

#[test]
fn check_27_a_daemon_that_is_gone_makes_everything_stale_and_verbs_are_refused() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    select(&screen, "beta");
    done(&home, &["daemon", "stop"]);
    let text = screen.within(Duration::from_secs(1), |text| text.contains("STALE"));
    assert!(!is_live(&text), "live and stale at once:\n{text}");
    for (key, verb) in [("x", "stop"), ("r", "restart"), ("D", "delete")] {
        screen.keys(key);
        let asked = screen.seen_within(Duration::from_millis(400), |text| asks(text, verb, "beta"));
        assert!(
            asked.is_err(),
            "{key} asks although nobody would hear the answer:\n{}",
            screen.text()
        );
    }
    let text = screen.until(|text| text.contains("off") || text.contains("not connected"));
    assert!(
        THREE.iter().all(|name| text.contains(name)),
        "the last known rows stay:\n{text}"
    );
    screen.keys("k");
    screen.until(|text| selected(text) == Some("alpha"));
    screen.keys("\x1b");
    quit(&mut screen);
    assert_eq!(
        home.daemon_status(),
        None,
        "the dashboard started no daemon by itself"
    );
}

#[test]
fn check_27_while_no_daemon_answers_the_pids_are_counted_here_and_it_comes_back_at_once() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    select(&screen, "beta");
    let (keeper, daemon, one) = (
        home.role("keeper_pid"),
        home.role("pid"),
        home.known("gamma"),
    );
    keeper.signal(Signal::SIGSTOP);
    daemon.signal(Signal::SIGKILL);
    screen.within(Duration::from_secs(1), |text| text.contains("STALE"));
    let gone = format!("daemon       pid {} is gone", daemon.pid);
    screen.until(|text| {
        let whole = text.contains("3 of 3 pids still alive") && text.contains(&gone);
        whole && text.contains("next try     in 0.") && text.contains("Enter tries now")
    });
    one.signal(Signal::SIGKILL);
    screen.until(|text| text.contains("2 of 3 pids still alive"));
    keeper.signal(Signal::SIGCONT);
    screen.until(|text| is_live(text) && !text.contains("STALE") && selected(text) == Some("beta"));
    for name in ["alpha", "beta"] {
        assert_eq!(listed_status(&home, name).as_deref(), Some("running"));
    }
    quit(&mut screen);
}

#[test]
fn check_27_a_daemon_that_was_gone_for_long_is_on_the_screen_within_a_second() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    done(&home, &["daemon", "stop"]);
    // By then the waits between two tries are as long as they get, and the longest of them has just begun.
    screen.until(|text| text.contains("retry 8"));
    done(&home, &["daemon", "start"]);
    screen.within(Duration::from_secs(1), is_live);
    quit(&mut screen);
}

#[test]
fn check_27_keys_typed_while_the_daemon_is_gone_are_not_done_later() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    select(&screen, "beta");
    done(&home, &["daemon", "stop"]);
    screen.until(|text| text.contains("STALE"));
    screen.keys("xyry");
    done(&home, &["daemon", "start"]);
    screen.until(|text| {
        is_live(text)
            && selected(text) == Some("beta")
            && THREE
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
    for name in THREE {
        assert_eq!(
            listed_status(&home, name).as_deref(),
            Some("running"),
            "{name} came up again and stayed"
        );
        assert_eq!(
            home.row(name)["restarts"],
            0,
            "{name} was not restarted by an old key"
        );
    }
    quit(&mut screen);
}

#[test]
fn a_daemon_that_hangs_is_not_shown_as_live() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, MEDIUM, &THREE);
    let daemon = home.role("pid");
    daemon.signal(Signal::SIGSTOP);
    let there = format!("daemon       pid {} is there", daemon.pid);
    screen.until(|text| text.contains("STALE") && !is_live(text) && text.contains(&there));
    daemon.signal(Signal::SIGCONT);
    screen.until(|text| is_live(text) && !text.contains("STALE"));
    quit(&mut screen);
}

#[test]
fn a_restart_of_the_daemon_is_only_a_blink() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    let (old, pids) = (home.role("pid"), THREE.map(|name| home.pid(name)));
    done(&home, &["daemon", "restart"]);
    home.until_gone(old);
    done(&home, &["stop", "gamma"]);
    screen.until(|text| is_live(text) && status(text, "gamma") == Some("stopped"));
    assert_eq!([home.pid("alpha"), home.pid("beta")], [pids[0], pids[1]]);
    quit(&mut screen);
}

#[test]
fn check_39_a_dashboard_without_a_daemon_starts_one_and_shows_the_first_screen() {
    let home = Sandbox::new();
    let mut screen = dashboard(&home, COMMON);
    let text = screen.until(is_live);
    assert!(!text.contains("running"), "nothing runs yet:\n{text}");
    assert!(home.daemon_status().is_some(), "a daemon runs");
    done(
        &home,
        &["start", "sleep", "--name", "alpha", "--", "100000"],
    );
    screen.until(|text| status(text, "alpha") == Some("running"));
    quit(&mut screen);
}

#[test]
fn check_39_no_autostart_without_a_daemon_says_so() {
    let home = Sandbox::new();
    let command = crate::tty::at_the_terminal(&home, &["--no-autostart", "tui"]);
    let mut screen = crate::screen::Screen::open(command, COMMON);
    assert_eq!(screen.wait_exit().code(), Some(3), "{}", screen.text());
    assert!(screen.text().starts_with("adasa: "), "{}", screen.text());
    assert_eq!(home.daemon_status(), None, "no daemon was started");
}
