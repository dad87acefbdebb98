//! A file system that does not answer holds the programs that use it, and nobody else: not their end, not the logs of
//! others, not a command.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::child;
use crate::faults::{start_idle, successor};
use crate::sandbox::{Fifo, Sandbox};

use super::disks::{Disk, Hanging};
use super::failing::Failing;
use super::{alarms, assert_prompt};

/// A program that writes a line whenever it is told to, into a log of its own choice.
#[must_use]
fn talker(home: &Sandbox, name: &str, setting: &str) -> Fifo {
    // Held open: what is said before the program listens is not lost.
    let ear = home.fifo(&format!("{name}.ear"));
    let script = home.script(
        name,
        &format!(
            "exec cat <>'{}'",
            home.path(&format!("{name}.ear")).display()
        ),
    );
    let config = format!(
        "[[processes]]\nname = {name:?}\nscript = {script:?}\nstop_timeout = \"300ms\"\n{setting}\n"
    );
    home.file(&format!("{name}.toml"), config);
    let file = format!("{name}.toml");
    drop(home.run(&["start", "--config", &file]).success());
    ear
}

fn say(home: &Sandbox, name: &str, text: &str) {
    let ear = home.path(&format!("{name}.ear"));
    let mut ear = std::fs::File::options()
        .read(true)
        .write(true)
        .open(ear)
        .expect("an ear");
    std::io::Write::write_all(&mut ear, text.as_bytes()).expect("said");
}

/// An alarm that names this place.
#[track_caller]
fn until_alarm(home: &Sandbox, place: &Path) -> String {
    let place = place.to_str().expect("words");
    home.wait_for(&format!("an alarm that names {place}"), |home| {
        alarms(home).into_iter().find(|alarm| alarm.contains(place))
    })
}

/// Lines of another program arrive.
#[track_caller]
fn assert_written(home: &Sandbox, name: &str, round: u32) {
    let line = format!("not delayed {round}\n");
    say(home, name, &line);
    let log = home.home().join(format!("logs/default/{name}/0.out.log"));
    home.until_file(log, |text| text.ends_with(&line));
}

fn scribes(home: &Sandbox) -> Vec<Value> {
    let status = home.daemon_status().expect("a daemon");
    status["scribes"].as_array().expect("scribes").clone()
}

#[test]
fn a_frozen_disk_holds_the_programs_that_log_there_and_no_others() {
    let home = Sandbox::new();
    let Some(mut disk) = Disk::mount(&home, "disk", 16) else {
        return;
    };
    start_idle(&home, "other");
    let _ear = talker(&home, "near", "");
    let _ear = talker(
        &home,
        "sister",
        &format!("log_file = {:?}", home.path("sister.log")),
    );
    let log = disk.place().join("far.log");
    let _ear = talker(&home, "far", &format!("log_file = {log:?}"));
    say(&home, "far", "before\n");
    home.until_file(&log, |text| text == "before\n");
    disk.freeze();
    // More than its pipe, the stage and the disk's own cache would take: it has to wait.
    let flood = "x".repeat(1023) + "\n";
    let ear = home.path("far.ear");
    let flooder = std::thread::spawn(move || {
        let mut ear = std::fs::File::options()
            .read(true)
            .write(true)
            .open(ear)
            .expect("an ear");
        for _ in 0..64 {
            std::io::Write::write_all(&mut ear, flood.as_bytes()).expect("said");
        }
    });
    let alarm = until_alarm(&home, disk.place());
    for part in ["far", "ext4", "does not answer"] {
        assert!(alarm.contains(part), "{part}: {alarm}");
    }
    assert!(
        !alarm.contains("sister") && !alarm.contains("near"),
        "{alarm}"
    );
    let held: Vec<Value> = (scribes(&home).into_iter())
        .filter(|scribe| scribe["held"] == true)
        .collect();
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0]["folder"], disk.place().to_str().expect("words"));
    for round in 1..=5 {
        assert_written(&home, "near", round);
    }
    say(&home, "sister", "sister\n");
    home.until_file("sister.log", |text| text == "sister\n");
    assert_prompt(&home, "other");
    drop(home.run(&["logs", "near"]).success());
    // The next daemon is told of it.
    let victim = home.murder("pid");
    successor(&home, "pid", victim);
    until_alarm(&home, disk.place());
    // It is stopped within its grace: what holds its log does not hold its end.
    let far = home.known("far");
    let begun = Instant::now();
    drop(home.run(&["stop", "far"]).success());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(!far.is_alive());
    disk.thaw();
    flooder.join().expect("a flooder");
    home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
    // All that reached its pipe is written.
    home.until_file(&log, |text| text.starts_with("before\nxxx"));
    drop(home.run(&["start", "far"]).success());
    say(&home, "far", "\nafter\n");
    home.until_file(&log, |text| text.ends_with("\nafter\n"));
}

