//! Nouns and decisions. Pure: no clock, no disk, no pid, no runtime; the standard library, serde, thiserror and strsim only.

pub(crate) mod activity;
pub(crate) mod backoff;
pub(crate) mod changes;
pub(crate) mod checkup;
pub(crate) mod clues;
pub(crate) mod event;
pub(crate) mod exit;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod instance;
pub(crate) mod intent;
pub(crate) mod level;
pub(crate) mod names;
pub(crate) mod operation;
pub(crate) mod plan;
pub(crate) mod pulse;
pub(crate) mod rate;
pub(crate) mod record;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod saying;
pub(crate) mod scale;
pub(crate) mod secrecy;
pub(crate) mod selector;
pub(crate) mod settings;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod tree;
pub(crate) mod trend;
pub(crate) mod voice;
pub(crate) mod who;
pub(crate) mod why;

/// Held by the test that writes its part of `docs/state-machine.md`.
#[cfg(test)]
static PAGE: std::sync::Mutex<()> = std::sync::Mutex::new(());
