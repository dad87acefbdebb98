//! The command line of the dashboard: the grammar of the shell's, so that what is learnt here works in scripts.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::{Count, Intent, Sending, Verb, Whom};
use crate::domain::exit::Signal;
use crate::domain::names::ProcessKey;
use crate::domain::selector::{Candidate, Selector};

use super::act::act;
use super::keymap::{Action, Place};
use super::model::{Mode, Model, Row, Target};
use super::msg::Cmd;
use super::update::is_control;
use super::verbs;

/// What is typed, and which suggestion is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Palette {
    pub(super) text: String,
    pub(super) choice: usize,
    /// Why it was not done.
    pub(super) error: Option<String>,
}

/// What a word begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A verb on what is named.
    On(Verb),
    /// Another number of instances of what is named.
    Scale,
    /// A signal, then to what is named.
    Signal,
    /// The definition of what is named, in the editor.
    Edit,
    /// To what is named, then this.
    At(Action),
    /// This, without a name.
    Do(Action),
    /// The rest of the line is a filter.
    Filter,
}

/// Words, in the order in which they are suggested.
const COMMANDS: [(&str, Kind); 28] = [
    ("start", Kind::On(Verb::Start)),
    ("stop", Kind::On(Verb::Stop)),
    ("restart", Kind::On(Verb::Restart)),
    ("kill", Kind::On(Verb::Kill)),
    ("delete", Kind::On(Verb::Delete)),
    ("roll", Kind::At(Action::Roll)),
    ("scale", Kind::Scale),
    ("signal", Kind::Signal),
    ("edit", Kind::Edit),
    ("undo", Kind::Do(Action::Undo)),
    ("logs", Kind::At(Action::Logs)),
    ("status", Kind::At(Action::Detail)),
    ("filter", Kind::Filter),
    ("sort-cpu", Kind::Do(Action::SortCpu)),
    ("sort-memory", Kind::Do(Action::SortMemory)),
    ("sort-name", Kind::Do(Action::SortName)),
    ("sort-status", Kind::Do(Action::SortStatus)),
    ("sort-restarts", Kind::Do(Action::SortRestarts)),
    ("sort-uptime", Kind::Do(Action::SortUptime)),
    ("tree", Kind::Do(Action::Tree)),
    ("mark-all", Kind::Do(Action::MarkAll)),
    ("new", Kind::Do(Action::New)),
    ("messages", Kind::Do(Action::Messages)),
    ("activity", Kind::Do(Action::Activity)),
    ("daemon-log", Kind::Do(Action::DaemonLog)),
    ("help", Kind::Do(Action::Help)),
    ("redraw", Kind::Do(Action::Redraw)),
    ("quit", Kind::Do(Action::Leave)),
];

/// One line below what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// The whole command.
    pub(super) command: String,
    /// The key that does the same on what is selected.
    pub(super) key: String,
    pub(super) note: String,
}

impl Suggestion {
    /// The same in the shell, if there is such a command.
    pub(super) fn twin(&self) -> Option<String> {
        let (word, rest) = self.command.split_once(' ')?;
        match kind_of(word)? {
            Kind::On(verb) => Some(Intent::Do(verb).twin(rest)),
            Kind::At(Action::Roll) => {
                let max_unavailable = None;
                Some(Intent::Roll { max_unavailable }.twin(rest))
            }
            Kind::At(_) | Kind::Scale | Kind::Signal | Kind::Edit => {
                Some(format!("adasa {word} {rest}"))
            }
            Kind::Do(_) | Kind::Filter => None,
        }
    }
}

fn kind_of(word: &str) -> Option<Kind> {
    COMMANDS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, kind)| *kind)
}

fn action_of(kind: Kind) -> Action {
    match kind {
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
    }
}

