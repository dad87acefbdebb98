//! A new process, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use crate::config::units;
use crate::domain::exit::Signal;
use crate::domain::names::{Namespace, ProcessName, Tag};
use crate::domain::spec::Restart;

use super::Surety;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum RestartWord {
    Always,
    OnFailure,
    Never,
}

impl From<RestartWord> for Restart {
    fn from(word: RestartWord) -> Self {
        match word {
            RestartWord::Always => Self::Always,
            RestartWord::OnFailure => Self::OnFailure,
            RestartWord::Never => Self::Never,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("{text:?} is not of the form NAME=VALUE")),
    }
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Start {
    /// A file (with a slash), a program in PATH, or what is there already
    #[arg(
        required_unless_present_any = ["config", "args"],
        conflicts_with = "config",
        value_name = "SCRIPT"
    )]
    pub(in crate::cli) word: Vec<String>,
    /// What to call it [default: the script's name]
    #[arg(long)]
    pub(in crate::cli) name: Option<ProcessName>,
    /// Its group
    #[arg(long)]
    pub(in crate::cli) namespace: Option<Namespace>,
    /// How many copies
    #[arg(long, short = 'i', allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) instances: Option<u32>,
    /// A variable of its environment; may be given several times
    #[arg(long, short = 'e', value_name = "NAME=VALUE", value_parser = pair)]
    pub(in crate::cli) env: Vec<(String, String)>,
    /// Working folder [default: this one]
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) cwd: Option<PathBuf>,
    /// Start what this file defines
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// After which ends it is started again [default: on-failure]
    #[arg(long, value_enum)]
    pub(in crate::cli) restart: Option<RestartWord>,
    /// How many failures mean errored [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(in crate::cli) max_restarts: Option<u32>,
    /// Wait before the first retry [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(in crate::cli) restart_delay: Option<Duration>,
    /// Sent first when it is stopped [default: SIGTERM]
    #[arg(long, value_name = "SIGNAL")]
    pub(in crate::cli) stop_signal: Option<Signal>,
    /// What its tree gets before SIGKILL [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(in crate::cli) stop_timeout: Option<Duration>,
    /// Memory limit of its tree; above it, it is restarted
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(in crate::cli) max_memory: Option<u64>,
    /// A word that selects it as tag:WORD; may be given several times
    #[arg(long = "tag", value_name = "WORD", value_parser = |t: &str| Tag::new(t))]
    pub(in crate::cli) tags: Vec<Tag>,
    #[command(flatten)]
    pub(in crate::cli) surety: Surety,
    /// Its arguments; without a SCRIPT, the program and its arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(in crate::cli) args: Vec<String>,
}
