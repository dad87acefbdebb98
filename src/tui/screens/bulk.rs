//! One verb on several instances: how far each is, what failed and why.

use std::time::Duration;

use crate::api::{Intent, OperationView, Progress, TargetView, Verb};
use crate::domain::names::{InstanceId, OperationId};
use crate::tui::asked::Asked;
use crate::tui::keymap::Action;
use crate::tui::model::{Ask, Model, Tier};
use crate::tui::msg::Cmd;
use crate::tui::pose::pose;
use crate::tui::query::{Answer, Query, Ticket};
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
    /// Why the daemon refused it as a whole, or knows nothing of it.
    pub(in crate::tui) refused: Option<String>,
    /// The state folder has not taken it yet.
    pub(in crate::tui) unrecorded: bool,
    /// The daemon is asked how far it is; none when what it pushes is enough.
    look: Option<Look>,
}

/// A question how far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    ticket: Ticket,
    at: Duration,
    /// It was answered.
    told: bool,
}

/// The daemon is asked again this long after the question before.
const AGAIN: Duration = Duration::from_secs(2);

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

    fn ask(&mut self, ticket: Ticket, at: Duration, commands: &mut Vec<Cmd>) {
        self.look = Some(Look {
            ticket,
            at,
            told: false,
        });
        let query = Query::Operation(self.operation.clone());
        commands.push(Cmd::Fetch { ticket, query });
    }

    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        self.look.is_some_and(|look| look.ticket == ticket)
    }

    /// The daemon's answer.
    pub(super) fn take(&mut self, answer: Result<Answer, String>, now: Duration) {
        if let Some(look) = &mut self.look {
            look.told = true;
        }
        match answer {
            Ok(Answer::Operation(view)) => self.told(&view, now),
            Ok(_) => {}
            Err(why) => self.refused = Some(why),
        }
    }

    fn told(&mut self, view: &OperationView, now: Duration) {
        self.unrecorded = view.recorded == "pending";
        for part in &mut self.parts {
            if let Some(target) = view.targets.iter().find(|t| t.id == part.id) {
                if target.progress.is_settled() && part.took.is_none() {
                    part.took = Some(now.saturating_sub(self.begun));
                }
                part.told = Some(target.clone());
            }
        }
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
pub(in crate::tui) fn open(model: &mut Model, asked: Asked) {
    model.screens.push(Screen::Bulk(BulkScreen {
        operation: asked.operation,
        verb: asked.verb,
        begun: asked.at,
        parts: asked.parts,
        cursor: 0,
        refused: None,
        unrecorded: false,
        look: None,
    }));
}

/// Opens the screen for what was begun before, and asks the daemon what it knows of it.
pub(in crate::tui) fn look(model: &mut Model, asked: Asked, commands: &mut Vec<Cmd>) {
    open(model, asked);
    let (ticket, now) = (model.ticket(), model.now);
    if let Some(Screen::Bulk(it)) = model.screens.last_mut() {
        it.ask(ticket, now, commands);
    }
}

/// Asks again after a while, as long as something is on the way.
pub(in crate::tui) fn refresh(model: &mut Model, commands: &mut Vec<Cmd>) {
    let due = next_due(model).is_some_and(|due| due <= model.now);
    if due && model.is_live() {
        let (ticket, now) = (model.ticket(), model.now);
        if let Some(Screen::Bulk(it)) = model.screens.last_mut() {
            it.ask(ticket, now, commands);
        }
    }
}

/// When that is.
pub(in crate::tui) fn next_due(model: &Model) -> Option<Duration> {
    let Some(Screen::Bulk(it)) = model.screens.last() else {
        return None;
    };
    let look = it.look.as_ref().filter(|look| look.told)?;
    let (_, _, running) = it.counts();
    (running > 0 && it.refused.is_none() && model.is_live()).then_some(look.at + AGAIN)
}

/// What the daemon says of an operation.
pub(in crate::tui) fn told(model: &mut Model, view: &OperationView) {
    let now = model.now;
    for screen in &mut model.screens {
        if let Screen::Bulk(it) = screen
            && it.operation == view.operation
        {
            it.told(view, now);
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
