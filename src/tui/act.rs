//! What each action does.

use crate::api::{Count, Verb};

use super::asked;
use super::help::Help;
use super::keymap::Action;
use super::log_pane;
use super::model::{Focus, Link, Mode, Model, Target};
use super::moment;
use super::msg::Cmd;
use super::order::SortBy;
use super::palette::Palette;
use super::regions::regions;
use super::screens::{self, Handled, MessagesScreen, Screen};
use super::verbs::{edit, process, verb};
use super::{copying, mouse};

/// Does what a key asks for.
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) {
    if screens::act(model, action, commands) == Handled::Yes {
        return;
    }
    if model.screens.is_empty()
        && model.focus == Focus::Logs
        && log_pane::act(model, action, commands) == Handled::Yes
    {
        return;
    }
    // What everywhere means on a screen: the panes below it are not seen.
    if !model.screens.is_empty() && !action.is_global() {
        return;
    }
    let page = isize::try_from(regions(model).rows.height.max(2) - 1).unwrap_or(1);
    match action {
        Action::Up => shift(model, -1),
        Action::Down => shift(model, 1),
        Action::PageUp => shift(model, -page),
        Action::PageDown => shift(model, page),
        Action::HalfUp => shift(model, -(page / 2).max(1)),
        Action::HalfDown => shift(model, (page / 2).max(1)),
        Action::First => shift(model, isize::MIN / 2),
        Action::Last => shift(model, isize::MAX / 2),
        Action::Fold => fold(model),
        Action::Unfold => {
            if let Some(Target::Process(key)) = &model.selected {
                model.folded.remove(&key.clone());
                model.keep_selection();
            }
        }
        Action::Start => verb(model, Verb::Start, commands),
        Action::Stop => verb(model, Verb::Stop, commands),
        Action::Restart => verb(model, Verb::Restart, commands),
        Action::Kill => verb(model, Verb::Kill, commands),
        Action::Delete => verb(model, Verb::Delete, commands),
        Action::Roll => screens::rolling::open(model, commands),
        Action::New => screens::form::open(model),
        Action::Edit => edit(model, process(model), commands),
        Action::Undo => undo(model, commands),
        Action::ScaleUp => scale(model, Count::More(1), commands),
        Action::ScaleDown => scale(model, Count::Fewer(1), commands),
        Action::SignalHup
        | Action::SignalInt
        | Action::SignalQuit
        | Action::SignalAbrt
        | Action::SignalTerm
        | Action::SignalKill
        | Action::SignalUsr1
        | Action::SignalUsr2
        | Action::SignalStop
        | Action::SignalCont
        | Action::SignalWinch => {
            if let Some(signal) = action.signal() {
                super::verbs::signal(model, signal, commands);
            }
        }
        Action::Mark => model.mark(),
        Action::MarkRange => model.mark_range(),
        Action::MarkInvert => model.invert_marks(),
        Action::MarkAll => model.mark_all(),
        Action::SortCpu => sort_by(model, SortBy::Cpu),
        Action::SortMemory => sort_by(model, SortBy::Memory),
        Action::SortName => sort_by(model, SortBy::Name),
        Action::SortStatus => sort_by(model, SortBy::Status),
        Action::SortRestarts => sort_by(model, SortBy::Restarts),
        Action::SortUptime => sort_by(model, SortBy::Uptime),
        Action::SortReverse => {
            model.order.reversed = !model.order.reversed;
            model.sort();
        }
        Action::Tree => {
            model.order.turn_flat(model.size.0);
            model.sort();
        }
        Action::Filter => {
            model.focus = Focus::Table;
            model.mode = Mode::Filter;
        }
        Action::NextPane => turn(model, 1),
        Action::PreviousPane => turn(model, -1),
        Action::ToTable => {
            model.screens.clear();
            (model.focus, model.zoomed) = (Focus::Table, false);
        }
        Action::ToAbout => {
            model.screens.clear();
            model.zoomed = false;
            if regions(model).pane.is_some() {
                model.focus = Focus::About;
            } else {
                screens::detail::open(model);
            }
        }
        Action::ToLogs => {
            model.screens.clear();
            to_logs(model);
        }
        Action::Logs => to_logs(model),
        Action::Zoom if model.focus == Focus::About => screens::detail::open(model),
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::Mouse => mouse::toggle(model),
        Action::Wide => model.wide = !model.wide,
        Action::Pin => super::pinned::pin(model),
        Action::DividerUp => move_divider(model, 1),
        Action::DividerDown => move_divider(model, -1),
        Action::CopyName
        | Action::CopyId
        | Action::CopyPid
        | Action::CopyCommand
        | Action::CopyRow
        | Action::CopyError
        | Action::CopyLine
        | Action::CopyTwin
        | Action::CopyView => copying::copy(model, action, commands),
        Action::CursorBack => moment::step(model, -1),
        Action::CursorOn => moment::step(model, 1),
        Action::CursorFarBack => moment::step(model, -10),
        Action::CursorFarOn => moment::step(model, 10),
        Action::ReadLogs => screens::log_view::open(model, commands),
        // Of one screen alone.
        Action::TabNext
        | Action::TabPrevious
        | Action::Reveal
        | Action::CopyVariable
        | Action::Level
        | Action::Wrap
        | Action::Left
        | Action::Right
        | Action::LineStart
        | Action::LineEnd
        | Action::Search
        | Action::HitNext
        | Action::HitPrevious
        | Action::LogFilter
        | Action::Highlight
        | Action::ErrorNext
        | Action::ErrorPrevious
        | Action::RunNext
        | Action::RunPrevious
        | Action::LineMark
        | Action::ToMark
        | Action::GoToTime
        | Action::PaneAdd
        | Action::PaneClose
        | Action::PaneArrange
        | Action::Select
        | Action::Copy
        | Action::Whole
        | Action::Plain
        | Action::Pager
        | Action::Similar
        | Action::Follow
        | Action::Times
        | Action::Stream
        | Action::Save => {}
        Action::Help => model.mode = Mode::Help(Help::default()),
        Action::Palette => model.mode = Mode::Palette(Palette::default()),
        Action::RetryFailed
        | Action::Confirm
        | Action::Pause
        | Action::Continue
        | Action::Abort
        | Action::More
        | Action::Less
        | Action::HideTargets
        | Action::HideOff
        | Action::FocusTarget
        | Action::ShowMore
        | Action::ShowLess
        | Action::CaptureMore
        | Action::CaptureLess => {}
        Action::Operation => asked::look(model, commands),
        Action::Messages => open_messages(model),
        Action::Activity => {
            model.screens.clear();
            screens::activity::open(model);
        }
        Action::DaemonLog => {
            model.screens.clear();
            screens::own_log::open(model, commands);
        }
        Action::Detail => screens::detail::open(model),
        Action::Back => back(model),
        Action::Quit => {
            if model.screens.pop().is_some() {
            } else if model.zoomed {
                model.zoomed = false;
            } else {
                commands.push(Cmd::Quit);
            }
        }
        Action::Leave => commands.push(Cmd::Quit),
        Action::Redraw => commands.push(Cmd::Redraw),
        Action::Suspend => commands.push(Cmd::Suspend),
        Action::Retry => {
            if let Link::Lost(lost) = &mut model.link {
                lost.next = model.now;
                commands.push(Cmd::Retry);
            }
        }
    }
}

