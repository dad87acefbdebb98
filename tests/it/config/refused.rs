//! What is refused: before anything is started, with the place, the text and the word that was probably meant.

use crate::sandbox::{Output, Sandbox};

/// What was written between `«` and `»`, the line and the columns at which it, or its key, begins; and the text without marks.
fn marked(text: &str) -> (String, usize, Vec<usize>, String) {
    let (before, rest) = text.split_once('«').expect("a mark");
    let (offending, after) = rest.split_once('»').expect("the end of the mark");
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let indent = before[line_start..].len() - before[line_start..].trim_start().len();
    let columns = vec![before.len() - line_start + 1, indent + 1];
    (
        offending.trim_matches('"').to_owned(),
        before.matches('\n').count() + 1,
        columns,
        format!("{before}{offending}{after}"),
    )
}

/// Asserts that `start --config` refuses the file at the mark, says the offending text and `hint`, and starts nothing.
#[track_caller]
fn refused(extension: &str, text: &str, hint: &str) {
    let sandbox = Sandbox::new();
    let (offending, line, columns, text) = marked(text);
    let name = format!("broken.{extension}");
    sandbox.file(&name, &text);
    let output = sandbox
        .run(&["start", "--config", &name])
        .code(2)
        .stdout("");
    let places: Vec<String> = columns
        .iter()
        .map(|column| format!("{name}:{line}:{column}:"))
        .collect();
    let says = |what: &str| output.stderr.contains(what);
    assert!(
        places.iter().any(|place| says(place)),
        "no place {places:?} for {text:?}:\n{output}"
    );
    assert!(
        says(&offending),
        "the offending {offending:?} is not shown:\n{output}"
    );
    assert!(says(hint), "{hint:?} was expected:\n{output}");
    nothing_started(&sandbox);
}

#[track_caller]
fn nothing_started(sandbox: &Sandbox) {
    assert!(
        sandbox.daemon_status().is_none(),
        "a broken file started a daemon"
    );
    assert_eq!(sandbox.adasas().len(), 0, "a broken file started something");
}

const GOOD: &str = "[[processes]]\nname = \"good\"\nscript = \"sleep\"\nargs = [\"1000\"]\n";

/// A file with a good process and, behind it, another with this line.
fn with(line: &str) -> String {
    format!("{GOOD}\n[[processes]]\nname = \"job\"\nscript = \"sleep\"\n{line}\n")
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_valid_one() {
    for (line, nearest) in [
        ("«instnces» = 2", "instances"),
        ("«autorestrt» = true", "autorestart"),
        ("«max-restarts» = 5", "max_restarts"),
        ("«restartdelay» = \"5s\"", "restart_delay"),
        ("«enviroment» = {}", "env"),
        ("«Cwd» = \"/\"", "cwd"),
        ("«log_max_sise» = \"1MB\"", "log_max_size"),
        ("limits.«max_memry» = \"1GB\"", "max_memory"),
    ] {
        let hint = if nearest == "env" {
            "enviroment"
        } else {
            nearest
        };
        refused("toml", &with(line), hint);
    }
    refused(
        "toml",
        &with("[processes.limits]\n«max_memry» = \"1GB\""),
        "max_memory",
    );
    refused(
        "toml",
        &format!("{GOOD}\n[[«proceses»]]\nname = \"x\"\nscript = \"sleep\"\n"),
        "processes",
    );
    refused("toml", "name = \"job\"\n«scrpt» = \"sleep\"\n", "script");
    let json = "{\n  \"processes\": [\n    {\n      \"name\": \"job\",\n      \"script\": \"sleep\",\n      «\"instnces\"»: 2\n    }\n  ]\n}\n";
    refused("json", json, "instances");
    refused("json", "{\n  «\"proceses\"»: []\n}\n", "processes");
}

#[test]
fn wrong_types_are_refused_at_their_place() {
    for line in [
        "instances = «\"two\"»",
        "instances = «2.5»",
        "instances = «true»",
        "cwd = «7»",
        "args = «\"a b\"»",
        "autorestart = «\"yes\"»",
        "env = «\"PORT=3000\"»",
        "restart_delay = «true»",
        "max_memory = «false»",
        "tags = «\"web\"»",
        "log_compress = «\"maybe\"»",
        "limits = «5»",
        "inherit_env = «3»",
    ] {
        refused("toml", &with(line), "");
    }
    refused("toml", "name = \"job\"\nscript = «5»\n", "script");
    refused(
        "json",
        "{\n  \"processes\": [\n    {\n      \"script\": «12»\n    }\n  ]\n}\n",
        "script",
    );
    refused("json", "{\n  \"processes\": «\"job\"»\n}\n", "processes");
}

#[test]
fn impossible_values_are_refused_at_their_place() {
    for line in [
        "instances = «0»",
        "instances = «-1»",
        "instances = «100000»",
        "restart = «\"sometimes\"»",
        "restart_delay = «\"5 parsecs\"»",
        "restart_delay = «\"-1s\"»",
        "restart_delay = «-3»",
        "stop_timeout = «\"soon\"»",
        "stop_timeout = «\"\"»",
        "backoff_factor = «0.5»",
        "max_memory = «\"lots\"»",
        "max_memory = «\"-5MB\"»",
        "max_memory = «0»",
        "stop_signal = «\"SIGNOPE\"»",
        "limit_action = «\"explode\"»",
        "on_disk_full = «\"panic\"»",
        "max_restarts = «-1»",
        "log_archives = «-2»",
        "namespace = «\"a/b\"»",
        "cwd = «\"nowhere\"»",
        "cwd = «\"/dev/null\"»",
        "tags = [«\"a b\"»]",
        "env = { «\"A=B\"» = \"x\" }",
    ] {
        refused("toml", &with(line), "");
    }
    refused("toml", "name = \"job\"\nscript = «\"\"»\n", "script");
    refused(
        "json",
        "{\n  \"script\": \"sleep\",\n  \"instances\": «0»\n}\n",
        "instances",
    );
}

#[test]
fn names_that_cannot_be_names_are_refused() {
    for name in ["a/b", ".x", "..", "123", "all", "a b", "-x", "ä", "good"] {
        let text = format!("{GOOD}\n[[processes]]\nscript = \"sleep\"\nname = «\"{name}\"»\n");
        refused("toml", &text, name);
    }
    let long = "x".repeat(65);
    refused(
        "toml",
        &format!("name = «\"{long}\"»\nscript = \"sleep\"\n"),
        "",
    );
    refused(
        "json",
        "{\n  \"name\": «\"a/b\"»,\n  \"script\": \"sleep\"\n}\n",
        "a/b",
    );
}

#[test]
fn a_name_that_is_anothers_instance_is_refused() {
    let several = "[[processes]]\nname = \"api\"\nscript = \"sleep\"\ninstances = 3\n";
    for number in [0, 2] {
        refused(
            "toml",
            &format!("{several}\n[[processes]]\nname = «\"api-{number}\"»\nscript = \"sleep\"\n"),
            "api",
        );
    }
}

#[test]
fn a_process_without_a_script_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "broken.toml",
        format!("{GOOD}\n[[processes]]\nname = \"idle\"\n"),
    );
    let output = sandbox
        .run(&["start", "--config", "broken.toml"])
        .code(2)
        .stdout("")
        .stderr_has("script");
    let place = regex::Regex::new(r"broken\.toml:[67]:\d+:").unwrap();
    assert!(place.is_match(&output.stderr), "{output}");
    nothing_started(&sandbox);
}

