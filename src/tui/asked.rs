//! What was asked of the daemon from here: for a look at it when nothing comes of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::api::Verb;
use crate::domain::names::{InstanceId, OperationId};

use super::model::{Ask, Model, Target};
use super::msg::Cmd;
use super::screens::{self, bulk::Part};

/// So many operations are remembered.
const KEPT: usize = 20;
/// After so many seconds without anything a look is offered.
const OFFERED: u64 = 10;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) operation: OperationId,
    pub(super) verb: Verb,
    pub(super) at: Duration,
    pub(super) parts: Vec<Part>,
}

impl Asked {
    /// What a yes begins now.
    pub(super) fn of(model: &Model, ask: &Ask, verb: Verb, operation: OperationId) -> Self {
        let rows = ask.targets.iter().filter_map(|(id, _)| model.rows.get(id));
        let parts = rows.map(|row| Part {
            id: row.view.id,
            name: row.name(),
            before: row.view.pid,
            told: None,
            took: None,
        });
        Self {
            operation,
            verb,
            at: model.now,
            parts: parts.collect(),
        }
    }

    fn is_about(&self, id: InstanceId) -> bool {
        self.parts.iter().any(|part| part.id == id)
    }
}

/// The last ones, the newest last.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct All(VecDeque<Asked>);

impl All {
    pub(super) fn add(&mut self, it: Asked) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(it);
    }

    /// The newest about one of these; without any, the newest.
    fn newest(&self, ids: &[InstanceId]) -> Option<&Asked> {
        let about = |it: &&Asked| ids.iter().any(|id| it.is_about(*id));
        let mut all = self.0.iter().rev();
        all.clone().find(about).or_else(|| all.next())
    }
}

/// Whether nothing has come of something for so long that a look is worth it.
pub(super) fn is_overdue(model: &Model) -> bool {
    let mut rows = model.rows.values();
    rows.any(|row| row.unanswered(model.now).is_some_and(|it| it >= OFFERED))
}

/// Shows what the daemon knows of the operation that waits: that of the selected one, or of whoever waits.
pub(super) fn look(model: &mut Model, commands: &mut Vec<Cmd>) {
    let selected: Vec<InstanceId> = match &model.selected {
        Some(Target::Instance(id)) => vec![*id],
        Some(Target::Process(key)) => {
            let members = model.members(key);
            members.iter().map(|row| row.view.id).collect()
        }
        None => vec![],
    };
    let waits = |id: &InstanceId| {
        let row = model.rows.get(id);
        row.is_some_and(|row| row.requested.is_some())
    };
    let ids: Vec<InstanceId> = if selected.iter().any(waits) {
        selected
    } else {
        model.rows.keys().copied().filter(waits).collect()
    };
    match model.asked.newest(&ids).cloned() {
        Some(it) => screens::bulk::look(model, it, commands),
        None => model.toast("nothing was asked for from here", false),
    }
}
