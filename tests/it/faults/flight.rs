//! What is under way when the daemon dies: commands, stops, timers, exits.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::faults::{Dice, start_idle, successor};
use crate::sandbox::Sandbox;

#[test]
fn exits_while_the_daemon_is_dead_are_known_with_their_codes() {
    let home = Sandbox::new();
    for round in 0..8 {
        let (leaver, victim) = (format!("leaver{round}"), format!("victim{round}"));
        let mut ear = home.fifo(&leaver);
        let script = format!("read word <'{}'; exit 7", home.path(&leaver).display());
        drop(
            home.run(&[
                "start",
                "sh",
                "--name",
                &leaver,
                "--restart",
                "never",
                "--",
                "-c",
                &script,
            ])
            .success(),
        );
        let idle = [
            "start",
            "sleep",
            "--name",
            &victim,
            "--restart",
            "never",
            "--",
            "100000",
        ];
        drop(home.run(&idle).success());
        let (leaver_pid, victim_pid) = (home.known(&leaver), home.known(&victim));
        let daemon = home.role("pid");
        if round % 2 == 0 {
            // Frozen first, so that the old daemon cannot have heard of the exits.
            daemon.signal(Signal::SIGSTOP);
            ear.say("go");
            victim_pid.signal(Signal::SIGKILL);
            home.until_gone(leaver_pid);
            home.until_gone(victim_pid);
            daemon.signal(Signal::SIGKILL);
        } else {
            daemon.signal(Signal::SIGKILL);
            ear.say("go");
            victim_pid.signal(Signal::SIGKILL);
        }
        let over = |name: &str| {
            home.wait_for("an exit", |home| {
                home.find_row(name).filter(|row| row["pid"].is_null())
            })
        };
        let (left, killed) = (over(&leaver), over(&victim));
        assert_eq!(left["exit"]["code"], 7, "{left}");
        assert_eq!(left["exit"]["signal"], Value::Null, "{left}");
        assert_eq!(killed["exit"]["signal"], "SIGKILL", "{killed}");
        assert_eq!(killed["exit"]["code"], Value::Null, "{killed}");
        successor(&home, "pid", daemon);
    }
}

#[test]
fn a_stop_under_way_is_finished_by_the_next_daemon() {
    let home = Sandbox::new();
    let _never = home.fifo("never");
    let script = format!(
        "trap '' TERM; echo armed >armed; read word <'{}'",
        home.path("never").display()
    );
    let args = [
        "start",
        "sh",
        "--name",
        "stubborn",
        "--stop-timeout",
        "3s",
        "--",
        "-c",
        &script,
    ];
    drop(home.run(&args).success());
    home.until_file("armed", |text| text.ends_with('\n'));
    let child = home.known("stubborn");
    let begun = Instant::now();
    let stopping = home.spawn(&["stop", "stubborn"]);
    home.until_status("stubborn", "stopping");
    let first = home.murder("pid");
    let second = successor(&home, "pid", first);
    second.signal(Signal::SIGKILL);
    home.until_gone(second);
    drop(stopping.output().success());
    assert!(
        !child.is_alive(),
        "the command came back before the child was gone"
    );
    assert_eq!(home.status("stubborn"), "stopped");
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(2500),
        "its grace was cut short: {took:?}"
    );
    assert!(
        took < Duration::from_secs(15),
        "its grace began anew: {took:?}"
    );
}

