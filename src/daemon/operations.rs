//! Operations: changes that clients asked for, followed to their ends.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Change, Code, OperationView, Push, TargetView};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Order, Progress, Verb, Work};
use crate::domain::status::Status;

use super::judge::{failed, judge};
use super::ledger::{Asked, Entry, Memo};
use super::message::{Deed, Reply};
use super::supervisor::{Deferral, Supervisor};

/// Results are kept this long after the end, nanoseconds.
const KEPT_NS: u64 = 600 * 1_000_000_000;
/// How long an answer waits for the disk when everything else is done, nanoseconds. A disk that others keep busy takes some
/// tenths of a second for what is under way on it: that is no reason to call it slow.
const RECORDED_WITHIN_NS: u64 = 1_000_000_000;
/// The results of so many instances are kept at most; then the oldest go earlier.
const KEPT_TARGETS: usize = 20_000;
/// More than so many are kept only while they are young: whoever asks again does so within [`YOUNG_NS`], and the next
/// daemon reads all that is kept before it answers anybody.
const KEPT_OLDER: usize = 500;
/// How long the repeats of a client that was not answered go on at most, and some more.
const YOUNG_NS: u64 = 30 * 1_000_000_000;
/// So many lines more than operations are kept, before what is remembered is written anew.
const LINES_SPARE: usize = 2000;

/// One instance of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) id: InstanceId,
    pub(super) name: String,
    /// What is asked of it: a file that is brought in force starts some, replaces some and deletes some.
    pub(super) verb: Order,
    /// The run when it was asked for.
    pub(super) base: RunId,
    pub(super) progress: Progress,
}

pub(super) struct Operation {
    pub(super) verb: Work,
    /// What the request was; none when only its targets remember it.
    pub(super) asked: Option<Asked>,
    pub(super) targets: Vec<Target>,
    /// What the answer says of each process.
    pub(super) changes: Vec<Change>,
    begun_ns: u64,
    pub(super) settled_ns: Option<u64>,
    /// Whether its definitions have to be in the state folder before it is carried out.
    pub(super) awaits: bool,
    /// Whether the answer waits until a power cut would not undo it.
    pub(super) durable: bool,
    /// How many of its records have not been confirmed by the disk.
    unrecorded: u32,
    /// Whether the disk could not take one.
    refused: bool,
    /// Since when only the disk is waited for: all targets were at their ends, or it confirmed another record.
    done_ns: Option<u64>,
    /// Whether its targets have been told; before that nothing can be judged.
    pub(super) told: bool,
    /// Whether every target has been judged since: from then on only those that something happened to are.
    judged: bool,
    /// Whether it goes batch by batch: then the rollouts know how far each target is.
    pub(super) rolling: bool,
    waiters: Vec<Reply<OperationView>>,
    /// Who waits for no more than the disk.
    recorders: Vec<Deferral>,
}

impl Operation {
    /// One that is known only by what its targets remember.
    pub(super) fn recalled(verb: Work, targets: Vec<Target>, rolling: bool) -> Self {
        Self {
            verb,
            asked: None,
            targets,
            changes: Vec::new(),
            begun_ns: 0,
            settled_ns: None,
            awaits: false,
            durable: false,
            unrecorded: 0,
            refused: false,
            done_ns: None,
            told: true,
            judged: false,
            rolling,
            waiters: Vec::new(),
            recorders: Vec::new(),
        }
    }

    /// Whether nothing more will come. The disk gets a moment to confirm what was done; who asks for durability waits
    /// for it, until it says that it cannot.
    fn is_done(&self, now_ns: u64) -> bool {
        let Some(done) = self.done_ns else {
            return false;
        };
        let late = !self.durable && now_ns >= done.saturating_add(RECORDED_WITHIN_NS);
        self.unrecorded == 0 || self.refused || late
    }

