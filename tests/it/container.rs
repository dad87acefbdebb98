//! In a pid namespace of its own: as its first process, and where pids are given again at will.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::child;
use crate::sandbox::{ADASA, Known, Running, Sandbox, spawn, stat};

/// What begins a namespace; all of it dies with this command.
fn unshare(home: &Sandbox, program: &[&str]) -> Running {
    let model = home.command();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child=KILL"]);
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let known = model.get_envs();
    let known = known.filter_map(|(name, value)| Some((name, value?)));
    command.env_clear().envs(known).current_dir(home.root());
    command.stdin(std::process::Stdio::null());
    command.args(program);
    spawn(command)
}

/// Children of a process, with their states.
fn children(pid: i32) -> Vec<(i32, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let pids = text.unwrap_or_default();
    let pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.first()?.clone())))
        .collect()
}

/// The first process of the namespace, as this one sees it. It dies with the value.
struct First(Known);

impl First {
    fn of(home: &Sandbox) -> Self {
        home.wait_for("the first process", |home| {
            let said = home.daemon_status()?;
            assert_eq!(said["keeper_pid"], 1, "{said}");
            let first = |known: &Known| children(known.pid).len() >= 2;
            home.adasas().into_iter().find(first).map(Self)
        })
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGKILL);
        let _ = self
            .0
            .is_gone_by(std::time::Instant::now() + crate::sandbox::LIMIT);
    }
}

#[test]
fn as_first_process_it_reaps_orphans_and_ends_all_on_term() {
    let home = Sandbox::elsewhere();
    let namespace = unshare(&home, &[ADASA, "daemon"]);
    let first = First::of(&home);
    // Its grandchild is forked twice, tells its pid and ends: nobody is left to wait for it but the first process.
    let over = home.path("over").display().to_string();
    let program = home.script(
        "leaves",
        &format!("(setsid sh -c 'echo $$ >{over}' &)\nexec sleep 1000"),
    );
    let _ = home.run(&["start", &program, "--name", "leaves"]).success();
    let stays = child::escapes(&home, "esc");
    let _ = home.run(&["start", &stays, "--name", "esc"]).success();
    home.until_file("over", |text| text.ends_with('\n'));
    home.until_file("esc.grandchild", |text| text.ends_with('\n'));
    home.wait_for("no zombie is left", |_| {
        let left = children(first.0.pid);
        left.iter().all(|(_, state)| state != "Z").then_some(())
    });
    let rows = home.run(&["list", "--json"]).success().json();
    let running = |row: &Value| row["status"] == "running";
    let rows = rows.as_array().expect("rows");
    assert!(rows.len() == 2 && rows.iter().all(running), "{rows:?}");

    first.0.signal(Signal::SIGTERM);
    let said = namespace.output();
    assert_eq!(said.status.code(), Some(0), "{said}");
    assert!(home.left().is_empty(), "{:?}", home.left());
    let _ = home.run(&["list", "--no-autostart"]).code(3);
}

#[test]
fn as_first_process_it_says_why_it_cannot_begin_and_ends_with_another_code() {
    let home = Sandbox::elsewhere();
    home.file("home", "in its way");
    let said = unshare(&home, &[ADASA, "daemon"]).output();
    let _ = said.stderr_has("is not a folder of user").code(3);
}

/// Everything is dead, and the pid of what ran is given to somebody else: nothing may happen to that.
#[test]
fn a_pid_that_was_given_again_is_never_signalled() {
    let home = Sandbox::elsewhere();
    let program = child::stays(&home);
    let script = format!(
        r#"
set -u
field() {{ {ADASA} daemon status --json | sed -n "s/^  \"$1\": \([0-9]*\),/\1/p"; }}
api() {{ {ADASA} list api --json | sed -n 's/.*"pid": \([0-9]*\),.*/\1/p'; }}
{ADASA} start {program} --name api --stop-timeout 300ms || exit 10
old=$(api)
all="$(field keeper_pid) $(field pid) $(field scribe_pid)"
kill -STOP $all; kill -KILL $all $old
for pid in $all $old; do while [ -e /proc/$pid ]; do wait; read -r -t 0.01 _ <>"$1"; done; done
for try in 1 2 3 4 5; do
    echo $((old - 1)) >/proc/sys/kernel/ns_last_pid
    sleep 1000 &
    [ $! = "$old" ] && break
done
[ $! = "$old" ] || {{ echo "pid $old could not be had again, but $!"; exit 11; }}
{ADASA} list >/dev/null || exit 12
{ADASA} restart api || exit 13
{ADASA} stop api || exit 14
{ADASA} delete api || exit 15
kill -0 "$old" || {{ echo "somebody else was killed"; exit 16; }}
{ADASA} daemon stop || exit 17
kill -0 "$old" || {{ echo "somebody else was killed at the end"; exit 18; }}
echo "pid $old is untouched"
"#
    );
    drop(home.fifo("never"));
    let script = home.file("again", script);
    let never = home.path("never");
    let (script, never) = (
        script.to_str().expect("text"),
        never.to_str().expect("text"),
    );
    let said = unshare(&home, &["bash", script, never]).output();
    let _ = said.stdout_has("is untouched").success();
}
