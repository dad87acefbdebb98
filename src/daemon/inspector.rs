//! Looks closer at processes: whose orphan is this, what is left of a tree, how large is it really. These reads can
//! hang on a stuck process, so they have a thread that no decision waits for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::domain::exit::Signal;
use crate::domain::instance::Sweep;
use crate::domain::names::{InstanceId, RunId};
use crate::domain::run::Evidence;
use crate::platform::cgroup::{Groups, Vigil};
use crate::platform::oom::{self, Counter};
use crate::platform::procfs::{self, Stat};
use crate::platform::signal::PidFd;

use super::message::SweepOrder;
use super::unlisted::run_of;

/// How many questions may wait.
const QUEUE: usize = 8192;

/// How often new orphans may appear while they are counted before the count is left for the next look.
const READS: u32 = 16;

/// How soon a tree that an earlier keeper made is looked at again.
const AGAIN: Duration = Duration::from_millis(100);

/// What the inspector is asked.
#[derive(Debug)]
pub(super) enum ToInspector {
    /// End what is left of this tree.
    Sweep(SweepOrder),
    /// Something was reaped, or time passed: look again.
    Again,
    /// Stop looking.
    Over(InstanceId),
    /// Whose is it?
    Identify {
        /// The orphan.
        pid: i32,
        /// Its start.
        start: u64,
    },
    /// How much memory does this tree really use?
    Confirm {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Its main process.
        pid: i32,
    },
    /// Who killed this run? Nobody of adasa did.
    Autopsy {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// The pid of its main process.
        pid: i32,
        /// When it began, microseconds since boot.
        begun_us: u64,
    },
    /// This run has this main process.
    Main {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Its pid.
        pid: i32,
    },
}

/// What the inspector says.
#[derive(Debug)]
pub(super) enum FromInspector {
    /// Nothing is left.
    Swept {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
    },
    /// Something is left.
    Survivors {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Pids and names.
        text: String,
    },
    /// Whose an orphan is.
    Identified {
        /// The orphan.
        pid: i32,
        /// Its start.
        start: u64,
        /// Its run.
        owner: Option<(InstanceId, RunId)>,
    },
    /// What is known of the end of a run besides its status.
    Found {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// What.
        evidence: Vec<Evidence>,
    },
    /// The proportional set of a tree.
    Confirmed {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Bytes.
        memory: u64,
    },
}

struct Waiting {
    order: SweepOrder,
    signalled: HashSet<(i32, u64)>,
    /// Tells when its control group becomes empty: a daemon that took over may not be told of every death in it.
    watched: Vec<std::fs::File>,
}

struct Inspector {
    keeper: i32,
    marker: String,
    groups: Groups,
    vigil: Arc<Vigil>,
    mains: BTreeMap<InstanceId, (RunId, i32)>,
    /// Kills for want of memory in the control group of each run, when it began.
    kills: BTreeMap<InstanceId, (RunId, Counter, u64)>,
    waiting: BTreeMap<InstanceId, Waiting>,
}

/// Starts the thread. `keeper` is the parent of all orphans; `marker` begins the environment mark of our runs.
///
/// # Errors
/// When it cannot be made.
pub(super) fn start(
    keeper: i32,
    marker: String,
    groups: Groups,
    tell: impl Fn(FromInspector) + Send + 'static,
) -> std::io::Result<(SyncSender<Box<ToInspector>>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let vigil = Arc::new(Vigil::new()?);
    if !groups.is_empty() {
        let (vigil, sender) = (Arc::clone(&vigil), sender.clone());
        std::thread::Builder::new()
            .name("vigil".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                loop {
                    vigil.wait();
                    // A full queue means that there will be another look anyway.
                    let _ = sender.try_send(Box::new(ToInspector::Again));
                }
            })?;
    }
    let thread = std::thread::Builder::new()
        .name("inspector".into())
        .stack_size(256 * 1024)
        .spawn(move || {
            let mut inspector = Inspector {
                keeper,
                marker,
                groups,
                vigil,
                mains: BTreeMap::new(),
                kills: BTreeMap::new(),
                waiting: BTreeMap::new(),
            };
            inspector.run(&receiver, &tell);
        })?;
    Ok((sender, thread))
}

