//! `adasa why`: one answer for the last end of a process, from what was seen and from nothing else.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::child;
use crate::sandbox::Sandbox;

/// The answer about a process of one instance, once it is as wanted: the journal is written beside what is told.
fn until(s: &Sandbox, name: &str, kind: &str) -> Value {
    s.wait_for(&format!("{kind} as the cause"), |s| {
        let answer = s.run(&["why", name, "--json"]).success().json();
        assert_eq!(answer.as_array().map(Vec::len), Some(1), "{answer}");
        (answer[0]["cause"]["kind"] == kind).then(|| answer[0].clone())
    })
}

fn evidence(answer: &Value) -> String {
    let lines = answer["evidence"].as_array().unwrap().iter();
    lines
        .map(|l| l.as_str().unwrap().to_owned() + "\n")
        .collect()
}

fn answer(answer: &Value) -> &str {
    answer["answer"].as_str().unwrap()
}

const NEVER: [&str; 2] = ["--restart", "never"];

#[test]
fn a_failure_is_told_with_its_code_its_last_words_and_what_happens_next() {
    let s = Sandbox::new();
    let script = s.script("job", "echo starting; echo 'no such customer' >&2; exit 3");
    s.launch(
        "job",
        &script,
        &["--restart-delay", "1h", "--max-restarts", "4"],
    );
    s.until_status("job", "backoff");
    let why = until(&s, "job", "failed");
    assert_eq!(why["cause"]["code"], 3);
    assert!(answer(&why).contains("failed with exit 3, after "), "{why}");
    assert_eq!(why["next"]["state"], "retries");
    assert_eq!(
        (&why["next"]["failures"], &why["next"]["allowed"]),
        (&json!(1), &json!(4))
    );
    s.wait_for("its last words", |s| {
        let why = s.run(&["why", "job", "--json"]).success().json();
        (why[0]["stderr"] == json!(["no such customer"])).then_some(())
    });
    let _ = s
        .run(&["why", "job"])
        .success()
        .stdout_has("job waits for its next attempt: run ")
        .stdout_has("(1 of 4 failures)")
        .stdout_has("    no such customer")
        .stdout_lacks("starting")
        .stderr("");
}

#[test]
fn giving_up_says_after_how_many_failures() {
    let s = Sandbox::new();
    let flags = ["--restart-delay", "0", "--max-restarts", "2"];
    s.launch("job", &child::exits(&s, "job", 1), &flags);
    s.until_status("job", "errored");
    let why = until(&s, "job", "failed");
    assert_eq!(
        why["next_text"],
        "adasa gave up after 2 of 2 failures; it stays so until it is started"
    );
    assert_eq!(why["earlier"][0]["text"], "exit 1");
}

#[test]
fn who_ended_it_is_named_and_a_shot_from_outside_is_not_put_down_to_adasa() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "api"]).success();
    let why = until(&s, "api", "asked");
    assert_eq!(why["cause"]["asker"]["verb"], "stop");
    assert!(answer(&why).contains("was ended by "), "{why}");
    assert_eq!(why["next"]["state"], "stays_stopped");
    let _ = s.run(&["start", "api"]).success();
    s.known("api").signal(Signal::SIGKILL);
    let why = until(&s, "api", "signal");
    assert_eq!(why["cause"]["signal"], "SIGKILL");
    assert!(answer(&why).contains("which adasa did not send"), "{why}");
}

#[test]
fn one_that_had_to_be_killed_says_so_also_after_the_daemon_was_killed() {
    let s = Sandbox::new();
    let flags = ["--stop-timeout", "100ms"];
    s.start("deaf", &child::ignores_term(&s, "deaf"), &flags);
    s.until_file("deaf.ready", |text| !text.is_empty());
    let _ = s.run(&["stop", "deaf"]).success();
    s.murder("pid");
    let why = until(&s, "deaf", "asked");
    assert_eq!(why["cause"]["after_grace"], true);
    assert!(why["hint"].as_str().unwrap().contains("stop_timeout"));
}

