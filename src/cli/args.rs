//! What can be typed.

mod acts;
mod daemon;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::config::units;
use crate::domain::names::OperationId;

pub(super) use acts::{Care, Edit, Guard, Init, Kill, Scale, SendSignal, SignalTo};
pub(super) use daemon::{ColourWhen, Daemon, DaemonLog, DaemonVerb, Tui};
pub(super) use start::Start;

/// The heading of the flags of every command.
const EVERYWHERE: &str = "Everywhere";

/// Keeps programs alive and shows them on one screen.
#[derive(Debug, Parser)]
#[command(
    name = "adasa",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 not found, 5 timed out."
)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// Flags of every command.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Global {
    /// Print JSON, and nothing else, on standard output
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) json: bool,
    /// Do not start a daemon when none runs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) no_autostart: bool,
    /// How long to wait for what was asked for (the daemon goes on)
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DURATION", value_parser = units::duration, default_value = "10m")]
    pub(super) timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Start a script or program, or again what is there
    Start(Box<Start>),
    /// Stop processes; their whole trees end
    Stop(Stop),
    /// Restart processes
    Restart(Restarting),
    /// Rolling restarts: how far they are, pause, resume, abort; without a further word all of them
    Rollout(Rollout),
    /// Edit a config file in $EDITOR, a new one with comments where there is none; then offers to start what it defines
    ///
    /// It is read as soon as the editor is left: a mistake is shown with its place, and can be mended at once.
    Init(Init),
    /// Edit the definition of a process in $EDITOR; shows what differs, and asks, before anything is changed
    ///
    /// Values of the environment are shown as ***; those that are left so stay as they are.
    Edit(Edit),
    /// Give a process another number of instances; those with the highest numbers are stopped first
    Scale(Scale),
    /// Send a signal to the main process of each
    ///
    /// Nothing else is changed: a signal that ends a process ends it as a crash does, and its restart policy decides what follows.
    #[command(visible_alias = "sendSignal")]
    Signal(SendSignal),
    /// The same, as `kill -s SIGNAL`; `adasa stop --force` is what kills for good
    Kill(Kill),
    /// Stop processes and forget them; logs stay
    Delete(Change),
    /// Take back the last stop, delete or change of a definition, or the operation that is named
    Undo(Undo),
    /// List processes
    #[command(visible_aliases = ["ls", "ps"])]
    List(List),
    /// Show everything about processes: also the processes of each run, and where they listen
    #[command(visible_aliases = ["info", "describe"])]
    Status(Status),
    /// Say why a process ended and what happens next
    Why(Targets),
    /// Show who did what, and what happened by itself
    #[command(visible_aliases = ["events", "history"])]
    Activity(ActivityArgs),
    /// Show what changed since a moment: failures, definitions, who did what
    Changes(ChangesArgs),
    /// Show who has a dashboard open, or follows what happens
    #[command(visible_alias = "who")]
    Clients,
    /// Show logs, merged in the order of time
    Logs(Logs),
    /// Empty logs
    Flush(MaybeTargets),
    /// Bring a changed file in force, touching only what differs
    Reload(Reload),
    /// Bring up what a file defines, and show it
    Up(Up),
    /// End what a file brought up
    Down(Down),
    /// Open the dashboard
    #[command(visible_alias = "monit")]
    Tui(Tui),
    /// The daemon itself; without a further word it runs in the foreground
    Daemon(Daemon),
    /// Write a systemd unit, so that the daemon begins with the machine
    Startup(Startup),
    /// Say which mechanisms work on this machine, and what is missing
    ///
    /// Fails when a promise cannot be kept here.
    Doctor,
    /// Print completions for a shell
    ///
    /// bash: `adasa completions bash >~/.local/share/bash-completion/completions/adasa`;
    /// zsh: into a file `_adasa` in a folder of `$fpath`;
    /// fish: `adasa completions fish >~/.config/fish/completions/adasa.fish`.
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What is meant.
#[derive(Debug, ClapArgs)]
pub(super) struct Targets {
    /// Ids, names, instances, ns/name, patterns, tag:x, status:x, all, or a config file
    #[arg(required = true, value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
}

