//! The command line of the dashboard: the grammar of the shell's, so that what is learnt here works in scripts.

mod line;
mod suggest;
mod words;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::{Intent, Sending, Whom};
use crate::domain::spec::Stream;

use super::act::act;
use super::keymap::Action;
use super::model::{Mode, Model, Target};
use super::msg::Cmd;
use super::screens::detail::Tab;
use super::screens::log_view::{self, Seat};
use super::screens::{Screen, rolling};
use super::update::is_control;
use super::{pose, verbs};

use line::{Order, read, some_of};
pub(super) use suggest::{Suggestion, suggestions, twin};

/// What is typed, and which suggestion is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Palette {
    pub(super) text: String,
    pub(super) choice: usize,
    /// Why it was not done.
    pub(super) error: Option<String>,
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
        Some(chosen) if it.choice > 0 || read(model, &whole).is_err() => chosen.command.clone(),
        Some(_) | None => whole,
    };
    model.mode = Mode::Browse;
    if line.is_empty() {
        return;
    }
    if let Err(why) = perform(model, &line, commands) {
        it.error = Some(why);
        model.mode = Mode::Palette(it);
    }
}

/// Does what a line means; asks as its key does.
fn perform(model: &mut Model, line: &str, commands: &mut Vec<Cmd>) -> Result<(), String> {
    match read(model, line)? {
        Order::Verb(verb, names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            ask(model, Intent::Do(verb), &names, commands)?;
        }
        Order::Signal(signal, names) => {
            let whom = Whom::Main;
            ask(
                model,
                Intent::Send(Sending { signal, whom }),
                &names,
                commands,
            )?;
        }
        Order::Roll(key, most) => rolling::open_for(model, key, most, commands),
        Order::Rollout(what, key) => rolling::control(model, &key, what, commands)?,
        Order::Scale(key, count) => verbs::scale(model, &key, count, commands),
        Order::Edit(key) => verbs::edit(model, Some(key), commands),
        Order::At(target, action) => go(model, target, action, commands),
        Order::Logs(target, only) => {
            go(model, target, Action::Logs, commands);
            if let Some(stream) = only {
                show_only(model, stream, commands);
            }
        }
        Order::Why(target) => {
            go(model, target, Action::Detail, commands);
            if let Some(Screen::Detail(it)) = model.screens.last_mut() {
                it.tab = Tab::Why;
            }
        }
        Order::Do(action) => {
            // Of the table, which then has to be seen.
            if !action.is_global() {
                model.screens.clear();
            }
            act(model, action, commands);
        }
        Order::Controls(way) => model.controls = way,
        Order::Stats => {
            if model.screens.last() != Some(&Screen::Stats) {
                model.screens.push(Screen::Stats);
            }
        }
        Order::Filter(text) => {
            model.filter.set(text);
            model.keep_selection();
        }
    }
    Ok(())
}

fn ask(
    model: &mut Model,
    what: Intent,
    names: &[&str],
    commands: &mut Vec<Cmd>,
) -> Result<(), String> {
    let rows = some_of(model, names)?;
    let targets = rows.iter().map(|row| (row.view.id, row.view.run)).collect();
    let select = names.iter().map(|word| (*word).to_owned()).collect();
    pose::ask(model, what, targets, names.join(" "), select, commands);
    Ok(())
}

/// To a line of the table, then this.
fn go(model: &mut Model, target: Target, action: Action, commands: &mut Vec<Cmd>) {
    if let Target::Instance(id) = &target
        && let Some(row) = model.rows.get(id)
    {
        let key = row.key();
        model.folded.remove(&key);
    }
    model.screens.clear();
    model.selected = Some(target);
    model.keep_selection();
    act(model, action, commands);
}

/// Of the logs that are looked at, one stream.
fn show_only(model: &mut Model, stream: Stream, commands: &mut Vec<Cmd>) {
    log_view::on_panes(model, Seat::Main, commands, |pane, asking| {
        if pane.scope.stream != Some(stream) {
            pane.rescope(|scope| scope.stream = Some(stream), asking);
        }
    });
}
