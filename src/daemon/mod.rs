//! The daemon: definitions, policy, state machines, sampling, retention, the API's other side. It may die at any
//! instant; the next one goes on from the keeper's table. Knows nothing of sockets to clients, of screens or of
//! configuration files.

mod activity;
mod adopt;
mod apply;
mod audience;
mod autopsy;
mod backlog;
pub(crate) mod candidate;
mod clients;
mod commands;
mod drive;
mod edit;
mod environments;
mod flow;
pub(crate) mod handle;
mod hands;
mod heir;
mod history;
mod hub;
mod inspector;
mod journal;
mod judge;
mod lanes;
mod ledger;
mod line;
mod member;
mod message;
mod operations;
mod orphans;
mod pacing;
pub(crate) mod past;
pub(crate) mod plan;
pub(crate) mod reading;
mod recording;
mod reports;
mod requests;
mod retention;
pub(crate) mod role;
mod rollouts;
pub(crate) mod runs;
mod sampler;
mod scale;
mod scribes;
pub(crate) mod settings;
mod signals;
mod store;
pub(crate) mod subsystems;
mod supervisor;
pub(crate) mod telemetry;
mod tending;
#[cfg(test)]
mod tests;
mod tree;
mod undo;
mod view;
mod voices;
