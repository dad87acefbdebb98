//! What the programs themselves say of their lives, in files of their own: pid, run, start, end, and how many numbered
//! lines they wrote. Nothing here believes a word of the daemon's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use nix::fcntl::{Flock, FlockArg};

use crate::faults::writers::whole;
use crate::sandbox::{Known, Sandbox};

/// Each run holds a lock for as long as it lives, so that two at once would know of each other; a line and its count
/// are one command, so that no signal comes between them. `$1` is the pause between lines, in seconds. USR1 makes it
/// crash with 7.
const PROGRAM: &str = r#"#!/bin/bash
told=@TOLD@/$ADASA_NAME; run=$((ADASA_ID * 1000000 + ${ADASA_RUN##*/})); i=0
exec 8<>@TOLD@/never 9>>"$told.lock"
flock -n 9 || echo "twice $$ $run 0 0" >>"$told"
finish() { echo "end $$ $run $1 $i" >>"$told"; exit "$1"; }
trap 'finish 0' TERM
trap 'finish 7' USR1
echo "start $$ $run 0 0" >>"$told"
while :; do echo "line $run $((++i))"; read -r -t "$1" -u 8; done
"#;

/// One run, as it told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// A million for each instance of this name, and the number of the run.
    pub run: u64,
    pub pid: i32,
    /// Code and lines, when it ended by itself.
    pub end: Option<(i32, u64)>,
}

/// The place where they tell.
pub(crate) struct Oracle<'a> {
    home: &'a Sandbox,
    pub program: String,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(home: &'a Sandbox) -> Self {
        let told = home.path("told");
        std::fs::create_dir(&told).expect("a folder");
        drop(home.fifo("told/never"));
        let text = PROGRAM.replace("@TOLD@", told.to_str().expect("text"));
        let program = home.file_mode("oracle", text, 0o755);
        let program = program.to_str().expect("text").to_owned();
        Self { home, program }
    }

    /// All runs of an instance so far.
    #[track_caller]
    pub(crate) fn told(&self, name: &str) -> Vec<Told> {
        let text = self.home.read(&format!("told/{name}"));
        let mut runs: Vec<Told> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [word, pid, run, code, last] = words[..] else {
                panic!("{name} told {line:?}");
            };
            let number = |word: &str| word.parse::<u64>().expect("a number");
            let pid = i32::try_from(number(pid)).expect("a pid");
            let (run, code, last) = (number(run), number(code), number(last));
            match word {
                "start" => {
                    let newest = runs.last().map_or(0, |told| told.run);
                    assert!(run > newest, "{name}: run {run} began after {newest}");
                    runs.push(Told {
                        run,
                        pid,
                        end: None,
                    });
                }
                "end" => {
                    let told = runs.iter_mut().find(|told| told.run == run);
                    let told = told.unwrap_or_else(|| panic!("{name}: {line:?} without a start"));
                    let code = i32::try_from(code).expect("a code");
                    let ended = told.end.replace((code, last));
                    assert_eq!((told.pid, ended), (pid, None), "{name}: {line:?}");
                }
                _ => panic!("{name} ran twice at once: {line:?} in\n{text}"),
            }
        }
        runs
    }

    /// The newest run.
    #[track_caller]
    pub(crate) fn newest(&self, name: &str) -> Told {
        let told = self.told(name);
        *told.last().unwrap_or_else(|| panic!("{name} never ran"))
    }

    /// Whether a run of it lives: the kernel knows who holds the lock.
    #[track_caller]
    pub(crate) fn is_up(&self, name: &str) -> bool {
        let path = self.home.path(&format!("told/{name}.lock"));
        let Ok(file) = File::options().append(true).open(path) else {
            return false;
        };
        Flock::lock(file, FlockArg::LockExclusiveNonblock).is_err()
    }

    /// Blocks until so many runs have told of their start; the newest then. A client asks for the list meanwhile, as
    /// a person would who waits for something.
    #[track_caller]
    pub(crate) fn until_runs(&self, name: &str, count: usize) -> Told {
        self.home
            .wait_for(&format!("run {count} of {name}"), |home| {
                drop(home.run(&["list", "--json"]).success());
                let told = self.told(name);
                (told.len() >= count).then(|| told[told.len() - 1])
            })
    }

    /// It is up, by the kernel, as the run that it told of last, and the daemon says the same.
    #[track_caller]
    pub(crate) fn assert_up(&self, name: &str) -> Known {
        let newest = self.newest(name);
        let known = Known::of(newest.pid);
        let known = known.unwrap_or_else(|| panic!("{name} is dead: {newest:?}"));
        assert!(self.is_up(name), "{name} has no lock: {newest:?}");
        let row = self.home.row(name);
        assert_eq!(row["pid"], i64::from(newest.pid), "{name}: {row}");
        assert_eq!(row["run"], newest.run % 1_000_000, "{name}: {row}");
        assert_eq!(row["status"], "running", "{name}: {row}");
        known
    }

    /// Nothing of it is left, by the kernel.
    #[track_caller]
    pub(crate) fn assert_gone(&self, name: &str) {
        assert!(!self.is_up(name), "{name} is still up");
        let newest = self.newest(name);
        let alive = Known::of(newest.pid).is_some_and(|_| newest.end.is_none());
        assert!(!alive, "{name} is still alive: {newest:?}");
    }

    /// Every line of every run that has ended is in the log once, in order, and nothing else. Of a run that is `torn`
    /// the last lines may be missing.
    #[track_caller]
    pub(crate) fn assert_every_line_once(&self, name: &str, torn: &BTreeSet<u64>) {
        let told = self.told(name);
        let ended = told.iter().filter_map(|told| Some((told.run, told.end?.1)));
        let ended: BTreeMap<u64, u64> = ended.collect();
        let whole_ones = ended.iter().filter(|(run, _)| !torn.contains(run));
        let whole_ones: Vec<_> = whole_ones.map(|(run, lines)| (*run, *lines)).collect();
        let what = format!("the last lines of {name} in its log");
        let text = self.home.wait_for(&what, |home| {
            let text = whole(home, name, "out");
            let is_there = |(run, lines): &(u64, u64)| {
                *lines == 0 || text.contains(&format!("line {run} {lines}\n"))
            };
            whole_ones.iter().all(is_there).then_some(text)
        });
        assert!(text.ends_with('\n') || text.is_empty(), "{name}: cut");
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        let mut newest = 0;
        for (at, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let ["line", run, number] = words[..] else {
                panic!("{name}: line {} of its log is {line:?}", at + 1);
            };
            let run: u64 = run.parse().expect("a run");
            assert!(run >= newest, "{name}: {line:?} after run {newest}");
            newest = run;
            let count = counts.entry(run).or_insert(0);
            *count += 1;
            assert_eq!(
                number.parse().ok(),
                Some(*count),
                "{name}: a line is lost or doubled at {line:?}, line {} of its log",
                at + 1
            );
        }
        for (run, lines) in ended {
            let found = counts.get(&run).copied().unwrap_or(0);
            let whole = found == lines || found < lines && torn.contains(&run);
            assert!(
                whole,
                "{name}: run {run} wrote {lines} lines, {found} are there"
            );
        }
    }
}
