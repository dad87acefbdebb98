//! The place that logs are written to goes away, or is full: the program notices nothing, and the lines come back.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::faults::writers::live;
use crate::sandbox::{Fifo, Sandbox};

/// The file of events, below a sandbox.
const EVENTS: &str = "home/state/history/events.jsonl";

/// A process that repeats what it is told.
fn parrot(home: &Sandbox, name: &str) -> Fifo {
    let ear = home.fifo(name);
    let script = format!("exec cat <>'{}'", home.path(name).display());
    drop(
        home.run(&["start", "sh", "--name", name, "--", "-c", &script])
            .success(),
    );
    ear
}

#[test]
fn a_log_folder_deleted_underneath_is_made_again_at_the_next_line() {
    let home = Sandbox::new();
    let mut ear = parrot(&home, "parrot");
    let path = live(&home, "parrot", "out");
    for round in 1..=3 {
        ear.say(&format!("before {round}"));
        home.until_file(&path, |text| text.contains(&format!("before {round}\n")));
        fs::remove_dir_all(path.parent().expect("its folder")).expect("removed");
        ear.say(&format!("after {round}"));
        let text = home.until_file(&path, |text| text.contains(&format!("after {round}\n")));
        assert!(!text.contains("before"), "a new file begins new: {text:?}");
        let shown = home.run(&["logs", "parrot"]).success();
        assert!(
            shown.stdout.contains(&format!("after {round}\n")),
            "{shown}"
        );
    }
    assert_eq!(home.row("parrot")["restarts"], 0);
}

#[test]
fn a_log_file_deleted_underneath_is_made_again_at_the_next_line() {
    let home = Sandbox::new();
    let mut ear = parrot(&home, "parrot");
    let path = live(&home, "parrot", "out");
    ear.say("before");
    home.until_file(&path, |text| text == "before\n");
    fs::remove_file(&path).expect("removed");
    ear.say("after");
    home.until_file(&path, |text| text == "after\n");
    let said = format!("{} was deleted or moved from outside", path.display());
    home.until_file(EVENTS, |text| text.matches(&said).count() == 1);
}

#[test]
fn a_log_file_cut_from_outside_goes_on_at_its_end() {
    let home = Sandbox::new();
    let mut ear = parrot(&home, "parrot");
    let path = live(&home, "parrot", "out");
    ear.say("a line that is long enough to leave a hole");
    home.until_file(&path, |text| text.ends_with("hole\n"));
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .expect("cut");
    ear.say("after");
    home.until_file(&path, |text| text == "after\n");
    let said = format!("{} was cut from outside by 43 bytes", path.display());
    home.until_file(EVENTS, |text| text.matches(&said).count() == 1);
    assert!(
        home.run(&["logs", "parrot"])
            .success()
            .stdout
            .contains("after")
    );
}

#[test]
fn an_index_that_is_damaged_or_gone_costs_no_line() {
    let home = Sandbox::new();
    let mut ear = parrot(&home, "parrot");
    let path = live(&home, "parrot", "out");
    for number in 1..=20 {
        ear.say(&format!("line {number}"));
        home.until_file(&path, |text| text.contains(&format!("line {number}\n")));
    }
    let index = path.with_extension("log.idx");
    let whole = fs::read(&index).expect("the index");
    let expected: String = (1..=20).map(|number| format!("line {number}\n")).collect();
    for damaged in [
        Vec::new(),
        whole[..whole.len() / 2 + 1].to_vec(),
        vec![0xff; whole.len()],
        vec![0; 3],
    ] {
        fs::write(&index, damaged).expect("damaged");
        drop(home.run(&["logs", "parrot"]).success().stdout(&expected));
    }
    fs::remove_file(&index).expect("removed");
    drop(home.run(&["logs", "parrot"]).success().stdout(&expected));
}

/// What writes a megabyte at once when told to go, says in a file that it could, and then repeats what it is told.
fn megabyte_script(home: &Sandbox) -> String {
    format!(
        "read word <'{root}/go'; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo could >'{root}/done'; \
         exec cat <>'{root}/ear'",
        root = home.root().display()
    )
}

pub(crate) fn prlimit(pid: i32, size: &str) {
    let limit = format!("--fsize={size}:unlimited");
    let status = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &limit])
        .status()
        .expect("prlimit");
    assert!(status.success(), "prlimit {limit}");
}

#[test]
fn a_limit_on_files_blocks_nobody_and_lines_come_back_when_it_is_lifted() {
    let home = Sandbox::new();
    let (mut go, mut ear) = (home.fifo("go"), home.fifo("ear"));
    let script = megabyte_script(&home);
    drop(
        home.run(&["start", "sh", "--name", "large", "--", "-c", &script])
            .success(),
    );
    let mut other = parrot(&home, "small");
    let child = home.known("large");
    let scribe = home.role("scribe_pid");
    prlimit(scribe.pid, "65536");
    go.say("now");
    home.until_file("done", |text| text.ends_with('\n'));
    let path = live(&home, "large", "out");
    assert!(fs::metadata(&path).expect("the log").len() <= 65536);
    for number in 1..=5 {
        other.say(&format!("not delayed {number}"));
        home.until_file(live(&home, "small", "out"), |text| {
            text.contains(&format!("not delayed {number}\n"))
        });
    }
    let said = format!("{} cannot be written: ", path.display());
    let alarm = home.wait_for("one alarm", |home| one_alarm(home, &said));
    assert!(alarm.contains("large"), "{alarm}");
    home.murder("pid");
    home.wait_for("the alarm again", |home| one_alarm(home, &said));
    prlimit(scribe.pid, "unlimited");
    // A word may still fall into the last look at a full disk: it is said until it arrives.
    home.wait_for("lines again", |_| {
        ear.say("there again");
        drop(home.run(&["list"]).success());
        fs::read_to_string(&path)
            .is_ok_and(|text| text.contains("there again\n"))
            .then_some(())
    });
    assert!(child.is_alive(), "the program went on all the time");
    assert!(
        scribe.is_alive(),
        "the scribe took the signal for a large file"
    );
    assert_eq!(home.row("large")["restarts"], 0);
    home.wait_for("no alarm", no_alarm);
    home.until_file(EVENTS, |text| {
        text.contains(&format!("{} is written again; ", path.display()))
    });
}

