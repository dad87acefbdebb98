//! Operations: changes that clients asked for, followed to their ends.

use std::collections::HashMap;

use crate::api::{ApiError, Code, OperationView, Push, TargetView};
use crate::domain::exit::Exit;
use crate::domain::instance::{Goal, Phase};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Progress, Verb};
use crate::domain::status::Status;

use super::member::Member;
use super::message::Reply;
use super::supervisor::Supervisor;

/// Results are kept this long, nanoseconds.
const KEPT_NS: u64 = 600 * 1_000_000_000;

/// One instance of an operation.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) id: InstanceId,
    pub(super) name: String,
    /// What is asked of it: a file that is brought in force starts some, replaces some and deletes some.
    pub(super) verb: Verb,
    /// The run when it was asked for.
    pub(super) base: RunId,
    pub(super) progress: Progress,
}

pub(super) struct Operation {
    pub(super) verb: Verb,
    pub(super) targets: Vec<Target>,
    pub(super) begun_ns: u64,
    /// How many of its records have not been confirmed by the disk.
    pub(super) unrecorded: u32,
    /// Whether its targets have been told; before that nothing can be judged.
    pub(super) underway: bool,
    /// Known only by what its targets remember: some may not have been told before the daemon died.
    pub(super) reopened: bool,
    /// Whether it goes batch by batch: then the rollouts know how far each target is.
    pub(super) rolling: bool,
    waiters: Vec<Reply<OperationView>>,
}

impl Operation {
    pub(super) fn new(verb: Verb, targets: Vec<Target>, begun_ns: u64) -> Self {
        Self {
            verb,
            targets,
            begun_ns,
            unrecorded: 0,
            underway: true,
            reopened: false,
            rolling: false,
            waiters: Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.targets.iter().all(|t| t.progress.is_settled())
    }
}

/// All operations of the last ten minutes.
#[derive(Default)]
pub(super) struct Operations {
    all: HashMap<OperationId, Operation>,
    open: Vec<OperationId>,
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

    /// One that was reopened goes on with more targets.
    pub(super) fn begin(&mut self, id: OperationId, mut operation: Operation) {
        if let Some(before) = self.all.remove(&id) {
            self.open.retain(|other| *other != id);
            let again = |old: &Target| operation.targets.iter().any(|new| new.id == old.id);
            let kept: Vec<Target> = before.targets.into_iter().filter(|t| !again(t)).collect();
            operation.targets.splice(0..0, kept);
            operation.waiters = before.waiters;
        }
        self.open.push(id.clone());
        self.all.insert(id, operation);
    }

    /// Its targets are told now, or will be.
    pub(super) fn set_underway(&mut self, id: &OperationId, underway: bool) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.underway = underway;
        }
    }

    /// One more record of it is on its way to the disk.
    pub(super) fn recording(&mut self, id: &OperationId) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.unrecorded += 1;
        }
    }

    /// The disk has one of its records.
    pub(super) fn has_recorded(&mut self, id: &OperationId) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.unrecorded = operation.unrecorded.saturating_sub(1);
        }
    }

    /// It goes batch by batch.
    pub(super) fn set_rolling(&mut self, id: &OperationId) {
        if let Some(operation) = self.all.get_mut(id) {
            operation.rolling = true;
        }
    }

    pub(super) fn cancel(&mut self, id: &OperationId) {
        self.all.remove(id);
        self.open.retain(|other| other != id);
    }

    /// An instance is gone for good.
    pub(super) fn removed(&mut self, id: InstanceId) {
        for open in &self.open {
            if let Some(operation) = self.all.get_mut(open) {
                for target in operation.targets.iter_mut().filter(|t| t.id == id) {
                    if !target.progress.is_settled() {
                        target.progress = if target.verb == Verb::Delete {
                            Progress::Done
                        } else {
                            failed("it was deleted meanwhile")
                        };
                    }
                }
            }
        }
    }

    pub(super) fn forget_old(&mut self, now_ns: u64) {
        let open = &self.open;
        self.all.retain(|id, operation| {
            open.contains(id) || now_ns.saturating_sub(operation.begun_ns) < KEPT_NS
        });
    }
}

