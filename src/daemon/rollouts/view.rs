//! Rolling restarts as they are shown.

use crate::api::{PlaceView, RolloutView};
use crate::domain::instance::Phase;
use crate::domain::names::{InstanceId, OperationId};
use crate::domain::operation::Progress;
use crate::domain::rollout::{Place, Whole};

use super::{Rolling, Rollouts, Spot};
use crate::daemon::supervisor::Supervisor;

impl Rolling {
    /// The names of those that stay on the old run, once nothing more is begun.
    pub(super) fn left_old(&self) -> Vec<String> {
        let spots = self.spots.iter().zip(self.machine.places());
        let old = spots.filter(|(_, place)| place.is_to_come());
        old.map(|(spot, _)| spot.name.clone()).collect()
    }

    fn progress(&self, spot: &Spot, place: Place) -> Progress {
        let left = |reason: &str| Progress::Left {
            reason: reason.to_owned(),
        };
        match place {
            Place::Done => Progress::Done,
            Place::Left => left("it is not wanted up, and was left alone"),
            Place::Failed => Progress::Failed {
                reason: spot.failed.clone().unwrap_or_else(|| "it failed".into()),
            },
            Place::Draining | Place::Rising | Place::Settling => Progress::Pending,
            Place::Waiting | Place::Down => match self.machine.whole() {
                Whole::Advancing | Whole::Paused | Whole::Completed => Progress::Pending,
                Whole::Halted => left("the rolling restart halted before its turn"),
                Whole::Aborted => left("the rolling restart was aborted before its turn"),
            },
        }
    }
}

impl Rollouts {
    /// How far an operation is with an instance.
    pub(in crate::daemon) fn progress(&self, operation: &OperationId, id: InstanceId) -> Progress {
        let rollings = self.all.iter().filter(|r| r.operation == *operation);
        for rolling in rollings {
            for (spot, place) in rolling.spots.iter().zip(rolling.machine.places()) {
                if spot.id == id {
                    return rolling.progress(spot, *place);
                }
            }
        }
        Progress::Left {
            reason: "it is no part of the rolling restart".into(),
        }
    }
}

impl Supervisor {
    pub(in crate::daemon) fn rollout_views(&self, operation: &OperationId) -> Vec<RolloutView> {
        let all = self.rollouts.all.iter();
        all.filter(|rolling| rolling.operation == *operation)
            .map(|rolling| self.rollout_view(rolling))
            .collect()
    }

    fn rollout_view(&self, rolling: &Rolling) -> RolloutView {
        let places = rolling.spots.iter().zip(rolling.machine.places());
        let why = rolling
            .spots
            .iter()
            .find_map(|spot| Some(format!("{}: {}", spot.name, spot.failed.as_ref()?)));
        RolloutView {
            process: rolling.key.to_string(),
            state: rolling.machine.whole(),
            over: rolling.machine.is_over(),
            why: why.filter(|_| rolling.machine.whole() == Whole::Halted),
            by: rolling.by.clone(),
            begun_ms: rolling.begun_ms,
            max_unavailable: rolling.plan.max_unavailable.get(),
            stable_ms: u64::try_from(rolling.plan.stable.as_millis()).unwrap_or(u64::MAX),
            places: places
                .map(|(spot, place)| self.place_view(rolling, spot, *place))
                .collect(),
        }
    }

    fn place_view(&self, rolling: &Rolling, spot: &Spot, place: Place) -> PlaceView {
        let member = self.members.get(&spot.id);
        let newer = member.is_some_and(|m| m.machine.run() > spot.base);
        let stable_in = || {
            let due = self.stable_at(rolling, spot)?;
            Some(due.saturating_sub(self.now.ns) / 1_000_000)
        };
        PlaceView {
            id: spot.id,
            name: spot.name.clone(),
            place,
            old_pid: spot.old_pid,
            new_pid: member
                .filter(|m| newer && m.machine.phase().is_live())
                .and_then(|m| m.child)
                .map(|child| child.pid),
            due_in_ms: match place {
                Place::Settling => stable_in(),
                Place::Draining => member
                    .filter(|m| !matches!(m.machine.phase(), Phase::Running))
                    .and_then(|m| self.due_in_ms(m)),
                Place::Waiting
                | Place::Down
                | Place::Rising
                | Place::Done
                | Place::Failed
                | Place::Left => None,
            },
        }
    }
}
