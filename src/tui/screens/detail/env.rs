//! The environment of one instance: which variable is pointed at, and which value is shown for a while.

use std::time::Duration;

use crate::api::{Detail, MASK, Reveal, Revealed};
use crate::domain::selector::Selector;
use crate::tui::keymap::Action;
use crate::tui::model::Model;
use crate::tui::msg::Cmd;
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::screens::{Handled, Screen, scrolled};
use crate::tui::verbs;

use super::{DetailScreen, Tab};

/// How long a value is shown.
const SHOWN: Duration = Duration::from_secs(10);

/// What is pointed at and what is shown of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Variables {
    /// The variable that is pointed at; none is the first.
    chosen: Option<String>,
    waits: Option<Ticket>,
    /// The one value that is shown, and until when.
    shown: Option<(Revealed, Duration)>,
}

impl Variables {
    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        self.waits == Some(ticket)
    }

    /// Hides what is shown, and what is still to be answered.
    pub(super) fn hide(&mut self) {
        (self.waits, self.shown) = (None, None);
    }

    /// When what is shown is hidden.
    pub(in crate::tui) fn due(&self) -> Option<Duration> {
        self.shown.as_ref().map(|(_, until)| *until)
    }

    pub(super) fn take(
        &mut self,
        answer: Result<Answer, String>,
        now: Duration,
    ) -> Result<(), String> {
        self.waits = None;
        let Answer::Revealed(revealed) = answer? else {
            return Err("the daemon answered something else".into());
        };
        self.shown = Some((revealed, now + SHOWN));
        Ok(())
    }

    /// The value of a variable as it is seen, and whether it is the real one.
    pub(in crate::tui) fn value<'a>(&'a self, key: &str, told: &'a str) -> (&'a str, bool) {
        match &self.shown {
            Some((it, _)) if it.key == key => (&it.value, true),
            Some(_) | None => (told, false),
        }
    }

    /// Where the variable stands that is pointed at.
    pub(in crate::tui) fn place(&self, detail: &Detail) -> usize {
        let chosen = self.chosen.as_ref();
        let at = chosen.and_then(|key| detail.env.keys().position(|it| it == key));
        at.unwrap_or(0)
    }

    fn key(&self, detail: &Detail) -> Option<String> {
        detail.env.keys().nth(self.place(detail)).cloned()
    }
}

/// Points at another variable; what is shown is hidden.
pub(super) fn moved(it: &mut DetailScreen, action: Action, page: usize) -> Handled {
    let Some(detail) = it.detail.told.as_deref() else {
        return Handled::No;
    };
    let last = detail.env.len().saturating_sub(1);
    let Some(to) = scrolled(it.variables.place(detail), action, page, last) else {
        return Handled::No;
    };
    let key = detail.env.keys().nth(to).cloned();
    if it.variables.key(detail) != key {
        it.variables.hide();
    }
    it.variables.chosen = key;
    Handled::Yes
}

/// Esc hides what is shown before it closes the screen.
pub(super) fn back(model: &mut Model) -> Handled {
    match model.screens.last_mut() {
        Some(Screen::Detail(it)) if it.variables.due().is_some() => {
            it.variables.hide();
            Handled::Yes
        }
        Some(_) | None => Handled::No,
    }
}

/// Asks for the value of the variable that is pointed at; hides it when it is shown. From elsewhere, to the variables.
pub(super) fn reveal(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Detail(it)) = model.screens.last_mut() else {
        return;
    };
    if it.tab != Tab::Env {
        (it.tab, it.scroll) = (Tab::Env, 0);
        return model.toast("point at a variable: V shows its value for 10 s", false);
    }
    if it.variables.due().is_some() {
        return it.variables.hide();
    }
    let key = it.detail.told.as_deref();
    let Some(key) = key.and_then(|detail| it.variables.key(detail)) else {
        return model.toast("it has no variables of its own", false);
    };
    if verbs::is_refused(model) {
        return;
    }
    let ticket = model.ticket();
    let Some(Screen::Detail(it)) = model.screens.last_mut() else {
        return;
    };
    it.variables.waits = Some(ticket);
    let select = Selector::Id(it.id);
    let query = Query::Reveal(Reveal { select, key });
    commands.push(Cmd::Fetch { ticket, query });
}

/// Copies the variable that is pointed at as it is seen: a masked value is its mask.
pub(super) fn copy(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return;
    };
    let detail = it.detail.told.as_deref().filter(|_| it.tab == Tab::Env);
    let key = detail.and_then(|detail| it.variables.key(detail));
    let told = |key: &String| detail.and_then(|detail| detail.env.get(key));
    match key {
        Some(key) => {
            let told = told(&key).map_or(MASK, String::as_str);
            let (value, _) = it.variables.value(&key, told);
            let text = format!("{key}={value}");
            commands.push(Cmd::Copy(crate::tui::copying::bare(&text)));
        }
        None => model.toast("no variable is pointed at: the tab env has them", false),
    }
}
