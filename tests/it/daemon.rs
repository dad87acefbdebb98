//! The daemon's own life: exactly one, asked for or not, in the background or not, and what it leaves.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::child;
use crate::sandbox::{Known, Sandbox, exit};

/// Keeper, scribe and daemon as their status tells, sorted.
fn roles(s: &Sandbox) -> Vec<Known> {
    let mut roles: Vec<_> = ["pid", "keeper_pid", "scribe_pid"]
        .map(|k| s.role(k))
        .into();
    roles.sort();
    roles
}

#[track_caller]
fn assert_one_daemon(s: &Sandbox) {
    let mut all = s.adasas();
    all.sort();
    assert_eq!(all, roles(s), "keeper, scribe, daemon and no more");
}

#[test]
fn fifty_commands_at_once_start_exactly_one_daemon() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let commands: Vec<_> = (0..50)
        .map(|n| match n % 2 {
            0 => s.spawn(&["list", "--json"]),
            _ => s.spawn(&["start", &program, "--name", &format!("p{n}")]),
        })
        .collect();
    for command in commands {
        let _ = command.output().stderr("").success();
    }
    let rows = s.rows();
    assert_eq!(rows.len(), 25);
    assert!(
        rows.iter().all(|row| row["status"] == "running"),
        "{rows:?}"
    );
    assert_one_daemon(&s);
}

#[test]
fn daemon_start_returns_when_the_daemon_answers() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).stderr("").success();
    let _ = s.run(&["--no-autostart", "list"]).stderr("").success();
    let before = roles(&s);
    let _ = s.run(&["daemon", "start"]).success();
    assert_eq!(roles(&s), before, "a second start changes nothing");
    assert_one_daemon(&s);
}

#[test]
fn daemon_start_ends_with_the_error_of_the_daemon() {
    let s = Sandbox::new();
    fs::write(s.home(), "not a folder").unwrap();
    let output = s.run(&["daemon", "start"]);
    assert!(matches!(output.status.code(), Some(1..=3)), "{output}");
    assert!(output.stderr.starts_with("adasa: "), "{output}");
    let _ = output.stdout("").stderr_has(s.home().to_str().unwrap());
    assert!(s.adasas().is_empty());
}

#[test]
fn daemon_status_says_who_and_where() {
    let s = Sandbox::new();
    let none = s.run(&["daemon", "status", "--json"]).code(3).json();
    assert_eq!(none["running"], false);
    let _ = s.run(&["daemon", "status"]).code(3);
    assert!(s.adasas().is_empty(), "status starts no daemon");
    let program = child::stays(&s);
    s.start("api", &program, &["--instances", "2"]);
    s.start("off", &program, &[]);
    let _ = s.run(&["stop", "off"]).success();
    let status = s.daemon_status().unwrap();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        status["uptime"].is_number() && status["memory"].is_u64(),
        "{status}"
    );
    assert_eq!(status["counts"]["total"], 3, "{status}");
    assert_eq!(status["counts"]["running"], 2, "{status}");
    assert_eq!(
        status["state_dir"],
        s.home().join("state").to_str().unwrap()
    );
    assert_eq!(status["log_dir"], s.home().join("logs").to_str().unwrap());
    assert_one_daemon(&s);
    let text = s.run(&["daemon", "status"]).stderr("").success();
    let text = text.stdout_has(&status["pid"].to_string());
    let text = text.stdout_has(env!("CARGO_PKG_VERSION"));
    let _ = text.stdout_has(status["socket"].as_str().unwrap());
}

#[test]
fn daemon_stop_ends_everything_and_itself() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &["--instances", "3"]);
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let deaf = child::ignores_term(&s, "deaf");
    s.start("deaf", &deaf, &["--stop-timeout", "500ms"]);
    s.until_pid("esc.grandchild");
    s.until_pid("deaf.ready");
    let before = roles(&s);
    assert!(s.left().len() >= 9);
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    assert!(before.iter().all(|known| !known.is_alive()));
    assert!(s.left().is_empty(), "{:?}", s.left());
    let _ = s.run(&["daemon", "status"]).code(3);
    let again = s.run(&["daemon", "stop"]);
    assert!(matches!(again.status.code(), Some(0 | 3)), "{again}");
    assert!(
        s.adasas().is_empty(),
        "stopping what does not run starts nothing"
    );
}

