//! Clients of the storm: each has processes of its own, so that it knows what must be true of them at each moment.

use std::collections::BTreeSet;

use crate::faults::Dice;
use crate::oracle::Oracle;
use crate::sandbox::{Known, Sandbox, exit};

use nix::sys::signal::Signal;
use serde_json::json;

use super::definition;
use super::kills::{Gaps, Mark};

const EACH: usize = 10;

/// What can be done to one that is up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Restart,
    Stop,
    DeleteAndReload,
    /// Another definition, and the file brought in force.
    Change,
    Crash,
    Rotate,
}

impl Step {
    /// Those that are done often are here often.
    pub(crate) const ALL: [Self; 8] = [
        Self::Restart,
        Self::Restart,
        Self::Stop,
        Self::DeleteAndReload,
        Self::Change,
        Self::Crash,
        Self::Crash,
        Self::Rotate,
    ];
}

/// What this client knows of one of its processes, because it did it.
struct Own {
    name: String,
    up: bool,
    runs: usize,
    pause: &'static str,
    /// Runs that ended while nobody was there to read their last lines.
    torn: BTreeSet<u64>,
}

const PAUSES: [&str; 2] = ["0.05", "0.06"];

pub(crate) struct Client<'a> {
    home: &'a Sandbox,
    oracle: &'a Oracle<'a>,
    gaps: &'a Gaps,
    file: String,
    dice: Dice,
    own: Vec<Own>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        (home, oracle, gaps): (&'a Sandbox, &'a Oracle<'a>, &'a Gaps),
        n: usize,
        seed: u64,
    ) -> Self {
        let own = (0..EACH).map(|k| Own {
            name: format!("own{n}x{k}x"),
            up: true,
            runs: 1,
            pause: PAUSES[0],
            torn: BTreeSet::new(),
        });
        let client = Self {
            home,
            oracle,
            gaps,
            file: format!("client{n}.toml"),
            dice: Dice::of(seed),
            own: own.collect(),
        };
        client.write();
        client.run(&["start", "--config", &client.file]);
        for own in &client.own {
            oracle.until_runs(&own.name, 1);
        }
        client
    }

    fn write(&self) {
        let text = |own: &Own| definition(self.oracle, &own.name, own.pause);
        let text: String = self.own.iter().map(text).collect();
        self.home.file(&self.file, text);
    }

    #[track_caller]
    fn run(&self, args: &[&str]) {
        drop(self.home.run(args).success());
    }

    /// A drawn thing to a drawn one.
    pub(crate) fn act(&mut self) {
        let which = usize::try_from(self.dice.below(EACH as u64)).expect("an index");
        let step = usize::try_from(self.dice.below(Step::ALL.len() as u64)).expect("an index");
        self.take(which, Step::ALL[step]);
    }

    /// One thing, to its end, and what must be true then.
    pub(crate) fn take(&mut self, which: usize, step: Step) {
        let mark = self.gaps.mark();
        let before = self.own[which].runs - 1;
        self.do_it(which, step, mark);
        if self.gaps.hide_tails(mark) {
            let own = &mut self.own[which];
            let met = self.oracle.told(&own.name).into_iter().skip(before);
            own.torn.extend(met.map(|told| told.run));
        }
    }

    /// One that is down can only be started.
    fn do_it(&mut self, which: usize, step: Step, mark: Mark) {
        let name = self.own[which].name.clone();
        if !self.own[which].up {
            self.run(&["start", &name]);
            self.begun(which);
            self.own[which].up = true;
            return;
        }
        match step {
            Step::Restart => {
                self.run(&["restart", &name]);
                self.begun(which);
            }
            Step::Stop => {
                self.run(&["stop", &name]);
                self.oracle.assert_gone(&name);
                self.own[which].up = false;
            }
            Step::DeleteAndReload => {
                self.run(&["delete", &name]);
                self.oracle.assert_gone(&name);
                assert!(self.home.find_row(&name).is_none(), "{name} is still there");
                self.run(&["reload", "--config", &self.file]);
                self.begun(which);
            }
            Step::Change => {
                let now = self.own[which].pause;
                let other = PAUSES.into_iter().find(|pause| *pause != now);
                self.own[which].pause = other.expect("there are two");
                self.write();
                self.run(&["reload", "--config", &self.file]);
                self.begun(which);
            }
            Step::Crash => self.crash(which, mark),
            Step::Rotate => self.run(&["logs", &name, "--rotate"]),
        }
    }

    /// What was asked for was done, and once.
    fn begun(&mut self, which: usize) {
        let own = &mut self.own[which];
        own.runs += 1;
        let told = self.oracle.until_runs(&own.name, own.runs);
        let runs = self.oracle.told(&own.name);
        assert_eq!(runs.len(), own.runs, "{}: {runs:?}", own.name);
        for (n, run) in runs.iter().enumerate().take(own.runs - 1) {
            let over = run.end.is_some() || Known::of(run.pid).is_none();
            assert!(over, "{}: run {n} of {runs:?} is still there", own.name);
        }
        let alive = Known::of(told.pid).is_some();
        assert!(alive, "{}: {told:?} is dead", own.name);
    }

    /// It ends with 7; that is known, and it is started again, once.
    fn crash(&mut self, which: usize, mark: Mark) {
        let name = self.own[which].name.clone();
        let told = self.oracle.newest(&name);
        let known = Known::of(told.pid).unwrap_or_else(|| panic!("{name}: {told:?} is dead"));
        known.signal(Signal::SIGUSR1);
        self.home.until_gone(known);
        self.begun(which);
        let runs = self.oracle.told(&name);
        let ended = runs[runs.len() - 2];
        assert_eq!(ended.end.map(|end| end.0), Some(7), "{name}: {ended:?}");
        let row = self.home.until_status(&name, "running");
        let (known, unknown) = (
            json!({"code": 7, "signal": null}),
            json!({"code": null, "signal": null}),
        );
        if exit(&row) == unknown && self.gaps.hide_exits(mark) {
            self.gaps.was_unknown();
        } else {
            assert_eq!(exit(&row), known, "{name}");
        }
    }

    /// Everything is as this client left it.
    pub(crate) fn assert_as_left(&self) {
        for own in &self.own {
            if own.up {
                self.home.until_status(&own.name, "running");
                self.oracle.assert_up(&own.name);
            } else {
                self.oracle.assert_gone(&own.name);
                assert_eq!(self.home.status(&own.name), "stopped");
            }
            let runs = self.oracle.told(&own.name);
            assert_eq!(runs.len(), own.runs, "{}: {runs:?}", own.name);
        }
    }

    pub(crate) fn assert_every_line_once(&self) {
        for own in &self.own {
            self.oracle.assert_gone(&own.name);
            self.oracle.assert_every_line_once(&own.name, &own.torn);
        }
    }
}
