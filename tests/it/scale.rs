//! Another number of instances: what is said, what stays as it was, and what a next daemon and an undo make of it.

use crate::child;
use crate::sandbox::Sandbox;

#[test]
fn a_process_grows_and_shrinks_and_the_others_are_not_touched() {
    let s = Sandbox::new();
    s.start("web", &child::stays(&s), &["--instances", "2"]);
    let before = [s.known("web-0"), s.known("web-1")];
    let grown = s.run(&["scale", "web", "4"]).success().stderr("");
    let _ = grown
        .stdout_has("web scaled from 2 to 4\n")
        .stdout_has("web-2 started (pid ")
        .stdout_has("web-3 started (pid ");
    assert_eq!(s.rows().len(), 4);
    let last = s.known("web-3");
    let shrunk = s.run(&["scale", "web", "-1"]).success().stderr("");
    let _ = shrunk.stdout("web scaled from 4 to 3\nweb-3 deleted\n");
    s.until_gone(last);
    let _ = s
        .run(&["scale", "web", "3"])
        .success()
        .stdout("web unchanged has 3 already\n");
    let _ = s.run(&["scale", "default/web", "+1"]).success();
    assert_eq!([s.known("web-0"), s.known("web-1")], before);
    let json = s.run(&["scale", "web", "2", "--json"]).success().json();
    assert_eq!(json["results"][0]["action"], "scaled");
    assert_eq!(json["operation"]["verb"], "scale");
    assert_eq!(json["operation"]["targets"][0]["verb"], "delete");
    assert_eq!(s.rows().len(), 2);
}

#[test]
fn the_next_daemon_knows_the_number_and_undo_brings_the_old_one_back() {
    let s = Sandbox::new();
    s.start("web", &child::stays(&s), &[]);
    let _ = s.run(&["scale", "web", "+2", "--durable"]).success();
    s.murder("pid");
    assert_eq!(s.rows().len(), 3);
    let listed = s.run(&["undo", "--list"]).success();
    let _ = listed
        .stdout_has("scale by")
        .stdout_has("would scale web back to 1");
    let back = s.run(&["undo"]).success().stderr("");
    let _ = back.stdout("web-2 deleted\nweb-1 deleted\n");
    assert_eq!(s.status("web"), "running");
    // After a reboot, so to speak.
    let _ = s.run(&["scale", "web", "2"]).success();
    let _ = s.run(&["daemon", "stop"]).success();
    let _ = s.run(&["daemon", "start"]).success();
    s.until_status("web-1", "running");
}

#[test]
fn what_a_file_defines_is_scaled_until_the_file_comes_again() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let text = format!("[[processes]]\nname = \"web\"\nscript = {program:?}\ninstances = 2\n");
    let file = s.file("adasa.toml", text);
    let _ = s.run(&["up", "-d"]).success();
    let scaled = s.run(&["scale", "web", "3"]).success();
    let told = format!(
        "web scaled from 2 to 3, until {} is brought in force again",
        file.display()
    );
    let _ = scaled.stdout_has(&told);
    let _ = s.run(&["reload", "--config", "adasa.toml"]).success();
    s.wait_for("two are left", |s| (s.rows().len() == 2).then_some(()));
}

#[test]
fn what_cannot_be_says_why_and_changes_nothing() {
    let s = Sandbox::new();
    s.start("web", &child::stays(&s), &["--instances", "2"]);
    for (args, code, why) in [
        (
            &["scale", "web", "0"][..],
            2,
            "a process has 1 to 1000 instances, and cannot have 0",
        ),
        (&["scale", "web", "-2"][..], 2, "cannot have 2-2"),
        (&["scale", "web-1", "3"][..], 2, "web-1 is not all of web"),
        (&["scale", "wbe", "3"][..], 4, "did you mean \"web"),
        (
            &["scale", "web", "many"][..],
            2,
            "\"many\" is no number of instances",
        ),
        (&["scale", "web"][..], 2, "<N>"),
    ] {
        let _ = s.run(args).code(code).stderr_has(why);
    }
    assert_eq!(s.rows().len(), 2);
}
