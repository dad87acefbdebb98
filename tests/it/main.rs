//! Black-box tests of the real binary: what an operator sees on stdout and stderr, in the exit status and in files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm
)]

mod activity;
mod apply;
mod architecture;
mod chance;
mod child;
mod cli;
mod config;
mod container;
mod daemon;
mod docs;
mod doctor;
mod durable;
mod edit;
mod environment;
mod events;
#[cfg(feature = "failpoints")]
mod failpoints;
mod faults;
mod http;
mod idempotency;
mod init;
mod lifecycle;
mod list;
mod logs;
mod memory;
mod oracle;
mod own_log;
mod plan;
mod program;
mod recovery;
mod restart;
mod reveal;
mod rollout;
mod rotation;
mod runs;
mod sandbox;
mod scale;
mod screen;
mod selector;
mod servers;
mod settings;
mod signals;
mod soak;
mod startup;
mod storm;
mod succession;
mod tree;
mod trouble;
mod tty;
mod undo;
mod upgrade;
mod watchdog;
mod why;
