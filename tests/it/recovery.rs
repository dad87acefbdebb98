//! A daemon or a scribe that is shot: no process notices, no exit and no line is lost, nothing is done twice.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::child;
use crate::sandbox::{Known, Sandbox, exit};

#[test]
fn a_killed_daemon_is_back_at_once_with_the_same_pids() {
    let s = Sandbox::new();
    s.start("w", &child::counts(&s, "w"), &["--instances", "5"]);
    s.until_file("w.runs", |text| text.lines().count() == 5);
    let pids = |s: &Sandbox| {
        s.rows()
            .iter()
            .map(|r| r["pid"].clone())
            .collect::<Vec<_>>()
    };
    let (before, keeper) = (pids(&s), s.role("keeper_pid"));
    for _ in 0..5 {
        let shot = s.role("pid");
        shot.signal(Signal::SIGKILL);
        let _ = s.run(&["list", "--no-autostart"]).stderr("").success();
        assert_eq!(pids(&s), before);
        s.until_gone(shot);
        assert_ne!(s.role("pid"), shot);
        assert_eq!(s.role("keeper_pid"), keeper);
    }
    assert_eq!(
        s.read("w.runs").lines().count(),
        5,
        "nothing was started twice"
    );
    assert_eq!(s.adasas().len(), 3);
}

#[test]
fn an_exit_after_or_during_the_daemons_death_is_known_with_its_code() {
    let s = Sandbox::new();
    let mut fifos = Vec::new();
    for name in ["after", "during"] {
        fifos.push(s.fifo(&format!("{name}.fifo")));
        s.start(name, &child::obeys(&s, name), &["--restart", "never"]);
        s.until_file(format!("{name}.runs"), |text| text.ends_with('\n'));
    }
    let during = s.known("during");
    s.role("pid").signal(Signal::SIGKILL);
    fifos[1].say("21");
    s.until_gone(during);
    let row = s.until_status("during", "errored");
    assert_eq!(exit(&row), json!({"code": 21, "signal": null}));
    fifos[0].say("22");
    let row = s.until_status("after", "errored");
    assert_eq!(exit(&row), json!({"code": 22, "signal": null}));
}

#[test]
fn a_crash_during_the_daemons_death_is_followed_by_exactly_one_new_run() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &["--restart-delay", "0"]);
    for n in 1..5 {
        s.until_file("api.runs", |text| text.lines().count() == n);
        let api = s.known("api");
        s.role("pid").signal(Signal::SIGKILL);
        api.signal(Signal::SIGKILL);
        s.until_gone(api);
        s.until_file("api.runs", |text| text.lines().count() == n + 1);
        s.until_status("api", "running");
    }
    let runs = s.read("api.runs");
    assert_eq!(runs.lines().count(), 5);
    let alive = runs.lines().filter_map(|l| Known::of(l.parse().ok()?));
    assert_eq!(alive.count(), 1);
}

#[test]
fn a_stop_outlives_the_daemon_that_began_it() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "2s"]);
    let known = s.until_pid("deaf.ready");
    let stop = s.spawn(&["stop", "deaf"]);
    s.until_status("deaf", "stopping");
    s.murder("pid");
    let _ = stop.output().stderr("").stdout_has("deaf").success();
    assert!(!known.is_alive());
    let row = s.row("deaf");
    assert_eq!(row["status"], "stopped");
    assert_eq!(row["exit"]["signal"], "SIGKILL");
}

#[test]
fn a_pending_restart_outlives_the_daemon_and_can_still_be_cancelled() {
    let s = Sandbox::new();
    let mut fifos = Vec::new();
    for (name, delay) in [("soon", "2s"), ("never", "1000s")] {
        let mut fifo = s.fifo(&format!("{name}.fifo"));
        s.start(name, &child::obeys(&s, name), &["--restart-delay", delay]);
        fifo.say("1");
        fifos.push(fifo);
        s.until_status(name, "backoff");
    }
    s.murder("pid");
    assert_eq!(s.status("never"), "backoff");
    s.until_file("soon.runs", |text| text.lines().count() == 2);
    assert_eq!(s.until_status("soon", "running")["restarts"], 1);
    let _ = s.run(&["stop", "never"]).stderr("").success();
    assert_eq!(s.status("never"), "stopped");
}

