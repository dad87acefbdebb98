//! `start --config`, `up`, `reload` and `down`: what is declared becomes so, and nothing else is touched.

mod down;
mod environment;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::logs::log_of;
use crate::sandbox::{Output, Sandbox};

/// One `[[processes]]` entry that runs `./job`.
fn entry(name: &str, settings: &str) -> String {
    format!("[[processes]]\nname = \"{name}\"\nscript = \"./job\"\n{settings}\n")
}

fn with_job() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("job", "echo \"$ADASA_NAME runs\"; exec sleep 1000");
    sandbox
}

/// Name → what was done with it.
#[track_caller]
fn actions(output: Output) -> BTreeMap<String, String> {
    let output = output.success();
    let said = output.json();
    let results = said["results"]
        .as_array()
        .unwrap_or_else(|| panic!("no results: {output}"));
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or_else(|| panic!("{value} in {output}"))
            .to_owned()
    };
    results
        .iter()
        .map(|row| (text(&row["name"]), text(&row["action"])))
        .collect()
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, action)| ((*name).to_owned(), (*action).to_owned()))
        .collect()
}

#[test]
fn start_with_a_file_brings_up_all_that_it_says() {
    let sandbox = with_job();
    sandbox.file(
        "app.toml",
        entry("web", "instances = 2") + &entry("worker", ""),
    );
    let said = actions(sandbox.run(&["start", "--config", "app.toml", "--json"]));
    assert_eq!(said, expected(&[("web", "started"), ("worker", "started")]));
    let running: Vec<_> = sandbox
        .rows()
        .iter()
        .map(|row| (row["name"].clone(), row["status"].clone()))
        .collect();
    assert_eq!(
        running,
        [
            ("web-0", "running"),
            ("web-1", "running"),
            ("worker", "running")
        ]
        .map(|(n, s)| (n.into(), s.into()))
    );
}

#[test]
fn a_file_brought_up_twice_is_left_alone() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", "instances = 2"));
    sandbox.run(&["up", "-d"]).success();
    let pids = [sandbox.pid("web-0"), sandbox.pid("web-1")];
    for args in [
        &["up", "-d", "--json"][..],
        &["start", "--config", "adasa.toml", "--json"],
        &["reload", "--config", "adasa.toml", "--json"],
    ] {
        assert_eq!(
            actions(sandbox.run(args)),
            expected(&[("web", "unchanged")]),
            "{args:?}"
        );
    }
    assert_eq!([sandbox.pid("web-0"), sandbox.pid("web-1")], pids);
}

#[test]
fn reload_changes_what_differs_and_says_of_each_what_it_did() {
    let sandbox = with_job();
    let kept = entry("kept", "") + &entry("several", "instances = 2");
    let before = [
        entry("code", "args = [\"1\"]"),
        entry("grows", "instances = 2"),
        entry("shrinks", "instances = 3"),
        entry("policy", "stop_timeout = \"3s\""),
        entry("leaves", ""),
    ];
    let after = [
        entry("code", "args = [\"2\"]"),
        entry("grows", "instances = 4"),
        entry("shrinks", "instances = 2"),
        entry("policy", "stop_timeout = \"4s\"\nrestart = \"always\""),
        entry("comes", ""),
    ];
    sandbox.file("app.toml", kept.clone() + &before.concat());
    sandbox.run(&["start", "--config", "app.toml"]).success();
    let untouched = [
        "kept",
        "several-0",
        "several-1",
        "grows-0",
        "grows-1",
        "shrinks-0",
        "shrinks-1",
        "policy",
    ];
    let pids = untouched.map(|name| sandbox.pid(name));
    let ids = untouched.map(|name| sandbox.row(name)["id"].clone());
    let (code, leaves, third) = (
        sandbox.known("code"),
        sandbox.known("leaves"),
        sandbox.known("shrinks-2"),
    );

    sandbox.file("app.toml", kept + &after.concat());
    let said = actions(sandbox.run(&["reload", "--config", "app.toml", "--json"]));
    let wanted = [
        ("kept", "unchanged"),
        ("several", "unchanged"),
        ("code", "replaced"),
        ("grows", "scaled"),
        ("shrinks", "scaled"),
        ("policy", "changed"),
        ("leaves", "removed"),
        ("comes", "started"),
    ];
    assert_eq!(said, expected(&wanted));
    assert_eq!(untouched.map(|name| sandbox.pid(name)), pids);
    assert_eq!(untouched.map(|name| sandbox.row(name)["id"].clone()), ids);
    assert!(!code.is_alive() && !leaves.is_alive() && !third.is_alive());
    for name in ["code", "grows-2", "grows-3", "comes"] {
        assert_eq!(sandbox.status(name), "running");
    }
    for name in ["leaves", "shrinks-2"] {
        assert!(sandbox.find_row(name).is_none(), "{name} is still listed");
    }
    assert_eq!(sandbox.rows().len(), 12);
}

