//! The daemon: definitions, policy, state machines, sampling, retention, the API's other side. It may die at any
//! instant; the next one goes on from the keeper's table. Knows nothing of sockets to clients, of screens or of
//! configuration files.

mod adopt;
mod apply;
mod commands;
mod drive;
pub mod handle;
mod history;
mod hub;
mod inspector;
pub mod log_stream;
mod member;
mod message;
mod operations;
mod retention;
pub mod role;
mod sampler;
mod store;
pub mod subsystems;
mod supervisor;
mod telemetry;
#[cfg(test)]
mod tests;
mod view;
