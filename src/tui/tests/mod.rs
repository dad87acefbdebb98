//! The dashboard without a terminal, a daemon or a clock.

mod desk;
mod filter;
mod link;
mod logs;
mod paint;
mod pictures;
mod questions;
mod screens;
mod selection;
mod sizes;
