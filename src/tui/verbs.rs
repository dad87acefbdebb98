//! Verbs on what is selected: questions in proportion to what they would do, and what follows a yes.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::{
    Act, Count, Intent, OperationView, Progress, Scale, SendSignal, Sending, Verb, Whom,
};
use crate::domain::exit::Signal;
use crate::domain::names::{InstanceId, ProcessKey, RunId};
use crate::domain::selector::Selector;

use super::asked::Asked;
use super::model::{Ask, Mode, Model, Row, Target, Tier};
use super::msg::Cmd;
use super::pose::{ask, pose};
use super::screens::{self, Screen};
use super::update::is_control;

/// A question takes no `y` before it has been seen this long.
const SEEN: Duration = Duration::from_millis(150);

/// Why the daemon did not take something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// The target has been started again since the question was asked.
    pub(super) stale: bool,
}

/// Asks the same of the run that is there now. Nothing is sent before that is answered.
fn ask_again(model: &mut Model, ids: &[InstanceId]) -> bool {
    let Some(mut ask) = model.last_ask.take() else {
        return false;
    };
    let same = ask.targets.iter().map(|(id, _)| id).eq(ids.iter());
    if !same || model.mode != Mode::Browse || ask.what == Intent::Do(Verb::Start) {
        return false;
    }
    for (id, run) in &mut ask.targets {
        match model.rows.get(id) {
            Some(row) => *run = row.view.run,
            None => return false,
        }
    }
    if let Intent::Scale { .. } = ask.what {
        // From another number it is another question.
        model.toast(format!("{} has another number by now", ask.name), true);
        return true;
    }
    let text = format!(
        "{} was started again since you looked: asked anew",
        ask.name
    );
    model.toast(text, true);
    ask.shown = None;
    ask.typed = String::new();
    ask.asked = model.now;
    model.mode = Mode::Ask(Box::new(ask));
    true
}

