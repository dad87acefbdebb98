//! The full-screen log view: one pane or several, what is looked for in them, and what stands below.

mod actions;
mod areas;
mod hear;
mod prompt;
mod seats;
mod seek;

use ratatui::layout::{Position, Rect};

use crate::api::Level;
use crate::logs::safe::SafeText;
use crate::tui::keymap::Action;
use crate::tui::log::{
    Asking, Controls, Endings, Hunt, Kin, Number, Pane, Scope, Shape, Similar, Strip, Times, Words,
};
use crate::tui::model::{Mode, Model};
use crate::tui::msg::Cmd;
use crate::tui::query::Ticket;

use super::{Handled, Screen};

pub(in crate::tui) use areas::{Areas, LABEL, areas, gutter, is_large, strip_columns, strip_span};
pub(in crate::tui) use hear::{
    due, fetched, happened, joined, news, owns, reconnected, stream_over, streamed, tick,
};
pub(in crate::tui) use prompt::{Prompt, prompt_key, prompt_paste};
pub(in crate::tui) use seats::{Seat, details, listen_while_seen, share_controls, shown};
use seats::{on_view, seats, view, with_the_keys};
use seek::Seek;

/// More panes cannot be read.
const PANES_MAX: usize = 4;
/// More words cannot be told apart.
const WORDS_MAX: usize = 6;

/// A line for itself, with what it says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Whole {
    /// The line that it is of.
    pub(in crate::tui) number: Number,
    ticket: Option<Ticket>,
    /// All of a line that is longer than what is kept.
    pub(in crate::tui) text: Option<SafeText>,
    pub(in crate::tui) fields: Vec<(String, String)>,
    /// What is like it.
    pub(in crate::tui) kin: Option<Kin>,
    /// How many of its rows are above.
    pub(in crate::tui) skip: usize,
}

/// The view.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct LogView {
    pub(in crate::tui) panes: Vec<Pane>,
    /// Which pane has the keys.
    pub(in crate::tui) at: usize,
    /// Side by side instead of stacked.
    pub(in crate::tui) side: bool,
    pub(in crate::tui) times: Times,
    pub(in crate::tui) wrap: bool,
    /// Whether similar lines are shown as one.
    pub(in crate::tui) similar: Similar,
    /// How what stands for controls looks: the same in all views.
    pub(in crate::tui) controls: Controls,
    /// How many cells of a line are left of the pane.
    pub(in crate::tui) left: usize,
    pub(in crate::tui) hunt: Option<Hunt>,
    /// Words that are made to stand out.
    pub(in crate::tui) words: Vec<Words>,
    /// The line that is pointed at, unwrapped.
    pub(in crate::tui) whole: Option<Whole>,
    pub(in crate::tui) strip: Strip,
    /// How the runs ended between whose lines a rule is seen.
    pub(in crate::tui) endings: Endings,
    seek: Option<Seek>,
    /// A part of another screen, which has neither strip nor line for itself.
    embedded: bool,
    /// The moment that the other panes were brought to.
    locked_to: Option<Option<u64>>,
}

impl LogView {
    /// A part of another screen; of nothing yet.
    pub(in crate::tui) fn embedded() -> Self {
        Self {
            panes: vec![],
            embedded: true,
            ..Self::new(Scope::default())
        }
    }

    /// Ends all that it asked for; returns the pane that it had.
    pub(in crate::tui) fn leave(&mut self, asking: &mut Asking<'_>) -> Option<Pane> {
        self.end_search(asking);
        for pane in &mut self.panes {
            pane.hush(asking);
        }
        (self.left, self.at) = (0, 0);
        self.panes.drain(..).next()
    }

    /// A part of another screen, of these lines.
    pub(in crate::tui) fn part(scope: Scope) -> Self {
        Self {
            embedded: true,
            ..Self::new(scope)
        }
    }

    fn new(scope: Scope) -> Self {
        Self {
            panes: vec![Pane::new(scope)],
            at: 0,
            side: false,
            times: Times::default(),
            wrap: false,
            similar: Similar::default(),
            controls: Controls::default(),
            left: 0,
            hunt: None,
            words: vec![],
            whole: None,
            strip: Strip::default(),
            endings: Endings::default(),
            seek: None,
            embedded: false,
            locked_to: None,
        }
    }

    /// The pane that has the keys. There is always one.
    pub(in crate::tui) fn pane(&self) -> Option<&Pane> {
        self.panes.get(self.at)
    }

    fn shape(&self, areas: &Areas, pane: usize) -> Shape {
        let (Some(it), Some(area)) = (self.panes.get(pane), areas.panes.get(pane)) else {
            return Shape {
                width: 0,
                height: 0,
                wrap: false,
                fold: false,
                controls: self.controls,
            };
        };
        let gutter = gutter(self, it, area.body.width);
        Shape {
            width: usize::from(area.body.width.saturating_sub(gutter)),
            height: usize::from(area.body.height),
            wrap: self.wrap,
            fold: self.folds(it),
            controls: self.controls,
        }
    }

    /// Whether similar lines of a pane are shown as one.
    pub(in crate::tui) fn folds(&self, pane: &Pane) -> bool {
        match self.similar {
            Similar::InFloods => pane.is_flooded(),
            Similar::Folded => true,
            Similar::Apart => false,
        }
    }

    /// The shape of a pane as it is drawn there.
    pub(in crate::tui) fn shape_in(&self, area: Rect, pane: usize) -> Shape {
        self.shape(&areas(self, area), pane)
    }

    /// Whether a search goes on that Esc ends.
    pub(in crate::tui) fn is_seeking(&self) -> bool {
        self.seek.is_some()
    }
}

