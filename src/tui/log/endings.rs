//! How the runs ended that lines of a log are of, for the rule between two of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::{InstanceId, RunId};
use crate::tui::msg::Cmd;
use crate::tui::query::{Query, Ticket};

use super::gather::Asking;

/// What is told of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Told {
    pub(in crate::tui) id: InstanceId,
    pub(in crate::tui) run: RunId,
    /// How it ended; none while it goes on, or when nobody saw it.
    pub(in crate::tui) end: Option<String>,
    /// At whose word it began.
    pub(in crate::tui) begun_by: Option<String>,
}

/// What is known of runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Endings {
    told: BTreeMap<(InstanceId, RunId), Told>,
    /// A run is asked about once: what is not remembered is not asked for again and again.
    asked: BTreeSet<(InstanceId, RunId)>,
    waits: Option<Ticket>,
}

impl Endings {
    pub(in crate::tui) fn is_for(&self, ticket: Ticket) -> bool {
        self.waits == Some(ticket)
    }

    /// What is known of a run.
    pub(in crate::tui) fn of(&self, id: InstanceId, run: RunId) -> Option<&Told> {
        self.told.get(&(id, run))
    }

    /// Asks about those of these that were not asked about; one question at a time.
    pub(in crate::tui) fn ask(
        &mut self,
        runs: impl Iterator<Item = (InstanceId, RunId)>,
        asking: &mut Asking<'_>,
    ) {
        if self.waits.is_some() || !asking.live {
            return;
        }
        let new: BTreeSet<_> = runs.filter(|run| !self.asked.contains(run)).collect();
        if new.is_empty() {
            return;
        }
        let ids: BTreeSet<InstanceId> = new.iter().map(|(id, _)| *id).collect();
        let select = ids.iter().map(ToString::to_string).collect();
        self.asked.extend(new);
        let ticket = asking.tickets.next();
        self.waits = Some(ticket);
        let query = Query::Endings { select };
        asking.commands.push(Cmd::Fetch { ticket, query });
    }

    /// What the daemon said, if it did.
    pub(in crate::tui) fn take(&mut self, told: Vec<Told>) {
        self.waits = None;
        let told = told.into_iter().map(|it| ((it.id, it.run), it));
        self.told.extend(told);
    }

    /// Nobody answers what was asked before.
    pub(in crate::tui) fn forget_question(&mut self) {
        if self.waits.take().is_some() {
            self.asked.clear();
        }
    }
}
