//! Rolling restarts: one after the other, halted at a failure, paused, aborted, and without the client or the daemon that began them.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::child;
use crate::sandbox::{Fifo, Known, Output, Running, Sandbox};

/// Says on TERM that it was asked, and ends when a line comes through the gate.
fn gated(s: &Sandbox, name: &str) -> String {
    let path = |what: &str| s.path(&format!("{name}.{what}")).display().to_string();
    let (asked, begun, gate) = (path("asked"), path("begun"), path("gate"));
    let body = format!(
        "trap 'echo $ADASA_INSTANCE >>{asked}; read word <{gate}; exit 0' TERM\n\
         echo $ADASA_INSTANCE >>{begun}\n\
         while :; do sleep 1000 & wait; done"
    );
    s.script(name, &body)
}

fn pids(s: &Sandbox, name: &str, count: usize) -> Vec<Known> {
    let names = (0..count).map(|n| format!("{name}-{n}"));
    names.map(|name| s.known(&name)).collect()
}

/// The newest rolling restart of a process.
#[track_caller]
fn rollout(s: &Sandbox, name: &str) -> Value {
    let all = s
        .run(&["rollout", "status", name, "--json"])
        .success()
        .json();
    let newest = all.as_array().unwrap().last().expect("a rollout").clone();
    newest["rollouts"][0].clone()
}

#[track_caller]
fn until_state(s: &Sandbox, name: &str, state: &str) -> Value {
    s.wait_for(&format!("the rollout is {state}"), |s| {
        Some(rollout(s, name)).filter(|r| r["state"] == state && r["over"] == true)
    })
}

fn begin(s: &Sandbox, name: &str, flags: &[&str]) -> Running {
    let mut args = vec!["restart", name, "--rolling", "--stable", "100ms"];
    args.extend(flags);
    s.spawn(&args)
}

#[test]
fn instances_are_replaced_one_after_the_other() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &["--instances", "3"]);
    s.until_file("api.runs", |text| text.lines().count() == 3);
    let old = pids(&s, "api", 3);
    let output = begin(&s, "api", &[]).output().stderr("").success();
    for n in 0..3 {
        assert!(
            output.stdout.contains(&format!("api-{n} restarted (pid ")),
            "{output}"
        );
    }
    let new = pids(&s, "api", 3);
    for (old, new) in old.iter().zip(&new) {
        assert!(!old.is_alive());
        assert_ne!(old, new);
    }
    // Each was begun when the one before it was.
    let begun: Vec<i32> = new.iter().map(|k| k.pid).collect();
    let runs = s.until_file("api.runs", |text| text.lines().count() == 6);
    let order: Vec<i32> = runs.lines().skip(3).map(|l| l.parse().unwrap()).collect();
    assert_eq!(order, begun);
    let shown = s.run(&["rollout"]).success();
    let _ = shown.stdout_has("api: completed, 3 of 3 replaced, at most 1 down at once");
}

#[test]
fn the_first_failure_leaves_the_rest_on_the_old_run_and_is_told() {
    let s = Sandbox::new();
    let broken = s.path("broken");
    let body = format!("[ -e {} ] && exit 3\nexec sleep 1000", broken.display());
    let program = s.script("api", &body);
    s.start("api", &program, &["--instances", "3", "--restart", "never"]);
    let old = pids(&s, "api", 3);
    s.file("broken", "");
    let output = s.run(&["restart", "api", "--rolling", "--stable", "1h", "--json"]);
    let json = output.json();
    let output = output.code(1).stderr_lacks("zero-downtime");
    assert_eq!(json["done"], true, "{output}");
    let rollout = &json["rollouts"][0];
    assert_eq!(rollout["state"], "halted");
    assert!(
        rollout["why"].as_str().unwrap().contains("exit 3"),
        "{rollout}"
    );
    let places: Vec<&str> = rollout["places"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["failed", "waiting", "waiting"]);
    assert!(old[1].is_alive() && old[2].is_alive());

    let output = s.run(&["restart", "api", "--rolling", "--stable", "1h"]);
    let _ = output
        .code(1)
        .stderr_has("restart of api-0 failed: the new run ended: exit 3")
        .stderr_has("the rolling restart of api halted at api-0: the new run ended: exit 3; on the old run: api-1 api-2");
    let events = s.run(&["status", "api-0", "--json"]).success();
    let _ = events.stdout_has("halted");
}

/// A rolling restart of three that waits for the first of the old runs to end: its gate, the old pids, its client.
fn at_the_first() -> (Sandbox, Fifo, Vec<Known>, Running) {
    let s = Sandbox::new();
    let gate = s.fifo("api.gate");
    let program = gated(&s, "api");
    s.start(
        "api",
        &program,
        &["--instances", "3", "--stop-timeout", "1h"],
    );
    s.until_file("api.begun", |text| text.lines().count() == 3);
    let old = pids(&s, "api", 3);
    let client = begin(&s, "api", &[]);
    s.until_file("api.asked", |text| text == "0\n");
    (s, gate, old, client)
}

