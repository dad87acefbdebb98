//! One numbered copy of a process as a pure state machine: `step(policy, instance, event) → (instance, effects)`.

mod event;
mod phase;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use event::{Delay, Effect, Event, Policy, Report, Sweep};
pub(crate) use phase::{Goal, Instance, Next, Phase, Then};
pub(crate) use step::step;
