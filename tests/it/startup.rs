//! Service managers: the unit that `startup` writes, and units of other people.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::child;
use crate::sandbox::{ADASA, Sandbox, spawn};

/// What systemd's own checker says of a unit; it is installed when it is not there.
fn verify(unit: &Path, user: bool) -> String {
    let there = || Command::new("systemd-analyze").arg("--version").output();
    if there().is_err() {
        let install =
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd";
        let installed = Command::new("sh")
            .args(["-c", install])
            .stdout(Stdio::null())
            .status();
        assert!(
            installed.is_ok_and(|status| status.success()) && there().is_ok(),
            "this test needs systemd-analyze (package systemd)"
        );
    }
    let mut command = Command::new("systemd-analyze");
    if user {
        command
            .arg("--user")
            .env("XDG_RUNTIME_DIR", unit.parent().unwrap());
    }
    let output = command
        .args(["verify", "--man=no"])
        .arg(unit)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_units_pass_systemds_own_check() {
    let s = Sandbox::new();
    for user in [false, true] {
        let flags: &[&str] = if user { &["--user"] } else { &[] };
        let args = [&["startup", "--print"], flags].concat();
        let printed = s.run(&args).stderr("").success().stdout;
        for line in ["Delegate=yes", "KillMode=process", "OOMPolicy=continue"] {
            assert!(
                printed.lines().any(|l| l == line),
                "no {line} in\n{printed}"
            );
        }
        let home = format!("Environment=\"ADASA_HOME={}\"", s.home().display());
        assert!(printed.contains(&home), "{printed}");
        let folder = if user { "user" } else { "machine" };
        let unit = s.file(&format!("{folder}/adasa.service"), &printed);
        let said = verify(&unit, user);
        assert!(!said.contains("adasa.service"), "{said}");
        let broken = printed.replace("Delegate=yes", "Delegate=perhaps");
        let broken = s.file(&format!("{folder}/broken.service"), broken);
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&broken)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("perhaps"), "the checker checks: {said}");
    }
    assert!(s.daemon_status().is_none(), "no daemon was started");
}

#[test]
fn a_unit_of_the_user_is_written_once_and_again_and_removed_and_a_strangers_is_left_alone() {
    let s = Sandbox::new();
    let unit = s.path(".config/systemd/user/adasa.service");
    for _ in 0..2 {
        let _ = s
            .run(&["startup", "--user"])
            .stderr("")
            .stdout_has("systemctl --user daemon-reload\n")
            .stdout_has("systemctl --user enable --now adasa\n")
            .stdout_has("loginctl enable-linger\n")
            .success();
        let printed = s.run(&["startup", "--user", "--print"]).success().stdout;
        assert_eq!(std::fs::read_to_string(&unit).unwrap(), printed);
    }
    let answer = s
        .run(&["startup", "--user", "--json"])
        .stderr("")
        .success()
        .json();
    assert_eq!(answer["path"], unit.to_str().unwrap());
    assert_eq!(answer["written"], true);
    let _ = s
        .run(&["startup", "--user", "--remove"])
        .stdout_has("systemctl --user disable adasa")
        .success();
    assert!(!unit.exists());
    let _ = s.run(&["startup", "--user", "--remove"]).error(4);
    s.file(".config/systemd/user/adasa.service", "[Service]\n");
    for args in [
        &["startup", "--user"][..],
        &["startup", "--user", "--remove"],
    ] {
        let _ = s.run(args).error(1).stderr_has("was not written by adasa");
    }
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), "[Service]\n");
    let _ = s.run(&["startup", "--print", "--remove"]).code(2);
}

/// Acts as a service manager does for `Type=forking` without a file of the pid: runs the command, adopts what it leaves
/// behind, takes the only child as the main process, runs the command that stops it, and waits for its end.
const MANAGER: &str = r#"
import ctypes, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
adasa = sys.argv[1]
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
begun = subprocess.run([adasa, "daemon", "start"], **quiet)
assert begun.returncode == 0, begun
children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
assert len(children) == 1, children
main = int(children[0])
line = open(f"/proc/{main}/cmdline", "rb").read().split(b"\0")
assert line[1] == b"__keeper", line
assert os.getpgid(main) == main and os.getsid(main) == main
print("main", main, flush=True)
sys.stdin.readline()
subprocess.run([adasa, "daemon", "stop"], check=True, **quiet)
pid, status = os.waitpid(main, 0)
print("ended", os.waitstatus_to_exitcode(status), flush=True)
"#;

#[test]
fn a_forking_unit_finds_the_keeper_as_its_main_process_and_sees_it_end_well() {
    let s = Sandbox::new();
    let manager = s.file("manager.py", MANAGER);
    let mut go = s.fifo("go");
    let mut command = Command::new("sh");
    let adasa = s.command();
    command.env_clear();
    for (name, value) in adasa.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.current_dir(s.root()).args([
        "-c",
        "exec python3 \"$1\" \"$2\" <go >said",
        "sh",
        manager.to_str().unwrap(),
        ADASA,
    ]);
    let running = spawn(command);
    let said = s.until_file("said", |text| text.ends_with('\n'));
    let keeper = s.role("keeper_pid");
    assert_eq!(said, format!("main {}\n", keeper.pid));
    s.start("api", &child::stays(&s), &[]);
    let api = s.known("api");
    go.say("stop");
    let _ = running.output().success();
    assert!(s.read("said").ends_with("ended 0\n"), "{}", s.read("said"));
    assert!(!api.is_alive() && !keeper.is_alive());
}