    /// How long it has taken so far, nanoseconds.
    pub(super) fn took_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.begun_ns)
    }

    /// When it is done at the latest, if nothing more is heard.
    fn due(&self) -> Option<u64> {
        let waits = self.settled_ns.is_none() && !self.durable;
        let done = self.done_ns.filter(|_| waits)?;
        Some(done.saturating_add(RECORDED_WITHIN_NS))
    }

    /// What is said when it was to be durable and is not.
    pub(super) fn not_durable(&self) -> Option<ApiError> {
        let failed = self.durable && self.refused && self.unrecorded > 0;
        failed.then(|| {
            let error = "it is carried out, and the disk of the state folder could not take it";
            ApiError::new(Code::NotRecorded, error)
                .hint("free space there: it is recorded as soon as it can be; a power cut before would undo it")
        })
    }

    /// What it counts for, of those that are kept.
    fn weight(&self) -> usize {
        self.targets.len().max(1)
    }

    fn memo(&self) -> Option<Memo> {
        Some(Memo {
            asked: self.asked.clone()?,
            targets: self.targets.clone(),
            changes: self.changes.clone(),
            awaits: self.awaits,
            durable: self.durable,
            told: self.told,
            rolling: self.rolling,
            begun_ns: self.begun_ns,
            settled_ns: self.settled_ns,
        })
    }
}

impl From<Memo> for Operation {
    fn from(memo: Memo) -> Self {
        Self {
            verb: memo.asked.verb,
            asked: Some(memo.asked),
            changes: memo.changes,
            begun_ns: memo.begun_ns,
            settled_ns: memo.settled_ns,
            awaits: memo.awaits,
            durable: memo.durable,
            told: memo.told,
            ..Self::recalled(Work::Start, memo.targets, memo.rolling)
        }
    }
}

/// All operations of the last ten minutes.
#[derive(Default)]
pub(super) struct Operations {
    all: HashMap<OperationId, Operation>,
    open: Vec<OperationId>,
    /// In the order of their ends.
    ended: VecDeque<OperationId>,
    ended_targets: usize,
    /// How many lines were added to what is remembered.
    lines: usize,
    /// What is recorded now is what the daemon before left unrecorded.
    pub(super) taking_over: bool,
}

impl Operations {
    pub(super) fn get(&self, id: &OperationId) -> Option<&Operation> {
        self.all.get(id)
    }

