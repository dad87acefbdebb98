//! A rolling restart: the plan before a yes, then how far it is. It goes on in the daemon whoever looks.

mod counting;
mod ends;
mod sides;

use std::time::Duration;

use crate::api::{Act, Intent, OperationView, Rolling, RolloutControl, RolloutView, Verb, Whole};
use crate::domain::gate::{ENOUGH_MS, WINDOW_MS};
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::domain::selector::Selector;
use crate::domain::spec::Stream;
use crate::tui::keymap::Action;
use crate::tui::log::Scope;
use crate::tui::model::{Ask, Model, Row, Target, Tier};
use crate::tui::msg::Cmd;
use crate::tui::pose::pose;
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::regions::regions;
use crate::tui::verbs::is_refused;

use super::log_view::{self, LogView, Seat};
use super::{Handled, Screen, scrolled};

use counting::Counting;
pub(in crate::tui) use ends::Ends;
pub(in crate::tui) use sides::sides;

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
    /// How many may be down at once because of it, when that is said here.
    chosen: Option<u32>,
    /// The same, as its definition says.
    defined: Option<u32>,
    /// The question what its definition says.
    asked: Option<Ticket>,
    /// None while it is only a plan.
    pub(in crate::tui) operation: Option<OperationId>,
    /// Since when it is asked whether to abort it.
    pub(in crate::tui) aborting: Option<Duration>,
    /// Why the daemon did not take it.
    pub(in crate::tui) refused: Option<String>,
    pub(in crate::tui) scroll: usize,
    /// Lines of errors of the old and the new.
    counting: Counting,
    /// The log of the new instances.
    pub(in crate::tui) logs: LogView,
}

impl RollingScreen {
    fn new(key: ProcessKey, opened: Duration) -> Self {
        Self {
            key,
            opened,
            chosen: None,
            defined: None,
            asked: None,
            operation: None,
            aborting: None,
            refused: None,
            scroll: 0,
            counting: Counting::default(),
            logs: LogView::embedded(),
        }
    }

    /// How many may be down at once because of it; none before its definition is known.
    pub(in crate::tui) fn most(&self) -> Option<u32> {
        self.chosen.or(self.defined)
    }

    /// The same, when it is another number than the definition's, for the command.
    pub(in crate::tui) fn chosen(&self) -> Option<u32> {
        self.chosen.filter(|most| self.defined != Some(*most))
    }

    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        self.asked == Some(ticket) || self.counting.is_for(ticket)
    }

    pub(super) fn take(&mut self, answer: Result<Answer, String>, ticket: Ticket) {
        if self.asked == Some(ticket) {
            self.asked = None;
            let told = answer.map(Answer::details).unwrap_or_default();
            self.defined = told.first().map(|it| it.max_unavailable.max(1));
            return;
        }
        self.counting.take(match answer {
            Ok(Answer::LogCounts(counts)) => counts,
            Ok(_) | Err(_) => vec![],
        });
    }

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
pub(in crate::tui) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    let key = match &model.selected {
        Some(Target::Process(key)) => key.clone(),
        Some(Target::Instance(id)) => match model.rows.get(id) {
            Some(row) => row.key(),
            None => return,
        },
        None => return,
    };
    open_for(model, key, None, commands);
}

/// The operation of a process that is under way.
fn active(model: &Model, key: &ProcessKey) -> Option<OperationId> {
    let name = key.to_string();
    let active = |told: &&Told| {
        let mut rollouts = told.view.rollouts.iter();
        rollouts.any(|rollout| rollout.process == name && !rollout.over)
    };
    let found = model.rollouts.values().find(active);
    found.map(|told| told.view.operation.clone())
}

/// Opens the one of a process, or the plan of one; that with a number of how many may be down at once.
pub(in crate::tui) fn open_for(
    model: &mut Model,
    key: ProcessKey,
    chosen: Option<u32>,
    commands: &mut Vec<Cmd>,
) {
    let operation = active(model, &key);
    if operation.is_none() && is_refused(model) {
        return;
    }
    let asked = operation.is_none().then(|| {
        let (ticket, select) = (model.ticket(), selector(&key).to_string());
        let query = Query::Detail { select };
        commands.push(Cmd::Fetch { ticket, query });
        ticket
    });
    let screen = RollingScreen {
        operation,
        chosen,
        asked,
        ..RollingScreen::new(key, model.now)
    };
    push(model, screen);
}

