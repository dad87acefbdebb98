//! Configuration files: the forms of the seed, both spellings, units, expansion, and errors that say where and what.

mod refused;

use serde_json::{Value, json};

use crate::logs::log_of;
use crate::sandbox::Sandbox;

/// A program for every script of the seed, and an interpreter that needs no Node.
fn seed_scripts(sandbox: &Sandbox) -> String {
    let stub =
        "echo \"$0 $1 port=$PORT env=$NODE_ENV queue=$QUEUE_URL cwd=$(pwd -P)\"; exec sleep 1000";
    sandbox.script("bin/node", &stub.replace("$1", "${1##*/}"));
    for name in ["app/server.js", "worker.js"] {
        sandbox.file(name, "throw new Error('the stub runs instead')\n");
    }
    sandbox.script(
        "opt/api",
        "echo \"api port=$PORT db=$DATABASE_URL cwd=$(pwd -P)\"; exec sleep 1000",
    );
    format!(
        "{}:{}",
        sandbox.path("bin").display(),
        std::env::var("PATH").unwrap()
    )
}

fn first_line(sandbox: &Sandbox, process: &str, instance: u32) -> String {
    let log = sandbox
        .home()
        .join(format!("logs/default/{process}/{instance}.out.log"));
    sandbox.until_file(log, |text| text.ends_with('\n'))
}

fn real(sandbox: &Sandbox, name: &str) -> String {
    sandbox
        .path(name)
        .canonicalize()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_toml_of_the_seed_works_as_shown() {
    let sandbox = Sandbox::new();
    let path = seed_scripts(&sandbox);
    let text = r#"# config.toml

[[processes]]
name = "web-server"
script = "./server.js"
instances = 2
cwd = "/var/www/app"
autorestart = true
max_restarts = 10
restart_delay = "5s"

[processes.env]
PORT = "3000"
NODE_ENV = "production"

[processes.limits]
max_memory = "512MB"
stop_timeout = "30s"

[[processes]]
name = "worker"
script = "./worker.js"
instances = 4
autorestart = true

[processes.env]
QUEUE_URL = "redis://localhost:6379"
"#;
    let app = sandbox.path("app");
    sandbox.file(
        "config.toml",
        text.replace("/var/www/app", app.to_str().unwrap()),
    );
    sandbox
        .run_with(&[("PATH", &path)], &["start", "--config", "config.toml"])
        .success();
    let names: Vec<Value> = sandbox
        .rows()
        .into_iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "web-server-0",
            "web-server-1",
            "worker-0",
            "worker-1",
            "worker-2",
            "worker-3"
        ]
    );
    assert!(
        sandbox.rows().iter().all(|row| row["status"] == "running"),
        "{:?}",
        sandbox.rows()
    );
    for instance in 0..2 {
        let said = first_line(&sandbox, "web-server", instance);
        assert!(
            said.contains("server.js port=3000 env=production queue= "),
            "{said}"
        );
        assert!(
            said.ends_with(&format!("cwd={}\n", real(&sandbox, "app"))),
            "{said}"
        );
    }
    for instance in 0..4 {
        let said = first_line(&sandbox, "worker", instance);
        assert!(
            said.contains("worker.js port= env= queue=redis://localhost:6379"),
            "{said}"
        );
    }
}

#[test]
fn the_json_of_the_seed_works_as_shown() {
    let sandbox = Sandbox::new();
    let path = seed_scripts(&sandbox);
    let text = r#"{
  "processes": [
    {
      "name": "api-server",
      "script": "./api",
      "instances": 4,
      "cwd": "/opt/api",
      "autorestart": true,
      "max_restarts": 10,
      "restart_delay": "5s",
      "env": {
        "PORT": "8080",
        "DATABASE_URL": "postgres://localhost/mydb"
      },
      "limits": {
        "max_memory": "1GB",
        "stop_timeout": "30s"
      }
    }
  ]
}
"#;
    let opt = sandbox.path("opt");
    sandbox.file(
        "config.json",
        text.replace("/opt/api", opt.to_str().unwrap()),
    );
    sandbox
        .run_with(&[("PATH", &path)], &["start", "--config", "config.json"])
        .success();
    for instance in 0..4 {
        assert_eq!(sandbox.status(&format!("api-server-{instance}")), "running");
        let said = first_line(&sandbox, "api-server", instance);
        let cwd = real(&sandbox, "opt");
        assert_eq!(
            said,
            format!("api port=8080 db=postgres://localhost/mydb cwd={cwd}\n")
        );
    }
}