#[test]
fn reload_says_in_words_what_it_did() {
    let sandbox = with_job();
    sandbox.file("app.toml", entry("web", "") + &entry("worker", ""));
    sandbox.run(&["start", "--config", "app.toml"]).success();
    sandbox.file(
        "app.toml",
        entry("web", "args = [\"x\"]") + &entry("worker", ""),
    );
    let said = sandbox.run(&["reload", "app.toml"]).success().stdout;
    let _ = sandbox.run(&["reload"]).code(2);
    let both = ["reload", "app.toml", "--config", "app.toml"];
    let _ = sandbox.run(&both).code(2);
    let line = |name: &str| {
        said.lines()
            .find(|l| l.contains(name))
            .unwrap_or_else(|| panic!("nothing of {name}: {said}"))
            .to_owned()
    };
    assert!(line("web").contains("replaced"), "{said}");
    assert!(line("worker").contains("unchanged"), "{said}");
}

#[test]
fn what_did_not_come_up_is_not_called_started() {
    let sandbox = with_job();
    sandbox.file_mode("lost", "#!/nowhere/interpreter\n", 0o755);
    let lost =
        "[[processes]]\nname = \"lost\"\nscript = \"./lost\"\nrestart = \"never\"\ninstances = 2\n";
    sandbox.file("app.toml", entry("web", "") + lost);
    let output = sandbox.run(&["up", "-d", "app.toml"]).code(1);
    let output = output.stdout("web started\n").stderr_has("lost-0");
    let _ = output.stderr_has("start of lost-1 failed");
}

#[test]
fn one_that_becomes_several_and_one_again_keeps_its_first_process() {
    let sandbox = with_job();
    let scale = |instances: u32| {
        sandbox.file(
            "app.toml",
            entry("web", &format!("instances = {instances}")),
        );
        sandbox.run(&["reload", "--config", "app.toml"]).success();
    };
    scale(1);
    let (pid, id) = (sandbox.pid("web"), sandbox.row("web")["id"].clone());
    scale(3);
    assert_eq!(
        (sandbox.pid("web-0"), sandbox.row("web-0")["id"].clone()),
        (pid, id.clone())
    );
    scale(1);
    assert_eq!(
        (sandbox.pid("web"), sandbox.row("web")["id"].clone()),
        (pid, id)
    );
    assert_eq!(sandbox.rows().len(), 1);
}

#[test]
fn a_changed_policy_acts_on_the_process_that_runs() {
    let sandbox = with_job();
    sandbox.script(
        "stubborn",
        "trap '' TERM; echo deaf; while :; do sleep 1000; done",
    );
    let config = |timeout: &str| {
        entry("stubborn", &format!("stop_timeout = \"{timeout}\"")).replace("./job", "./stubborn")
    };
    sandbox.file("app.toml", config("1h"));
    sandbox.run(&["start", "--config", "app.toml"]).success();
    sandbox.until_file(log_of(&sandbox, "stubborn", "out"), |text| text == "deaf\n");
    let process = sandbox.known("stubborn");
    sandbox.file("app.toml", config("200ms"));
    let said = actions(sandbox.run(&["reload", "--config", "app.toml", "--json"]));
    assert_eq!(said, expected(&[("stubborn", "changed")]));
    assert_eq!(sandbox.known("stubborn"), process);
    sandbox.run(&["stop", "stubborn"]).success();
    assert!(!process.is_alive());
}

