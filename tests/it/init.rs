//! A config file that is written, edited and started.

use std::fs;

use crate::sandbox::{Output, Sandbox};

/// `adasa init` in the folder of the sandbox, with an editor that is this script; the file is its first argument.
fn init(s: &Sandbox, script: &str, flags: &[&str]) -> Output {
    let editor = s.script("editor", script);
    let mut args = vec!["init"];
    args.extend(flags);
    s.run_with(&[("EDITOR", &editor)], &args)
}

const ONE: &str =
    "printf '[[processes]]\\nname = \"one\"\\nscript = \"sleep\"\\nargs = [\"1000\"]\\n' >>\"$1\"";

#[test]
fn a_new_file_has_comments_is_edited_and_what_it_defines_is_started() {
    let s = Sandbox::new();
    let _ = init(&s, &format!("cp \"$1\" seen\n{ONE}"), &["--yes"])
        .success()
        .stdout("one started\n")
        .stderr_has("adasa.toml is new, with comments");
    assert!(
        s.read("seen").contains("# [[processes]]\n"),
        "{}",
        s.read("seen")
    );
    assert_eq!(s.status("one"), "running");
    // Again it is the file that is there.
    let one = s.known("one");
    let _ = init(&s, "sed -i 's/1000/2000/' \"$1\"", &["--yes"])
        .success()
        .stdout("one replaced\n")
        .stderr_lacks("is new");
    s.until_gone(one);
}

#[test]
fn without_a_yes_nothing_is_started_and_no_daemon_either() {
    let s = Sandbox::new();
    let _ = init(&s, ONE, &[])
        .success()
        .stdout("")
        .stderr_has("adasa start --config adasa.toml starts one");
    assert_eq!(s.daemon_status(), None);
}

#[test]
fn a_file_that_defines_nothing_or_has_a_mistake_is_said_and_stays() {
    let s = Sandbox::new();
    let _ = init(&s, "true", &["--yes"])
        .code(1)
        .stderr_has("adasa.toml defines nothing yet")
        .stderr_has("take the # away");
    let wrong = "echo 'insatnces = 3' >\"$1\"";
    let _ = init(&s, wrong, &["--yes"])
        .code(1)
        .stderr_has("adasa.toml:1:1: ")
        .stderr_has("was left with its mistake; nothing was started");
    assert_eq!(s.read("adasa.toml"), "insatnces = 3\n");
    let _ = init(&s, "false", &["--yes"])
        .code(1)
        .stderr_has("set EDITOR");
    assert_eq!(s.daemon_status(), None);
}

#[test]
fn what_cannot_be_written_is_said_before_an_editor_is_opened() {
    let s = Sandbox::new();
    let opened = "touch opened";
    let _ = init(&s, opened, &["nowhere/adasa.toml"])
        .code(1)
        .stderr_has("nowhere/adasa.toml cannot be made: ");
    let _ = init(&s, opened, &["new.json"])
        .code(2)
        .stderr_has("a file with comments is TOML");
    assert!(!s.path("opened").exists());
    assert!(fs::metadata(s.path("new.json")).is_err());
}
