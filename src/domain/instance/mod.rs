//! One numbered copy of a process as a pure state machine: `step(policy, instance, event) → (instance, effects)`.

mod phase;
mod step;
#[cfg(test)]
mod tests;

pub use phase::{Goal, Instance, Next, Phase, Then};
pub use step::{Delay, Effect, Event, Policy, Report, Sweep, step};
