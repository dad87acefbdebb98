//! What may be meant by a line that is not whole yet.

use strum::VariantNames as _;

use crate::api::{Intent, Status, Verb};
use crate::domain::exit::Signal;
use crate::tui::keymap::Action;
use crate::tui::log::Controls;
use crate::tui::model::{Model, Row, Target};
use crate::tui::screens::rolling::under_way;

use super::Palette;
use super::line::{Order, read};
use super::words::{COMMANDS, Kind, ROLLOUT, control_key, control_of, flags_of, key_of, kind_of};

/// One line below what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Suggestion {
    /// The whole command.
    pub(in crate::tui) command: String,
    /// The key that does the same on what is selected.
    pub(in crate::tui) key: String,
    pub(in crate::tui) note: String,
}

/// The same in the shell, if there is such a command.
pub(in crate::tui) fn twin(model: &Model, line: &str) -> Option<String> {
    let (word, rest) = line.split_once(' ')?;
    match read(model, line) {
        Ok(Order::Verb(verb, names)) => Some(Intent::Do(verb).twin(&names.join(" "))),
        Ok(Order::Roll(key, max_unavailable)) => {
            Some(Intent::Roll { max_unavailable }.twin(&key.to_string()))
        }
        Ok(
            Order::Rollout(..)
            | Order::Scale(..)
            | Order::Signal(..)
            | Order::Edit(_)
            | Order::Logs(..)
            | Order::Why(_)
            | Order::At(_, Action::Detail),
        ) => Some(format!("adasa {word} {rest}")),
        Ok(Order::At(..) | Order::Do(_) | Order::Stats | Order::Controls(_) | Order::Filter(_))
        | Err(_) => None,
    }
}

/// What may be meant, the best first.
pub(in crate::tui) fn suggestions(model: &Model, palette: &Palette) -> Vec<Suggestion> {
    let text = palette.text.trim_start();
    let (word, rest) = match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, Some(rest.trim_start())),
        None => (text, None),
    };
    let several = rest.is_some_and(|rest| rest.contains(' '));
    match (rest, kind_of(word)) {
        (None, _) => commands(model, word),
        (Some(rest), Some(kind @ (Kind::On(_) | Kind::At(_) | Kind::Edit | Kind::Why))) => {
            names(model, word, kind, rest)
        }
        (Some(rest), Some(Kind::Scale)) if !several => names(model, word, Kind::Scale, rest),
        (Some(rest), Some(Kind::Signal)) if several => names(model, word, Kind::Signal, rest),
        (Some(rest), Some(Kind::Signal)) => signals(model, rest),
        (Some(rest), Some(Kind::Rollout)) if several => rolled(model, rest),
        (Some(rest), Some(Kind::Rollout)) => controls(model, rest),
        (Some(rest), Some(Kind::Controls)) => ways(rest),
        (Some(_), Some(Kind::Scale | Kind::Do(_) | Kind::Stats | Kind::Filter) | None) => vec![],
    }
}