/// `api-0` is new, `api-1` neither, `api-2` old.
fn new_against_old(s: &Sandbox) {
    let all = s.wait_for("memory of both sides", |s| {
        let all = s
            .run(&["rollout", "status", "api", "--json"])
            .success()
            .json();
        let gate = &all[0]["gate"][0];
        let known = gate["new"]["memory"].is_number() && gate["old"]["memory"].is_number();
        known.then_some(all)
    });
    let gate = &all[0]["gate"][0];
    assert_eq!(gate["process"], "api");
    assert_eq!(gate["new"]["names"], serde_json::json!(["api-0"]));
    assert_eq!(gate["old"]["names"], serde_json::json!(["api-2"]));
    assert_eq!(gate["new"]["young"], true);
    assert_eq!(gate["verdicts"]["memory"], "young");
    assert!(
        gate["new"]["errors"].is_null(),
        "too little is known: {gate}"
    );
    let _ = s
        .run(&["rollout", "status", "api"])
        .success()
        .stdout_has("  last 60 s, of one      old (1)     new (1)\n")
        .stdout_has("  memory ");
}

#[test]
fn it_goes_on_without_its_client_and_without_the_daemon_that_began_it() {
    let (s, mut gate, old, client) = at_the_first();
    client.signal(Signal::SIGINT);
    let _ = client.output().code(130).stdout("").stderr_has(
        "the rolling restart goes on in the daemon; `adasa rollout status api` shows it",
    );
    s.murder("pid");
    gate.say("go");
    s.until_file("api.asked", |text| text == "0\n1\n");
    assert!(!old[0].is_alive() && old[1].is_alive() && old[2].is_alive());
    new_against_old(&s);
    s.murder("pid");
    s.murder("pid");
    gate.say("go");
    s.until_file("api.asked", |text| text == "0\n1\n2\n");
    gate.say("go");
    let rollout = until_state(&s, "api", "completed");
    assert!(!rollout["by"].as_str().unwrap().is_empty());
    let begun = s.read("api.begun");
    let again: Vec<&str> = begun.lines().skip(3).collect();
    assert_eq!(again, ["0", "1", "2"]);
    gate.say("end");
    gate.say("end");
    gate.say("end");
    let _ = s.run(&["stop", "api"]).success();
}

#[test]
fn it_is_paused_resumed_aborted_and_not_begun_twice() {
    let (s, mut gate, old, client) = at_the_first();

    let refused = begin(&s, "api-2", &[]).output().error(1);
    let _ = refused
        .stderr_has("api is being restarted batch by batch already")
        .stderr_has("adasa rollout abort api");
    let _ = s
        .run(&["rollout", "pause", "api"])
        .success()
        .stdout_has("api: paused");
    gate.say("go");
    s.wait_for("the first is replaced", |s| {
        Some(rollout(s, "api")).filter(|r| r["places"][0]["place"] == "done")
    });
    assert_eq!(s.read("api.asked"), "0\n", "paused, it begins nothing");
    let _ = s
        .run(&["rollout", "resume", "api-1"])
        .success()
        .stdout_has("api: advancing");
    s.until_file("api.asked", |text| text == "0\n1\n");
    let _ = s
        .run(&["rollout", "abort", "api"])
        .success()
        .stdout_has("api: aborted");
    gate.say("go");
    until_state(&s, "api", "aborted");
    let _ = client
        .output()
        .code(1)
        .stderr_has("the rolling restart of api was aborted; on the old run: api-2");
    assert!(old[2].is_alive() && !old[1].is_alive());
    let over = s.run(&["rollout", "resume", "api"]).error(4);
    let _ = over.stderr_has("no rolling restart of api is under way");
    for _ in 0..3 {
        gate.say("end");
    }
    let _ = s.run(&["stop", "api"]).success();
}

#[track_caller]
fn says_downtime(output: Output) {
    let _ = output.success().stderr_has("not zero-downtime");
}

#[test]
fn what_takes_everything_down_is_called_so() {
    let s = Sandbox::new();
    s.start("one", &child::stays(&s), &[]);
    says_downtime(begin(&s, "one", &[]).output());
    s.start("two", &child::stays(&s), &["--instances", "2"]);
    says_downtime(begin(&s, "two", &["--max-unavailable", "2"]).output());
    let _ = begin(&s, "two", &[]).output().success().stderr("");
}

#[test]
fn flags_of_a_rolling_restart_stand_with_it_only() {
    let s = Sandbox::new();
    for flags in [
        &["restart", "api", "--max-unavailable", "2"][..],
        &["restart", "api", "--stable", "1s"],
        &["restart", "api", "--rolling", "--max-unavailable", "0"],
    ] {
        let _ = s.run(flags).code(2).stdout("");
    }
    let _ = s.run(&["rollout", "halt", "api"]).code(2).stdout("");
    let _ = s.run(&["rollout", "status", "nobody"]).error(4);
}