#[test]
fn a_restart_under_way_is_finished_by_the_next_daemon() {
    let home = Sandbox::new();
    let script = "trap 'read word <let-go; exit 0' TERM; echo armed >armed; while :; do read word <never; done";
    let (mut let_go, _never) = (home.fifo("let-go"), home.fifo("never"));
    let root = home.root().to_str().expect("text").to_owned();
    let args = [
        "start",
        "sh",
        "--name",
        "slow",
        "--cwd",
        &root,
        "--stop-timeout",
        "30s",
        "--",
        "-c",
        script,
    ];
    drop(home.run(&args).success());
    home.until_file("armed", |text| text.ends_with('\n'));
    let (child, run) = (
        home.known("slow"),
        home.row("slow")["run"].as_u64().expect("a run number"),
    );
    let restarting = home.spawn(&["restart", "slow"]);
    home.wait_for("the old run is asked to end", |home| {
        (home.status("slow") != "running").then_some(())
    });
    let victim = home.murder("pid");
    let_go.say("now");
    drop(restarting.output().success());
    successor(&home, "pid", victim);
    let row = home.until_status("slow", "running");
    assert!(!child.is_alive());
    assert!(row["run"].as_u64() > Some(run), "{row}");
    assert_eq!(home.row("slow")["pid"], row["pid"], "it was started once");
    // The new run waits for the same word.
    let ending = home.spawn(&["delete", "slow"]);
    let_go.say("now");
    drop(ending.output().success());
}

/// Crashes until it is given up; how often did it run?
fn runs_until_given_up(home: &Sandbox, name: &str, mut each: impl FnMut(&Value)) -> (usize, Value) {
    let told = home.path(name);
    let script = format!("echo run >>'{}'; exit 3", told.display());
    let limits = [
        "--restart",
        "always",
        "--max-restarts",
        "4",
        "--restart-delay",
        "300ms",
    ];
    let mut args = vec!["start", "sh", "--name", name];
    args.extend(limits);
    args.extend(["--", "-c", &script]);
    // Whether a first run that ends at once is a success of the command is not the point here.
    drop(home.run(&args));
    let row = home.wait_for("given up", |home| {
        let row = home.row(name);
        if row["status"] == "backoff" {
            each(&row);
        }
        (row["status"] == "errored").then_some(row)
    });
    (home.read(name).lines().count(), row)
}

#[test]
fn backoff_and_the_count_of_restarts_go_on_where_they_were() {
    let home = Sandbox::new();
    let (undisturbed, reference) = runs_until_given_up(&home, "left-alone", |_| {});
    let mut kills = 0;
    let mut most = 0;
    let (disturbed, row) = runs_until_given_up(&home, "disturbed", |row| {
        let restarts = row["restarts"].as_u64().expect("a count");
        assert!(restarts >= most, "the count went back: {row}");
        most = restarts;
        let victim = home.murder("pid");
        successor(&home, "pid", victim);
        kills += 1;
    });
    assert!(kills > 0, "the daemon was never killed in a backoff");
    assert_eq!(
        disturbed, undisturbed,
        "as many attempts as without the {kills} kills"
    );
    assert_eq!(row["restarts"], reference["restarts"], "{row}");
    assert_eq!(row["exit"]["code"], 3, "{row}");
    let victim = home.murder("pid");
    successor(&home, "pid", victim);
    assert_eq!(
        home.status("disturbed"),
        "errored",
        "given up stays given up"
    );
    assert_eq!(home.row("disturbed")["restarts"], row["restarts"]);
}

