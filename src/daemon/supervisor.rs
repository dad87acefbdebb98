//! The supervisor: owns all state, is the only writer, and does nothing by itself. It is told messages with the time
//! they came at, and leaves deeds for the loop around it; so it runs in a test as it runs in the daemon.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::path::PathBuf;

use crate::api::{Applied, Host, OperationView, Push};
use crate::domain::event::{Event, What};
use crate::domain::instance::{Event as Happened, Report};
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::domain::settings::Settings;
use crate::keeper::protocol::ToKeeper;

use super::hub::Hub;
use super::member::{Member, Process};
use super::message::{Deed, Msg, Reply};
use super::operations::Operations;
use super::recording::{Awaited, Owed};

/// When something is: monotonic for deadlines, wall clock for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Now {
    /// Nanoseconds since boot.
    pub(super) ns: u64,
    /// Milliseconds since 1970.
    pub(super) ms: u64,
}

/// What does not change while a daemon lives.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) epoch: u64,
    /// When this process began, clock ticks since boot.
    pub(super) pid_start: Option<u64>,
    pub(super) boot_id: String,
    pub(super) keeper_pid: i32,
    pub(super) state_dir: PathBuf,
    pub(super) logs: PathBuf,
    pub(super) volatile: PathBuf,
    pub(super) socket: PathBuf,
    /// Below it each run has a control group of its own.
    pub(super) control_group: Option<PathBuf>,
    /// What the environment marker of a run begins with.
    pub(super) marker: String,
    /// Seeds the jitter of backoffs.
    pub(super) seed: u64,
    pub(super) ticks_per_second: u64,
    /// So many instances whose backoff is over begin together.
    pub(super) starts_at_once: usize,
}

/// An operation that waits until its definitions are in the state folder.
pub(super) struct Deferred {
    pub(super) operation: OperationId,
    /// Who asked for it.
    pub(super) by: String,
    /// Who waits for the answer; a request that is made again waits as well.
    pub(super) replies: Vec<Deferral>,
    /// Taken back when it cannot be recorded.
    pub(super) undo: Vec<Undo>,
}

/// Where an answer to a request goes.
pub(super) enum Deferral {
    Operation(Reply<OperationView>),
    Applied(Reply<Applied>),
}

/// How a definition is taken back.
pub(super) enum Undo {
    /// It was new.
    Forget(ProcessKey),
    /// It was another.
    Restore(ProcessKey, Box<Process>),
}

/// How far the end of everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    No,
    /// Processes are being ended; then the keeper is told to quit.
    Stopping,
    Left,
}

/// All state.
pub(super) struct Supervisor {
    pub(super) setting: Setting,
    pub(super) now: Now,
    pub(super) processes: BTreeMap<ProcessKey, Process>,
    pub(super) environments: super::environments::Environments,
    pub(super) members: BTreeMap<InstanceId, Box<Member>>,
    pub(super) last_id: u32,
    pub(super) operations: Operations,
    pub(super) rollouts: super::rollouts::Rollouts,
    /// What can be taken back, oldest first.
    pub(super) undo: Vec<super::undo::Undoable>,
    pub(super) deferred: HashMap<u64, Deferred>,
    /// Records on their way to the disk, by ticket.
    pub(super) awaited: HashMap<u64, Awaited>,
    pub(super) owed: Owed,
    pub(super) tended: super::tending::Tended,
    pub(super) next_ticket: u64,
    pub(super) deeds: Vec<Deed>,
    pub(super) hub: Hub,
    pub(super) host: Host,
    pub(super) lanes: super::lanes::Lanes,
    pub(super) strays: u32,
    pub(super) started: Now,
    pub(super) transient: bool,
    pub(super) ending: Ending,
    pub(super) troubles: BTreeMap<PathBuf, String>,
    pub(super) alarms: Vec<String>,
    pub(super) settings: Settings,
    /// What is wrong with them as they are now.
    pub(super) unsettled: Option<String>,
    /// Deadlines, soonest first; void where the member's own differs.
    timers: BinaryHeap<Reverse<(u64, InstanceId)>>,
    /// Who was touched in this turn.
    pub(super) dirty: BTreeSet<InstanceId>,
    pub(super) paced: super::pacing::Paced,
    pub(super) jitter: u64,
    /// At whose word the next step is taken; none when nobody's.
    pub(super) asker: Option<crate::domain::run::Asker>,
    /// Whose request is being carried out.
    pub(super) client: Option<crate::domain::who::Who>,
    /// Who listens to what happens.
    pub(super) clients: super::clients::Clients,
    pub(super) flow: super::flow::Flow,
    /// Who writes and who is silent.
    pub(super) voices: super::voices::Voices,
    /// What the parts around it are doing.
    pub(super) board: Option<super::subsystems::Board>,
}

