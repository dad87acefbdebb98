//! A daemon or a scribe that hangs is replaced by the keeper; a machine that freezes and thaws loses nobody.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::child;
use crate::faults::successor;
use crate::sandbox::{Known, LIMIT, Sandbox};

/// Three seconds from one question to the next, five questions: what is replaced sooner was not asked often enough.
const ASKED: Duration = Duration::from_secs(12);

/// Blocks for a while on something that does not happen: this process itself does not end.
fn let_pass(time: Duration) {
    let this = Known::of(i32::try_from(std::process::id()).unwrap()).unwrap();
    assert!(!this.is_gone_by(Instant::now() + time));
}

#[test]
fn a_hung_daemon_is_replaced_and_processes_and_logs_go_on_meanwhile() {
    let s = Sandbox::new();
    s.start("chat", &child::chatters(&s, "chat"), &[]);
    let (chat, keeper, scribe) = (s.known("chat"), s.role("keeper_pid"), s.role("scribe_pid"));
    let hung = s.role("pid");
    hung.signal(Signal::SIGSTOP);
    let begun = Instant::now();
    let log = s.home().join("logs/default/chat/0.out.log");
    let written = std::fs::metadata(&log).map_or(0, |meta| meta.len());
    s.until_file(&log, |text| text.len() as u64 > written);
    assert!(hung.is_alive(), "the log grew while the daemon hung");
    s.until_gone(hung);
    assert!(begun.elapsed() > ASKED, "it was not asked five times");
    let now = successor(&s, "pid", hung);
    assert_eq!(
        (s.role("keeper_pid"), s.role("scribe_pid")),
        (keeper, scribe)
    );
    assert_eq!(s.known("chat"), chat);
    let status = s.daemon_status().unwrap();
    assert!(
        status["alarms"].to_string().contains("did not answer"),
        "{status}"
    );
    s.file("chat.enough", "");
    s.until_file("chat.last", |text| text.ends_with('\n'));
    assert!(now.is_alive());
}

#[test]
fn commands_on_a_hung_daemon_fail_soon_and_say_who_hangs_and_what_runs_on() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &["--instances", "2"]);
    s.start("web", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "web"]).stderr("").success();
    let (api, hung) = (s.known("api-1"), s.role("pid"));
    hung.signal(Signal::SIGSTOP);
    let runs = format!("api-1 runs (pid {})", api.pid);
    for (args, said, unsaid) in [
        (&["list"][..], &[&*runs, "web does not run"][..], &[][..]),
        (&["stop", "api-1"], &[&*runs], &["web", "api-0"]),
        (&["status", "web"], &["web does not run"], &["api"]),
        (&["restart", "tag:x", "--json"], &[&*runs], &[]),
    ] {
        let begun = Instant::now();
        let output = s.run(args).code(3);
        // Two seconds, and room for a machine that is busy with other tests; it is not replaced before fifteen.
        assert!(begun.elapsed() < Duration::from_secs(4), "{output}");
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(text.contains(&format!("pid {}", hung.pid)), "{text}");
        assert!(text.contains("stopped by a signal (state T)"), "{text}");
        assert!(said.iter().all(|row| text.contains(row)), "{text}");
        assert!(!unsaid.iter().any(|row| text.contains(row)), "{text}");
    }
    assert!(api.is_alive(), "nothing was done past the daemon");
    let _ = s.run(&["daemon", "restart"]).stderr("").success();
    // The next one does not wait for all threads of a killed one to be gone.
    s.until_gone(hung);
    assert_eq!(s.known("api-1"), api, "nor later");
    let hung = s.role("pid");
    hung.signal(Signal::SIGSTOP);
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    assert!(!hung.is_alive() && !api.is_alive());
    assert!(s.left().is_empty(), "{:?}", s.left());
}

