//! Keeper and daemon go on as another build, and nothing notices; a build that cannot take over changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::child;
use crate::faults::writers::Writers;
use crate::sandbox::{ADASA, Output, Sandbox, exit};

/// Another build: the same program with other bytes behind its end.
fn another_build(s: &Sandbox, name: &str) -> PathBuf {
    let mut bytes = fs::read(ADASA).unwrap();
    bytes.extend_from_slice(name.as_bytes());
    s.file_mode(name, bytes, 0o755)
}

fn program_of(pid: i32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}

fn restart(s: &Sandbox, binary: &Path) -> Output {
    s.run(&["daemon", "restart", "--binary", binary.to_str().unwrap()])
}

#[test]
fn the_keeper_goes_on_as_another_build_with_the_same_pid_and_the_same_children() {
    let s = Sandbox::new();
    let writers = Writers::start(&s, 3);
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &["--restart", "never"]);
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let grandchild = s.until_pid("esc.grandchild");
    let (keeper, job) = (s.role("keeper_pid"), s.known("job"));
    for name in ["second", "third"] {
        let binary = another_build(&s, name);
        let _ = restart(&s, &binary).stderr("").success();
        for role in ["keeper_pid", "pid", "scribe_pid"] {
            let pid = s.role(role).pid;
            assert_eq!(program_of(pid), binary, "{role}");
        }
        assert_eq!((s.role("keeper_pid"), s.known("job")), (keeper, job));
        writers.assert_same_pids(&s);
    }
    assert!(s.rows().iter().all(|row| row["adopted"] != true));
    let same = restart(&s, &program_of(keeper.pid)).stderr("").success();
    let _ = same.stdout_has("daemon restarted");
    fifo.say("42");
    let row = s.until_status("job", "errored");
    assert_eq!(exit(&row), json!({"code": 42, "signal": null}));
    let _ = s.run(&["stop", "esc"]).stderr("").success();
    assert!(!grandchild.is_alive(), "still below the keeper");
    writers.assert_every_line_once(&s);
}

#[test]
fn the_program_that_asks_is_the_one_to_go_on_as() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let (keeper, api) = (s.role("keeper_pid"), s.known("api"));
    let binary = another_build(&s, "newer");
    let mut command = std::process::Command::new(&binary);
    command
        .args(["daemon", "restart"])
        .env_clear()
        .env("HOME", s.root())
        .env("ADASA_HOME", s.home());
    let output = crate::sandbox::spawn(command).output();
    let _ = output.stderr("").success();
    assert_eq!(s.role("keeper_pid"), keeper);
    assert_eq!(program_of(keeper.pid), binary);
    assert_eq!(s.known("api"), api);
}

#[test]
fn a_build_that_cannot_take_over_changes_nothing_and_says_so() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let roles = |s: &Sandbox| ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    let (before, api) = (roles(&s), s.known("api"));
    let garbage = s.file_mode("garbage", b"\x7fELF and nothing more", 0o755);
    let closed = another_build(&s, "closed");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&closed, mode).unwrap();
    let old = "echo 'the table of what runs is of version 2, this adasa reads 1' >&2\nexit 1";
    let scripts = [
        ("fails", "echo it is broken >&2\nexit 1"),
        ("lies", "exit 0"),
        ("old", old),
    ];
    let scripts = scripts.map(|(name, body)| PathBuf::from(s.script(name, body)));
    for binary in scripts.iter().chain([&garbage, &closed]) {
        let output = restart(&s, binary).stdout("").code(1);
        let lines = output.stderr.matches("cannot take over").count();
        assert_eq!(lines, 1, "{output}");
        let _ = output.stderr_has("nothing was changed");
        assert_eq!(roles(&s), before, "{}", binary.display());
    }
    let missing = s.path("missing");
    let output = restart(&s, &missing).code(1);
    let _ = output.stderr_has(missing.to_str().unwrap());
    assert_eq!(s.known("api"), api);
}

#[test]
fn a_build_that_reads_the_table_and_cannot_be_executed_leaves_the_keeper_as_it_was() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let (keeper, api) = (s.role("keeper_pid"), s.known("api"));
    let daemon = s.role("pid");
    // It says what a build says that reads the table, and is a script: as a descriptor it cannot be executed.
    let binary = s.script("wrapper", &format!("exec '{ADASA}' \"$@\""));
    let output = restart(&s, Path::new(&binary)).code(1);
    let _ = output.stderr_has("could not go on as");
    assert_eq!((s.role("keeper_pid"), s.known("api")), (keeper, api));
    assert_ne!(s.role("pid"), daemon);
    let status = s.daemon_status().unwrap();
    let alarms = status["alarms"].to_string();
    assert!(alarms.contains("another build"), "{status}");
    assert_eq!(s.read("api.runs").lines().count(), 1);
}

#[test]
fn a_table_is_checked_before_a_build_takes_over() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let status = s.daemon_status().unwrap();
    let table = Path::new(status["volatile_dir"].as_str().unwrap()).join("table");
    let check = |table: &Path| s.run(&["--check-table", table.to_str().unwrap()]);
    let _ = check(&table).success().stdout_has("1 instances");
    let empty = s.file("empty", "");
    let _ = check(&empty).code(1).stderr_has("version 0");
    let _ = check(&s.path("none")).code(1);
}