fn failed(reason: impl Into<String>) -> Progress {
    Progress::Failed {
        reason: reason.into(),
    }
}

fn last_end(exit: Option<Exit>, because: &str) -> String {
    exit.map_or_else(|| because.to_owned(), |e| e.ending.to_string())
}

/// How far an instance is with what was asked for.
fn judge(verb: Verb, base: RunId, member: &Member) -> Progress {
    let phase = member.machine.phase();
    let newer = member.machine.run() > base;
    match verb {
        Verb::Start | Verb::Restart => {
            let arrived = verb == Verb::Start || newer;
            match phase {
                Phase::Running if arrived => Progress::Done,
                Phase::Exited if newer => Progress::Done,
                Phase::Failed | Phase::Backoff if newer => failed(format!(
                    "it ended at once: {}",
                    last_end(member.exit, &member.because)
                )),
                Phase::Failed => failed(last_end(member.exit, &member.because)),
                Phase::Removed => failed("it was deleted meanwhile"),
                Phase::Stopped => failed("it was stopped meanwhile"),
                Phase::Spawning { .. }
                | Phase::Starting
                | Phase::Running
                | Phase::Stopping { .. }
                | Phase::Killing { .. }
                | Phase::Sweeping { .. }
                | Phase::Backoff
                | Phase::Exited => match phase.goal() {
                    Goal::Up | Goal::Replaced => Progress::Pending,
                    Goal::Down => failed("it was stopped meanwhile"),
                    Goal::Removed => failed("it was deleted meanwhile"),
                },
            }
        }
        Verb::Stop | Verb::Kill => match phase {
            Phase::Stopped | Phase::Removed => Progress::Done,
            Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed => match phase.goal() {
                Goal::Down | Goal::Removed => Progress::Pending,
                Goal::Up | Goal::Replaced => failed("it was started again meanwhile"),
            },
        },
        Verb::Delete => Progress::Pending,
    }
}

impl Supervisor {
    /// Looks at every open operation again.
    pub(super) fn settle_operations(&mut self) {
        if self.operations.open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.operations.open);
        let mut still = Vec::new();
        for id in open {
            let Some(operation) = self.operations.all.get_mut(&id) else {
                continue;
            };
            if !operation.underway {
                still.push(id);
                continue;
            }
            for target in &mut operation.targets {
                if operation.rolling {
                    target.progress = self.rollouts.progress(&id, target.id);
                } else if !target.progress.is_settled()
                    && let Some(member) = self.members.get(&target.id)
                {
                    target.progress = judge(target.verb, target.base, member);
                }
            }
            if !operation.is_done() {
                still.push(id);
                continue;
            }
            let waiters = std::mem::take(&mut operation.waiters);
            if let Ok(view) = self.operation_view(&id) {
                self.hub.publish(&Push::Operation {
                    operation: view.clone(),
                });
                for waiter in waiters {
                    let _ = waiter.send(Ok(view.clone()));
                }
            }
        }
        self.operations.open.extend(still);
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
                    progress: target.progress.clone(),
                    status: member.map_or(Status::Stopped, Member::status),
                    pid: member.and_then(|m| m.child).map(|c| c.pid),
                    due_in_ms: member.and_then(|m| self.due_in_ms(m)),
                }
            })
            .collect();
        Ok(OperationView {
            operation: id.clone(),
            verb: operation.verb,
            done: operation.is_done(),
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
        let done = self.operation_view(id);
        if matches!(&done, Ok(view) if !view.done)
            && let Some(operation) = self.operations.all.get_mut(id)
        {
            operation.waiters.push(reply);
        } else {
            let _ = reply.send(done);
        }
    }
}
