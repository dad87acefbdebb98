//! One daemon for one home, whatever lies around.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;

use nix::sys::signal::Signal;

use crate::faults::start_idle;
use crate::sandbox::{Known, LIMIT, Sandbox};

#[test]
fn a_stale_socket_file_is_no_daemon() {
    let home = Sandbox::new();
    drop(home.run(&["daemon", "start"]).success());
    let socket = home.socket();
    drop(home.run(&["daemon", "stop"]).success());
    let folder = || {
        let folder = socket.parent().expect("a folder");
        let mut make = DirBuilder::new();
        let made = make.recursive(true).mode(0o700).create(folder);
        made.expect("the folder of the socket");
    };
    folder();
    fs::remove_file(&socket).ok();
    drop(UnixListener::bind(&socket).expect("a socket that nobody listens on"));
    drop(home.run(&["daemon", "status"]).code(3));
    start_idle(&home, "alpha");
    assert_eq!(home.status("alpha"), "running");
    drop(home.run(&["daemon", "stop"]).success());
    folder();
    fs::remove_file(&socket).ok();
    fs::write(&socket, "no socket at all").expect("written");
    drop(home.run(&["daemon", "start"]).success());
    assert_eq!(home.until_status("alpha", "running")["name"], "alpha");
}

#[test]
fn what_a_killed_daemon_leaves_behind_keeps_nobody_out() {
    let home = Sandbox::new();
    drop(home.run(&["daemon", "start"]).success());
    for _ in 0..3 {
        let roles = ["keeper_pid", "pid", "scribe_pid"].map(|role| home.role(role));
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            roles.iter().for_each(|role| role.signal(signal));
        }
        roles.iter().for_each(|role| home.until_gone(*role));
        drop(home.run(&["daemon", "start"]).success());
        assert_ne!(home.role("pid"), roles[1]);
    }
    start_idle(&home, "alpha");
    assert_eq!(home.status("alpha"), "running");
}

#[test]
fn a_second_daemon_says_which_pid_holds_the_home() {
    let home = Sandbox::new();
    drop(home.run(&["daemon", "start"]).success());
    start_idle(&home, "alpha");
    let (daemon, keeper) = (home.role("pid"), home.role("keeper_pid"));
    let second = home.run(&["daemon"]);
    assert!(!second.status.success(), "{second}");
    assert!(second.stderr.starts_with("adasa: "), "{second}");
    assert!(
        names(&second.stderr, keeper) || names(&second.stderr, daemon),
        "no pid of the holder: {second}"
    );
    assert_eq!(home.role("pid"), daemon, "the first one goes on");
    assert_eq!(home.status("alpha"), "running");
    drop(home.run(&["daemon", "start"]).success());
    assert_eq!(
        home.role("pid"),
        daemon,
        "starting what runs is no error and changes nothing"
    );
}

fn names(text: &str, process: Known) -> bool {
    text.split(|char: char| !char.is_ascii_digit())
        .any(|word| word == process.pid.to_string())
}

#[test]
fn of_two_daemons_at_the_same_moment_exactly_one_stays() {
    let home = Sandbox::new();
    std::thread::scope(|scope| {
        let (ended, ends) = mpsc::channel();
        for _ in 0..2 {
            let (home, ended) = (&home, ended.clone());
            scope.spawn(move || ended.send(home.run(&["daemon"])).ok());
        }
        let loser = ends.recv_timeout(LIMIT).expect("one of them gives way");
        assert!(
            !loser.status.success() && loser.stderr.starts_with("adasa: "),
            "{loser}"
        );
        let (daemon, keeper) = (home.role("pid"), home.role("keeper_pid"));
        assert!(
            names(&loser.stderr, keeper) || names(&loser.stderr, daemon),
            "no pid of the holder: {loser}"
        );
        assert!(ends.try_recv().is_err(), "the other one runs");
        drop(home.run(&["daemon", "stop"]).success());
        drop(
            ends.recv_timeout(LIMIT)
                .expect("the end of the other one")
                .success(),
        );
    });
}

#[test]
fn fifty_commands_at_once_start_one_daemon() {
    let home = Sandbox::new();
    let commands: Vec<_> = (0..50).map(|_| home.spawn(&["list", "--json"])).collect();
    for command in commands {
        drop(command.output().success().stdout("[]\n"));
    }
    let (keeper, daemon, scribe) = (
        home.role("keeper_pid"),
        home.role("pid"),
        home.role("scribe_pid"),
    );
    home.wait_for("only the three roles", |home| {
        let mut running = home.adasas();
        running.sort();
        let mut roles = vec![keeper, daemon, scribe];
        roles.sort();
        (running == roles).then_some(())
    });
}
