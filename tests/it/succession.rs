//! The keeper is killed, alone or with others: whoever is next takes over what still runs, and nothing is done twice.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::child;
use crate::faults::successor;
use crate::faults::writers::Writers;
use crate::sandbox::{ADASA, Known, Running, Sandbox, exit, spawn};

/// Kills the keeper; the new one then, which the daemon of before became.
#[track_caller]
fn kill_keeper(s: &Sandbox) -> Known {
    let (old, heir) = (s.role("keeper_pid"), s.role("pid"));
    old.signal(Signal::SIGKILL);
    s.until_gone(old);
    let new = successor(s, "keeper_pid", old);
    assert_eq!(new, heir, "the daemon became the keeper");
    new
}

/// Whether this kernel tells how a process ended that is nobody's child here: 6.15 and later.
fn exits_are_told() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(['.', '-'])
        .map(|n| n.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(15))
}

#[test]
fn the_daemon_becomes_the_keeper_and_no_process_notices() {
    let s = Sandbox::new();
    s.start("w", &child::counts(&s, "w"), &["--instances", "5"]);
    s.until_file("w.runs", |text| text.lines().count() == 5);
    let pids = |s: &Sandbox| -> Vec<_> { s.rows().iter().map(|r| r["pid"].clone()).collect() };
    let before = pids(&s);
    let scribe = s.role("scribe_pid");
    for _ in 0..4 {
        kill_keeper(&s);
        let _ = s.run(&["list", "--no-autostart"]).stderr("").success();
        assert_eq!(pids(&s), before);
        assert!(s.rows().iter().all(|row| row["adopted"] == true));
    }
    s.until_gone(scribe);
    s.wait_for("three roles and no more", |s| {
        (s.adasas().len() == 3).then_some(())
    });
    assert_eq!(s.read("w.runs").lines().count(), 5, "started twice");
    s.start("later", &child::stays(&s), &[]);
    assert_ne!(s.row("later")["adopted"], true);
    let second = s.spawn(&["daemon"]).output();
    assert_ne!(second.status.code(), Some(0), "the lock is held: {second}");
}

#[test]
fn an_adopted_process_is_stopped_with_its_whole_tree() {
    let s = Sandbox::new();
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let deaf = child::ignores_term(&s, "deaf");
    s.start("deaf", &deaf, &["--stop-timeout", "300ms"]);
    let all = [
        s.known("esc"),
        s.until_pid("esc.grandchild"),
        s.until_pid("deaf.ready"),
    ];
    kill_keeper(&s);
    let _ = s.run(&["stop", "all"]).stderr("").success();
    for known in all {
        assert!(!known.is_alive(), "pid {} lives", known.pid);
    }
    assert_eq!(s.status("esc"), "stopped");
    let _ = s.run(&["start", "esc"]).stderr("").success();
    let _ = s.run(&["delete", "all"]).stderr("").success();
}

#[test]
fn the_exit_of_an_adopted_process_is_known_or_unknown_and_never_invented() {
    let s = Sandbox::new();
    let mut fifos = Vec::new();
    for name in ["code", "gap"] {
        fifos.push(s.fifo(&format!("{name}.fifo")));
        s.start(name, &child::obeys(&s, name), &["--restart", "never"]);
        s.until_file(format!("{name}.runs"), |text| text.ends_with('\n'));
    }
    s.start("shot", &child::stays(&s), &["--restart", "never"]);
    let (gap, shot) = (s.known("gap"), s.known("shot"));
    let keeper = s.role("keeper_pid");
    keeper.signal(Signal::SIGKILL);
    fifos[1].say("33");
    s.until_gone(gap);
    successor(&s, "keeper_pid", keeper);
    fifos[0].say("42");
    shot.signal(Signal::SIGKILL);
    for (name, code, signal) in [
        ("code", Some(42), None),
        ("gap", Some(33), None),
        ("shot", None, Some("SIGKILL")),
    ] {
        let row = s.until_status(name, "errored");
        let told = json!({"code": code, "signal": signal});
        let unknown = json!({"code": null, "signal": null});
        assert!(
            exit(&row) == told || exit(&row) == unknown && !exits_are_told(),
            "{name}: {row}"
        );
    }
}

