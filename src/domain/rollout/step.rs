//! The decision: what a rollout becomes, and which instances are restarted, after one event.

use super::place::{Place, Plan, Rollout, Sight, Whole};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// What is seen of every instance now, by position: decided is upon all of it or nothing.
    Saw(&'a [Sight]),
    /// No further batch for now.
    Pause,
    /// Further batches again.
    Resume,
    /// No further batch ever.
    Abort,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Replace the run of the instance at this position.
    Restart(usize),
}

/// The machine.
#[must_use = "the effects are what has to be done"]
pub(crate) fn step(plan: &Plan, before: &Rollout, event: Event<'_>) -> (Rollout, Vec<Effect>) {
    let mut after = before.clone();
    match event {
        Event::Saw(sights) => {
            for (place, sight) in after.places.iter_mut().zip(sights) {
                *place = place.saw(*sight);
            }
        }
        Event::Pause => after.turn(Whole::Advancing, Whole::Paused),
        Event::Resume => after.turn(Whole::Paused, Whole::Advancing),
        Event::Abort => {
            after.turn(Whole::Advancing, Whole::Aborted);
            after.turn(Whole::Paused, Whole::Aborted);
        }
    }
    let effects = after.go_on(plan);
    (after, effects)
}

impl Rollout {
    fn turn(&mut self, from: Whole, to: Whole) {
        if self.whole == from {
            self.whole = to;
        }
    }

    /// The next batch, if this is the moment for it.
    fn go_on(&mut self, plan: &Plan) -> Vec<Effect> {
        if self.whole.is_final() {
            return Vec::new();
        }
        if self.places.contains(&Place::Failed) {
            self.whole = Whole::Halted;
            return Vec::new();
        }
        if self.places.iter().any(|p| p.is_in_flight()) {
            return Vec::new();
        }
        if !self.places.iter().any(|p| p.is_to_come()) {
            self.whole = Whole::Completed;
            return Vec::new();
        }
        if self.whole == Whole::Paused {
            return Vec::new();
        }
        let most = usize::try_from(plan.max_unavailable.get()).unwrap_or(usize::MAX);
        let at = |wanted: Place| {
            let all = self.places.iter().enumerate();
            all.filter(move |(_, place)| **place == wanted)
                .map(|(position, _)| position)
        };
        // Who is down already costs nobody anything, and takes the place of one that would be taken down.
        let down = at(Place::Down).count();
        let mut batch: Vec<usize> = at(Place::Down).take(most).collect();
        batch.extend(at(Place::Waiting).take(most.saturating_sub(down)));
        for position in &batch {
            self.places[*position] = Place::Draining;
        }
        batch.into_iter().map(Effect::Restart).collect()
    }
}
