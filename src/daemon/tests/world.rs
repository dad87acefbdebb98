//! The made-up world: a keeper with its table, children with habits, a disk, and clients. After every turn of the
//! supervisor it is asked whether what must always hold does.

mod deaths;
mod keeper;

use std::collections::BTreeMap;

use super::super::journal::Seen;
use super::super::ledger::Remembered;
use super::super::member::Note;
use super::super::message::{Deed, Msg, SweepOrder};
use super::super::store::{Record, Saved};
use super::super::supervisor::{Now, Setting, Supervisor};
use super::habit::{Disk, Habit, Leaves, MS, SECOND};
use crate::domain::exit::{Ending, Exit, ShortText, Signal};
use crate::domain::instance::Sweep;
use crate::domain::names::{InstanceId, RunId};
use crate::keeper::protocol::{Entry, NOTE_MAX, RunState, ToDaemon, ToKeeper, ToScribe};

enum Happening {
    /// Only the daemon of this epoch hears it.
    Tell(u64, Msg),
    Execute(InstanceId, RunId),
    Die(InstanceId, RunId, Ending),
    Look(InstanceId, RunId),
    /// A daemon begins, unless another has died since this was planned.
    Boot(u64),
    /// A keeper begins, likewise.
    Adopt(u64),
}

pub(super) struct Living {
    pub(super) run: RunId,
    habit: Habit,
    /// Its parent is dead: nobody will hear how it ends.
    adopted: bool,
}

struct Tree {
    run: RunId,
    leaves: Leaves,
    over_at: Option<u64>,
}

