//! The full-screen log view: one pane or several, what is looked for in them, and what stands below.

mod actions;
mod areas;
mod hear;
mod prompt;
mod seek;

use ratatui::layout::{Position, Rect};

use crate::api::Level;
use crate::logs::safe::SafeText;
use crate::tui::keymap::Action;
use crate::tui::log::{
    Asking, Controls, Endings, Hunt, Number, Pane, Scope, Shape, Similar, Strip, Times, Words,
};
use crate::tui::log_pane;
use crate::tui::model::{Focus, Mode, Model};
use crate::tui::msg::Cmd;
use crate::tui::query::Ticket;
use crate::tui::regions::regions;
use crate::tui::view::screens::detail::log_area as detail_logs;
use crate::tui::view::screens::rolling::log_area as rolling_logs;

use super::{Handled, Screen};

pub(in crate::tui) use areas::{Areas, areas, gutter, strip_columns};
pub(in crate::tui) use hear::{
    due, fetched, happened, joined, news, owns, reconnected, stream_over, streamed, tick,
};
pub(in crate::tui) use prompt::{Prompt, prompt_key, prompt_paste};
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

/// Where a view stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Seat {
    /// Below the table of the main screen.
    Main,
    /// The screen at this place of the stack.
    Screen(usize),
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

/// Works on a view: with somebody to ask, and afterwards all is asked for that is wanted now.
fn on_view(
    model: &mut Model,
    seat: Seat,
    commands: &mut Vec<Cmd>,
    work: impl FnOnce(&mut LogView, &Areas, &mut Asking<'_>),
) {
    let area = area(model, seat);
    // For a pane that nobody sees nothing is asked.
    let live = model.is_live() && is_seen(model, seat);
    let view = match seat {
        Seat::Main => &mut model.logs.view,
        Seat::Screen(n) => match model.screens.get_mut(n).and_then(Screen::logs_mut) {
            Some(view) => view,
            None => return,
        },
    };
    let mut asking = Asking {
        tickets: &mut model.tickets,
        commands,
        live,
        now: model.now,
        wall_ms: model.wall_ms,
        remarks: vec![],
    };
    let before = areas(view, area);
    work(view, &before, &mut asking);
    view.settle(&areas(view, area), &mut asking);
    let remarks = asking.remarks;
    for (text, bad) in remarks {
        model.toast(text, bad);
    }
}

/// Where a view is drawn; of no height when it is not.
fn area(model: &Model, seat: Seat) -> Rect {
    let places = regions(model);
    match seat {
        Seat::Main => places.log_pane(),
        Seat::Screen(n) => match model.screens.get(n) {
            Some(Screen::Detail(it)) => detail_logs(places.screen, it.tab),
            Some(Screen::Rolling(it)) => rolling_logs(places.screen, model, it),
            Some(_) | None => places.screen,
        },
    }
}

/// Whether somebody sees it; one that has the whole screen goes on below others.
fn is_seen(model: &Model, seat: Seat) -> bool {
    let on_top = match seat {
        Seat::Main => !log_pane::is_covered(model),
        Seat::Screen(n) => match model.screens.get(n) {
            Some(Screen::Logs(_)) => return true,
            Some(_) | None => n + 1 == model.screens.len(),
        },
    };
    on_top && area(model, seat).height > 1
}

/// Views that are parts of other screens listen while they are seen; seen again, they go on where they ended.
pub(in crate::tui) fn listen_while_seen(model: &mut Model, commands: &mut Vec<Cmd>) {
    let live = model.is_live();
    for seat in std::iter::once(Seat::Main).chain(parts(model)) {
        let seen = is_seen(model, seat);
        let view = match seat {
            Seat::Main => Some(&model.logs.view),
            Seat::Screen(n) => model.screens.get(n).and_then(Screen::logs),
        };
        let Some(pane) = view.and_then(LogView::pane) else {
            continue;
        };
        let listens = pane.is_listening();
        let rests = !listens && !pane.is_asking() && pane.due.is_none();
        if !seen && listens {
            on_panes(model, seat, commands, |pane, asking| pane.hush(asking));
        } else if seen && rests && live {
            on_panes(model, seat, commands, |pane, asking| pane.reopen(asking));
        }
    }
}

/// All views show controls as the model says.
pub(in crate::tui) fn share_controls(model: &mut Model) {
    model.logs.view.controls = model.controls;
    for screen in &mut model.screens {
        if let Some(view) = screen.logs_mut() {
            view.controls = model.controls;
        }
    }
}

/// Whose lines are on the screen.
pub(in crate::tui) fn shown(model: &Model) -> Vec<Scope> {
    let seats = std::iter::once(Seat::Main).chain((0..model.screens.len()).map(Seat::Screen));
    let seen = seats.filter(|seat| match seat {
        Seat::Main => is_seen(model, *seat),
        Seat::Screen(n) => n + 1 == model.screens.len() && is_seen(model, *seat),
    });
    let views = seen.filter_map(|seat| match seat {
        Seat::Main => Some(&model.logs.view),
        Seat::Screen(n) => model.screens.get(n).and_then(Screen::logs),
    });
    let panes = views.flat_map(|view| &view.panes);
    panes.map(|pane| pane.scope.clone()).collect()
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

/// Where there are details of an instance, which have logs.
pub(in crate::tui) fn details(model: &Model) -> Vec<Seat> {
    let screens = model.screens.iter().enumerate();
    screens
        .filter(|(_, screen)| matches!(screen, Screen::Detail(_)))
        .map(|(n, _)| Seat::Screen(n))
        .collect()
}

/// Where logs are a part of a screen.
fn parts(model: &Model) -> Vec<Seat> {
    let screens = model.screens.iter().enumerate();
    screens
        .filter(|(_, screen)| !matches!(screen, Screen::Logs(_)) && screen.logs().is_some())
        .map(|(n, _)| Seat::Screen(n))
        .collect()
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

/// The view that has the keys.
fn with_the_keys(model: &Model) -> Option<(Seat, &LogView)> {
    match model.screens.last() {
        Some(Screen::Logs(view)) => Some((Seat::Screen(model.screens.len() - 1), view)),
        None if model.focus == Focus::Logs => Some((Seat::Main, &model.logs.view)),
        Some(_) | None => None,
    }
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
