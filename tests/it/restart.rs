//! What happens by itself after an exit: policies, backoff, the budget, timers that a command cancels.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::child;
use crate::sandbox::{Sandbox, exit};

fn runs(s: &Sandbox, name: &str) -> usize {
    s.read(&format!("{name}.runs")).lines().count()
}

fn until_runs(s: &Sandbox, name: &str, count: usize) -> String {
    s.until_file(format!("{name}.runs"), |text| text.lines().count() >= count)
}

#[test]
fn a_crash_is_noticed_and_followed_by_a_new_run() {
    let s = Sandbox::new();
    let mut fifo = s.fifo("job.fifo");
    let flags = ["--restart-delay", "100ms"];
    s.start("job", &child::obeys(&s, "job"), &flags);
    let first = s.row("job");
    until_runs(&s, "job", 1);
    fifo.say("7");
    until_runs(&s, "job", 2);
    let second = s.until_status("job", "running");
    assert_ne!(second["pid"], first["pid"]);
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["restarts"], 1);
    assert!(second["run"].as_u64() > first["run"].as_u64());
    assert_eq!(exit(&second), json!({"code": 7, "signal": null}));
    assert_eq!(second["because"], "started again after its wait");
}

#[test]
fn a_child_shot_by_somebody_else_is_started_again() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &["--restart-delay", "0"]);
    until_runs(&s, "api", 1);
    s.known("api").signal(Signal::SIGKILL);
    until_runs(&s, "api", 2);
    let row = s.until_status("api", "running");
    assert_eq!(exit(&row), json!({"code": null, "signal": "SIGKILL"}));
    assert_eq!(row["restarts"], 1);
}

#[test]
fn never_repeats_nothing() {
    let s = Sandbox::new();
    for (name, code, status) in [("bad", 1, "errored"), ("good", 0, "exited")] {
        s.launch(name, &child::exits(&s, name, code), &["--restart", "never"]);
        let row = s.until_status(name, status);
        assert_eq!(exit(&row), json!({"code": code, "signal": null}));
        assert!(row["pid"].is_null());
        assert_eq!(runs(&s, name), 1);
    }
}

#[test]
fn on_failure_does_not_repeat_what_ended_well() {
    let s = Sandbox::new();
    let flags = ["--restart", "on-failure", "--restart-delay", "0"];
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &flags);
    fifo.say("1");
    until_runs(&s, "job", 2);
    fifo.say("0");
    let row = s.until_status("job", "exited");
    assert_eq!(row["restarts"], 1);
    assert_eq!(runs(&s, "job"), 2);
}

#[test]
fn always_repeats_what_ended_well_and_does_not_count_it() {
    let s = Sandbox::new();
    let flags = [
        "--restart",
        "always",
        "--restart-delay",
        "0",
        "--max-restarts",
        "2",
    ];
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &flags);
    for n in 1..5 {
        until_runs(&s, "job", n);
        fifo.say("0");
    }
    until_runs(&s, "job", 5);
    let row = s.until_status("job", "running");
    assert_eq!(row["restarts"], 4);
}

#[test]
fn as_many_failures_as_allowed_mean_errored() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "0", "--max-restarts", "3"];
    let program = child::exits(&s, "bad", 9);
    s.launch("bad", &program, &flags);
    let row = s.until_status("bad", "errored");
    assert_eq!(runs(&s, "bad"), 3);
    assert_eq!(exit(&row), json!({"code": 9, "signal": null}));
    assert!(row["pid"].is_null());
}

#[test]
fn a_start_by_hand_forgets_the_failures() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "0", "--max-restarts", "2"];
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &flags);
    until_runs(&s, "job", 1);
    fifo.say("1");
    until_runs(&s, "job", 2);
    fifo.say("1");
    s.until_status("job", "errored");
    let _ = s.run(&["start", "job"]).stderr("").success();
    until_runs(&s, "job", 3);
    fifo.say("1");
    until_runs(&s, "job", 4);
    s.until_status("job", "running");
}

#[test]
fn waiting_before_the_next_attempt_is_backoff() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "1000s"];
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &flags);
    fifo.say("3");
    let row = s.until_status("job", "backoff");
    assert!(row["pid"].is_null());
    assert_eq!(exit(&row), json!({"code": 3, "signal": null}));
    let _ = s.run(&["start", "job"]).stderr("").success();
    until_runs(&s, "job", 2);
    assert_eq!(s.status("job"), "running");
}