#[test]
fn an_adopted_process_that_dies_is_started_once() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &["--restart-delay", "0"]);
    for n in 1..4 {
        s.until_file("api.runs", |text| text.lines().count() == n);
        let api = s.known("api");
        kill_keeper(&s);
        api.signal(Signal::SIGKILL);
        s.until_gone(api);
        s.until_file("api.runs", |text| text.lines().count() == n + 1);
        let row = s.until_status("api", "running");
        assert_ne!(row["adopted"], true, "this run is the new keeper's own");
    }
    assert_eq!(s.read("api.runs").lines().count(), 4);
}

/// Kills these roles at once, over and over, under writers of numbered lines.
fn no_line_is_lost(roles: &[&str]) {
    let s = Sandbox::new();
    let writers = Writers::start(&s, 4);
    for _ in 0..6 {
        let victims: Vec<Known> = roles.iter().map(|role| s.role(role)).collect();
        let keeper = s.role("keeper_pid");
        for victim in &victims {
            victim.signal(Signal::SIGKILL);
        }
        for victim in victims {
            s.until_gone(victim);
        }
        let _ = s.run(&["list"]).stderr("").success();
        successor(&s, "keeper_pid", keeper);
        writers.assert_same_pids(&s);
    }
    s.wait_for("three roles and no more", |s| {
        (s.adasas().len() == 3).then_some(())
    });
    writers.assert_every_line_once(&s);
}

#[test]
fn no_line_is_lost_or_doubled_when_the_keeper_is_killed() {
    no_line_is_lost(&["keeper_pid"]);
}

#[test]
fn no_line_is_lost_or_doubled_when_keeper_and_scribe_are_killed() {
    no_line_is_lost(&["keeper_pid", "scribe_pid"]);
}

#[test]
fn no_line_is_lost_or_doubled_when_keeper_and_daemon_are_killed() {
    no_line_is_lost(&["keeper_pid", "pid"]);
}

/// Kills all roles; frozen first, for each is quick to follow another.
#[track_caller]
fn kill_all(s: &Sandbox) {
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        roles.iter().for_each(|role| role.signal(signal));
    }
    for role in roles {
        s.until_gone(role);
    }
}

#[test]
fn a_command_that_brought_adasa_back_and_still_waits_is_in_nobodys_way() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let flags = ["--stop-timeout", "60s", "--restart", "never"];
    s.start("deaf", &deaf, &flags);
    let first = s.until_pid("deaf.ready");
    kill_all(&s);
    let waits = s.spawn(&["restart", "deaf"]);
    s.wait_for("it is being restarted", |s| {
        (s.status("deaf") != "running").then_some(())
    });
    kill_all(&s);
    let _ = s.run(&["list"]).stderr("").success();
    assert!(first.is_alive(), "it ignores what it was asked");
    first.signal(Signal::SIGKILL);
    let _ = waits.output().stderr("").success();
    s.until_status("deaf", "running");
    let second = s.known("deaf");
    assert_ne!(second, first);
    second.signal(Signal::SIGKILL);
}

#[test]
fn the_roles_hold_nothing_that_whoever_launched_them_had_open() {
    let s = Sandbox::new();
    let theirs = s.file("theirs", "");
    // Not closed on exec, as a shell's are.
    let line = format!("exec 9<>theirs; {ADASA} list");
    let model = s.command();
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &line]).current_dir(s.root()).env_clear();
    let known = model.get_envs();
    shell.envs(known.filter_map(|(name, value)| Some((name, value?))));
    let _ = spawn(shell).output().success();
    for role in ["keeper_pid", "pid", "scribe_pid"] {
        let role = s.role(role);
        let open = std::fs::read_dir(format!("/proc/{}/fd", role.pid)).expect("a folder");
        let mut paths = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        assert!(!paths.any(|path| path == theirs), "{role:?} holds it");
    }
}