pub(super) struct World {
    pub(super) ns: u64,
    pub(super) epoch: u64,
    pub(super) deaths: u64,
    /// None between the death of a daemon and the next.
    pub(super) daemon: Option<Supervisor>,
    /// Nobody reaps, and nobody writes to the table.
    pub(super) no_keeper: bool,
    /// How long nobody is there after a death.
    pub(super) gap: u64,
    /// The daemon is killed when it has done so many deeds more.
    pub(super) deeds_left: Option<usize>,
    /// The keeper is killed when so many deeds more are done; its daemon sees that when it has done all that it meant to.
    pub(super) heard_left: Option<usize>,
    /// It dies with the child of the next deed asked for and not made.
    pub(super) dies_at_work: bool,
    /// How often a keeper died so.
    pub(super) unmade: usize,
    pub(super) deeds_done: usize,
    pub(super) table: BTreeMap<InstanceId, Entry>,
    pub(super) saved: Saved,
    /// What the volatile folder has.
    pub(super) remembered: Remembered,
    pub(super) disk: Disk,
    held: Vec<Deed>,
    habits: BTreeMap<String, Habit>,
    happenings: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    pub(super) living: BTreeMap<InstanceId, Living>,
    trees: BTreeMap<InstanceId, Tree>,
    /// What the inspector of this daemon looks for.
    sweeping: BTreeMap<InstanceId, RunId>,
    pub(super) spawns: Vec<(u64, InstanceId, RunId)>,
    pub(super) signals: Vec<(u64, InstanceId, Signal)>,
    pub(super) sweeps: Vec<(u64, SweepOrder)>,
    /// What the journal of runs was told.
    pub(super) seen: Vec<Seen>,
    pub(super) told_scribe: Vec<ToScribe>,
    pub(super) told_to_quit: bool,
    pub(super) left: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            ns: 1000 * SECOND,
            epoch: 0,
            deaths: 0,
            daemon: None,
            no_keeper: false,
            gap: 0,
            deeds_left: None,
            heard_left: None,
            dies_at_work: false,
            unmade: 0,
            deeds_done: 0,
            table: BTreeMap::new(),
            saved: Saved::default(),
            remembered: Remembered::default(),
            disk: Disk::Works,
            held: Vec::new(),
            habits: BTreeMap::new(),
            happenings: BTreeMap::new(),
            sequence: 0,
            living: BTreeMap::new(),
            trees: BTreeMap::new(),
            sweeping: BTreeMap::new(),
            spawns: Vec::new(),
            signals: Vec::new(),
            sweeps: Vec::new(),
            seen: Vec::new(),
            told_scribe: Vec::new(),
            told_to_quit: false,
            left: false,
        };
        world.boot();
        world
    }

    pub(super) fn habit(&mut self, program: &str, habit: Habit) {
        self.habits.insert(program.to_owned(), habit);
    }

    fn now(&self) -> Now {
        Now {
            ns: self.ns,
            ms: 1_700_000_000_000 + self.ns / MS,
        }
    }

    // The daemon's life.

    fn boot(&mut self) {
        self.epoch += 1;
        let setting = Setting {
            pid_start: None,
            epoch: self.epoch,
            boot_id: "boot".into(),
            keeper_pid: 1,
            state_dir: "/state".into(),
            logs: "/logs".into(),
            volatile: "/volatile".into(),
            socket: "/volatile/socket".into(),
            control_group: None,
            marker: "mark".into(),
            seed: 7 * self.epoch,
            ticks_per_second: 100,
            starts_at_once: 8,
        };
        let mut daemon = Supervisor::new(setting, self.now());
        daemon.take_over(
            self.saved.clone(),
            self.remembered.clone(),
            self.table.values().cloned().collect(),
            BTreeMap::new(),
        );
        self.daemon = Some(daemon);
        self.perform();
    }

    // Time.

    fn later(&mut self, ns: u64, happening: Happening) {
        self.sequence += 1;
        self.happenings
            .insert((self.ns.saturating_add(ns), self.sequence), happening);
    }

    fn tell(&mut self, message: Msg) {
        self.later(0, Happening::Tell(self.epoch, message));
    }

    fn keeper_tells(&mut self, message: ToDaemon) {
        self.tell(Msg::Keeper(message));
    }

    /// Time passes, and everything that happens in it.
    pub(super) fn after(&mut self, ns: u64) {
        let until = self.ns.saturating_add(ns);
        for _ in 0..100_000 {
            let next = self.happenings.keys().next().map(|(at, _)| *at);
            let due = self.daemon.as_mut().and_then(Supervisor::next_due);
            let happens = next.is_some_and(|at| due.is_none_or(|due| at <= due.max(self.ns)));
            let Some(at) = (if happens { next } else { due }).filter(|at| *at <= until) else {
                self.ns = until;
                return;
            };
            self.ns = self.ns.max(at);
            if happens {
                if let Some((_, happening)) = self.happenings.pop_first() {
                    self.happen(happening);
                }
            } else {
                let now = self.now();
                if let Some(daemon) = &mut self.daemon {
                    daemon.tick(now);
                }
                self.perform();
            }
        }
        panic!("the world does not come to rest");
    }

    /// Everything that happens without time passing.
    pub(super) fn settle(&mut self) {
        self.after(0);
    }

    pub(super) fn handle(&mut self, message: Msg) {
        let now = self.now();
        if let Some(daemon) = &mut self.daemon {
            daemon.handle(now, message);
            self.perform();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Tell(epoch, message) => {
                if epoch == self.epoch {
                    self.handle(message);
                }
            }
            Happening::Execute(id, run) => {
                if let Some(entry) = self.table.get_mut(&id)
                    && entry.run == run
                    && entry.state == RunState::Forked
                    && !self.no_keeper
                {
                    entry.state = RunState::Executed;
                    self.keeper_tells(ToDaemon::Executed { key: id, run });
                }
            }
            Happening::Die(id, run, ending) => self.die(id, run, ending),
            Happening::Look(id, run) => {
                let over = self
                    .trees
                    .get(&id)
                    .is_none_or(|t| t.run != run || t.over_at.is_some_and(|at| at <= self.ns));
                if over && self.sweeping.get(&id) == Some(&run) {
                    self.trees.remove(&id);
                    self.handle(Msg::Swept { id, run });
                }
            }
            Happening::Boot(deaths) if deaths == self.deaths => self.boot(),
            Happening::Adopt(deaths) if deaths == self.deaths => self.adopt(),
            Happening::Boot(_) | Happening::Adopt(_) => {}
        }
    }

    fn die(&mut self, id: InstanceId, run: RunId, ending: Ending) {
        let Some(living) = self.living.get(&id).filter(|l| l.run == run) else {
            return;
        };
        let (leaves, adopted) = (living.habit.leaves, living.adopted);
        // What an adopted one leaves behind has never been below this keeper.
        if leaves != Leaves::Nothing && !adopted {
            let tree = Tree {
                run,
                leaves,
                over_at: None,
            };
            self.trees.insert(id, tree);
        }
        self.living.remove(&id);
        if self.no_keeper {
            return;
        }
        let exit = Exit {
            ending: if adopted { Ending::Unknown } else { ending },
            at_ms: self.now().ms,
            cpu_ms: 1,
            peak_rss: 1,
        };
        if let Some(entry) = self.table.get_mut(&id) {
            entry.state = RunState::Exited(exit);
        }
        self.keeper_tells(ToDaemon::Exited { key: id, run, exit });
    }

    /// The main process of an instance ends by itself.
    pub(super) fn ends(&mut self, id: u32, code: i32) {
        let id = InstanceId(id);
        if let Some(run) = self.living.get(&id).map(|l| l.run) {
            self.die(id, run, Ending::Code(code));
            self.settle();
        }
    }

    // Deeds.

    fn perform(&mut self) {
        while let Some(deeds) = self.daemon.as_mut().map(Supervisor::take_deeds) {
            if deeds.is_empty() {
                break;
            }
            for deed in deeds {
                if self.deeds_left == Some(0) {
                    self.kill_daemon();
                    return;
                }
                self.deeds_left = self.deeds_left.map(|n| n - 1);
                self.heard_left = self.heard_left.map(|n| n.saturating_sub(1));
                self.deeds_done += 1;
                self.perform_one(deed);
            }
        }
        if self.heard_left == Some(0) {
            self.heard_left = None;
            self.kill_keeper();
            return;
        }
        self.check();
    }

    fn perform_one(&mut self, deed: Deed) {
        match deed {
            // What it is told after its death it does not hear.
            Deed::Keeper(message) if self.heard_left == Some(0) => self.half_heard(message),
            Deed::Keeper(message) => self.keeper(message),
            Deed::Upgrade(_) => {}
            Deed::Store {
                record,
                ticket,
                durable,
            } => match self.disk {
                Disk::Cached if durable => {
                    self.record(record.clone(), None);
                    self.held.push(Deed::Store {
                        record,
                        ticket,
                        durable,
                    });
                }
                Disk::Works | Disk::Cached => self.record(record, ticket),
                Disk::Stalls => self.held.push(Deed::Store {
                    record,
                    ticket,
                    durable,
                }),
                Disk::Fails => {
                    if let Some(ticket) = ticket {
                        let error = Some("no space left on device".into());
                        self.tell(Msg::Stored { ticket, error });
                    }
                }
            },
            Deed::Remember(entry) => self.remembered.apply(entry),
            Deed::RememberAnew(known) => {
                self.remembered = Remembered::default();
                for entry in known {
                    self.remembered.apply(entry);
                }
            }
            Deed::Sweep(order) => self.sweep(order),
            Deed::SweepOver(id) => drop(self.sweeping.remove(&id)),
            Deed::Saw(seen) => self.seen.push(seen),
            Deed::ReopenLog | Deed::Dump => {}
            Deed::Leave => self.left = true,
            Deed::Scribe(message) => self.told_scribe.push(message),
            Deed::Limits { id: key, routes } => self.keeper(ToKeeper::Limits { key, routes }),
            Deed::History(_)
            | Deed::SweepAgain
            | Deed::Track { .. }
            | Deed::Untrack(_)
            | Deed::Confirm { .. }
            | Deed::Autopsy { .. }
            | Deed::Retain { .. }
            | Deed::MakeRoom { .. }
            | Deed::Retention { .. }
            | Deed::ClearArchives { .. }
            | Deed::Grew => {}
        }
    }

    fn record(&mut self, record: Record, ticket: Option<u64>) {
        self.saved.apply(record);
        if let Some(ticket) = ticket {
            let error = None;
            self.tell(Msg::Stored { ticket, error });
        }
    }

    /// A disk that stalled goes on, or turns out to be full.
    pub(super) fn disk_goes_on(&mut self, disk: Disk) {
        self.disk = disk;
        for deed in std::mem::take(&mut self.held) {
            self.perform_one(deed);
        }
        self.settle();
    }

    /// What waits for the disk is refused; how many there were.
    pub(super) fn refuse_held(&mut self) -> usize {
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        for deed in held {
            self.perform_one(deed);
        }
        count
    }

    fn sweep(&mut self, order: SweepOrder) {
        self.sweeps.push((self.ns, order.clone()));
        self.sweeping.insert(order.id, order.run);
        let now = self.ns;
        let over_at = match self.trees.get_mut(&order.id) {
            None => Some(now),
            Some(tree) => {
                let ends = match (tree.leaves, order.how) {
                    (Leaves::Immortal, _) | (Leaves::Stubborn, Sweep::Fresh | Sweep::Remaining) => {
                        None
                    }
                    (Leaves::Polite(ns), Sweep::Fresh | Sweep::Remaining) => Some(now + ns),
                    (Leaves::Nothing | Leaves::Polite(_) | Leaves::Stubborn, _) => Some(now),
                };
                tree.over_at = match (tree.over_at, ends) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                tree.over_at
            }
        };
        if let Some(at) = over_at {
            let wait = at.saturating_sub(now);
            self.later(wait, Happening::Look(order.id, order.run));
        }
    }

    fn note(&mut self, key: InstanceId, note: String) -> &mut Entry {
        assert!(note.len() <= NOTE_MAX, "a note of {} bytes", note.len());
        assert!(Note::parse(&note).is_some(), "not a note: {note}");
        let entry = self.table.entry(key).or_insert_with(|| Entry::new(key));
        entry.note = note;
        entry
    }
}
