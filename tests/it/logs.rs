//! What processes wrote, read back: how much, of which, in which order, byte for byte, and harmless on a terminal.

mod bytes;
mod controls;
pub(crate) mod follow;
mod following;
mod paging;
mod terminal;

use std::path::PathBuf;

use regex::Regex;

use crate::sandbox::{Fifo, Sandbox};

/// Says what it is told to: `out TEXT`, `err TEXT`, `exit CODE`.
pub(crate) struct Talker<'a> {
    sandbox: &'a Sandbox,
    name: String,
    fifo: Fifo,
}

/// The log file of one stream of the first instance.
pub(crate) fn log_of(sandbox: &Sandbox, name: &str, stream: &str) -> PathBuf {
    sandbox
        .home()
        .join(format!("logs/default/{name}/0.{stream}.log"))
}

impl<'a> Talker<'a> {
    /// A process that has said `ready NAME`.
    #[track_caller]
    pub(crate) fn start(sandbox: &'a Sandbox, name: &str, flags: &[&str]) -> Self {
        let talker = Self::prepare(sandbox, name);
        let script = sandbox.path(name);
        let mut args = vec!["start", script.to_str().unwrap(), "--name", name];
        args.extend(flags);
        sandbox.run(&args).success();
        talker.until("out", &format!("ready {name}"));
        talker
    }

    /// The script `NAME` and its FIFO, not started.
    pub(crate) fn prepare(sandbox: &'a Sandbox, name: &str) -> Self {
        let fifo = sandbox.fifo(&format!("{name}.fifo"));
        let listen = sandbox.path(&format!("{name}.fifo"));
        let body = format!(
            "echo 'ready {name}'\n\
             while read -r what text; do\n\
             case $what in out) echo \"$text\";; err) echo \"$text\" >&2;; exit) exit \"$text\";; esac\n\
             done <'{}'",
            listen.display()
        );
        sandbox.script(name, &body);
        Self {
            sandbox,
            name: name.to_owned(),
            fifo,
        }
    }

    /// Blocks until the last line of the stream's file is this.
    #[track_caller]
    pub(crate) fn until(&self, stream: &str, line: &str) {
        let last = format!("{line}\n");
        self.sandbox
            .until_file(log_of(self.sandbox, &self.name, stream), |text| {
                text.ends_with(&last)
            });
    }

    /// Asks for a line and waits until it is in the log, and until the clock has moved on.
    #[track_caller]
    pub(crate) fn say(&mut self, stream: &str, line: &str) {
        self.ask(stream, line);
        self.until(stream, line);
        // One whole command: whatever is said next is some milliseconds younger.
        let _ = self.sandbox.rows();
    }

    /// Asks for a line and does not wait for it.
    pub(crate) fn ask(&mut self, what: &str, text: &str) {
        self.fifo.say(&format!("{what} {text}"));
    }
}

fn numbered(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|n| format!("line {n}\n")).collect()
}

/// A process that has written `line 1` to `line 250`.
#[track_caller]
fn with_lines(sandbox: &Sandbox) {
    let script = sandbox.script(
        "chatty",
        "i=1; while [ $i -le 250 ]; do echo \"line $i\"; i=$((i+1)); done; exec sleep 1000",
    );
    sandbox
        .run(&["start", &script, "--name", "chatty"])
        .success();
    sandbox.until_file(log_of(sandbox, "chatty", "out"), |text| {
        text.ends_with("line 250\n")
    });
}

#[test]
fn the_last_hundred_lines_are_shown_unless_another_number_is_asked_for() {
    let sandbox = Sandbox::new();
    with_lines(&sandbox);
    sandbox
        .run(&["logs", "chatty"])
        .success()
        .stdout(&numbered(151..=250))
        .stderr("");
    sandbox
        .run(&["logs", "chatty", "--lines", "3"])
        .success()
        .stdout(&numbered(248..=250));
    sandbox
        .run(&["logs", "chatty", "--lines", "1000"])
        .success()
        .stdout(&numbered(1..=250));
    sandbox
        .run(&["logs", "chatty", "--lines", "0"])
        .success()
        .stdout("");
    sandbox
        .run(&["logs", "chatty", "--lines", "many"])
        .error_of_usage();
}

/// A word of its own for exit code 2, which the argument parser words as it likes.
trait Usage {
    fn error_of_usage(self);
}

impl Usage for crate::sandbox::Output {
    #[track_caller]
    fn error_of_usage(self) {
        assert!(!self.stderr.is_empty(), "an error says something: {self}");
        self.stdout("").code(2);
    }
}

#[test]
fn one_stream_alone_can_be_read() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "both", &[]);
    talker.say("err", "bad news");
    talker.say("out", "good news");
    sandbox
        .run(&["logs", "both", "--stderr"])
        .success()
        .stdout("bad news\n");
    sandbox
        .run(&["logs", "both", "--stdout"])
        .success()
        .stdout("ready both\ngood news\n");
    sandbox
        .run(&["logs", "both"])
        .success()
        .stdout("ready both\nbad news\ngood news\n");
}

