//! The disk of the state folder and of the logs stalls: what is known is still started, stopped and followed by a next
//! daemon, and is said not to be recorded until it is.

use std::time::Instant;

use crate::faults::{start_idle, successor};
use crate::sandbox::Sandbox;

use super::disks::Disk;
use super::{PROMPT, assert_prompt};

#[test]
fn on_a_frozen_disk_what_is_known_is_commanded_and_recorded_when_it_thaws() {
    let home = Sandbox::new();
    // ADASA_HOME itself lies there.
    let Some(mut disk) = Disk::mount(&home, "home", 64) else {
        return;
    };
    start_idle(&home, "other");
    start_idle(&home, "api");
    start_idle(&home, "gone");
    // What was recorded so far is on the disk.
    drop(home.run(&["restart", "api", "--durable"]).success());
    disk.freeze();
    let slowest = assert_prompt(&home, "other");
    println!("slowest command on a frozen disk: {slowest:?}");
    let begun = Instant::now();
    let stopped = home.run(&["stop", "api", "--json"]).success().json();
    let text = stopped.to_string();
    assert!(text.contains(r#""recorded":"pending""#), "{text}");
    let deleted = home.run(&["delete", "gone", "--json"]).success().json();
    let text = deleted.to_string();
    assert!(text.contains(r#""recorded":"pending""#), "{text}");
    assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
    assert_eq!(home.status("api"), "stopped");
    home.wait_for("an alarm", |home| {
        let mut alarms = super::alarms(home).into_iter();
        alarms.find(|alarm| alarm.contains("state does not answer"))
    });
    // The next daemon knows from the table what the disk does not.
    let victim = home.role("pid");
    // A thread of it waits in the kernel: it is dead when the disk is back, and nobody waits for that.
    victim.signal(nix::sys::signal::Signal::SIGKILL);
    successor(&home, "pid", victim);
    assert_prompt(&home, "other");
    assert_eq!(home.status("api"), "stopped");
    assert!(home.find_row("gone").is_none());
    disk.thaw();
    drop(home.run(&["stop", "other", "--durable"]).success());
    drop(home.run(&["daemon", "stop"]).success());
    drop(home.run(&["daemon", "start"]).success());
    assert_eq!(home.status("api"), "stopped");
    assert_eq!(home.status("other"), "stopped");
    assert!(home.find_row("gone").is_none());
}
