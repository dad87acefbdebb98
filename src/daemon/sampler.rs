//! Measures the tree of every run once a second, on its own thread, through held descriptors.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::sample::{Files, Sample};
use crate::platform::host::{Host, HostReader, Own};
use crate::platform::memory;
use crate::platform::procfs::{self, Reader, Stat};

/// The period.
pub(super) const PERIOD: Duration = Duration::from_secs(1);
/// Less than this between two looks says nothing about a processor.
const SHORTEST: Duration = Duration::from_millis(50);
/// Descriptors are counted in so many turns; a turn is a period.
const TURNS: u32 = 5;
/// So many periods after the last change of what is measured, what a burst needed is given back.
const TIDY: u32 = 5;
/// What answers and threads that ended have read of the program is let go of this often.
const UNMAP: u32 = 20;
/// So often is looked whether a crowd of clients has left much behind.
const LOOK: u32 = 10;
/// How many changes of what is measured may wait.
const QUEUE: usize = 4096;

/// What the sampler is told.
#[derive(Debug)]
pub(super) enum ToSampler {
    /// Measure this run from now on.
    Track {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Its main process.
        pid: i32,
        /// Its start.
        start: u64,
    },
    /// Stop measuring.
    Untrack(InstanceId),
    /// Who is in the trees of these?
    Members {
        /// Which instances.
        ids: Vec<InstanceId>,
        /// Where the answer goes.
        reply: oneshot::Sender<Members>,
    },
}

/// A member of a tree: its pid, its start, and its percent of one core in the last period.
pub(super) type Member = (i32, u64, Option<f32>);

/// The members of each tree at the last look.
pub(super) type Members = BTreeMap<InstanceId, Vec<Member>>;

/// An orphan, its start, and of which run it is.
pub(super) type Identified = (i32, u64, Option<(InstanceId, RunId)>);

/// What the sampler says.
#[derive(Debug)]
pub(super) enum FromSampler {
    /// Measurements: the machine with the periodic ones, none with the first look at a new run.
    Sampled {
        /// The machine.
        host: Option<Box<Host>>,
        /// Per run.
        samples: Vec<(InstanceId, RunId, Sample)>,
        /// Orphans that belong to nobody.
        strays: u32,
    },
    /// Whose is this orphan?
    Identify {
        /// The orphan.
        pid: i32,
        /// Its start.
        start: u64,
    },
}

struct Tracked {
    run: RunId,
    pid: i32,
    start: u64,
    /// What each member of the tree had spent at the last look, in order.
    ticks: Vec<((i32, u64), Spent)>,
    looked: Instant,
    /// What was open at the last count, and how often it was counted.
    files: Option<Files>,
    counted: u32,
}

/// Processor time of one process.
#[derive(Clone, Copy)]
struct Spent {
    ticks: u64,
    /// Percent of one core in the last period; none at its first look.
    cpu: Option<f32>,
}

struct Sampler {
    reader: Reader,
    host: Option<HostReader>,
    keeper: i32,
    own: Vec<i32>,
    tracked: BTreeMap<InstanceId, Tracked>,
    orphans: HashMap<(i32, u64), Option<(InstanceId, RunId)>>,
    identified: Receiver<Identified>,
    ticks_per_second: u64,
    /// When the daemon's own process was looked at, and what it had spent.
    myself: Option<(Instant, u64)>,
    /// Whose descriptors are counted now.
    turn: u32,
}

/// Starts the thread.
///
/// # Errors
/// When it cannot be made.
pub(super) fn start(
    logs: PathBuf,
    keeper: i32,
    identified: Receiver<Identified>,
    tell: impl Fn(FromSampler) -> bool + Send + 'static,
) -> std::io::Result<(SyncSender<Box<ToSampler>>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("sampler".into())
        .stack_size(256 * 1024)
        .spawn(move || {
            Sampler::new(HostReader::new(logs), keeper, identified).run(&receiver, &tell);
        })?;
    Ok((sender, thread))
}

impl Sampler {
    fn new(host: Option<HostReader>, keeper: i32, identified: Receiver<Identified>) -> Self {
        Self {
            reader: Reader::default(),
            host,
            keeper,
            own: Vec::new(),
            tracked: BTreeMap::new(),
            orphans: HashMap::new(),
            identified,
            ticks_per_second: procfs::ticks_per_second(),
            myself: None,
            turn: 0,
        }
    }