fn key_of(model: &Model, kind: Kind) -> String {
    let wanted = action_of(kind);
    model
        .keymap
        .lines_at(&[Place::Processes, Place::Everywhere])
        .find(|(binding, _)| binding.action == wanted)
        .and_then(|(_, keys)| keys.first())
        .map_or_else(String::new, ToString::to_string)
}

fn selects(selector: &Selector, row: &Row) -> bool {
    selector.matches(&Candidate {
        id: row.view.id,
        namespace: &row.view.namespace,
        process: &row.view.process,
        label: &row.view.name,
        tags: &row.view.tags,
        status: row.view.status,
    })
}

/// The rows that words select; each word has to select something, unless it is one that may select nothing.
fn rows_of<'m>(model: &'m Model, words: &[&str]) -> Result<Vec<&'m Row>, String> {
    let mut selectors = Vec::new();
    for word in words {
        let selector: Selector = word.parse()?;
        if !selector.may_be_empty() && !model.rows.values().any(|row| selects(&selector, row)) {
            return Err(format!("nothing is called {word}"));
        }
        selectors.push(selector);
    }
    Ok(model
        .rows
        .values()
        .filter(|row| selectors.iter().any(|selector| selects(selector, row)))
        .collect())
}

fn named(key: &ProcessKey) -> String {
    key.to_string()
}

/// What may be meant, the best first.
pub(super) fn suggestions(model: &Model, palette: &Palette) -> Vec<Suggestion> {
    let text = palette.text.trim_start();
    let (word, rest) = match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, Some(rest.trim_start())),
        None => (text, None),
    };
    match (rest, kind_of(word)) {
        (Some(rest), Some(kind @ (Kind::On(_) | Kind::At(_) | Kind::Edit))) => {
            names(model, word, kind, rest)
        }
        (Some(rest), Some(Kind::Scale)) if !rest.contains(' ') => {
            names(model, word, Kind::Scale, rest)
        }
        (Some(rest), Some(Kind::Signal)) => match rest.contains(' ') {
            true => names(model, word, Kind::Signal, rest),
            false => signals(model, rest),
        },
        (Some(_), _) => vec![],
        (None, _) => COMMANDS
            .iter()
            .filter(|(name, _)| name.starts_with(word))
            .chain(
                COMMANDS
                    .iter()
                    .filter(|(name, _)| !name.starts_with(word) && name.contains(word)),
            )
            .map(|(name, kind)| {
                let scope = match kind {
                    Kind::On(_) | Kind::At(_) | Kind::Edit => model.scope().map(|(_, name)| name),
                    Kind::Scale | Kind::Signal | Kind::Do(_) | Kind::Filter => None,
                };
                Suggestion {
                    command: match scope {
                        Some(scope) => format!("{name} {scope}"),
                        None => (*name).to_owned(),
                    },
                    key: key_of(model, *kind),
                    note: String::new(),
                }
            })
            .collect(),
    }
}

/// Signals whose name continues the word, for what is selected.
fn signals(model: &Model, part: &str) -> Vec<Suggestion> {
    let part = part.to_ascii_uppercase();
    let scope = model.scope().map(|(_, name)| name).unwrap_or_default();
    let bare = part.strip_prefix("SIG").unwrap_or(&part);
    Signal::names()
        .filter(|name| name.starts_with(bare))
        .map(|name| Suggestion {
            command: format!("signal {name} {scope}"),
            key: String::new(),
            note: String::new(),
        })
        .collect()
}

