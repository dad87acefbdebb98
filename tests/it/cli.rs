//! The grammar of the command line: usage errors, exit codes, completions, time limits.

use std::fs;

use serde_json::Value;

use crate::child;
use crate::sandbox::Sandbox;
use crate::screen::Screen;

#[test]
fn an_unknown_flag_is_a_usage_error_that_names_the_nearest_one() {
    let s = Sandbox::new();
    let _ = s
        .run(&["list", "--jsn"])
        .stdout("")
        .stderr_has("--json")
        .code(2);
    let _ = s
        .run(&["start", "sleep", "--instance", "2"])
        .stdout("")
        .stderr_has("--instances")
        .code(2);
    assert!(s.adasas().is_empty(), "a usage error starts no daemon");
}

#[test]
fn an_unknown_command_is_a_usage_error_that_names_the_nearest_one() {
    let s = Sandbox::new();
    let _ = s.run(&["lst"]).stdout("").stderr_has("list").code(2);
    let _ = s
        .run(&["restrat", "x"])
        .stdout("")
        .stderr_has("restart")
        .code(2);
}

#[test]
fn impossible_values_are_usage_errors_that_show_the_offending_text() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    for (flag, value) in [
        ("--restart", "sometimes"),
        ("--stop-signal", "SIGNOPE"),
        ("--instances", "0"),
        ("--instances", "many"),
        ("--max-memory", "12parsecs"),
        ("--stop-timeout", "soon"),
        ("--restart-delay", "later"),
        ("--max-restarts", "-1"),
        ("--env", "NOVALUE!"),
        ("--name", "a/b"),
        ("--name", "12"),
        ("--name", "all"),
        ("--name", ".hidden"),
        ("--namespace", "a b"),
    ] {
        let given = format!("{flag}={value}");
        let output = s.run(&["start", &program, &given]).stdout("");
        let _ = output.stderr_has(value).code(2);
    }
    for command in [
        &["start", "./x", "--max-restarts", "-1"][..],
        &["start", "./x", "--instances", "-1"],
        &["logs", "--lines", "-1"],
        &["activity", "--lines", "-1"],
        &["daemon", "log", "--lines", "-1"],
    ] {
        let output = s.run(command).stdout("").code(2);
        let _ = output.stderr_has("invalid value '-1'");
    }
    assert!(s.rows().is_empty());
}

#[test]
fn a_command_without_its_selector_is_a_usage_error() {
    let s = Sandbox::new();
    for command in ["start", "stop", "restart", "delete", "status", "reload"] {
        let output = s.run(&[command]).stdout("").code(2);
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn the_version_is_one_line() {
    let s = Sandbox::new();
    let line = format!("adasa {}\n", env!("CARGO_PKG_VERSION"));
    let _ = s.run(&["--version"]).stdout(&line).stderr("").success();
}

#[test]
fn help_of_every_command_names_its_flags_on_stdout() {
    let s = Sandbox::new();
    let general = s.run(&["--help"]).stderr("").success();
    for command in [
        "start",
        "stop",
        "restart",
        "delete",
        "list",
        "status",
        "logs",
        "flush",
        "reload",
        "up",
        "down",
        "tui",
        "completions",
        "daemon",
    ] {
        assert!(general.stdout.contains(command), "{command}: {general}");
        let help = s.run(&[command, "--help"]).stderr("").success();
        let _ = help.stdout_has("--json").stdout_has("--no-autostart");
    }
    assert!(s.adasas().is_empty(), "help starts no daemon");
}

#[test]
fn help_fits_eighty_columns_and_has_the_flags_of_every_command_apart() {
    let s = Sandbox::new();
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = s.run_with(&[("COLUMNS", "80")], &args).success();
        for line in help.stdout.lines() {
            assert!(line.chars().count() <= 80, "{line:?}\n{help}");
        }
        let (own, everywhere) = help.stdout.split_once("Everywhere:").expect("a heading");
        assert!(
            everywhere.contains("--json") && !own.contains("--json"),
            "{help}"
        );
        let commands = own.split_once("Commands:\n").map_or("", |(_, rest)| rest);
        let commands = commands.split("\n\n").next().unwrap_or_default();
        let names = commands.lines().filter_map(|line| {
            let name = line.strip_prefix("  ")?.split(' ').next()?;
            (!name.is_empty() && name != "help").then(|| name.to_owned())
        });
        open.extend(names.map(|name| [path.clone(), vec![name]].concat()));
        seen += 1;
    }
    assert!(seen > 15, "{seen} commands");
}

#[test]
fn who_forgets_what_is_meant_is_told_what_there_is_to_say() {
    let s = Sandbox::new();
    let bare = s.run(&[]).stdout("").code(2);
    let _ = bare.stderr_has("Commands:").stderr_has("doctor");
    for command in ["stop", "restart", "delete", "status"] {
        let _ = s
            .run(&[command])
            .stdout("")
            .stderr_has("<SELECTOR>")
            .stderr_has("hint: `adasa list` shows what there is")
            .code(2);
    }
}

#[test]
fn completions_are_written_for_bash_zsh_and_fish() {
    let s = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = s.run(&["completions", shell]).stderr("").success();
        let _ = output.stdout_has("adasa").stdout_has("restart");
    }
    let script = s.run(&["completions", "bash"]).success().stdout;
    let script = s.file("completions.bash", script);
    let ask = "source \"$1\"; COMP_WORDS=(adasa doc); COMP_CWORD=1; _adasa adasa doc adasa; echo \"${COMPREPLY[@]}\"";
    let output = std::process::Command::new("bash")
        .args(["-c", ask, "bash", script.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.trim(), "doctor", "{output:?}");
    let _ = s
        .run(&["completions", "cobol"])
        .stdout("")
        .stderr_has("cobol")
        .code(2);
    assert!(s.adasas().is_empty(), "completions start no daemon");
}

#[test]
fn no_autostart_refuses_with_code_3_and_starts_nothing() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["status", "api"],
        &["start", &program],
        &["stop", "all"],
        &["restart", "api"],
        &["delete", "api"],
    ] {
        let mut with = vec!["--no-autostart"];
        with.extend(args);
        let output = s.run(&with).code(3);
        assert!(output.stderr.starts_with("adasa: "), "{output}");
        if !args.contains(&"--json") {
            let _ = output.stdout("").stderr_has("hint: ");
        }
        let mut behind = args.to_vec();
        behind.push("--no-autostart");
        let _ = s.run(&behind).code(3);
    }
    assert!(s.adasas().is_empty());
}