impl Supervisor {
    pub(super) fn new(setting: Setting, now: Now) -> Self {
        let jitter = setting.seed | 1;
        Self {
            setting,
            now,
            processes: BTreeMap::new(),
            environments: super::environments::Environments::default(),
            members: BTreeMap::new(),
            last_id: 0,
            operations: Operations::default(),
            rollouts: super::rollouts::Rollouts::default(),
            undo: Vec::new(),
            deferred: HashMap::new(),
            awaited: HashMap::new(),
            owed: Owed::default(),
            tended: super::tending::Tended::default(),
            next_ticket: 1,
            deeds: Vec::new(),
            hub: Hub::default(),
            host: Host::default(),
            lanes: super::lanes::Lanes::default(),
            strays: 0,
            started: now,
            transient: false,
            ending: Ending::No,
            troubles: BTreeMap::new(),
            alarms: Vec::new(),
            settings: Settings::default(),
            unsettled: None,
            timers: BinaryHeap::new(),
            dirty: BTreeSet::new(),
            paced: super::pacing::Paced::default(),
            jitter,
            asker: None,
            client: None,
            clients: super::clients::Clients::default(),
            flow: super::flow::Flow::default(),
            voices: super::voices::Voices::default(),
            board: None,
        }
    }

    /// Takes one message.
    pub(super) fn handle(&mut self, now: Now, message: Msg) {
        self.now = now;
        self.hub.turn(now.ns);
        match message {
            Msg::Request(request) => self.request(request),
            Msg::Keeper(message) => self.heard_keeper(message),
            Msg::Scribe(message) => self.heard_scribe(message),
            Msg::Stored { ticket, error } => self.stored(ticket, error),
            Msg::Sampled {
                host,
                samples,
                strays,
            } => {
                for (id, run, sample) in samples {
                    self.sampled(id, run, sample, host.is_some());
                }
                if let Some(mut host) = host {
                    host.logged = self.flow.per_second(self.now.ns);
                    self.take_host(*host);
                    self.strays = strays;
                    self.publish_metrics();
                }
            }
            Msg::Swept { id, run } => self.report(id, run, Report::Swept, ""),
            Msg::Survivors { id, run, text } => {
                if let Some(member) = self.members.get_mut(&id)
                    && member.machine.run() == run
                    && member.alarm.is_some()
                {
                    member.alarm = Some(format!("does not die: {text}"));
                    self.touch(id);
                }
            }
            Msg::Found { id, run, evidence } => {
                let seen = super::journal::Seen::Found { id, run, evidence };
                self.deeds.push(Deed::Saw(seen));
            }
            Msg::Confirmed { id, run, memory } => self.over_limit(id, run, memory),
            Msg::Cleared {
                ticket,
                removed,
                error,
            } => self.tended_one(ticket, removed, error),
            Msg::Noted(text) => self.announce(None, What::Note { text }),
            Msg::Attached { session, who } => self.attached(session, who),
            Msg::Left { session } => self.left(session),
            Msg::Follower { joined } => self.follower(joined),
            Msg::Settings(read) => self.take_settings(read),
            Msg::Subsystem(text) => self.tell(None, What::Alarm { text }),
            Msg::EndAll { at_once } => self.end_all(at_once),
        }
        self.finish_turn();
    }