#[test]
fn a_long_backoff_is_neither_cut_short_nor_begun_anew() {
    let home = Sandbox::new();
    let script = format!("echo run >>'{}'; exit 3", home.path("told").display());
    let args = [
        "start",
        "sh",
        "--name",
        "waiter",
        "--restart",
        "always",
        "--restart-delay",
        "6s",
        "--",
        "-c",
        &script,
    ];
    drop(home.run(&args));
    home.until_status("waiter", "backoff");
    let begun = Instant::now();
    for _ in 0..5 {
        let victim = home.murder("pid");
        successor(&home, "pid", victim);
        assert_eq!(
            home.read("told").lines().count(),
            1,
            "started before its time"
        );
        assert_eq!(home.status("waiter"), "backoff");
    }
    home.until_file("told", |text| text.lines().count() == 2);
    let took = begun.elapsed();
    // The delay has some jitter and the machine is busy; five fresh delays would be far more.
    assert!(took >= Duration::from_secs(2), "{took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn commands_in_flight_over_a_kill_succeed_and_are_done_once() {
    const EACH: u64 = 8;
    let mut dice = Dice::new();
    let home = Sandbox::new();
    let names = ["one", "two", "three", "four"];
    for name in names {
        start_idle(&home, name);
    }
    let run = |name: &str| home.row(name)["run"].as_u64().expect("a run number");
    let before = names.map(|name| (run(name), home.known(name)));
    std::thread::scope(|scope| {
        let restarts: Vec<_> = names
            .iter()
            .map(|name| {
                let home = &home;
                scope.spawn(move || {
                    for _ in 0..EACH {
                        drop(home.run(&["restart", name]).success());
                    }
                })
            })
            .collect();
        let mut kills = 0;
        while !restarts
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            // A moment later by as many answers as drawn: each is a round trip through the daemon.
            for _ in 0..dice.below(6) {
                drop(home.run(&["list", "--json"]).success());
            }
            let victim = home.murder("pid");
            successor(&home, "pid", victim);
            kills += 1;
        }
        assert!(kills > 0, "no kill fell among the commands");
    });
    for (name, (run_before, known)) in names.iter().zip(before) {
        assert_eq!(
            run(name),
            run_before + EACH,
            "{name} was restarted once for each command"
        );
        assert!(!known.is_alive());
        assert_eq!(home.status(name), "running");
    }
}

#[test]
fn starts_stops_and_deletes_over_kills_all_end_as_asked() {
    let home = Sandbox::new();
    drop(home.run(&["daemon", "start"]).success());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let home = &home;
                scope.spawn(move || {
                    for round in 0..4 {
                        let name = format!("w{worker}r{round}x");
                        start_idle(home, &name);
                        let child = home.known(&name);
                        drop(home.run(&["stop", &name]).success());
                        assert!(!child.is_alive(), "{name} was said to be stopped");
                        drop(home.run(&["start", &name]).success());
                        assert_eq!(home.status(&name), "running");
                        if round % 2 == 0 {
                            drop(home.run(&["delete", &name]).success());
                        }
                    }
                })
            })
            .collect();
        while !workers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            let victim = home.murder("pid");
            successor(&home, "pid", victim);
            drop(home.run(&["list"]).success());
        }
    });
    let rows = home.rows();
    assert_eq!(rows.len(), 8, "{rows:?}");
    assert!(
        rows.iter().all(|row| row["status"] == "running"),
        "{rows:?}"
    );
}

#[test]
fn a_follower_of_logs_goes_on_over_a_kill() {
    let home = Sandbox::new();
    let mut ear = home.fifo("ear");
    let script = format!("exec cat <>'{}'", home.path("ear").display());
    drop(
        home.run(&["start", "sh", "--name", "parrot", "--", "-c", &script])
            .success(),
    );
    let following = home.path("followed");
    let mut command = std::process::Command::new("sh");
    let follow = format!(
        "exec '{}' logs parrot -f >'{}'",
        crate::sandbox::ADASA,
        following.display()
    );
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
        .env("HOME", home.root())
        .env("ADASA_HOME", home.home())
        .args(["-c", &follow]);
    let follower = crate::sandbox::spawn(command);
    for number in 1..=5 {
        ear.say(&format!("word {number}"));
        home.until_file("followed", |text| {
            text.contains(&format!("word {number}\n"))
        });
        let victim = home.murder("pid");
        ear.say(&format!("between {number}"));
        successor(&home, "pid", victim);
    }
    let text = home.until_file("followed", |text| text.contains("between 5\n"));
    let expected: String = (1..=5)
        .map(|number| format!("word {number}\nbetween {number}\n"))
        .collect();
    assert_eq!(text, expected, "each line once, in order");
    follower.signal(Signal::SIGINT);
    drop(follower.output());
}
