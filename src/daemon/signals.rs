//! Signals that clients want sent. Nothing is decided by them: a run that one ends has ended by itself.

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, OperationView, SendSignal};
use crate::domain::event::What;
use crate::domain::exit::{Ending, Signal};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Order, Progress, Sending, Whom, Work};
use crate::domain::run::Evidence;
use crate::keeper::protocol::ToKeeper;

use super::commands::Begun;
use super::judge::failed;
use super::ledger::{Asked, Form};
use super::member::Member;
use super::message::{Deed, Reply};
use super::supervisor::{Deferral, Supervisor};

/// An end so soon after a signal may have to do with it, milliseconds.
const SOON_MS: u64 = 10_000;
/// How much of who asked is kept.
const BY_MAX: usize = 40;

/// The last signal that was sent to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    #[serde(rename = "o")]
    operation: OperationId,
    #[serde(rename = "r")]
    run: RunId,
    #[serde(rename = "s")]
    signal: Signal,
    #[serde(rename = "b")]
    by: String,
    /// Milliseconds since 1970.
    #[serde(rename = "t")]
    at_ms: u64,
}

impl Sent {
    /// What it tells about the end of a run.
    pub(super) fn evidence(&self, run: RunId, ending: Ending, at_ms: u64) -> Option<Evidence> {
        let ago_ms = at_ms.saturating_sub(self.at_ms);
        let same = matches!(ending, Ending::Signal { signal, .. } if signal == self.signal);
        (self.run == run && (same || ago_ms <= SOON_MS)).then(|| Evidence::Sent {
            signal: self.signal,
            by: self.by.clone(),
            ago_ms,
        })
    }

    /// As large as one can be.
    #[cfg(test)]
    pub(super) fn longest() -> Self {
        Self {
            operation: OperationId::new("x".repeat(64)).unwrap(),
            run: RunId(u64::MAX),
            signal: Signal::from_number(26).unwrap(),
            by: "\u{10ffff}".repeat(BY_MAX),
            at_ms: u64::MAX,
        }
    }
}

impl Supervisor {
    /// Has a signal sent to what is selected.
    pub(super) fn signal(&mut self, wish: SendSignal, by: &str, reply: Reply<OperationView>) {
        let asked = Asked::new(Work::Signal, Form::Signal, &wish);
        let reply = Deferral::Operation(reply);
        let Some(reply) = self.unless_known(&wish.operation, &asked, reply) else {
            return;
        };
        match self.begin_signal(&wish, asked, by) {
            Ok(()) => self.answer_when_recorded(&wish.operation, reply),
            Err(error) => reply.refuse(error),
        }
    }

    fn begin_signal(&mut self, wish: &SendSignal, asked: Asked, by: &str) -> Result<(), ApiError> {
        let ids = self.targets_at(&wish.select, wish.only_run)?;
        self.spare_protected(wish.force_protected, ids.iter().copied())?;
        let begun = Begun {
            operation: wish.operation.clone(),
            asked,
            targets: ids.iter().map(|id| (*id, Order::Send(wish.send))).collect(),
            changes: Vec::new(),
            awaits: false,
            durable: false,
            rolling: false,
        };
        self.begin(begun, by);
        self.tell_targets(&wish.operation, by, false);
        self.settle_operations();
        Ok(())
    }

    /// Has the keeper send it to this run, once: its note knows for whom it was sent last.
    pub(super) fn send(
        &mut self,
        id: InstanceId,
        base: RunId,
        what: Sending,
        operation: &OperationId,
        by: &str,
    ) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let knows = member.sent.as_ref();
        if knows.is_some_and(|sent| sent.operation == *operation) {
            self.operations.settle(operation, id, Progress::Done);
            return;
        }
        if let Err(why) = reachable(member, base) {
            self.operations.settle(operation, id, failed(why));
            return;
        }
        member.sent = Some(Sent {
            operation: operation.clone(),
            run: base,
            signal: what.signal,
            by: by.chars().take(BY_MAX).collect(),
            at_ms: self.now.ms,
        });
        self.deeds.push(Deed::Keeper(ToKeeper::Signal {
            key: id,
            run: base,
            signal: what.signal,
            main: what.whom == Whom::Main,
            note: member.note(),
        }));
        let text = format!("{} was sent to {} by {by}", what.signal, what.whom.words());
        self.tell(Some(id), What::Note { text });
        self.operations.settle(operation, id, Progress::Done);
    }
}

/// Whether there is a main process that can get a signal.
fn reachable(member: &Member, base: RunId) -> Result<(), String> {
    if member.machine.run() != base {
        return Err("it was started again meanwhile".into());
    }
    if member.machine.phase().is_live() && member.child.is_some() {
        return Ok(());
    }
    Err(format!("it does not run: it is {}", member.status()))
}
