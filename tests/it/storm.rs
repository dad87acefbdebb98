//! Promises 1 to 3 by force: a hundred processes, ten of which write all the time; clients that start, stop, restart,
//! delete, reload, rotate and crash what they like; and each of the roles, or all, killed among it, at drawn moments. What is true is
//! what the programs themselves told. `ADASA_STORM=200` makes it long, `ADASA_TEST_SEED` plays one again.

pub(crate) mod clients;
pub(crate) mod kills;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::faults::Dice;
use crate::oracle::Oracle;
use crate::sandbox::{Known, Sandbox};

use clients::Client;
use kills::{Gaps, Kills};

/// Those that write a line every ten milliseconds and are never asked to do anything else.
const WRITERS: usize = 10;
/// Those that just live.
const STEADY: usize = 60;
/// How many clients there are, each with its own ten processes.
const CLIENTS: usize = 3;
/// How many kills, unless the environment says so.
const KILLS: u64 = 20;

fn definition(oracle: &Oracle<'_>, name: &str, pause: &str) -> String {
    format!(
        "[[processes]]\nname = \"{name}\"\nscript = {:?}\nargs = [\"{pause}\"]\nrestart_delay = \"0s\"\n\
         max_restarts = 1000000\nlog_archives = 10000\n\n",
        oracle.program
    )
}

#[test]
fn a_storm_of_commands_and_kills_costs_no_process_no_line_and_no_exit() {
    let kills = std::env::var("ADASA_STORM").ok();
    let kills = kills.and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut dice = Dice::new();
    let home = Sandbox::new();
    let oracle = Oracle::new(&home);
    let names = |kind: &str, count| (0..count).map(|n| format!("{kind}{n}x")).collect();
    let (writers, steady): (Vec<String>, Vec<String>) =
        (names("writer", WRITERS), names("steady", STEADY));
    let mut file = String::new();
    for (all, pause) in [(&writers, "0.01"), (&steady, "1000")] {
        file.extend(all.iter().map(|name| definition(&oracle, name, pause)));
    }
    home.file("calm.toml", file);
    drop(home.run(&["start", "--config", "calm.toml"]).success());
    let gaps = Gaps::default();
    let mut clients: Vec<Client<'_>> = (0..CLIENTS)
        .map(|n| Client::new((&home, &oracle, &gaps), n, dice.below(u64::MAX)))
        .collect();
    let calm: Vec<(&String, Known)> = writers
        .iter()
        .chain(&steady)
        .map(|name| (name, Known::of(oracle.until_runs(name, 1).pid)))
        .map(|(name, known)| (name, known.unwrap_or_else(|| panic!("{name} is dead"))))
        .collect();

    let (over, commands) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut killing = Kills::new(&home, &gaps, Some(&writers));
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    client.act();
                    commands.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Whatever goes wrong here, the clients come to an end.
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for n in 0..kills {
                killing.one(n, &mut dice);
                for (name, known) in &calm {
                    assert!(known.is_alive(), "kill {n} reached {name}");
                }
            }
        }));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = killed {
            std::panic::resume_unwind(panic);
        }
    });
    killing.report(commands.into_inner());

    for (name, known) in &calm {
        assert_eq!(oracle.assert_up(name), *known, "{name} was started again");
        assert_eq!(oracle.told(name).len(), 1, "{name} ran more than once");
    }
    for client in &clients {
        client.assert_as_left();
    }
    drop(home.run(&["stop", "all"]).success());
    for name in &writers {
        oracle.assert_gone(name);
        oracle.assert_every_line_once(name, &BTreeSet::new());
    }
    for client in &clients {
        client.assert_every_line_once();
    }
}

#[test]
fn fifty_commands_in_flight_over_twenty_kills_all_succeed_and_are_done_once() {
    const FLYING: usize = 50;
    let mut dice = Dice::new();
    let home = Sandbox::new();
    drop(home.fifo("never"));
    let at = |name: &str| home.path(name).display().to_string();
    let held = home.file_mode(
        "held",
        format!(
            "#!/bin/bash\nexec 8<>'{}'\n\
             trap 'until [ -e {} ]; do read -r -t 0.05 -u 8; done; exit 0' TERM\n\
             echo $ADASA_ID >>'{}'\nwhile :; do read -r -t 1000 -u 8; done\n",
            at("never"),
            at("let-go"),
            at("runs")
        ),
        0o755,
    );
    let held = held.to_str().expect("text");
    let count = FLYING.to_string();
    let start = ["start", held, "--name", "held", "--instances", &count];
    drop(
        home.run(&[&start[..], &["--stop-timeout", "60s"]].concat())
            .success(),
    );
    home.until_file("runs", |text| text.lines().count() == FLYING);
    let restart = |n| home.spawn(&["restart", &format!("held-{n}")]);
    let flying: Vec<_> = (0..FLYING).map(restart).collect();
    home.wait_for("all are being restarted", |home| {
        let rows = home.rows();
        let asked = rows.iter().filter(|row| row["status"] != "running");
        (asked.count() == FLYING).then_some(())
    });
    let gaps = Gaps::default();
    let mut killing = Kills::new(&home, &gaps, None);
    for n in 0..20 {
        killing.one(n, &mut dice);
    }
    assert_eq!(
        home.read("runs").lines().count(),
        FLYING,
        "none began early"
    );
    home.file("let-go", "");
    for command in flying {
        drop(command.output().stderr("").success());
    }
    killing.report(FLYING as u64);
    let runs = home.until_file("runs", |text| text.lines().count() >= 2 * FLYING);
    let mut runs: Vec<&str> = runs.lines().collect();
    runs.sort_unstable();
    let twice = runs.chunk_by(|a, b| a == b).all(|chunk| chunk.len() == 2);
    assert!(twice, "each was started twice in all: {runs:?}");
}