#[test]
fn definitions_goals_and_failures_are_the_same_after_a_kill() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "0", "--max-restarts", "2"];
    let program = child::exits(&s, "bad", 5);
    s.launch("bad", &program, &flags);
    s.until_status("bad", "errored");
    s.start("off", &child::stays(&s), &["--tag", "x", "--env", "A=1"]);
    let _ = s.run(&["stop", "off"]).success();
    s.start("gone", &child::stays(&s), &[]);
    let _ = s.run(&["delete", "gone"]).success();
    let before = s.rows();
    s.murder("pid");
    assert_eq!(s.rows(), before);
    assert_eq!(s.read("bad.runs").lines().count(), 2);
}

#[test]
fn a_command_under_way_when_the_daemon_is_killed_is_done_once() {
    let s = Sandbox::new();
    let program = child::counts(&s, "p");
    for n in 0..5 {
        let name = format!("p{n}");
        let _ = s.run(&["list"]).success();
        let daemon = s.role("pid");
        let start = s.spawn(&["start", &program, "--name", &name]);
        daemon.signal(Signal::SIGKILL);
        let _ = start.output().stderr("").stdout_has(&name).success();
        assert_eq!(s.status(&name), "running");
        s.until_file("p.runs", |text| text.lines().count() == n + 1);
    }
    assert_eq!(s.rows().len(), 5);
    assert_eq!(s.read("p.runs").lines().count(), 5);
}

/// Kills one role over and over under a process that prints numbered lines; its log has each line once, in order.
fn every_line_once(role: &str) {
    let s = Sandbox::new();
    child::chat(&s);
    let pid = s.pid("chat");
    let log = s.home().join("logs/default/chat/0.out.log");
    for _ in 0..8 {
        let written = std::fs::metadata(&log).map_or(0, |meta| meta.len());
        let shot = s.murder(role);
        s.wait_for("it is replaced", |s| {
            let now = s.daemon_status()?[role].as_i64()?;
            (now != i64::from(shot.pid)).then_some(())
        });
        s.wait_for("its log grows again", |_| {
            (std::fs::metadata(&log).ok()?.len() > written).then_some(())
        });
    }
    s.file("chat.enough", "");
    let last = s.until_file("chat.last", |text| text.ends_with('\n'));
    let end = format!("line {last}");
    let text = s.until_file(&log, |text| text.ends_with(&end));
    let mut count = 0_u64;
    for line in text.lines() {
        count += 1;
        assert_eq!(
            line,
            format!("line {count}"),
            "lines lost or doubled by the death of {role}"
        );
    }
    assert_eq!(count.to_string(), last.trim());
    assert_eq!(s.pid("chat"), pid);
}

#[test]
fn no_line_is_lost_or_doubled_when_the_daemon_is_killed() {
    every_line_once("pid");
}

#[test]
fn no_line_is_lost_or_doubled_when_the_scribe_is_killed() {
    every_line_once("scribe_pid");
}

#[test]
fn a_killed_scribe_is_replaced_and_nothing_else_notices() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let (api, daemon, keeper) = (s.known("api"), s.role("pid"), s.role("keeper_pid"));
    let shot = s.murder("scribe_pid");
    s.wait_for("another scribe is there", |s| {
        let pid = s.daemon_status()?["scribe_pid"].as_i64()?;
        (pid != i64::from(shot.pid)).then_some(())
    });
    assert_eq!(
        (s.known("api"), s.role("pid"), s.role("keeper_pid")),
        (api, daemon, keeper)
    );
    s.start("later", &child::stays(&s), &[]);
}