/// `large` has a megabyte to say, of which its file takes little and which may not be dropped; its log.
fn held_back(home: &Sandbox) -> PathBuf {
    let mut go = home.fifo("go");
    drop(home.fifo("ear"));
    let script = megabyte_script(home);
    let config = format!(
        "[[processes]]\nname = \"large\"\nscript = \"sh\"\nargs = [\"-c\", {script:?}]\non_disk_full = \"block\"\n"
    );
    home.file("adasa.toml", config);
    drop(home.run(&["start", "--config", "adasa.toml"]).success());
    let path = live(home, "large", "out");
    prlimit(home.role("scribe_pid").pid, "65536");
    go.say("now");
    let said = format!("{} cannot be written: ", path.display());
    home.wait_for("one alarm", |home| one_alarm(home, &said));
    path
}

#[test]
fn a_log_that_may_block_loses_nothing_to_a_limit_on_files_and_its_alarm_ends_with_it() {
    let home = Sandbox::new();
    let path = held_back(&home);
    home.murder("scribe_pid");
    home.until_file(&path, |text| text.len() == 1_000_001);
    home.wait_for("no alarm", no_alarm);
    home.until_file("done", |text| text.ends_with('\n'));
}

#[test]
fn what_no_file_takes_is_lost_with_the_end_and_said_by_stop_and_by_the_next_daemon() {
    let home = Sandbox::new();
    let path = held_back(&home);
    let stop = home.run(&["daemon", "stop", "--json"]).success();
    let said = format!("bytes that {} did not take are lost", path.display());
    let stop = stop.stderr_has(&said).json();
    assert_eq!(stop["lost"][0]["log"], path.to_str().expect("text"));
    assert!(stop["lost"][0]["bytes"].as_u64() >= Some(65_536), "{stop}");
    assert_eq!(stop["lost"].as_array().map(Vec::len), Some(1));
    let lost = stop["lost"][0]["bytes"].to_string();
    drop(home.run(&["daemon", "start"]).success());
    let alarms = home.daemon_status().expect("a daemon")["alarms"].to_string();
    assert!(alarms.contains(&format!("{lost} {said}")), "{alarms}");
    home.until_file(EVENTS, |text| text.contains(&said));
    // Once.
    let again = home.run(&["daemon", "stop", "--json"]).stderr("").json();
    assert_eq!(again["lost"], serde_json::json!([]));
}

/// The one alarm that there is, if it begins so.
fn one_alarm(home: &Sandbox, begin: &str) -> Option<String> {
    let status = home.daemon_status()?;
    let alarms = status["alarms"].as_array().expect("alarms");
    match alarms.as_slice() {
        [one] => (one.as_str())
            .filter(|it| it.starts_with(begin))
            .map(str::to_owned),
        [] => None,
        many => panic!("more than one alarm: {many:?}"),
    }
}

fn no_alarm(home: &Sandbox) -> Option<()> {
    let status = home.daemon_status()?;
    status["alarms"]
        .as_array()
        .is_some_and(Vec::is_empty)
        .then_some(())
}

/// A small file system of its own, gone at the end.
struct Tiny(PathBuf);

impl Tiny {
    /// Nothing where mounting is not allowed.
    fn mount(path: PathBuf) -> Option<Tiny> {
        fs::create_dir(&path).expect("a folder");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", "size=256k,mode=700", "none"])
            .arg(&path);
        let mounted = command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then_some(Tiny(path))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_under_one_log_blocks_nobody_and_lines_come_back_when_there_is_room() {
    let home = Sandbox::new();
    let Some(tiny) = Tiny::mount(home.path("tiny")) else {
        println!("not allowed to mount: the limit on files stands for the full disk");
        return;
    };
    let filler = tiny.0.join("filler");
    fs::write(&filler, vec![1; 200 * 1024]).expect("room for the filler");
    let log = tiny.0.join("large.log");
    let (mut go, mut ear) = (home.fifo("go"), home.fifo("ear"));
    let script = megabyte_script(&home);
    let config = format!(
        "[[processes]]\nname = \"large\"\nscript = \"sh\"\nargs = [\"-c\", {script:?}]\nout_file = {log:?}\n"
    );
    home.file("adasa.toml", config);
    drop(home.run(&["start", "--config", "adasa.toml"]).success());
    let mut other = parrot(&home, "small");
    let child = home.known("large");
    go.say("now");
    home.until_file("done", |text| text.ends_with('\n'));
    for number in 1..=5 {
        other.say(&format!("not delayed {number}"));
        home.until_file(live(&home, "small", "out"), |text| {
            text.contains(&format!("not delayed {number}\n"))
        });
    }
    drop(home.run(&["list"]).success());
    fs::remove_file(&filler).expect("removed");
    home.wait_for("lines again", |_| {
        ear.say("there again");
        drop(home.run(&["list"]).success());
        fs::read_to_string(&log)
            .is_ok_and(|text| text.contains("there again\n"))
            .then_some(())
    });
    assert!(child.is_alive(), "the program went on all the time");
    drop(home.run(&["daemon", "stop"]).success());
}
