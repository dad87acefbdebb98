//! Verbs on what is selected: questions in proportion to what they would do, and what follows a yes.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::{Act, OperationView, Progress, Verb};
use crate::domain::names::InstanceId;

use super::model::{Ask, Mode, Model, Target, Tier};
use super::msg::Cmd;
use super::update::is_control;

/// A question takes no `y` before it has been seen this long.
const SEEN: Duration = Duration::from_millis(150);

pub(super) fn answered(
    model: &mut Model,
    ids: &[InstanceId],
    result: Result<OperationView, String>,
) {
    let clear = |model: &mut Model| {
        for id in ids {
            if let Some(row) = model.rows.get_mut(id) {
                row.requested = None;
            }
        }
    };
    match result {
        Err(why) => {
            clear(model);
            model.toast(why, true);
        }
        Ok(view) if view.done => {
            clear(model);
            for target in &view.targets {
                if let Progress::Failed { reason } = &target.progress {
                    model.toast(
                        format!("{} of {} failed: {reason}", view.verb.word(), target.name),
                        true,
                    );
                }
            }
        }
        Ok(_) => {}
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "everything but yes is no")]
pub(super) fn ask_key(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    let Mode::Ask(ask) = &mut model.mode else {
        return;
    };
    let seen = ask
        .shown
        .is_some_and(|shown| model.now.saturating_sub(shown) >= SEEN);
    let sure = match ask.tier {
        Tier::Footer | Tier::Box => match key.code {
            KeyCode::Char('y') => {
                // Typed before it could be read: neither yes nor no.
                if !seen {
                    return;
                }
                true
            }
            KeyCode::Enter => return,
            _ => false,
        },
        Tier::Name => match key.code {
            KeyCode::Esc => false,
            KeyCode::Char('c') if is_control(&key, 'c') => false,
            KeyCode::Enter if ask.typed == ask.name => true,
            KeyCode::Backspace => {
                ask.typed.pop();
                return;
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
                if ask.typed.chars().count() < 80 {
                    ask.typed.push(c);
                }
                return;
            }
            _ => return,
        },
    };
    let ask = ask.clone();
    model.mode = Mode::Browse;
    if sure {
        call(model, &ask, commands);
    }
}

pub(super) fn call(model: &mut Model, ask: &Ask, commands: &mut Vec<Cmd>) {
    let Ok(selector) = ask.select.parse() else {
        return;
    };
    for (id, _) in &ask.targets {
        if let Some(row) = model.rows.get_mut(id) {
            row.requested = Some(ask.verb);
        }
    }
    let only_run = match ask.targets.as_slice() {
        [(_, run)] => Some(*run),
        _ => None,
    };
    commands.push(Cmd::Call {
        act: Act {
            operation: crate::client::operation_id(),
            verb: ask.verb,
            select: vec![selector],
            only_run,
        },
        ids: ask.targets.iter().map(|(id, _)| *id).collect(),
    });
}

/// Begins a verb on what is selected: asks in proportion to what it would do.
pub(super) fn verb(model: &mut Model, verb: Verb, commands: &mut Vec<Cmd>) {
    if !model.is_live() {
        model.toast(
            "not connected: actions are off until the daemon is back",
            true,
        );
        return;
    }
    let Some((select, name)) = model.scope() else {
        return;
    };
    let targets: Vec<_> = match &model.selected {
        Some(Target::Process(key)) => model
            .members(key)
            .iter()
            .map(|r| (r.view.id, r.view.run))
            .collect(),
        Some(Target::Instance(id)) => model
            .rows
            .get(id)
            .map(|r| (*id, r.view.run))
            .into_iter()
            .collect(),
        None => return,
    };
    let tier = match verb {
        Verb::Delete => Tier::Name,
        Verb::Kill => Tier::Box,
        Verb::Start | Verb::Stop | Verb::Restart if targets.len() > 1 => Tier::Box,
        Verb::Start | Verb::Stop | Verb::Restart => Tier::Footer,
    };
    let ask = Ask {
        tier,
        verb,
        name,
        select,
        targets,
        typed: String::new(),
        shown: None,
        asked: model.now,
    };
    if verb == Verb::Start {
        call(model, &ask, commands);
    } else {
        model.mode = Mode::Ask(ask);
    }
}