#[test]
fn reload_touches_nothing_that_another_file_or_a_person_started() {
    let sandbox = with_job();
    sandbox.file("one.toml", entry("one", "") + &entry("also", ""));
    sandbox.file("two.toml", entry("two", ""));
    sandbox.run(&["start", "--config", "one.toml"]).success();
    sandbox.run(&["start", "--config", "two.toml"]).success();
    sandbox
        .run(&["start", "./job", "--name", "typed"])
        .success();
    let pids = ["one", "two", "typed"].map(|name| sandbox.pid(name));
    sandbox.file("one.toml", entry("one", ""));
    let said = actions(sandbox.run(&["reload", "--config", "one.toml", "--json"]));
    assert_eq!(said, expected(&[("one", "unchanged"), ("also", "removed")]));
    assert_eq!(["one", "two", "typed"].map(|name| sandbox.pid(name)), pids);
}

#[test]
fn only_declared_values_count_as_a_change() {
    let sandbox = with_job();
    sandbox.file(
        "app.toml",
        entry("web", "env = { A = \"1\" }\ninherit_env = true"),
    );
    let path = std::env::var("PATH").unwrap();
    sandbox
        .run_with(&[("SEEN", "first")], &["start", "--config", "app.toml"])
        .success();
    let pid = sandbox.pid("web");
    let other = [
        ("PATH", format!("/somewhere/else:{path}")),
        ("SEEN", "second".to_owned()),
        ("TZ", "UTC".to_owned()),
    ];
    let other: Vec<(&str, &str)> = other
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let said = actions(sandbox.run_with(&other, &["reload", "--config", "app.toml", "--json"]));
    assert_eq!(said, expected(&[("web", "unchanged")]));
    // The same words in another order, and from another folder, are the same definition.
    sandbox.file("app.toml", "# a comment\n[[processes]]\ninherit_env = true\nscript = \"./job\"\nenv = { A = \"1\" }\nname = \"web\"\n");
    std::fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let said = actions(sandbox.run_in(
        sandbox.path("elsewhere"),
        &["reload", "--config", "../app.toml", "--json"],
    ));
    assert_eq!(said, expected(&[("web", "unchanged")]));
    assert_eq!(sandbox.pid("web"), pid);
}

#[test]
fn what_was_stopped_stays_stopped_by_reload_and_comes_with_up() {
    let sandbox = with_job();
    sandbox.file("adasa.toml", entry("web", "") + &entry("worker", ""));
    sandbox.run(&["up", "-d"]).success();
    sandbox.run(&["stop", "web"]).success();
    let said = actions(sandbox.run(&["reload", "--config", "adasa.toml", "--json"]));
    assert_eq!(
        said,
        expected(&[("web", "unchanged"), ("worker", "unchanged")])
    );
    assert_eq!(sandbox.status("web"), "stopped");
    let said = actions(sandbox.run(&["up", "-d", "--json"]));
    assert_eq!(
        said,
        expected(&[("web", "resumed"), ("worker", "unchanged")])
    );
    assert_eq!(sandbox.status("web"), "running");
}

#[test]
fn a_broken_reload_changes_nothing() {
    let sandbox = with_job();
    sandbox.file("app.toml", entry("web", "") + &entry("worker", ""));
    sandbox.run(&["start", "--config", "app.toml"]).success();
    let pids = ["web", "worker"].map(|name| sandbox.pid(name));
    sandbox.file(
        "app.toml",
        entry("web", "args = [\"new\"]") + &entry("other", "instances = 0"),
    );
    sandbox
        .run(&["reload", "--config", "app.toml"])
        .error(2)
        .stderr_has("app.toml:8:");
    assert_eq!(["web", "worker"].map(|name| sandbox.pid(name)), pids);
    assert_eq!(sandbox.rows().len(), 2);
}

#[test]
fn what_a_file_defines_comes_up_and_is_reported_in_the_order_of_the_file() {
    let sandbox = with_job();
    let names = ["web", "api", "cron"];
    let entries = |settings: &str| names.map(|name| entry(name, settings)).concat();
    sandbox.file("adasa.toml", entries(""));
    let order = |args: &[&str]| -> Vec<String> {
        let said = sandbox.run(args).success().json();
        let results = said["results"].as_array().unwrap().iter();
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        results.map(name).collect()
    };
    assert_eq!(order(&["up", "-d", "--json"]), names);
    let rows = sandbox.rows();
    assert!(rows.iter().map(|row| &row["name"]).eq(&names));
    sandbox.file("adasa.toml", entries("max_restarts = 3"));
    let reload = ["reload", "--config", "adasa.toml", "--json"];
    assert_eq!(order(&reload), names);
    assert_eq!(order(&["down", "--json"]), names);
}
