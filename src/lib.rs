//! adasa keeps long-running programs alive on one machine and shows them on one screen.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::wildcard_enum_match_arm))]
#![allow(dead_code)]

mod api;
mod client;
mod config;
mod daemon;
mod domain;
mod keeper;
mod logs;
#[allow(unsafe_code)]
mod platform;
mod scribe;
mod server;
mod cli;
mod tui;

pub use cli::run;
