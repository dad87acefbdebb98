//! No descriptors and no pids left: what needs one is refused with the reason, everything else goes on, and what was
//! wanted comes up when there are some again.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;

use crate::faults::{start_idle, successor};
use crate::sandbox::{ADASA, LIMIT, Sandbox, spawn};

use super::{assert_prompt, prlimit};

/// One that does not come up is not tried again.
const NEW: [&str; 8] = [
    "start",
    "sleep",
    "--name",
    "new",
    "--restart",
    "never",
    "--",
    "9",
];

#[test]
fn a_keeper_without_descriptors_refuses_what_needs_one_and_goes_on() {
    let home = Sandbox::new();
    start_idle(&home, "crashes");
    start_idle(&home, "stays");
    let keeper = home.role("keeper_pid");
    prlimit(keeper.pid, "--nofile=3:");
    let refused = home.run(&NEW);
    drop(refused.stderr_has("Too many open files").code(1));
    let stays = home.known("stays");
    drop(home.run(&["stop", "stays"]).success());
    assert!(!stays.is_alive());
    home.known("crashes").signal(Signal::SIGKILL);
    home.until_status("crashes", "backoff");
    prlimit(keeper.pid, "--nofile=1000:");
    home.until_status("crashes", "running");
    drop(home.run(&["start", "stays"]).success());
    // A daemon that dies just then is followed when there are descriptors again.
    prlimit(keeper.pid, "--nofile=3:");
    let daemon = home.murder("pid");
    prlimit(keeper.pid, "--nofile=1000:");
    successor(&home, "pid", daemon);
    assert_eq!(home.role("keeper_pid"), keeper);
    assert_prompt(&home, "stays");
}

