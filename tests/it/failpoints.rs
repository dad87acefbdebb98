//! A role is killed at each point of the code where it touches the outside, one after the other, while a bit of
//! everything is done; after each, what the programs themselves told must be true. The points are read from the source:
//! a new one is killed at too, or the test says that nothing reaches it.

mod acts;
mod dashboard;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use nix::sys::signal::Signal;
use regex::Regex;

use crate::oracle::Oracle;
use crate::sandbox::Sandbox;

/// How many points are tried at the same time.
const AT_ONCE: usize = 3;

fn collect(folder: &Path, points: &mut BTreeSet<String>) {
    let point = Regex::new(r#"failpoint!\(\s*"([a-z_.]+)""#).expect("a pattern");
    for entry in fs::read_dir(folder).expect("the source") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, points);
        } else {
            let text = fs::read_to_string(&path).expect("text");
            for found in point.captures_iter(&text) {
                let new = points.insert(found[1].to_owned());
                assert!(new, "two points are called {}", &found[1]);
            }
        }
    }
}

/// All points of the source whose name begins so; `ADASA_FAILPOINT` picks one.
fn points(of: &str) -> Vec<String> {
    let mut points = BTreeSet::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut points,
    );
    let only = std::env::var("ADASA_FAILPOINT").ok();
    let wanted = |name: &String| {
        let begins = name.split('.').next() == Some(of);
        begins && only.as_ref().is_none_or(|only| only == name)
    };
    let points: Vec<String> = points.into_iter().filter(wanted).collect();
    assert!(only.is_some() || !points.is_empty(), "no point of {of}");
    points
}

fn arm(home: &Sandbox, point: &str, role: &str, nth: u32) {
    home.file(
        &format!("home/failpoints/{point}"),
        format!("{role} {nth} kill"),
    );
}

fn has_fired(home: &Sandbox, point: &str) -> bool {
    !home.path(&format!("home/failpoints/{point}")).exists()
}

/// `start` of a program that tells, with a line every ten milliseconds; its first run has begun.
#[track_caller]
fn start(home: &Sandbox, oracle: &Oracle<'_>, name: &str, flags: &[&str]) {
    let mut args = vec!["start", &oracle.program, "--name", name];
    args.extend(flags);
    args.extend(["--", "0.01"]);
    drop(home.run(&args).success());
    oracle.until_runs(name, 1);
}

/// A bit of everything, with a role killed at the point; then what must hold.
fn play(point: &str, role: &str, nth: u32) {
    let home = Sandbox::new();
    let oracle = Oracle::new(&home);
    let run = |args: &[&str]| drop(home.run(args).success());
    start(&home, &oracle, "writer", &[]);
    start(&home, &oracle, "victim", &["--restart-delay", "0"]);
    start(&home, &oracle, "noise", &[]);
    let kept = |size: &str| {
        let settings = "script = \"sleep\"\nargs = [\"1000\"]\nlog_max_size";
        let text = format!("[[processes]]\nname = \"kept\"\n{settings} = \"{size}\"\n");
        home.file("kept.toml", text);
    };
    kept("1MiB");
    run(&["start", "--config", "kept.toml"]);
    let bad = home.file_mode("bad", "#!/no/such/interpreter\n", 0o755);
    let writer = oracle.assert_up("writer");
    // The next line fills each journal of the history.
    for journal in ["events.jsonl", "runs.jsonl"] {
        let path = home.home().join("state/history").join(journal);
        let file = fs::OpenOptions::new().append(true).open(path);
        // Lines as long as those of a journal are, and none of them is one.
        let filling = format!("{:200}\n", "").repeat(22_000);
        std::io::Write::write_all(&mut file.expect("a journal"), filling.as_bytes()).expect("room");
    }
    arm(&home, point, role, nth);

    let runs = oracle.told("victim").len();
    oracle.assert_up("victim").signal(Signal::SIGUSR1);
    oracle.until_runs("victim", runs + 1);
    let crashed = oracle.told("victim")[runs - 1];
    assert_eq!(crashed.end.map(|end| end.0), Some(7));
    let row = home.until_status("victim", "running");
    let restarts = row["restarts"].as_u64();
    assert!(restarts.is_some_and(|restarts| restarts > 0), "{row}");

    run(&["logs", "writer", "--rotate"]);
    kept("2MiB");
    run(&["reload", "--config", "kept.toml"]);
    run(&["restart", "victim"]);
    oracle.until_runs("victim", runs + 2);
    run(&["stop", "victim"]);
    oracle.assert_gone("victim");
    assert_eq!(home.status("victim"), "stopped");
    run(&["start", "victim"]);
    oracle.until_runs("victim", runs + 3);
    run(&["flush", "noise"]);
    start(&home, &oracle, "late", &[]);
    let bad = bad.to_str().expect("text");
    let refused = home.run(&["start", bad, "--name", "bad", "--restart", "never"]);
    drop(refused.code(1));
    run(&["delete", "late"]);
    oracle.assert_gone("late");
    run(&["delete", "bad"]);
    run(&["daemon", "restart"]);
    run(&["logs", "writer", "--rotate"]);
    run(&["restart", "victim"]);
    oracle.until_runs("victim", runs + 4);
    assert!(home.find_row("late").is_none());

    home.until_status("victim", "running");
    oracle.assert_up("victim");
    assert_eq!(
        oracle.assert_up("writer"),
        writer,
        "the writer was replaced"
    );
    assert_eq!(oracle.told("writer").len(), 1);
    run(&["stop", "all"]);
    for name in ["writer", "victim", "noise"] {
        oracle.assert_gone(name);
        assert_eq!(home.status(name), "stopped");
    }
    oracle.assert_every_line_once("writer", &BTreeSet::new());
    oracle.assert_every_line_once("victim", &BTreeSet::new());
    let names = || home.rows().iter().map(|r| r["name"].clone()).collect();
    let before: Vec<_> = names();
    run(&["daemon", "stop"]);
    run(&["daemon", "start"]);
    assert_eq!(names(), before);
    assert_eq!(home.status("victim"), "stopped", "it was not wanted up");
    let reached = has_fired(&home, point);
    assert!(
        reached,
        "nothing in this test passes {point}: add what does"
    );
}

