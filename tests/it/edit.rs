//! A definition edited by hand: what is shown, what is kept, what is refused.

use crate::child;
use crate::sandbox::{Output, Sandbox};

/// `adasa edit NAME` with an editor that is this script; the file is its first argument.
fn edit(s: &Sandbox, script: &str, flags: &[&str]) -> Output {
    let editor = s.script("editor", script);
    let mut args = vec!["edit", "api"];
    args.extend(flags);
    s.run_with(&[("EDITOR", &editor)], &args)
}

fn started() -> Sandbox {
    let s = Sandbox::new();
    let flags = ["--env", "TOKEN=secret-7", "--env", "MODE=live$1"];
    s.start("api", &child::shows_environment(&s, "api"), &flags);
    s.until_file("api.env", |text| text.contains("MODE=live$1\n"));
    s
}

#[test]
fn what_is_edited_is_shown_then_in_force_and_masked_values_stay() {
    let s = started();
    let before = s.known("api");
    let live = edit(
        &s,
        "sed -i 's/^max_restarts = .*/max_restarts = 3/' \"$1\"",
        &["--yes"],
    );
    let _ = live
        .success()
        .stdout_has("- max_restarts = 10\n+ max_restarts = 3\n")
        .stdout_has("nothing is restarted")
        .stdout_has("api changed")
        .stdout_lacks("secret-7");
    assert_eq!(s.known("api"), before);
    let script = "cp \"$1\" seen\nsed -i 's/^\"MODE\" = .*/\"MODE\" = \"test\"/' \"$1\"";
    let replaced = edit(&s, script, &["--yes"]).success();
    let _ = replaced.stdout_has("every instance that runs is restarted");
    s.until_gone(before);
    s.until_file("api.env", |text| text.contains("MODE=test\n"));
    assert!(
        s.read("api.env").contains("TOKEN=secret-7\n"),
        "it stayed as it was"
    );
    assert!(
        s.read("seen").contains("\"TOKEN\" = \"***\""),
        "{}",
        s.read("seen")
    );
    let _ = s.run(&["undo"]).success();
    s.until_file("api.env", |text| text.contains("MODE=live$1\n"));
}

#[test]
fn nothing_is_changed_without_a_yes_by_a_mistake_or_over_somebody_elses_change() {
    let s = started();
    let before = s.known("api");
    let _ = edit(&s, "true", &[]).success().stdout("api is as it was\n");
    let script = "sed -i 's/^max_restarts = .*/max_restarts = 3/' \"$1\"";
    let _ = edit(&s, script, &[])
        .code(1)
        .stderr_has("nothing was changed");
    let wrong = edit(&s, "echo 'insatnces = 3' >\"$1\"", &["--yes"]).code(1);
    let _ = wrong.stderr_has(".toml:1:1: ");
    let _ = edit(&s, "false", &["--yes"])
        .error(1)
        .stderr_has("failed; nothing was changed");
    let adasa = crate::sandbox::ADASA;
    let other = format!("{adasa} scale api 2 >&2\n{script}");
    let stale = edit(&s, &other, &["--yes"]).code(1);
    let _ = stale
        .stderr_has("is another since you looked")
        .stderr_has(": scale by");
    assert_eq!(s.known("api-0"), before);
}
