//! Kills of the storm: whom, when, and how long it takes until there is supervision again.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::faults::Dice;
use crate::faults::writers::live;
use crate::sandbox::{Known, LIMIT, Sandbox};

pub(super) struct Kills<'a> {
    home: &'a Sandbox,
    writers: Option<&'a [String]>,
    socket: std::path::PathBuf,
    /// From the kill of a daemon to the first answer of the next.
    back: Vec<Duration>,
    count: [u64; 3],
}

/// An answer of whichever daemon there is; none when it could not be asked.
fn ask(socket: &std::path::Path, place: &str) -> Option<Value> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = format!("GET {place} HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then_some(())?;
    serde_json::from_str(body).ok()
}

impl<'a> Kills<'a> {
    pub(super) fn new(home: &'a Sandbox, writers: Option<&'a [String]>) -> Self {
        Self {
            home,
            writers,
            socket: home.socket(),
            back: Vec::new(),
            count: [0; 3],
        }
    }

    #[track_caller]
    fn answer(&self, place: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(answer) = ask(&self.socket, place) {
                return answer;
            }
            assert!(Instant::now() < deadline, "no daemon answers any more");
            std::thread::yield_now();
        }
    }

    /// Until a drawn writer has written a drawn number of bytes more, or begun another file.
    fn moment(&self, dice: &mut Dice) {
        let Some(writers) = self.writers else {
            // Without writers, some round trips.
            for _ in 0..dice.below(20) {
                drop(self.answer("/api/processes"));
            }
            return;
        };
        let which = usize::try_from(dice.below(writers.len() as u64)).expect("an index");
        let more = dice.below(400);
        let path = live(self.home, &writers[which], "out");
        let before = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        self.home.until_file(&path, |text| {
            let now = text.len() as u64;
            now >= before + more || now < before
        });
    }

    /// The n-th kill: every third hits a scribe, the others the daemon.
    pub(super) fn one(&mut self, n: u64, dice: &mut Dice) {
        self.moment(dice);
        let info = self.answer("/api/daemon");
        let role = |key: &str| {
            let pid = info["data"][key]
                .as_i64()
                .and_then(|p| i32::try_from(p).ok());
            Known::of(pid.unwrap_or_else(|| panic!("no {key} in {info}")))
        };
        let (victims, kind) = match n {
            n if n % 10 == 9 => (vec![role("pid"), role("scribe_pid")], 2),
            n if n % 3 == 2 => (vec![role("scribe_pid")], 1),
            _ => (vec![role("pid")], 0),
        };
        self.count[kind] += 1;
        self.moment(dice);
        let began = Instant::now();
        for victim in victims.iter().flatten() {
            victim.signal(Signal::SIGKILL);
        }
        for victim in victims.iter().flatten() {
            self.home.until_gone(*victim);
        }
        // Who was killed answers no more: any answer is one of the next.
        drop(self.answer("/api/processes"));
        if kind != 1 {
            self.back.push(began.elapsed());
        }
    }

    /// What a person wants to know of it.
    pub(super) fn report(&mut self, commands: u64) {
        self.back.sort();
        let at = |percent: usize| {
            let last = self.back.len().saturating_sub(1);
            self.back
                .get(last * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        let [daemons, scribes, both] = self.count;
        println!(
            "storm: {daemons} daemons, {scribes} scribes, {both} times both killed under {commands} commands; \
             supervised again after {:?} p50, {:?} p99",
            at(50),
            at(99)
        );
    }
}