#[test]
fn a_port_that_was_taken_is_named_with_who_has_it() {
    let s = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = format!("Error: listen EADDRINUSE: address already in use 127.0.0.1:{port}");
    let script = s.script("web", &format!("echo '{line}' >&2; exit 1"));
    s.launch("web", &script, &NEVER);
    s.until_status("web", "errored");
    let why = until(&s, "web", "address_in_use");
    assert_eq!(why["cause"]["port"], port);
    assert_eq!(why["cause"]["holder"]["pid"], std::process::id());
    assert!(evidence(&why).contains(&line), "{why}");
    drop(listener);
    let why = until(&s, "web", "address_in_use");
    assert_eq!(why["cause"]["holder"], Value::Null);
}

#[test]
fn what_is_wrong_with_the_program_is_looked_up() {
    let s = Sandbox::new();
    let path = s.file_mode("tool", "#!/no/such/interpreter\n", 0o755);
    s.launch("tool", path.to_str().unwrap(), &NEVER);
    s.until_status("tool", "errored");
    let why = until(&s, "tool", "not_executed");
    let wanted = "wants /no/such/interpreter, which is not there now";
    assert!(evidence(&why).contains(wanted), "{why}");
    let hint = |why: &Value| why["hint"].as_str().unwrap_or_default().to_owned();
    assert!(
        hint(&why).contains("put that interpreter in its place"),
        "{why}"
    );
    let folder = s.file("gone/file", "").parent().unwrap().to_owned();
    let place = ["--cwd", folder.to_str().unwrap()];
    s.start(
        "away",
        &child::stays(&s),
        &[&NEVER[..], &place[..]].concat(),
    );
    fs::remove_dir_all(&folder).unwrap();
    let _ = s.run(&["restart", "away"]).error(1);
    let why = until(&s, "away", "not_executed");
    assert!(hint(&why).contains("make that folder"), "{why}");
    let script = s.script("typo", "no-such-command-anywhere");
    s.launch("typo", &script, &NEVER);
    s.until_status("typo", "errored");
    let why = until(&s, "typo", "command_not_found");
    assert!(evidence(&why).contains("127 is how a shell says"), "{why}");
    let script = s.script("cat", "cat /no/such/file; exit 1");
    s.launch("cat", &script, &NEVER);
    s.until_status("cat", "errored");
    let why = until(&s, "cat", "missing_file");
    assert_eq!(why["cause"]["path"], "/no/such/file");
}

#[test]
fn what_is_not_there_is_not_explained() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let _ = s.run(&["why", "nobody"]).error(4);
    let why = s.run(&["why", "api", "--json"]).success().json();
    assert_eq!(
        (&why[0]["cause"], &why[0]["run"]),
        (&Value::Null, &Value::Null)
    );
    assert!(answer(&why[0]).contains("no end of it is known"), "{why}");
}

/// A control group with little memory; none where none can be made.
struct Small(PathBuf);

impl Small {
    fn make(name: &str) -> Option<Self> {
        for (mount, limit) in [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ] {
            let group = Self(Path::new(mount).join(name));
            let made = fs::create_dir(&group.0).is_ok();
            if made && fs::write(group.0.join(limit), "16777216").is_ok() {
                return Some(group);
            }
        }
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Fails for a while after the last process: the kernel lets go of it in its own time.
        for _ in 0..1_000_000 {
            if fs::remove_dir(&self.0).is_ok() || !self.0.exists() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_kill_for_want_of_memory_is_told_with_the_kernels_own_word() {
    let s = Sandbox::new();
    let Some(group) = Small::make(&format!("adasa-test-{}", std::process::id())) else {
        println!("not seen here: no control group can be made");
        return;
    };
    if fs::File::open("/dev/kmsg").is_err() {
        println!("not seen here: the kernel's log may not be read");
        return;
    }
    let body = format!(
        "echo $$ >{}/cgroup.procs || exit 9\nx=xxxxxxxxxxxxxxxx\nwhile :; do x=$x$x; done",
        group.0.display()
    );
    s.launch("greedy", &s.script("greedy", &body), &NEVER);
    s.until_status("greedy", "errored");
    let why = until(&s, "greedy", "out_of_memory");
    assert_eq!(why["cause"]["proved"], true);
    assert!(evidence(&why).contains("Killed process"), "{why}");
    let _ = s.run(&["delete", "greedy"]).success();
}
