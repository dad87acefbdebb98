//! `kill -9` of the daemon, the scribe, and both, while everything writes.

use std::time::Instant;

use nix::sys::signal::Signal;

use crate::faults::writers::Writers;
use crate::faults::{Dice, start_idle, successor};
use crate::sandbox::{Known, LIMIT, Sandbox};

const KILLS: u32 = 20;

/// A child that is killed is started again by the daemon of now.
#[track_caller]
fn assert_supervised(home: &Sandbox, name: &str) {
    let (old, restarts) = (home.known(name), home.row(name)["restarts"].as_u64());
    old.signal(Signal::SIGKILL);
    home.until_gone(old);
    let row = home.wait_for("the killed child runs again", |home| {
        home.find_row(name).filter(|row| {
            row["status"] == "running"
                && row["pid"]
                    .as_i64()
                    .is_some_and(|pid| pid != i64::from(old.pid))
        })
    });
    assert_eq!(
        row["restarts"].as_u64(),
        restarts.map(|count| count + 1),
        "{row}"
    );
}

/// Kills these roles at drawn moments, each time waiting for their successors.
fn kill_while_ten_write(roles: &[&str]) {
    let mut dice = Dice::new();
    let home = Sandbox::new();
    start_idle(&home, "bystander");
    let writers = Writers::start(&home, 10);
    let keeper = home.role("keeper_pid");
    for round in 0..KILLS {
        writers.moment(&home, &mut dice);
        let victims: Vec<Known> = roles.iter().map(|role| home.role(role)).collect();
        writers.moment(&home, &mut dice);
        for victim in &victims {
            victim.signal(Signal::SIGKILL);
        }
        for (role, victim) in roles.iter().zip(victims) {
            home.until_gone(victim);
            successor(&home, role, victim);
        }
        if round % 7 == 3 {
            let name = &writers.names()[(round as usize) % writers.names().len()];
            drop(home.run(&["logs", name, "--rotate"]).success());
        }
    }
    writers.assert_same_pids(&home);
    assert_eq!(home.role("keeper_pid"), keeper, "the keeper is the same");
    writers.assert_every_line_once(&home);
    assert_supervised(&home, "bystander");
    for name in writers.names() {
        assert_eq!(home.row(name)["restarts"], 0, "{name} was never restarted");
    }
}

#[test]
fn killing_the_daemon_loses_no_line_and_no_process() {
    kill_while_ten_write(&["pid"]);
}

#[test]
fn killing_the_scribe_loses_no_line_and_no_process() {
    kill_while_ten_write(&["scribe_pid"]);
}

#[test]
fn killing_daemon_and_scribe_at_once_loses_no_line_and_no_process() {
    kill_while_ten_write(&["pid", "scribe_pid"]);
}

#[test]
fn a_daemon_killed_again_before_it_has_taken_over_is_followed_by_another() {
    let mut dice = Dice::new();
    let home = Sandbox::new();
    let writers = Writers::start(&home, 2);
    let (keeper, scribe) = (home.role("keeper_pid"), home.role("scribe_pid"));
    writers.moment(&home, &mut dice);
    let mut victim = home.role("pid");
    for _ in 0..5 {
        victim.signal(Signal::SIGKILL);
        home.until_gone(victim);
        // The next one dies on sight: it has hardly begun.
        let deadline = Instant::now() + LIMIT;
        victim = loop {
            let next = home
                .adasas()
                .into_iter()
                .find(|known| ![keeper, scribe].contains(known));
            if let Some(next) = next {
                break next;
            }
            assert!(Instant::now() < deadline, "no daemon follows");
            std::thread::yield_now();
        };
    }
    victim.signal(Signal::SIGKILL);
    let last = successor(&home, "pid", victim);
    assert!(last.is_alive());
    assert_eq!(home.role("keeper_pid"), keeper);
    writers.assert_same_pids(&home);
    writers.assert_every_line_once(&home);
}

#[test]
fn a_daemon_killed_while_it_starts_many_starts_each_exactly_once() {
    let mut dice = Dice::new();
    let home = Sandbox::new();
    let script = home.script(
        "tell",
        &format!(
            "echo $$ >> '{}'\nexec sleep 100000",
            home.path("told").display()
        ),
    );
    drop(home.run(&["daemon", "start"]).success());
    for round in 0..5 {
        let name = format!("many{round}");
        let starting = home.spawn(&["start", &script, "--name", &name, "--instances", "20"]);
        let wanted = usize::try_from(20 * round + dice.below(20)).expect("a number");
        home.until_file("told", |text| text.lines().count() >= wanted);
        let victim = home.murder("pid");
        drop(starting.output().success());
        successor(&home, "pid", victim);
    }
    home.wait_for("a hundred running", |home| {
        (home
            .rows()
            .iter()
            .filter(|row| row["status"] == "running")
            .count()
            == 100)
            .then_some(())
    });
    let mut told: Vec<i32> = home
        .read("told")
        .lines()
        .map(|line| line.parse().expect("a pid"))
        .collect();
    let mut listed: Vec<i32> = home
        .rows()
        .iter()
        .map(|row| i32::try_from(row["pid"].as_i64().expect("a pid")).expect("a pid"))
        .collect();
    told.sort_unstable();
    listed.sort_unstable();
    assert_eq!(told, listed, "every instance was started once");
}