#[test]
fn when_all_are_killed_writers_go_on_and_the_next_command_takes_over() {
    let s = Sandbox::new();
    let program = child::chatters(&s, "chat");
    s.start("chat", &program, &[]);
    s.start("gone", &child::stays(&s), &["--restart", "never"]);
    let (chat, mut gone) = (s.known("chat"), s.known("gone"));
    for _ in 0..3 {
        kill_all(&s);
        assert!(s.adasas().is_empty());
        assert!(chat.is_alive(), "it was not told by SIGPIPE");
        gone.signal(Signal::SIGKILL);
        s.until_gone(gone);
        let _ = s.run(&["list"]).stderr("").success();
        assert_eq!(s.known("chat"), chat);
        assert_eq!(s.row("chat")["adopted"], true);
        // Nobody saw it, unless its body is still there to be looked at.
        let told = exit(&s.until_status("gone", "errored"));
        assert!(
            told["code"].is_null() && (told["signal"].is_null() || told["signal"] == "SIGKILL"),
            "{told}"
        );
        let _ = s.run(&["start", "gone"]).stderr("").success();
        gone = s.known("gone");
    }
    s.file("chat.enough", "");
    let last = s.until_file("chat.last", |text| text.ends_with('\n'));
    let end = format!("line {last}");
    s.until_file("home/logs/default/chat/0.out.log", |text| {
        text.ends_with(&end)
    });
}

/// What systemd does for a unit: runs the daemon in the foreground and says so.
fn unit(s: &Sandbox) -> Running {
    let mut command = s.command();
    command
        .arg("daemon")
        .env("INVOCATION_ID", "0123456789abcdef");
    spawn(command)
}

#[test]
fn a_command_leaves_a_killed_keeper_of_a_unit_to_the_unit() {
    let s = Sandbox::new();
    let first = unit(&s);
    s.wait_for("the daemon answers", |s| s.daemon_status());
    s.start("api", &child::counts(&s, "api"), &[]);
    let api = s.known("api");
    let (keeper, daemon) = (s.role("keeper_pid"), s.role("pid"));
    assert_eq!(
        s.read(&format!("/proc/{}/comm", keeper.pid)),
        "adasa-keeper\n"
    );
    assert_eq!(
        s.read(&format!("/proc/{}/comm", daemon.pid)),
        "adasa-daemon\n"
    );
    for role in [keeper, daemon] {
        role.signal(Signal::SIGKILL);
        s.until_gone(role);
    }
    drop(first);
    let asked = s.spawn(&["status", "api", "--json"]);
    let again = unit(&s);
    let answer = asked.output().success().json();
    assert_eq!(answer[0]["pid"], api.pid);
    let line = s.read(&format!("/proc/{}/cmdline", s.role("keeper_pid").pid));
    assert!(line.ends_with("\0daemon\0"), "not the unit's: {line:?}");
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    let _ = again.output().success();
}

#[test]
fn a_command_starts_the_keeper_itself_when_the_unit_does_not() {
    let s = Sandbox::new();
    let first = unit(&s);
    s.wait_for("the daemon answers", |s| s.daemon_status());
    s.start("api", &child::counts(&s, "api"), &[]);
    let api = s.known("api");
    let (keeper, daemon) = (s.role("keeper_pid"), s.role("pid"));
    for role in [keeper, daemon] {
        role.signal(Signal::SIGKILL);
        s.until_gone(role);
    }
    drop(first);
    let _ = s.run(&["list"]).stderr("").success();
    assert_eq!(s.known("api"), api);
    assert_eq!(s.read("api.runs").lines().count(), 1);
}

#[test]
fn under_systemd_the_daemon_leaves_succession_to_the_unit() {
    let s = Sandbox::new();
    let first = unit(&s);
    s.wait_for("the daemon answers", |s| s.daemon_status());
    s.start("api", &child::counts(&s, "api"), &[]);
    let api = s.known("api");
    let (keeper, daemon) = (s.role("keeper_pid"), s.role("pid"));
    keeper.signal(Signal::SIGKILL);
    s.until_gone(keeper);
    s.until_gone(daemon);
    drop(first);
    let again = unit(&s);
    s.wait_for("the daemon answers", |s| s.daemon_status());
    assert_eq!(s.known("api"), api);
    assert_eq!(s.row("api")["adopted"], true);
    assert_eq!(s.read("api.runs").lines().count(), 1);
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    let _ = again.output().success();
}

