//! The daemon and the dashboard, as they are typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use crate::config::{Colours, THEMES, units};
use crate::domain::level::Level;

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColourWhen {
    /// Unless NO_COLOR or the terminal says otherwise
    Auto,
    /// None; bold, underlined and reversed stay
    Never,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Tui {
    /// How often numbers are drawn anew (1s)
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(in crate::cli) interval: Option<Duration>,
    /// Only characters that every terminal has
    #[arg(long)]
    pub(in crate::cli) ascii: bool,
    /// Colours: terminal (its own, the default), dark, light, mono, high-contrast
    #[arg(long, value_name = "THEME", value_parser = theme)]
    pub(in crate::cli) theme: Option<Colours>,
    /// Whether there are colours [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(in crate::cli) color: Option<ColourWhen>,
    /// Only look: every verb is refused, here and by the daemon
    #[arg(long)]
    pub(in crate::cli) read_only: bool,
    /// Do not leave a small process behind that repairs the terminal if the dashboard is killed
    #[arg(long)]
    pub(in crate::cli) no_guardian: bool,
    /// Write what each frame took to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) trace_frames: Option<PathBuf>,
    /// No screen: a line when something becomes another, for screen readers, dumb terminals and CI
    #[arg(long, conflicts_with_all = ["interval", "ascii", "theme", "color", "no_guardian", "trace_frames"])]
    pub(in crate::cli) plain: bool,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Daemon {
    #[command(subcommand)]
    pub(in crate::cli) verb: Option<DaemonVerb>,
}

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum DaemonVerb {
    /// Start it in the background; what was up comes up
    Start,
    /// End all processes in order, then the daemon
    Stop,
    /// Replace the daemon without touching a process
    ///
    /// When this program is another build than the keeper, the keeper goes on as it.
    Restart {
        /// The program to go on as [default: this one]
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Show the daemon
    Status,
    /// Show what the daemon says about itself
    Log(DaemonLog),
}

#[derive(Debug, Clone, Copy, ClapArgs)]
pub(in crate::cli) struct DaemonLog {
    /// Go on with what comes
    #[arg(long, short = 'f')]
    pub(in crate::cli) follow: bool,
    /// How many records back
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        default_value = "100",
        allow_negative_numbers = true
    )]
    pub(in crate::cli) lines: usize,
    /// This bad and worse: trace, debug, info, warn, error; what is milder than its log keeps is said while it is followed
    #[arg(long, value_name = "LEVEL", value_parser = level, default_value = "info")]
    pub(in crate::cli) level: Level,
}

fn level(word: &str) -> Result<Level, String> {
    let found = Level::ALL.into_iter().find(|it| it.name() == word);
    found.ok_or_else(|| format!("it is one of {}", Level::ALL.map(Level::name).join(", ")))
}

fn theme(word: &str) -> Result<Colours, String> {
    let found = THEMES.iter().find(|(name, _)| *name == word);
    found.map(|(_, theme)| *theme).ok_or_else(|| {
        let names = THEMES.map(|(name, _)| name).join(", ");
        format!("it is one of {names}")
    })
}
