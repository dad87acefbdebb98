//! The pinned log: one more pane on a large screen, of what was pinned, else of what is worst.

use std::time::Duration;

use crate::api::Status;
use crate::domain::names::InstanceId;

use super::log::{Asking, Pane, Scope};
use super::model::{Model, Row, Target};
use super::msg::Cmd;
use super::regions::is_roomy;
use super::screens::log_view::{self, LogView, Seat};

/// What failed is looked at until it has run so long: else the pane would come and go with each attempt.
const CALM: Duration = Duration::from_secs(60);

/// The pane.
#[derive(Debug, Clone)]
pub(super) struct Pinned {
    /// What somebody pinned.
    chosen: Option<Target>,
    /// What is shown while nobody did.
    worst: Option<InstanceId>,
    /// Without a pane when nothing is shown.
    pub(super) view: LogView,
}

impl Default for Pinned {
    fn default() -> Self {
        Self {
            chosen: None,
            worst: None,
            view: LogView::embedded(),
        }
    }
}

impl Pinned {
    /// Whether there is anything to show.
    pub(super) fn is_there(&self) -> bool {
        !self.view.panes.is_empty()
    }

    /// Whether somebody pinned it.
    pub(super) fn is_chosen(&self) -> bool {
        self.chosen.is_some()
    }

    pub(super) fn pane(&self) -> Option<&Pane> {
        self.view.pane()
    }

    /// The instance that it is of, if it is of one.
    pub(super) fn instance(&self) -> Option<InstanceId> {
        match &self.chosen {
            Some(Target::Instance(id)) => Some(*id),
            Some(Target::Process(_)) => None,
            None => self.worst,
        }
    }
}

fn has_failed(row: &Row) -> bool {
    matches!(row.view.status, Status::Errored | Status::Backoff)
}

/// Whether it is well again, or at rest.
fn is_calm(row: &Row, now_ms: u64) -> bool {
    match row.view.status {
        Status::Errored | Status::Backoff | Status::Starting | Status::Restarting => false,
        Status::Running => {
            let for_ms = now_ms.saturating_sub(row.view.since_ms);
            for_ms >= u64::try_from(CALM.as_millis()).unwrap_or(u64::MAX)
        }
        Status::Stopping | Status::Stopped | Status::Exited | Status::Orphaned => true,
    }
}

/// What is shown while nobody pinned anything: what was shown, until it is well; else what is worst.
fn worst(model: &Model) -> Option<InstanceId> {
    let now = model.told_ms();
    let kept = model.pinned.worst.and_then(|id| model.rows.get(&id));
    if let Some(row) = kept.filter(|row| !is_calm(row, now)) {
        return Some(row.view.id);
    }
    let failed = model.rows.values().filter(|row| has_failed(row));
    let worst = failed.min_by_key(|row| (row.view.status.urgency(), row.view.id));
    worst.map(|row| row.view.id)
}

/// Shows what is to be shown now.
pub(super) fn refresh(model: &mut Model, commands: &mut Vec<Cmd>) {
    let gone = match &model.pinned.chosen {
        Some(target) => model.scope_of(target).is_none(),
        None => false,
    };
    if gone {
        model.pinned.chosen = None;
    }
    model.pinned.worst = worst(model);
    let target = model.pinned.chosen.clone();
    let target = target.or(model.pinned.worst.map(Target::Instance));
    let scope = target.and_then(|target| model.scope_of(&target));
    let shown = model.pinned.pane().map(|pane| &pane.scope);
    let same = match (&scope, shown) {
        (Some((select, name)), Some(shown)) => *select == shown.select && *name == shown.name,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if same {
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
    model.pinned.view.leave(&mut asking);
    if let Some((select, name)) = scope {
        model.pinned.view.panes = vec![Pane::new(Scope {
            select,
            name,
            ..Scope::default()
        })];
    }
    log_view::touch(model, Seat::Pinned, commands);
}

/// Pins what is selected; what is pinned already is let go of.
pub(super) fn pin(model: &mut Model) {
    let Some(target) = model.selected.clone() else {
        return;
    };
    let Some((_, name)) = model.scope_of(&target) else {
        return;
    };
    if model.pinned.chosen.as_ref() == Some(&target) {
        model.pinned.chosen = None;
        return model.toast(format!("{name} is not pinned any more"), false);
    }
    model.pinned.chosen = Some(target);
    let text = if is_roomy(model) {
        format!("the log of {name} is pinned; the same again lets go of it")
    } else {
        format!("the log of {name} is pinned: it is shown from 160 columns and 50 lines on")
    };
    model.toast(text, false);
}
