//! What a file brought up goes down by it, and nothing else does; and a great many come and go.

use serde_json::Value;

use super::{entry, with_job};
use crate::sandbox::Sandbox;

fn is_daemon(sandbox: &Sandbox) -> bool {
    sandbox.daemon_status().is_some()
}

/// Live rows of these names; a process that was brought down is either gone from the list or stopped.
fn live(sandbox: &Sandbox, names: &[&str]) -> Vec<Value> {
    let named = |row: &Value| names.iter().any(|name| row["process"] == *name);
    sandbox
        .rows()
        .into_iter()
        .filter(|row| named(row) && !row["pid"].is_null())
        .collect()
}

#[test]
fn down_ends_what_its_file_brought_up_and_nothing_else() {
    let sandbox = with_job();
    sandbox.file(
        "adasa.toml",
        entry("web", "instances = 2") + &entry("worker", ""),
    );
    sandbox.file("other.toml", entry("other", ""));
    sandbox.run(&["start", "--config", "other.toml"]).success();
    sandbox
        .run(&["start", "./job", "--name", "typed"])
        .success();
    sandbox.run(&["up", "-d"]).success();
    let theirs = ["other", "typed"].map(|name| sandbox.pid(name));
    let ours = ["web-0", "web-1", "worker"].map(|name| sandbox.known(name));
    sandbox.run(&["down"]).success();
    assert!(ours.iter().all(|known| !known.is_alive()));
    assert_eq!(live(&sandbox, &["web", "worker"]), Vec::<Value>::new());
    assert_eq!(["other", "typed"].map(|name| sandbox.pid(name)), theirs);
    sandbox.run(&["down", "other.toml"]).success();
    assert_eq!(sandbox.status("typed"), "running");
    assert!(is_daemon(&sandbox));
}

#[test]
fn down_ends_also_what_the_file_no_longer_names() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", "") + &entry("forgotten", ""));
    sandbox.run(&["up", "-d"]).success();
    let forgotten = sandbox.known("forgotten");
    sandbox.file("adasa.toml", entry("web", ""));
    sandbox.run(&["down"]).success();
    assert!(!forgotten.is_alive());
}

#[test]
fn down_takes_the_daemon_along_when_up_started_it_and_nothing_is_left() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", ""));
    sandbox.run(&["up", "-d"]).success();
    let roles = ["pid", "keeper_pid", "scribe_pid"].map(|key| sandbox.role(key));
    sandbox.run(&["down"]).success();
    for role in roles {
        sandbox.until_gone(role);
    }
    sandbox.run(&["daemon", "status"]).code(3);
}

#[test]
fn down_leaves_the_daemon_when_something_is_left() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", ""));
    sandbox.run(&["up", "-d"]).success();
    sandbox
        .run(&["start", "./job", "--name", "typed"])
        .success();
    let (daemon, typed) = (sandbox.role("pid"), sandbox.known("typed"));
    sandbox.run(&["down"]).success();
    assert_eq!(
        (sandbox.role("pid"), sandbox.known("typed")),
        (daemon, typed)
    );
}

#[test]
fn down_leaves_a_daemon_that_somebody_else_started() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", ""));
    sandbox.run(&["daemon", "start"]).success();
    let daemon = sandbox.role("pid");
    sandbox.run(&["up", "-d"]).success();
    sandbox.run(&["down"]).success();
    assert_eq!(sandbox.role("pid"), daemon);
    assert_eq!(live(&sandbox, &["web"]), Vec::<Value>::new());
}

#[test]
fn down_without_a_daemon_ends_what_would_come_up_with_the_next_one() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", ""));
    sandbox.run(&["up", "-d"]).success();
    sandbox.run(&["daemon", "stop"]).success();
    sandbox.run(&["--no-autostart", "down"]).code(3);
    sandbox.run(&["down"]).stdout_has("web removed").success();
    assert!(!is_daemon(&sandbox), "one that it started goes with it");
    sandbox
        .run(&["down"])
        .stdout_has("adasa.toml brought nothing up")
        .success();
    sandbox.run(&["down", "nowhere.toml"]).code(4);
    assert!(!is_daemon(&sandbox));
    assert_eq!(sandbox.rows(), Vec::<Value>::new());
}

#[test]
fn a_file_is_a_selector_of_what_it_brought_up() {
    let sandbox = with_job();
    sandbox.file("app.toml", entry("web", "") + &entry("worker", ""));
    sandbox.run(&["start", "--config", "app.toml"]).success();
    sandbox
        .run(&["start", "./job", "--name", "typed"])
        .success();
    sandbox.run(&["stop", "./app.toml"]).success();
    let statuses = ["web", "worker", "typed"].map(|name| sandbox.status(name));
    assert_eq!(statuses, ["stopped", "stopped", "running"]);
}

#[test]
fn five_hundred_processes_of_one_file_come_up_and_go_and_none_is_left() {
    let sandbox = Sandbox::new();
    let text: String = (0..500)
        .map(|n| format!("[[processes]]\nname = \"p{n}\"\nscript = \"sleep\"\nargs = [\"1000\"]\n"))
        .collect();
    sandbox.file("adasa.toml", text);
    sandbox.run(&["up", "-d"]).success();
    let rows = sandbox.rows();
    assert_eq!(
        rows.iter().filter(|row| row["status"] == "running").count(),
        500
    );
    sandbox.run(&["stop", "all"]).success();
    let rows = sandbox.rows();
    assert_eq!(
        rows.iter()
            .filter(|row| row["status"] == "stopped" && row["pid"].is_null())
            .count(),
        500
    );
    let adasas = sandbox.adasas();
    let left: Vec<_> = sandbox
        .left()
        .into_iter()
        .filter(|known| !adasas.contains(known))
        .collect();
    assert_eq!(left, []);
}
