//! A daemon that does not die but panics, aborts, sleeps or spins, in the middle of its loop.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::child;
use crate::faults::successor;
use crate::oracle::Oracle;
use crate::sandbox::{Known, Sandbox};

use super::has_fired;

/// The loop has taken a message and has not looked at it.
const POINT: &str = "daemon.message.taken";

fn arm(s: &Sandbox, role: &str, point: &str, act: &str) {
    s.file(
        &format!("home/failpoints/{point}"),
        format!("{role} 1 {act}"),
    );
}

/// A program that runs, whose process is the same after all.
fn with_program() -> (Sandbox, Known, Known) {
    let s = Sandbox::new();
    s.start("api", &child::counts(&s, "api"), &[]);
    let (api, daemon) = (s.known("api"), s.role("pid"));
    (s, api, daemon)
}

#[test]
fn a_daemon_that_panics_or_aborts_is_followed_by_a_clean_one() {
    for act in ["panic", "abort"] {
        for point in [POINT, "daemon.message.handled", "daemon.deed"] {
            let (s, api, daemon) = with_program();
            let scribe = s.role("scribe_pid");
            arm(&s, "daemon", point, act);
            let begun = Instant::now();
            let _ = s.run(&["restart", "api"]).stderr("").success();
            let took = begun.elapsed();
            s.until_gone(daemon);
            assert!(has_fired(&s, point));
            s.until_file("api.runs", |text| text.lines().count() == 2);
            assert!(!api.is_alive(), "{act} at {point}");
            assert_eq!(s.role("scribe_pid"), scribe, "nobody else was replaced");
            assert_ne!(s.role("pid"), daemon);
            println!("{act} at {point}: a restart over it took {took:?}");
        }
    }
}

/// Commands fail within two seconds, and the watchdog replaces it.
fn hangs(act: &str, state: &str) {
    let (s, api, daemon) = with_program();
    arm(&s, "daemon", POINT, act);
    s.wait_for("it hangs", |s| {
        drop(s.run(&["list"]));
        has_fired(s, POINT).then_some(())
    });
    let runs = format!("api runs (pid {})", api.pid);
    let who = format!(
        "the daemon (pid {}) does not answer (state {state})",
        daemon.pid
    );
    for args in [&["list"][..], &["stop", "api"]] {
        let begun = Instant::now();
        let output = s.run(args).stderr_has(&who).stderr_has(&runs).code(3);
        let took = begun.elapsed();
        println!("{args:?} failed after {took:?}");
        // Two seconds, and room for a machine that is busy with other tests.
        assert!(took < Duration::from_secs(4), "{took:?}: {output}");
    }
    s.until_gone(daemon);
    successor(&s, "pid", daemon);
    assert_eq!(s.known("api"), api, "nothing was done past the daemon");
    let status = s.daemon_status().expect("a daemon runs");
    assert!(
        status["alarms"].to_string().contains("did not answer"),
        "{status}"
    );
}

#[test]
fn commands_on_a_daemon_that_sleeps_for_ever_fail_soon_and_it_is_replaced() {
    hangs("hang", "S");
}

#[test]
fn commands_on_a_daemon_that_spins_for_ever_fail_soon_and_it_is_replaced() {
    hangs("spin", "R");
}

#[test]
fn a_scribe_that_sleeps_for_ever_is_replaced_and_no_line_is_lost() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let (daemon, scribe) = (s.role("pid"), s.role("scribe_pid"));
    // Bytes are in the stage.
    arm(&s, "scribe", "scribe.hop.one", "hang");
    let program = child::chatters(&s, "chat");
    let keeps = "log_max_size = \"1GiB\"\n";
    let text = format!("[[processes]]\nname = \"chat\"\nscript = \"{program}\"\n{keeps}");
    s.file("adasa.toml", text);
    let start = ["start", "--config", "adasa.toml"];
    let _ = s.run(&start).stderr("").success();
    let chat = s.known("chat");
    s.until_gone(scribe);
    assert!(has_fired(&s, "scribe.hop.one"));
    successor(&s, "scribe_pid", scribe);
    assert_eq!((s.known("chat"), s.role("pid")), (chat, daemon));
    child::assert_chatter_is_whole(&s, "chat");
}

/// All of adasa is killed while bytes are on their way: a run that goes on loses none and has none twice.
#[test]
fn whatever_a_scribe_is_doing_when_all_are_killed_no_line_of_a_living_run_is_lost() {
    for point in [
        "scribe.hop.one",
        "scribe.writing.noted",
        "scribe.hop.two",
        "scribe.index.written",
        "scribe.taking.noted",
        "scribe.taken",
        "scribe.note.cleared",
    ] {
        let s = Sandbox::new();
        let oracle = Oracle::new(&s);
        super::start(&s, &oracle, "one", &[]);
        let roles = ["keeper_pid", "pid", "scribe_pid"].map(|key| s.role(key));
        arm(&s, "scribe", point, "hang");
        s.wait_for(&format!("it hangs at {point}"), |s| {
            has_fired(s, point).then_some(())
        });
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            roles.iter().for_each(|role| role.signal(signal));
        }
        roles.iter().for_each(|role| s.until_gone(*role));
        drop(s.run(&["list"]).success());
        oracle.assert_up("one");
        drop(s.run(&["stop", "one"]).success());
        assert_eq!(oracle.told("one").len(), 1, "{point}");
        oracle.assert_every_line_once("one", &BTreeSet::new());
    }
}