impl Inspector {
    fn run(&mut self, receiver: &Receiver<Box<ToInspector>>, tell: &dyn Fn(FromInspector)) {
        loop {
            let (mut look, mut next) = if self.looks_everywhere() {
                // Nobody tells us of the end of what is not below our keeper.
                match receiver.recv_timeout(AGAIN) {
                    Ok(first) => (false, Some(first)),
                    Err(RecvTimeoutError::Timeout) => (true, None),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                match receiver.recv() {
                    Ok(first) => (false, Some(first)),
                    Err(RecvError) => return,
                }
            };
            // All that wait are taken together: one walk serves every sweep.
            while let Some(message) = next {
                look |= self.apply(*message, tell);
                next = receiver.try_recv().ok();
            }
            if look && !self.waiting.is_empty() {
                self.look(tell);
            }
        }
    }

    fn apply(&mut self, message: ToInspector, tell: &dyn Fn(FromInspector)) -> bool {
        match message {
            ToInspector::Sweep(order) => {
                let id = order.id;
                let (signalled, watched) = match self.waiting.remove(&id) {
                    Some(old) if old.order.run == order.run => {
                        // The same signal once; the next rung begins anew.
                        let again = old.order.how == order.how;
                        let signalled = if again { old.signalled } else { HashSet::new() };
                        (signalled, old.watched)
                    }
                    Some(_) | None => {
                        let watched = self.vigil.watch(&self.groups, id, order.run);
                        (HashSet::new(), watched)
                    }
                };
                let waiting = Waiting {
                    order,
                    signalled,
                    watched,
                };
                self.waiting.insert(id, waiting);
                true
            }
            ToInspector::Again => true,
            ToInspector::Over(id) => {
                self.waiting.remove(&id);
                false
            }
            ToInspector::Autopsy {
                id,
                run,
                pid,
                begun_us,
            } => {
                let evidence = self.autopsy(id, run, pid, begun_us);
                if !evidence.is_empty() {
                    tell(FromInspector::Found { id, run, evidence });
                }
                false
            }
            ToInspector::Main { id, run, pid } => {
                // The counter of a run that is over is kept until the next begins: its end may still be asked about.
                if pid != 0
                    && let Some(counter) = Counter::of(pid)
                    && let Some(kills) = counter.read()
                {
                    self.kills.insert(id, (run, counter, kills));
                }
                self.mains.insert(id, (run, pid));
                false
            }
            ToInspector::Identify { pid, start } => {
                let owner = procfs::stat(pid)
                    .filter(|stat| stat.start == start)
                    .and_then(|stat| self.owner(pid, stat));
                tell(FromInspector::Identified { pid, start, owner });
                false
            }
            ToInspector::Confirm { id, run, pid } => {
                let tree = procfs::descendants(pid);
                let memory = std::iter::once(pid)
                    .chain(tree.into_iter().map(|(pid, _)| pid))
                    .filter_map(procfs::proportional_set)
                    .sum();
                tell(FromInspector::Confirmed { id, run, memory });
                false
            }
        }
    }

    /// What the kernel says of the end of a run that was killed.
    fn autopsy(&self, id: InstanceId, run: RunId, pid: i32, begun_us: u64) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        let line = oom::killed(pid, begun_us);
        evidence.extend(line.map(|line| Evidence::KernelLog { line }));
        if let Some((of, counter, before)) = self.kills.get(&id)
            && *of == run
            && let Some(after) = counter.read()
            && after > *before
        {
            let shared = Counter::of(self.keeper).is_some_and(|ours| ours == *counter);
            evidence.push(Evidence::OomCounter {
                group: counter.group.clone(),
                before: *before,
                after,
                shared,
            });
        }
        evidence
    }

    /// Whose an orphan is: by control group, by session, by the pipe it writes to, by its environment.
    fn owner(&self, pid: i32, stat: Stat) -> Option<(InstanceId, RunId)> {
        if let Some(owner) = self.groups.owner(pid) {
            return Some(owner);
        }
        let by_session = self
            .waiting
            .values()
            .map(|w| (w.order.id, w.order.run, w.order.main))
            .chain(self.mains.iter().map(|(id, (run, pid))| (*id, *run, *pid)))
            .find(|(_, _, main)| *main != 0 && *main == stat.session);
        if let Some((id, run, _)) = by_session {
            return Some((id, run));
        }
        let by_pipe = procfs::output_targets(pid)
            .into_iter()
            .find_map(|(_, target)| {
                let (folder, name) = target.rsplit_once('/')?;
                let mut parts = name.split('.');
                let id = parts.next()?.parse().ok()?;
                let run = parts.next()?.parse().ok()?;
                (folder.ends_with("/pipes") && folder.contains(&self.marker))
                    .then_some((InstanceId(id), RunId(run)))
            });
        by_pipe.or_else(|| {
            let mark = procfs::environment_value(pid, "ADASA_RUN")?;
            run_of(&mark, &self.marker)
        })
    }

