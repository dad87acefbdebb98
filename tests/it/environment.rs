//! Which variables a child sees: the caller's for `start`, a base set for files, the daemon's own never.

use std::collections::BTreeMap;

use crate::child;
use crate::logs::follow::shell;
use crate::sandbox::{Sandbox, spawn};

fn environment(s: &Sandbox, name: &str) -> BTreeMap<String, String> {
    let text = s.until_file(format!("{name}.env"), |text| !text.is_empty());
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[test]
fn start_keeps_the_callers_environment_less_terminal_and_login_variables() {
    let s = Sandbox::new();
    let _ = s
        .run_with(&[("LEAK", "daemon")], &["daemon", "start"])
        .success();
    let program = child::shows_environment(&s, "mine");
    let caller = [
        ("MINE", "a b=c"),
        ("TERM", "xterm"),
        ("SSH_TTY", "/dev/pts/9"),
        ("SSH_CONNECTION", "1 2 3 4"),
    ];
    let args = ["start", &program, "--name", "mine", "--env", "GIVEN=1=2"];
    let _ = s.run_with(&caller, &args).stderr("").success();
    let env = environment(&s, "mine");
    assert_eq!(env["MINE"], "a b=c");
    assert_eq!(env["GIVEN"], "1=2");
    assert_eq!(env["HOME"], s.root().to_str().unwrap());
    for gone in ["LEAK", "TERM", "SSH_TTY", "SSH_CONNECTION"] {
        assert!(!env.contains_key(gone), "{gone} in {env:?}");
    }
}

#[test]
fn the_callers_environment_is_kept_over_restarts_of_process_and_daemon() {
    let s = Sandbox::new();
    let program = child::shows_environment(&s, "mine");
    let args = ["start", &program, "--name", "mine"];
    let _ = s.run_with(&[("MINE", "first")], &args).success();
    environment(&s, "mine");
    let again: [&[&str]; 3] = [
        &["restart", "mine"],
        &["daemon", "restart"],
        &["restart", "mine"],
    ];
    for (n, args) in again.into_iter().enumerate() {
        if args[0] == "restart" {
            std::fs::remove_file(s.path("mine.env")).unwrap();
        }
        let _ = s.run_with(&[("MINE", "other")], args).stderr("").success();
        assert_eq!(environment(&s, "mine")["MINE"], "first", "after step {n}");
    }
    std::fs::remove_file(s.path("mine.env")).unwrap();
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    let _ = s
        .run_with(&[("MINE", "other")], &["daemon", "start"])
        .success();
    assert_eq!(environment(&s, "mine")["MINE"], "first");
}

#[test]
fn children_are_told_who_they_are() {
    let s = Sandbox::new();
    let body = "env >\"$HOME/$ADASA_INSTANCE.new\"; mv \"$HOME/$ADASA_INSTANCE.new\" \"$HOME/$ADASA_INSTANCE.env\"\nexec sleep 1000";
    let program = s.script("who", body);
    s.start("who", &program, &["--instances", "2"]);
    for n in ["0", "1"] {
        let env = environment(&s, n);
        let row = s.row(&format!("who-{n}"));
        assert!(env["ADASA_NAME"].starts_with("who"), "{env:?}");
        assert_eq!(env["ADASA_ID"], row["id"].to_string());
        assert_eq!(env["ADASA_INSTANCE"], n);
        assert!(!env["ADASA_RUN"].is_empty());
    }
}

#[test]
fn a_definition_from_a_file_gets_a_base_set_and_what_it_declares() {
    let s = Sandbox::new();
    let define = |name: &str, more: &str| {
        let program = child::shows_environment(&s, name);
        format!("[[processes]]\nname = \"{name}\"\nscript = \"{program}\"\n{more}\n")
    };
    let text = define("base", "env = { DECLARED = \"yes\" }")
        + &define("everything", "inherit_env = true")
        + &define("some", "inherit_env = [\"APP_*\"]");
    s.file("adasa.toml", text);
    let _ = s
        .run_with(&[("LEAK", "daemon")], &["daemon", "start"])
        .success();
    let caller = [
        ("USER", "somebody"),
        ("LANG", "C.UTF-8"),
        ("LC_TIME", "C"),
        ("TZ", "UTC"),
        ("APP_KEY", "k"),
        ("OTHER", "o"),
    ];
    let _ = s
        .run_with(&caller, &["start", "--config", "adasa.toml"])
        .stderr("")
        .success();
    let base = environment(&s, "base");
    for (key, value) in &caller[..4] {
        assert_eq!(base[*key], *value, "{key}");
    }
    assert_eq!(base["DECLARED"], "yes");
    assert!(base.contains_key("PATH") && base.contains_key("HOME"));
    for gone in ["APP_KEY", "OTHER", "LEAK"] {
        assert!(!base.contains_key(gone), "{gone} in {base:?}");
    }
    let everything = environment(&s, "everything");
    assert_eq!((&*everything["APP_KEY"], &*everything["OTHER"]), ("k", "o"));
    assert!(!everything.contains_key("LEAK"));
    let some = environment(&s, "some");
    assert_eq!(some["APP_KEY"], "k");
    assert!(!some.contains_key("OTHER") && !some.contains_key("LEAK"));
}

#[test]
fn values_of_the_environment_are_masked_in_every_output() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let args = [
        "start",
        &program,
        "--name",
        "api",
        "--env",
        "TOKEN=hush-hush",
    ];
    let _ = s.run(&args).stdout_lacks("hush-hush").stderr("").success();
    let status = s
        .run(&["status", "api", "--json"])
        .stdout_lacks("hush-hush");
    assert_eq!(status.success().json()[0]["env"]["TOKEN"], "***");
    let _ = s
        .run(&["status", "api"])
        .stdout_lacks("hush-hush")
        .success();
    let _ = s
        .run(&["list", "--json"])
        .stdout_lacks("hush-hush")
        .success();
}

