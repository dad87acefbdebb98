//! Many processes that crash at once.

use std::time::{Duration, Instant};

use crate::faults::start_idle;
use crate::sandbox::{Known, Sandbox, stat};

use super::assert_prompt;

/// How many crash; another number by `ADASA_CROWD`.
fn size() -> usize {
    let given = std::env::var("ADASA_CROWD").ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(1000)
}

/// Processor time that a process has had.
fn spent(known: Known) -> Duration {
    let ticks = |stat: &[String], n: usize| stat[n].parse::<u64>().unwrap_or(0);
    let stat = stat(known.pid).unwrap_or_else(|| panic!("{} is gone", known.pid));
    // Hundredths of a second, on every Linux there is.
    Duration::from_millis(10 * (ticks(&stat, 11) + ticks(&stat, 12)))
}

#[test]
fn a_crowd_that_crashes_at_once_delays_nobody_and_is_bounded_by_its_backoff() {
    let home = Sandbox::new();
    let crowd = size();
    start_idle(&home, "other");
    let gate = home.fifo("gate");
    let script = home.script(
        "member",
        &format!(
            "exec 3<'{}'\necho x >>'{}'\nread word <&3\nexit 3",
            home.path("gate").display(),
            home.path("runs").display(),
        ),
    );
    let count = crowd.to_string();
    let start = ["start", &script, "--name", "crowd", "--instances", &count];
    let flags = ["--restart-delay", "2s", "--max-restarts", "4"];
    drop(home.run(&[&start[..], &flags].concat()).success());
    home.until_file("runs", |text| text.lines().count() == crowd);
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|key| home.role(key));
    let cost = || roles.map(spent).into_iter().sum::<Duration>();
    let (before, begun) = (cost(), Instant::now());
    // Nobody holds the gate any more: each of them reads its end, and whoever comes after waits for it to open.
    drop(gate);
    let mut slowest = Duration::ZERO;
    let rows = home.wait_for("all have crashed", |home| {
        slowest = slowest.max(assert_prompt(home, "other"));
        let rows = home.rows();
        let crashed = rows.iter().filter(|row| row["exit"]["code"] == 3);
        (crashed.count() == crowd).then_some(rows)
    });
    let members = rows.iter().filter(|row| row["process"] == "crowd");
    let runs: u64 = members.filter_map(|row| row["run"].as_u64()).sum();
    let (took, cpu) = (begun.elapsed(), cost().saturating_sub(before));
    println!(
        "{crowd} crashes at once: {runs} runs and {cpu:?} of processor in {took:?}; slowest command on another {slowest:?}"
    );
    // A first run, and after two seconds less a tenth a second one, which waits at the gate.
    assert!(runs <= 2 * crowd as u64, "{runs} runs in {took:?}");
    drop(home.run(&["delete", "crowd"]).success());
}
