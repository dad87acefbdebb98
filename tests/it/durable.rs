//! What the state folder has: `--durable`, and what works while its disk is full.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::child;
use crate::faults::storage::prlimit;
use crate::faults::successor;
use crate::http::get;
use crate::sandbox::Sandbox;

#[test]
fn every_command_that_changes_something_can_be_durable() {
    let s = Sandbox::new();
    let program = child::counts(&s, "api");
    s.start("api", &program, &["--durable"]);
    let file = format!("[[processes]]\nname = \"web\"\nscript = \"{program}\"\n");
    s.file("adasa.toml", file);
    for command in [
        &["up", "-d", "--durable"][..],
        &["reload", "--config", "adasa.toml", "--durable"],
        &["stop", "api", "--durable"],
        &["start", "api", "--durable"],
        &["restart", "api", "--durable"],
        &["delete", "api", "--durable"],
        &["undo", "--durable"],
        &["down", "--durable"],
    ] {
        let run = s.run(&[command, &["--json"]].concat());
        let json = run.stderr("").success().json();
        let view = if json["results"].is_array() {
            &json["operation"]
        } else {
            &json
        };
        assert_eq!(view["recorded"], "done", "{command:?}: {json}");
        assert_eq!(view["done"], true, "{command:?}: {json}");
    }
    let _ = s.run(&["list", "--durable"]).code(2);
}

/// A process whose definition is so large that nothing more fits into the journal; gives back the daemon's pid.
fn fill(s: &Sandbox) -> i32 {
    let daemon = s.role("pid").pid;
    let changes = s.home().join("state/changes");
    let stuffing = format!("STUFFING={}", "x".repeat(100_000));
    for n in 0.. {
        let name = format!("stuffing-{n}");
        let args = [
            "start", "sleep", "--name", &name, "--env", &stuffing, "--", "100000",
        ];
        let _ = s.run(&args).success();
        let size = fs::metadata(&changes).unwrap().len();
        prlimit(daemon, &size.to_string());
        // Folded in between, it is empty: what is to be filled is the journal alone.
        if size > 100_000 && fs::metadata(&changes).unwrap().len() == size {
            return daemon;
        }
        prlimit(daemon, "unlimited");
    }
    unreachable!()
}

#[test]
fn a_full_disk_keeps_nobody_from_stopping_starting_and_deleting_what_is_known() {
    let s = Sandbox::new();
    let program = child::counts(&s, "api");
    s.start("api", &program, &[]);
    s.start("web", &program, &[]);
    let daemon = fill(&s);
    let json = |args: &[&str]| -> Value { s.run(args).stderr("").success().json() };
    let stopped = json(&["stop", "api", "--json"]);
    assert_eq!(stopped["recorded"], "pending", "{stopped}");
    assert_eq!(stopped["done"], true, "{stopped}");
    assert_eq!(s.status("api"), "stopped");
    let _ = s
        .run(&["start", "api"])
        .stderr_has("not recorded yet")
        .stdout_has("api started")
        .success();
    assert_eq!(json(&["restart", "api", "--json"])["recorded"], "done");
    let _ = s
        .run(&["stop", "api", "--durable"])
        .stderr_has("it is carried out, and the disk of the state folder could not take it")
        .code(1);
    // That the disk refused may be known before the process is gone.
    s.until_status("api", "stopped");
    let refused = s.run(&["start", &program, "--name", "new"]).code(1);
    let _ = refused.stderr_has("could not be recorded");
    let gone = json(&["delete", "web", "--json"]);
    assert_eq!(gone["recorded"], "pending", "{gone}");
    assert!(s.rows().iter().all(|row| row["name"] != "web"));
    // Neither is forgotten with the daemon.
    let shot = s.role("pid");
    shot.signal(Signal::SIGKILL);
    successor(&s, "pid", shot);
    assert_ne!(s.role("pid").pid, daemon);
    assert_eq!(s.status("api"), "stopped");
    assert!(s.rows().iter().all(|row| row["name"] != "web"));
    for view in [&stopped, &gone] {
        let place = format!("/api/operations/{}", view["operation"].as_str().unwrap());
        s.wait_for("the disk has it", |s| {
            (get(s, &place)["recorded"] == "done").then_some(())
        });
    }
}

#[test]
fn what_a_full_disk_could_not_take_is_recorded_when_there_is_room_again() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let daemon = fill(&s);
    let stopped = s.run(&["stop", "api", "--json"]).success().json();
    assert_eq!(stopped["recorded"], "pending", "{stopped}");
    // Not only who asked is told.
    let alarms = |s: &Sandbox| s.daemon_status().map(|it| it["alarms"].to_string());
    let said = alarms(&s).unwrap_or_default();
    assert!(
        said.contains("state cannot be written: File too large"),
        "{said}"
    );
    prlimit(daemon, "unlimited");
    let id = stopped["operation"].as_str().unwrap();
    let place = format!("/api/operations/{id}");
    s.wait_for("the disk has it", |s| {
        (get(s, &place)["recorded"] == "done").then_some(())
    });
    assert_eq!(s.role("pid").pid, daemon);
    s.wait_for("no alarm", |s| (alarms(s)? == "[]").then_some(()));
}

/// A state folder that lost all it knew: what runs is shown, left alone, and can be ended.
#[test]
fn what_lost_its_definition_runs_on_and_can_be_stopped() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let api = s.known("api");
    let shot = s.role("pid");
    shot.signal(Signal::SIGSTOP);
    for file in ["specs.json", "specs.1.json", "specs.2.json", "changes"] {
        let _ = fs::remove_file(s.home().join("state").join(file));
    }
    shot.signal(Signal::SIGKILL);
    successor(&s, "pid", shot);
    let row = s.row("api");
    assert_eq!(row["status"], "orphaned", "{row}");
    assert_eq!(row["pid"], api.pid);
    let _ = s.run(&["list"]).stdout_has("orphaned").success();
    let refused = s.run(&["restart", "api"]).code(1);
    let _ = refused.stderr_has("nothing defines it any more");
    assert!(api.is_alive());
    let _ = s.run(&["stop", "api"]).stdout_has("api stopped").success();
    s.until_gone(api);
    assert!(s.rows().is_empty());
}
