//! Signals by name: to the main process or its group, told when they cannot be sent, and remembered when they end it.

use crate::child;
use crate::sandbox::Sandbox;

/// Adds its word to `heard` on each HUP and USR1; its pid is in `WORD.ready`.
fn hears(s: &Sandbox, word: &str, first: &str) -> String {
    let (heard, ready) = (s.path("heard"), s.path(&format!("{word}.ready")));
    let body = format!(
        "{first}\ntrap 'echo {word} HUP >>{0}' HUP\ntrap 'echo {word} USR1 >>{0}' USR1\n\
         echo $$ >{1}.new\nmv {1}.new {1}\nwhile :; do sleep 1000 & wait $!; done",
        heard.display(),
        ready.display()
    );
    s.script(word, &body)
}

#[test]
fn a_signal_goes_to_the_main_process_and_with_group_to_all_of_its_group() {
    let s = Sandbox::new();
    let helper = hears(&s, "helper", "");
    let main = hears(&s, "main", &format!("{helper} &"));
    s.start("api", &main, &[]);
    s.until_pid("main.ready");
    s.until_pid("helper.ready");
    let pid = s.pid("api");
    let _ = s
        .run(&["signal", "HUP", "api"])
        .success()
        .stderr("")
        .stdout(&format!(
            "SIGHUP was sent to the main process of api (pid {pid})\n"
        ));
    s.until_file("heard", |text| text == "main HUP\n");
    // As users of other managers type it.
    let _ = s.run(&["kill", "-s", "SIGUSR1", "api"]).success();
    s.until_file("heard", |text| text == "main HUP\nmain USR1\n");
    let _ = s.run(&["sendSignal", "1", "api", "--group"]).success();
    let both = s.until_file("heard", |text| text.lines().count() == 4);
    let mut last: Vec<&str> = both.lines().skip(2).collect();
    last.sort_unstable();
    assert_eq!(
        last,
        ["helper HUP", "main HUP"],
        "the helper got the first two as well"
    );
    assert_eq!(s.pid("api"), pid, "nothing was restarted");
    let status = s.run(&["status", "api", "--json"]).success().json();
    let events = status[0]["events"].to_string();
    assert!(
        events.contains("SIGHUP was sent to the process group by"),
        "{events}"
    );
}

#[test]
fn a_signal_that_ends_a_run_is_remembered_with_who_asked_for_it() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &["--restart-delay", "10ms"]);
    let first = s.known("api");
    let _ = s.run(&["signal", "KILL", "api"]).success();
    s.until_gone(first);
    s.wait_for("it was started again", |s| {
        let row = s.row("api");
        (row["status"] == "running" && row["restarts"] == 1).then_some(())
    });
    let why = s.run(&["why", "api"]).success();
    let _ = why
        .stdout_has("was ended by SIGKILL, sent at the word of")
        .stdout_has("adasa sent it SIGKILL")
        .stdout_lacks("which adasa did not send");
}

#[test]
fn what_gets_no_signal_is_named_and_a_misspelt_one_has_the_nearest() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &["--instances", "2"]);
    let _ = s.run(&["stop", "api-1"]).success();
    let half = s.run(&["signal", "CONT", "api"]).code(1);
    let _ = half
        .stdout_has("SIGCONT was sent to the main process of api-0")
        .stderr_has("api-1 got no signal: it does not run: it is stopped");
    let _ = s
        .run(&["signal", "HPU", "api"])
        .code(2)
        .stderr_has("no signal is called \"HPU\"; did you mean HUP?");
    let _ = s.run(&["signal", "HUP", "nobody"]).error(4);
    let _ = s.run(&["kill", "api"]).code(2).stderr_has("--signal");
    let _ = s.rows();
}
