//! Scaling and signals, as they are typed.

use clap::Args as ClapArgs;

use crate::domain::exit::Signal;
use crate::domain::scale::Count;

use super::{Surety, Targets};

/// What has to be said twice.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(in crate::cli) struct Guard {
    /// Also what is protected; without it a terminal is asked for the name
    #[arg(long)]
    pub(in crate::cli) force_protected: bool,
}

/// Before anything is done.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(in crate::cli) struct Care {
    /// Show what it would do, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) guard: Guard,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Scale {
    /// Which process: its name, ns/name or id
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// How many instances it is to have: 4, or +1 or -1
    #[arg(value_name = "N", allow_hyphen_values = true)]
    pub(in crate::cli) count: Count,
    #[command(flatten)]
    pub(in crate::cli) care: Care,
    #[command(flatten)]
    pub(in crate::cli) surety: Surety,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct SendSignal {
    /// Which signal: HUP, SIGHUP or 1
    #[arg(value_name = "SIGNAL")]
    pub(in crate::cli) signal: Signal,
    #[command(flatten)]
    pub(in crate::cli) to: SignalTo,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Kill {
    /// Which signal: HUP, SIGHUP or 1
    #[arg(long, short = 's', value_name = "SIGNAL")]
    pub(in crate::cli) signal: Signal,
    #[command(flatten)]
    pub(in crate::cli) to: SignalTo,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct SignalTo {
    #[command(flatten)]
    pub(in crate::cli) targets: Targets,
    /// To the process group of each, not to its main process alone
    #[arg(long)]
    pub(in crate::cli) group: bool,
    #[command(flatten)]
    pub(in crate::cli) care: Care,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Init {
    /// The file
    #[arg(default_value = "adasa.toml", value_name = "FILE")]
    pub(in crate::cli) file: std::path::PathBuf,
    /// Start what it defines without a question
    #[arg(long, short = 'y')]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) surety: Surety,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Edit {
    /// Which process: its name, ns/name or id
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// Bring it in force without a question
    #[arg(long, short = 'y')]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) guard: Guard,
    #[command(flatten)]
    pub(in crate::cli) surety: Surety,
}