    /// The ids of all, the oldest first.
    pub(super) fn in_order(&self) -> Vec<OperationId> {
        let mut ids: Vec<(&OperationId, u64)> =
            self.all.iter().map(|(id, o)| (id, o.begun_ns)).collect();
        ids.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.as_str().cmp(b.0.as_str())));
        ids.into_iter().map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn insert(&mut self, id: OperationId, operation: Operation) {
        if operation.settled_ns.is_some() {
            self.ended_targets += operation.weight();
            self.ended.push_back(id.clone());
        } else {
            self.open.push(id.clone());
        }
        self.all.insert(id, operation);
    }

    /// One more record of it is on its way to the disk; false when it is over, or not known.
    pub(super) fn recording(&mut self, id: &OperationId) -> bool {
        let late = self.taking_over;
        let operation = self.all.get_mut(id);
        let operation = operation.filter(|o| late || o.settled_ns.is_none());
        if let Some(operation) = operation {
            operation.unrecorded += 1;
            return true;
        }
        false
    }

    /// The disk has one of its records: as long as it confirms one after another, it is waited for.
    pub(super) fn has_recorded(&mut self, id: &OperationId, now_ns: u64) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.unrecorded = operation.unrecorded.saturating_sub(1);
            operation.done_ns = operation.done_ns.map(|_| now_ns);
        }
    }

    /// The disk could not take one of its records; it will be told again.
    pub(super) fn is_refused(&mut self, id: &OperationId) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.refused = true;
        }
    }

    /// Where answers wait that have to wait for the disk.
    pub(super) fn waits_for_the_disk(&mut self, id: &OperationId) -> Option<&mut Vec<Deferral>> {
        let operation = self.all.get_mut(id)?;
        let waits = operation.durable && operation.unrecorded > 0 && !operation.refused;
        waits.then_some(&mut operation.recorders)
    }

    /// When one is done at the latest.
    pub(super) fn next_due(&self) -> Option<u64> {
        let open = self.open.iter().filter_map(|id| self.all.get(id));
        open.filter_map(Operation::due).min()
    }

    /// What became of one target at once.
    pub(super) fn settle(&mut self, id: &OperationId, target: InstanceId, progress: Progress) {
        let operation = self.all.get_mut(id);
        let targets = operation.into_iter().flat_map(|o| &mut o.targets);
        for target in targets.filter(|t| t.id == target) {
            target.progress = progress.clone();
        }
    }

    /// An instance is gone for good.
    pub(super) fn removed(&mut self, id: InstanceId) {
        for open in &self.open {
            if let Some(operation) = self.all.get_mut(open) {
                for target in operation.targets.iter_mut().filter(|t| t.id == id) {
                    target.is_gone();
                }
            }
        }
    }

    /// Forgets results that are old, or too many.
    pub(super) fn forget_old(&mut self, now_ns: u64) {
        while let Some(oldest) = self.ended.front() {
            let (ended, weight) = match self.all.get(oldest) {
                Some(operation) => (operation.settled_ns.unwrap_or(0), operation.weight()),
                None => (0, 0),
            };
            let age = now_ns.saturating_sub(ended);
            let most = match age {
                KEPT_NS.. => 0,
                YOUNG_NS..KEPT_NS => KEPT_OLDER,
                0..YOUNG_NS => KEPT_TARGETS,
            };
            // Somebody still waits for the newest.
            if self.ended_targets <= most || self.ended.len() == 1 && age < KEPT_NS {
                return;
            }
            self.ended_targets -= weight;
            self.all.remove(oldest);
            self.ended.pop_front();
        }
    }

    /// All that the next daemon has to know, oldest first.
    fn entries(&self) -> Vec<Entry> {
        let known = self.ended.iter().chain(&self.open);
        let known = known.filter_map(|id| {
            let memo = Box::new(self.all.get(id)?.memo()?);
            let operation = id.clone();
            Some(Entry::Begun { operation, memo })
        });
        known.collect()
    }
}

impl Target {
    pub(super) fn is_gone(&mut self) {
        if !self.progress.is_settled() {
            self.progress = match self.verb {
                Order::Do(Verb::Stop | Verb::Kill | Verb::Delete) => Progress::Done,
                Order::Do(Verb::Start | Verb::Restart) | Order::Send(_) => {
                    failed("it was deleted meanwhile")
                }
            };
        }
    }
}

impl Supervisor {
    /// The answer to a request that was made before; another one with the same id is a conflict.
    pub(super) fn known_operation(
        &self,
        id: &OperationId,
        asked: &Asked,
    ) -> Result<Option<OperationView>, ApiError> {
        let Some(known) = self.operations.get(id) else {
            return Ok(None);
        };
        let same = known.asked.as_ref().is_none_or(|before| before.is(asked));
        if known.verb == asked.verb && same {
            return self.operation_view(id).map(Some);
        }
        let verb = known.verb.word();
        let error = format!("operation {id} was another request: a {verb}");
        Err(ApiError::new(Code::Conflict, error).hint("each request needs an id of its own"))
    }

    /// Tells the daemons after this one, before anything that follows is done.
    pub(super) fn remember(&mut self, entry: Entry) {
        self.operations.lines += 1;
        if self.operations.lines > LINES_SPARE + 4 * self.operations.all.len() {
            self.remember_anew();
        }
        self.deeds.push(Deed::Remember(entry));
    }

    pub(super) fn remember_anew(&mut self) {
        self.operations.lines = 0;
        let mut known = self.operations.entries();
        known.extend(self.transient.then_some(Entry::Transient));
        self.deeds.push(Deed::RememberAnew(known));
    }

    /// Its targets have all been told.
    pub(super) fn has_told(&mut self, id: &OperationId) {
        if let Some(operation) = self.operations.all.get_mut(id) {
            operation.told = true;
        }
        let operation = id.clone();
        self.remember(Entry::Told { operation });
    }