#[test]
fn the_working_folder_is_the_callers_or_the_given_one() {
    let s = Sandbox::new();
    s.file("sub/deep/file", "");
    let program = s.script("where", "pwd >\"$HOME/$ADASA_NAME.new\"; mv \"$HOME/$ADASA_NAME.new\" \"$HOME/$ADASA_NAME.pwd\"\nexec sleep 1000");
    let sub = s.path("sub");
    let _ = s
        .run_in(&sub, &["start", &program, "--name", "here"])
        .success();
    let there = ["start", &program, "--name", "there", "--cwd", "deep"];
    let _ = s.run_in(&sub, &there).stderr("").success();
    let nowhere = s.run(&["start", &program, "--name", "nowhere", "--cwd", "absent"]);
    assert_ne!(nowhere.status.code(), Some(0), "{nowhere}");
    let _ = nowhere.stderr_has("absent");
    let pwd = |name: &str| s.until_file(format!("{name}.pwd"), |text| text.ends_with('\n'));
    assert_eq!(pwd("here"), format!("{}\n", sub.display()));
    assert_eq!(pwd("there"), format!("{}/deep\n", sub.display()));
}

#[test]
fn a_child_begins_as_a_shell_would_begin_it() {
    let s = Sandbox::new();
    let tell = "ulimit -Sn; grep -E '^Sig(Blk|Ign)' /proc/self/status; echo /proc/self/fd/*; exec sleep 1000";
    // A shell that ignores what a child must not, with fewer descriptors than the keeper takes for itself.
    let script = "trap '' PIPE XFSZ INT HUP; ulimit -Sn 200; exec \"$ADASA_BIN\" start sh --name it -- -c \"$1\" 9<&0";
    let mut command = shell(&s, script);
    command.args(["sh", tell]);
    let _ = spawn(command).output().stderr("").success();
    let _ = s.rows();
    let text = s.until_file("home/logs/default/it/0.out.log", |text| {
        text.contains("/proc/self/fd/") && text.ends_with('\n')
    });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "200", "its own limit of open files\n{text}");
    let mask = |line: &str| {
        let digits = line.split_whitespace().nth(1).unwrap();
        u64::from_str_radix(digits, 16).unwrap()
    };
    // What is above 31 is the C library's own.
    assert_eq!(
        mask(lines[1]) & 0x7fff_ffff,
        0,
        "nothing is blocked\n{text}"
    );
    assert_eq!(
        mask(lines[2]) & 0x7fff_ffff,
        0,
        "nothing is ignored\n{text}"
    );
    // The shell's own look at the folder is the fourth.
    let open = lines[3].split_whitespace().count();
    assert!(open <= 4, "no descriptor of adasa is left open\n{text}");
    assert!(lines[3].starts_with("/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2"));
}
