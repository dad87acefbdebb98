//! Scenarios: the supervisor in a world that a test makes up, with a clock that only the test moves.

mod chance;
mod client;
mod definitions;
mod disk;
mod ending;
mod failures;
mod habit;
mod handover;
mod idempotency;
mod logs;
mod metrics;
mod old_state;
mod operations;
mod orphans;
mod plan;
mod rollouts;
mod runs;
mod scale;
mod signals;
mod undo;
mod world;
