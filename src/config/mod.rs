//! Files → definitions: TOML and JSON as typed, expansion, checking; every error has file, line and column. Knows
//! nothing of the daemon or the wire; the environment and the folder of the caller are handed in.

mod document;
mod error;
mod expand;
mod keys;
pub(crate) mod program;
mod read;
mod screen;
mod settings;
pub(crate) mod units;
mod values;
mod variables;
mod write;

pub(crate) use error::ConfigError;
pub(crate) use read::{Caller, File, kept_environment, load, locate};
pub(crate) use screen::{Charset, Colour, Colours, Palette, THEMES, load_screen};
pub(crate) use settings::{DAEMON_FILE, load_settings};
pub(crate) use write::written;
