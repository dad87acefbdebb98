//! The pane beside the table: what is selected, in more words than a row has.

use crate::api::Detail;
use crate::domain::names::{InstanceId, RunId};

use super::model::{Model, Row, Target};
use super::msg::Cmd;
use super::query::{Answer, Query, Ticket};
use super::regions::regions;

/// What is known of the selected instance beyond its row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct About {
    pub(super) id: InstanceId,
    /// Of this run it was asked.
    run: RunId,
    ticket: Ticket,
    pub(super) detail: Option<Box<Detail>>,
}

impl Model {
    /// The instance that the pane is about: what is selected, or the worst of a process.
    pub(super) fn in_pane(&self) -> Option<InstanceId> {
        match self.selected.as_ref()? {
            Target::Instance(id) => Some(*id),
            Target::Process(key) => self
                .members(key)
                .into_iter()
                .min_by_key(|row| (row.view.status.urgency(), row.view.instance))
                .map(|row| row.view.id),
        }
    }

    /// What the pane shows: it follows the selection when that has settled; without a connection at once.
    pub(super) fn pane_row(&self) -> Option<&Row> {
        let settled = self.about.as_ref().filter(|_| self.is_live());
        let id = settled.map(|it| it.id).or_else(|| self.in_pane())?;
        self.rows.get(&id)
    }

    /// Asks for what the pane lacks, if it is seen.
    pub(super) fn ask_for_pane(&mut self, commands: &mut Vec<Cmd>) {
        if !self.is_live() || regions(self).pane.is_none() {
            return;
        }
        let Some((id, run)) = self
            .in_pane()
            .and_then(|id| Some((id, self.rows.get(&id)?.view.run)))
        else {
            return;
        };
        if self
            .about
            .as_ref()
            .is_some_and(|it| it.id == id && it.run == run)
        {
            return;
        }
        let ticket = self.ticket();
        // What is known of an earlier run of the same instance stays until the answer is there.
        let detail = self
            .about
            .take()
            .filter(|it| it.id == id)
            .and_then(|it| it.detail);
        self.about = Some(About {
            id,
            run,
            ticket,
            detail,
        });
        commands.push(Cmd::Fetch {
            ticket,
            query: Query::Detail {
                select: id.to_string(),
            },
        });
    }

    /// An answer, if it is for the pane.
    pub(super) fn told_for_pane(&mut self, ticket: Ticket, answer: &Result<Answer, String>) {
        if let Some(about) = &mut self.about
            && about.ticket == ticket
            && let Ok(Answer::Detail(list)) = answer
        {
            let found = list.iter().find(|detail| detail.instance.id == about.id);
            about.detail = found.cloned().map(Box::new);
        }
    }
}
