//! A run is its whole tree: stop means gone, for grandchildren too, and each gets its time.

mod groups;
mod shown;

use crate::child;
use crate::sandbox::{Known, Sandbox};

#[test]
fn a_grandchild_that_forked_twice_and_called_setsid_is_gone_after_stop() {
    let s = Sandbox::new();
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let main = s.known("esc");
    let grandchild = s.until_pid("esc.grandchild");
    let session = crate::sandbox::stat(grandchild.pid).unwrap()[3].clone();
    assert_eq!(
        session,
        grandchild.pid.to_string(),
        "it has a session of its own"
    );
    let _ = s.run(&["stop", "esc"]).stderr("").success();
    assert!(!main.is_alive() && !grandchild.is_alive());
    assert_eq!(s.status("esc"), "stopped");
}

#[test]
fn force_delete_and_restart_end_the_whole_tree_too() {
    let s = Sandbox::new();
    s.start(
        "esc",
        &child::escapes(&s, "esc"),
        &["--stop-timeout", "1000s"],
    );
    let commands: [&[&str]; 4] = [
        &["restart", "esc"],
        &["stop", "esc", "--force"],
        &["start", "esc"],
        &["delete", "esc"],
    ];
    let mut last = s.until_pid("esc.grandchild");
    for command in commands {
        std::fs::remove_file(s.path("esc.grandchild")).ok();
        let _ = s.run(command).stderr("").success();
        assert!(!last.is_alive(), "after {command:?}");
        if matches!(command[0], "restart" | "start") {
            last = s.until_pid("esc.grandchild");
        }
    }
}

#[test]
fn a_server_behind_a_shell_gets_the_time_to_save() {
    let s = Sandbox::new();
    let mut fifo = s.fifo("db.fifo");
    s.start("db", &child::saves(&s, "db"), &["--stop-timeout", "60s"]);
    let main = s.known("db");
    let server = s.until_pid("db.ready");
    let mut stop = s.spawn(&["stop", "db"]);
    s.until_file("db.saving", |text| text == "yes\n");
    s.until_gone(main);
    assert_eq!(
        s.status("db"),
        "stopping",
        "the shell is gone, the server is not"
    );
    assert!(server.is_alive() && !stop.is_over());
    fifo.say("all of it");
    let _ = stop.output().stderr("").stdout_has("db").success();
    assert_eq!(s.read("db.saved"), "all of it\n");
    assert!(!server.is_alive());
    assert_eq!(s.status("db"), "stopped");
}

#[test]
fn a_grandchild_that_ignores_term_is_killed_after_the_grace() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let program = s.script("parent", &format!("setsid {deaf} &\nexec sleep 1000"));
    s.start("parent", &program, &["--stop-timeout", "500ms"]);
    let grandchild = s.until_pid("deaf.ready");
    let _ = s.run(&["stop", "parent"]).stderr("").success();
    assert!(!grandchild.is_alive());
    assert_eq!(
        s.row("parent")["exit"]["signal"],
        "SIGTERM",
        "the exit is the main process's"
    );
}

#[test]
fn the_next_run_begins_when_nothing_of_the_last_one_is_left() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let body = format!(
        "if [ -e $HOME/deaf.ready ]; then\n  kill -0 $(cat $HOME/deaf.ready) 2>/dev/null && echo alive >$HOME/second || echo gone >$HOME/second\n\
         exec sleep 1000\nfi\n(setsid {deaf} &)\nread line <$HOME/fifo\nexit 1"
    );
    let mut fifo = s.fifo("fifo");
    let program = s.script("parent", &body);
    s.start(
        "parent",
        &program,
        &["--restart-delay", "0", "--stop-timeout", "500ms"],
    );
    let grandchild = s.until_pid("deaf.ready");
    fifo.say("crash");
    assert_eq!(
        s.until_file("second", |text| text.ends_with('\n')),
        "gone\n"
    );
    assert!(!grandchild.is_alive());
    s.until_status("parent", "running");
}

#[test]
fn survivors_of_a_run_that_ended_well_are_ended_before_it_is_called_exited() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let mut fifo = s.fifo("fifo");
    let program = s.script(
        "leaver",
        &format!("(setsid {deaf} &)\nread line <$HOME/fifo\nexit 0"),
    );
    s.start("leaver", &program, &["--stop-timeout", "500ms"]);
    let survivor = s.until_pid("deaf.ready");
    fifo.say("leave");
    let row = s.until_status("leaver", "exited");
    assert!(!survivor.is_alive());
    assert_eq!(row["exit"]["code"], 0);
}

#[test]
fn a_grandchild_without_its_environment_is_gone_after_stop() {
    let s = Sandbox::new();
    let inner = s.script(
        "inner",
        &format!("echo $$ >{}\nexec sleep 1000", s.path("pid").display()),
    );
    let program = s.script(
        "outer",
        &format!("env -i PATH=\"$PATH\" {inner} &\nexec sleep 1000"),
    );
    s.start("outer", &program, &[]);
    let grandchild = s.until_pid("pid");
    let _ = s.run(&["stop", "outer"]).stderr("").success();
    assert!(!grandchild.is_alive());
}

#[test]
fn a_tree_that_keeps_forking_is_gone_after_a_stop_by_force() {
    let s = Sandbox::new();
    let program = s.script(
        "forks",
        "trap '' TERM\nif [ -n \"$1\" ]; then echo $$ >>$HOME/pids; exec sleep 1000; fi\n\
         n=0; while [ $n -lt 60 ]; do n=$((n+1)); setsid \"$0\" child & done\nwait",
    );
    s.start("forks", &program, &["--stop-timeout", "1000s"]);
    s.until_file("pids", |text| text.lines().count() >= 20);
    let _ = s.run(&["stop", "forks", "--force"]).stderr("").success();
    let pids = s.read("pids");
    let alive: Vec<_> = pids
        .lines()
        .filter_map(|l| Known::of(l.parse().ok()?))
        .collect();
    assert!(alive.is_empty(), "{alive:?}");
    assert_eq!(s.left().len(), 3, "keeper, scribe and daemon");
}

#[test]
fn stopping_one_process_leaves_the_tree_of_another_alone() {
    let s = Sandbox::new();
    s.start("one", &child::escapes(&s, "one"), &[]);
    s.start("two", &child::escapes(&s, "two"), &[]);
    let (main, grandchild) = (s.known("two"), s.until_pid("two.grandchild"));
    let gone = s.until_pid("one.grandchild");
    let _ = s.run(&["stop", "one"]).stderr("").success();
    assert!(!gone.is_alive());
    assert!(main.is_alive() && grandchild.is_alive());
}
