//! What a whole line means: read first, then done.

use std::collections::BTreeSet;

use crate::api::{Count, RolloutControl, Verb};
use crate::domain::exit::Signal;
use crate::domain::names::ProcessKey;
use crate::domain::selector::Selector;
use crate::domain::spec::Stream;
use crate::tui::keymap::Action;
use crate::tui::log::Controls;
use crate::tui::model::{Model, Row, Target};

use super::words::{Flag, Kind, control_of, did_you_mean, flags_of, kind_of, unknown};

/// A line that means something.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order<'a> {
    Verb(Verb, Vec<String>),
    Roll(ProcessKey, Option<u32>),
    Rollout(Option<RolloutControl>, ProcessKey),
    Scale(ProcessKey, Count),
    Signal(Signal, Vec<&'a str>),
    Edit(ProcessKey),
    /// To this, then that.
    At(Target, Action),
    Logs(Target, Option<Stream>),
    Why(Target),
    Do(Action),
    Stats,
    Controls(Controls),
    Filter(String),
}

pub(super) fn selects(selector: &Selector, row: &Row) -> bool {
    selector.matches(&row.view.candidate())
}

/// The rows that words select; each word has to select something, unless it is one that may select nothing.
pub(super) fn rows_of<'m>(model: &'m Model, words: &[&str]) -> Result<Vec<&'m Row>, String> {
    let mut selectors = Vec::new();
    for word in words {
        let selector: Selector = word.parse()?;
        let whole = selector.whole();
        if !selector.may_be_empty() && !model.rows.values().any(|row| selects(whole, row)) {
            let mut names: BTreeSet<String> = model.rows.values().map(Row::name).collect();
            names.extend(model.rows.values().map(|row| row.key().to_string()));
            let near = did_you_mean(word, names.iter().map(String::as_str));
            return Err(format!("nothing is called {word}{near}"));
        }
        selectors.push(selector);
    }
    Ok(model
        .rows
        .values()
        .filter(|row| selectors.iter().any(|selector| selects(selector, row)))
        .collect())
}

/// The same, of which there has to be something.
pub(super) fn some_of<'m>(model: &'m Model, words: &[&str]) -> Result<Vec<&'m Row>, String> {
    let rows = rows_of(model, words)?;
    if rows.is_empty() {
        return Err(format!("{} selects nothing", words.join(" ")));
    }
    Ok(rows)
}

/// The one process that words name.
fn process_of(model: &Model, words: &[&str]) -> Result<ProcessKey, String> {
    let rows = rows_of(model, words)?;
    let mut keys: BTreeSet<ProcessKey> = rows.iter().map(|row| row.key()).collect();
    match (keys.pop_first(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) | (None, _) => Err(format!("{} is not one process", words.join(" "))),
    }
}

/// The one line of the table that words name; of several, the first.
fn target_of(model: &Model, words: &[&str]) -> Result<Target, String> {
    let rows = some_of(model, words)?;
    let first = rows.first().ok_or("nothing is selected")?;
    let whole = first.view.instances > 1 && rows.len() > 1;
    Ok(if whole {
        Target::Process(first.key())
    } else {
        Target::Instance(first.view.id)
    })
}

/// The words without the flags, and the flags.
#[derive(Default)]
struct Split<'a> {
    words: Vec<&'a str>,
    rolling: bool,
    force: bool,
    failed: bool,
    most: Option<u32>,
    only: Option<Stream>,
}

fn split<'a>(word: &str, kind: Kind, rest: &[&'a str]) -> Result<Split<'a>, String> {
    let flags = flags_of(kind);
    let mut it = Split::default();
    let mut rest = rest.iter();
    while let Some(part) = rest.next() {
        if !part.starts_with("--") {
            it.words.push(part);
            continue;
        }
        let (name, joined) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (*part, None),
        };
        let found = flags.iter().find(|(flag, _)| *flag == name);
        let Some((_, flag)) = found else {
            let near = did_you_mean(name, flags.iter().map(|(flag, _)| *flag));
            return Err(format!("{word} has no {name} here{near}"));
        };
        match flag {
            Flag::Rolling => it.rolling = true,
            Flag::Force => it.force = true,
            Flag::Failed => it.failed = true,
            Flag::Only(stream) => it.only = Some(*stream),
            Flag::MaxUnavailable => {
                let value = joined.or_else(|| rest.next().copied());
                let number = value.and_then(|value| value.parse().ok());
                let number = number.filter(|n| (1..=1000).contains(n));
                let number = number.ok_or("--max-unavailable takes a number from 1 to 1000")?;
                it.most = Some(number);
                continue;
            }
        }
        if let Some(value) = joined {
            return Err(format!("{name} takes no {value}"));
        }
    }
    if it.failed && it.rolling {
        return Err("--failed does not go with --rolling".into());
    }
    if it.most.is_some() && kind == Kind::On(Verb::Restart) && !it.rolling {
        return Err("--max-unavailable goes with --rolling".into());
    }
    Ok(it)
}