pub(super) fn answered(
    model: &mut Model,
    ids: &[InstanceId],
    result: Result<OperationView, Refusal>,
) {
    let clear = |model: &mut Model| {
        for id in ids {
            if let Some(row) = model.rows.get_mut(id) {
                row.requested = None;
            }
        }
    };
    if let Ok(view) = &result {
        screens::bulk::told(model, view);
        screens::rolling::told(model, view);
    }
    match result {
        Err(refusal) => {
            screens::bulk::refused(model, ids, &refusal.why);
            screens::rolling::refused(model, &refusal.why);
            clear(model);
            if !(refusal.stale && ask_again(model, ids)) {
                model.toast(refusal.why, true);
            }
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

/// What became of taking back.
pub(super) fn undone(model: &mut Model, result: Result<OperationView, String>) {
    match result {
        Err(why) => model.toast(why, true),
        Ok(view) => {
            let names: Vec<&str> = view.targets.iter().map(|t| t.name.as_str()).collect();
            model.toast(format!("taken back: {}", names.join(" ")), false);
            answered(model, &[], Ok(view));
        }
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
            KeyCode::Enter if ask.typed == ask.word => true,
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
    let select: Result<Vec<_>, _> = ask.select.iter().map(|word| word.parse()).collect();
    let Ok(select) = select else {
        return;
    };
    let ids: Vec<InstanceId> = ask.targets.iter().map(|(id, _)| *id).collect();
    let requested = match ask.what {
        Intent::Do(verb) => Some(verb),
        Intent::Roll { .. } | Intent::Scale { .. } | Intent::Send(_) => None,
    };
    for id in &ids {
        if let Some(row) = model.rows.get_mut(id) {
            row.requested = requested;
            row.requested_at = model.now;
        }
    }
    let force_protected = ask.protected && ask.tier == Tier::Name;
    let only_run = match ask.targets.as_slice() {
        [(_, run)] => Some(*run),
        _ => None,
    };
    model.last_ask = Some(ask.clone());
    let operation = crate::client::operation_id();
    let of_one = matches!(model.screens.last(), Some(Screen::Detail(_)));
    let marked = !model.marks.is_empty() && !of_one;
    match ask.what {
        Intent::Do(verb) => {
            let asked = Asked::of(model, ask, verb, operation.clone());
            if marked {
                screens::bulk::open(model, asked.clone());
                model.marks.clear();
            }
            model.asked.add(asked);
            commands.push(Cmd::Call {
                act: Act {
                    operation,
                    verb,
                    select,
                    only_run,
                    rolling: None,
                    durable: false,
                    force_protected,
                },
                ids,
            });
        }
        Intent::Roll { .. } => screens::rolling::begin(model, force_protected, commands),
        Intent::Scale { to } => {
            let Some(select) = select.into_iter().next() else {
                return;
            };
            commands.push(Cmd::Scale {
                wish: Scale {
                    operation,
                    select,
                    to,
                    only_from: Some(ask.from),
                    durable: false,
                    force_protected,
                },
                ids,
            });
        }
        Intent::Send(send) => {
            if marked {
                model.marks.clear();
            }
            commands.push(Cmd::Signal {
                wish: SendSignal {
                    operation,
                    send,
                    select,
                    only_run,
                    force_protected,
                },
                ids,
            });
        }
    }
}

/// The process of what is selected, or of the instance that is shown.
pub(super) fn process(model: &Model) -> Option<ProcessKey> {
    if let Some(Screen::Detail(it)) = model.screens.last() {
        return model.rows.get(&it.id).map(Row::key);
    }
    match model.selected.as_ref()? {
        Target::Process(key) => Some(key.clone()),
        Target::Instance(id) => model.rows.get(id).map(Row::key),
    }
}

/// Has a definition edited. The command that does it shows the difference and asks.
pub(super) fn edit(model: &mut Model, key: Option<ProcessKey>, commands: &mut Vec<Cmd>) {
    if is_refused(model) {
        return;
    }
    match key {
        Some(key) => commands.push(Cmd::Edit {
            name: key.to_string(),
        }),
        // Where nothing runs yet there is a file to write.
        None if model.rows.is_empty() => commands.push(Cmd::Init),
        None => model.toast("nothing is selected", false),
    }
}

/// Asks whether a process is to have another number of instances.
pub(super) fn scale(model: &mut Model, key: &ProcessKey, count: Count, commands: &mut Vec<Cmd>) {
    if is_refused(model) {
        return;
    }
    let members = model.members(key);
    let Some(first) = members.first() else {
        return;
    };
    let from = first.view.instances;
    let targets = members.iter().map(|row| (row.view.id, row.view.run));
    let targets: Vec<_> = targets.collect();
    let to = match count.of(from) {
        Ok(to) if to == from => {
            model.toast(format!("{key} has {from} already"), false);
            return;
        }
        Ok(to) => to,
        Err(why) => {
            model.toast(why, true);
            return;
        }
    };
    let select = Selector::Name {
        namespace: Some(key.namespace.to_string()),
        name: key.name.to_string(),
    };
    let tier = if from.abs_diff(to) == 1 {
        Tier::Footer
    } else {
        Tier::Box
    };
    let what = Intent::Scale { to: Count::To(to) };
    let mut ask = Ask::new(what, key.to_string(), vec![select.to_string()], targets);
    ask.word = key.to_string();
    ask.from = from;
    pose(model, ask, tier, commands);
}

/// Asks whether the marks, what is selected or what is shown are to get a signal.
pub(super) fn signal(model: &mut Model, signal: Signal, commands: &mut Vec<Cmd>) {
    let send = Intent::Send(Sending {
        signal,
        whom: Whom::Main,
    });
    if let Some(Screen::Detail(it)) = model.screens.last() {
        let Some(row) = model.rows.get(&it.id) else {
            return;
        };
        let (id, run, name) = (row.view.id, row.view.run, row.name());
        ask(
            model,
            send,
            vec![(id, run)],
            name,
            vec![id.to_string()],
            commands,
        );
        return;
    }
    // Those that have a process.
    let targets: Vec<_> = model
        .chosen()
        .into_iter()
        .filter(|(id, _)| model.rows.get(id).is_some_and(|row| row.view.pid.is_some()))
        .collect();
    if targets.is_empty() {
        model.toast("nothing of that runs: no signal would be heard", false);
        return;
    }
    let select = targets.iter().map(|(id, _)| id.to_string()).collect();
    let name = name_of(model, &targets);
    ask(model, send, targets, name, select, commands);
}

/// What the targets are called together.
fn name_of(model: &Model, targets: &[(InstanceId, RunId)]) -> String {
    match (model.marks.is_empty(), model.scope(), targets) {
        (true, Some((_, name)), _) => name,
        (_, _, [(id, _)]) => model.rows.get(id).map_or_else(String::new, Row::name),
        (_, _, several) => format!("{} marked", several.len()),
    }
}

/// What the API is told to select. A question is about the instances that were seen, and not about those that come
/// meanwhile; only a definition is deleted as a whole.
fn select(model: &Model, verb: Verb, targets: &[(InstanceId, RunId)]) -> Vec<String> {
    if verb == Verb::Delete && model.marks.is_empty() {
        return model
            .scope()
            .map(|(select, _)| select)
            .into_iter()
            .collect();
    }
    targets.iter().map(|(id, _)| id.to_string()).collect()
}

/// Begins a verb on the marks or on what is selected: asks in proportion to what it would do.
pub(super) fn verb(model: &mut Model, verb: Verb, commands: &mut Vec<Cmd>) {
    if is_refused(model) {
        return;
    }
    let targets = model.targets(verb);
    let marked = model.marks.len();
    if targets.is_empty() {
        if marked > 0 {
            let text = format!("{} would change none of the {marked} marked", verb.word());
            model.toast(text, false);
        }
        return;
    }
    let name = name_of(model, &targets);
    let select = select(model, verb, &targets);
    ask(model, Intent::Do(verb), targets, name, select, commands);
}

/// Whether nothing may be changed now; says why.
pub(super) fn is_refused(model: &mut Model) -> bool {
    let why = if model.read_only {
        "read-only: this dashboard only looks"
    } else if model.is_live() {
        return false;
    } else {
        "not connected: actions are off until the daemon is back"
    };
    model.toast(why, true);
    true
}