#[test]
fn daemon_stop_from_several_sides_succeeds_on_each_when_all_is_over() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    s.start("deaf", &deaf, &["--stop-timeout", "500ms"]);
    let known = s.until_pid("deaf.ready");
    let before = roles(&s);
    let stops: Vec<_> = (0..8).map(|_| s.spawn(&["daemon", "stop"])).collect();
    for stop in stops {
        let _ = stop.output().stderr("").success();
        assert!(!known.is_alive());
        assert!(before.iter().all(|role| !role.is_alive()));
    }
    assert!(s.left().is_empty(), "{:?}", s.left());
}

#[test]
fn the_next_daemon_brings_up_what_was_up_and_only_that() {
    let s = Sandbox::new();
    s.start("up", &child::counts(&s, "up"), &["--instances", "2"]);
    s.start("down", &child::counts(&s, "down"), &[]);
    let _ = s.run(&["stop", "down"]).stderr("").success();
    s.start("well", &child::exits(&s, "well", 0), &[]);
    s.until_status("well", "exited");
    let always = ["--restart", "always", "--restart-delay", "1000s"];
    s.start("always", &child::exits(&s, "always", 0), &always);
    s.until_status("always", "backoff");
    let old = [s.pid("up-0"), s.pid("up-1")];
    for round in 2..4 {
        let _ = s.run(&["daemon", "stop"]).stderr("").success();
        let _ = s.run(&["daemon", "start"]).stderr("").success();
        s.until_status("up-0", "running");
        s.until_status("up-1", "running");
        s.until_file("always.runs", |text| text.lines().count() == round);
        s.until_file("up.runs", |text| text.lines().count() == 2 * round);
        assert_eq!(s.status("down"), "stopped");
        assert_eq!(s.status("well"), "exited");
        assert_eq!(exit(&s.row("well")), json!({"code": 0, "signal": null}));
    }
    assert!(!old.contains(&s.pid("up-0")));
    assert_eq!(s.read("down.runs").lines().count(), 1);
    assert_eq!(s.read("well.runs").lines().count(), 1);
}

#[test]
fn any_command_brings_up_what_was_up() {
    let s = Sandbox::new();
    s.start("up", &child::stays(&s), &[]);
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    let _ = s.run(&["list"]).stderr("").success();
    s.until_status("up", "running");
}

#[test]
fn daemon_restart_touches_no_process() {
    let s = Sandbox::new();
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &child::obeys(&s, "job"), &["--restart", "never"]);
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let grandchild = s.until_pid("esc.grandchild");
    let (job, esc) = (s.known("job"), s.known("esc"));
    let before = s.daemon_status().unwrap();
    for _ in 0..3 {
        let _ = s.run(&["daemon", "restart"]).stderr("").success();
        assert_eq!((s.known("job"), s.known("esc")), (job, esc));
    }
    let after = s.daemon_status().unwrap();
    assert_ne!(after["pid"], before["pid"]);
    assert_eq!(after["keeper_pid"], before["keeper_pid"]);
    assert_one_daemon(&s);
    fifo.say("42");
    let row = s.until_status("job", "errored");
    assert_eq!(exit(&row), json!({"code": 42, "signal": null}));
    let _ = s.run(&["stop", "esc"]).stderr("").success();
    assert!(
        !grandchild.is_alive(),
        "the tree is known to the next daemon too"
    );
}

#[test]
fn daemon_restart_without_a_daemon_leaves_one_running() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "restart"]).success();
    assert_one_daemon(&s);
}

#[test]
fn a_daemon_in_the_foreground_runs_until_term_and_ends_everything() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let s = Sandbox::new();
        let mut foreground = s.spawn(&["daemon"]);
        s.wait_for("the daemon answers", |s| s.daemon_status());
        s.start("api", &child::stays(&s), &[]);
        let api = s.known("api");
        assert!(!foreground.is_over());
        assert_one_daemon(&s);
        foreground.signal(signal);
        let _ = foreground.output().success();
        assert!(!api.is_alive());
        assert!(s.left().is_empty(), "{signal}: {:?}", s.left());
        let _ = s.run(&["list"]).success();
        s.until_status("api", "running");
    }
}