#[test]
fn a_scribe_that_was_killed_on_a_frozen_disk_is_followed_when_it_is_dead_and_no_line_is_lost() {
    let home = Sandbox::new();
    let Some(mut disk) = Disk::mount(&home, "disk", 16) else {
        return;
    };
    let _ear = talker(&home, "near", "");
    let log = disk.place().join("far.log");
    let _ear = talker(&home, "far", &format!("log_file = {log:?}"));
    say(&home, "far", "before\n");
    home.until_file(&log, |text| text == "before\n");
    disk.freeze();
    say(&home, "far", "while it was frozen\n");
    until_alarm(&home, disk.place());
    let mut all = scribes(&home).into_iter();
    let held = all.find(|it| it["held"] == true).expect("one is held");
    let pid = i32::try_from(held["pid"].as_i64().expect("a pid")).expect("a pid");
    let scribe = crate::sandbox::Known::of(pid).expect("it lives");
    scribe.signal(Signal::SIGKILL);
    let keeper = home.role("keeper_pid");
    assert_written(&home, "near", 1);
    assert!(scribe.is_alive(), "nothing ends what waits for this disk");
    // Nor is the keeper's death in the way of the others, and its heir waits for the same death.
    keeper.signal(Signal::SIGKILL);
    successor(&home, "keeper_pid", keeper);
    assert_written(&home, "near", 2);
    assert!(scribe.is_alive());
    assert_eq!(std::fs::read_to_string(&log).expect("the log"), "before\n");
    disk.thaw();
    home.until_gone(scribe);
    home.until_file(&log, |text| text == "before\nwhile it was frozen\n");
    say(&home, "far", "after\n");
    home.until_file(&log, |text| text.ends_with("frozen\nafter\n"));
    home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
}

#[test]
fn a_working_folder_that_hangs_holds_its_own_process_until_it_is_killed_and_no_other() {
    let home = Sandbox::new();
    let Some(mut hanging) = Hanging::mount(&home, "hanging") else {
        return;
    };
    start_idle(&home, "other");
    let script = child::stays(&home);
    let config = format!(
        "[[processes]]\nname = \"far\"\nscript = {script:?}\ncwd = {:?}\nstop_timeout = \"300ms\"\n",
        hanging.place()
    );
    home.file("far.toml", config);
    drop(home.run(&["start", "--config", "far.toml"]).success());
    drop(home.run(&["stop", "far"]).success());
    hanging.hang();
    let start = home.spawn(&["start", "far"]);
    let far = home.wait_for("a child that hangs", |home| {
        let row = home.find_row("far")?;
        let pid = row["pid"].as_i64()?;
        (row["status"] == "starting").then_some(())?;
        crate::sandbox::Known::of(i32::try_from(pid).ok()?)
    });
    assert_prompt(&home, "other");
    let begun = Instant::now();
    drop(home.run(&["stop", "far"]).success());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(!far.is_alive());
    assert_eq!(home.status("far"), "stopped");
    let _ = start.output();
}

