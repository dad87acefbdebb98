//! `doctor`: what this machine offers, said without a daemon.

use serde_json::Value;

use crate::sandbox::{ADASA, Output, Sandbox, spawn};

fn check<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let checks = answer["checks"].as_array().expect("checks");
    let found = checks.iter().find(|c| c["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name} in {answer:#}"))
}

/// Runs it behind a shell's preparations.
fn behind(s: &Sandbox, shell: &str, args: &str) -> Output {
    let mut command = s.command();
    let envs: Vec<_> = command
        .get_envs()
        .filter_map(|(n, v)| Some((n.to_owned(), v?.to_owned())))
        .collect();
    command = std::process::Command::new("sh");
    command.env_clear().envs(envs).current_dir(s.root());
    command.args(["-c", &format!("{shell}; exec {ADASA} doctor {args}")]);
    spawn(command).output()
}

#[test]
fn it_says_how_every_mechanism_stands_and_starts_no_daemon() {
    let s = Sandbox::new();
    let output = s.run(&["doctor", "--json"]).stderr("").success();
    let answer = output.json();
    for name in [
        "kernel",
        "pidfd",
        "orphans",
        "control groups",
        "exit codes",
        "volatile folder",
        "pipe quota",
        "open files",
        "inotify",
        "clock",
        "linger",
        "state folder",
        "log folder",
    ] {
        let check = check(&answer, name);
        assert!(!check["found"].as_str().unwrap().is_empty(), "{check}");
        let costs = check["costs"].is_string();
        assert_eq!(costs, check["standing"] != "works", "{check}");
    }
    assert!(s.daemon_status().is_none(), "no daemon was started");
    assert!(s.adasas().is_empty());
    let left = std::fs::read_dir(s.home().join("state")).unwrap().count();
    assert_eq!(left, 0, "nothing is left in the state folder");
}

#[test]
fn a_person_reads_it_on_eighty_columns() {
    let s = Sandbox::new();
    let output = s.run_with(&[("COLUMNS", "80")], &["doctor"]).success();
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 80 || line.contains('/'), "{output}");
    }
    let _ = output
        .stdout_has("pidfd")
        .stdout_has("every promise is kept here");
}

#[test]
fn a_machine_that_breaks_a_promise_is_told_by_the_exit_code() {
    let s = Sandbox::new();
    let few = behind(&s, "ulimit -n 128", "--json").code(1).json();
    assert_eq!(few["standing"], "broken");
    assert_eq!(check(&few, "open files")["standing"], "broken");
    let _ = behind(&s, "ulimit -n 128", "")
        .stdout_has("BROKEN")
        .stdout_has("enough for 10 processes")
        .stdout_has("1 of")
        .code(1);
    let file = s.file("not-a-folder", "");
    let nowhere = [("ADASA_HOME", file.to_str().unwrap())];
    let output = s.run_with(&nowhere, &["doctor", "--json"]).code(1);
    assert_eq!(check(&output.json(), "folders")["standing"], "broken");
    assert_eq!(
        check(&output.json(), "volatile folder")["standing"],
        "broken"
    );
}

#[test]
fn with_a_daemon_it_says_what_that_has() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let status = s.daemon_status().expect("a daemon runs");
    let answer = s.run(&["doctor", "--json"]).success().json();
    let groups = check(&answer, "control groups");
    match status["control_group"].as_str() {
        Some(folder) => {
            assert!(groups["found"].as_str().unwrap().contains(folder));
            assert_eq!(groups["standing"], "works");
        }
        None => assert_eq!(groups["standing"], "reduced"),
    }
}
