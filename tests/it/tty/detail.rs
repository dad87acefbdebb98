//! Everything about one process, on a real terminal.

use crate::sandbox::Sandbox;
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
    screen.keys("]");
    let tells = |text: &str, all: [&str; 4]| all.iter().all(|it| text.contains(it));
    let words = "the disk is made of cheese";
    screen.until(|text| tells(text, ["RUNS", "exit 7", words, "start by"]));
    screen.keys("]");
    screen.until(|text| tells(text, ["WHY", "exit 7", words, "next"]));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("WHY") && text.contains("doomed"));
    quit(&mut screen);
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
    // One after the other: much at once is a paste.
    for (keys, seen) in [
        ("yr", "sent"),
        ("]", "RUNS"),
        ("]", "WHY"),
        ("]", "OVERVIEW"),
    ] {
        screen.keys(keys);
        screen.until(|text| text.contains(seen));
    }
    screen.keys("yc");
    screen.keys("l");
    screen.until(|text| text.contains("keeps \u{b7} all"));
    screen.keys("q");
    screen.until(|text| text.contains("OVERVIEW"));
    screen.keys("q");
    quit(&mut screen);
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert!(raw.contains("API_TOKEN="), "its name is told");
    assert!(!raw.contains(secret), "the secret is on the terminal");
    let encoded = "aHVudGVyMi1pcy1uby1wYXNzd29yZA";
    assert!(!raw.contains(encoded), "the secret is in the clipboard");
    let _ = home.run(&["daemon", "log"]).success().stdout_lacks(secret);
}