const WAYS: &str = "controls needs one of show, count, hide";

/// What a line means.
pub(super) fn read<'a>(model: &Model, line: &'a str) -> Result<Order<'a>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((word, rest)) = words.split_first() else {
        return Err("nothing is typed".into());
    };
    // In the shell these are two words.
    if let ("daemon", ["log"]) = (*word, rest) {
        return Ok(Order::Do(Action::DaemonLog));
    }
    let Some(kind) = kind_of(word) else {
        return Err(unknown(word));
    };
    let it = match kind {
        // A filter may have any word.
        Kind::Filter => return Ok(Order::Filter(rest.join(" "))),
        Kind::On(_)
        | Kind::Scale
        | Kind::Signal
        | Kind::Edit
        | Kind::Rollout
        | Kind::At(_)
        | Kind::Why
        | Kind::Do(_)
        | Kind::Stats
        | Kind::Controls => split(word, kind, rest)?,
    };
    let names = it.words.as_slice();
    let named = || {
        if names.is_empty() {
            return Err(format!("{word} needs a name"));
        }
        Ok(())
    };
    Ok(match kind {
        Kind::On(verb) if it.failed => {
            let names = if names.is_empty() { &["all"] } else { names };
            rows_of(model, names)?;
            let failed = names.iter().map(|name| format!("failed:{name}"));
            Order::Verb(verb, failed.collect())
        }
        Kind::On(_) if it.rolling => {
            named()?;
            Order::Roll(process_of(model, names)?, it.most)
        }
        Kind::On(verb) => {
            named()?;
            some_of(model, names)?;
            let verb = if it.force { Verb::Kill } else { verb };
            Order::Verb(verb, names.iter().map(|it| (*it).to_owned()).collect())
        }
        Kind::At(Action::Roll) => {
            named()?;
            Order::Roll(process_of(model, names)?, it.most)
        }
        Kind::Rollout => {
            let Some((what, names)) = names.split_first() else {
                return Err("rollout needs one of status, pause, resume, abort".into());
            };
            let control = control_of(what)?;
            if names.is_empty() {
                return Err(format!("rollout {what} needs a name"));
            }
            Order::Rollout(control, process_of(model, names)?)
        }
        Kind::Scale => {
            let [name, count] = names else {
                return Err("scale needs a name and a number: 4, +1 or -1".into());
            };
            let count = count.parse::<Count>()?;
            let key = process_of(model, &[name])?;
            if rows_of(model, &[name])?.len() != model.members(&key).len() {
                return Err(format!("{name} is not one whole process"));
            }
            Order::Scale(key, count)
        }
        Kind::Signal => match names {
            [signal, names @ ..] if !names.is_empty() => {
                let signal = signal.parse::<Signal>()?;
                some_of(model, names)?;
                Order::Signal(signal, names.to_vec())
            }
            _ => return Err("signal needs a signal and a name".into()),
        },
        Kind::Edit => {
            named()?;
            Order::Edit(process_of(model, names)?)
        }
        Kind::At(Action::Logs) => {
            named()?;
            Order::Logs(target_of(model, names)?, it.only)
        }
        Kind::At(action) => {
            named()?;
            Order::At(target_of(model, names)?, action)
        }
        Kind::Why => {
            named()?;
            Order::Why(target_of(model, names)?)
        }
        Kind::Do(_) | Kind::Stats if !names.is_empty() => {
            return Err(format!("{word} takes no more words"));
        }
        Kind::Do(action) => Order::Do(action),
        Kind::Stats => Order::Stats,
        Kind::Controls => match names {
            [way] => Order::Controls(way.parse().map_err(|_| WAYS)?),
            _ => return Err(WAYS.into()),
        },
        Kind::Filter => Order::Filter(rest.join(" ")),
    })
}