/// Processes and instances whose name continues the last word.
fn names(model: &Model, word: &str, kind: Kind, rest: &str) -> Vec<Suggestion> {
    let (before, part) = match rest.rsplit_once(char::is_whitespace) {
        Some((before, part)) => (format!("{before} "), part),
        None => (String::new(), rest),
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, note: String| {
        if name.contains(part) && found.iter().all(|(it, _)| *it != name) {
            found.push((name, note));
        }
    };
    for target in model.lines() {
        match target {
            Target::Process(key) => {
                let count = model.members(key).len();
                add(named(key), format!("{count} instances"));
            }
            Target::Instance(id) => {
                // Another number of instances is of a whole process.
                let alone = |row: &&Row| kind != Kind::Scale || row.view.instances == 1;
                if let Some(row) = model.rows.get(id).filter(alone) {
                    add(row.name(), row.view.status.to_string());
                }
            }
        }
    }
    if let Kind::On(_) = kind {
        for status in crate::api::Status::ALL {
            let count = model
                .rows
                .values()
                .filter(|r| r.view.status == status)
                .count();
            if count > 0 && !part.is_empty() {
                add(format!("status:{status}"), format!("{count} instances"));
            }
        }
        if !part.is_empty() {
            add("all".into(), format!("{} instances", model.rows.len()));
        }
    }
    found.sort_by_key(|(name, _)| !name.starts_with(part));
    let key = key_of(model, kind);
    found
        .into_iter()
        .map(|(name, note)| Suggestion {
            command: format!("{word} {before}{name}"),
            key: key.clone(),
            note,
        })
        .collect()
}

/// A key while the line is open.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a prompt takes text and few keys"
)]
pub(super) fn key(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    let Mode::Palette(palette) = &model.mode else {
        return;
    };
    let mut it = palette.clone();
    let list = suggestions(model, &it);
    let typed = |it: &mut Palette| {
        it.choice = 0;
        it.error = None;
    };
    match key.code {
        KeyCode::Esc => return model.mode = Mode::Browse,
        KeyCode::Char('c') if is_control(&key, 'c') => return model.mode = Mode::Browse,
        KeyCode::Char('u') if is_control(&key, 'u') => {
            it.text.clear();
            typed(&mut it);
        }
        KeyCode::Backspace => {
            if it.text.pop().is_none() {
                return model.mode = Mode::Browse;
            }
            typed(&mut it);
        }
        KeyCode::Down => it.choice = (it.choice + 1).min(list.len().saturating_sub(1)),
        KeyCode::Up => it.choice = it.choice.saturating_sub(1),
        KeyCode::Tab => {
            if let Some(suggestion) = list.get(it.choice) {
                it.text.clone_from(&suggestion.command);
                it.text.push(' ');
                typed(&mut it);
            }
        }
        KeyCode::Enter => return enter(model, it, &list, commands),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            if it.text.chars().count() < 200 {
                it.text.push(c);
            }
            typed(&mut it);
        }
        _ => {}
    }
    model.mode = Mode::Palette(it);
}

/// Does what is typed, if it is whole; else what is chosen.
fn enter(model: &mut Model, mut it: Palette, list: &[Suggestion], commands: &mut Vec<Cmd>) {
    let whole = it.text.trim().to_owned();
    let line = match list.get(it.choice) {
        Some(chosen) if it.choice > 0 || perform_check(model, &whole).is_err() => {
            chosen.command.clone()
        }
        Some(_) | None => whole,
    };
    if line.is_empty() {
        model.mode = Mode::Browse;
        return;
    }
    model.mode = Mode::Browse;
    if let Err(why) = perform(model, &line, commands) {
        it.error = Some(why);
        model.mode = Mode::Palette(it);
    }
}

/// Whether a line means something.
fn perform_check(model: &Model, line: &str) -> Result<(), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((word, rest)) = words.split_first() else {
        return Err("nothing is typed".into());
    };
    match (kind_of(word), rest) {
        (None, _) => Err(unknown(word)),
        (Some(Kind::On(_) | Kind::At(_) | Kind::Edit), []) => Err(format!("{word} needs a name")),
        (Some(Kind::On(_) | Kind::At(_) | Kind::Edit), names) => rows_of(model, names).map(drop),
        (Some(Kind::Scale), [name, count]) => {
            count.parse::<Count>()?;
            rows_of(model, &[name]).map(drop)
        }
        (Some(Kind::Scale), _) => Err("scale needs a name and a number: 4, +1 or -1".into()),
        (Some(Kind::Signal), [signal, names @ ..]) if !names.is_empty() => {
            signal.parse::<Signal>()?;
            rows_of(model, names).map(drop)
        }
        (Some(Kind::Signal), _) => Err("signal needs a signal and a name".into()),
        (Some(Kind::Do(_)), []) | (Some(Kind::Filter), _) => Ok(()),
        (Some(Kind::Do(_)), _) => Err(format!("{word} takes no more words")),
    }
}

