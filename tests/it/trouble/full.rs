//! Full disks: the oldest that is kept goes before the newest that is written; what then has no room is dropped and
//! counted, or waits, as its process wants; nobody else is touched, and all goes on by itself when there is room.

use std::fs;
use std::path::{Path, PathBuf};

use crate::faults::start_idle;
use crate::faults::storage::prlimit;
use crate::sandbox::{Fifo, Sandbox};

use super::disks::Disk;
use super::{alarms, assert_prompt};

/// The file of events, below a sandbox.
const EVENTS: &str = "home/state/history/events.jsonl";

/// A process that writes numbered lines up to a number, then says in a file that it is through, and stays.
#[must_use]
fn flooder(home: &Sandbox, lines: u32, settings: &str) -> [Fifo; 2] {
    let script = format!(
        "read word <'{root}/go'; seq -f 'line %09.0f of a flood that fills up a small disk' 1 {lines}; \
         echo through >'{root}/through'; exec cat <>'{root}/ear'",
        root = home.root().display()
    );
    // Held open: what is said before the program listens is not lost.
    let ears = ["go", "ear"].map(|name| home.fifo(name));
    let config = format!(
        "[[processes]]\nname = \"flood\"\nscript = \"sh\"\nargs = [\"-c\", {script:?}]\nstop_timeout = \"300ms\"\n{settings}\n"
    );
    home.file("flood.toml", config);
    drop(home.run(&["start", "--config", "flood.toml"]).success());
    ears
}

fn tell(home: &Sandbox, ear: &str, word: &str) {
    let ear = fs::File::options()
        .read(true)
        .write(true)
        .open(home.path(ear));
    std::io::Write::write_all(&mut ear.expect("an ear"), word.as_bytes()).expect("told");
}

/// Archives of a log in their order, then the log.
fn files(log: &Path) -> Vec<PathBuf> {
    let name = log.file_name().expect("a name").to_str().expect("words");
    let mut archives: Vec<(u64, PathBuf)> = fs::read_dir(log.parent().expect("a folder"))
        .expect("a folder")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let rest = path
                .file_name()?
                .to_str()?
                .strip_prefix(name)?
                .strip_prefix('.')?;
            let base = rest.split_once('-')?.0.parse().ok()?;
            (!rest.ends_with(".idx")).then_some((base, path))
        })
        .collect();
    archives.sort();
    let mut files: Vec<PathBuf> = archives.into_iter().map(|(_, path)| path).collect();
    files.push(log.to_owned());
    files
}

#[test]
fn on_a_full_disk_the_oldest_archives_go_first_and_no_line_is_dropped_while_there_are_any() {
    for on_disk_full in ["drop", "block"] {
        let home = Sandbox::new();
        let Some(disk) = Disk::mount(&home, "disk", 8) else {
            return;
        };
        let log = disk.place().join("flood.log");
        let lines = 400_000;
        let _ears = flooder(
            &home,
            lines,
            &format!(
                "log_file = {log:?}\nlog_max_size = \"256KiB\"\nlog_archives = 1000\nlog_compress = false\non_disk_full = {on_disk_full:?}"
            ),
        );
        tell(&home, "go", "now\n");
        home.until_file("through", |text| text == "through\n");
        tell(&home, "ear", "the end\n");
        let text = home.wait_for("the end", |_| {
            // An archive may go, or the log become one, between the listing and the reading.
            let read = |path| fs::read_to_string(path).ok();
            let text: String = files(&log).iter().map(read).collect::<Option<_>>()?;
            text.ends_with("the end\n").then_some(text)
        });
        let (mut kept, mut expected) = (0, None);
        for line in text.lines().filter(|line| line.starts_with("line ")) {
            let number: u32 = line[5..14].parse().expect("a number");
            assert!(
                expected.is_none_or(|it| it == number),
                "{on_disk_full}: {expected:?} {line}"
            );
            expected = Some(number + 1);
            kept += 1;
        }
        assert_eq!(
            expected,
            Some(lines + 1),
            "{on_disk_full}: the newest are there"
        );
        assert!(
            kept < lines && kept > 50_000,
            "{on_disk_full}: {kept} lines are kept"
        );
        println!("{on_disk_full}: {kept} of {lines} lines fit");
        home.until_file(EVENTS, |text| text.contains("the disk is full: "));
        let events = home.read(EVENTS);
        assert!(!events.contains("cannot be written"), "{events}");
        assert_eq!(alarms(&home), [""; 0]);
        let shown = home.run(&["logs", "flood", "-n", "2"]).success();
        assert!(shown.stdout.contains("the end"), "{shown}");
    }
}

