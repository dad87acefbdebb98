//! Who did what, who is here, and what changed while nobody looked.

use std::collections::VecDeque;

use crate::api::{Activity, Changes, ClientView, Event};
use crate::domain::activity::add;
use crate::tui::keymap::Action;
use crate::tui::model::{Link, Model};
use crate::tui::msg::Cmd;
use crate::tui::query::Query;
use crate::tui::regions::regions;

use super::{Handled, Screen, scrolled};

/// How many entries are kept.
const KEPT: usize = 500;

/// The newest are first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct ActivityScreen {
    pub(in crate::tui) scroll: usize,
}

/// What happened while nobody looked here, until it is put away.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct News {
    pub(in crate::tui) title: String,
    pub(in crate::tui) lines: Vec<String>,
}

/// What is known of others and of the past.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Company {
    /// Who did what, and what happened by itself, oldest first.
    pub(in crate::tui) activity: VecDeque<Activity>,
    /// Who is here.
    pub(in crate::tui) clients: Vec<ClientView>,
    /// The pid that the daemon knows this session by.
    pub(in crate::tui) own_pid: Option<i32>,
    /// Since when nobody looked here, wall-clock milliseconds.
    pub(in crate::tui) unseen_since: Option<u64>,
    /// What happened while nobody looked.
    pub(in crate::tui) news: Option<News>,
}

pub(in crate::tui) fn open(model: &mut Model) {
    let screen = Screen::Activity(ActivityScreen::default());
    model.screens.push(screen);
}

pub(super) fn act(model: &mut Model, action: Action) -> Handled {
    let page = usize::from(regions(model).screen.height).saturating_sub(1);
    let last = model.company.activity.len().saturating_sub(1);
    let Some(Screen::Activity(it)) = model.screens.last_mut() else {
        return Handled::No;
    };
    let Some(to) = scrolled(it.scroll, action, page, last) else {
        return Handled::No;
    };
    it.scroll = to;
    Handled::Yes
}

/// The daemon is there: what it remembers is asked for.
pub(in crate::tui) fn begun(model: &mut Model, commands: &mut Vec<Cmd>) {
    let ticket = model.ticket();
    let query = Query::Activity;
    commands.push(Cmd::Fetch { ticket, query });
}

/// What changed since somebody looked here is asked for.
pub(in crate::tui) fn look_back(model: &mut Model, commands: &mut Vec<Cmd>) {
    if let Some(since_ms) = model.company.unseen_since.take() {
        let ticket = model.ticket();
        let query = Query::Changes { since_ms };
        commands.push(Cmd::Fetch { ticket, query });
    }
}

/// The connection is lost: from here on nothing is seen.
pub(in crate::tui) fn lost(model: &mut Model) {
    if let Link::Lost(lost) = &model.link {
        model.company.unseen_since = Some(lost.since_ms);
    }
}

/// What the daemon remembers.
pub(in crate::tui) fn told(model: &mut Model, list: Vec<Activity>) {
    model.company.activity = list.into();
}

pub(in crate::tui) fn happened(model: &mut Model, event: &Event) {
    add(&mut model.company.activity, event, KEPT);
}

pub(in crate::tui) fn changed(model: &mut Model, changes: &Changes) {
    if changes.is_empty() {
        return;
    }
    let since = crate::tui::view::clock(changes.since_ms);
    let since: String = since.chars().take("12:03".len()).collect();
    let day = 24 * 3600 * 1000;
    let ago = model.wall_ms.saturating_sub(changes.since_ms) / day;
    let title = match ago {
        0 => format!("since you last looked, {since}"),
        1 => format!("since you last looked, a day ago {since}"),
        days => format!("since you last looked, {days} days ago"),
    };
    let lines = changes.words();
    model.company.news = Some(News { title, lines });
}

/// Whether a session is this one.
pub(in crate::tui) fn is_own(model: &Model, client: &ClientView) -> bool {
    client.who.pid.is_some() && client.who.pid == model.company.own_pid
}

/// What this session is called by the daemon.
pub(in crate::tui) fn own_name(model: &Model) -> Option<String> {
    let own = model.company.clients.iter().find(|it| is_own(model, it));
    own.map(|it| it.who.to_string())
}