#[test]
fn a_log_on_a_file_system_that_hangs_holds_no_other_and_its_process_can_be_stopped() {
    let home = Sandbox::new();
    let Some(mut hanging) = Hanging::mount(&home, "hanging") else {
        return;
    };
    start_idle(&home, "other");
    let _ear = talker(&home, "near", "");
    let log = hanging.place().join("far.log");
    let _ear = talker(&home, "far", &format!("log_file = {log:?}"));
    hanging.hang();
    say(&home, "far", "lost in a dead network\n");
    let alarm = until_alarm(&home, hanging.place());
    assert!(
        alarm.contains("fuse.hanging") && alarm.contains("far"),
        "{alarm}"
    );
    for round in 1..=3 {
        assert_written(&home, "near", round);
    }
    assert_prompt(&home, "other");
    // Whoever reads it waits, and however many they are, others are read.
    let waiting: Vec<_> = (0..20).map(|_| home.spawn(&["logs", "far"])).collect();
    let begun = Instant::now();
    let shown = home.run(&["logs", "near"]).success();
    assert!(shown.stdout.contains("not delayed 3\n"), "{shown}");
    drop(home.run(&["why", "near"]).success());
    // What is known without the log is told without it.
    drop(home.run(&["why", "far"]).success());
    assert!(begun.elapsed() < super::PROMPT, "{:?}", begun.elapsed());
    for reader in &waiting {
        reader.signal(Signal::SIGKILL);
    }
    drop(waiting);
    let far = home.known("far");
    drop(home.run(&["restart", "far"]).success());
    assert!(!far.is_alive());
    let far = home.known("far");
    let begun = Instant::now();
    drop(home.run(&["delete", "far"]).success());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(!far.is_alive());
    // And so can all the rest.
    let begun = Instant::now();
    drop(home.run(&["daemon", "stop"]).success());
    println!("daemon stop beside a dead mount took {:?}", begun.elapsed());
}

#[test]
fn a_write_error_of_any_kind_is_said_costs_one_log_alone_and_is_over_by_itself() {
    for on_disk_full in ["drop", "block"] {
        for errno in [Errno::EIO, Errno::EDQUOT, Errno::EFBIG, Errno::EROFS] {
            let what = format!("{errno:?}, {on_disk_full}");
            let home = Sandbox::new();
            let Some(disk) = Failing::mount(&home, "failing") else {
                return;
            };
            let (bad, good) = (disk.bad(), disk.place().join("good.log"));
            let setting = |log: &Path| {
                let log = format!("log_file = {log:?}");
                format!("{log}\non_disk_full = {on_disk_full:?}")
            };
            let _ears = [
                talker(&home, "bad", &setting(&bad)),
                talker(&home, "good", &setting(&good)),
            ];
            let text = |log: &Path| fs::read_to_string(log).unwrap_or_default();
            let until = |log: &Path, expected: &str| {
                let name = log.display();
                home.wait_for(&format!("{what}: {expected:?} in {name}"), |_| {
                    (text(log) == expected).then_some(())
                });
            };
            say(&home, "bad", "before\n");
            until(&bad, "before\n");
            disk.fail(errno);
            say(&home, "bad", "while it failed\n");
            let alarm = until_alarm(&home, &bad);
            let words = std::io::Error::from(errno).to_string();
            let words = words.split(" (").next().expect("words");
            assert!(alarm.contains(words), "{what}: {alarm}");
            // Another log of the same folder is written, also over the death of who writes it.
            say(&home, "good", "one\n");
            until(&good, "one\n");
            let victims = scribes(&home);
            for scribe in &victims {
                let pid = i32::try_from(scribe["pid"].as_i64().expect("a pid")).expect("a pid");
                let known = crate::sandbox::Known::of(pid).expect("it lives");
                known.signal(Signal::SIGKILL);
                home.until_gone(known);
            }
            say(&home, "good", "two\n");
            until(&good, "one\ntwo\n");
            disk.mend();
            say(&home, "bad", "after\n");
            let kept = match on_disk_full {
                "drop" => "before\nafter\n",
                _ => "before\nwhile it failed\nafter\n",
            };
            until(&bad, kept);
            home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
            drop(home.run(&["stop", "all"]).success());
            assert_eq!(text(&bad), kept, "{what}");
            // What is not there is said where it would have been, by whoever reads.
            let shown = home.run(&["logs", "bad"]).success();
            let said = "bad (out): 16 bytes were let go here: the disk did not take them";
            assert_eq!(
                shown.stderr.contains(said),
                on_disk_full == "drop",
                "{what}: {shown}"
            );
            let rows = home.run(&["logs", "bad", "--json"]).success();
            let last = rows.stdout.lines().last().expect("a line");
            let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
            let dropped = (on_disk_full == "drop").then_some(16);
            assert_eq!(last["dropped"].as_u64(), dropped, "{what}: {last}");
        }
    }
}
