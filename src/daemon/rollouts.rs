//! Rolling restarts: looks at the instances of each after every turn, asks the machine, and restarts whom it names.

mod command;
mod part;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::Push;
use crate::domain::instance::{Event as Happened, Goal, Next, Phase, Then};
use crate::domain::names::{InstanceId, OperationId, ProcessKey, RunId};
use crate::domain::operation::{Progress, Verb};
use crate::domain::rollout::{Effect, Event, Place, Plan, Rollout, Sight, Whole, step};
use crate::domain::run::Asker;
use crate::keeper::protocol::ToKeeper;
use crate::platform::clock::as_ns;

use super::member::{Member, Wanted};
use super::message::Deed;
use super::operations::Target;
use super::supervisor::{Ending, Supervisor};

pub(super) use part::Part;

/// What ended longer ago than this is not taken up again by a new daemon, milliseconds.
const REMEMBERED_MS: u64 = 3_600_000;
/// How much of who asked, and of why it failed, fits into a note.
const WORDS: usize = 60;

/// One instance of a rollout.
#[derive(Debug, Clone)]
struct Spot {
    id: InstanceId,
    name: String,
    /// The run at the beginning: any later one is new.
    base: RunId,
    old_pid: Option<i32>,
    /// Why it failed.
    failed: Option<String>,
}

/// The rolling restart of one process.
#[derive(Debug, Clone)]
pub(super) struct Rolling {
    operation: OperationId,
    key: ProcessKey,
    plan: Plan,
    machine: Rollout,
    /// By position.
    spots: Vec<Spot>,
    by: String,
    begun_ms: u64,
    version: u32,
    /// When the next run becomes stable, monotonic nanoseconds.
    due: Option<u64>,
    /// Whether its instances have been looked at since this daemon has it.
    looked: bool,
}

/// All that are known: under way, and as long as their operations are remembered.
#[derive(Debug, Default)]
pub(super) struct Rollouts {
    all: Vec<Rolling>,
}

impl Rollouts {
    /// When one has to be looked at.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.all.iter().filter_map(|rolling| rolling.due).min()
    }

    /// The one of a process that is not over.
    fn active(&self, key: &ProcessKey) -> Option<&Rolling> {
        self.all
            .iter()
            .find(|rolling| rolling.key == *key && !rolling.machine.is_over())
    }

    /// The positions of an operation's.
    fn of(&self, operation: &OperationId) -> Vec<usize> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, rolling)| rolling.operation == *operation)
            .map(|(position, _)| position)
            .collect()
    }
}

/// The parts of one, each with the index and the id of its instance.
type Shares = Vec<(u32, InstanceId, Part)>;

/// What is seen of an instance, but for how long its new run has lasted.
fn look(member: &Member, base: RunId) -> Sight {
    let phase = member.machine.phase();
    let newer = member.machine.run() > base;
    match phase.goal() {
        Goal::Up | Goal::Replaced => {}
        Goal::Down | Goal::Removed => return Sight::Left,
    }
    let begun = if newer {
        Sight::New { up: false }
    } else {
        Sight::Ending
    };
    let by_itself = if newer {
        Sight::Failed
    } else {
        Sight::Old { up: false }
    };
    match phase {
        Phase::Running if newer => Sight::New { up: true },
        Phase::Running => Sight::Old { up: true },
        Phase::Spawning {
            goal: Goal::Replaced,
        } => begun,
        Phase::Spawning { .. } | Phase::Starting if newer => Sight::New { up: false },
        Phase::Spawning { .. } | Phase::Starting => Sight::Old { up: false },
        // An end that SIGKILL does not bring about: waiting for it could be for ever.
        Phase::Killing { .. } | Phase::Sweeping { forced: true, .. } if member.alarm.is_some() => {
            Sight::Failed
        }
        Phase::Stopping { then } | Phase::Killing { then } => match then {
            Then::Respawn => begun,
            Then::Retry => by_itself,
            Then::Rest | Then::Retire => Sight::Left,
        },
        Phase::Sweeping { next, .. } => match next {
            Next::Respawn => begun,
            Next::Retry | Next::GiveUp => by_itself,
            Next::Finish if newer => Sight::Failed,
            Next::Finish | Next::Rest | Next::Retire => Sight::Left,
        },
        Phase::Backoff | Phase::Failed => by_itself,
        Phase::Exited if newer => Sight::Failed,
        Phase::Exited | Phase::Stopped | Phase::Removed => Sight::Left,
    }
}

