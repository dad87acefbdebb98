//! Nouns and decisions. Pure: no clock, no disk, no pid, no runtime; the standard library and serde only.

pub mod backoff;
pub mod event;
pub mod exit;
pub mod instance;
pub mod names;
pub mod operation;
pub mod sample;
pub mod selector;
pub mod spec;
pub mod status;
