//! The daemon's own log: read back, followed over a death, read without a daemon, as text and as JSON.

use serde_json::Value;

use crate::logs::follow::Follow;
use crate::sandbox::Sandbox;

fn message(record: &Value) -> &str {
    record["message"].as_str().expect("a message")
}

/// Reads on until a record says this.
#[track_caller]
fn until(follow: &mut Follow, said: &str) -> Value {
    loop {
        let record: Value = serde_json::from_str(&follow.line()).expect("one JSON object a line");
        if message(&record).contains(said) {
            return record;
        }
    }
}

#[test]
fn what_the_daemon_says_is_read_back_and_followed_over_its_death() {
    let home = Sandbox::new();
    home.start("quiet", "sleep", &["--", "1000"]);
    home.until_status("quiet", "running");
    let all = home
        .run(&["daemon", "log", "--json"])
        .success()
        .json_lines();
    let begun = all.iter().find(|it| message(it).contains("quiet: running"));
    let begun = begun.unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(
        (&begun["level"], &begun["target"]),
        (&"info".into(), &"supervisor".into())
    );
    assert!(
        begun["at_us"]
            .as_u64()
            .is_some_and(|us| us > 1_700_000_000_000_000)
    );
    let text = home.run(&["daemon", "log"]).success();
    let text = text.stdout_has(" INFO  supervisor: quiet: running");
    assert_eq!(text.stdout.lines().count(), all.len());
    let one = home.run(&["daemon", "log", "-n", "1"]).success();
    assert_eq!(one.stdout.lines().count(), 1);
    let worse = home.run(&["daemon", "log", "--level", "error"]).success();
    let _ = worse.stdout("");

    let mut follow = Follow::start(&home, &["daemon", "log", "-f", "-n", "1", "--json"]);
    // It is there when its first record comes.
    drop(follow.line());
    drop(home.run(&["stop", "quiet"]).success());
    let stopped = until(&mut follow, "quiet: stopped");
    home.murder("pid");
    until(&mut follow, "the daemon has taken over");
    drop(home.run(&["start", "quiet"]).success());
    let again = until(&mut follow, "quiet: running");
    assert!(again["at_us"].as_u64() > stopped["at_us"].as_u64());
    drop(follow.interrupt());
}

#[test]
fn steps_are_said_to_those_who_want_every_step_and_kept_from_the_file() {
    let home = Sandbox::new();
    home.start("quiet", "sleep", &["--", "1000"]);
    let args = [
        "daemon", "log", "-f", "-n", "1", "--level", "debug", "--json",
    ];
    let mut follow = Follow::start(&home, &args);
    drop(follow.line());
    drop(home.run(&["restart", "quiet"]).success());
    let step = until(&mut follow, "quiet: starting");
    assert_eq!(step["level"], "debug");
    drop(follow.interrupt());
    drop(home.run(&["daemon", "stop"]).success());
    let file = home.read("home/logs/daemon.log");
    assert!(
        file.contains("quiet: running") && !file.contains("quiet: starting"),
        "{file}"
    );
}

#[test]
fn without_a_daemon_its_log_is_read_from_the_file_and_none_is_started() {
    let home = Sandbox::new();
    let _ = home.run(&["daemon", "log"]).stdout("").success();
    drop(home.run(&["daemon", "start"]).success());
    drop(home.run(&["daemon", "stop"]).success());
    let told = home.run(&["daemon", "log"]).success();
    let _ = told.stdout_has("the daemon is stopped by");
    let _ = home.run(&["daemon", "log", "-f"]).stdout("").code(3);
    assert!(home.adasas().is_empty());
}

#[test]
fn the_file_is_text_or_json_and_another_format_is_refused() {
    let home = Sandbox::new();
    let start = &["daemon", "start"];
    let refused = home
        .run_with(&[("ADASA_LOG__FORMAT", "xml")], start)
        .code(3);
    let _ = refused.stderr_has("ADASA_LOG__FORMAT=\"xml\" is not known: it is one of text, json");
    let json = [("ADASA_LOG__FORMAT", "json"), ("ADASA_LOG__LEVEL", "debug")];
    drop(home.run_with(&json, start).success());
    home.start("quiet", "sleep", &["--", "1000"]);
    drop(home.run(&["daemon", "stop"]).success());
    let file = home.read("home/logs/daemon.log");
    for line in file.lines() {
        let record: Value = serde_json::from_str(line).expect("one JSON object a line");
        assert!(
            record["time"].is_string() && record["level"].is_string(),
            "{line}"
        );
    }
    assert!(file.contains("quiet: starting"), "{file}");
    // The next daemon of another format reads it back all the same.
    drop(home.run(start).success());
    let _ = home
        .run(&["daemon", "log"])
        .success()
        .stdout_has("quiet: running");
    let _ = home
        .run(&["daemon", "log", "--level", "loud"])
        .stderr_has("warn")
        .code(2);
}
