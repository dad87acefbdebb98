//! What clients ask of rolling restarts: begin, pause, resume, abort.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::api::{Act, ApiError, Code, OperationView, Rolling as Wish, RolloutControl};
use crate::domain::event::What;
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::domain::operation::Verb;
use crate::domain::rollout::{Event, Place, Plan, Rollout, Whole};

use super::{Rolling, Spot};
use crate::daemon::activity::Did;
use crate::daemon::commands::Begun;
use crate::daemon::ledger::Asked;
use crate::daemon::supervisor::Supervisor;

/// A new run is watched for `min_uptime`, but not longer than this when nobody says how long.
const STABLE_MOST: Duration = Duration::from_secs(30);

impl Supervisor {
    /// Begins to restart what is selected batch by batch, each process for itself.
    pub(in crate::daemon) fn roll(
        &mut self,
        act: &Act,
        asked: Asked,
        rolling: Wish,
        by: &str,
    ) -> Result<(), ApiError> {
        if act.verb != Verb::Restart {
            let text = format!("a {} cannot be rolling", act.verb.word());
            return Err(ApiError::new(Code::BadRequest, text).hint("only a restart can"));
        }
        let most = rolling.max_unavailable.map(NonZeroU32::new);
        if most == Some(None) {
            let text = "max_unavailable is 0: nothing could be replaced";
            return Err(ApiError::new(Code::BadRequest, text).hint("give 1 or more"));
        }
        let most = most.flatten();
        let mut ids = self.targets(act)?;
        self.spare_protected(act.force_protected, ids.iter().copied())?;
        let defined = |id: &InstanceId| self.members.get(id).is_some_and(|m| !m.orphaned);
        if !ids.is_empty() && !ids.iter().any(defined) {
            let error = "nothing defines it any more: it could not be started again";
            return Err(ApiError::new(Code::Refused, error));
        }
        ids.retain(defined);
        let mut processes: BTreeMap<ProcessKey, Vec<InstanceId>> = BTreeMap::new();
        for id in &ids {
            if let Some(member) = self.members.get(id) {
                processes.entry(member.key.clone()).or_default().push(*id);
            }
        }
        for key in processes.keys() {
            if let Some(other) = self.rollouts.active(key) {
                return Err(already(other));
            }
        }
        self.begin(Begun::of(act, asked, &ids), by);
        for (key, mut ids) in processes {
            let Some(process) = self.processes.get(&key) else {
                continue;
            };
            let default = process.spec.restart.min_uptime.min(STABLE_MOST);
            let plan = Plan {
                max_unavailable: most.unwrap_or(process.spec.max_unavailable),
                stable: rolling.stable_ms.map_or(default, Duration::from_millis),
            };
            ids.sort_by_key(|id| self.members.get(id).map(|m| m.index));
            let spots: Vec<Spot> = ids.iter().filter_map(|id| self.spot(*id)).collect();
            self.rollouts.all.push(Rolling {
                operation: act.operation.clone(),
                key,
                plan,
                machine: Rollout::new(Whole::Advancing, vec![Place::Waiting; spots.len()]),
                spots,
                by: by.to_owned(),
                begun_ms: self.now.ms,
                version: 0,
                due: None,
                looked: false,
            });
            let position = self.rollouts.all.len() - 1;
            // First all are noted as its parts, then it is noted as begun: half of it is never begun.
            self.note_parts(position, None);
            self.note_parts(position, Some(Whole::Advancing));
        }
        self.has_told(&act.operation);
        self.drive_rollouts();
        self.settle_operations();
        Ok(())
    }

    fn spot(&self, id: InstanceId) -> Option<Spot> {
        let member = self.members.get(&id)?;
        Some(Spot {
            id,
            name: self.label(id),
            base: member.machine.run(),
            old_pid: self.main_pid(id),
            failed: None,
        })
    }

    /// Pauses, resumes or aborts what is left of an operation.
    pub(in crate::daemon) fn control_rollout(
        &mut self,
        id: &OperationId,
        what: RolloutControl,
        by: &str,
    ) -> Result<OperationView, ApiError> {
        let view = self.operation_view(id)?;
        if view.rollouts.is_empty() {
            let text = format!("operation {id} is not a rolling restart");
            return Err(ApiError::new(Code::Refused, text)
                .hint("only a rolling restart can be paused, resumed or aborted"));
        }
        if view.rollouts.iter().all(|r| r.state.is_final()) {
            let states: Vec<&str> = view.rollouts.iter().map(|r| r.state.word()).collect();
            let text = format!("the rolling restart is {} already", states.join(", "));
            return Err(ApiError::new(Code::Refused, text).hint("a new one can be begun"));
        }
        let event = match what {
            RolloutControl::Pause => Event::Pause,
            RolloutControl::Resume => Event::Resume,
            RolloutControl::Abort => Event::Abort,
        };
        let word = match what {
            RolloutControl::Pause => "pause the rolling restart of",
            RolloutControl::Resume => "resume the rolling restart of",
            RolloutControl::Abort => "abort the rolling restart of",
        };
        let targets = view.targets.iter().map(|target| target.id).collect();
        self.did(Did::plain(word, targets));
        for position in self.rollouts.of(id) {
            self.turn_rollout(position, event, by);
        }
        self.drive_rollouts();
        self.settle_operations();
        self.operation_view(id)
    }

    /// All operations that are known, the oldest first.
    pub(in crate::daemon) fn operation_views(&self) -> Vec<OperationView> {
        let ids = self.operations.in_order();
        ids.iter()
            .filter_map(|id| self.operation_view(id).ok())
            .collect()
    }

    pub(super) fn say_rollout(&mut self, position: usize, by: &str) {
        let Some(rolling) = self.rollouts.all.get(position) else {
            return;
        };
        let whole = rolling.machine.whole();
        let name = &rolling.key;
        let failed = rolling.spots.iter().find_map(|s| {
            let why = s.failed.as_ref()?;
            Some((s.id, s.name.clone(), why.clone()))
        });
        let old = rolling.left_old();
        match (whole, failed) {
            (Whole::Halted, Some((id, failed, why))) => {
                let text = format!(
                    "the rolling restart of {name} halted: {failed}: {why}; left on the old run: {}",
                    if old.is_empty() {
                        "none".to_owned()
                    } else {
                        old.join(" ")
                    }
                );
                self.tell(Some(id), What::Alarm { text });
            }
            (
                Whole::Advancing
                | Whole::Paused
                | Whole::Halted
                | Whole::Aborted
                | Whole::Completed,
                _,
            ) => {
                let by = if by.is_empty() {
                    String::new()
                } else {
                    format!(" by {by}")
                };
                let word = match whole {
                    Whole::Advancing => "goes on",
                    Whole::Paused => "is paused",
                    Whole::Halted => "halted",
                    Whole::Aborted => "was aborted",
                    Whole::Completed => "is completed",
                };
                let text = format!("the rolling restart of {name} {word}{by}");
                self.tell(None, What::Note { text });
            }
        }
    }
}

fn already(other: &Rolling) -> ApiError {
    let size = other.spots.len();
    let done = other.machine.places().iter();
    let done = done.filter(|p| **p == Place::Done).count();
    let name = &other.key;
    ApiError::new(
        Code::Refused,
        format!(
            "{name} is being restarted batch by batch already, by {}: {done} of {size} replaced ({})",
            other.by,
            other.machine.whole().word(),
        ),
    )
    .hint(format!(
        "wait, or `adasa rollout abort {name}`; `adasa rollout status {name}` shows how far it is"
    ))
}
