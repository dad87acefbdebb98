//! The wall clock is moved by an hour, forth and back, under a daemon that runs: what it waits for comes neither sooner
//! nor later. The clock of the roles alone is moved, by `libfaketime` in front of the C library, which the real binary
//! asks; monotonic time is left alone, as by a step of the real clock.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::child;
use crate::sandbox::{Running, Sandbox, spawn};

/// The library, wherever this system has it.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib");
    let places = folders.flatten().map(|entry| entry.path().join("faketime"));
    let found = places
        .map(|folder| folder.join("libfaketimeMT.so.1"))
        .find(|path| path.exists());
    found.expect("libfaketime is needed: package faketime")
}

fn daemon(home: &Sandbox) -> Running {
    let mut command = home.command();
    command
        .arg("daemon")
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", home.path("offset"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
    spawn(command)
}

#[test]
fn a_wall_clock_that_is_moved_by_an_hour_fires_and_freezes_nothing() {
    let home = Sandbox::new();
    home.file("offset", "+0");
    let running = daemon(&home);
    // A command before it has the lock would start another keeper, whose clock is not moved.
    home.wait_for("the daemon answers", Sandbox::daemon_status);
    let (mut soon, mut parrot) = (home.fifo("soon.fifo"), home.fifo("ear"));
    let echo = format!("exec cat <>'{}'", home.path("ear").display());
    drop(
        home.run(&["start", "sh", "--name", "parrot", "--", "-c", &echo])
            .success(),
    );
    let flags = ["--restart-delay", "3s", "--max-restarts", "100"];
    home.start("soon", &child::obeys(&home, "soon"), &flags);
    let deaf = child::ignores_term(&home, "deaf");
    home.start("deaf", &deaf, &["--stop-timeout", "3s"]);
    let known = home.until_pid("deaf.ready");
    // What the daemon takes for the time, against the time: seconds.
    let moved = |name: &str| {
        let real = SystemTime::now().duration_since(UNIX_EPOCH);
        let real = i64::try_from(real.expect("after 1970").as_secs()).expect("a time");
        home.row(name)["since_ms"].as_i64().expect("a time") / 1000 - real
    };
    let mut words = String::new();
    for (runs, offset) in (2..).zip(["+3600", "+0", "-3600"]) {
        home.file("offset", offset);
        let began = Instant::now();
        soon.say("1");
        home.until_status("soon", "backoff");
        let (moved, wanted) = (moved("soon"), offset.parse::<i64>().expect("seconds"));
        assert!((moved - wanted).abs() < 60, "{offset}: moved by {moved} s");
        let uptime = home.row("parrot")["uptime"].as_f64().unwrap_or(0.0);
        assert!(
            (0.0..600.0).contains(&uptime),
            "{offset}: up for {uptime} s"
        );
        parrot.say(offset);
        words.push_str(offset);
        words.push('\n');
        home.until_file("soon.runs", |text| text.lines().count() == runs);
        let took = began.elapsed();
        // Less a tenth of jitter; a failure more doubles it; the machine is busy.
        assert!(
            took > Duration::from_millis(2600),
            "{offset}: after {took:?}"
        );
        assert!(took < Duration::from_secs(25), "{offset}: after {took:?}");
    }
    home.file("offset", "+3600");
    let began = Instant::now();
    let stop = home.spawn(&["stop", "deaf"]);
    home.until_status("deaf", "stopping");
    home.file("offset", "-3600");
    drop(stop.output().success());
    let took = began.elapsed();
    assert!(!known.is_alive());
    assert!(took > Duration::from_millis(2600), "its grace: {took:?}");
    assert!(took < Duration::from_secs(25), "its grace: {took:?}");
    home.until_file("home/logs/default/parrot/0.out.log", |text| text == words);
    drop(home.run(&["logs", "parrot"]).success().stdout(&words));
    drop(home.run(&["daemon", "stop"]).success());
    drop(running.output().success());
}