/// Why a place failed, as its instance stands now.
fn why(member: &Member) -> String {
    match (&member.alarm, member.exit) {
        (Some(alarm), _) => alarm.clone(),
        (None, Some(exit)) => format!("the new run ended: {}", exit.ending),
        (None, None) => format!("the new run ended: {}", member.because),
    }
}

impl Supervisor {
    /// Looks at every rolling restart again.
    pub(super) fn drive_rollouts(&mut self) {
        if self.ending != Ending::No {
            return;
        }
        for position in 0..self.rollouts.all.len() {
            let mut moved = false;
            // Each round a place gets further, so there is an end.
            while self.look_at_rollout(position) {
                moved = true;
            }
            self.set_rollout_due(position);
            if moved {
                self.publish_rollout(position);
            }
        }
    }

    /// True when something changed.
    fn look_at_rollout(&mut self, position: usize) -> bool {
        let Some(rolling) = self.rollouts.all.get_mut(position) else {
            return false;
        };
        if rolling.machine.is_over() && rolling.looked {
            return false;
        }
        rolling.looked = true;
        let Some(rolling) = self.rollouts.all.get(position) else {
            return false;
        };
        let sights: Vec<Sight> = rolling
            .spots
            .iter()
            .map(|spot| self.sight(rolling, spot))
            .collect();
        self.turn_rollout(position, Event::Saw(&sights), "")
    }

    fn sight(&self, rolling: &Rolling, spot: &Spot) -> Sight {
        let Some(member) = self.members.get(&spot.id) else {
            return Sight::Left;
        };
        let sight = look(member, spot.base);
        let stable = self.stable_at(rolling, spot);
        if sight == (Sight::New { up: true }) && stable.is_some_and(|at| at <= self.now.ns) {
            return Sight::Stable;
        }
        sight
    }

    /// When its run is, or was, old enough; monotonic nanoseconds.
    fn stable_at(&self, rolling: &Rolling, spot: &Spot) -> Option<u64> {
        let child = self.members.get(&spot.id)?.child?;
        let tick = 1_000_000_000 / self.setting.ticks_per_second.max(1);
        // Its start is known to a tick: the whole of that tick is waited for too.
        let begun = child.start.saturating_add(1).saturating_mul(tick);
        Some(begun.saturating_add(as_ns(rolling.plan.stable)))
    }

    /// One step of the machine, with everything that follows from it. True when something changed.
    fn turn_rollout(&mut self, position: usize, event: Event<'_>, by: &str) -> bool {
        let Some(rolling) = self.rollouts.all.get_mut(position) else {
            return false;
        };
        let (after, effects) = step(&rolling.plan, &rolling.machine, event);
        let before = std::mem::replace(&mut rolling.machine, after);
        let changed = before != rolling.machine;
        let turned = before.whole() != rolling.machine.whole();
        let whole = rolling.machine.whole();
        for (spot, place) in rolling.spots.iter_mut().zip(rolling.machine.places()) {
            if *place == Place::Failed && spot.failed.is_none() {
                let member = self.members.get(&spot.id);
                spot.failed = Some(member.map_or_else(|| "it is gone".into(), |it| why(it)));
            }
        }
        let (operation, asked_by) = (rolling.operation.clone(), rolling.by.clone());
        let restarts: Vec<InstanceId> = effects
            .iter()
            .filter_map(|Effect::Restart(place)| rolling.spots.get(*place))
            .map(|spot| spot.id)
            .collect();
        if turned {
            self.note_parts(position, Some(whole));
            self.say_rollout(position, by);
        }
        for id in restarts {
            if let Some(member) = self.members.get_mut(&id) {
                member.wanted = Some(Wanted {
                    operation: operation.clone(),
                    verb: Verb::Restart,
                    base: member.machine.run(),
                });
            }
            let because = format!("rolling restart by {asked_by}");
            self.asker = Some(Asker::command(Verb::Restart, &asked_by, &operation));
            self.drive(id, &Happened::Restart, &because);
        }
        changed
    }

    fn set_rollout_due(&mut self, position: usize) {
        let Some(rolling) = self.rollouts.all.get(position) else {
            return;
        };
        let spots = rolling.spots.iter().zip(rolling.machine.places());
        let due = spots
            .filter(|(_, place)| **place == Place::Settling)
            .filter_map(|(spot, _)| self.stable_at(rolling, spot))
            .min();
        if let Some(rolling) = self.rollouts.all.get_mut(position) {
            rolling.due = due;
        }
    }

