//! What is remembered of runs: how each ended, at whose word, what it wrote last, over the death of the daemon.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::child;
use crate::http::get;
use crate::sandbox::Sandbox;

/// The runs of a process of one instance, newest first.
fn runs(s: &Sandbox, name: &str) -> Vec<Value> {
    let answer = get(s, &format!("/api/processes/{name}/runs"));
    assert_eq!(answer[0]["name"], name, "{answer}");
    answer[0]["runs"].as_array().unwrap().clone()
}

/// The runs once that of this number is as wanted: the journal is written beside what is told.
fn until(s: &Sandbox, name: &str, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    s.wait_for(what, |s| {
        let runs = runs(s, name);
        holds(&runs).then_some(runs)
    })
}

/// Says its number on standard error, then that it has begun, then obeys.
fn talks(s: &Sandbox) -> String {
    let (runs, fifo) = (s.path("job.runs"), s.path("job.fifo"));
    let body = format!(
        ": >>{0}\necho \"trouble $(($(wc -l <{0}) + 1))\" >&2\necho $$ >>{0}\nread code <{1}\nexit \"$code\"",
        runs.display(),
        fifo.display()
    );
    s.script("job", &body)
}

#[test]
fn each_run_is_known_with_its_end_its_author_and_its_last_words_also_after_the_daemon_was_killed() {
    let s = Sandbox::new();
    let mut fifo = s.fifo("job.fifo");
    s.start("job", &talks(&s), &["--restart-delay", "0"]);
    s.until_file("job.runs", |text| text.lines().count() == 1);
    fifo.say("7");
    s.until_file("job.runs", |text| text.lines().count() == 2);
    let first = s.until_status("job", "running")["run"].as_u64().unwrap() - 1;
    s.murder("pid");
    s.known("job").signal(Signal::SIGSEGV);
    s.until_file("job.runs", |text| text.lines().count() == 3);
    let _ = s.run(&["restart", "job"]).success();
    s.until_file("job.runs", |text| text.lines().count() == 4);
    let found = until(&s, "job", "four runs with their last words", |runs| {
        runs.len() == 4 && runs.iter().all(|run| run["stderr"] != json!([]))
    });
    let numbers: Vec<u64> = found.iter().map(|r| r["run"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [first + 3, first + 2, first + 1, first]);
    for (n, run) in found.iter().rev().enumerate() {
        assert_eq!(
            run["stderr"],
            json!([format!("trouble {}", n + 1)]),
            "{run}"
        );
        assert!(run["pid"].as_i64() > Some(1) && run["begun_ms"].as_u64().is_some());
    }
    let [now, asked, shot, seven] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(now["state"], "running");
    assert_eq!(now["begun_by"]["verb"], "restart");
    assert_eq!(asked["ended"]["reason"]["asker"]["verb"], "restart");
    assert_eq!(asked["begun_by"]["who"], "policy");
    assert_eq!(shot["exit"]["signal"], "SIGSEGV");
    assert_eq!(shot["ended"]["reason"]["cause"], "itself");
    assert_eq!(seven["exit"]["code"], 7);
    assert_eq!(seven["begun_by"]["verb"], "start");
}

#[test]
fn how_many_are_told_can_be_chosen_and_nonsense_is_refused() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "0", "--max-restarts", "5"];
    s.launch("job", &child::exits(&s, "job", 1), &flags);
    s.until_status("job", "errored");
    until(&s, "job", "five ended runs", |runs| {
        runs.len() == 5 && runs.iter().all(|run| run["state"] == "ended")
    });
    let two = get(&s, "/api/processes/job/runs?limit=2&lines=0");
    assert_eq!(two[0]["runs"].as_array().unwrap().len(), 2);
}
