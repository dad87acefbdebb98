//! The keeper: parent of everything, tiny, single-threaded, without policy. It forks what the daemon asks for, reaps,
//! keeps what must outlive the other roles, and starts these again when they die. It never opens, stats or waits for
//! anything that can hang, and knows nothing of definitions, restart policies or clients.

pub(crate) mod begin;
mod children;
mod ending;
pub(crate) mod handover;
pub(crate) mod lane;
mod limits;
pub(crate) mod link;
pub(crate) mod loss;
pub(crate) mod protocol;
pub(crate) mod role;
mod roles;
mod route;
mod runs;
mod scribes;
mod stage;
pub(crate) mod table;
mod unlisted;
mod upgrade;
mod watchdog;
pub(crate) mod who;
