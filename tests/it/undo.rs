//! Taking back a stop, a delete and a changed file, also after the death of the daemon that did it.

use crate::child;
use crate::sandbox::Sandbox;

#[test]
fn a_delete_is_taken_back_by_another_daemon() {
    let s = Sandbox::new();
    let flags = ["--env", "MODE=live", "--instances", "2"];
    s.start("api", &child::stays(&s), &flags);
    let before = s.run(&["status", "api", "--json"]).success().json();
    let _ = s.run(&["delete", "api"]).success();
    s.murder("pid");
    let listed = s.run(&["undo", "--list"]).success();
    let _ = listed
        .stdout_has("delete by")
        .stdout_has("would define api again");
    let back = s.run(&["undo"]).success().stderr("");
    let _ = back.stdout_has("api-0 started").stdout_has("api-1 started");
    let after = s.run(&["status", "api", "--json"]).success().json();
    for key in ["command", "cwd", "env", "restart", "stop", "limits"] {
        assert_eq!(after[0][key], before[0][key], "{key}");
    }
    let _ = s
        .run(&["undo"])
        .error(4)
        .stderr_has("there is nothing to take back");
    let _ = s.rows();
}

#[test]
fn a_stop_is_taken_back_once_and_not_over_a_start() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "api"]).success();
    let _ = s.run(&["undo"]).success().stdout_has("api started");
    let stopped = s.run(&["stop", "api", "--json"]).success().json();
    let _ = s.run(&["start", "api"]).success();
    let id = stopped["operation"].as_str().unwrap();
    let _ = s
        .run(&["undo", id])
        .error(1)
        .stderr_has("api was started again since");
    let json = s.run(&["undo", "--list", "--json"]).success().json();
    assert_eq!(json[0]["operation"], id);
    assert!(json[0]["refused"].is_string(), "{json}");
    let _ = s.rows();
}

#[test]
fn a_changed_file_is_taken_back() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let text =
        |n: u32| format!("[[processes]]\nname = \"api\"\nscript = {program:?}\ninstances = {n}\n");
    s.file("adasa.toml", text(1));
    let _ = s.run(&["up", "-d"]).success();
    s.file("adasa.toml", text(3));
    let _ = s.run(&["reload", "--config", "adasa.toml"]).success();
    assert_eq!(s.rows().len(), 3);
    let _ = s.run(&["undo"]).success();
    s.wait_for("one is left", |s| (s.rows().len() == 1).then_some(()));
    assert_eq!(s.row("api")["status"], "running");
}