pub(super) fn scale(model: &mut Model, count: Count, commands: &mut Vec<Cmd>) {
    if let Some(key) = process(model) {
        super::verbs::scale(model, &key, count, commands);
    }
}

/// The keys go to the next pane that is seen, or to the one before.
fn turn(model: &mut Model, by: isize) {
    let places = regions(model);
    let seen = |focus: &Focus| match focus {
        Focus::Table => true,
        Focus::About => places.pane.is_some(),
        Focus::Logs => places.has_logs() || model.zoomed,
    };
    let all = [Focus::Table, Focus::About, Focus::Logs];
    let all: Vec<Focus> = all.into_iter().filter(seen).collect();
    let here = all.iter().position(|it| *it == model.focus).unwrap_or(0);
    let next = here.cast_signed() + by;
    let next = next.rem_euclid(all.len().cast_signed());
    model.focus = all
        .get(next.cast_unsigned())
        .copied()
        .unwrap_or(Focus::Table);
}

/// Moves the line between table and logs up; never beyond where it can go.
pub(super) fn move_divider(model: &mut Model, by: i32) {
    let height = |model: &Model| regions(model).log_pane().height;
    let (before, was) = (height(model), model.divider);
    model.divider += by;
    if height(model) == before {
        model.divider = was;
    }
}

fn to_logs(model: &mut Model) {
    model.focus = Focus::Logs;
    if !regions(model).has_logs() {
        model.zoomed = true;
    }
}

/// Takes back what was done last, by whoever did it.
fn undo(model: &mut Model, commands: &mut Vec<Cmd>) {
    if !super::verbs::is_refused(model) {
        let operation = crate::client::operation_id();
        commands.push(Cmd::Undo { operation });
    }
}

fn open_messages(model: &mut Model) {
    model.unread = 0;
    if !matches!(model.screens.last(), Some(Screen::Messages(_))) {
        model
            .screens
            .push(Screen::Messages(MessagesScreen::default()));
    }
}

pub(super) fn sort_by(model: &mut Model, by: SortBy) {
    model.order.choose(by);
    model.sort();
}

/// Closes the innermost thing. Never leaves.
fn back(model: &mut Model) {
    if let Link::Lost(lost) = &mut model.link
        && !lost.hidden
    {
        lost.hidden = true;
    } else if !model.toasts.is_empty() {
        model.toasts.clear();
    } else if model.company.news.take().is_some()
        || moment::clear(model)
        || model.screens.pop().is_some()
    {
    } else if model.zoomed {
        model.zoomed = false;
    } else if model.focus != Focus::Table {
        model.focus = Focus::Table;
    } else if !model.marks.is_empty() {
        model.marks.clear();
    } else {
        model.filter.set(String::new());
        model.keep_selection();
    }
}

pub(super) fn shift(model: &mut Model, by: isize) {
    let lines = model.lines();
    if lines.is_empty() {
        return;
    }
    let place = model.place.saturating_add_signed(by).min(lines.len() - 1);
    let selected = lines.get(place).cloned();
    (model.place, model.selected) = (place, selected);
}

fn fold(model: &mut Model) {
    let key = match &model.selected {
        Some(Target::Process(key)) => key.clone(),
        Some(Target::Instance(id)) => match model.rows.get(id) {
            Some(row) if row.view.instances > 1 => row.key(),
            Some(_) | None => return,
        },
        None => return,
    };
    model.folded.insert(key.clone());
    model.selected = Some(Target::Process(key));
    model.keep_selection();
}

/// The selected row is among those that are drawn.
pub(super) fn scroll_to_selection(model: &mut Model) {
    let height = usize::from(regions(model).rows.height).max(1);
    if model.place < model.offset {
        model.offset = model.place;
    } else if model.place >= model.offset + height {
        model.offset = model.place + 1 - height;
    }
    // After lines have gone there is no empty space below them.
    let most = model.lines().len().saturating_sub(height);
    model.offset = model.offset.min(most);
}
