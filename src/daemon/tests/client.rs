//! What clients of the made-up world do and see, and what must hold after every turn of the supervisor.

use std::path::PathBuf;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::super::message::{Msg, Reply, Request};
use super::habit::SECOND;
use super::world::World;
use crate::api::{
    Act, Action, ApiError, Applied, Apply, Define, Down, InstanceView, OperationView,
};
use crate::domain::instance::Phase;
use crate::domain::names::{InstanceId, OperationId, ProcessName};
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::{Command, Spec};
use crate::domain::status::Status;

pub(super) type Answer<T> = oneshot::Receiver<Result<T, ApiError>>;

pub(super) fn operation(id: &str) -> OperationId {
    OperationId::new(format!("operation-{id}")).unwrap()
}

/// A process whose program has the same name.
pub(super) fn spec(name: &str) -> Spec {
    let command = Command {
        program: name.to_owned(),
        args: vec![],
    };
    Spec::new(ProcessName::new(name).unwrap(), command, "/")
}

/// A row of [`World::statuses`].
pub(super) fn named(name: &str, status: Status) -> (String, Status) {
    (name.to_owned(), status)
}

pub(super) fn act(id: &str, verb: Verb, whom: &str) -> Act {
    Act {
        operation: operation(id),
        verb,
        select: vec![whom.parse().unwrap()],
        only_run: None,
        rolling: None,
        durable: false,
        force_protected: false,
    }
}

/// A whole file.
pub(super) fn file(id: &str, specs: &[Spec]) -> Apply {
    Apply {
        operation: operation(id),
        file: PathBuf::from("/adasa.toml"),
        specs: specs.to_vec(),
        start: true,
        prune: true,
        durable: false,
        force_protected: false,
    }
}

pub(super) fn progress(view: &OperationView) -> Vec<Progress> {
    view.targets.iter().map(|t| t.progress.clone()).collect()
}

pub(super) fn actions(applied: &Applied) -> Vec<Action> {
    applied.results.iter().map(|c| c.action).collect()
}

impl World {
    pub(super) fn ask<T>(&mut self, request: impl FnOnce(Reply<T>) -> Request) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        self.handle(Msg::Request(request(reply)));
        self.settle();
        answer
    }

    /// As every client does: what was not answered is asked again, with the same operation id.
    #[track_caller]
    pub(super) fn insist<T>(
        &mut self,
        request: impl Fn(Reply<T>) -> Request,
    ) -> Result<T, ApiError> {
        for _ in 0..10 {
            let deaths = self.deaths;
            let mut answer = self.ask(&request);
            for _ in 0..1000 {
                // An answer leaves the daemon after the deeds of its turn, or never.
                if self.deaths != deaths {
                    break;
                }
                match answer.try_recv() {
                    Ok(answer) => return answer,
                    Err(TryRecvError::Empty) => self.after(SECOND),
                    Err(TryRecvError::Closed) => break,
                }
            }
            self.after(SECOND);
        }
        panic!("never answered");
    }

    #[track_caller]
    pub(super) fn define(&mut self, id: &str, spec: &Spec) -> Result<OperationView, ApiError> {
        let define = Define {
            operation: operation(id),
            spec: spec.clone(),
            durable: false,
        };
        self.insist(|reply| Request::Define(Box::new(define.clone()), "test".into(), reply))
    }

    #[track_caller]
    pub(super) fn act(
        &mut self,
        id: &str,
        verb: Verb,
        whom: &str,
    ) -> Result<OperationView, ApiError> {
        let act = act(id, verb, whom);
        self.insist(|reply| Request::Act(act.clone(), "test".into(), reply))
    }

    #[track_caller]
    pub(super) fn apply(&mut self, apply: &Apply) -> Result<Applied, ApiError> {
        self.insist(|reply| Request::Apply(Box::new(apply.clone()), "test".into(), reply))
    }

    #[track_caller]
    pub(super) fn down(&mut self, id: &str) -> Result<Applied, ApiError> {
        let down = Down {
            operation: operation(id),
            file: PathBuf::from("/adasa.toml"),
            durable: false,
            force_protected: false,
        };
        self.insist(|reply| Request::Down(down.clone(), "test".into(), reply))
    }

    #[track_caller]
    pub(super) fn operation(&mut self, id: &str) -> Result<OperationView, ApiError> {
        self.insist(|reply| Request::Operation(operation(id), reply))
    }

    /// What became of each target of an operation so far.
    #[track_caller]
    pub(super) fn progress(&mut self, id: &str) -> Vec<Progress> {
        progress(&self.operation(id).unwrap())
    }

    #[track_caller]
    pub(super) fn list(&mut self) -> Vec<InstanceView> {
        self.insist(|reply| Request::List(vec![], reply)).unwrap()
    }

    /// Names and statuses.
    #[track_caller]
    pub(super) fn statuses(&mut self) -> Vec<(String, Status)> {
        let rows = self.list();
        rows.into_iter().map(|row| (row.name, row.status)).collect()
    }

    #[track_caller]
    pub(super) fn view(&mut self, id: u32) -> InstanceView {
        let rows = self.list();
        let row = rows.into_iter().find(|row| row.id == InstanceId(id));
        row.expect("no such instance")
    }

    #[track_caller]
    pub(super) fn status(&mut self, id: u32) -> Status {
        self.view(id).status
    }

    pub(super) fn phase(&self, id: u32) -> Phase {
        let daemon = self.daemon.as_ref().unwrap();
        daemon.members[&InstanceId(id)].machine.phase()
    }

    /// How long until the deadline.
    pub(super) fn due_in(&self, id: u32) -> Option<u64> {
        let daemon = self.daemon.as_ref().unwrap();
        let due = daemon.members[&InstanceId(id)].due;
        due.map(|due| due.saturating_sub(self.ns))
    }

    /// What always holds.
    pub(super) fn check(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        for (id, member) in &daemon.members {
            let phase = member.machine.phase();
            let timed = match phase {
                Phase::Running => member.due.is_some(),
                Phase::Backoff => true,
                other => other.has_run(),
            };
            assert_eq!(timed, member.due.is_some(), "{id}: the timer of {phase:?}");
        }
        for (id, living) in &self.living {
            let member = daemon.members.get(id);
            let member = member.unwrap_or_else(|| panic!("{id} runs and nobody knows it"));
            let phase = member.machine.phase();
            assert_eq!(living.run, member.machine.run(), "{id} {phase:?}");
            assert!(phase.has_run(), "{id} runs in {phase:?}");
        }
        // Whose time was up already waits for others to have begun.
        let timed = daemon.members.iter();
        let timed = timed.filter(|(id, member)| !daemon.paced.holds(**id, member.due));
        let soonest = timed.filter_map(|(_, m)| m.due).min();
        assert_eq!(daemon.next_deadline(), soonest);
    }
}