#[test]
fn a_hung_daemon_whose_keeper_is_gone_is_replaced_by_a_command() {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let (api, keeper, hung) = (s.known("api"), s.role("keeper_pid"), s.role("pid"));
    hung.signal(Signal::SIGSTOP);
    keeper.signal(Signal::SIGKILL);
    s.until_gone(keeper);
    let said = format!("pid {}", hung.pid);
    let _ = s.run(&["list"]).code(3).stderr_has(&said);
    let _ = s.run(&["daemon", "restart"]).success();
    s.until_gone(hung);
    assert_eq!(s.known("api"), api);
    assert_eq!(s.read("api.runs").lines().count(), 1);
}

#[test]
fn a_hung_scribe_is_replaced_and_no_line_is_lost() {
    let s = Sandbox::new();
    child::chat(&s);
    let (chat, daemon) = (s.known("chat"), s.role("pid"));
    let hung = s.role("scribe_pid");
    hung.signal(Signal::SIGSTOP);
    // What holds the logs is it, and not the file system that they are on.
    let said = format!("held: the scribe (pid {}) is stopped by a signal", hung.pid);
    s.wait_for("an alarm", |s| {
        let alarms = s.daemon_status()?["alarms"].to_string();
        alarms.contains(&said).then_some(())
    });
    s.until_gone(hung);
    successor(&s, "scribe_pid", hung);
    assert_eq!((s.known("chat"), s.role("pid")), (chat, daemon));
    child::assert_chatter_is_whole(&s, "chat");
}

#[test]
fn a_frozen_and_thawed_machine_loses_no_role() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    let api = s.known("api");
    for role in roles {
        role.signal(Signal::SIGSTOP);
    }
    let_pass(Duration::from_secs(30));
    for role in roles {
        role.signal(Signal::SIGCONT);
    }
    // Longer than from a keeper's look to the next.
    let_pass(Duration::from_secs(5));
    assert!(roles.iter().all(|role| role.is_alive()));
    assert_eq!(
        ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role)),
        roles
    );
    assert_eq!(s.known("api"), api);
}

#[test]
fn a_keeper_that_ends_everything_itself_leaves_what_was_to_be_left() {
    let s = Sandbox::new();
    let entry = |name: &str, more: &str| {
        let program = child::escapes(&s, name);
        format!("[[processes]]\nname = \"{name}\"\nscript = \"{program}\"\n{more}\n")
    };
    let text = entry("stays", "detach_children = true") + &entry("goes", "");
    s.file("adasa.toml", text);
    let _ = s.run(&["start", "--config", "adasa.toml"]).success();
    let (left, ended) = (
        s.until_pid("stays.grandchild"),
        s.until_pid("goes.grandchild"),
    );
    let mains = [s.known("stays"), s.known("goes")];
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    roles[1].signal(Signal::SIGSTOP);
    roles[0].signal(Signal::SIGTERM);
    let deadline = Instant::now() + LIMIT;
    for known in mains.into_iter().chain([ended]).chain(roles) {
        assert!(known.is_gone_by(deadline), "pid {} lives", known.pid);
    }
    assert!(left.is_alive(), "it was to be left");
    left.signal(Signal::SIGKILL);
    s.until_gone(left);
}

#[test]
fn a_keeper_told_to_end_while_the_daemon_hangs_ends_everything_itself() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &["--instances", "2"]);
    let deaf = child::ignores_term(&s, "deaf");
    s.start("deaf", &deaf, &[]);
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let all = [
        s.known("api-0"),
        s.known("api-1"),
        s.until_pid("deaf.ready"),
        s.until_pid("esc.grandchild"),
    ];
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| s.role(role));
    roles[1].signal(Signal::SIGSTOP);
    roles[0].signal(Signal::SIGTERM);
    let deadline = Instant::now() + LIMIT;
    for known in all.into_iter().chain(roles) {
        assert!(known.is_gone_by(deadline), "pid {} lives", known.pid);
    }
    assert!(s.left().is_empty(), "{:?}", s.left());
    let _ = s.run(&["list"]).success();
    s.until_status("deaf", "running");
}
