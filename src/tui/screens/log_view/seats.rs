//! Where views stand: on which screen, whether anybody sees them, and work on one of them.

use ratatui::layout::Rect;

use crate::tui::log::{Asking, Scope};
use crate::tui::log_pane;
use crate::tui::model::{Focus, Model};
use crate::tui::msg::Cmd;
use crate::tui::regions::regions;
use crate::tui::screens::Screen;
use crate::tui::view::screens::detail::log_area as detail_logs;
use crate::tui::view::screens::rolling::log_area as rolling_logs;

use super::{Areas, LogView, areas, on_panes};

/// Where a view stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Seat {
    /// Below the table of the main screen.
    Main,
    /// Below that: what is pinned.
    Pinned,
    /// The screen at this place of the stack.
    Screen(usize),
}

/// Every view there is.
pub(super) fn seats(model: &Model) -> impl Iterator<Item = Seat> + use<> {
    let screens = (0..model.screens.len()).map(Seat::Screen);
    [Seat::Main, Seat::Pinned].into_iter().chain(screens)
}

/// The view that stands there.
pub(super) fn view(model: &Model, seat: Seat) -> Option<&LogView> {
    match seat {
        Seat::Main => Some(&model.logs.view),
        Seat::Pinned => Some(&model.pinned.view),
        Seat::Screen(n) => model.screens.get(n).and_then(Screen::logs),
    }
}

/// Works on a view: with somebody to ask, and afterwards all is asked for that is wanted now.
pub(super) fn on_view(
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
        Seat::Pinned => &mut model.pinned.view,
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
        Seat::Pinned => places.pinned_pane(),
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
        Seat::Main | Seat::Pinned => !log_pane::is_covered(model),
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
    let whole = |seat: &Seat| match seat {
        Seat::Screen(n) => matches!(model.screens.get(*n), Some(Screen::Logs(_))),
        Seat::Main | Seat::Pinned => false,
    };
    let parts: Vec<Seat> = seats(model).filter(|seat| !whole(seat)).collect();
    for seat in parts {
        let seen = is_seen(model, seat);
        let Some(pane) = view(model, seat).and_then(LogView::pane) else {
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
    model.pinned.view.controls = model.controls;
    for screen in &mut model.screens {
        if let Some(view) = screen.logs_mut() {
            view.controls = model.controls;
        }
    }
}

/// Whose lines are on the screen.
pub(in crate::tui) fn shown(model: &Model) -> Vec<Scope> {
    let seen = seats(model).filter(|seat| match seat {
        Seat::Main | Seat::Pinned => is_seen(model, *seat),
        Seat::Screen(n) => n + 1 == model.screens.len() && is_seen(model, *seat),
    });
    let views = seen.filter_map(|seat| view(model, seat));
    let panes = views.flat_map(|view| &view.panes);
    panes.map(|pane| pane.scope.clone()).collect()
}

/// Where there are details of an instance, which have logs.
pub(in crate::tui) fn details(model: &Model) -> Vec<Seat> {
    let screens = model.screens.iter().enumerate();
    screens
        .filter(|(_, screen)| matches!(screen, Screen::Detail(_)))
        .map(|(n, _)| Seat::Screen(n))
        .collect()
}

/// The view that has the keys.
pub(super) fn with_the_keys(model: &Model) -> Option<(Seat, &LogView)> {
    match model.screens.last() {
        Some(Screen::Logs(view)) => Some((Seat::Screen(model.screens.len() - 1), view)),
        None if model.focus == Focus::Logs => Some((Seat::Main, &model.logs.view)),
        Some(_) | None => None,
    }
}
