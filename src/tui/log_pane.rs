//! The log pane of the main screen: a log view of what is selected, which it follows when the selection has settled.

use std::collections::VecDeque;
use std::time::Duration;

use super::keymap::Action;
use super::log::{Anchor, Asking, Pane, Scope};
use super::model::Model;
use super::msg::Cmd;
use super::screens::log_view::{self, LogView, Seat};
use super::screens::{Handled, Screen};

/// So many places of logs that were left are remembered.
const PLACES: usize = 64;

/// The pane.
#[derive(Debug, Clone)]
pub(super) struct LogPane {
    /// Without a pane when nothing is selected.
    pub(super) view: LogView,
    /// Where logs were left that were not followed, the newest last.
    places: VecDeque<(String, Anchor)>,
    /// When it looks at what is selected: a little after the last move.
    pub(super) due: Option<Duration>,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            view: LogView::embedded(),
            places: VecDeque::new(),
            due: None,
        }
    }
}

impl LogPane {
    pub(super) fn pane(&self) -> Option<&Pane> {
        self.view.pane()
    }

    /// What the API selects, and what it is called.
    fn scope(&self) -> Option<(&str, &str)> {
        let scope = &self.pane()?.scope;
        Some((&scope.select, &scope.name))
    }

    /// Another scope: what was shown goes. One that was left where it was not followed is found there again.
    fn open(&mut self, scope: Option<(String, String)>, asking: &mut Asking<'_>) {
        let (mut stream, mut level) = (None, None);
        if let Some(old) = self.view.leave(asking) {
            (stream, level) = (old.scope.stream, old.scope.level);
            let place = old.anchor();
            let select = old.scope.select;
            self.places.retain(|(known, _)| *known != select);
            if let Some(place) = place {
                if self.places.len() == PLACES {
                    self.places.pop_front();
                }
                self.places.push_back((select, place));
            }
        }
        let Some((select, name)) = scope else {
            return;
        };
        let known = self.places.iter().find(|(known, _)| *known == select);
        let place = known.map(|(_, place)| *place);
        let mut pane = Pane::new(Scope {
            select,
            name,
            stream,
            level,
            ..Scope::default()
        });
        if let Some(place) = place {
            pane.return_to(place, asking);
        }
        self.view.panes = vec![pane];
    }
}

/// Looks at what is selected now.
pub(super) fn follow_selection(model: &mut Model, commands: &mut Vec<Cmd>) {
    let scope = model.scope();
    let now = scope.as_ref().map(|(a, b)| (a.as_str(), b.as_str()));
    if now == model.logs.scope() {
        return;
    }
    let live = model.is_live();
    let mut asking = Asking {
        tickets: &mut model.tickets,
        commands,
        live,
        now: model.now,
        wall_ms: model.wall_ms,
        remarks: vec![],
    };
    model.logs.open(scope, &mut asking);
    log_view::touch(model, Seat::Main, commands);
}

/// Whether a screen lies on top of it.
pub(super) fn is_covered(model: &Model) -> bool {
    !matches!(model.screens.last(), None | Some(Screen::Form(_)))
}

/// Reads what is missing before the line that is pointed at, if anything is.
fn fill_gap(model: &mut Model, commands: &mut Vec<Cmd>) -> Handled {
    let mut handled = Handled::No;
    log_view::on_panes(model, Seat::Main, commands, |pane, asking| {
        if !pane.is_following() && pane.fill_gap(asking) {
            handled = Handled::Yes;
        }
    });
    handled
}

/// A key while the pane has the keys.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other actions are of the view, or not of logs"
)]
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    match action {
        Action::NextPane | Action::PreviousPane => Handled::No,
        Action::ReadLogs => fill_gap(model, commands),
        // What takes the whole screen gets it.
        Action::PaneAdd | Action::PaneClose | Action::PaneArrange | Action::Whole => {
            log_view::open(model, commands);
            log_view::act(model, action, commands)
        }
        _ => log_view::act_at(model, Seat::Main, action, commands),
    }
}
