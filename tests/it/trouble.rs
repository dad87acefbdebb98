//! The machine in trouble: what can be done is done, what cannot is said, and nothing waits behind it.

mod clock;
mod crowd;
mod disks;
mod failing;
mod full;
mod held;
mod readonly;
mod scarce;
mod stalled;
mod unending;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// More than any command takes on a very busy machine; what waited for the trouble would wait longer.
const PROMPT: Duration = Duration::from_secs(15);

/// Commands on another process work, and do not wait for whatever is the trouble; how long the slowest took.
#[track_caller]
fn assert_prompt(home: &Sandbox, name: &str) -> Duration {
    let mut slowest = Duration::ZERO;
    for args in [
        &["list", "--json"][..],
        &["stop", name],
        &["start", name],
        &["restart", name],
        &["status", name],
    ] {
        let begun = Instant::now();
        drop(home.run(args).success());
        let took = begun.elapsed();
        assert!(took < PROMPT, "{args:?} took {took:?}");
        slowest = slowest.max(took);
    }
    slowest
}

/// Alarms of `daemon status`.
#[track_caller]
fn alarms(home: &Sandbox) -> Vec<String> {
    let status = home.daemon_status().expect("a daemon runs");
    let alarms = status["alarms"].as_array().expect("a list of alarms");
    let text = |alarm: &serde_json::Value| alarm.as_str().unwrap_or_default().to_owned();
    alarms.iter().map(text).collect()
}

/// Another limit for a process that runs.
#[track_caller]
fn prlimit(pid: i32, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), limit]);
    let status = command.status().expect("prlimit");
    assert!(status.success(), "prlimit {limit}");
}