fn unknown(word: &str) -> String {
    let nearest = COMMANDS
        .iter()
        .map(|(name, _)| (strsim::jaro_winkler(word, name), *name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, name)) => format!("there is no command {word}; did you mean {name}?"),
        None => format!("there is no command {word}"),
    }
}

fn perform(model: &mut Model, line: &str, commands: &mut Vec<Cmd>) -> Result<(), String> {
    perform_check(model, line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((word, rest)) = words.split_first() else {
        return Ok(());
    };
    match kind_of(word) {
        Some(Kind::On(verb)) => {
            let rows = rows_of(model, rest)?;
            if rows.is_empty() {
                return Err(format!("{} selects nothing", rest.join(" ")));
            }
            let targets = rows.iter().map(|row| (row.view.id, row.view.run)).collect();
            let select = rest.iter().map(|word| (*word).to_owned()).collect();
            super::pose::ask(
                model,
                Intent::Do(verb),
                targets,
                rest.join(" "),
                select,
                commands,
            );
        }
        Some(Kind::Scale) => {
            let [name, count] = rest else {
                return Ok(());
            };
            let rows = rows_of(model, &[name])?;
            let keys: BTreeSet<ProcessKey> = rows.iter().map(|row| row.key()).collect();
            let count = count.parse()?;
            let whole = keys.first().map_or(0, |key| model.members(key).len());
            match keys.first() {
                Some(key) if keys.len() == 1 && rows.len() == whole => {
                    verbs::scale(model, &key.clone(), count, commands);
                }
                Some(_) | None => return Err(format!("{name} is not one whole process")),
            }
        }
        Some(Kind::Signal) => {
            let Some((signal, names)) = rest.split_first() else {
                return Ok(());
            };
            let signal = signal.parse()?;
            let rows = rows_of(model, names)?;
            let targets: Vec<_> = rows.iter().map(|row| (row.view.id, row.view.run)).collect();
            if targets.is_empty() {
                return Err(format!("{} selects nothing", names.join(" ")));
            }
            let what = Intent::Send(Sending {
                signal,
                whom: Whom::Main,
            });
            let select = names.iter().map(|word| (*word).to_owned()).collect();
            super::pose::ask(model, what, targets, names.join(" "), select, commands);
        }
        Some(Kind::Edit) => {
            let rows = rows_of(model, rest)?;
            let keys: BTreeSet<ProcessKey> = rows.iter().map(|row| row.key()).collect();
            if keys.len() != 1 {
                return Err(format!("{} is not one process", rest.join(" ")));
            }
            verbs::edit(model, keys.into_iter().next(), commands);
        }
        Some(Kind::At(action)) => {
            let rows = rows_of(model, rest)?;
            let target = rows.first().map(|row| {
                let whole = row.view.instances > 1 && rows.len() > 1;
                if whole {
                    Target::Process(row.key())
                } else {
                    Target::Instance(row.view.id)
                }
            });
            if let Some(target) = target {
                if let Target::Instance(id) = &target
                    && let Some(row) = model.rows.get(id)
                {
                    let key = row.key();
                    model.folded.remove(&key);
                }
                model.selected = Some(target);
                model.keep_selection();
                act(model, action, commands);
            }
        }
        Some(Kind::Do(action)) => act(model, action, commands),
        Some(Kind::Filter) => {
            model.filter.set(rest.join(" "));
            model.keep_selection();
        }
        None => {}
    }
    Ok(())
}
