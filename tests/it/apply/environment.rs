//! The environment of a process from a file: a small base set, what it declares, and what it asks to inherit.

use std::collections::BTreeMap;

use crate::sandbox::Sandbox;

/// What the caller of `start --config` has.
const CALLER: [(&str, &str); 12] = [
    ("USER", "somebody"),
    ("SHELL", "/bin/test-shell"),
    ("LANG", "C"),
    ("LC_TIME", "C"),
    ("TZ", "UTC"),
    ("TMPDIR", "/tmp"),
    ("SECRET_TOKEN", "hunter2"),
    ("SECRET_OTHER", "hunter3"),
    ("SERVICE_URL", "http://caller"),
    ("TERM", "xterm"),
    ("SSH_TTY", "/dev/pts/9"),
    ("LEVEL", "caller"),
];

/// The environment that a process with these settings has.
fn environment(sandbox: &Sandbox, name: &str, settings: &str) -> BTreeMap<String, String> {
    let to = sandbox.path(&format!("{name}.env"));
    sandbox.script(
        name,
        &format!(
            "env >'{0}.part' && mv '{0}.part' '{0}'; exec sleep 1000",
            to.display()
        ),
    );
    let config = format!("[[processes]]\nname = \"{name}\"\nscript = \"./{name}\"\n{settings}\n");
    let file = sandbox.file(&format!("{name}.toml"), config);
    sandbox
        .run_with(&CALLER, &["start", "--config", file.to_str().unwrap()])
        .success();
    let text = sandbox.until_file(&to, |text| text.ends_with('\n'));
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

fn has<'a>(env: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    env.get(name).map(String::as_str)
}

#[test]
fn a_file_gives_the_base_set_and_what_it_declares() {
    let sandbox = Sandbox::new();
    // The daemon has an environment of its own, which is nobody's.
    sandbox
        .run_with(
            &[("DAEMON_ONLY", "1"), ("LANG", "de_DE")],
            &["daemon", "start"],
        )
        .success();
    let env = environment(
        &sandbox,
        "plain",
        "env = { LEVEL = \"declared\", EMPTY = \"\" }",
    );
    for (name, value) in &CALLER[..6] {
        assert_eq!(has(&env, name), Some(*value), "{name} is in the base set");
    }
    assert_eq!(has(&env, "HOME"), sandbox.root().to_str());
    assert_eq!(has(&env, "PATH"), std::env::var("PATH").ok().as_deref());
    assert_eq!(has(&env, "LEVEL"), Some("declared"));
    assert_eq!(has(&env, "EMPTY"), Some(""));
    for name in [
        "SECRET_TOKEN",
        "SERVICE_URL",
        "TERM",
        "SSH_TTY",
        "DAEMON_ONLY",
        "ADASA_HOME",
    ] {
        assert_eq!(has(&env, name), None, "{name} is nobody's business");
    }
    assert_eq!(has(&env, "ADASA_NAME"), Some("plain"));
    assert_eq!(has(&env, "ADASA_INSTANCE"), Some("0"));
    assert_eq!(
        has(&env, "ADASA_ID").map(str::to_owned),
        Some(sandbox.row("plain")["id"].to_string())
    );
    assert!(has(&env, "ADASA_RUN").is_some_and(|run| !run.is_empty()));
}

#[test]
fn the_callers_environment_is_inherited_when_asked_for() {
    let sandbox = Sandbox::new();
    sandbox
        .run_with(&[("DAEMON_ONLY", "1")], &["daemon", "start"])
        .success();
    let env = environment(
        &sandbox,
        "all-of-it",
        "inherit_env = true\nenv = { LEVEL = \"declared\" }",
    );
    assert_eq!(has(&env, "SECRET_TOKEN"), Some("hunter2"));
    assert_eq!(has(&env, "SERVICE_URL"), Some("http://caller"));
    assert_eq!(
        has(&env, "LEVEL"),
        Some("declared"),
        "what is declared wins"
    );
    assert_eq!(has(&env, "DAEMON_ONLY"), None);
}

#[test]
fn parts_of_the_callers_environment_are_inherited_by_pattern() {
    let sandbox = Sandbox::new();
    let env = environment(
        &sandbox,
        "some-of-it",
        "inherit_env = [\"SECRET_*\", \"LEVEL\"]",
    );
    assert_eq!(has(&env, "SECRET_TOKEN"), Some("hunter2"));
    assert_eq!(has(&env, "SECRET_OTHER"), Some("hunter3"));
    assert_eq!(has(&env, "LEVEL"), Some("caller"));
    assert_eq!(has(&env, "SERVICE_URL"), None);
    assert_eq!(has(&env, "LANG"), Some("C"), "the base set is there too");
}

#[test]
fn a_process_started_again_by_adasa_keeps_its_environment() {
    let sandbox = Sandbox::new();
    let before = environment(&sandbox, "same", "inherit_env = [\"SECRET_*\"]");
    std::fs::remove_file(sandbox.path("same.env")).unwrap();
    sandbox
        .run_with(
            &[("SECRET_TOKEN", "other"), ("TZ", "Asia/Tokyo")],
            &["restart", "same"],
        )
        .success();
    let text = sandbox.until_file("same.env", |text| text.ends_with('\n'));
    let mut after: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let mut before: BTreeMap<_, _> = before
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_ne!(
        before.remove("ADASA_RUN"),
        after.remove("ADASA_RUN"),
        "each run has its own mark"
    );
    assert_eq!(before, after);
}

#[test]
fn instances_know_which_they_are() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "who",
        "echo \"$ADASA_NAME $ADASA_INSTANCE\"; exec sleep 1000",
    );
    sandbox.file(
        "who.toml",
        "name = \"who\"\nscript = \"./who\"\ninstances = 3\n",
    );
    sandbox.run(&["start", "--config", "who.toml"]).success();
    for number in 0..3 {
        let log = sandbox
            .home()
            .join(format!("logs/default/who/{number}.out.log"));
        let said = sandbox.until_file(log, |text| text.ends_with('\n'));
        assert!(
            said.starts_with("who") && said.ends_with(&format!(" {number}\n")),
            "{said:?}"
        );
    }
}
