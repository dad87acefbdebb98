//! The words of the command line, and what each begins.

use crate::api::{RolloutControl, Verb};
use crate::domain::spec::Stream;
use crate::tui::keymap::{Action, Place};
use crate::tui::model::Model;

/// What a word begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A verb on what is named.
    On(Verb),
    /// Another number of instances of what is named.
    Scale,
    /// A signal, then to what is named.
    Signal,
    /// The definition of what is named, in the editor.
    Edit,
    /// What is done with a rolling restart, then of which process.
    Rollout,
    /// To what is named, then this.
    At(Action),
    /// Why what is named stands where it stands.
    Why,
    /// This, without a name.
    Do(Action),
    /// What the dashboard itself takes.
    Stats,
    /// How what stands for controls in logs looks.
    Controls,
    /// The rest of the line is a filter.
    Filter,
}

/// Words, in the order in which they are suggested.
pub(super) const COMMANDS: [(&str, Kind); 41] = [
    ("start", Kind::On(Verb::Start)),
    ("stop", Kind::On(Verb::Stop)),
    ("restart", Kind::On(Verb::Restart)),
    ("kill", Kind::On(Verb::Kill)),
    ("delete", Kind::On(Verb::Delete)),
    ("rolling-restart", Kind::At(Action::Roll)),
    ("roll", Kind::At(Action::Roll)),
    ("rollout", Kind::Rollout),
    ("scale", Kind::Scale),
    ("signal", Kind::Signal),
    ("edit", Kind::Edit),
    ("undo", Kind::Do(Action::Undo)),
    ("operation", Kind::Do(Action::Operation)),
    ("logs", Kind::At(Action::Logs)),
    ("pin", Kind::At(Action::Pin)),
    ("status", Kind::At(Action::Detail)),
    ("why", Kind::Why),
    ("filter", Kind::Filter),
    ("controls", Kind::Controls),
    ("sort-cpu", Kind::Do(Action::SortCpu)),
    ("sort-memory", Kind::Do(Action::SortMemory)),
    ("sort-name", Kind::Do(Action::SortName)),
    ("sort-status", Kind::Do(Action::SortStatus)),
    ("sort-restarts", Kind::Do(Action::SortRestarts)),
    ("sort-uptime", Kind::Do(Action::SortUptime)),
    ("sort-reverse", Kind::Do(Action::SortReverse)),
    ("tree", Kind::Do(Action::Tree)),
    ("wide", Kind::Do(Action::Wide)),
    ("mark-all", Kind::Do(Action::MarkAll)),
    ("list", Kind::Do(Action::ToTable)),
    ("new", Kind::Do(Action::New)),
    ("messages", Kind::Do(Action::Messages)),
    ("activity", Kind::Do(Action::Activity)),
    ("clients", Kind::Do(Action::Activity)),
    ("daemon-log", Kind::Do(Action::DaemonLog)),
    ("stats", Kind::Stats),
    ("mouse", Kind::Do(Action::Mouse)),
    ("help", Kind::Do(Action::Help)),
    ("redraw", Kind::Do(Action::Redraw)),
    ("suspend", Kind::Do(Action::Suspend)),
    ("quit", Kind::Do(Action::Leave)),
];

/// What can be done with a rolling restart; without a control it is shown.
pub(super) const ROLLOUT: [(&str, Option<RolloutControl>); 4] = [
    ("status", None),
    ("pause", Some(RolloutControl::Pause)),
    ("resume", Some(RolloutControl::Resume)),
    ("abort", Some(RolloutControl::Abort)),
];

pub(super) fn kind_of(word: &str) -> Option<Kind> {
    let found = COMMANDS.iter().find(|(name, _)| *name == word);
    found.map(|(_, kind)| *kind)
}

/// What is done with a rolling restart.
pub(super) fn control_of(word: &str) -> Result<Option<RolloutControl>, String> {
    let found = ROLLOUT.iter().find(|(name, _)| *name == word);
    let unknown = || {
        let near = did_you_mean(word, ROLLOUT.iter().map(|(name, _)| *name));
        format!("rollout knows no {word}{near}")
    };
    found.map(|(_, what)| *what).ok_or_else(unknown)
}

/// The key of what is done with a rolling restart, on its screen.
fn control_action(what: Option<RolloutControl>) -> Action {
    match what {
        None => Action::Roll,
        Some(RolloutControl::Pause) => Action::Pause,
        Some(RolloutControl::Resume) => Action::Continue,
        Some(RolloutControl::Abort) => Action::Abort,
    }
}

/// What stands behind a word and makes it another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Rolling,
    MaxUnavailable,
    Force,
    Failed,
    Only(Stream),
}

/// The flags of a word, as the shell has them.
pub(super) fn flags_of(kind: Kind) -> &'static [(&'static str, Flag)] {
    match kind {
        Kind::On(Verb::Restart) => &[
            ("--rolling", Flag::Rolling),
            ("--failed", Flag::Failed),
            ("--max-unavailable", Flag::MaxUnavailable),
        ],
        Kind::On(Verb::Stop) => &[("--force", Flag::Force)],
        Kind::At(Action::Roll) => &[("--max-unavailable", Flag::MaxUnavailable)],
        Kind::At(Action::Logs) => &[
            ("--stderr", Flag::Only(Stream::Err)),
            ("--stdout", Flag::Only(Stream::Out)),
        ],
        Kind::On(_)
        | Kind::At(_)
        | Kind::Scale
        | Kind::Signal
        | Kind::Edit
        | Kind::Rollout
        | Kind::Why
        | Kind::Do(_)
        | Kind::Stats
        | Kind::Controls
        | Kind::Filter => &[],
    }
}

/// The action of the key that does the same on what is selected.
fn action_of(kind: Kind) -> Option<Action> {
    Some(match kind {
        Kind::On(Verb::Start) => Action::Start,
        Kind::On(Verb::Stop) => Action::Stop,
        Kind::On(Verb::Restart) => Action::Restart,
        Kind::On(Verb::Kill) => Action::Kill,
        Kind::On(Verb::Delete) => Action::Delete,
        Kind::Scale => Action::ScaleUp,
        Kind::Signal => Action::SignalHup,
        Kind::Edit => Action::Edit,
        Kind::At(action) | Kind::Do(action) => action,
        Kind::Filter => Action::Filter,
        Kind::Rollout | Kind::Why | Kind::Stats | Kind::Controls => return None,
    })
}

/// The first key of an action, as it is shown.
fn key_for(model: &Model, places: &[Place], wanted: Action) -> String {
    model
        .keymap
        .lines_at(places)
        .find(|(binding, _)| binding.action == wanted)
        .and_then(|(_, keys)| keys.first())
        .map_or_else(String::new, ToString::to_string)
}

pub(super) fn key_of(model: &Model, kind: Kind) -> String {
    let places = [Place::Processes, Place::Everywhere];
    action_of(kind).map_or_else(String::new, |wanted| key_for(model, &places, wanted))
}

/// The key that does the same on the screen of a rolling restart.
pub(super) fn control_key(model: &Model, what: Option<RolloutControl>) -> String {
    let place = if what.is_some() {
        Place::Rolling
    } else {
        Place::Processes
    };
    key_for(model, &[place], control_action(what))
}

/// The nearest of what there is, for the end of a sentence.
pub(super) fn did_you_mean<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> String {
    let nearest = all
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

pub(super) fn unknown(word: &str) -> String {
    let near = did_you_mean(word, COMMANDS.iter().map(|(name, _)| *name));
    format!("there is no command {word}{near}")
}
