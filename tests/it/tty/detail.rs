//! Everything about one process, on a real terminal.

use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::{COMMON, WIDE, dashboard, done, is_live, live_dashboard, quit, select};

#[test]
fn the_detail_of_a_crashed_process_tells_its_exit_code_and_its_last_words() {
    let home = Sandbox::new();
    let script = "echo the disk is made of cheese >&2; exit 7";
    let args = [
        "start",
        "sh",
        "--name",
        "doomed",
        "--restart",
        "never",
        "--",
        "-c",
        script,
    ];
    // Whether it is seen to run before it ends is not the question.
    drop(home.run(&args));
    home.until_status("doomed", "errored");
    let mut screen = dashboard(&home, COMMON);
    screen.until(|text| is_live(text) && text.contains("doomed"));
    select(&screen, "doomed");
    screen.keys("d");
    screen.until(|text| text.contains("OVERVIEW") && text.contains("cheese"));
    let tells = |text: &str, all: [&str; 4]| all.iter().all(|it| text.contains(it));
    let words = "the disk is made of cheese";
    turn(&screen, "RUNS");
    screen.until(|text| tells(text, ["RUNS", "exit 7", words, "start by"]));
    turn(&screen, "WHY");
    screen.until(|text| tells(text, ["WHY", "exit 7", words, "next"]));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("WHY") && text.contains("doomed"));
    quit(&mut screen);
}

/// Turns to a tab, one key after the other: much at once is a paste.
fn turn(screen: &Screen, tab: &str) {
    let all = ["OVERVIEW", "CONFIG", "ENV", "TREE", "RUNS", "WHY", "LOGS"];
    let is = |text: &str, tab: &str| text.contains(&format!(" {tab} "));
    let text = screen.until(|text| all.iter().any(|tab| is(text, tab)));
    let from = all.iter().position(|tab| is(&text, tab)).expect("a tab");
    for next in all.iter().cycle().skip(from + 1) {
        if is(&screen.text(), tab) {
            return;
        }
        screen.keys("]");
        screen.until(|text| is(text, next));
    }
}

/// A secret is masked by the daemon: it is in no frame, nothing that is copied, and no log of the daemon.
#[test]
fn check_14_a_secret_of_the_environment_is_nowhere() {
    let home = Sandbox::new();
    let secret = "hunter2-is-no-password";
    let pair = format!("API_TOKEN={secret}");
    let args = [
        "start", "sleep", "--name", "keeps", "-e", &pair, "--", "100000",
    ];
    done(&home, &args);
    let mut screen = live_dashboard(&home, WIDE, &["keeps"]);
    select(&screen, "keeps");
    screen.keys("d");
    screen.until(|text| text.contains("OVERVIEW") && text.contains("API_TOKEN="));
    screen.keys("yr");
    screen.until(|text| text.contains("sent"));
    for tab in ["CONFIG", "ENV", "TREE", "RUNS", "WHY", "LOGS", "ENV"] {
        turn(&screen, tab);
    }
    screen.keys("yV");
    screen.until(|text| text.contains("sent 13 characters"));
    turn(&screen, "OVERVIEW");
    screen.keys("yc");
    screen.keys("l");
    screen.until(|text| text.contains("keeps \u{b7} all"));
    screen.keys("q");
    screen.until(|text| text.contains("OVERVIEW"));
    screen.keys("q");
    quit(&mut screen);
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert!(raw.contains("API_TOKEN"), "its name is told");
    assert!(!raw.contains(secret), "the secret is on the terminal");
    let encoded = "aHVudGVyMi1pcy1uby1wYXNzd29yZA";
    assert!(!raw.contains(encoded), "the secret is in the clipboard");
    let _ = home.run(&["daemon", "log"]).success().stdout_lacks(secret);
}

/// What is shown on request is hidden again by itself, and who saw it is in the activity.
#[test]
fn check_14_a_value_is_shown_for_ten_seconds_and_who_saw_it_is_remembered() {
    let home = Sandbox::new();
    let secret = "hunter2-is-no-password";
    let pair = format!("API_TOKEN={secret}");
    let script = "sleep 100000 & wait";
    let args = [
        "start", "sh", "--name", "keeps", "-e", &pair, "--", "-c", script,
    ];
    done(&home, &args);
    let mut screen = live_dashboard(&home, WIDE, &["keeps"]);
    select(&screen, "keeps");
    screen.keys("d");
    screen.until(|text| text.contains("OVERVIEW") && text.contains("sleep 100000"));
    screen.keys("V");
    screen.until(|text| text.contains(" ENV ") && text.contains("API_TOKEN"));
    screen.keys("V");
    screen.until(|text| text.contains(secret));
    screen.within(Duration::from_secs(15), |text| !text.contains(secret));
    screen.keys("4");
    screen.until(|text| text.contains("reveal API_TOKEN of keeps"));
    screen.keys("q");
    quit(&mut screen);
    let _ = home.run(&["daemon", "log"]).success().stdout_lacks(secret);
}