#[test]
fn a_daemon_without_descriptors_serves_who_is_connected() {
    let home = Sandbox::new();
    start_idle(&home, "api");
    let (api, daemon) = (home.known("api"), home.role("pid"));
    let mut connected = UnixStream::connect(home.socket()).expect("a connection");
    connected.set_read_timeout(Some(LIMIT)).expect("a limit");
    let mut ask = |method: &str, place: &str, body: &str| {
        let request = format!(
            "{method} {place} HTTP/1.1\r\nHost: adasa\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connected.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut buffer = [0; 4096];
            let count = connected.read(&mut buffer).expect("an answer");
            assert!(count > 0, "the connection was closed: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        text
    };
    // Whatever the first request needs is there now.
    ask("GET", "/api/operations/none", "");
    prlimit(daemon.pid, "--nofile=3:");
    let act = r#"{"operation":"stop-it-now","verb":"stop","select":["api"]}"#;
    let answer = ask("POST", "/api/operations?wait_ms=20000", act);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    home.until_gone(api);
    prlimit(daemon.pid, "--nofile=1000:");
    assert_eq!(home.status("api"), "stopped");
    start_idle(&home, "other");
    assert_eq!(home.role("pid"), daemon, "the daemon was replaced");
}

/// Leaves a process no number for another descriptor but those that are free below its highest one; so many.
fn close_the_door(pid: i32) -> u64 {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a folder");
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let numbers: Vec<u64> = numbers.collect();
    let highest = numbers.iter().max().expect("a descriptor");
    prlimit(pid, &format!("--nofile={}:", highest + 1));
    highest + 1 - numbers.len() as u64
}

#[test]
fn without_descriptors_who_comes_is_heard_by_the_reserve() {
    let home = Sandbox::new();
    start_idle(&home, "api");
    let daemon = home.role("pid");
    let free = close_the_door(daemon.pid);
    // They say nothing, and take what is free and some of the reserve.
    let silent: Vec<UnixStream> = (0..free + 4)
        .map(|_| UnixStream::connect(home.socket()).expect("a connection"))
        .collect();
    let api = home.known("api");
    drop(home.run(&["stop", "api"]).success());
    assert!(!api.is_alive());
    assert_eq!(home.role("pid"), daemon, "the daemon was replaced");
    drop(silent);
}

#[test]
fn without_descriptors_what_ran_is_started_again_by_the_reserve() {
    let home = Sandbox::new();
    for name in ["one", "two"] {
        let start = [
            "start",
            "sleep",
            "--name",
            name,
            "--restart-delay",
            "0",
            "--",
            "100000",
        ];
        drop(home.run(&start).success());
    }
    let keeper = home.role("keeper_pid");
    close_the_door(keeper.pid);
    let mut more = 0;
    while more < 60 {
        let name = format!("more-{more}x");
        let start = [
            "start",
            "sleep",
            "--name",
            &name,
            "--restart",
            "never",
            "--",
            "9",
        ];
        let said = home.run(&start);
        if !said.status.success() {
            drop(said.stderr_has("Too many open files").code(1));
            break;
        }
        more += 1;
    }
    assert!(more < 60, "there was room for {more} more");
    let victim = home.known("one");
    victim.signal(Signal::SIGKILL);
    home.until_gone(victim);
    let row = home.until_status("one", "running");
    assert_eq!(row["restarts"], 1, "it was refused in between: {row}");
    let daemon = home.murder("pid");
    successor(&home, "pid", daemon);
    assert_prompt(&home, "two");
}

/// Nobody has this user but this test.
const NOBODY_ELSE: u32 = 64_177;

#[test]
fn without_pids_what_needs_one_is_refused_and_everything_else_goes_on() {
    let home = Sandbox::new();
    let binary = home.path("adasa");
    std::fs::copy(ADASA, &binary).expect("room for the binary");
    let root = nix::unistd::geteuid().is_root();
    if root {
        // A limit on processes does not hold for root.
        for path in [home.root(), &binary] {
            std::os::unix::fs::chown(path, Some(NOBODY_ELSE), Some(NOBODY_ELSE)).expect("chown");
        }
    }
    let run = |args: &[&str]| {
        let mut command = Command::new(&binary);
        let model = home.command();
        command.env_clear().current_dir(home.root());
        command.envs(
            model
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command.stdin(std::process::Stdio::null()).args(args);
        if root {
            command.uid(NOBODY_ELSE).gid(NOBODY_ELSE);
        }
        spawn(command).output()
    };
    for name in ["crashes", "stays"] {
        drop(run(&["start", "sleep", "--name", name, "--", "100000"]).success());
    }
    let status = run(&["daemon", "status", "--json"]).success().json();
    let pid =
        |value: &serde_json::Value| i32::try_from(value.as_i64().expect("a pid")).expect("a pid");
    let keeper = pid(&status["keeper_pid"]);
    let row = |name: &str| {
        let row = run(&["list", name, "--json"]).success().json();
        row[0].clone()
    };
    let until = |name: &str, status: &str| {
        home.wait_for(&format!("{name} {status}"), |_| {
            (row(name)["status"] == status).then_some(())
        });
    };
    let limit = |soft: &str| {
        let mut command = Command::new("prlimit");
        command.args(["--pid", &keeper.to_string(), &format!("--nproc={soft}:")]);
        if root {
            command.uid(NOBODY_ELSE).gid(NOBODY_ELSE);
        }
        assert!(
            command.status().is_ok_and(|s| s.success()),
            "prlimit {soft}"
        );
    };
    let (soft, _) = getrlimit(Resource::RLIMIT_NPROC).expect("a limit");
    limit("1");
    let refused = run(&NEW);
    drop(refused.stderr_has("temporarily unavailable").code(1));
    drop(run(&["stop", "stays"]).success());
    let crashes = crate::sandbox::Known::of(pid(&row("crashes")["pid"])).expect("alive");
    crashes.signal(Signal::SIGKILL);
    until("crashes", "backoff");
    limit(&soft.to_string());
    until("crashes", "running");
    drop(run(&["start", "stays"]).success());
    drop(run(&["daemon", "stop"]).success());
    if let Some(volatile) = status["volatile_dir"].as_str() {
        drop(std::fs::remove_dir_all(volatile));
        if root {
            // The folder of this user, which was made for it; only when it is empty.
            drop(std::fs::remove_dir(
                Path::new(volatile).parent().expect("a folder"),
            ));
        }
    }
}
