//! The dashboard without a terminal, a daemon or a clock.

mod acts;
mod desk;
mod detail;
mod filter;
mod form;
mod library;
mod link;
mod log_pictures;
mod log_view;
mod logs;
mod marks;
mod moment;
mod mouse;
mod own_log;
mod paint;
mod palette;
mod pictures;
mod plain;
mod questions;
mod rolling;
mod scenes;
mod screens;
mod screenshots;
mod selection;
mod sizes;
mod undo;