/// Another boot: the kernel says another id, all of adasa is gone, and the pids of before are those of others, which
/// are neither taken over nor signalled. What was wanted up comes up.
#[test]
fn after_a_reboot_what_was_up_comes_up_and_pids_of_before_are_nobodys() {
    let s = Sandbox::new();
    for name in ["up", "down"] {
        s.start(name, &child::counts(&s, name), &[]);
    }
    drop(s.run(&["stop", "down"]).success());
    s.until_file("up.runs", |text| text.lines().count() == 1);
    let (before, run) = (s.known("up"), s.row("up")["run"].as_u64());
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|key| s.role(key));
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        roles.iter().for_each(|role| role.signal(signal));
    }
    roles.iter().for_each(|role| s.until_gone(*role));
    let boot = s.file("boot", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n");
    let known = s.command();
    let mut booted = std::process::Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        booted.args(["--user", "--map-root-user"]);
    }
    let mount = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$1\" daemon start";
    booted
        .args(["--mount", "sh", "-c", mount])
        .arg(boot)
        .arg(ADASA);
    let known = known.get_envs();
    booted.env_clear();
    booted.envs(known.filter_map(|(name, value)| Some((name, value?))));
    booted
        .current_dir(s.root())
        .stdin(std::process::Stdio::null());
    drop(spawn(booted).output().success());
    s.until_file("up.runs", |text| text.lines().count() == 2);
    let row = s.until_status("up", "running");
    assert!(row["run"].as_u64() > run && row["adopted"] != true, "{row}");
    assert_eq!(row["restarts"], 0, "nothing has failed: {row}");
    assert_ne!(s.known("up"), before);
    assert_eq!(s.status("down"), "stopped");
    assert_eq!(s.read("down.runs").lines().count(), 1);
    drop(s.run(&["restart", "up"]).success());
    drop(s.run(&["delete", "all"]).success());
    assert!(before.is_alive(), "a process of nobody was signalled");
    before.signal(Signal::SIGKILL);
    s.until_gone(before);
}

#[test]
fn an_end_of_everything_outlives_the_keeper_that_began_it() {
    let s = Sandbox::new();
    let program = child::ignores_term(&s, "deaf");
    s.start("deaf", &program, &["--stop-timeout", "2s"]);
    let deaf = s.until_pid("deaf.ready");
    let keeper = s.role("keeper_pid");
    let stop = s.spawn(&["daemon", "stop"]);
    s.until_status("deaf", "stopping");
    keeper.signal(Signal::SIGKILL);
    let _ = stop.output().stdout("daemon stopped\n").success();
    assert!(!deaf.is_alive());
    s.wait_for("nobody is left", |s| s.adasas().is_empty().then_some(()));
    let _ = s.run(&["daemon", "status"]).stdout("no daemon runs\n");
}

#[test]
fn when_all_were_killed_what_runs_on_is_said_and_an_end_of_everything_ends_it() {
    let s = Sandbox::new();
    s.start("nap", &child::stays(&s), &["--instances", "2"]);
    s.start("gone", &child::stays(&s), &[]);
    let naps = ["nap-0", "nap-1"].map(|name| s.known(name));
    let gone = s.known("gone");
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    for role in roles {
        role.signal(Signal::SIGKILL);
    }
    gone.signal(Signal::SIGKILL);
    for known in roles.into_iter().chain([gone]) {
        s.until_gone(known);
    }
    let [one, two] = naps.map(|known| known.pid);
    let said = format!(
        "no daemon runs, and without it: nap-0 (pid {one}), nap-1 (pid {two})\n  \
         `adasa list` takes over what runs, `adasa daemon stop` ends it\n"
    );
    let _ = s.run(&["daemon", "status"]).stdout(&said).code(3);
    let status = s.run(&["daemon", "status", "--json"]).code(3).json();
    let left = json!([{"name": "nap-0", "pid": one}, {"name": "nap-1", "pid": two}]);
    assert_eq!(status["left"], left);
    let stop = s.run(&["daemon", "stop"]).success();
    let _ = stop.stdout("daemon stopped\n");
    for known in naps {
        assert!(!known.is_alive());
    }
    let _ = s
        .run(&["daemon", "status"])
        .stdout("no daemon runs\n")
        .code(3);
}
