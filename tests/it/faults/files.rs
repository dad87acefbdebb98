//! Garbage in the state folder: the next start says so, uses what it can, and never crashes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::faults::start_idle;
use crate::sandbox::Sandbox;

/// Files below a folder, with their contents.
fn contents_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the state folder") {
            let path = entry.expect("an entry").path();
            match fs::symlink_metadata(&path).expect("its kind") {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() => {
                    found.push((path.clone(), fs::read(&path).expect("a file")))
                }
                _ => {}
            }
        }
    }
    found
}

/// Puts the files back as they were; others go.
fn put_back(folder: &Path, files: &[(PathBuf, Vec<u8>)]) {
    for (path, _) in contents_of(folder) {
        if !files.iter().any(|(kept, _)| *kept == path) {
            fs::remove_file(path).expect("removed");
        }
    }
    for (path, bytes) in files {
        fs::write(path, bytes).expect("written");
    }
}

fn daemon_log(home: &Sandbox) -> String {
    let bytes = fs::read(home.home().join("logs/daemon.log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A home whose daemon is stopped: `old-one` and `old-two` are in every generation, `new-one` only in the newest.
fn two_generations() -> (Sandbox, Vec<(PathBuf, Vec<u8>)>) {
    let home = Sandbox::new();
    start_idle(&home, "old-one");
    start_idle(&home, "old-two");
    drop(home.run(&["daemon", "stop"]).success());
    drop(home.run(&["daemon", "start"]).success());
    home.until_status("old-two", "running");
    start_idle(&home, "new-one");
    drop(home.run(&["daemon", "stop"]).success());
    let files = contents_of(&home.home().join("state"));
    (home, files)
}

fn named<'a>(files: &'a [(PathBuf, Vec<u8>)], name: &str) -> &'a (PathBuf, Vec<u8>) {
    files
        .iter()
        .find(|(path, _)| path.file_name().is_some_and(|file| file == name))
        .unwrap_or_else(|| {
            let names: Vec<_> = files
                .iter()
                .map(|(path, _)| path.display().to_string())
                .collect();
            panic!("no {name} in the state folder: {names:?}")
        })
}

/// Several ways to spoil a file.
fn damages(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let end = bytes.trim_ascii_end().len();
    let mut flipped = bytes.to_vec();
    if let Some(byte) = flipped.get_mut(bytes.len() / 2) {
        *byte ^= 0x80;
    }
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    vec![
        ("empty", Vec::new()),
        ("one byte", bytes[..bytes.len().min(1)].to_vec()),
        ("a third", bytes[..bytes.len() / 3].to_vec()),
        ("without its end", bytes[..end.saturating_sub(1)].to_vec()),
        ("one bit flipped", flipped),
        ("noise", noise),
        ("zeroes", vec![0; bytes.len().max(4096)]),
        ("noise behind", [bytes, &[0xff; 100]].concat()),
    ]
}

/// The daemon starts with the files as they are now; what it says of them, and which processes it knows.
fn start_and_list(home: &Sandbox, what: &str) -> (String, Vec<String>) {
    let before = daemon_log(home).len();
    let started = home.run(&["daemon", "start"]).success();
    let names: Vec<String> = home
        .rows()
        .iter()
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect();
    // Its log is written beside what it does, and whole when it has ended.
    drop(home.run(&["daemon", "stop"]).success());
    let log = daemon_log(home);
    let said = format!("{}{}", started.stderr, log.get(before..).unwrap_or(&log));
    assert!(!said.contains("panicked"), "{what}: {said}");
    (said, names)
}

#[test]
fn a_damaged_specs_file_gives_way_to_the_generation_before_and_is_said() {
    let (home, files) = two_generations();
    let state = home.home().join("state");
    let (path, bytes) = named(&files, "specs.json").clone();
    for (what, damaged) in damages(&bytes) {
        put_back(&state, &files);
        fs::write(&path, &damaged).expect("damaged");
        let (said, names) = start_and_list(&home, what);
        for name in ["old-one", "old-two"] {
            assert!(
                names.iter().any(|known| known == name),
                "specs.json {what}: {name} is lost; {names:?}\n{said}"
            );
        }
        assert!(
            said.contains("specs.json"),
            "specs.json {what}: nothing was said:\n{said}"
        );
    }
    put_back(&state, &files);
    let (_, names) = start_and_list(&home, "whole");
    assert_eq!(names.len(), 3, "the files as they were: {names:?}");
}

#[test]
fn a_missing_specs_file_gives_way_to_the_generation_before() {
    let (home, files) = two_generations();
    fs::remove_file(&named(&files, "specs.json").0).expect("removed");
    let (said, names) = start_and_list(&home, "missing");
    assert!(
        names.iter().any(|name| name == "old-one"),
        "{names:?}\n{said}"
    );
}

#[test]
fn damaged_changes_lose_no_more_than_themselves() {
    let home = Sandbox::new();
    start_idle(&home, "old-one");
    drop(home.run(&["daemon", "stop"]).success());
    drop(home.run(&["daemon", "start"]).success());
    // Recorded, and not yet folded: the daemon is killed with its keeper before it is quiet.
    start_idle(&home, "new-one");
    let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| home.role(role));
    let files = contents_of(&home.home().join("state"));
    for signal in [
        nix::sys::signal::Signal::SIGSTOP,
        nix::sys::signal::Signal::SIGKILL,
    ] {
        roles.iter().for_each(|role| role.signal(signal));
    }
    roles.iter().for_each(|role| home.until_gone(*role));
    let state = home.home().join("state");
    let (path, bytes) = named(&files, "changes").clone();
    for (what, damaged) in damages(&bytes) {
        put_back(&state, &files);
        fs::write(&path, &damaged).expect("damaged");
        let (said, names) = start_and_list(&home, what);
        assert!(
            names.iter().any(|name| name == "old-one"),
            "changes {what}: old-one is lost: {names:?}\n{said}"
        );
    }
    put_back(&state, &files);
    let (_, names) = start_and_list(&home, "whole");
    assert!(
        names.iter().any(|name| name == "new-one"),
        "a change that was recorded is not lost: {names:?}"
    );
}

