//! The table of what runs is damaged while all roles are gone: nothing is started a second time, and nobody is lost.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::child;
use crate::sandbox::Sandbox;

use super::writers::Writers;

fn table(home: &Sandbox) -> PathBuf {
    let status = home.daemon_status().expect("a daemon runs");
    PathBuf::from(status["volatile_dir"].as_str().expect("a folder")).join("table")
}

/// Kills the keeper first, and whoever would follow it; all programs go on.
fn kill_all(home: &Sandbox) {
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| home.role(role));
    // Whom it stops, it cannot start again.
    for role in roles {
        role.signal(Signal::SIGSTOP);
    }
    for role in roles {
        role.signal(Signal::SIGKILL);
    }
    for role in roles {
        home.until_gone(role);
    }
}

fn cut(bytes: &[u8], at: usize) -> Vec<u8> {
    bytes[..at.min(bytes.len())].to_vec()
}

fn spoil(bytes: &[u8], pages: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for page in pages {
        bytes[page * 4096 + 10] ^= 0x41;
    }
    bytes
}

#[test]
fn a_table_that_is_damaged_while_all_is_dead_starts_nothing_twice_and_loses_nobody() {
    let home = Sandbox::new();
    let writers = Writers::start(&home, 2);
    let counts = child::counts(&home, "api");
    home.start("api", &counts, &["--instances", "2"]);
    home.until_file("api.runs", |text| text.lines().count() == 2);
    home.start("off", &child::counts(&home, "off"), &[]);
    drop(home.run(&["stop", "off"]).success());
    let table = table(&home);
    let pids = || -> Vec<_> { home.rows().iter().map(|row| row["pid"].clone()).collect() };
    let before = pids();
    for what in ["empty", "cut", "head", "slots", "noise", "gone"] {
        kill_all(&home);
        let bytes = std::fs::read(&table).expect("a table");
        let damaged = match what {
            "empty" => Some(Vec::new()),
            // In the middle of the second instance.
            "cut" => Some(cut(&bytes, 4 * 4096 + 100)),
            "head" => Some(spoil(&bytes, 0..2)),
            "slots" => Some(spoil(&bytes, 2..12)),
            "noise" => Some((0..bytes.len()).map(|n| (n * 7 + n / 251) as u8).collect()),
            _ => None,
        };
        match damaged {
            Some(damaged) => std::fs::write(&table, damaged).expect("damaged"),
            None => std::fs::remove_file(&table).expect("removed"),
        }
        drop(home.run(&["list"]).success());
        assert_eq!(pids(), before, "{what}");
        assert_eq!(home.status("off"), "stopped", "{what}");
        let alarms = home.daemon_status().expect("a daemon")["alarms"].to_string();
        assert!(alarms.contains("found by their mark"), "{what}: {alarms}");
        assert!(alarms.contains("api-1 (pid "), "{what}: {alarms}");
        assert!(!alarms.contains("off"), "{what}: {alarms}");
    }
    assert_eq!(home.read("api.runs").lines().count(), 2, "started twice");
    // It is said once.
    let victim = home.murder("pid");
    super::successor(&home, "pid", victim);
    let alarms = home.daemon_status().expect("a daemon")["alarms"].to_string();
    assert!(!alarms.contains("found by their mark"), "{alarms}");
    // They are followed, stopped and started as all others.
    let api = home.known("api-0");
    api.signal(Signal::SIGKILL);
    home.until_file("api.runs", |text| text.lines().count() == 3);
    let api = home.known("api-1");
    drop(home.run(&["restart", "api-1"]).success());
    assert!(!api.is_alive());
    home.until_file("api.runs", |text| text.lines().count() == 4);
    writers.assert_every_line_once(&home);
}

