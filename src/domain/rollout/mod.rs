//! The replacing of the instances of a process, batch by batch, as a pure state machine:
//! `step(plan, rollout, event) → (rollout, effects)`. It knows no pid and no clock; what it is told is what was seen.

mod place;
mod step;
#[cfg(test)]
mod tests;

pub use place::{Place, Whole};
pub(crate) use place::{Plan, Rollout, Sight};
pub(crate) use step::{Effect, Event, step};
