//! Kills of the storm: whom, when, and how long it takes until there is supervision again.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::faults::Dice;
use crate::faults::writers::live;
use crate::sandbox::{Known, LIMIT, Sandbox};

/// Whom a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whom {
    Daemon,
    Scribe,
    Keeper,
    All,
}

impl Whom {
    const ALL: [Self; 4] = [Self::Daemon, Self::Scribe, Self::Keeper, Self::All];

    /// Every tenth kill hits all of them, every third a scribe or a keeper in turn.
    fn of(n: u64) -> Self {
        match n {
            n if n % 10 == 9 => Self::All,
            n if n % 6 == 2 => Self::Keeper,
            n if n % 6 == 5 => Self::Scribe,
            _ => Self::Daemon,
        }
    }

    fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Daemon => &["pid"],
            Self::Scribe => &["scribe_pid"],
            Self::Keeper => &["keeper_pid"],
            Self::All => &["keeper_pid", "pid", "scribe_pid"],
        }
    }
}

/// Deaths of one kind: from the kill until there was supervision again.
#[derive(Debug, Default)]
pub(crate) struct Gap {
    begun: AtomicU64,
    over: AtomicU64,
}

impl Gap {
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        self.over
            .store(self.begun.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// A moment, to ask later what there was since.
    fn mark(&self) -> u64 {
        self.over.load(Ordering::SeqCst)
    }

    fn since(&self, mark: u64) -> bool {
        self.begun.load(Ordering::SeqCst) > mark
    }
}

/// When something may be unknown that is known at all other times.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// The parent of all is dead: the kernel may not tell how a run ended.
    pub(crate) keeper: Gap,
    /// So is everybody who had the pipe of a run open: what nobody had read of it ends with the run.
    pub(crate) all: Gap,
    unknown: AtomicU64,
}

/// A moment of [`Gaps`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    keeper: u64,
    all: u64,
}

impl Gaps {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            keeper: self.keeper.mark(),
            all: self.all.mark(),
        }
    }

    /// Whether the way a run ended since then may be unknown.
    pub(super) fn hide_exits(&self, mark: Mark) -> bool {
        self.keeper.since(mark.keeper) || self.hide_tails(mark)
    }

    /// Whether the last lines of a run that ended since then may be lost.
    pub(super) fn hide_tails(&self, mark: Mark) -> bool {
        self.all.since(mark.all)
    }

    /// One exit was unknown.
    pub(super) fn was_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::SeqCst);
    }

    fn begin(&self, whom: Whom) {
        match whom {
            Whom::Keeper => self.keeper.begin(),
            Whom::All => self.all.begin(),
            Whom::Daemon | Whom::Scribe => {}
        }
    }

    fn end(&self, whom: Whom) {
        match whom {
            Whom::Keeper => self.keeper.end(),
            Whom::All => self.all.end(),
            Whom::Daemon | Whom::Scribe => {}
        }
    }
}

pub(super) struct Kills<'a> {
    home: &'a Sandbox,
    gaps: &'a Gaps,
    writers: Option<&'a [String]>,
    socket: std::path::PathBuf,
    /// From a kill to the first answer of whoever came then.
    back: Vec<(Whom, Duration)>,
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
    pub(super) fn new(home: &'a Sandbox, gaps: &'a Gaps, writers: Option<&'a [String]>) -> Self {
        Self {
            home,
            gaps,
            writers,
            socket: home.socket(),
            back: Vec::new(),
        }
    }

    /// The first answer that holds.
    #[track_caller]
    fn answer(&self, place: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(answer) = ask(&self.socket, place).filter(|answer| holds(answer)) {
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
                drop(self.answer("/api/processes", |_| true));
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

    /// The n-th kill.
    #[track_caller]
    pub(super) fn one(&mut self, n: u64, dice: &mut Dice) {
        self.moment(dice);
        let info = self.answer("/api/daemon", |_| true);
        let pid = |info: &Value, key: &str| info["data"][key].as_i64();
        let role = |key: &str| {
            let pid = pid(&info, key).and_then(|p| i32::try_from(p).ok());
            Known::of(pid.unwrap_or_else(|| panic!("no {key} in {info}")))
        };
        let whom = Whom::of(n);
        let victims: Vec<Known> = whom.roles().iter().filter_map(|key| role(key)).collect();
        self.moment(dice);
        self.gaps.begin(whom);
        let began = Instant::now();
        // All of them are frozen first, for each is quick to follow another.
        let freeze = (whom == Whom::All).then_some(Signal::SIGSTOP);
        for signal in freeze.into_iter().chain([Signal::SIGKILL]) {
            victims.iter().for_each(|victim| victim.signal(signal));
        }
        for victim in &victims {
            self.home.until_gone(*victim);
        }
        match whom {
            // Who was killed answers no more: any answer is one of the next.
            Whom::Daemon | Whom::Scribe => drop(self.answer("/api/processes", |_| true)),
            Whom::Keeper => {
                let before = pid(&info, "keeper_pid");
                drop(self.answer("/api/daemon", |now| pid(now, "keeper_pid") != before));
            }
            Whom::All => drop(self.home.run(&["list"]).success()),
        }
        self.gaps.end(whom);
        self.back.push((whom, began.elapsed()));
    }

    /// What a person wants to know of it.
    pub(super) fn report(&mut self, commands: u64) {
        println!(
            "storm: {} kills under {commands} commands; {} exits unknown, all of them of runs that ended without a keeper",
            self.back.len(),
            self.gaps.unknown.load(Ordering::SeqCst)
        );
        for whom in Whom::ALL {
            let of_it = self.back.iter().filter(|(kind, _)| *kind == whom);
            let mut times: Vec<Duration> = of_it.map(|(_, took)| *took).collect();
            times.sort_unstable();
            let Some(last) = times.len().checked_sub(1) else {
                continue;
            };
            println!(
                "  {whom:?}: {} times; the next answer after {:?} p50, {:?} p99",
                times.len(),
                times[last / 2],
                times[last * 99 / 100]
            );
        }
    }
}
