//! A state folder that nobody can write to, from the beginning or from some moment on.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::faults::{start_idle, successor};
use crate::sandbox::Sandbox;

use super::assert_prompt;

/// Files that cannot be written, opened for it or made: by attribute, which holds for root too, or by mode.
struct Sealed(Vec<(PathBuf, &'static str)>);

impl Sealed {
    /// Attributes and modes are asked about at the open: who has the file open goes on.
    #[track_caller]
    fn of(home: &Sandbox) -> Self {
        let state = home.home().join("state");
        let sealed = Self(vec![(state.join("changes"), "0600"), (state, "0700")]);
        for (path, open) in &sealed.0 {
            let closed = open.replace(['6', '7'], "5");
            sealed.run("chattr", "+i", path, "chmod", &closed);
        }
        sealed
    }

    #[track_caller]
    fn run(&self, attribute: &str, how: &str, path: &Path, mode: &str, to: &str) {
        let (command, argument) = if nix::unistd::geteuid().is_root() {
            (attribute, how)
        } else {
            (mode, to)
        };
        let status = Command::new(command).arg(argument).arg(path).status();
        let done = status.is_ok_and(|status| status.success());
        assert!(done, "{command} {argument} {}", path.display());
    }

    fn open(&self) {
        for (path, open) in &self.0 {
            self.run("chattr", "-i", path, "chmod", open);
        }
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.open();
    }
}

#[test]
fn on_a_state_folder_that_became_read_only_what_is_there_is_still_supervised() {
    let home = Sandbox::new();
    start_idle(&home, "other");
    start_idle(&home, "api");
    let sealed = Sealed::of(&home);
    let victim = home.murder("pid");
    successor(&home, "pid", victim);
    assert_prompt(&home, "other");
    let stopped = home.run(&["stop", "api", "--json"]).success().json();
    let text = stopped.to_string();
    assert!(text.contains(r#""recorded":"pending""#), "{text}");
    assert_eq!(home.status("api"), "stopped");
    let refused = home.run(&["start", "sleep", "--name", "new", "--", "1000"]);
    let refused = refused.error(1);
    assert!(refused.stderr.contains("recorded"), "{refused}");
    assert_eq!(home.find_row("new"), None::<Value>);
    // The next daemon knows from the keeper's table what the disk does not.
    let victim = home.murder("pid");
    successor(&home, "pid", victim);
    assert_eq!(home.status("api"), "stopped");
    sealed.open();
    start_idle(&home, "new");
    drop(home.run(&["start", "api"]).success());
    drop(home.run(&["daemon", "stop"]).success());
    drop(home.run(&["daemon", "start"]).success());
    for name in ["other", "api", "new"] {
        home.until_status(name, "running");
    }
}

#[test]
fn on_a_state_folder_that_is_read_only_no_daemon_starts_and_the_reason_is_said() {
    let home = Sandbox::new();
    drop(home.run(&["daemon", "start"]).success());
    drop(home.run(&["daemon", "stop"]).success());
    let state = home.home().join("state");
    drop(std::fs::remove_file(state.join("lock")));
    drop(home.file("home/state/changes", ""));
    let sealed = Sealed::of(&home);
    let refused = home.run(&["list"]).error(3);
    let named = state
        .to_str()
        .is_some_and(|state| refused.stderr.contains(state));
    assert!(named, "it does not say where: {refused}");
    sealed.open();
    drop(home.run(&["list"]).success());
}