    fn look(&mut self, tell: &dyn Fn(FromInspector)) {
        let mut left: BTreeMap<InstanceId, Vec<(i32, Stat)>> = BTreeMap::new();
        // One that ends while they are read hides those it leaves behind, and the one that is listed after it: only
        // a read that shows nobody new proves that nothing is left.
        let mut seen = HashSet::new();
        let mut settled = false;
        let everywhere = self.looks_everywhere();
        for round in 0..READS {
            let mut new = if everywhere {
                procfs::all()
            } else {
                procfs::children(self.keeper)
            };
            new.retain(|pid| seen.insert(*pid));
            // On a whole machine somebody new is always there: what counts is that it is nobody of ours.
            let strangers = round > 0
                && everywhere
                && new.iter().all(|pid| {
                    procfs::stat(*pid).is_none_or(|stat| self.owner(*pid, stat).is_none())
                });
            settled = new.is_empty() || strangers;
            if settled || self.waiting.keys().all(|id| left.contains_key(id)) {
                break;
            }
            self.collect(&new, &mut left);
        }
        self.collect_groups(&mut left);
        let mut over = Vec::new();
        for (id, waiting) in &mut self.waiting {
            let run = waiting.order.run;
            match left.get(id) {
                // Whoever keeps appearing dies or is killed, and then there is another look.
                None if !settled => {}
                // So it is with somebody who came into the group after it was read.
                None if !self.groups.remove(*id, run) => {}
                None => {
                    over.push(*id);
                    tell(FromInspector::Swept { id: *id, run });
                }
                Some(tree) => {
                    if waiting.order.how == Sweep::Kill {
                        self.groups.kill(*id, run);
                    }
                    waiting.signal(tree);
                    let text = describe(tree);
                    tell(FromInspector::Survivors { id: *id, run, text });
                }
            }
        }
        for id in over {
            self.waiting.remove(&id);
        }
    }

    /// What a run leaves behind becomes the child of the keeper that made it, and of strangers when that is no more.
    fn looks_everywhere(&self) -> bool {
        self.waiting.values().any(|w| w.order.adopted)
    }

    /// Adds what belongs to a sweep, with all below it.
    fn collect(&self, orphans: &[i32], left: &mut BTreeMap<InstanceId, Vec<(i32, Stat)>>) {
        for &pid in orphans {
            let Some(stat) = procfs::stat(pid) else {
                continue;
            };
            if stat.zombie || self.is_running_main(pid) {
                continue;
            }
            let Some((id, run)) = self.owner(pid, stat) else {
                continue;
            };
            if self.waiting.get(&id).is_some_and(|w| run <= w.order.run) {
                let tree = left.entry(id).or_default();
                let below = procfs::descendants(pid).into_iter();
                for (pid, stat) in std::iter::once((pid, stat)).chain(below) {
                    if !stat.zombie && !tree.iter().any(|(known, _)| *known == pid) {
                        tree.push((pid, stat));
                    }
                }
            }
        }
    }

    /// Adds who is in the control group of a sweep, wherever its parents are.
    fn collect_groups(&self, left: &mut BTreeMap<InstanceId, Vec<(i32, Stat)>>) {
        for (id, waiting) in &self.waiting {
            for pid in self.groups.members(*id, waiting.order.run) {
                let Some(stat) = procfs::stat(pid).filter(|stat| !stat.zombie) else {
                    continue;
                };
                let tree = left.entry(*id).or_default();
                if !tree.iter().any(|(known, _)| *known == pid) {
                    tree.push((pid, stat));
                }
            }
        }
    }

    fn is_running_main(&self, pid: i32) -> bool {
        let swept = self.waiting.values().any(|w| w.order.main == pid);
        !swept && self.mains.values().any(|(_, main)| *main == pid)
    }
}

impl Waiting {
    fn signal(&mut self, tree: &[(i32, Stat)]) {
        for (pid, stat) in tree {
            let new = self.signalled.insert((*pid, stat.start));
            let had_it = stat.group == self.order.main && self.order.how == Sweep::Remaining;
            let signal = match self.order.how {
                // Again each time: what is being forked while it is killed is found on the next walk.
                Sweep::Kill => Signal::KILL,
                Sweep::Fresh | Sweep::Remaining if new && !had_it => self.order.signal,
                Sweep::Fresh | Sweep::Remaining => continue,
            };
            // The handle first, then the identity: what it means can no longer change.
            if let Ok(handle) = PidFd::open(*pid)
                && procfs::stat(*pid).is_some_and(|now| now.start == stat.start)
            {
                let _ = handle.send(signal);
            }
        }
    }
}

fn describe(tree: &[(i32, Stat)]) -> String {
    let mut names: Vec<String> = tree
        .iter()
        .take(5)
        .map(|(pid, _)| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{} (pid {pid})", name.trim())
        })
        .collect();
    if tree.len() > 5 {
        names.push(format!("and {} more", tree.len() - 5));
    }
    names.join(", ")
}
