//! Both rungs: control groups, where the machine lets adasa make them, and the walk over the tree, where it does not.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use nix::unistd::AccessFlags;

use crate::child;
use crate::sandbox::{ADASA, Known, Sandbox, spawn};

/// The folder of this daemon's control groups; none where it can make none, which is so only where nobody can.
fn control_group(s: &Sandbox) -> Option<PathBuf> {
    let group = shown(s);
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let ours = mounts.lines().any(|line| {
        let mut fields = line.split(' ');
        let (point, kind) = (fields.nth(1), fields.next());
        kind == Some("cgroup2")
            && point.is_some_and(|p| {
                nix::unistd::access(&PathBuf::from(p).join("cgroup.procs"), AccessFlags::W_OK)
                    .is_ok()
            })
    });
    assert!(group.is_some() || !ours, "control groups could be made");
    group
}

fn shown(s: &Sandbox) -> Option<PathBuf> {
    let status = s.daemon_status().expect("a daemon runs");
    status["control_group"].as_str().map(PathBuf::from)
}

fn strays(s: &Sandbox) -> u64 {
    s.daemon_status().expect("a daemon runs")["strays"]
        .as_u64()
        .unwrap()
}

/// Starts the daemon where no control groups can be seen, as in most containers.
fn without_groups(s: &Sandbox) {
    let script = s.script(
        "hidden",
        "set -e\nmount --make-rprivate /\n\
         for point in $(awk '$3 == \"cgroup2\" { print $2 }' /proc/mounts); do mount -t tmpfs none $point; done\n\
         exec \"$@\"",
    );
    let adasa = s.command();
    let mut command = std::process::Command::new("unshare");
    command.arg("--mount");
    if !nix::unistd::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .args([&script, ADASA, "daemon", "start"])
        .env_clear();
    for (name, value) in adasa.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.current_dir(s.root());
    let _ = spawn(command).output().success();
    assert_eq!(shown(s), None);
}

#[test]
fn what_kept_nothing_of_its_run_is_gone_after_stop() {
    let s = Sandbox::new();
    s.start("shed", &child::sheds(&s, "shed"), &[]);
    let grandchild = s.until_pid("shed.shed");
    let group = control_group(&s);
    println!("control groups in {group:?}");
    let _ = s.run(&["stop", "shed"]).stderr("").success();
    if let Some(group) = group {
        assert!(!grandchild.is_alive());
        let left = std::fs::read_dir(group).unwrap().flatten();
        let left = left.filter(|e| e.file_type().unwrap().is_dir()).count();
        assert_eq!(left, 0, "the control group of the run is removed");
    } else {
        s.wait_for("it is counted", |s| (strays(s) == 1).then_some(()));
    }
}

#[test]
fn what_kept_nothing_is_killed_at_the_end_of_its_grace_when_it_ignores_term() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let program = s.script(
        "parent",
        &format!(
            "(env -i PATH=\"$PATH\" setsid {deaf} </dev/null >/dev/null 2>&1 &)\nexec sleep 1000"
        ),
    );
    s.start("parent", &program, &["--stop-timeout", "500ms"]);
    let grandchild = s.until_pid("deaf.ready");
    if control_group(&s).is_some() {
        let _ = s.run(&["stop", "parent"]).stderr("").success();
        assert!(!grandchild.is_alive());
    }
}

#[test]
fn a_daemon_that_dies_in_a_sweep_leaves_it_to_the_next() {
    let s = Sandbox::new();
    let deaf = child::ignores_term(&s, "deaf");
    let program = s.script(
        "parent",
        &format!(
            "(env -i PATH=\"$PATH\" setsid {deaf} </dev/null >/dev/null 2>&1 &)\nexec sleep 1000"
        ),
    );
    s.start("parent", &program, &["--stop-timeout", "1000s"]);
    let grandchild = s.until_pid("deaf.ready");
    if control_group(&s).is_none() {
        return;
    }
    let main = s.known("parent");
    let stop = s.spawn(&["stop", "parent"]);
    s.until_gone(main);
    let _ = s.murder("pid");
    assert!(grandchild.is_alive(), "its grace is long");
    let _ = s.run(&["stop", "parent", "--force"]).stderr("").success();
    assert!(!grandchild.is_alive());
    let _ = stop.output().success();
}

#[test]
fn all_roles_killed_the_group_still_tells_who_belongs_to_the_run() {
    let s = Sandbox::new();
    s.start("shed", &child::sheds(&s, "shed"), &[]);
    let (main, grandchild) = (s.known("shed"), s.until_pid("shed.shed"));
    if control_group(&s).is_none() {
        return;
    }
    let roles: Vec<Known> = ["keeper_pid", "pid", "scribe_pid"]
        .map(|key| s.role(key))
        .into();
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        roles.iter().for_each(|role| role.signal(signal));
    }
    roles.iter().for_each(|role| s.until_gone(*role));
    assert_eq!(s.pid("shed"), main.pid, "adopted by the next command");
    let _ = s.run(&["stop", "shed"]).stderr("").success();
    assert!(!main.is_alive() && !grandchild.is_alive());
}

#[test]
fn without_control_groups_the_tree_is_walked_and_what_kept_nothing_is_shown_as_a_stray() {
    let s = Sandbox::new();
    without_groups(&s);
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    s.start("shed", &child::sheds(&s, "shed"), &[]);
    let (kept, shed) = (s.until_pid("esc.grandchild"), s.until_pid("shed.shed"));
    let _ = s.run(&["stop", "all"]).stderr("").success();
    assert!(!kept.is_alive());
    assert!(shed.is_alive(), "nothing tells whose it was");
    s.wait_for("it is counted", |s| (strays(s) == 1).then_some(()));
    let _ = s
        .run(&["daemon", "status"])
        .stdout_has("no control groups here")
        .stdout_has("strays     1")
        .success();
    shed.signal(Signal::SIGKILL);
    s.until_gone(shed);
}

#[test]
fn children_that_may_be_left_behind_live_on_and_are_nobodys_stray() {
    let s = Sandbox::new();
    let program = child::escapes(&s, "esc");
    let file = s.file(
        "adasa.toml",
        format!(
            "[[processes]]\nname = \"esc\"\nscript = \"{program}\"\ndetach_children = true\nmax_memory = \"1GB\"\n"
        ),
    );
    let file = file.to_str().unwrap();
    let _ = s.run(&["start", "--config", file]).stderr("").success();
    let (main, left) = (s.known("esc"), s.until_pid("esc.grandchild"));
    std::fs::remove_file(s.path("esc.grandchild")).unwrap();
    let _ = s.run(&["restart", "esc"]).stderr("").success();
    assert!(!main.is_alive() && left.is_alive());
    let second = s.until_pid("esc.grandchild");
    let _ = s.run(&["stop", "esc"]).stderr("").success();
    assert!(left.is_alive() && second.is_alive());
    assert_eq!(s.status("esc"), "stopped");
    let _ = s.run(&["delete", "esc"]).stderr("").success();
    assert!(left.is_alive() && second.is_alive());
    // The second look of the sampler knows whose they are.
    let mut looks = 0;
    s.wait_for("a while passes", |s| {
        assert_eq!(strays(s), 0);
        looks += 1;
        (looks > 3).then_some(())
    });
    for known in [left, second] {
        known.signal(Signal::SIGKILL);
        s.until_gone(known);
    }
}