#[test]
fn toml_and_json_mean_the_same() {
    let sandbox = Sandbox::new();
    sandbox.script("job", "exec sleep 1000");
    sandbox.file(
        "a.toml",
        "[[processes]]\nname = \"job\"\nscript = \"./job\"\nargs = [\"a b\", \"\"]\ninstances = 2\nenv = { A = \"one\" }\n\
         restart = \"always\"\nstop_signal = \"SIGINT\"\nlimits = { max_memory = \"1GiB\" }\ntags = [\"x\", \"y\"]\n",
    );
    sandbox.file(
        "a.json",
        r#"{"processes":[{"name":"job","script":"./job","args":["a b",""],"instances":2,"env":{"A":"one"},
           "restart":"always","stop_signal":"SIGINT","limits":{"max_memory":"1GiB"},"tags":["x","y"]}]}"#,
    );
    let shown = |file: &str| {
        sandbox.run(&["start", "--config", file]).success();
        let rows = sandbox.run(&["status", "job", "--json"]).success().json();
        sandbox.run(&["delete", "job"]).success();
        let keys = ["command", "cwd", "env", "restart", "stop", "limits", "tags"];
        keys.map(|key| rows[0][key].clone())
    };
    let toml = shown("a.toml");
    assert_eq!(toml, shown("a.json"));
    assert_eq!(toml[0]["args"], json!(["a b", ""]));
    assert!(
        toml[2].to_string().contains("***"),
        "values are masked: {}",
        toml[2]
    );
}

/// What `reload` says of a process when its settings are first `before` and then `after`.
#[track_caller]
fn reloaded(sandbox: &Sandbox, before: &str, after: &str) -> Value {
    let write = |settings: &str| {
        let body = format!("[[processes]]\nname = \"job\"\nscript = \"./job\"\n{settings}\n");
        sandbox.file("adasa.toml", body);
    };
    write(before);
    sandbox.run(&["reload", "--config", "adasa.toml"]).success();
    write(after);
    let said = sandbox
        .run(&["reload", "--config", "adasa.toml", "--json"])
        .success()
        .json();
    said["results"][0]["action"].clone()
}

#[test]
fn one_setting_may_be_spelled_in_several_ways() {
    let sandbox = Sandbox::new();
    sandbox.script("job", "exec sleep 1000");
    for (one, other) in [
        ("limits.max_memory = \"1GiB\"", "max_memory = \"1GiB\""),
        ("limits.stop_timeout = \"30s\"", "stop_timeout = \"30s\""),
        ("limits.limit_action = \"log\"", "limit_action = \"log\""),
        ("max_memory = \"1GiB\"", "max_memory = 1073741824"),
        ("max_memory = \"1 GiB\"", "max_memory = \"1024MiB\""),
        ("max_memory = \"512MiB\"", "max_memory = \"524288KiB\""),
        ("restart_delay = \"5s\"", "restart_delay = 5"),
        ("restart_delay = \"5s\"", "restart_delay_secs = 5"),
        ("restart_delay = \"500ms\"", "restart_delay = 0.5"),
        ("stop_timeout = \"1m\"", "stop_timeout = \"60s\""),
        ("stop_timeout = \"1h\"", "stop_timeout_secs = 3600"),
        ("min_uptime = \"90s\"", "min_uptime = 90"),
        ("autorestart = false", "restart = \"never\""),
        ("autorestart = true", "restart = \"on-failure\""),
        (
            "",
            "autorestart = true\nmax_restarts = 10\nrestart_delay = \"1s\"\nmax_restart_delay = \"60s\"",
        ),
        (
            "",
            "instances = 1\nargs = []\nenv = {}\nstop_signal = \"SIGTERM\"\nstop_timeout = \"10s\"\nmin_uptime = \"10s\"",
        ),
        (
            "",
            "log_max_size = \"10MiB\"\nlog_archives = 5\nlog_compress = true\non_disk_full = \"drop\"",
        ),
        ("stop_signal = \"SIGINT\"", "stop_signal = \"INT\""),
    ] {
        assert_eq!(
            reloaded(&sandbox, one, other),
            "unchanged",
            "{one:?} and then {other:?}"
        );
    }
}

#[test]
fn every_policy_counts_as_a_change_and_replaces_nothing() {
    let sandbox = Sandbox::new();
    sandbox.script("job", "exec sleep 1000");
    let _ = reloaded(&sandbox, "", "");
    let pid = sandbox.pid("job");
    for setting in [
        "restart = \"always\"",
        "autorestart = false",
        "max_restarts = 3",
        "restart_delay = \"2s\"",
        "max_restart_delay = \"30s\"",
        "backoff_factor = 1.5",
        "restart_window = \"5m\"",
        "min_uptime = \"3s\"",
        "stop_signal = \"SIGINT\"",
        "stop_timeout = \"3s\"",
        "max_memory = \"2GiB\"",
        "max_memory = \"2GiB\"\nlimit_action = \"stop\"",
        "tags = [\"web\"]",
        "log_max_size = \"1MiB\"",
        "log_max_age = \"24h\"",
        "log_archives = 1",
        "log_archive_age = \"30d\"",
        "log_compress = false",
        "on_disk_full = \"block\"",
    ] {
        assert_eq!(reloaded(&sandbox, "", setting), "changed", "{setting}");
        assert_eq!(sandbox.pid("job"), pid, "{setting} replaced the process");
    }
}

