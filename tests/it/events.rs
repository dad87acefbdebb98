//! The stream of events: who comes back is told what was missed, once, or that it is too much.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::child;
use crate::http::{answer_of, get};
use crate::sandbox::{LIMIT, Sandbox};

/// A subscriber.
struct Stream(BufReader<UnixStream>);

/// One thing told: its id and what it says.
type Told = (Option<String>, Value);

impl Stream {
    fn open(s: &Sandbox, last: Option<&str>) -> Self {
        let mut stream = UnixStream::connect(s.socket()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let header = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let text = format!("GET /api/events HTTP/1.1\r\nHost: adasa\r\n{header}\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    fn next(&mut self) -> Told {
        let (mut line, mut id) = (String::new(), None);
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(text) = line.strip_prefix("id:") {
                id = Some(text.trim().to_owned());
            } else if let Some(json) = line.strip_prefix("data:") {
                return (id, serde_json::from_str(json).unwrap());
            }
        }
    }

    /// All up to the first for which this holds, with it.
    fn until(&mut self, enough: impl Fn(&Value) -> bool) -> Vec<Told> {
        let mut all = vec![];
        loop {
            all.push(self.next());
            if enough(&all[all.len() - 1].1) {
                return all;
            }
        }
    }
}

/// The number in an id.
fn number(told: &Told) -> u64 {
    let id = told.0.as_deref().expect("an id");
    id.split_once('-').unwrap().1.parse().unwrap()
}

/// Whether an instance is told about that is called this and runs.
fn runs(name: &'static str) -> impl Fn(&Value) -> bool {
    move |told| {
        let instance = &told["instance"];
        instance["name"] == name && instance["status"] == "running"
    }
}

#[test]
fn who_comes_back_is_told_all_that_was_missed_and_nothing_twice() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    // One that stays hears the same, without an interruption.
    let mut witness = Stream::open(&s, None);
    let mut first = Stream::open(&s, None);
    let begun = first.next();
    assert_eq!(begun.1["type"], "snapshot");
    let mut last = begun;
    let mut heard = vec![];
    for name in ["one", "two", "three"] {
        drop(first);
        s.start(name, &child::stays(&s), &[]);
        first = Stream::open(&s, last.0.as_deref());
        heard.extend(first.until(runs(name)));
        last = heard[heard.len() - 1].clone();
    }
    let from = number(&heard[0]);
    let numbers: Vec<u64> = heard.iter().map(number).collect();
    let expected: Vec<u64> = (from..).take(heard.len()).collect();
    assert_eq!(numbers, expected, "no hole, nothing twice");
    assert!(heard.iter().all(|(_, told)| told["type"] != "snapshot"));
    let mut all = witness.until(runs("three"));
    all.retain(|told| told.1["type"] != "snapshot" && number(told) >= from);
    assert_eq!(all, heard, "the same as who was there all the time");
}

#[test]
fn an_id_of_another_daemon_or_of_nobody_is_answered_with_everything() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let (id, _) = Stream::open(&s, None).next();
    let id = id.unwrap();
    let (epoch, number) = id.split_once('-').unwrap();
    let epoch: u64 = epoch.parse().unwrap();
    for unknown in [
        format!("{}-{number}", epoch + 1),
        format!("{epoch}-99999999"),
        "nonsense".to_owned(),
    ] {
        let mut stream = Stream::open(&s, Some(&unknown));
        let (none, told) = stream.next();
        assert_eq!((none, &told["type"]), (None, &"resync".into()), "{unknown}");
        let (id, told) = stream.next();
        assert_eq!(told["type"], "snapshot", "{unknown}");
        assert_eq!(told["instances"][0]["name"], "api");
        let again = Stream::open(&s, id.as_deref()).next();
        assert_ne!(again.1["type"], "resync", "its id can be gone on from");
    }
}

#[test]
fn what_was_used_before_can_be_asked_for_and_what_nobody_measured_is_null() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let mut stream = Stream::open(&s, None);
    // In six seconds a column of five is finished.
    for _ in 0..6 {
        let _ = stream.until(|told| told["metrics"].as_array().is_some_and(|m| !m.is_empty()));
    }
    let told = get(&s, "/api/metrics/history?select=api");
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    let it = &told[0];
    assert_eq!(it["name"], "api");
    for (series, length, period) in [("short", 120, 5_000), ("long", 288, 300_000)] {
        let columns = &it[series];
        assert_eq!(columns["period_ms"], period);
        for figure in ["cpu", "memory"] {
            let values = columns[figure].as_array().unwrap();
            assert_eq!(values.len(), length, "{series} {figure}");
            assert!(values[0].is_null(), "nothing was measured then: {values:?}");
        }
    }
    let memory = it["short"]["memory"].as_array().unwrap();
    assert!(memory.iter().any(|m| m.as_u64() > Some(0)), "{memory:?}");
    let cpu = it["short"]["cpu"].as_array().unwrap();
    assert!(cpu.iter().any(|tenths| tenths.is_u64()), "{cpu:?}");
    assert_eq!(answer_of(&s, "/api/metrics/history?select=nobody").0, 404);
}

#[test]
fn what_all_programs_log_and_what_the_daemon_takes_is_told_with_the_machine() {
    let s = Sandbox::new();
    let chatty = s.script(
        "chatty",
        "while :; do echo 'a line of thirty bytes, as is'; sleep 0.05; done",
    );
    s.start("chatty", &chatty, &[]);
    let mut stream = Stream::open(&s, None);
    // Kernels before 6.2 do not count descriptors.
    let counts = std::fs::metadata("/proc/self/fd").unwrap().len() > 0;
    let known = |told: &Value| {
        let host = &told["host"];
        let files = told["metrics"][0]["fds"]
            .as_u64()
            .is_some_and(|open| open > 2);
        files == counts
            && host["logged"].as_u64().is_some_and(|bytes| bytes > 0)
            && host["own"]["cpu"].is_number()
    };
    let all = stream.until(known);
    let host = &all[all.len() - 1].1["host"];
    assert!(host["logged"].as_u64().unwrap() < 10_000, "{host}");
    assert!(host["own"]["memory"].as_u64().unwrap() > 1 << 20, "{host}");
    // Who was told first was told no zero.
    assert!(all[0].1["host"]["logged"].is_null(), "{}", all[0].1["host"]);
    s.run(&["stop", "chatty"]).success();
    stream.until(|told| told["host"]["logged"] == 0);
}
