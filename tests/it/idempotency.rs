//! The same request twice, by its operation id: done once, also when the daemon died in between.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::child;
use crate::faults::{Dice, successor};
use crate::http::try_post;
use crate::sandbox::Sandbox;

/// Sent again until it is answered, as every client does.
#[track_caller]
fn insist(s: &Sandbox, place: &str, body: &Value) -> (u16, Value) {
    s.wait_for("an answer", |s| try_post(s, place, body))
}

fn spec(s: &Sandbox, name: &str, program: &str) -> Value {
    json!({
        "name": name,
        "command": {"program": program, "args": []},
        "cwd": s.root(),
        "env": {"HOME": s.root(), "PATH": std::env::var("PATH").unwrap()},
        "instances": 1,
    })
}

/// What stays the same in the answers to one request: what was done to whom, and what became of it.
fn result(answer: &(u16, Value)) -> Value {
    let (status, body) = answer;
    assert_eq!(*status, 200, "{body}");
    let data = &body["data"];
    let view = if data["operation"].is_object() {
        &data["operation"]
    } else {
        data
    };
    assert_eq!(view["done"], true, "{body}");
    let targets: Vec<Value> = view["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| json!([t["id"], t["name"], t["state"]]))
        .collect();
    json!([view["verb"], targets, data["results"]])
}

#[test]
fn a_repeated_request_is_answered_the_same_by_the_next_daemon_and_done_once() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let (one, two) = (child::counts(&s, "one"), child::counts(&s, "two"));
    let file = s.file("two.toml", "");
    let act = |id: &str, verb: &str| json!({"operation": id, "verb": verb, "select": ["one"]});
    let apply = json!({
        "operation": "00000004", "file": file, "specs": [spec(&s, "two", &two)], "start": true, "prune": true,
    });
    let define = json!({"operation": "00000001", "spec": spec(&s, "one", &one)});
    let requests = [
        ("/api/processes", define),
        ("/api/operations", act("00000002", "restart")),
        ("/api/operations", act("00000003", "delete")),
        ("/api/apply", apply),
        ("/api/down", json!({"operation": "00000005", "file": file})),
    ];
    let mut results = Vec::new();
    for (place, body) in &requests {
        let place = format!("{place}?wait_ms=30000");
        let first = result(&insist(&s, &place, body));
        assert_eq!(result(&insist(&s, &place, body)), first);
        let shot = s.role("pid");
        shot.signal(Signal::SIGKILL);
        assert_eq!(result(&insist(&s, &place, body)), first);
        successor(&s, "pid", shot);
        results.push(first);
    }
    // The objects are gone by now, and so are five daemons.
    for ((place, body), before) in requests.iter().zip(&results) {
        assert_eq!(result(&insist(&s, place, body)), *before);
    }
    assert!(s.rows().is_empty());
    assert_eq!(s.read("one.runs").lines().count(), 2);
    assert_eq!(s.read("two.runs").lines().count(), 1);
}

#[test]
fn a_daemon_shot_in_the_middle_of_a_restart_restarts_once() {
    let s = Sandbox::new();
    let program = child::counts(&s, "api");
    s.start("api", &program, &[]);
    let mut dice = Dice::new();
    for n in 1..=10_u64 {
        let shot = s.role("pid");
        let id = format!("restart-{n}");
        let body = json!({"operation": id, "verb": "restart", "select": ["api"]});
        let answer = std::thread::scope(|scope| {
            let asks = scope.spawn(|| insist(&s, "/api/operations?wait_ms=30000", &body));
            for _ in 0..dice.below(2_000) {
                std::thread::yield_now();
            }
            shot.signal(Signal::SIGKILL);
            asks.join().unwrap()
        });
        assert_eq!(result(&answer)[1][0][2], "done", "{answer:?}");
        s.until_file("api.runs", |text| {
            text.lines().count() as u64 == n + 1 && text.ends_with('\n')
        });
        successor(&s, "pid", shot);
    }
    assert_eq!(s.read("api.runs").lines().count(), 11);
}

#[test]
fn an_id_that_was_used_for_another_request_is_a_conflict() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let place = "/api/operations?wait_ms=30000";
    let id = "00000001";
    let act = |verb: &str, select: &str| json!({"operation": id, "verb": verb, "select": [select]});
    let _ = result(&insist(&s, place, &act("restart", "api")));
    let apply =
        json!({"operation": id, "file": "/x.toml", "specs": [], "start": true, "prune": true});
    let others = [
        (place, act("stop", "api")),
        (place, act("restart", "all")),
        ("/api/apply", apply),
        ("/api/down", json!({"operation": id, "file": "/x.toml"})),
        (
            "/api/processes",
            json!({"operation": id, "spec": spec(&s, "new", "/bin/true")}),
        ),
    ];
    for (place, body) in others {
        let (status, answer) = insist(&s, place, &body);
        assert_eq!(status, 409, "{answer}");
        assert_eq!(answer["error"]["code"], "conflict", "{answer}");
    }
    assert_eq!(s.status("api"), "running");
    assert_eq!(s.rows().len(), 1);
    assert_eq!(s.read("api.runs").lines().count(), 2);
}