#[test]
fn variables_are_expanded_by_tokens() {
    let sandbox = Sandbox::new();
    sandbox.script("show", "printf '%s\\n' \"$ONE\" \"$TWO\" \"$THREE\" \"$FOUR\" \"$1\" \"$(pwd -P)\"; exec sleep 1000");
    std::fs::create_dir(sandbox.path("work")).unwrap();
    sandbox.file(
        "adasa.toml",
        r#"[[processes]]
name = "show"
script = "../${TOOL}"
cwd = "$FOLDER"
args = ["${WORD}-$WORD"]
env = { ONE = "$HOMEDIR/x", TWO = "${HOMEDIR}x", THREE = "${NOBODY:-a default}", FOUR = "${EMPTY:-filled}${WORD:-unused}" }
"#,
    );
    let env = [
        ("HOMEDIR", "/srv/h"),
        ("TOOL", "show"),
        ("FOLDER", "work"),
        ("WORD", "$WORD is text"),
        ("EMPTY", ""),
    ];
    sandbox
        .run_with(&env, &["start", "--config", "adasa.toml"])
        .success();
    let cwd = real(&sandbox, "work");
    let expected = format!(
        "/srv/h/x\n/srv/hx\na default\nfilled$WORD is text\n$WORD is text-$WORD is text\n{cwd}\n"
    );
    sandbox.until_file(log_of(&sandbox, "show", "out"), |text| text == expected);
}

#[test]
fn a_single_process_needs_no_list() {
    let sandbox = Sandbox::new();
    sandbox.script("job", "echo \"level=$LEVEL $1\"; exec sleep 1000");
    sandbox.file(
        "one.toml",
        "name = \"one\"\nscript = \"./job\"\nargs = [\"x\"]\n\n[env]\nLEVEL = \"9\"\n",
    );
    sandbox.file(
        "two.json",
        r#"{"name": "two", "script": "./job", "args": ["x"], "env": {"LEVEL": "9"}}"#,
    );
    sandbox.file("three.toml", "script = \"./job\"\n");
    for file in ["one.toml", "two.json", "three.toml"] {
        sandbox.run(&["start", "--config", file]).success();
    }
    assert_eq!(first_line(&sandbox, "one", 0), "level=9 x\n");
    assert_eq!(first_line(&sandbox, "two", 0), "level=9 x\n");
    // Without a name it is called as its script.
    assert_eq!(first_line(&sandbox, "job", 0), "level= \n");
}

#[test]
fn a_script_a_cwd_and_a_config_may_lie_in_three_folders() {
    let sandbox = Sandbox::new();
    let body = "echo \"$0 in $(pwd -P)\"; exec sleep 1000";
    for script in ["tools/run", "conf/near", "work/here"] {
        sandbox.script(script, body);
    }
    std::fs::create_dir(sandbox.path("elsewhere")).unwrap();
    sandbox.file(
        "conf/adasa.toml",
        "[[processes]]\nname = \"far\"\nscript = \"../tools/run\"\ncwd = \"../work\"\n\n\
         [[processes]]\nname = \"here\"\nscript = \"./here\"\ncwd = \"../work\"\n\n\
         [[processes]]\nname = \"near\"\nscript = \"./near\"\n\n\
         [[processes]]\nname = \"word\"\nscript = \"sh\"\nargs = [\"-c\", \"echo word in `pwd -P`; exec sleep 1000\"]\ncwd = \"../work\"\n",
    );
    sandbox
        .run_in(
            sandbox.path("elsewhere"),
            &["start", "--config", "../conf/adasa.toml"],
        )
        .success();
    let (work, conf) = (real(&sandbox, "work"), real(&sandbox, "conf"));
    assert!(first_line(&sandbox, "far", 0).ends_with(&format!("tools/run in {work}\n")));
    assert!(first_line(&sandbox, "here", 0).ends_with(&format!("here in {work}\n")));
    assert!(first_line(&sandbox, "near", 0).ends_with(&format!("near in {conf}\n")));
    assert_eq!(first_line(&sandbox, "word", 0), format!("word in {work}\n"));
}

#[test]
fn one_name_may_be_used_in_two_namespaces() {
    let sandbox = Sandbox::new();
    let job = "script = \"sleep\"\nargs = [\"1000\"]\nname = \"job\"\n";
    sandbox.file(
        "adasa.toml",
        format!(
            "[[processes]]\n{job}namespace = \"blue\"\n[[processes]]\n{job}namespace = \"green\"\n"
        ),
    );
    sandbox.run(&["start", "--config", "adasa.toml"]).success();
    let spaces: Vec<Value> = sandbox
        .rows()
        .into_iter()
        .map(|row| row["namespace"].clone())
        .collect();
    assert_eq!(spaces, ["blue", "green"]);
    sandbox.run(&["stop", "green/job"]).success();
    let statuses: Vec<Value> = sandbox
        .rows()
        .into_iter()
        .map(|row| row["status"].clone())
        .collect();
    assert_eq!(statuses, ["running", "stopped"]);
}