/// One of a process is seen once.
fn push(model: &mut Model, screen: RollingScreen) {
    if matches!(model.screens.last(), Some(Screen::Rolling(it)) if it.key == screen.key) {
        model.screens.pop();
    }
    model.screens.push(Screen::Rolling(Box::new(screen)));
}

/// Pauses, resumes, asks whether to abort, or shows the one of a process.
pub(in crate::tui) fn control(
    model: &mut Model,
    key: &ProcessKey,
    what: Option<RolloutControl>,
    commands: &mut Vec<Cmd>,
) -> Result<(), String> {
    let name = key.to_string();
    let of = |told: &Told| {
        let mut rollouts = told.view.rollouts.iter();
        rollouts
            .find(|rollout| rollout.process == name)
            .map(|it| it.begun_ms)
    };
    let last = || {
        let known = model.rollouts.values().filter(|told| of(told).is_some());
        let newest = known.max_by_key(|told| of(told));
        newest.map(|told| told.view.operation.clone())
    };
    let Some(operation) = active(model, key).or_else(|| last().filter(|_| what.is_none())) else {
        return Err(format!("no rolling restart of {name} is under way"));
    };
    if what.is_some() && is_refused(model) {
        return Ok(());
    }
    match what {
        Some(what @ (RolloutControl::Pause | RolloutControl::Resume)) => {
            commands.push(Cmd::Control { operation, what });
        }
        Some(RolloutControl::Abort) | None => {
            let screen = RollingScreen {
                operation: Some(operation),
                aborting: what.map(|_| model.now),
                ..RollingScreen::new(key.clone(), model.now)
            };
            push(model, screen);
        }
    }
    Ok(())
}

fn selector(key: &ProcessKey) -> Selector {
    Selector::Name {
        namespace: Some(key.namespace.to_string()),
        name: key.name.to_string(),
    }
}

/// What the log on the screen is of: the instances that have a new run.
fn scope(model: &Model, it: &RollingScreen) -> Option<Scope> {
    let (view, _) = it.progress(model)?;
    let new: Vec<(InstanceId, &str)> = sides::of(&view.places, true)
        .map(|place| (place.id, &*place.name))
        .collect();
    let ids: Vec<String> = new.iter().map(|(id, _)| id.to_string()).collect();
    let names: Vec<&str> = new.iter().map(|(_, name)| *name).collect();
    let shown = it.logs.pane().map(|pane| pane.scope.clone());
    let shown = shown.unwrap_or(Scope {
        stream: Some(Stream::Err),
        ..Scope::default()
    });
    (!ids.is_empty()).then(|| Scope {
        select: ids.join(","),
        name: names.join(" "),
        ..shown
    })
}

/// The screen on top goes with what the daemon says: its log is of those that are new by now, and lines are counted.
pub(in crate::tui) fn refresh(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return;
    };
    let shown = it.logs.pane().map(|pane| &pane.scope.select);
    let scope = scope(model, it).filter(|scope| shown != Some(&scope.select));
    let live = model.is_live();
    // One that is over is counted to its end, and no further.
    let told = it.progress(model).filter(|_| live);
    let until = told.map(|(view, at)| sides::end_ms(model, view, at));
    let runs = told.map(|(view, _)| sides::counted(model, &view.places));
    let now = (model.now, until.unwrap_or(model.wall_ms));
    if let Some(Screen::Rolling(it)) = model.screens.last_mut() {
        if !live {
            it.counting.forget_question();
        }
        let runs = runs.unwrap_or_default();
        it.counting.ask(&runs, now, &mut model.tickets, commands);
    }
    if let Some(scope) = scope {
        let seat = Seat::Screen(model.screens.len() - 1);
        log_view::set_scope(model, seat, scope, commands);
    }
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

