//! A new process: what is typed, what is wrong with it, and what it is in the shell.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::domain::spec::Restart;
use crate::tui::draft::Draft;
use crate::tui::model::Model;
use crate::tui::msg::Cmd;
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::update::is_control;
use crate::tui::verbs::is_refused;

use super::Screen;

/// The most characters of a field.
const LONGEST: usize = 2000;

/// Which field has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Field {
    Command,
    Name,
    Instances,
    Folder,
    Environment,
    Restart,
}

impl Field {
    pub(in crate::tui) const ALL: [Self; 6] = [
        Self::Command,
        Self::Name,
        Self::Instances,
        Self::Folder,
        Self::Environment,
        Self::Restart,
    ];

    pub(in crate::tui) fn title(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Name => "name",
            Self::Instances => "instances",
            Self::Folder => "folder",
            Self::Environment => "env",
            Self::Restart => "restart",
        }
    }

    fn step(self, by: isize) -> Self {
        let count = Self::ALL.len().cast_signed();
        let here = Self::ALL.iter().position(|it| *it == self).unwrap_or(0);
        let to = (here.cast_signed() + by).rem_euclid(count);
        Self::ALL[to.cast_unsigned()]
    }
}

/// What is known of the draft as it is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) enum Verdict {
    /// Nothing is typed yet.
    Empty,
    Checking,
    Good,
    Wrong(String),
    /// It was sent.
    Sent,
}

/// The form.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct FormScreen {
    pub(in crate::tui) draft: Draft,
    pub(in crate::tui) field: Field,
    pub(in crate::tui) verdict: Verdict,
    pub(in crate::tui) ticket: Ticket,
}

/// Opens an empty form.
pub(in crate::tui) fn open(model: &mut Model) {
    if is_refused(model) {
        return;
    }
    model.screens.push(Screen::Form(Box::new(FormScreen {
        draft: Draft::default(),
        field: Field::Command,
        verdict: Verdict::Empty,
        ticket: Ticket::default(),
    })));
}

impl FormScreen {
    /// The text of a field; the policy has none.
    fn text(&mut self) -> Option<&mut String> {
        match self.field {
            Field::Command => Some(&mut self.draft.command),
            Field::Name => Some(&mut self.draft.name),
            Field::Instances => Some(&mut self.draft.instances),
            Field::Folder => Some(&mut self.draft.folder),
            Field::Environment => Some(&mut self.draft.environment),
            Field::Restart => None,
        }
    }

    fn turn_policy(&mut self, by: isize) {
        let all = [Restart::OnFailure, Restart::Always, Restart::Never];
        let here = all
            .iter()
            .position(|it| *it == self.draft.restart)
            .unwrap_or(0);
        let to = (here.cast_signed() + by).rem_euclid(all.len().cast_signed());
        self.draft.restart = all[to.cast_unsigned()];
    }

    /// The name, once it is started.
    pub(super) fn take(&mut self, answer: Result<Answer, String>) -> Option<String> {
        match answer {
            Ok(Answer::Draft(Ok(()))) => self.verdict = Verdict::Good,
            Ok(Answer::Draft(Err(why))) | Err(why) => self.verdict = Verdict::Wrong(why),
            Ok(Answer::Defined(name)) => return Some(name),
            Ok(_) => {}
        }
        None
    }
}

/// Text goes into the field; few keys mean something else.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a form takes text and few keys"
)]
pub(in crate::tui) fn key(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    let Some(Screen::Form(it)) = model.screens.last_mut() else {
        return;
    };
    let before = it.draft.clone();
    match key.code {
        KeyCode::Esc => return drop(model.screens.pop()),
        KeyCode::Char('c') if is_control(&key, 'c') => return drop(model.screens.pop()),
        KeyCode::Enter => return send(model, commands),
        KeyCode::Tab | KeyCode::Down => it.field = it.field.step(1),
        KeyCode::BackTab | KeyCode::Up => it.field = it.field.step(-1),
        KeyCode::Right if it.field == Field::Restart => it.turn_policy(1),
        KeyCode::Left if it.field == Field::Restart => it.turn_policy(-1),
        KeyCode::Char(' ') if it.field == Field::Restart => it.turn_policy(1),
        KeyCode::Char('u') if is_control(&key, 'u') => {
            if let Some(text) = it.text() {
                text.clear();
            }
        }
        KeyCode::Backspace => {
            if let Some(text) = it.text() {
                text.pop();
            }
        }
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            typed(it, &c.to_string());
        }
        _ => {}
    }
    if it.draft != before {
        check(model, commands);
    }
}

fn typed(it: &mut FormScreen, what: &str) {
    if let Some(text) = it.text() {
        let room = LONGEST.saturating_sub(text.chars().count());
        text.extend(what.chars().filter(|c| !c.is_control()).take(room));
    }
}

/// A paste goes into the field.
pub(in crate::tui) fn pasted(model: &mut Model, what: &str, commands: &mut Vec<Cmd>) {
    if let Some(Screen::Form(it)) = model.screens.last_mut() {
        typed(it, what);
        check(model, commands);
    }
}

/// Has the draft looked at: whether there is such a program and such a folder is for a thread that may wait.
fn check(model: &mut Model, commands: &mut Vec<Cmd>) {
    let ticket = model.ticket();
    let taken = taken(model);
    let Some(Screen::Form(it)) = model.screens.last_mut() else {
        return;
    };
    it.ticket = ticket;
    it.verdict = match (it.draft.command.trim().is_empty(), taken) {
        (true, _) => Verdict::Empty,
        (false, Some(name)) => Verdict::Wrong(format!("the name {name} is taken")),
        (false, None) => Verdict::Checking,
    };
    if it.verdict == Verdict::Checking {
        commands.push(Cmd::Fetch {
            ticket,
            query: Query::Draft(it.draft.clone()),
        });
    }
}

/// The name, if a process has it already.
fn taken(model: &Model) -> Option<String> {
    let Some(Screen::Form(it)) = model.screens.last() else {
        return None;
    };
    let name = it.draft.called();
    model
        .rows
        .values()
        .any(|row| row.view.process.as_str() == name && row.view.namespace.as_str() == "default")
        .then_some(name)
}

fn send(model: &mut Model, commands: &mut Vec<Cmd>) {
    if is_refused(model) {
        return;
    }
    let ticket = model.ticket();
    let taken = taken(model);
    let Some(Screen::Form(it)) = model.screens.last_mut() else {
        return;
    };
    if it.draft.command.trim().is_empty() {
        it.verdict = Verdict::Wrong("type what is to be run".into());
        return;
    }
    if let Some(name) = taken {
        it.verdict = Verdict::Wrong(format!("the name {name} is taken"));
        return;
    }
    if it.verdict == Verdict::Sent {
        return;
    }
    it.ticket = ticket;
    it.verdict = Verdict::Sent;
    commands.push(Cmd::Fetch {
        ticket,
        query: Query::Define(it.draft.clone()),
    });
}