#[test]
fn restart_during_backoff_starts_at_once() {
    let s = Sandbox::new();
    let mut fifo = s.fifo("job.fifo");
    s.start(
        "job",
        &child::obeys(&s, "job"),
        &["--restart-delay", "1000s"],
    );
    fifo.say("3");
    s.until_status("job", "backoff");
    let _ = s.run(&["restart", "job"]).stderr("").success();
    assert_eq!(s.status("job"), "running");
}

#[test]
fn a_pending_restart_is_cancelled_by_stop_and_by_delete() {
    let s = Sandbox::new();
    let mut fifos = Vec::new();
    for name in ["stopped", "deleted"] {
        let mut fifo = s.fifo(&format!("{name}.fifo"));
        s.start(name, &child::obeys(&s, name), &["--restart-delay", "1s"]);
        fifo.say("3");
        fifos.push(fifo);
        s.until_status(name, "backoff");
        let verb = if name == "stopped" { "stop" } else { "delete" };
        let _ = s.run(&[verb, name]).stderr("").success();
    }
    assert_eq!(s.status("stopped"), "stopped");
    // Longer than the delay, whatever its jitter.
    s.start("clock", "sleep", &["--restart", "never", "--", "3"]);
    s.until_status("clock", "exited");
    assert_eq!(s.status("stopped"), "stopped");
    assert!(s.find_row("deleted").is_none());
    assert_eq!((runs(&s, "stopped"), runs(&s, "deleted")), (1, 1));
}

#[test]
fn the_delay_grows_with_each_failure() {
    let s = Sandbox::new();
    let program = s.script("bad", "date +%s%N >>$HOME/times\nexit 1");
    let flags = ["--restart-delay", "200ms", "--max-restarts", "4"];
    s.launch("bad", &program, &flags);
    s.until_status("bad", "errored");
    let times = s.read("times");
    let times: Vec<u64> = times.lines().map(|l| l.parse().unwrap()).collect();
    assert_eq!(times.len(), 4);
    let gaps: Vec<u64> = times
        .windows(2)
        .map(|w| (w[1] - w[0]) / 1_000_000)
        .collect();
    assert!(gaps[0] >= 100, "about 200 ms: {gaps:?}");
    assert!(gaps[2] >= 400, "about 800 ms: {gaps:?}");
}

#[test]
fn a_stable_run_forgets_earlier_failures() {
    let s = Sandbox::new();
    let program = child::obeys(&s, "job");
    let text = format!(
        "[[processes]]\nname = \"job\"\nscript = \"{program}\"\nrestart_delay = 0\nmax_restarts = 2\nmin_uptime = \"1s\"\n"
    );
    s.file("adasa.toml", text);
    let mut fifo = s.fifo("job.fifo");
    let _ = s
        .run(&["start", "--config", "adasa.toml"])
        .stderr("")
        .success();
    for n in 1..5 {
        until_runs(&s, "job", n);
        s.wait_for("it ran for longer than min_uptime", |s| {
            (s.row("job")["uptime"].as_f64()? >= 2.0).then_some(())
        });
        fifo.say("1");
    }
    until_runs(&s, "job", 5);
    s.until_status("job", "running");
}

#[test]
fn failures_count_within_the_window_when_there_is_one() {
    let s = Sandbox::new();
    let program = child::exits(&s, "bad", 1);
    let text = format!(
        "[[processes]]\nname = \"bad\"\nscript = \"{program}\"\nrestart_delay = 0\nmax_restarts = 3\nrestart_window = \"60s\"\n"
    );
    s.file("adasa.toml", text);
    let output = s.run(&["start", "--config", "adasa.toml"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output}");
    s.until_status("bad", "errored");
    assert_eq!(runs(&s, "bad"), 3);
}

#[test]
fn a_process_that_crashes_all_the_time_delays_no_command_on_another() {
    let s = Sandbox::new();
    let program = child::exits(&s, "storm", 1);
    let flags = ["--restart-delay", "0", "--max-restarts", "100000"];
    s.launch("storm", &program, &flags);
    until_runs(&s, "storm", 20);
    s.start("calm", &child::stays(&s), &[]);
    for verb in ["restart", "stop", "start", "delete"] {
        let _ = s.run(&[verb, "calm"]).stderr("").success();
    }
    let _ = s.run(&["stop", "storm"]).stderr("").success();
    assert_eq!(s.status("storm"), "stopped");
    let before = runs(&s, "storm");
    s.start("calm", &child::stays(&s), &[]);
    let _ = s.run(&["restart", "calm"]).stderr("").success();
    assert_eq!(runs(&s, "storm"), before);
}
