//! Start, stop, restart, delete: done means seen to be done, and only for what was meant.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::child;
use crate::sandbox::{Known, Sandbox, exit};

#[test]
fn start_returns_when_the_program_runs() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let output = s.run(&["start", &program, "--name", "api"]);
    let _ = output.stderr("").stdout_has("api").success();
    let row = s.row("api");
    assert_eq!(row["status"], "running");
    assert!(s.known("api").is_alive());
    assert_eq!(row["restarts"], 0);
}

#[test]
fn stop_ends_with_term_and_is_over_when_the_process_is_gone() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let known = s.known("api");
    let _ = s
        .run(&["stop", "api"])
        .stderr("")
        .stdout_has("api")
        .success();
    assert!(!known.is_alive());
    let row = s.row("api");
    assert_eq!(row["status"], "stopped");
    assert!(row["pid"].is_null());
    assert_eq!(exit(&row), json!({"code": null, "signal": "SIGTERM"}));
}

#[test]
fn start_of_what_runs_and_stop_of_what_is_stopped_change_nothing() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let pid = s.pid("api");
    let _ = s.run(&["start", "api"]).stderr("").success();
    assert_eq!(s.pid("api"), pid);
    let _ = s.run(&["stop", "api"]).stderr("").success();
    let row = s.row("api");
    let _ = s.run(&["stop", "api"]).stderr("").success();
    assert_eq!(s.row("api")["exit"], row["exit"]);
    assert_eq!(s.read("api.runs").lines().count(), 1);
}

#[test]
fn the_stop_signal_is_the_one_of_the_definition() {
    let s = Sandbox::new();
    let _hold = s.fifo("hold");
    let program = s.script(
        "polite",
        "trap 'echo int >$HOME/got; exit 3' INT\ntrap 'echo term >$HOME/got; exit 4' TERM\n\
         echo ready >$HOME/ready\nwhile :; do read line <$HOME/hold; done",
    );
    s.start("polite", &program, &["--stop-signal", "INT"]);
    s.until_file("ready", |text| text == "ready\n");
    let _ = s.run(&["stop", "polite"]).stderr("").success();
    assert_eq!(s.read("got"), "int\n");
    assert_eq!(exit(&s.row("polite")), json!({"code": 3, "signal": null}));
}

#[test]
fn a_child_that_ignores_term_is_killed_after_its_grace() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "500ms"]);
    let known = s.until_pid("deaf.ready");
    let began = std::time::Instant::now();
    let _ = s.run(&["stop", "deaf"]).stderr("").success();
    assert!(
        began.elapsed().as_millis() >= 500,
        "the grace was not given"
    );
    assert!(!known.is_alive());
    let row = s.row("deaf");
    assert_eq!(row["status"], "stopped");
    assert_eq!(exit(&row), json!({"code": null, "signal": "SIGKILL"}));
}

#[test]
fn stop_by_force_kills_at_once() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "1000s"]);
    let known = s.until_pid("deaf.ready");
    let _ = s.run(&["stop", "deaf", "--force"]).stderr("").success();
    assert!(!known.is_alive());
    let row = s.row("deaf");
    assert_eq!(row["status"], "stopped");
    assert_eq!(row["exit"]["signal"], "SIGKILL");
}

#[test]
fn a_process_that_will_not_end_delays_no_command_on_another() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "1000s"]);
    s.start("other", &child::stays(&s), &[]);
    let known = s.until_pid("deaf.ready");
    let mut waiting = s.spawn(&["stop", "deaf"]);
    s.until_status("deaf", "stopping");
    for args in [
        &["stop", "other"][..],
        &["start", "other"],
        &["restart", "other"],
        &["status", "deaf"],
        &["delete", "other"],
        &["start", &child::stays(&s), "--name", "third"],
    ] {
        let _ = s.run(args).stderr("").success();
    }
    assert_eq!(s.status("deaf"), "stopping");
    assert!(!waiting.is_over() && known.is_alive());
    let _ = s.run(&["stop", "deaf", "--force"]).stderr("").success();
    let _ = waiting.output().stderr("").success();
    assert!(!known.is_alive());
}

#[test]
fn one_stop_of_several_waits_for_all_of_them() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "500ms"]);
    s.start("other", &child::stays(&s), &[]);
    let known = [s.until_pid("deaf.ready"), s.known("other")];
    let _ = s.run(&["stop", "other", "deaf"]).stderr("").success();
    assert!(known.iter().all(|k| !k.is_alive()));
}