#[test]
fn every_other_command_starts_the_daemon_and_is_silent_about_it() {
    let s = Sandbox::new();
    let output = s.run(&["list", "--json"]).stderr("").success();
    assert_eq!(output.json(), Value::Array(vec![]));
    assert!(s.daemon_status().is_some());
    let _ = s.run(&["--no-autostart", "list"]).stderr("").success();
    for (args, code) in [
        (&["logs", "--lines", "1"][..], 0),
        (&["flush"], 0),
        (&["stop", "all"], 0),
        (&["status", "nobody"], 4),
        (&["rollout"], 0),
        (&["activity", "--lines", "1"], 0),
    ] {
        let _ = s.run(&["daemon", "stop"]).success();
        let _ = s.run(args).code(code);
        assert!(s.daemon_status().is_some(), "{args:?}");
    }
}

#[test]
fn with_json_stdout_holds_json_only_also_for_an_error() {
    let s = Sandbox::new();
    let _ = s.run(&["list"]).success();
    for args in [["stop", "nobody", "--json"], ["status", "nobody", "--json"]] {
        let output = s.run(&args).code(4);
        if !output.stdout.is_empty() {
            let _ = output.json();
        }
        assert!(!output.stderr.is_empty() || !output.stdout.is_empty());
    }
    for args in [
        &["list", "--nonsense", "--json"][..],
        &["--json", "stop"],
        &["start", "./x", "--json", "--instances", "0"],
        &["--json"],
    ] {
        let output = s.run(args).code(2);
        let said = output.json();
        assert_eq!(said["success"], false, "{args:?}: {said}");
        assert_eq!(said["error"]["exit"], 2, "{args:?}: {said}");
        assert!(!said["error"]["message"].as_str().unwrap().contains("Usage"));
    }
    let misspelt = s.run(&["list", "--jsn", "--json"]).code(2).json();
    let hint = misspelt["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--json"), "{misspelt}");
    let script = s.run(&["completions", "zsh", "--json"]).success().json();
    assert!(
        script["script"]
            .as_str()
            .unwrap()
            .contains("#compdef adasa")
    );
}

#[test]
fn an_unknown_name_is_code_4_with_the_nearest_name() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    s.start("gateway", &program, &[]);
    s.start("worker", &program, &[]);
    for command in ["stop", "restart", "delete", "status", "logs"] {
        let output = s.run(&[command, "gatewey"]).error(4);
        let _ = output
            .stderr_has("gatewey")
            .stderr_has("gateway")
            .stderr_lacks("worker");
    }
    let _ = s.run(&["stop", "4711"]).error(4).stderr_has("4711");
    let _ = s.run(&["stop", "elsewhere/gateway"]).error(4);
    assert_eq!(s.status("gateway"), "running");
}