#[test]
fn variables_that_are_not_set_are_refused_at_their_place() {
    refused(
        "toml",
        &with("args = [\"x\", «\"$NO_SUCH_VARIABLE\"»]"),
        "NO_SUCH_VARIABLE",
    );
    refused(
        "toml",
        &with("env = { A = «\"${NO_SUCH_VARIABLE}\"» }"),
        "NO_SUCH_VARIABLE",
    );
    refused("toml", &with("cwd = «\"$HOMEDIR\"»"), "HOMEDIR");
    refused("toml", &with("cwd = «\"${HOME\"»"), "");
    refused(
        "json",
        "{\n  \"script\": \"sleep\",\n  \"args\": [\n    «\"$NO_SUCH_VARIABLE\"»\n  ]\n}\n",
        "NO_SUCH_VARIABLE",
    );
}

#[test]
fn garbage_in_the_file_is_refused_and_starts_nothing() {
    let whole_json = r#"{"processes": [{"name": "job", "script": "sleep", "args": ["1000"]}]}"#;
    let cuts = [1, 10, 20, 40, whole_json.len() - 1]
        .map(|at| ("cut.json", whole_json.as_bytes()[..at].to_vec()));
    let toml_cuts = [
        "[[process",
        "[[processes]]\nname = \"jo",
        "[[processes]]\nname = ",
        "[[processes]]\nname",
    ];
    let toml_cuts = toml_cuts.map(|text| ("cut.toml", text.as_bytes().to_vec()));
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let other = [
        ("binary.toml", binary.clone()),
        ("binary.json", binary),
        ("empty.toml", Vec::new()),
        ("empty.json", Vec::new()),
        ("blank.toml", b"\n\n# nothing\n".to_vec()),
        ("list.json", b"[1, 2]".to_vec()),
        ("word.json", b"\"job\"".to_vec()),
        (
            "twice.toml",
            b"script = \"sleep\"\nscript = \"sleep\"\n".to_vec(),
        ),
        (
            "deep.json",
            [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        ),
    ];
    let sandbox = Sandbox::new();
    for (name, bytes) in cuts.into_iter().chain(toml_cuts).chain(other) {
        sandbox.file(name, &bytes);
        let output = refuses(&sandbox, &["start", "--config", name]);
        assert!(output.stderr.contains(name), "{output}");
        if name.starts_with("cut") {
            let place = regex::Regex::new(&format!(r"{}:1?\d:\d+:", regex::escape(name))).unwrap();
            assert!(
                place.is_match(&output.stderr),
                "no line and column: {output}"
            );
        }
    }
    std::fs::create_dir(sandbox.path("folder.toml")).unwrap();
    let folder = refuses(&sandbox, &["start", "--config", "folder.toml"]);
    assert!(folder.stderr.contains("folder.toml"), "{folder}");
    let missing = refuses(&sandbox, &["start", "--config", "missing.toml"]);
    assert!(missing.stderr.contains("missing.toml"), "{missing}");
    nothing_started(&sandbox);
}

#[track_caller]
fn refuses(sandbox: &Sandbox, args: &[&str]) -> Output {
    let output = sandbox.run(args).error(2);
    assert!(!output.stderr.contains("panicked"), "{output}");
    output
}

#[test]
fn every_command_that_reads_a_file_refuses_a_broken_one() {
    let sandbox = Sandbox::new();
    sandbox.file("adasa.toml", with("instnces = 2"));
    for args in [
        &["start", "--config", "adasa.toml"][..],
        &["reload", "--config", "adasa.toml"],
        &["up", "-d", "adasa.toml"],
        &["up", "-d"],
    ] {
        let output = refuses(&sandbox, args);
        assert!(output.stderr.contains("adasa.toml:9:1:"), "{output}");
    }
    let json = sandbox
        .run(&["start", "--config", "adasa.toml", "--json"])
        .code(2);
    assert!(json.stdout.is_empty() || json.json().is_object(), "{json}");
    nothing_started(&sandbox);
}

#[test]
fn nothing_of_a_broken_file_is_started_by_a_daemon_that_runs() {
    let sandbox = Sandbox::new();
    sandbox.run(&["daemon", "start"]).success();
    sandbox.file("adasa.toml", with("instances = 0"));
    let _ = refuses(&sandbox, &["start", "--config", "adasa.toml"]);
    assert_eq!(sandbox.rows().len(), 0);
}

#[test]
fn json_that_is_no_json_is_refused() {
    let home = Sandbox::new();
    for text in [
        "{'name': 'x', 'script': 'sleep', 'args': ['50']}",
        r#"{"name": "x", "script": "sleep", "args": ["50" "51"]}"#,
        r#"{"name": "x", "script": "sleep" "args": ["50"]}"#,
        r#"{"name": "x", "script": "sleep", "restart_delay": .5}"#,
        r#"{"name": "x", "script": "sleep", "max_restarts": +5}"#,
        r#"{"name": "x", "script": "sleep", "max_restarts": 0x5}"#,
        r#"{"name": "x", "script": "sleep",}"#,
        r#"{"name": "x", /* why */ "script": "sleep"}"#,
    ] {
        home.file("x.json", text);
        let output = home.run_in(
            home.root(),
            &["--no-autostart", "start", "--config", "x.json"],
        );
        drop(output.code(2).stderr_has("x.json:1:"));
    }
}

#[test]
fn two_keys_for_one_thing_are_refused() {
    let home = Sandbox::new();
    for (one, other) in [
        ("max_memory = \"5MB\"", "limits = { max_memory = \"6MB\" }"),
        ("stop_timeout = 1", "stop_timeout_secs = 9"),
        ("restart_delay = 1", "restart_delay_secs = 9"),
        ("log_file = \"a.log\"", "out_file = \"b.log\""),
        ("log_file = \"a.log\"", "err_file = \"b.log\""),
    ] {
        home.file(
            "x.toml",
            format!("name = \"x\"\nscript = \"sleep\"\n{one}\n{other}\n"),
        );
        let output = home.run_in(home.root(), &["--no-autostart", "up", "-d", "x.toml"]);
        drop(
            output
                .code(2)
                .stderr_has("x.toml:4:")
                .stderr_has("cannot stand together"),
        );
    }
}

#[test]
fn a_log_has_one_process_and_is_a_file() {
    let home = Sandbox::new();
    let two = "[[processes]]\nname = \"a\"\nscript = \"sleep\"\nout_file = \"q.log\"\n\n[[processes]]\nname = \"b\"\nscript = \"sleep\"\nlog_file = \"q.log\"\n";
    home.file("x.toml", two);
    let output = home.run_in(home.root(), &["--no-autostart", "up", "-d", "x.toml"]);
    drop(output.code(2).stderr_has("q.log is a log of \"a\" too"));
    home.file(
        "x.toml",
        "name = \"x\"\nscript = \"sleep\"\nout_file = \"/dev/null\"\n",
    );
    let output = home.run_in(home.root(), &["--no-autostart", "up", "-d", "x.toml"]);
    drop(
        output
            .code(2)
            .stderr_has("x.toml:3:")
            .stderr_has("no regular file"),
    );
}