    /// Nothing came of it.
    pub(super) fn cancel(&mut self, id: &OperationId) {
        self.operations.all.remove(id);
        self.operations.open.retain(|other| other != id);
        let operation = id.clone();
        self.remember(Entry::Cancelled { operation });
    }

    /// Looks at the open operations again, as far as something happened since.
    pub(super) fn settle_operations(&mut self) {
        for id in self.operations.open.clone() {
            let Some(operation) = self.operations.all.get_mut(&id).filter(|o| o.told) else {
                continue;
            };
            let judged = std::mem::replace(&mut operation.judged, true);
            for target in &mut operation.targets {
                if operation.rolling {
                    target.progress = self.rollouts.progress(&id, target.id);
                } else if let Order::Do(verb) = target.verb
                    && !target.progress.is_settled()
                    && (!judged || self.dirty.contains(&target.id))
                    && let Some(member) = self.members.get(&target.id)
                {
                    target.progress = judge(verb, target.base, member);
                }
            }
            if operation.targets.iter().all(|t| t.progress.is_settled()) {
                operation.done_ns.get_or_insert(self.now.ns);
            }
            let done = operation.is_done(self.now.ns);
            if operation.unrecorded == 0 || operation.refused {
                for reply in std::mem::take(&mut operation.recorders) {
                    self.answer(&id, reply);
                }
            }
            if done {
                self.operation_ended(id);
            }
        }
    }

    /// The result is remembered before anybody is told.
    fn operation_ended(&mut self, id: OperationId) {
        let Some(operation) = self.operations.all.get_mut(&id) else {
            return;
        };
        operation.settled_ns = Some(self.now.ns);
        let progress = operation.targets.iter().map(|t| t.progress.clone());
        let entry = operation.asked.is_some().then(|| Entry::Settled {
            operation: id.clone(),
            at_ns: self.now.ns,
            progress: progress.collect(),
        });
        let waiters = std::mem::take(&mut operation.waiters);
        self.operations.ended_targets += operation.weight();
        self.operations.open.retain(|other| *other != id);
        self.operations.ended.push_back(id.clone());
        if let Some(entry) = entry {
            self.remember(entry);
        }
        self.tell_outcome(&id);
        if let Ok(operation) = self.operation_view(&id) {
            self.hub.publish(&Push::Operation { operation });
        }
        for waiter in waiters {
            self.answer(&id, Deferral::Operation(waiter));
        }
        self.operations.forget_old(self.now.ns);
    }

    pub(super) fn operation_view(&self, id: &OperationId) -> Result<OperationView, ApiError> {
        let operation = self.operations.get(id).ok_or_else(|| {
            ApiError::new(Code::NotFound, format!("no operation {id} is known"))
                .hint("results are kept for ten minutes")
        })?;
        let targets = operation
            .targets
            .iter()
            .map(|target| {
                let member = self.members.get(&target.id);
                TargetView {
                    id: target.id,
                    name: target.name.clone(),
                    verb: match target.verb {
                        Order::Do(verb) => Some(verb),
                        Order::Send(_) => None,
                    },
                    progress: target.progress.clone(),
                    status: member.map_or(Status::Stopped, |it| it.status()),
                    pid: member.and_then(|m| m.child).map(|c| c.pid),
                    due_in_ms: member.and_then(|m| self.due_in_ms(m)),
                }
            })
            .collect();
        Ok(OperationView {
            operation: id.clone(),
            verb: operation.verb,
            done: operation.settled_ns.is_some(),
            targets,
            recorded: if operation.unrecorded == 0 {
                "done"
            } else {
                "pending"
            }
            .into(),
            rollouts: if operation.rolling {
                self.rollout_views(id)
            } else {
                Vec::new()
            },
        })
    }

    /// Answers when the operation is done, which may be now.
    pub(super) fn when_done(&mut self, id: &OperationId, reply: Reply<OperationView>) {
        let open = self.operations.all.get_mut(id);
        match open.filter(|operation| operation.settled_ns.is_none()) {
            Some(operation) => operation.waiters.push(reply),
            None => self.answer(id, Deferral::Operation(reply)),
        }
    }
}
