//! What stands on top of the main screen. Each screen has a state, what its keys do, and a drawing in `view/screens/`.

pub(super) mod activity;
pub(super) mod bulk;
pub(super) mod detail;
pub(super) mod form;
pub(super) mod log_view;
pub(super) mod messages;
pub(super) mod own_log;
pub(super) mod rolling;

use super::keymap::{Action, Place};
use super::model::Model;
use super::msg::Cmd;
use super::query::{Answer, Ticket};

pub(super) use activity::ActivityScreen;
pub(super) use bulk::BulkScreen;
pub(super) use detail::DetailScreen;
pub(super) use form::FormScreen;
pub(super) use log_view::{LogView, Prompt};
pub(super) use messages::MessagesScreen;
pub(super) use own_log::OwnLogScreen;
pub(super) use rolling::RollingScreen;

/// A view that covers the main screen between header and footer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Screen {
    Activity(ActivityScreen),
    Bulk(BulkScreen),
    Detail(Box<DetailScreen>),
    Form(Box<FormScreen>),
    Logs(Box<LogView>),
    Messages(MessagesScreen),
    OwnLog(Box<OwnLogScreen>),
    Rolling(Box<RollingScreen>),
    /// What the dashboard itself takes.
    Stats,
}

impl Screen {
    /// The lines of logs that are on it.
    pub(super) fn logs(&self) -> Option<&LogView> {
        match self {
            Self::Logs(view) => Some(view),
            Self::Detail(it) => Some(&it.logs),
            Self::Rolling(it) => Some(&it.logs),
            Self::Activity(_)
            | Self::Bulk(_)
            | Self::Form(_)
            | Self::Messages(_)
            | Self::OwnLog(_)
            | Self::Stats => None,
        }
    }

    pub(super) fn logs_mut(&mut self) -> Option<&mut LogView> {
        match self {
            Self::Logs(view) => Some(view),
            Self::Detail(it) => Some(&mut it.logs),
            Self::Rolling(it) => Some(&mut it.logs),
            Self::Activity(_)
            | Self::Bulk(_)
            | Self::Form(_)
            | Self::Messages(_)
            | Self::OwnLog(_)
            | Self::Stats => None,
        }
    }

    /// Whose keys count.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Activity(_) => Place::Messages,
            Self::Bulk(_) => Place::Bulk,
            Self::Detail(_) => Place::Detail,
            Self::Form(_) => Place::Everywhere,
            Self::Logs(_) => Place::LogView,
            Self::Messages(_) => Place::Messages,
            Self::OwnLog(_) => Place::OwnLog,
            Self::Rolling(it) if it.operation.is_none() => Place::Plan,
            Self::Rolling(_) => Place::Rolling,
            Self::Stats => Place::Messages,
        }
    }
}

/// An action on the topmost screen; what it does not know is done as everywhere.
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    match model.screens.last_mut() {
        Some(Screen::Activity(_)) => activity::act(model, action),
        Some(Screen::Bulk(_)) => bulk::act(model, action, commands),
        Some(Screen::Detail(_)) => detail::act(model, action, commands),
        Some(Screen::Logs(_)) => log_view::act(model, action, commands),
        Some(Screen::Messages(_)) => messages::act(model, action),
        Some(Screen::OwnLog(_)) => own_log::act(model, action, commands),
        Some(Screen::Rolling(_)) => rolling::act(model, action, commands),
        // A form takes keys before they are actions; figures take none.
        Some(Screen::Form(_) | Screen::Stats) | None => Handled::No,
    }
}

/// Whether a screen took an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handled {
    Yes,
    No,
}

/// An answer for the screen that asked; of a screen that was closed meanwhile, nobody wants it.
pub(super) fn fetched(
    model: &mut Model,
    ticket: Ticket,
    answer: Result<Answer, String>,
    commands: &mut Vec<Cmd>,
) {
    log_view::fetched(model, ticket, &answer, commands);
    for screen in &mut model.screens {
        match screen {
            Screen::Detail(it) if it.waits_for(ticket) => {
                if let Err(why) = it.take(answer, ticket, model.now) {
                    model.toast(why, true);
                }
                return;
            }
            Screen::Form(it) if it.ticket == ticket => {
                if let Some(name) = it.take(answer) {
                    model.screens.retain(|it| !matches!(it, Screen::Form(_)));
                    model.toast(format!("{name} is started"), false);
                }
                return;
            }
            Screen::Rolling(it) if it.waits_for(ticket) => {
                it.take(answer, ticket);
                return;
            }
            Screen::Bulk(it) if it.waits_for(ticket) => {
                it.take(answer, model.now);
                return;
            }
            Screen::Activity(_)
            | Screen::Bulk(_)
            | Screen::Detail(_)
            | Screen::Form(_)
            | Screen::Logs(_)
            | Screen::Messages(_)
            | Screen::OwnLog(_)
            | Screen::Rolling(_)
            | Screen::Stats => {}
        }
    }
}

/// Ends the streams and searches that no screen has any more.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other commands open nothing"
)]
pub(super) fn left_behind(model: &mut Model, commands: &mut Vec<Cmd>) {
    for command in commands.iter() {
        match command {
            Cmd::Stream { ticket, .. }
            | Cmd::Search { ticket, .. }
            | Cmd::Records { ticket, .. } => {
                model.streams.insert(*ticket);
            }
            Cmd::Close { ticket } => {
                model.streams.remove(ticket);
            }
            _ => {}
        }
    }
    let records = |ticket: Ticket| {
        let own = |screen: &Screen| matches!(screen, Screen::OwnLog(it) if it.owns(ticket));
        model.screens.iter().any(own)
    };
    let owned = |ticket: Ticket| log_view::owns(model, ticket) || records(ticket);
    let all = model.streams.iter().copied();
    let gone: Vec<Ticket> = all.filter(|ticket| !owned(*ticket)).collect();
    for ticket in gone {
        model.streams.remove(&ticket);
        commands.push(Cmd::Close { ticket });
    }
}

/// Moves a view of so many lines.
pub(super) fn scrolled(from: usize, action: Action, page: usize, last: usize) -> Option<usize> {
    let half = (page / 2).max(1);
    let to = scroll_to(action)?;
    Some(
        match to {
            Scroll::Lines(by) => from.saturating_add_signed(by),
            Scroll::Half(by) => from.saturating_add_signed(by * half.cast_signed()),
            Scroll::Pages(by) => from.saturating_add_signed(by * page.max(1).cast_signed()),
            Scroll::Top => 0,
            Scroll::Bottom => last,
        }
        .min(last),
    )
}

/// Whether an action moves a view.
pub(super) fn is_move(action: Action) -> bool {
    scroll_to(action).is_some()
}

enum Scroll {
    Lines(isize),
    Half(isize),
    Pages(isize),
    Top,
    Bottom,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other actions are not moves"
)]
fn scroll_to(action: Action) -> Option<Scroll> {
    Some(match action {
        Action::Up => Scroll::Lines(-1),
        Action::Down => Scroll::Lines(1),
        Action::HalfUp => Scroll::Half(-1),
        Action::HalfDown => Scroll::Half(1),
        Action::PageUp => Scroll::Pages(-1),
        Action::PageDown => Scroll::Pages(1),
        Action::First => Scroll::Top,
        Action::Last => Scroll::Bottom,
        _ => return None,
    })
}