    fn run(&mut self, receiver: &Receiver<Box<ToSampler>>, tell: &dyn Fn(FromSampler) -> bool) {
        let mut next = Instant::now();
        let mut quiet = 0;
        let mut ticks = 0_u32;
        let mut spare = memory::Spare::default();
        loop {
            let now = Instant::now();
            if now >= next {
                next = now + PERIOD;
                if !self.tick(tell) {
                    return;
                }
                quiet += 1;
                ticks = ticks.wrapping_add(1);
                if ticks.is_multiple_of(LOOK) {
                    spare.turn();
                }
                if quiet == TIDY {
                    memory::give_back();
                } else if quiet % UNMAP == 0 {
                    memory::unmap_program();
                }
            }
            match receiver.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(message) => {
                    let mut fresh = Vec::new();
                    let mut next = Some(message);
                    while let Some(message) = next {
                        // A question changes nothing of what is measured.
                        if !matches!(*message, ToSampler::Members { .. }) {
                            quiet = 0;
                        }
                        self.apply(*message, &mut fresh);
                        next = receiver.try_recv().ok();
                    }
                    if !fresh.is_empty() && !self.first_look(&fresh, tell) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn apply(&mut self, message: ToSampler, fresh: &mut Vec<InstanceId>) {
        match message {
            ToSampler::Track {
                id,
                run,
                pid,
                start,
            } => {
                self.tracked.insert(
                    id,
                    Tracked {
                        run,
                        pid,
                        start,
                        ticks: Vec::new(),
                        looked: Instant::now(),
                        files: None,
                        counted: 0,
                    },
                );
                fresh.push(id);
            }
            ToSampler::Untrack(id) => {
                self.tracked.remove(&id);
                fresh.retain(|other| *other != id);
            }
            ToSampler::Members { ids, reply } => {
                // Who asked may have given up.
                let _ = reply.send(self.members(&ids));
            }
        }
    }

    fn members(&self, ids: &[InstanceId]) -> Members {
        let tracked = ids
            .iter()
            .filter_map(|id| Some((*id, self.tracked.get(id)?)));
        tracked
            .map(|(id, it)| {
                let members = it
                    .ticks
                    .iter()
                    .map(|((pid, start), it)| (*pid, *start, it.cpu));
                (id, members.collect())
            })
            .collect()
    }

    fn first_look(&mut self, fresh: &[InstanceId], tell: &dyn Fn(FromSampler) -> bool) -> bool {
        let orphans = BTreeMap::new();
        let samples = fresh
            .iter()
            .filter_map(|id| self.measure(*id, &orphans))
            .collect();
        tell(FromSampler::Sampled {
            host: None,
            samples,
            strays: 0,
        })
    }

    fn tick(&mut self, tell: &dyn Fn(FromSampler) -> bool) -> bool {
        let (orphans, strays, unknown) = self.look_for_orphans();
        self.count_files();
        let ids: Vec<InstanceId> = self.tracked.keys().copied().collect();
        let samples = ids
            .into_iter()
            .filter_map(|id| self.measure(id, &orphans))
            .collect();
        let own = self.measure_own();
        let seen: std::collections::HashSet<i32> = self
            .tracked
            .values()
            .flat_map(|t| t.ticks.iter().map(|((pid, _), _)| *pid).chain([t.pid]))
            .chain(self.orphans.keys().map(|(pid, _)| *pid))
            .chain([me()])
            .collect();
        self.reader.retain(|pid| seen.contains(&pid));
        for (pid, start) in unknown {
            tell(FromSampler::Identify { pid, start });
        }
        let mut host = self.host.as_mut().map(HostReader::read).unwrap_or_default();
        host.own = own;
        tell(FromSampler::Sampled {
            host: Some(Box::new(host)),
            samples,
            strays,
        })
    }

    /// What main processes have open: of each fifth one in turn, so that a thousand cost no more than two hundred.
    fn count_files(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        for (id, it) in &mut self.tracked {
            // Also of one that is new, at once.
            if id.0 % TURNS != self.turn % TURNS && it.counted > 0 {
                continue;
            }
            // A program may give itself another limit when it begins.
            let limit = if it.counted % TURNS == 0 {
                procfs::files_limit(it.pid)
            } else {
                it.files.and_then(|files| files.limit)
            };
            it.counted = it.counted.wrapping_add(1);
            let open = procfs::open_files(it.pid);
            it.files = open.map(|open| Files { open, limit });
        }
    }

    /// What the daemon's own process takes.
    #[expect(clippy::cast_precision_loss, reason = "ticks of a second fit a float")]
    fn measure_own(&mut self) -> Own {
        let Some(stat) = self.reader.stat(me()) else {
            return Own::default();
        };
        let now = Instant::now();
        let before = self.myself.replace((now, stat.ticks));
        let cpu = before.map(|(at, ticks)| {
            let spent = stat.ticks.saturating_sub(ticks) as f32 / self.ticks_per_second as f32;
            100.0 * spent / now.duration_since(at).max(SHORTEST).as_secs_f32()
        });
        Own {
            memory: Some(stat.rss),
            cpu,
        }
    }

    /// Children of the keeper that are nobody's main process: whose are they?
    #[expect(clippy::type_complexity, reason = "three plain results of one pass")]
    fn look_for_orphans(&mut self) -> (BTreeMap<InstanceId, Vec<i32>>, u32, Vec<(i32, u64)>) {
        while let Ok((pid, start, id)) = self.identified.try_recv() {
            self.orphans.insert((pid, start), id);
        }
        let mut found: BTreeMap<InstanceId, Vec<i32>> = BTreeMap::new();
        let mut unknown = Vec::new();
        let mut strays = 0;
        let mains: HashMap<i32, InstanceId> =
            self.tracked.iter().map(|(id, t)| (t.pid, *id)).collect();
        // Its descriptors are held as those of any process.
        let _ = self.reader.stat(self.keeper);
        let mut there = Vec::new();
        for pid in self.reader.children(self.keeper) {
            if mains.contains_key(&pid) || self.is_own(pid) {
                continue;
            }
            let Some(stat) = self.reader.stat(pid) else {
                continue;
            };
            let key = (pid, stat.start);
            there.push(key);
            let by_session = mains.get(&stat.session).copied();
            let owner = match by_session {
                Some(id) => self.tracked.get(&id).map(|t| Some((id, t.run))),
                None => self.orphans.get(&key).copied(),
            };
            match owner {
                // What an earlier run was allowed to leave behind is no part of this one.
                Some(Some((id, run))) => {
                    if self.tracked.get(&id).is_some_and(|t| t.run == run) {
                        found.entry(id).or_default().push(pid);
                    }
                }
                Some(None) => strays += 1,
                None => unknown.push(key),
            }
        }
        self.orphans.retain(|key, _| there.contains(key));
        (found, strays, unknown)
    }

    fn is_own(&mut self, pid: i32) -> bool {
        if pid == me() || self.own.contains(&pid) {
            return true;
        }
        let same = std::fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|exe| std::fs::read_link("/proc/self/exe").is_ok_and(|own| own == exe))
            && std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.starts_with(b"adasa\0__"));
        if same {
            self.own.push(pid);
        }
        same
    }

    #[expect(clippy::cast_precision_loss, reason = "ticks of a second fit a float")]
    fn measure(
        &mut self,
        id: InstanceId,
        orphans: &BTreeMap<InstanceId, Vec<i32>>,
    ) -> Option<(InstanceId, RunId, Sample)> {
        let tracked = self.tracked.get_mut(&id)?;
        let mut sample = Sample::default();
        let mut memory = 0;
        let mut ticks: HashMap<(i32, u64), Spent> = HashMap::new();
        let mut spent = 0;
        let elapsed = tracked.looked.elapsed();
        let first = tracked.ticks.is_empty();
        let share = |spent: u64| {
            let share = spent as f32 / self.ticks_per_second as f32 / elapsed.as_secs_f32();
            (share * 1000.0).round() / 10.0
        };
        let mut queue = vec![tracked.pid];
        queue.extend(orphans.get(&id).into_iter().flatten().copied());
        let mut look = |pid: i32, stat: Stat, queue: &mut Vec<i32>, reader: &mut Reader| {
            let key = (pid, stat.start);
            if ticks.contains_key(&key) {
                return;
            }
            memory += stat.rss;
            sample.processes += 1;
            // A member that is new has spent all it ever spent within this period.
            let before = tracked
                .ticks
                .binary_search_by_key(&key, |(known, _)| *known);
            let before = before.ok().and_then(|at| tracked.ticks.get(at));
            let new = stat
                .ticks
                .saturating_sub(before.map_or(0, |(_, it)| it.ticks));
            spent += new;
            let it = Spent {
                ticks: stat.ticks,
                cpu: (!first).then(|| share(new)),
            };
            ticks.insert(key, it);
            queue.extend(reader.children(pid));
        };
        while let Some(pid) = queue.pop() {
            if let Some(stat) = self.reader.stat(pid) {
                if pid == tracked.pid && stat.start != tracked.start {
                    return None;
                }
                look(pid, stat, &mut queue, &mut self.reader);
            }
        }
        sample.memory = (memory > 0).then_some(memory);
        sample.files = tracked.files;
        if first || elapsed > SHORTEST {
            if !first {
                sample.cpu = Some(share(spent));
            }
            tracked.ticks = ticks.into_iter().collect();
            tracked.ticks.sort_unstable_by_key(|(key, _)| *key);
            tracked.looked = Instant::now();
        }
        (sample.processes > 0).then_some((id, tracked.run, sample))
    }
}

/// The daemon's pid.
fn me() -> i32 {
    i32::try_from(std::process::id()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
