//! The doors: HTTP on the unix socket, translated to the supervisor's handle and back. Knows nothing of registries
//! and phases.

mod activity;
mod answer;
mod crowd;
mod edit;
mod events;
mod gate;
mod logs;
mod own_log;
mod past;
mod patience;
mod routes;
mod unix;

pub(crate) use unix::open;
