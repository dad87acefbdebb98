//! The mouse, when it is on: a click chooses, the wheel scrolls what is below the pointer. Nothing is ever done by a click.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::keymap::Action;
use super::model::{Focus, Mode, Model, Target};
use super::msg::Cmd;
use super::regions::regions;
use super::screens::log_view::{self, Grip, Seat};
use super::screens::{self, Screen};
use super::view::sorted_at;
use super::{act, log_pane};

/// Lines that a step of the wheel is.
const STEP: usize = 3;

/// What the terminal is asked to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Modes {
    /// The wheel as arrows, without the mouse.
    pub(super) wheel: bool,
    pub(super) mouse: bool,
}

impl Modes {
    pub(super) fn of(model: &Model) -> Self {
        let logs = match model.screens.last() {
            Some(screen) => matches!(screen, Screen::Logs(_)),
            None => model.focus == Focus::Logs,
        };
        Self {
            wheel: logs && !model.mouse,
            mouse: model.mouse,
        }
    }
}

/// Turns it on or off.
pub(super) fn toggle(model: &mut Model) {
    model.mouse = !model.mouse;
    let text = if model.mouse {
        "mouse on: Shift-drag selects as the terminal does, M turns it off"
    } else {
        "mouse off: the terminal's own selection works"
    };
    model.toast(text, false);
}

fn hits(area: Rect, at: Position) -> bool {
    area.contains(at)
}

/// What it did.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other buttons and plain moves mean nothing"
)]
pub(super) fn moused(model: &mut Model, event: MouseEvent, commands: &mut Vec<Cmd>) {
    if !model.mouse || model.mode != Mode::Browse {
        return;
    }
    model.pending.clear();
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, at, Action::Up, commands),
        MouseEventKind::ScrollDown => wheel(model, at, Action::Down, commands),
        MouseEventKind::Down(MouseButton::Left) => click(model, at, commands),
        MouseEventKind::Drag(MouseButton::Left) => drag(model, at, commands),
        MouseEventKind::Up(MouseButton::Left) => {
            model.drags_divider = false;
            if let Some(seat) = seat_at(model, at) {
                log_view::grip(model, seat, Grip::Release, commands);
            }
        }
        _ => {}
    }
}

/// The log view below the pointer.
fn seat_at(model: &Model, at: Position) -> Option<Seat> {
    match model.screens.last() {
        Some(Screen::Logs(_)) => Some(Seat::Screen(model.screens.len() - 1)),
        Some(_) => None,
        None => {
            let body = regions(model).logs?;
            (hits(body, at) && model.marks.is_empty()).then_some(Seat::Main)
        }
    }
}

fn wheel(model: &mut Model, at: Position, action: Action, commands: &mut Vec<Cmd>) {
    let places = regions(model);
    for _ in 0..STEP {
        if !model.screens.is_empty() {
            screens::act(model, action, commands);
        } else if hits(places.log_pane(), at) {
            log_pane::act(model, action, commands);
        } else if hits(places.rows, at) {
            act::shift(model, if action == Action::Up { -1 } else { 1 });
        }
    }
}

fn click(model: &mut Model, at: Position, commands: &mut Vec<Cmd>) {
    if let Some(seat) = seat_at(model, at) {
        if seat == Seat::Main {
            model.focus = Focus::Logs;
        }
        log_view::grip(model, seat, Grip::Press(at), commands);
        return;
    }
    if !model.screens.is_empty() {
        return;
    }
    let places = regions(model);
    if hits(places.head, at) {
        if let Some(by) = sorted_at(model, places.head, at.x) {
            act::sort_by(model, by);
        }
    } else if hits(places.rows, at) {
        let line = model.offset + usize::from(at.y - places.rows.y);
        let Some(target) = model.lines().get(line).cloned() else {
            return;
        };
        model.focus = Focus::Table;
        // The sign before the name of a process folds it.
        let sign = at.x < places.rows.x + 4;
        match &target {
            Target::Process(key) if sign && !model.folded.remove(key) => {
                model.folded.insert(key.clone());
            }
            Target::Process(_) | Target::Instance(_) => {}
        }
        model.selected = Some(target);
        model.keep_selection();
    } else if places.pane.is_some_and(|pane| hits(pane, at)) {
        model.focus = Focus::About;
    } else if places.title.height > 0 && hits(places.title, at) {
        model.drags_divider = true;
    }
}

fn drag(model: &mut Model, at: Position, commands: &mut Vec<Cmd>) {
    if model.drags_divider {
        let title = regions(model).title;
        act::move_divider(model, i32::from(title.y) - i32::from(at.y));
    } else if let Some(seat) = seat_at(model, at) {
        log_view::grip(model, seat, Grip::Drag(at), commands);
    }
}