#[test]
fn a_damaged_table_is_no_reason_not_to_start() {
    let home = Sandbox::new();
    start_idle(&home, "old-one");
    let volatile = home.daemon_status().expect("a daemon runs")["volatile_dir"]
        .as_str()
        .expect("a folder")
        .to_owned();
    let volatile = PathBuf::from(volatile);
    let running = contents_of(&volatile);
    assert!(
        !running.is_empty(),
        "the table is in {}",
        volatile.display()
    );
    drop(home.run(&["daemon", "stop"]).success());
    for (path, bytes) in &running {
        for (what, damaged) in damages(bytes) {
            fs::create_dir_all(path.parent().expect("a folder")).expect("the volatile folder");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            fs::set_permissions(&volatile, mode).expect("its mode");
            fs::write(path, &damaged).expect("damaged");
            let what = format!("{} {what}", path.display());
            let (said, names) = start_and_list(&home, &what);
            assert_eq!(names, ["old-one"], "{what}: {said}");
        }
    }
}

#[test]
fn garbage_in_every_file_of_the_state_folder_at_once_does_not_crash_the_daemon() {
    let (home, files) = two_generations();
    let state = home.home().join("state");
    let ways = damages(&files[0].1).len();
    for way in 0..ways {
        put_back(&state, &files);
        let mut what = "";
        for (path, bytes) in &files {
            let (name, damaged) = damages(bytes).swap_remove(way);
            fs::write(path, damaged).expect("damaged");
            what = name;
        }
        let (said, _) = start_and_list(&home, what);
        assert!(
            what == "noise behind" || said.contains("specs.json"),
            "{what}: nothing was said:\n{said}"
        );
        start_idle(&home, "after-all");
        assert_eq!(home.status("after-all"), "running");
        drop(home.run(&["daemon", "stop"]).success());
    }
}

#[test]
fn strange_files_in_the_state_folder_disturb_nobody() {
    let (home, _) = two_generations();
    let state = home.home().join("state");
    fs::write(state.join("specs.json.tmp"), "{").expect("written");
    fs::write(state.join(".hidden"), [0xff; 10]).expect("written");
    fs::create_dir(state.join("folder")).expect("made");
    std::os::unix::fs::symlink("nowhere", state.join("link")).expect("linked");
    let (said, names) = start_and_list(&home, "strange files");
    assert_eq!(names.len(), 3, "{said}");
}
