//! `daemon.toml`: taken over when it changes, on `SIGHUP`, and not when something is wrong in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::child;
use crate::sandbox::Sandbox;

/// The machine as the next snapshot has it.
fn host(s: &Sandbox) -> Value {
    let mut stream = UnixStream::connect(s.socket()).unwrap();
    stream
        .write_all(b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n")
        .unwrap();
    let lines = BufReader::new(stream).lines();
    let data = lines.map_while(Result::ok).find_map(|line| {
        let json: Value = serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()?;
        (json["type"] == "snapshot").then(|| json["host"].clone())
    });
    data.expect("a snapshot")
}

fn alarms(s: &Sandbox) -> String {
    s.daemon_status().expect("a daemon runs")["alarms"].to_string()
}

#[test]
fn a_changed_file_is_taken_over_and_a_wrong_one_is_an_alarm_until_it_is_mended() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    assert_eq!(host(&s)["label"], Value::Null);
    let file = "home/config/daemon.toml";
    s.file(file, "[host]\nname = \"eu-1\"\nlabel = \"PROD\"\n");
    s.wait_for("the label is there", |s| {
        (host(s)["label"] == "PROD").then_some(())
    });
    assert_eq!(host(&s)["name"], "eu-1");
    s.file(file, "[host]\nlabl = \"TEST\"\n");
    s.wait_for("what is wrong is said", |s| {
        alarms(s)
            .contains("daemon.toml:2:1: there is no key `labl`")
            .then_some(())
    });
    assert_eq!(host(&s)["label"], "PROD", "it stays as it was");
    s.file(file, "[host]\nlabel = \"TEST\"\nconfirm = \"strict\"\n");
    s.wait_for("it is mended", |s| {
        (host(s)["label"] == "TEST").then_some(())
    });
    assert_eq!(host(&s)["strict"], true);
    assert_eq!(alarms(&s), "[]");
    // The next daemon reads it too.
    s.murder("pid");
    s.wait_for("the next one knows", |s| {
        (host(s)["label"] == "TEST").then_some(())
    });
    s.role("pid").signal(Signal::SIGHUP);
    let _ = s.run(&["list"]).success();
}

#[test]
fn a_variable_wins_over_the_file() {
    let s = Sandbox::new();
    s.file("home/config/daemon.toml", "[host]\nlabel = \"PROD\"\n");
    let env = [("ADASA_HOST__LABEL", "STAGE")];
    let _ = s.run_with(&env, &["daemon", "start"]).success();
    s.wait_for("the label of the variable", |s| {
        (host(s)["label"] == "STAGE").then_some(())
    });
}
