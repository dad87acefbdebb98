//! adasa keeps long-running programs alive on one machine and shows them on one screen.
//!
//! The public face is small: [`client`] talks to the daemon, [`api`] has what goes over the wire, [`spec`] what a
//! process is defined by. Everything else is the program itself, which [`run`] is.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::print_stdout,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod api;
mod cli;
pub mod client;
mod config;
mod daemon;
mod domain;
mod keeper;
mod logs;
#[expect(
    unsafe_code,
    reason = "the kernel's door; every use says why it is sound"
)]
mod platform;
mod scribe;
mod server;
mod tui;

pub use cli::run;

/// Definitions of processes.
pub mod spec {
    pub use crate::domain::backoff::Backoff;
    pub use crate::domain::exit::{Ending, Exit, ShortText, Signal};
    pub use crate::domain::names::{
        InstanceId, NameError, Namespace, OperationId, ProcessKey, ProcessName, RunId, Tag,
    };
    pub use crate::domain::spec::{
        Command, Difference, Invalid, LimitAction, Limits, LogPolicy, OnDiskFull, Origin, Restart,
        RestartPolicy, Spec, StopPolicy, Stream,
    };
}
