//! Posing a question: how hard it is to answer with yes, and what a yes would do.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::{Count, Intent, PlanQuery, PlanView, Verb};
use crate::domain::names::{InstanceId, ProcessKey, RunId};
use crate::domain::selector::Selector;

use super::company::lock;
use super::model::{Mode, Model, Row};
use super::msg::Cmd;
use super::query::{Query, Ticket};
use super::verbs::{call, is_refused};

/// How hard a question is to answer with yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// In the footer; `y`.
    Footer,
    /// A box; `y`.
    Box,
    /// A box; the name, or how many there are, has to be typed.
    Name,
}

/// A question. Its targets were fixed when it was asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) tier: Tier,
    pub(super) what: Intent,
    pub(super) name: String,
    /// What the API selects.
    pub(super) select: Vec<String>,
    /// What has to be typed, where the tier wants that.
    pub(super) word: String,
    pub(super) targets: Vec<(InstanceId, RunId)>,
    /// How many instances there were, where their number is to change.
    pub(super) from: u32,
    /// Whether something of it is protected: that is said with the answer.
    pub(super) protected: bool,
    /// What it would do, as far as the daemon has told.
    pub(super) plan: Option<PlanView>,
    /// The questions to the daemon about that; the last one also looks who is connected.
    pub(super) tickets: Vec<Ticket>,
    pub(super) typed: String,
    /// When its first frame was on the screen.
    pub(super) shown: Option<Duration>,
    pub(super) asked: Duration,
}

fn tier(model: &Model, what: Intent, targets: usize) -> Tier {
    let everything = targets > 1 && targets == model.rows.len();
    match what {
        Intent::Do(Verb::Delete) => Tier::Name,
        Intent::Do(Verb::Kill) if targets > 1 => Tier::Name,
        Intent::Do(Verb::Stop) if everything => Tier::Name,
        Intent::Do(Verb::Kill) | Intent::Send(_) | Intent::Roll { .. } => Tier::Box,
        Intent::Do(_) | Intent::Scale { .. } if targets > 1 => Tier::Box,
        Intent::Do(_) | Intent::Scale { .. } => Tier::Footer,
    }
}

/// Asks whether to do this to these, in proportion to what it would do; starting needs no answer.
pub(super) fn ask(
    model: &mut Model,
    what: Intent,
    targets: Vec<(InstanceId, RunId)>,
    name: String,
    select: Vec<String>,
    commands: &mut Vec<Cmd>,
) {
    if is_refused(model) {
        return;
    }
    let tier = tier(model, what, targets.len());
    let whole = what == Intent::Do(Verb::Delete) && model.marks.is_empty() && select.len() == 1;
    let word = match targets.as_slice() {
        [_, _, ..] if !whole => targets.len().to_string(),
        _ => name.clone(),
    };
    let mut ask = Ask::new(what, name, select, targets);
    ask.word = word;
    if what == Intent::Do(Verb::Start) {
        call(model, &ask, commands);
    } else {
        pose(model, ask, tier, commands);
    }
}

impl Ask {
    /// A question that is not posed yet.
    pub(super) fn new(
        what: Intent,
        name: String,
        select: Vec<String>,
        targets: Vec<(InstanceId, RunId)>,
    ) -> Self {
        Self {
            tier: Tier::Box,
            what,
            word: name.clone(),
            name,
            select,
            targets,
            from: 0,
            protected: false,
            plan: None,
            tickets: Vec::new(),
            typed: String::new(),
            shown: None,
            asked: Duration::ZERO,
        }
    }

    /// Whether it would end instances, or their definition.
    fn is_hard(&self) -> bool {
        match self.what {
            Intent::Do(Verb::Start) => false,
            Intent::Scale { to: Count::To(to) } => to < self.from,
            Intent::Do(_) | Intent::Roll { .. } | Intent::Send(_) | Intent::Scale { .. } => true,
        }
    }
}

/// Poses a question, as hard to answer as it has to be here, and has the daemon say what a yes would do.
pub(super) fn pose(model: &mut Model, mut ask: Ask, tier: Tier, commands: &mut Vec<Cmd>) {
    let rows = ask.targets.iter().filter_map(|(id, _)| model.rows.get(id));
    let rows: Vec<&Row> = rows.collect();
    let hard = ask.is_hard();
    ask.protected = hard && rows.iter().any(|row| row.view.protected);
    let keys: BTreeSet<ProcessKey> = rows.iter().map(|row| row.key()).collect();
    let several_there = hard && model.host.label.is_some() && keys.len() > 1;
    let ids: Vec<InstanceId> = ask.targets.iter().map(|(id, _)| *id).collect();
    let locked = lock(model, &ids).is_some();
    ask.tier = match (tier, model.host.strict) {
        _ if ask.protected || several_there => Tier::Name,
        // There is room to say who is at it.
        (Tier::Footer, false) if locked => Tier::Box,
        (Tier::Footer, true) => Tier::Box,
        (Tier::Box, true) if hard => Tier::Name,
        (tier, _) => tier,
    };
    ask.asked = model.now;
    let select: Result<Vec<Selector>, _> = ask.select.iter().map(|word| word.parse()).collect();
    if let (Ok(select), true) = (select, ask.tier != Tier::Footer) {
        for connections in [false, true] {
            let ticket = model.ticket();
            ask.tickets.push(ticket);
            commands.push(Cmd::Fetch {
                ticket,
                query: Query::Plan(PlanQuery {
                    what: ask.what,
                    select: select.clone(),
                    connections,
                }),
            });
        }
    }
    model.mode = Mode::Ask(Box::new(ask));
}

/// What a yes would do, for the question that is still open.
pub(super) fn planned(model: &mut Model, ticket: Ticket, plan: PlanView) {
    if let Mode::Ask(ask) = &mut model.mode
        && ask.tickets.contains(&ticket)
    {
        // The quick answer may come after the one that looked.
        let looked = ask.plan.as_ref().is_some_and(looked);
        if !looked {
            ask.plan = Some(plan);
        }
        ask.tickets.retain(|other| *other != ticket);
    }
}

/// Whether somebody looked who is connected.
fn looked(plan: &PlanView) -> bool {
    plan.processes.iter().any(|process| process.ports.is_some())
}