#[test]
fn a_flood_onto_a_full_disk_is_stopped_and_said_and_its_log_goes_on_when_there_is_room() {
    for on_disk_full in ["drop", "block"] {
        let home = Sandbox::new();
        let Some(disk) = Disk::mount(&home, "disk", 48) else {
            return;
        };
        start_idle(&home, "other");
        let log = disk.place().join("flood.log");
        let filler = disk.place().join("filler");
        fs::write(&filler, vec![1; 36 << 20]).expect("room for the filler");
        let _ears = flooder(
            &home,
            400_000,
            &format!(
                "log_file = {log:?}\nlog_max_size = \"1GiB\"\non_disk_full = {on_disk_full:?}"
            ),
        );
        tell(&home, "go", "now\n");
        let said = format!(
            "{} cannot be written: No space left on device",
            log.display()
        );
        home.wait_for("an alarm", |home| {
            alarms(home)
                .iter()
                .any(|alarm| alarm.starts_with(&said))
                .then_some(())
        });
        match on_disk_full {
            "drop" => drop(home.until_file("through", |text| text == "through\n")),
            _ => assert_eq!(home.read("through"), "", "it waits"),
        }
        assert_prompt(&home, "other");
        let flood = home.known("flood");
        let begun = std::time::Instant::now();
        drop(home.run(&["stop", "flood"]).success());
        assert!(!flood.is_alive() && begun.elapsed() < super::PROMPT);
        fs::remove_file(&filler).expect("removed");
        if on_disk_full == "drop" {
            // Nobody writes to it, and who empties it sees that there is room.
            drop(home.run(&["flush", "flood"]).success());
            home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
        }
        drop(fs::remove_file(home.path("through")));
        drop(home.run(&["start", "flood"]).success());
        tell(&home, "go", "now\n");
        home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
        let lost = home.until_file(EVENTS, |text| {
            text.contains(&format!("{} is written again; ", log.display()))
        });
        let nothing = lost.contains("is written again; nothing was lost");
        assert_eq!(nothing, on_disk_full == "block", "{lost}");
    }
}

/// One scribe writes both.
#[test]
fn who_waits_for_room_keeps_nobody_else_from_writing() {
    let home = Sandbox::new();
    let _ears = flooder(&home, 80_000, "on_disk_full = \"block\"");
    let script = format!("exec cat <>'{}'", home.path("other.ear").display());
    let _ear = home.fifo("other.ear");
    drop(
        home.run(&["start", "sh", "--name", "other", "--", "-c", &script])
            .success(),
    );
    let log = home.home().join("logs/default/flood/0.out.log");
    prlimit(home.role("scribe_pid").pid, "65536");
    tell(&home, "go", "now\n");
    let said = format!("{} cannot be written: File too large", log.display());
    home.wait_for("an alarm", |home| {
        alarms(home)
            .iter()
            .any(|alarm| alarm.starts_with(&said))
            .then_some(())
    });
    for round in 1..=5 {
        let line = format!("not delayed {round}\n");
        tell(&home, "other.ear", &line);
        home.until_file("home/logs/default/other/0.out.log", |text| {
            text.ends_with(&line)
        });
    }
    // More than any pipe holds.
    assert_eq!(home.read("through"), "", "it waits");
    let scribe = home.role("scribe_pid");
    prlimit(scribe.pid, "unlimited");
    home.until_file("through", |text| text == "through\n");
    tell(&home, "ear", "the end\n");
    let text = home.until_file(&log, |text| text.ends_with("the end\n"));
    assert_eq!(text.lines().count(), 80_001, "nothing is lost");
    assert!(scribe.is_alive());
    home.wait_for("no alarm", |home| alarms(home).is_empty().then_some(()));
}