#[test]
fn a_name_that_is_a_prefix_is_unknown() {
    let s = Sandbox::new();
    s.start("api-gateway", &child::stays(&s), &[]);
    for command in ["stop", "restart", "delete"] {
        let _ = s.run(&[command, "api"]).error(4);
    }
    assert_eq!(s.status("api-gateway"), "running");
}

#[test]
fn a_malformed_selector_is_a_usage_error() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    for word in ["status:nonsense", "a b", "x/y/z", "tag:"] {
        let _ = s.run(&["stop", word]).error(2);
    }
    let statuses =
        "starting, running, stopping, stopped, restarting, backoff, exited, errored, orphaned";
    let misspelt = s.run(&["list", "status:runing"]).error(2);
    let _ = misspelt.stderr_has("\"runing\"").stderr_has(statuses);
}

#[test]
fn a_command_that_outlasts_its_timeout_is_code_5_and_its_operation_goes_on() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "1000s"]);
    let known = s.until_pid("deaf.ready");
    let output = s.run(&["--timeout", "300ms", "stop", "deaf"]).code(5);
    assert!(output.stderr.starts_with("adasa: "), "{output}");
    assert!(known.is_alive());
    assert_eq!(s.status("deaf"), "stopping");
    let json = s
        .run(&["--timeout", "300ms", "stop", "deaf", "--json"])
        .code(5)
        .json();
    assert_eq!(json["done"], false, "{json}");
    assert_eq!(json["targets"][0]["state"], "pending", "{json}");
    let _ = s.run(&["stop", "deaf", "--force"]).stderr("").success();
    assert!(!known.is_alive());
    s.until_status("deaf", "stopped");
}

#[test]
fn operations_answer_in_json_what_became_of_each_target() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let json = |args: &[&str]| {
        let json = s.run(args).stderr("").success().json();
        assert!(
            json["operation"].as_str().is_some_and(|id| id.len() >= 8),
            "{json}"
        );
        assert_eq!(json["done"], true, "{json}");
        json["targets"].as_array().unwrap().clone()
    };
    let targets = json(&[
        "start",
        &program,
        "--name",
        "w",
        "--instances",
        "2",
        "--json",
    ]);
    let names: Vec<_> = targets
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["w-0", "w-1"]);
    for target in &targets {
        assert_eq!(target["state"], "done");
        assert_eq!(target["status"], "running");
        assert_eq!(
            target["pid"],
            s.row(target["name"].as_str().unwrap())["pid"]
        );
    }
    for (args, state, status) in [
        (&["start", "w-0", "--json"][..], "already", "running"),
        (&["stop", "w-0", "--json"], "done", "stopped"),
        (&["stop", "w-0", "--json"], "already", "stopped"),
        (&["start", "w-0", "--json"], "done", "running"),
        (&["restart", "w-0", "--json"], "done", "running"),
    ] {
        let targets = json(args);
        assert_eq!(targets.len(), 1, "{targets:?}");
        assert_eq!(targets[0]["name"], "w-0");
        assert_eq!(targets[0]["state"], state, "{args:?} {targets:?}");
        assert_eq!(targets[0]["status"], status, "{args:?} {targets:?}");
        assert_eq!(targets[0]["pid"].is_null(), status == "stopped");
    }
    let targets = json(&["delete", "w", "--json"]);
    assert_eq!(targets.len(), 2);
    assert!(
        targets
            .iter()
            .all(|t| t["state"] == "done" && t["pid"].is_null())
    );
    assert!(s.rows().is_empty());
}

#[test]
fn long_work_says_on_a_terminal_what_it_waits_for_and_is_silent_elsewhere() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    for round in 0..2 {
        let name = format!("deaf{round}");
        s.start(&name, &deaf, &["--stop-timeout", "2s"]);
        s.until_pid("deaf.ready");
        fs::remove_file(s.path("deaf.ready")).unwrap();
    }
    let mut command = s.command();
    command.args(["stop", "deaf0"]).env("TERM", "xterm");
    let mut screen = Screen::open(command, (80, 24));
    screen.until(|text| text.starts_with("stop: 0 of 1 done; deaf0 is stopping, SIGKILL in "));
    assert_eq!(screen.wait_exit().code(), Some(0));
    assert_eq!(
        screen.text().trim(),
        "deaf0 stopped",
        "it cleans up behind itself"
    );
    let _ = s
        .run(&["stop", "deaf1"])
        .stderr("")
        .stdout("deaf1 stopped\n");
}