/// What is meant; everything when nothing is given.
#[derive(Debug, ClapArgs)]
pub(super) struct MaybeTargets {
    /// Ids, names, instances, ns/name, patterns, tag:x, status:x, all, or a config file
    #[arg(value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Startup {
    /// A unit of your own service manager instead of the machine's
    #[arg(long)]
    pub(super) user: bool,
    /// Print the unit and write nothing
    #[arg(long, conflicts_with = "remove")]
    pub(super) print: bool,
    /// Remove the unit; what runs goes on
    #[arg(long)]
    pub(super) remove: bool,
}

/// How sure it has to be.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(super) struct Surety {
    /// Answer only when a power cut would not undo it
    #[arg(long)]
    pub(super) durable: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) targets: Targets,
    #[command(flatten)]
    pub(super) surety: Surety,
    #[command(flatten)]
    pub(super) care: Care,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Stop {
    #[command(flatten)]
    pub(super) targets: Targets,
    #[command(flatten)]
    pub(super) surety: Surety,
    /// SIGKILL at once
    #[arg(long, short = 'f')]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) care: Care,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Undo {
    /// Which operation [default: the last that is kept]
    #[arg(value_name = "OPERATION", value_parser = |t: &str| OperationId::new(t))]
    pub(super) operation: Option<OperationId>,
    /// Show what can be taken back instead
    #[arg(long, conflicts_with_all = ["operation", "durable"])]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) surety: Surety,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Restarting {
    /// Ids, names, instances, ns/name, patterns, tag:x, status:x, all, or a config file
    #[arg(required_unless_present = "failed", value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
    /// Only what failed: is in backoff, or errored; of everything when nothing is named
    #[arg(long, conflicts_with = "rolling")]
    pub(super) failed: bool,
    /// Batch by batch: the next when the one before runs and is stable; halts at the first failure
    #[arg(long)]
    pub(super) rolling: bool,
    /// How many may be down at once because of it [default: its max_unavailable]
    #[arg(long, requires = "rolling", value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) max_unavailable: Option<u32>,
    /// How long a new run has to last before the next batch [default: its min_uptime, at most 30s]
    #[arg(long, requires = "rolling", value_name = "DURATION", value_parser = units::duration)]
    pub(super) stable: Option<Duration>,
    #[command(flatten)]
    pub(super) surety: Surety,
    #[command(flatten)]
    pub(super) care: Care,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Rollout {
    #[command(subcommand)]
    pub(super) verb: Option<RolloutVerb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RolloutVerb {
    /// Show how far they are; of everything when nothing is given
    Status(MaybeTargets),
    /// Finish the batch under way and begin no other for now
    Pause(Targets),
    /// Go on
    Resume(Targets),
    /// Finish the batch under way and begin no other: what is new stays new, the rest stays old
    Abort(Targets),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Status {
    #[command(flatten)]
    pub(super) targets: Targets,
    /// Show the value of this variable of the environment, of one process; who saw which is in `adasa activity`
    #[arg(long, value_name = "KEY")]
    pub(super) reveal: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) targets: MaybeTargets,
}

#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that can be typed"
)]
pub(super) struct Logs {
    #[command(flatten)]
    pub(super) targets: MaybeTargets,
    /// Go on with what comes
    #[arg(long, short = 'f')]
    pub(super) follow: bool,
    /// How many lines back [default: 100; with --since or --until: all]
    #[arg(long, short = 'n', value_name = "N", allow_negative_numbers = true)]
    pub(super) lines: Option<usize>,
    /// Only standard error
    #[arg(long, conflicts_with = "stdout")]
    pub(super) stderr: bool,
    /// Only standard output
    #[arg(long)]
    pub(super) stdout: bool,
    /// Only what came since: 10m, or 2026-01-31T08:00
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only what came before: 5m, or 2026-01-31T08:00
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    pub(super) until: Option<String>,
    /// Only lines that match this regular expression; may be given several times, behind a ! it must not match
    #[arg(long, value_name = "PATTERN")]
    pub(super) grep: Vec<String>,
    /// When each line came
    #[arg(long, short = 't')]
    pub(super) timestamps: bool,
    /// Empty the logs instead
    #[arg(long, conflicts_with_all = ["follow", "rotate"])]
    pub(super) clear: bool,
    /// Make archives of them instead
    #[arg(long, conflicts_with = "follow")]
    pub(super) rotate: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ActivityArgs {
    /// Go on with what comes
    #[arg(long, short = 'f')]
    pub(super) follow: bool,
    /// How many entries back, at most 500
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        default_value = "100",
        allow_negative_numbers = true
    )]
    pub(super) lines: usize,
    /// Only what was since: 10m, or 2026-01-31T08:00
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ChangesArgs {
    /// Since when: 10m, or 2026-01-31T08:00
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(super) since: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Reload {
    /// The file
    #[arg(
        value_name = "FILE",
        required_unless_present = "config",
        conflicts_with = "config"
    )]
    pub(super) file: Option<PathBuf>,
    /// The same, said otherwise
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) surety: Surety,
    #[command(flatten)]
    pub(super) guard: Guard,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Up {
    /// The file
    #[arg(default_value = "adasa.toml", value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Leave it in the background, without the dashboard
    #[arg(long, short = 'd')]
    pub(super) detach: bool,
    #[command(flatten)]
    pub(super) surety: Surety,
    #[command(flatten)]
    pub(super) guard: Guard,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Down {
    /// The file
    #[arg(default_value = "adasa.toml", value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) surety: Surety,
    #[command(flatten)]
    pub(super) guard: Guard,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::*;

    fn describe(page: &mut String, command: &Command, path: &str) {
        page.push_str(&format!("\n## `{path}`\n\n"));
        if let Some(about) = command.get_about() {
            page.push_str(&format!("{about}.\n\n"));
        }
        let aliases: Vec<String> = command
            .get_visible_aliases()
            .map(|a| format!("`{a}`"))
            .collect();
        if !aliases.is_empty() {
            page.push_str(&format!("Also: {}.\n\n", aliases.join(", ")));
        }
        let usage = command.clone().bin_name(path).render_usage().to_string();
        page.push_str(&format!("```text\n{}\n```\n", usage.replace("Usage: ", "")));
        let mut rows = String::new();
        for arg in command.get_arguments() {
            if arg.is_global_set() && path != "adasa" || arg.get_id() == "help" {
                continue;
            }
            let name = match (arg.get_short(), arg.get_long()) {
                (Some(short), Some(long)) => format!("`-{short}`, `--{long}`"),
                (None, Some(long)) => format!("`--{long}`"),
                (Some(short), None) => format!("`-{short}`"),
                (None, None) => format!("`{}`", arg.get_id().to_string().to_uppercase()),
            };
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            rows.push_str(&format!("| {name} | {} |\n", help.replace('|', "\\|")));
        }
        if !rows.is_empty() {
            page.push_str(&format!("\n| | |\n| --- | --- |\n{rows}"));
        }
        for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
            describe(page, sub, &format!("{path} {}", sub.get_name()));
        }
    }

    /// `ADASA_BLESS=1` writes the page anew.
    #[test]
    fn the_documented_command_line_is_this() {
        let mut page = String::from(
            "# Command line\n\nWritten from `src/cli/args.rs` by its test (`ADASA_BLESS=1 cargo test the_documented_command_line`). `--help` says the same, `--version` says which.\n\n\
             Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 daemon not reachable, 4 not found, 5 timed out (the daemon goes on).\n\n\
             Selectors: an id, a name, an instance name, `namespace/name`, a pattern with `*` and `?`, `tag:x`, `status:x`, `failed:x` (what of `x` is in `backoff` or `errored`), `all`, or a config file (what it defines).\n",
        );
        describe(&mut page, &Args::command(), "adasa");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
        if std::env::var_os("ADASA_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == page,
            "docs/cli.md is stale: run the tests with ADASA_BLESS=1"
        );
    }

    #[test]
    fn the_grammar_holds_together() {
        Args::command().debug_assert();
    }
}
