//! One numbered copy of a process as a pure state machine: `step(policy, instance, event) → (instance, effects)`.

mod phase;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use phase::{Goal, Instance, Next, Phase, Then};
pub(crate) use step::{Delay, Effect, Event, Policy, Report, Sweep, step};
