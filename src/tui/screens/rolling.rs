//! A rolling restart: the plan before a yes, then how far it is. It goes on in the daemon whoever looks.

use std::time::Duration;

use crate::api::{Act, Intent, OperationView, Rolling, RolloutControl, RolloutView, Verb, Whole};
use crate::domain::names::{OperationId, ProcessKey};
use crate::domain::selector::Selector;
use crate::tui::keymap::Action;
use crate::tui::model::{Ask, Model, Row, Target, Tier};
use crate::tui::msg::Cmd;
use crate::tui::pose::pose;
use crate::tui::regions::regions;
use crate::tui::verbs::is_refused;

use super::{Handled, Screen, scrolled};

/// A `y` that was typed before the plan could be read is none.
const SEEN: Duration = Duration::from_millis(150);
/// A question is withdrawn after this.
const EXPIRES: Duration = Duration::from_secs(5);
/// How many operations are remembered.
const REMEMBERED: usize = 32;

/// What the daemon told of an operation with rolling restarts.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Told {
    pub(in crate::tui) view: OperationView,
    /// When, for countdowns.
    pub(in crate::tui) at: Duration,
}

/// The screen of one process.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct RollingScreen {
    pub(in crate::tui) key: ProcessKey,
    pub(in crate::tui) opened: Duration,
    /// How many may be down at once because of it.
    pub(in crate::tui) most: u32,
    /// None while it is only a plan.
    pub(in crate::tui) operation: Option<OperationId>,
    /// Since when it is asked whether to abort it.
    pub(in crate::tui) aborting: Option<Duration>,
    /// Why the daemon did not take it.
    pub(in crate::tui) refused: Option<String>,
    pub(in crate::tui) scroll: usize,
}

impl RollingScreen {
    /// How far it is, and when that was told.
    pub(in crate::tui) fn progress<'m>(
        &self,
        model: &'m Model,
    ) -> Option<(&'m RolloutView, Duration)> {
        let told = model.rollouts.get(self.operation.as_ref()?)?;
        let own = |view: &&RolloutView| view.process == self.key.to_string();
        let view = told.view.rollouts.iter().find(own)?;
        Some((view, told.at))
    }

    /// The instances that a plan is about.
    pub(in crate::tui) fn planned<'m>(&self, model: &'m Model) -> Vec<&'m Row> {
        model.members(&self.key)
    }
}

/// The rolling restarts that are under way, for the header.
pub(in crate::tui) fn under_way(model: &Model) -> Vec<&RolloutView> {
    let all = model.rollouts.values().flat_map(|told| &told.view.rollouts);
    all.filter(|rollout| !rollout.over).collect()
}

/// Opens the one of the selected process, or the plan of one.
pub(in crate::tui) fn open(model: &mut Model) {
    let key = match &model.selected {
        Some(Target::Process(key)) => key.clone(),
        Some(Target::Instance(id)) => match model.rows.get(id) {
            Some(row) => row.key(),
            None => return,
        },
        None => return,
    };
    let name = key.to_string();
    let active = |told: &&Told| {
        let mut rollouts = told.view.rollouts.iter();
        rollouts.any(|rollout| rollout.process == name && !rollout.over)
    };
    let operation = model.rollouts.values().find(active);
    let operation = operation.map(|told| told.view.operation.clone());
    if operation.is_none() && is_refused(model) {
        return;
    }
    model.screens.push(Screen::Rolling(RollingScreen {
        key,
        opened: model.now,
        most: 1,
        operation,
        aborting: None,
        refused: None,
        scroll: 0,
    }));
}

/// What the daemon says of an operation.
pub(in crate::tui) fn told(model: &mut Model, view: &OperationView) {
    if view.rollouts.is_empty() {
        return;
    }
    let told = Told {
        view: view.clone(),
        at: model.now,
    };
    let before = model.rollouts.insert(view.operation.clone(), told);
    let was = |name: &str| {
        let before = before.as_ref()?;
        let mut rollouts = before.view.rollouts.iter();
        rollouts.find(|r| r.process == name).map(|r| r.state)
    };
    for rollout in &view.rollouts {
        if rollout.state == Whole::Halted && was(&rollout.process) != Some(Whole::Halted) {
            let why = rollout.why.as_deref().unwrap_or("one failed");
            let text = format!("the rolling restart of {} halted: {why}", rollout.process);
            model.toast(text, true);
        }
    }
    if model.rollouts.len() > REMEMBERED {
        let oldest = model
            .rollouts
            .values()
            .filter(|told| told.view.done)
            .min_by_key(|told| told.at)
            .map(|told| told.view.operation.clone());
        if let Some(oldest) = oldest {
            model.rollouts.remove(&oldest);
        }
    }
}