/// Words that begin so, then those that have it inside.
fn commands(model: &Model, word: &str) -> Vec<Suggestion> {
    let begun = |name: &str| name.starts_with(word);
    let first = COMMANDS.iter().filter(|(name, _)| begun(name));
    let then = COMMANDS
        .iter()
        .filter(|(name, _)| !begun(name) && name.contains(word));
    let all = first.chain(then).map(|(name, kind)| {
        let scope = match kind {
            Kind::On(_) | Kind::At(_) | Kind::Edit | Kind::Why => {
                model.scope().map(|(_, name)| name)
            }
            Kind::Scale
            | Kind::Signal
            | Kind::Rollout
            | Kind::Do(_)
            | Kind::Stats
            | Kind::Controls
            | Kind::Filter => None,
        };
        Suggestion {
            command: match scope {
                Some(scope) => format!("{name} {scope}"),
                None => (*name).to_owned(),
            },
            key: key_of(model, *kind),
            note: String::new(),
        }
    });
    all.collect()
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

/// Ways to show controls that continue the word.
fn ways(part: &str) -> Vec<Suggestion> {
    let all = Controls::VARIANTS
        .iter()
        .filter(|way| way.starts_with(part));
    let all = all.map(|way| Suggestion {
        command: format!("controls {way}"),
        key: String::new(),
        note: String::new(),
    });
    all.collect()
}

/// What can be done with rolling restarts.
fn controls(model: &Model, part: &str) -> Vec<Suggestion> {
    let all = ROLLOUT.iter().filter(|(name, _)| name.starts_with(part));
    let rolling = under_way(model);
    let all = all.map(|(name, what)| Suggestion {
        command: match rolling.as_slice() {
            // There is only one.
            [one] => format!("rollout {name} {}", one.process),
            _ => format!("rollout {name}"),
        },
        key: control_key(model, *what),
        note: String::new(),
    });
    all.collect()
}

/// The rolling restarts that are under way.
fn rolled(model: &Model, rest: &str) -> Vec<Suggestion> {
    let Some((what, part)) = rest.split_once(' ') else {
        return vec![];
    };
    let Ok(control) = control_of(what) else {
        return vec![];
    };
    let rolling = under_way(model).into_iter();
    let all = rolling
        .filter(|it| it.process.contains(part.trim()))
        .map(|it| Suggestion {
            command: format!("rollout {what} {}", it.process),
            key: control_key(model, control),
            note: it.state.word().to_owned(),
        });
    all.collect()
}

/// What a line of so many instances would do, in a word.
fn note(kind: Kind, count: usize) -> String {
    match kind {
        Kind::At(Action::Roll) => format!("{count} in batches"),
        Kind::On(Verb::Restart) if count > 1 => format!("{count}, all at once"),
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
        | Kind::Filter => format!("{count} instance{}", if count == 1 { "" } else { "s" }),
    }
}

/// Processes and instances whose name continues the last word; flags, when one is begun.
fn names(model: &Model, word: &str, kind: Kind, rest: &str) -> Vec<Suggestion> {
    let (before, part) = match rest.rsplit_once(char::is_whitespace) {
        Some((before, part)) => (format!("{before} "), part),
        None => (String::new(), rest),
    };
    // A flag makes it another verb.
    let kind = match kind {
        Kind::On(Verb::Restart) if before.contains("--rolling ") => Kind::At(Action::Roll),
        Kind::On(Verb::Stop) if before.contains("--force ") => Kind::On(Verb::Kill),
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
        | Kind::Filter => kind,
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, note: String| {
        if name.contains(part) && found.iter().all(|(it, _)| *it != name) {
            found.push((name, note));
        }
    };
    if part.starts_with('-') {
        let flags = flags_of(kind)
            .iter()
            .filter(|(flag, _)| !before.contains(flag));
        flags.for_each(|(flag, _)| add((*flag).to_owned(), String::new()));
    }
    for target in model.lines() {
        match target {
            Target::Process(key) => {
                let count = model.members(key).len();
                add(key.to_string(), note(kind, count));
            }
            Target::Instance(id) => {
                // What is of a whole process is not of one of its instances.
                let whole = matches!(kind, Kind::Scale | Kind::Edit | Kind::At(Action::Roll));
                let alone = |row: &&Row| !whole || row.view.instances == 1;
                if let Some(row) = model.rows.get(id).filter(alone) {
                    add(row.name(), row.view.status.to_string());
                }
            }
        }
    }
    if let Kind::On(_) = kind {
        for status in Status::ALL {
            let all = model.rows.values();
            let count = all.filter(|row| row.view.status == status).count();
            if count > 0 {
                add(format!("status:{status}"), note(kind, count));
            }
        }
        if !part.is_empty() {
            add("all".into(), note(kind, model.rows.len()));
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
