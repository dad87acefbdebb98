//! Bytes are what the process wrote: all of them, after every end, through every way to open the streams.

use std::fs;
use std::path::Path;

use super::follow::when;
use super::{Talker, log_of};
use crate::sandbox::Sandbox;

#[test]
fn bytes_arrive_as_they_were_written() {
    let sandbox = Sandbox::new();
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.extend_from_slice(b"\xff\xfe\xc3(\xed\xa0\x80 no text\n");
    bytes.extend(std::iter::repeat_n(b'x', 1 << 20));
    bytes.extend_from_slice(b"\nno newline at the end");
    let file = sandbox.file("bytes.bin", &bytes);
    sandbox
        .run(&[
            "start",
            "cat",
            "--name",
            "raw",
            "--",
            file.to_str().unwrap(),
        ])
        .success();
    sandbox.until_status("raw", "exited");
    let log = log_of(&sandbox, "raw", "out");
    when(log.parent().unwrap(), "every byte in the file", || {
        let now = fs::read(&log).unwrap_or_default().len();
        if now == bytes.len() {
            Ok(())
        } else {
            Err(format!("{now} of {} bytes", bytes.len()))
        }
    });
    assert!(fs::read(&log).unwrap() == bytes, "the file differs");
    for args in [&["logs", "raw", "--stdout"][..], &["logs", "raw"]] {
        let shown = sandbox.run(args).success();
        assert!(
            shown.bytes == bytes,
            "{args:?} shows {} bytes, or others",
            shown.bytes.len()
        );
    }
}

#[test]
fn standard_error_can_be_opened_again_by_its_name() {
    let sandbox = Sandbox::new();
    let script = sandbox.script(
        "reopen",
        "echo to-out >/dev/stdout; echo to-err >/dev/stderr; exec sleep 1000",
    );
    sandbox
        .run(&["start", &script, "--name", "reopen"])
        .success();
    for stream in ["out", "err"] {
        sandbox.until_file(log_of(&sandbox, "reopen", stream), |text| {
            text == format!("to-{stream}\n")
        });
    }
    sandbox
        .run(&["logs", "reopen", "--stderr"])
        .success()
        .stdout("to-err\n");
    sandbox
        .run(&["logs", "reopen", "--stdout"])
        .success()
        .stdout("to-out\n");
}

#[test]
fn standard_error_can_be_opened_again_after_a_change_of_user() {
    let there = |program: &str| Path::new("/usr/bin").join(program).exists();
    if !nix::unistd::geteuid().is_root() || !there("setpriv") {
        println!("not shown here: only root, with setpriv, can become another user");
        return;
    }
    let sandbox = Sandbox::new();
    let become_nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let say = "id -u >/dev/stderr && echo dropped >/dev/stdout";
    let script = sandbox.script(
        "drop",
        &format!("cd /; {become_nobody} sh -c '{say}'; exec sleep 1000"),
    );
    sandbox.run(&["start", &script, "--name", "drop"]).success();
    sandbox.until_file(log_of(&sandbox, "drop", "out"), |text| text == "dropped\n");
    sandbox
        .run(&["logs", "drop", "--stderr"])
        .success()
        .stdout("65534\n");
}

#[test]
fn what_ended_runs_wrote_is_kept_and_the_next_run_appends() {
    let sandbox = Sandbox::new();
    let script = sandbox.script("brief", "echo 'first words'; echo 'last words'");
    sandbox
        .run(&["start", &script, "--name", "brief"])
        .success();
    let once = "first words\nlast words\n";
    sandbox.until_status("brief", "exited");
    sandbox.until_file(log_of(&sandbox, "brief", "out"), |text| text == once);
    sandbox.run(&["start", "brief"]).success();
    sandbox.until_file(log_of(&sandbox, "brief", "out"), |text| {
        text == once.repeat(2)
    });
    sandbox
        .run(&["logs", "brief"])
        .success()
        .stdout(&once.repeat(2));
    let runs: Vec<_> = sandbox
        .run(&["logs", "brief", "--json"])
        .success()
        .json_lines();
    let runs: Vec<_> = runs
        .iter()
        .map(|row| row["run"].as_u64().unwrap())
        .collect();
    assert!(
        runs[0] == runs[1] && runs[1] < runs[2] && runs[2] == runs[3],
        "{runs:?}"
    );
    sandbox.run(&["daemon", "stop"]).success();
    sandbox
        .run(&["logs", "brief"])
        .success()
        .stdout(&once.repeat(2));
}

#[test]
fn deleting_a_process_does_not_delete_what_it_wrote() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "gone", &[]);
    talker.say("out", "evidence");
    sandbox.run(&["delete", "gone"]).success();
    let kept = fs::read_to_string(log_of(&sandbox, "gone", "out")).unwrap();
    assert_eq!(kept, "ready gone\nevidence\n");
    let asked = sandbox.run(&["logs", "gone"]);
    if asked.status.success() {
        asked.stdout(&kept);
    } else {
        asked.error(4);
    }
}

#[test]
fn merged_streams_keep_their_exact_order() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "weave",
        "i=0; while [ $i -lt 300 ]; do echo \"out $i\"; echo \"err $i\" >&2; i=$((i+1)); done; exec sleep 1000",
    );
    let config =
        "[[processes]]\nname = \"weave\"\nscript = \"./weave\"\nlog_file = \"./own/weave.log\"\n";
    sandbox.file("adasa.toml", config);
    fs::create_dir(sandbox.path("own")).unwrap();
    sandbox.run(&["start", "--config", "adasa.toml"]).success();
    let expected: String = (0..300).map(|i| format!("out {i}\nerr {i}\n")).collect();
    sandbox.until_file("own/weave.log", |text| text.len() >= expected.len());
    assert_eq!(sandbox.read("own/weave.log"), expected);
    sandbox
        .run(&["logs", "weave", "--lines", "600"])
        .success()
        .stdout(&expected);
}