#[test]
fn signals_to_the_daemon_dump_its_state_open_its_log_anew_and_end_all_at_once() {
    let s = Sandbox::new();
    let foreground = s.spawn(&["daemon"]);
    s.wait_for("the daemon answers", |s| s.daemon_status());
    let deaf = child::ignores_term(&s, "deaf");
    s.start("deaf", &deaf, &["--stop-timeout", "1000s"]);
    let known = s.until_pid("deaf.ready");
    let dumped = |text: &str| text.contains("dump") && text.contains("id=1");
    foreground.signal(Signal::SIGUSR1);
    s.until_file("home/logs/daemon.log", dumped);
    for _ in 0..5 {
        fs::rename(
            s.path("home/logs/daemon.log"),
            s.path("home/logs/moved.log"),
        )
        .unwrap();
        // Both are heard at once, and done in this order.
        let both = [
            Signal::SIGSTOP,
            Signal::SIGHUP,
            Signal::SIGUSR1,
            Signal::SIGCONT,
        ];
        both.into_iter()
            .for_each(|signal| foreground.signal(signal));
        s.until_file("home/logs/daemon.log", dumped);
    }
    foreground.signal(Signal::SIGQUIT);
    let _ = foreground.output().success();
    assert!(!known.is_alive(), "no grace");
    assert!(s.left().is_empty(), "{:?}", s.left());
}

#[test]
fn a_second_daemon_of_the_same_folder_is_refused_and_says_who_runs() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let keeper = s.role("keeper_pid");
    let output = s.run(&["daemon"]);
    assert_ne!(output.status.code(), Some(0), "{output}");
    assert!(output.stderr.contains("adasa: "), "{output}");
    let _ = output.stderr_has(&keeper.pid.to_string());
    assert_one_daemon(&s);
}

#[test]
fn two_folders_have_two_daemons_that_do_not_know_each_other() {
    let (a, b) = (Sandbox::new(), Sandbox::new());
    a.start("api", &child::stays(&a), &[]);
    b.start("api", &child::stays(&b), &[]);
    let kept = b.known("api");
    let _ = a.run(&["delete", "all"]).stderr("").success();
    let _ = a.run(&["daemon", "stop"]).stderr("").success();
    assert!(kept.is_alive());
    assert_eq!(b.rows().len(), 1);
}

fn each(folder: &Path, found: &mut dyn FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(meta) = fs::symlink_metadata(&path) {
            found(&path, &meta);
            if meta.is_dir() {
                each(&path, found);
            }
        }
    }
}

#[test]
fn state_is_the_owners_alone() {
    let s = Sandbox::new();
    // Even when the caller's mask would allow everybody everything.
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        "umask 000; exec \"$0\" daemon start",
        crate::sandbox::ADASA,
    ]);
    command.env("HOME", s.root()).env("ADASA_HOME", s.home());
    let _ = crate::sandbox::spawn(command).output().success();
    s.start("api", &child::stays(&s), &["--env", "SECRET=hush"]);
    let _ = s.run(&["daemon", "restart"]).success();
    let status = s.daemon_status().unwrap();
    let volatile = Path::new(status["volatile_dir"].as_str().unwrap()).to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    for folder in [&s.home().join("state"), &s.home().join("logs"), &volatile] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        each(folder, &mut |path, meta| {
            let mode = meta.mode() & 0o7777;
            let shown = path.display();
            if meta.is_dir() {
                assert_eq!(mode, 0o700, "{shown} is {mode:o}");
            } else if meta.is_file() && !path.starts_with(s.home().join("logs")) {
                assert_eq!(mode, 0o600, "{shown} is {mode:o}");
            }
            assert_eq!(meta.uid(), nix::unistd::getuid().as_raw(), "{shown}");
        });
    }
    let socket = fs::metadata(s.socket()).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o7777, 0o600);
    assert!(!volatile.starts_with(s.root()) || !Path::new("/dev/shm").is_dir());
}