#[test]
fn several_processes_are_merged_in_the_order_of_time() {
    let sandbox = Sandbox::new();
    let mut talkers: Vec<_> = ["a", "b", "c"]
        .map(|name| Talker::start(&sandbox, name, &[]))
        .into();
    let order = [
        (2, "out"),
        (0, "err"),
        (1, "out"),
        (0, "out"),
        (2, "err"),
        (2, "out"),
        (1, "err"),
        (0, "out"),
    ];
    let mut expected = Vec::new();
    for (step, (who, stream)) in order.into_iter().enumerate() {
        talkers[who].say(stream, &format!("step {step}"));
        expected.push((["a", "b", "c"][who], format!("step {step}")));
    }
    for selector in [&["a", "b", "c"][..], &["all"], &["?"]] {
        let args = [&["logs", "--lines", "8"], selector].concat();
        let shown = sandbox.run(&args).success().stdout;
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{shown}");
        for (line, (name, text)) in lines.iter().zip(&expected) {
            assert!(
                line.starts_with(name) && line.ends_with(text.as_str()),
                "{line:?} is not {name}'s {text:?}:\n{shown}"
            );
        }
    }
    let json = sandbox
        .run(&["logs", "a", "b", "c", "--json", "--lines", "8"])
        .success()
        .json_lines();
    let said: Vec<_> = json
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["line"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(said, expected);
    let streams: Vec<_> = json
        .iter()
        .map(|row| row["stream"].as_str().unwrap())
        .collect();
    assert_eq!(streams, order.map(|(_, stream)| stream));
    let times: Vec<_> = json
        .iter()
        .map(|row| row["time"].as_u64().expect("a time in milliseconds"))
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(json.iter().all(|row| row["run"].is_u64()), "{json:?}");
}

#[test]
fn lines_since_a_time_are_shown_with_their_times() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "clock", &[]);
    for word in ["one", "two", "three"] {
        talker.say("out", word);
    }
    let lines = sandbox
        .run(&["logs", "clock", "--json"])
        .success()
        .json_lines();
    let of_two = lines.iter().find(|row| row["line"] == "two").unwrap()["time"]
        .as_u64()
        .unwrap();
    let mut date = follow::shell(
        &sandbox,
        &format!("date -u -d @{} +%Y-%m-%dT%H:%M:%S", of_two / 1000),
    );
    let seconds = String::from_utf8(date.output().unwrap().stdout).unwrap();
    let since = format!("{}.{:03}Z", seconds.trim(), of_two % 1000);
    sandbox
        .run(&["logs", "clock", "--since", &since])
        .success()
        .stdout("two\nthree\n");
    sandbox
        .run(&["logs", "clock", "--since", "10m"])
        .success()
        .stdout("ready clock\none\ntwo\nthree\n");
    sandbox
        .run(&[
            "logs",
            "clock",
            "--since",
            "2020-01-01T00:00:00Z",
            "--lines",
            "1",
        ])
        .success()
        .stdout("three\n");
    sandbox
        .run(&["logs", "clock", "--since", "2099-01-01T00:00:00Z"])
        .success()
        .stdout("");
    sandbox
        .run(&["logs", "clock", "--since", "lunchtime"])
        .error_of_usage();
    let stamped = sandbox
        .run(&["logs", "clock", "--timestamps"])
        .success()
        .stdout;
    let form =
        Regex::new(r"^\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d\S*.* (ready clock|one|two|three)$").unwrap();
    assert!(
        stamped.lines().count() == 4 && stamped.lines().all(|line| form.is_match(line)),
        "{stamped}"
    );
}

#[test]
fn clear_and_flush_empty_what_was_asked_for_and_nothing_else() {
    let sandbox = Sandbox::new();
    let mut a = Talker::start(&sandbox, "a", &[]);
    let mut b = Talker::start(&sandbox, "b", &[]);
    let pids = (sandbox.pid("a"), sandbox.pid("b"));
    a.say("err", "a trouble");
    sandbox.run(&["logs", "a", "--clear"]).success();
    sandbox.run(&["logs", "a"]).success().stdout("");
    sandbox.run(&["logs", "b"]).success().stdout("ready b\n");
    a.say("out", "a again");
    sandbox.run(&["logs", "a"]).success().stdout("a again\n");
    sandbox.run(&["flush", "b"]).success();
    sandbox.run(&["logs", "b"]).success().stdout("");
    sandbox.run(&["logs", "a"]).success().stdout("a again\n");
    b.say("out", "b again");
    sandbox.run(&["flush"]).success();
    sandbox.run(&["logs", "all"]).success().stdout("");
    assert_eq!((sandbox.pid("a"), sandbox.pid("b")), pids);
}

#[test]
fn rotate_and_clear_answer_when_it_is_done_and_say_what_was_done() {
    let sandbox = Sandbox::new();
    let _talker = Talker::start(&sandbox, "a", &[]);
    let log = sandbox.home().join("logs/default/a/0.out.log");
    let files = |args: &[&str]| {
        let answer = sandbox.run(&[args, &["--json"]].concat()).success().json();
        answer["files"].as_array().expect("files").len()
    };
    let archives = || {
        let names = std::fs::read_dir(log.parent().unwrap()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let of_it = |name: &String| name.starts_with("0.out.log.0-");
        names.map(name).filter(of_it).count()
    };
    assert_eq!(files(&["logs", "a", "--rotate"]), 1, "only one has lines");
    assert!(archives() > 0, "it is there when the answer is");
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    assert_eq!(files(&["logs", "a", "--rotate"]), 0, "it is empty");
    assert_eq!(files(&["logs", "a", "--clear"]), 1, "its archive counts");
    assert_eq!(archives(), 0, "none is left when the answer comes");
    assert_eq!(files(&["flush", "a"]), 0);
}

#[test]
fn the_log_of_a_process_nobody_knows_is_not_found() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["logs", "nobody"])
        .error(4)
        .stderr_has("nobody");
}