/// Plays all of these, some at a time; says which failed.
fn play_all(points: Vec<String>, role: &str) {
    let (waiting, failed) = (Mutex::new(points), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok()?.pop();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(point) = next() {
                    println!("{point}");
                    let played = std::panic::catch_unwind(|| play(&point, role, 1));
                    if played.is_err()
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.push(point);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    assert!(failed.is_empty(), "not survived: {failed:?}");
}

#[test]
fn a_daemon_killed_at_any_point_costs_nothing() {
    play_all(points("daemon"), "daemon");
}

#[test]
fn a_scribe_killed_at_any_point_costs_nothing() {
    play_all(points("scribe"), "scribe");
}

#[test]
fn a_keeper_killed_at_any_point_costs_nothing() {
    play_all(points("keeper"), "keeper");
}

/// The client that asked goes on or gives up, as it finds the keeper; the next one finds one run at most.
#[test]
fn a_keeper_killed_while_it_makes_a_child_leaves_none_that_nobody_knows() {
    for point in points("keeper") {
        if !point.starts_with("keeper.spawn.") {
            continue;
        }
        let home = Sandbox::new();
        let oracle = Oracle::new(&home);
        drop(home.run(&["daemon", "start"]).success());
        let keeper = home.role("keeper_pid");
        arm(&home, &point, "keeper", 1);
        let start = ["start", &oracle.program, "--name", "one", "--", "0.01"];
        drop(home.run(&start).success());
        assert!(has_fired(&home, &point), "{point} is not passed");
        home.until_gone(keeper);
        home.wait_for("a run", |home| {
            drop(home.run(&["list"]));
            let row = home.find_row("one")?;
            let pid = row["pid"].as_i64()?;
            oracle
                .told("one")
                .last()
                .filter(|told| i64::from(told.pid) == pid)
                .map(|_| ())
        });
        let row = home.until_status("one", "running");
        assert_eq!(row["restarts"], 0, "{point} counts as a failure");
        oracle.assert_up("one");
        assert_eq!(oracle.told("one").len(), 1, "{point}");
        drop(home.run(&["stop", "one"]).success());
        for told in oracle.told("one") {
            assert!(told.end.is_some(), "{point}: nobody stopped {told:?}");
        }
    }
}

#[test]
fn a_child_killed_before_it_is_the_program_costs_nothing() {
    play_all(points("child"), "keeper");
}

#[test]
fn a_client_killed_while_it_starts_a_daemon_is_in_nobodys_way() {
    for point in points("client") {
        let home = Sandbox::new();
        arm(&home, &point, "client", 1);
        let killed = home.run(&["list", "--json"]);
        assert_eq!(killed.status.code(), None, "{point}: {killed}");
        assert!(has_fired(&home, &point));
        let oracle = Oracle::new(&home);
        start(&home, &oracle, "one", &[]);
        oracle.assert_up("one");
        assert_eq!(home.adasas().len(), 3, "{point}: one of each role");
    }
}
