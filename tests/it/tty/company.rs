//! Two dashboards: who is here, what the other does, and what changed while nobody looked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::logs::follow::Follow;
use crate::sandbox::Sandbox;
use crate::tty::{
    COMMON, WIDE, done, home_with, live_dashboard, quit, say_yes, select, start_quiet,
};

/// The name of this user, as the machine's list has it.
fn user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid());
    user.expect("a user").expect("a name").name
}

#[test]
fn check_36_an_operation_in_one_dashboard_is_in_the_others_activity_within_200_ms() {
    let home = home_with(&["alpha"]);
    let mut one = live_dashboard(&home, COMMON, &["alpha"]);
    let mut other = live_dashboard(&home, WIDE, &["alpha"]);
    other.until(|text| text.contains("2 here"));
    one.until(|text| text.contains("2 here"));
    other.keys("4");
    other.until(|text| text.contains("activity: who did what"));
    let user = user();
    let mut follow = Follow::start(&home, &["activity", "-f", "-n", "1"]);
    drop(follow.line());
    let mut best = Duration::MAX;
    for n in 1..=5 {
        select(&one, "alpha");
        one.keys("r");
        say_yes(&one, "restart", "alpha");
        while !follow.line().contains("restart alpha") {}
        let told = Instant::now();
        let who = format!("{user} (tui pts/");
        other.until(|text| {
            let rows = text.lines().filter(|row| row.contains("restart alpha"));
            rows.filter(|row| row.contains(&who)).count() >= n
        });
        best = best.min(told.elapsed());
        one.until(|text| crate::tty::status(text, "alpha") == Some("running"));
        if best < Duration::from_millis(200) {
            break;
        }
    }
    println!("seen {best:?} after it was told to another client");
    assert!(best < Duration::from_millis(200), "{best:?}");
    drop(follow.interrupt());
    quit(&mut one);
    other.until(|text| !text.contains("2 here"));
    other.keys("q");
    quit(&mut other);
}

#[test]
fn a_dashboard_begins_with_what_changed_since_the_last_look() {
    let home = Sandbox::new();
    start_quiet(&home, "alpha");
    let mut first = live_dashboard(&home, COMMON, &["alpha"]);
    assert!(!first.text().contains("since you last looked"));
    quit(&mut first);
    done(&home, &["scale", "alpha", "2"]);
    let script = home.script("fails", "exit 3");
    home.launch(
        "fails",
        &script,
        &["--max-restarts", "1", "--restart-delay", "10ms"],
    );
    home.until_status("fails", "errored");
    let mut second = live_dashboard(&home, COMMON, &["alpha-0"]);
    second.until(|text| {
        text.contains("since you last looked")
            && text.contains("given up: fails")
            && text.contains("scale alpha")
    });
    second.keys("\u{1b}");
    second.until(|text| !text.contains("since you last looked"));
    quit(&mut second);
    let changes = home.run(&["changes", "--since", "10m"]).success();
    let _ = changes
        .stdout_has("given up: fails")
        .stdout_has("(cli): scale alpha");
    let json = home.run(&["changes", "--json"]).success().json();
    assert_eq!(json["errored"][0], "fails");
    let none = home
        .run(&["changes", "--since", "2100-01-01T00:00"])
        .success();
    let _ = none.stdout_has("nothing changed since 2100");
}

#[test]
fn what_another_is_at_is_in_the_header_and_in_a_question_about_the_same() {
    let home = home_with(&["alpha"]);
    let script = home.script("stubborn", "trap '' TERM; while :; do sleep 1; done");
    home.launch("stubborn", &script, &["--stop-timeout", "10m"]);
    let mut screen = live_dashboard(&home, WIDE, &["alpha", "stubborn"]);
    let mut stop = home.command();
    let stop = stop.args(["stop", "stubborn"]).stdout(Stdio::null());
    let mut stop = stop.spawn().expect("a command");
    let doing = format!("{}: stop stubborn", user());
    let header = |text: &str| text.lines().next().is_some_and(|row| row.contains(&doing));
    screen.until(header);
    select(&screen, "stubborn");
    screen.keys("r");
    screen.until(|text| {
        let mut rows = text.lines();
        rows.any(|row| row.contains("under way") && row.contains(&doing))
    });
    screen.keys("\u{1b}");
    done(&home, &["stop", "--force", "stubborn"]);
    screen.until(|text| !header(text));
    assert!(stop.wait().expect("its end").success());
    quit(&mut screen);
}