/// The daemon did not take what was asked.
pub(in crate::tui) fn refused(model: &mut Model, why: &str) {
    let rollouts = &model.rollouts;
    for screen in &mut model.screens {
        if let Screen::Rolling(it) = screen
            && let Some(operation) = &it.operation
            && !rollouts.contains_key(operation)
        {
            it.operation = None;
            it.refused = Some(why.to_owned());
        }
    }
}

/// When a question has to be withdrawn.
pub(in crate::tui) fn next_due(model: &Model) -> Option<Duration> {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return None;
    };
    it.aborting.map(|asked| asked + EXPIRES)
}

/// Time passed.
pub(in crate::tui) fn tick(model: &mut Model) {
    let now = model.now;
    if let Some(Screen::Rolling(it)) = model.screens.last_mut()
        && it.aborting.is_some_and(|asked| asked + EXPIRES <= now)
    {
        it.aborting = None;
    }
}

pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    let page = usize::from(regions(model).screen.height);
    let now = model.now;
    let may = model.is_live() && !model.read_only;
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return Handled::No;
    };
    let mut it = it.clone();
    let asked = it.aborting.take();
    let state = it.progress(model).map(|(view, _)| view.state);
    let last = model.members(&it.key).len().saturating_sub(1);
    let control = |what| {
        let operation = it.operation.clone()?;
        Some(Cmd::Control { operation, what })
    };
    match (action, state) {
        (Action::Confirm | Action::Pause | Action::Continue | Action::Abort, _) if !may => {
            let _ = is_refused(model);
        }
        (Action::Confirm, _) if it.operation.is_none() => {
            if now.saturating_sub(it.opened) < SEEN {
            } else if has_to_be_typed(model, &it) {
                ask(model, &it, commands);
            } else {
                begin(model, false, commands);
            }
            return Handled::Yes;
        }
        (Action::Confirm, Some(Whole::Advancing | Whole::Paused)) if asked.is_some() => {
            commands.extend(control(RolloutControl::Abort));
        }
        (Action::Back, _) if asked.is_some() => {}
        (Action::Abort, Some(Whole::Advancing | Whole::Paused)) => it.aborting = Some(now),
        (Action::Pause, Some(Whole::Advancing)) => {
            commands.extend(control(RolloutControl::Pause));
        }
        (Action::Continue, Some(Whole::Paused)) => {
            commands.extend(control(RolloutControl::Resume));
        }
        (Action::More, None) if it.operation.is_none() => it.most = (it.most + 1).min(1000),
        (Action::Less, None) if it.operation.is_none() => it.most = (it.most - 1).max(1),
        (
            Action::Confirm
            | Action::Pause
            | Action::Continue
            | Action::Abort
            | Action::More
            | Action::Less,
            _,
        ) => {}
        (other, _) => match scrolled(it.scroll, other, page, last) {
            Some(to) => it.scroll = to,
            None => return Handled::No,
        },
    }
    if let Some(Screen::Rolling(there)) = model.screens.last_mut() {
        *there = it;
    }
    Handled::Yes
}

/// Whether the plan alone is not enough.
fn has_to_be_typed(model: &Model, it: &RollingScreen) -> bool {
    model.host.strict || it.planned(model).iter().any(|row| row.view.protected)
}

fn ask(model: &mut Model, it: &RollingScreen, commands: &mut Vec<Cmd>) {
    let rows = it.planned(model).into_iter();
    let targets = rows.map(|row| (row.view.id, row.view.run)).collect();
    let what = Intent::Roll {
        max_unavailable: Some(it.most),
    };
    let name = it.key.to_string();
    let select = Selector::Name {
        namespace: Some(it.key.namespace.to_string()),
        name: it.key.name.to_string(),
    };
    let ask = Ask::new(what, name, vec![select.to_string()], targets);
    pose(model, ask, Tier::Box, commands);
}

/// Begins what the plan on the screen says.
pub(in crate::tui) fn begin(model: &mut Model, force_protected: bool, commands: &mut Vec<Cmd>) {
    let Some(Screen::Rolling(it)) = model.screens.last_mut() else {
        return;
    };
    let operation = crate::client::operation_id();
    it.operation = Some(operation.clone());
    it.refused = None;
    let select = vec![Selector::Name {
        namespace: Some(it.key.namespace.to_string()),
        name: it.key.name.to_string(),
    }];
    commands.push(Cmd::Call {
        act: Act {
            durable: false,
            operation,
            verb: Verb::Restart,
            select,
            only_run: None,
            force_protected,
            rolling: Some(Rolling {
                max_unavailable: Some(it.most),
                stable_ms: None,
            }),
        },
        ids: Vec::new(),
    });
}