    /// Fires the deadlines that have passed.
    pub(super) fn tick(&mut self, now: Now) {
        self.now = now;
        self.hub.turn(now.ns);
        while let Some(Reverse((due, id))) = self.timers.peek().copied() {
            if due > now.ns {
                break;
            }
            self.timers.pop();
            self.its_time(due, id);
        }
        self.operations.forget_old(now.ns);
        self.forget_rollouts();
        self.tell_the_disk_again();
        self.answer_tended();
        self.tell_clients();
        self.finish_turn();
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn next_due(&mut self) -> Option<u64> {
        let all = [
            self.next_deadline(),
            self.rollouts.next_due(),
            self.paced.next_due(),
            self.operations.next_due(),
            self.owed.due,
            self.owed.silent_due,
            self.tended.next_due(),
            self.clients.next_due(),
        ];
        all.into_iter().flatten().min()
    }

    /// The soonest deadline of an instance.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        while let Some(Reverse((due, id))) = self.timers.peek().copied() {
            if self.members.get(&id).is_some_and(|m| m.due == Some(due)) {
                return Some(due);
            }
            self.timers.pop();
        }
        None
    }

    /// What is to be done now.
    pub(super) fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    pub(super) fn arm(&mut self, id: InstanceId, due: u64) {
        self.timers.push(Reverse((due, id)));
    }

    /// Its view may be another by now.
    pub(super) fn touch(&mut self, id: InstanceId) {
        self.dirty.insert(id);
    }

    /// After everything a message brought about: tell subscribers, settle operations, see whether all is over.
    pub(super) fn finish_turn(&mut self) {
        self.let_begin();
        self.drive_rollouts();
        self.settle_operations();
        self.watch_growth();
        let dirty = std::mem::take(&mut self.dirty);
        if self.hub.has_listeners() {
            for id in dirty {
                let push = match self.view(id) {
                    Some(instance) => Push::Instance {
                        instance: Box::new(instance),
                    },
                    None => Push::Removed { id },
                };
                self.hub.publish(&push);
            }
        }
        if self.ending == Ending::Stopping
            && self.members.values().all(|m| !m.machine.phase().has_run())
        {
            self.ending = Ending::Left;
            let ids: Vec<InstanceId> = self.members.keys().copied().collect();
            for id in ids {
                // Nothing was left half done: no run number has to be passed over.
                if let Some(member) = self.members.get_mut(&id) {
                    member.reserved = member.machine.run().0;
                }
                self.record_rest(id);
            }
            self.deeds.push(Deed::Keeper(ToKeeper::Quit));
            self.deeds.push(Deed::Leave);
        }
    }

    /// Tells subscribers and history; an alarm about the daemon itself stays in its status.
    pub(super) fn tell(&mut self, id: Option<InstanceId>, what: What) {
        if let What::Alarm { text } = &what
            && id.is_none()
        {
            self.alarms.push(text.clone());
            let excess = self.alarms.len().saturating_sub(20);
            self.alarms.drain(..excess);
        }
        self.announce(id, what);
    }

    /// Tells subscribers and history, and no more: for alarms that are kept elsewhere until they are over.
    pub(super) fn announce(&mut self, id: Option<InstanceId>, what: What) {
        let name = id.map(|id| self.label(id)).unwrap_or_default();
        let event = Event {
            at_ms: self.now.ms,
            id,
            name,
            what,
        };
        if let Some(member) = id.and_then(|id| self.members.get_mut(&id)) {
            member.remember(event.clone());
        }
        super::telemetry::say(&event);
        self.hub.publish(&Push::Event {
            event: event.clone(),
        });
        self.deeds.push(Deed::History(event));
    }

    /// What an instance is called.
    pub(super) fn label(&self, id: InstanceId) -> String {
        self.members
            .get(&id)
            .map(|m| m.label(self.processes.get(&m.key)))
            .unwrap_or_default()
    }

    /// The main process of an instance, while it lives.
    pub(super) fn main_pid(&self, id: InstanceId) -> Option<i32> {
        self.members.get(&id)?.child.map(|c| c.pid)
    }

    /// All main processes.
    pub(super) fn main_pids(&self) -> std::collections::HashSet<i32> {
        self.members
            .values()
            .filter(|m| m.machine.phase().is_live())
            .filter_map(|m| m.child.map(|c| c.pid))
            .collect()
    }

    /// Ends all processes; what was wanted up stays wanted up.
    pub(super) fn end_all(&mut self, at_once: bool) {
        if self.ending == Ending::Left {
            return;
        }
        self.ending = Ending::Stopping;
        let ids: Vec<InstanceId> = self.members.keys().rev().copied().collect();
        for id in ids {
            self.asker = Some(crate::domain::run::Asker::Shutdown);
            self.drive(id, &Happened::Stop { force: at_once }, "the daemon ends");
        }
    }
}