#[test]
fn restart_replaces_the_pid_exactly_once() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let first = s.known("api");
    s.until_file("api.runs", |text| text.lines().count() == 1);
    let _ = s
        .run(&["restart", "api"])
        .stderr("")
        .stdout_has("api")
        .success();
    assert!(!first.is_alive());
    let second = s.known("api");
    assert_ne!(first, second);
    let runs = s.until_file("api.runs", |text| text.lines().count() >= 2);
    assert_eq!(runs, format!("{}\n{}\n", first.pid, second.pid));
    assert_eq!(s.status("api"), "running");
    assert_eq!(s.pid("api"), second.pid);
}

#[test]
fn restart_of_what_is_stopped_starts_it() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "api"]).success();
    let _ = s.run(&["restart", "api"]).stderr("").success();
    assert_eq!(s.status("api"), "running");
}

#[test]
fn a_command_on_an_instance_touches_only_that_one() {
    let s = Sandbox::new();
    s.start("w", &child::stays(&s), &["--instances", "3"]);
    let before = [s.pid("w-0"), s.pid("w-1"), s.pid("w-2")];
    let _ = s.run(&["restart", "w-1"]).stderr("").success();
    assert_eq!([s.pid("w-0"), s.pid("w-2")], [before[0], before[2]]);
    assert_ne!(s.pid("w-1"), before[1]);
    let _ = s.run(&["stop", "w-0"]).stderr("").success();
    assert_eq!(s.status("w-0"), "stopped");
    assert_eq!(s.pid("w-2"), before[2]);
}

#[test]
fn delete_ends_the_process_and_forgets_it() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "500ms"]);
    let known = s.until_pid("deaf.ready");
    let _ = s
        .run(&["delete", "deaf"])
        .stderr("")
        .stdout_has("deaf")
        .success();
    assert!(!known.is_alive());
    assert!(s.rows().is_empty());
    let _ = s.run(&["delete", "deaf"]).error(4);
    let _ = s.run(&["daemon", "stop"]).success();
    assert!(s.rows().is_empty(), "it is not back with the next daemon");
    s.start("deaf", &child::stays(&s), &[]);
}

#[test]
fn stop_of_a_process_that_was_stopped_by_signal_ends_it_too() {
    let s = Sandbox::new();
    s.start("frozen", &child::stays(&s), &["--stop-timeout", "500ms"]);
    let known = s.known("frozen");
    known.signal(Signal::SIGSTOP);
    let _ = s.run(&["stop", "frozen"]).stderr("").success();
    assert!(!known.is_alive());
}

#[test]
fn commands_at_the_same_time_on_one_process_leave_exactly_one_child() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let verbs = ["restart", "stop", "start", "restart", "start", "restart"];
    let commands: Vec<_> = verbs.iter().map(|verb| s.spawn(&[verb, "api"])).collect();
    for command in commands {
        // A later command may undo what an earlier one waits for; what counts is what is left.
        let output = command.output();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output}");
    }
    let _ = s.run(&["start", "api"]).stderr("").success();
    let pid = s.pid("api");
    let runs = s.until_file("api.runs", |text| {
        text.lines().any(|l| l == pid.to_string())
    });
    let alive = runs
        .lines()
        .filter_map(|l| Known::of(l.parse().ok()?))
        .count();
    assert_eq!(alive, 1, "{runs}");
}

#[test]
fn five_hundred_processes_of_one_file_are_all_up_then_all_stopped_and_none_is_left() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let one = |n| format!("[[processes]]\nname = \"p{n}\"\nscript = \"{program}\"\n");
    s.file("many.toml", (0..500).map(one).collect::<String>());
    let _ = s
        .run(&["start", "--config", "many.toml"])
        .stderr("")
        .success();
    let rows = s.rows();
    assert_eq!(rows.len(), 500);
    assert!(rows.iter().all(|row| row["status"] == "running"));
    let all: Vec<_> = rows
        .iter()
        .map(|row| Known::of(row["pid"].as_i64().unwrap() as i32).expect("alive"))
        .collect();
    let _ = s.run(&["stop", "all"]).stderr("").success();
    assert!(all.iter().all(|known| !known.is_alive()));
    assert!(s.rows().iter().all(|row| row["status"] == "stopped"));
    let _ = s.run(&["delete", "all"]).stderr("").success();
    assert!(s.rows().is_empty());
    assert_eq!(s.left().len(), 3, "keeper, scribe and daemon");
}
