//! One verb on several instances: how far each is, what failed and why.

use std::time::Duration;

use crate::api::{Intent, OperationView, Progress, TargetView, Verb};
use crate::domain::names::{InstanceId, OperationId};
use crate::tui::keymap::Action;
use crate::tui::model::{Ask, Model, Tier};
use crate::tui::msg::Cmd;
use crate::tui::pose::pose;
use crate::tui::regions::regions;
use crate::tui::verbs::call;

use super::{Handled, Screen, scrolled};

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Part {
    pub(in crate::tui) id: InstanceId,
    pub(in crate::tui) name: String,
    /// Its pid before.
    pub(in crate::tui) before: Option<i32>,
    /// As the daemon told it last; none until it did.
    pub(in crate::tui) told: Option<TargetView>,
    /// How long it took, once it is settled.
    pub(in crate::tui) took: Option<Duration>,
}

impl Part {
    pub(in crate::tui) fn progress(&self) -> &Progress {
        self.told
            .as_ref()
            .map_or(&Progress::Pending, |told| &told.progress)
    }
}

/// The operation.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct BulkScreen {
    pub(in crate::tui) operation: OperationId,
    pub(in crate::tui) verb: Verb,
    pub(in crate::tui) begun: Duration,
    pub(in crate::tui) parts: Vec<Part>,
    pub(in crate::tui) cursor: usize,
    /// Why the daemon refused it as a whole.
    pub(in crate::tui) refused: Option<String>,
}

impl BulkScreen {
    /// How many are done, failed and neither.
    pub(in crate::tui) fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for part in &self.parts {
            match part.progress() {
                Progress::Done | Progress::Already | Progress::Left { .. } => counts.0 += 1,
                Progress::Failed { .. } => counts.1 += 1,
                Progress::Pending => counts.2 += 1,
            }
        }
        counts
    }

    fn failed(&self) -> Vec<InstanceId> {
        let failed = |part: &&Part| matches!(part.progress(), Progress::Failed { .. });
        self.parts
            .iter()
            .filter(failed)
            .map(|part| part.id)
            .collect()
    }
}

/// Opens the screen for what is begun now.
pub(in crate::tui) fn open(model: &mut Model, ask: &Ask, verb: Verb, operation: OperationId) {
    let parts = ask
        .targets
        .iter()
        .filter_map(|(id, _)| model.rows.get(id))
        .map(|row| Part {
            id: row.view.id,
            name: row.name(),
            before: row.view.pid,
            told: None,
            took: None,
        })
        .collect();
    model.screens.push(Screen::Bulk(BulkScreen {
        operation,
        verb,
        begun: model.now,
        parts,
        cursor: 0,
        refused: None,
    }));
}

/// What the daemon says of an operation.
pub(in crate::tui) fn told(model: &mut Model, view: &OperationView) {
    let now = model.now;
    for screen in &mut model.screens {
        if let Screen::Bulk(it) = screen
            && it.operation == view.operation
        {
            for part in &mut it.parts {
                if let Some(target) = view.targets.iter().find(|t| t.id == part.id) {
                    if target.progress.is_settled() && part.took.is_none() {
                        part.took = Some(now.saturating_sub(it.begun));
                    }
                    part.told = Some(target.clone());
                }
            }
        }
    }
}

/// The daemon did not take it.
pub(in crate::tui) fn refused(model: &mut Model, ids: &[InstanceId], why: &str) {
    for screen in &mut model.screens {
        if let Screen::Bulk(it) = screen
            && it
                .parts
                .iter()
                .all(|part| ids.contains(&part.id) && part.told.is_none())
        {
            it.refused = Some(why.to_owned());
        }
    }
}

pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    let page = usize::from(regions(model).screen.height);
    let Some(Screen::Bulk(it)) = model.screens.last_mut() else {
        return Handled::No;
    };
    if action == Action::RetryFailed {
        retry(model, commands);
        return Handled::Yes;
    }
    let last = it.parts.len().saturating_sub(1);
    match scrolled(it.cursor, action, page, last) {
        Some(to) => {
            it.cursor = to;
            Handled::Yes
        }
        None => Handled::No,
    }
}

/// Asks again for those that failed, and for no other.
fn retry(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Bulk(it)) = model.screens.last() else {
        return;
    };
    let (verb, failed) = (it.verb, it.failed());
    let targets: Vec<_> = failed
        .iter()
        .filter_map(|id| model.rows.get(id))
        .map(|row| (row.view.id, row.view.run))
        .collect();
    if targets.is_empty() {
        model.toast("nothing failed", false);
        return;
    }
    let select = targets.iter().map(|(id, _)| id.to_string()).collect();
    let name = format!("{} that failed", targets.len());
    let mut ask = Ask::new(Intent::Do(verb), name, select, targets);
    ask.word = failed.len().to_string();
    model.screens.pop();
    model.marks = failed.into_iter().collect();
    match verb {
        Verb::Start => call(model, &ask, commands),
        Verb::Stop | Verb::Restart | Verb::Kill | Verb::Delete => {
            pose(model, ask, Tier::Box, commands);
        }
    }
}