#[test]
fn a_mark_that_somebody_else_wrote_is_not_believed() {
    use std::os::unix::process::CommandExt as _;
    if !nix::unistd::geteuid().is_root() {
        println!("not seen here: nobody else can be played");
        return;
    }
    let home = Sandbox::new();
    home.start("api", &child::counts(&home, "api"), &[]);
    let api = home.known("api");
    let environment = std::fs::read(format!("/proc/{}/environ", api.pid)).expect("its environment");
    let mut pairs = environment.split(|b| *b == 0).map(String::from_utf8_lossy);
    let mark = pairs.find_map(|pair| pair.strip_prefix("ADASA_RUN=").map(str::to_owned));
    let mark = mark.expect("a mark");
    let (place, _) = mark.rsplit_once('/').expect("a run");
    let mut stranger = std::process::Command::new("setsid")
        .args(["sleep", "1000"])
        .env("ADASA_RUN", format!("{place}/999999"))
        .uid(65534)
        .spawn()
        .expect("a stranger");
    let pid = i32::try_from(stranger.id()).expect("a pid");
    home.wait_for("a session of its own", |_| {
        let stat = crate::sandbox::stat(pid)?;
        (stat.get(3)? == &pid.to_string()).then_some(())
    });
    let table = table(&home);
    kill_all(&home);
    std::fs::write(&table, "").expect("damaged");
    drop(home.run(&["list"]).success());
    let now = home.known("api");
    let _ = stranger.kill();
    let _ = stranger.wait();
    assert_eq!(now, api);
}

#[test]
fn roles_whose_volatile_folder_was_removed_are_not_called_absent_and_are_replaced() {
    let home = Sandbox::new();
    home.start("api", &child::counts(&home, "api"), &[]);
    home.start("chat", &child::chatters(&home, "chat"), &[]);
    let (api, keeper) = (home.known("api"), home.role("keeper_pid"));
    let folder = table(&home).parent().expect("a folder").to_owned();
    std::fs::remove_dir_all(&folder).expect("removed");
    let by = format!("is locked by pid {}", keeper.pid);
    let _ = home
        .run(&["list"])
        .code(3)
        .stderr_has(&by)
        .stderr_has("daemon restart");
    let _ = home.run(&["daemon", "restart"]).success();
    assert!(!keeper.is_alive());
    assert_eq!(home.known("api"), api);
    assert_eq!(home.read("api.runs").lines().count(), 1, "started twice");
    // What it writes from now on is read from the pipe that only itself has open.
    let log = home.home().join("logs/default/chat/0.out.log");
    let size = std::fs::metadata(&log).map_or(0, |meta| meta.len());
    home.until_file(&log, |text| text.len() as u64 > size);
    // Once more, and all is to end.
    std::fs::remove_dir_all(&folder).expect("removed");
    let _ = home
        .run(&["daemon", "stop"])
        .success()
        .stdout("daemon stopped\n");
    assert!(!api.is_alive());
    assert!(home.left().is_empty(), "{:?}", home.left());
    let _ = home
        .run(&["daemon", "stop"])
        .success()
        .stdout("no daemon runs\n");
}

#[test]
fn what_a_run_left_behind_is_not_taken_for_the_run_when_there_is_no_table() {
    let home = Sandbox::new();
    let program = child::escapes(&home, "api");
    let text =
        format!("[[processes]]\nname = \"api\"\nscript = {program:?}\ndetach_children = true\n");
    home.file("adasa.toml", text);
    let _ = home.run(&["start", "--config", "adasa.toml"]).success();
    let left = home.until_pid("api.grandchild");
    let api = home.known("api");
    // An orderly end takes the table along.
    let _ = home.run(&["daemon", "stop"]).success();
    assert!(left.is_alive() && !api.is_alive(), "it was to be left");
    let _ = home.run(&["daemon", "start"]).success();
    home.until_status("api", "running");
    let api = home.known("api");
    assert_ne!(api, left);
    let status = home.daemon_status().expect("a daemon");
    assert_eq!(status["alarms"].to_string(), "[]");
    let other = home.wait_for("another grandchild", |home| {
        Some(home.until_pid("api.grandchild")).filter(|known| *known != left)
    });
    for known in [left, other] {
        known.signal(Signal::SIGKILL);
    }
}

#[test]
fn what_has_lost_its_table_and_its_definition_is_shown_and_can_be_stopped() {
    let home = Sandbox::new();
    home.start("api", &child::escapes(&home, "api"), &[]);
    let grandchild = home.until_pid("api.grandchild");
    let api = home.known("api");
    let table = table(&home);
    kill_all(&home);
    std::fs::write(&table, "").expect("damaged");
    for file in ["changes", "specs.json"] {
        drop(home.file(&format!("home/state/{file}"), ""));
    }
    let rows = home.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["status"], "orphaned");
    assert_eq!(rows[0]["pid"], api.pid);
    let id = rows[0]["id"].to_string();
    drop(home.run(&["stop", &id]).success());
    assert!(!api.is_alive() && !grandchild.is_alive());
}