/// When a question has to be withdrawn, or lines are counted again.
pub(in crate::tui) fn next_due(model: &Model) -> Option<Duration> {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return None;
    };
    let going = it.progress(model).filter(|(view, _)| !view.over);
    let counts = going.and_then(|_| it.counting.due());
    let counts = counts.filter(|_| model.is_live());
    let question = it.aborting.map(|asked| asked + EXPIRES);
    question.into_iter().chain(counts).min()
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
    let (is_plan, asked) = (it.operation.is_none(), it.aborting.is_some());
    let state = it.progress(model).map(|(view, _)| view.state);
    let last = model.members(&it.key).len().saturating_sub(1);
    let to = scrolled(it.scroll, action, page, last);
    let readable = now.saturating_sub(it.opened) >= SEEN;
    let typed = is_plan && has_to_be_typed(model, it);
    let most = it.most().unwrap_or(1);
    let operation = it.operation.clone();
    // Whatever is pressed, a question is answered by it.
    let mut aborting = None;
    let mut control = |what| {
        commands.extend(
            operation
                .clone()
                .map(|operation| Cmd::Control { operation, what }),
        );
    };
    match (action, state) {
        (Action::Confirm | Action::Pause | Action::Continue | Action::Abort, _) if !may => {
            let _ = is_refused(model);
        }
        (Action::Confirm, _) if is_plan && !readable => {}
        (Action::Confirm, _) if typed => ask(model, commands),
        (Action::Confirm, _) if is_plan => begin(model, false, commands),
        (Action::Confirm, Some(Whole::Advancing | Whole::Paused)) if asked => {
            control(RolloutControl::Abort);
        }
        (Action::Back, _) if asked => {}
        (Action::Abort, Some(Whole::Advancing | Whole::Paused)) => aborting = Some(now),
        (Action::Pause, Some(Whole::Advancing)) => control(RolloutControl::Pause),
        (Action::Continue, Some(Whole::Paused)) => control(RolloutControl::Resume),
        (Action::More, None) if is_plan => choose(model, (most + 1).min(1000)),
        (Action::Less, None) if is_plan => choose(model, (most - 1).max(1)),
        (Action::ReadLogs, _) => read_logs(model, commands),
        (Action::Stream, _) => {
            let seat = Seat::Screen(model.screens.len() - 1);
            return log_view::act_at(model, seat, action, commands);
        }
        (
            Action::Confirm
            | Action::Pause
            | Action::Continue
            | Action::Abort
            | Action::More
            | Action::Less,
            _,
        ) => {}
        _ if to.is_none() => {
            withdraw(model, None);
            return Handled::No;
        }
        _ => {
            if let (Some(Screen::Rolling(it)), Some(to)) = (model.screens.last_mut(), to) {
                it.scroll = to;
            }
        }
    }
    withdraw(model, aborting);
    Handled::Yes
}

/// Whether it is asked from now on, and since when.
fn withdraw(model: &mut Model, aborting: Option<Duration>) {
    if let Some(Screen::Rolling(it)) = model.screens.last_mut() {
        it.aborting = aborting;
    }
}

fn choose(model: &mut Model, most: u32) {
    if let Some(Screen::Rolling(it)) = model.screens.last_mut() {
        it.chosen = Some(most);
    }
}

/// The whole screen for the log of the new instances; before there are any, for that of all.
fn read_logs(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return;
    };
    let (select, name) = match scope(model, it) {
        Some(scope) => (scope.select, scope.name),
        None => (selector(&it.key).to_string(), it.key.to_string()),
    };
    log_view::open_scope(model, select, name, None, commands);
}

/// Whether the plan alone is not enough.
fn has_to_be_typed(model: &Model, it: &RollingScreen) -> bool {
    model.host.strict || it.planned(model).iter().any(|row| row.view.protected)
}

fn ask(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Rolling(it)) = model.screens.last() else {
        return;
    };
    let rows = it.planned(model).into_iter();
    let targets = rows.map(|row| (row.view.id, row.view.run)).collect();
    let what = Intent::Roll {
        max_unavailable: it.chosen(),
    };
    let name = it.key.to_string();
    let select = selector(&it.key).to_string();
    let ask = Ask::new(what, name, vec![select], targets);
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
    let select = vec![selector(&it.key)];
    commands.push(Cmd::Call {
        act: Act {
            durable: false,
            operation,
            verb: Verb::Restart,
            select,
            only_run: None,
            force_protected,
            rolling: Some(Rolling {
                max_unavailable: it.chosen(),
                stable_ms: None,
            }),
        },
        ids: Vec::new(),
    });
}