/// What the level key goes through.
fn next_level(level: Option<Level>) -> Option<Level> {
    match level {
        None => Some(Level::Warn),
        Some(Level::Warn) => Some(Level::Error),
        Some(Level::Trace | Level::Debug | Level::Info | Level::Error) => None,
    }
}

/// Whether more comes than can be read where it is followed and seen: then the screen is not drawn for every line.
pub(in crate::tui) fn is_flooded(model: &Model) -> bool {
    let flooded = |view: &LogView| {
        let mut panes = view.panes.iter();
        panes.any(|pane| pane.is_following() && pane.is_listening() && pane.is_flooded())
    };
    match model.screens.last() {
        Some(screen) => screen.logs().is_some_and(flooded),
        None => flooded(&model.logs.view),
    }
}

/// The logs that are a part of a screen are of others now.
pub(in crate::tui) fn set_scope(
    model: &mut Model,
    seat: Seat,
    scope: Scope,
    commands: &mut Vec<Cmd>,
) {
    on_view(model, seat, commands, |view, _, asking| {
        match view.panes.first_mut() {
            Some(pane) => pane.rescope(|it| *it = scope, asking),
            None => view.panes.push(Pane::new(scope)),
        }
    });
}

/// All panes go to a moment; without one, to the end.
pub(in crate::tui) fn go(
    model: &mut Model,
    seat: Seat,
    at_ms: Option<u64>,
    commands: &mut Vec<Cmd>,
) {
    on_view(model, seat, commands, |view, areas, asking| {
        for n in 0..view.panes.len() {
            let shape = view.shape(areas, n);
            if let Some(pane) = view.panes.get_mut(n) {
                match at_ms {
                    Some(ms) => pane.open_at(ms, shape, asking),
                    None => pane.follow(asking),
                }
            }
        }
    });
}

/// What the mouse does with lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Grip {
    Press(Position),
    Drag(Position),
    Release,
}

/// The mouse on a view.
pub(in crate::tui) fn grip(model: &mut Model, seat: Seat, grip: Grip, commands: &mut Vec<Cmd>) {
    on_view(model, seat, commands, |view, areas, asking| {
        view.grip(grip, areas, asking);
    });
}

/// Asks for all that a view wants now.
pub(in crate::tui) fn touch(model: &mut Model, seat: Seat, commands: &mut Vec<Cmd>) {
    on_view(model, seat, commands, |_, _, _| {});
}

/// Works on the panes of a view.
pub(in crate::tui) fn on_panes(
    model: &mut Model,
    seat: Seat,
    commands: &mut Vec<Cmd>,
    mut work: impl FnMut(&mut Pane, &mut Asking<'_>),
) {
    on_view(model, seat, commands, |view, _, asking| {
        for pane in &mut view.panes {
            work(pane, asking);
        }
    });
}

/// Opens the view for what is marked, else for what is selected.
pub(in crate::tui) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    let scope = if model.marks.is_empty() {
        model.scope()
    } else {
        let ids: Vec<String> = model.marks.iter().map(ToString::to_string).collect();
        Some((ids.join(","), format!("{} marked", ids.len())))
    };
    let Some((select, name)) = scope else {
        return;
    };
    let pane = model.logs.pane().filter(|pane| pane.scope.select == select);
    let at = pane.and_then(Pane::stands_at);
    open_scope(model, select, name, at, commands);
}

/// Opens the view of a scope, as the API takes it and as it is called, at a moment. A view that is open on it already
/// goes there.
pub(in crate::tui) fn open_at(
    model: &mut Model,
    select: String,
    name: String,
    at_ms: u64,
    commands: &mut Vec<Cmd>,
) {
    open_scope(model, select, name, Some(at_ms), commands);
}

/// Opens the view of a scope; at a moment, if one is given.
pub(super) fn open_scope(
    model: &mut Model,
    select: String,
    name: String,
    at_ms: Option<u64>,
    commands: &mut Vec<Cmd>,
) {
    let same = |screen: &Screen| {
        let Screen::Logs(view) = screen else {
            return false;
        };
        view.panes.iter().any(|pane| pane.scope.select == select)
    };
    if !model.screens.last().is_some_and(same) {
        let scope = Scope {
            select,
            name,
            ..Scope::default()
        };
        let view = Box::new(LogView::new(scope));
        model.screens.push(Screen::Logs(view));
    }
    let seat = Seat::Screen(model.screens.len() - 1);
    on_view(model, seat, commands, |view, areas, asking| {
        let shape = view.shape(areas, view.at);
        if let (Some(ms), Some(pane)) = (at_ms, view.panes.get_mut(view.at)) {
            pane.open_at(ms, shape, asking);
        }
    });
}

pub(in crate::tui) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    let seat = Seat::Screen(model.screens.len().saturating_sub(1));
    act_at(model, seat, action, commands)
}

/// An action on a view.
pub(in crate::tui) fn act_at(
    model: &mut Model,
    seat: Seat,
    action: Action,
    commands: &mut Vec<Cmd>,
) -> Handled {
    if let Some(prompt) = Prompt::of(action, model) {
        model.mode = Mode::LogPrompt(prompt);
        return Handled::Yes;
    }
    // A remark lies on top of everything.
    if action == Action::Back && !model.toasts.is_empty() {
        return Handled::No;
    }
    let mut handled = Handled::No;
    on_view(model, seat, commands, |view, areas, asking| {
        handled = view.act(action, areas, asking);
    });
    if action == Action::Plain {
        model.mode = Mode::Plain;
    }
    handled
}