    fn publish_rollout(&mut self, position: usize) {
        let Some(rolling) = self.rollouts.all.get(position) else {
            return;
        };
        // The end of an operation is told by who settles it.
        if rolling.machine.is_over() {
            return;
        }
        let operation = rolling.operation.clone();
        if let Ok(mut view) = self.operation_view(&operation) {
            for target in &mut view.targets {
                target.progress = self.rollouts.progress(&operation, target.id);
            }
            self.hub.publish(&Push::Operation { operation: view });
        }
    }

    /// Has the keeper remember where the whole stands, with every instance of it.
    fn note_parts(&mut self, position: usize, whole: Option<Whole>) {
        let Some(rolling) = self.rollouts.all.get_mut(position) else {
            return;
        };
        rolling.version += 1;
        for (spot, place) in rolling.spots.iter().zip(rolling.machine.places()) {
            let Some(member) = self.members.get_mut(&spot.id) else {
                continue;
            };
            let short = |text: &String| text.chars().take(WORDS).collect::<String>();
            member.part = Some(Part {
                operation: rolling.operation.clone(),
                base: spot.base,
                old_pid: spot.old_pid,
                version: rolling.version,
                whole,
                max_unavailable: rolling.plan.max_unavailable,
                stable_ms: u64::try_from(rolling.plan.stable.as_millis()).unwrap_or(u64::MAX),
                begun_ms: rolling.begun_ms,
                by: short(&rolling.by),
                place: *place,
                failed: spot.failed.as_ref().map(short),
            });
            self.deeds.push(Deed::Keeper(ToKeeper::Note {
                key: spot.id,
                note: member.note(),
            }));
        }
    }

    /// Goes on with what the instances remember; gives back the operations with the targets that are known of each.
    pub(super) fn reopen_rollouts(&mut self) -> BTreeMap<OperationId, Vec<Target>> {
        let mut operations: BTreeMap<OperationId, Vec<Target>> = BTreeMap::new();
        let mut found: BTreeMap<(OperationId, ProcessKey), Shares> = BTreeMap::new();
        for (id, member) in &mut self.members {
            // What was not begun is forgotten: whoever asked for it was not answered, and asks again.
            member.part = member.part.take().filter(|part| {
                let old = self.now.ms.saturating_sub(part.begun_ms) > REMEMBERED_MS;
                let over = part.whole.is_none_or(Whole::is_final);
                !(over && old)
            });
            if let Some(part) = &member.part {
                found
                    .entry((part.operation.clone(), member.key.clone()))
                    .or_default()
                    .push((member.index, *id, part.clone()));
            }
        }
        for ((operation, key), mut parts) in found {
            parts.sort_by_key(|(index, id, _)| (*index, *id));
            let newest = parts.iter().max_by_key(|(_, _, part)| part.version);
            let Some((_, _, newest)) = newest.cloned() else {
                continue;
            };
            let Some(whole) = newest.whole else {
                for (_, id, _) in parts {
                    if let Some(member) = self.members.get_mut(&id) {
                        member.part = None;
                    }
                }
                continue;
            };
            let places = parts.iter().map(|(_, _, part)| {
                // The daemon may have died before all notes said the same.
                if part.version == newest.version {
                    part.remembered(whole)
                } else {
                    Place::Waiting
                }
            });
            let machine = Rollout::new(whole, places.collect());
            let spots: Vec<Spot> = parts
                .into_iter()
                .map(|(_, id, part)| Spot {
                    id,
                    name: self.label(id),
                    base: part.base,
                    old_pid: part.old_pid,
                    failed: part.failed,
                })
                .collect();
            let targets = spots.iter().map(|spot| Target {
                id: spot.id,
                name: spot.name.clone(),
                verb: Verb::Restart.into(),
                base: spot.base,
                progress: Progress::Pending,
            });
            operations
                .entry(operation.clone())
                .or_default()
                .extend(targets);
            self.rollouts.all.push(Rolling {
                operation,
                key,
                plan: Plan {
                    max_unavailable: newest.max_unavailable,
                    stable: Duration::from_millis(newest.stable_ms),
                },
                machine,
                spots,
                by: newest.by,
                begun_ms: newest.begun_ms,
                version: newest.version,
                due: None,
                looked: false,
            });
        }
        operations
    }

    /// Those whose operations are forgotten.
    pub(super) fn forget_rollouts(&mut self) {
        let operations = &self.operations;
        self.rollouts
            .all
            .retain(|rolling| operations.get(&rolling.operation).is_some());
    }
}
