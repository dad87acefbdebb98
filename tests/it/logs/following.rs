//! `logs -f`: every line once, in order, whatever happens to the process, its files or the daemon meanwhile.

use std::fs;

use serde_json::Value;

use super::follow::{Follow, when};
use super::{Talker, log_of};
use crate::sandbox::Sandbox;

#[test]
fn following_shows_the_last_lines_and_then_what_comes() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    talker.say("out", "old");
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f", "--lines", "1"]);
    follow.expect(&["old"]);
    for line in ["new", "", "  spaces kept  x", "newer"] {
        talker.ask("out", line);
        let shown = follow.line();
        assert_eq!(shown.trim_start(), line.trim_start());
    }
    talker.ask("err", "from the other stream");
    follow.expect(&["from the other stream"]);
    let output = follow.interrupt();
    assert_eq!(
        output.stderr, "",
        "an interrupted follower has nothing to complain of"
    );
}

#[test]
fn following_one_stream_shows_that_stream() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    talker.say("err", "first");
    let mut follow = Follow::start(&sandbox, &["logs", "web", "--follow", "--stderr"]);
    follow.expect(&["first"]);
    talker.say("out", "not for this reader");
    talker.ask("err", "second");
    follow.expect(&["second"]);
    follow.interrupt();
}

#[test]
fn following_several_says_whose_line_it_is() {
    let sandbox = Sandbox::new();
    let mut a = Talker::start(&sandbox, "a", &[]);
    let mut b = Talker::start(&sandbox, "b", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "a", "b", "-f"]);
    let first = [follow.line(), follow.line()];
    assert!(
        first[0].ends_with("ready a") && first[1].ends_with("ready b"),
        "{first:?}"
    );
    for round in 0..5 {
        a.ask("out", &format!("a{round}"));
        let line = follow.line();
        assert!(
            line.starts_with('a') && line.ends_with(&format!("a{round}")),
            "{line:?}"
        );
        b.ask("err", &format!("b{round}"));
        let line = follow.line();
        assert!(
            line.starts_with('b') && line.ends_with(&format!("b{round}")),
            "{line:?}"
        );
    }
    follow.interrupt();
}

#[test]
fn following_goes_on_across_a_restart() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f", "--json"]);
    let mut next = |expected: &str| -> Value {
        let row: Value = serde_json::from_str(&follow.line()).unwrap();
        assert_eq!(row["line"], expected);
        row["run"].clone()
    };
    let first = next("ready web");
    talker.ask("out", "before");
    next("before");
    sandbox.run(&["restart", "web"]).success();
    let second = next("ready web");
    assert!(second.as_u64() > first.as_u64(), "{first} then {second}");
    talker.ask("out", "after");
    assert_eq!(next("after"), second);
    sandbox.run(&["stop", "web"]).success();
    sandbox.run(&["start", "web"]).success();
    next("ready web");
    follow.interrupt();
}

#[test]
fn following_goes_on_across_rotation() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f"]);
    follow.expect(&["ready web"]);
    for round in 0..4 {
        talker.ask("out", &format!("before {round}"));
        follow.expect(&[&format!("before {round}")]);
        sandbox.run(&["logs", "web", "--rotate"]).success();
        talker.ask("out", &format!("after {round}"));
        follow.expect(&[&format!("after {round}")]);
    }
    follow.interrupt();
}

#[test]
fn following_goes_on_after_a_clear() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f"]);
    follow.expect(&["ready web"]);
    sandbox.run(&["logs", "web", "--clear"]).success();
    talker.ask("out", "a clean page");
    follow.expect(&["a clean page"]);
    follow.interrupt();
}

#[test]
fn following_goes_on_when_the_daemon_is_killed() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let pid = sandbox.pid("web");
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f"]);
    follow.expect(&["ready web"]);
    for round in 0..3 {
        let victim = sandbox.murder("pid");
        talker.ask("out", &format!("while it is dead {round}"));
        follow.expect(&[&format!("while it is dead {round}")]);
        sandbox.wait_for("another daemon", |s| {
            s.daemon_status()
                .filter(|status| status["pid"].as_i64() != Some(i64::from(victim.pid)))
        });
        talker.ask("out", &format!("and again {round}"));
        follow.expect(&[&format!("and again {round}")]);
    }
    assert_eq!(sandbox.pid("web"), pid);
    follow.interrupt();
}

#[test]
fn following_goes_on_when_the_scribe_is_killed() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f"]);
    follow.expect(&["ready web"]);
    for round in 0..3 {
        sandbox.murder("scribe_pid");
        talker.ask("out", &format!("line {round}"));
        follow.expect(&[&format!("line {round}")]);
    }
    follow.interrupt();
    assert_eq!(
        fs::read_to_string(log_of(&sandbox, "web", "out")).unwrap(),
        "ready web\nline 0\nline 1\nline 2\n"
    );
}

#[test]
fn a_follower_that_reads_nothing_holds_nobody_up() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let mut follow = Follow::start(&sandbox, &["logs", "web", "-f"]);
    follow.expect(&["ready web"]);
    let long = "y".repeat(2000);
    for _ in 0..200 {
        talker.ask("out", &long);
    }
    let log = log_of(&sandbox, "web", "out");
    let written = "ready web\n".len() + 200 * 2001;
    when(
        log.parent().unwrap(),
        "the whole output in the file",
        || {
            let now = fs::metadata(&log).map_or(0, |m| m.len());
            if now == written as u64 {
                Ok(())
            } else {
                Err(format!("{now} of {written} bytes"))
            }
        },
    );
    assert_eq!(sandbox.status("web"), "running");
    sandbox.run(&["stop", "web"]).success();
    follow.until_bytes(written);
    assert!(
        follow.bytes[10..]
            .chunks(2001)
            .all(|line| line[..2000] == *long.as_bytes())
    );
    follow.interrupt();
}
