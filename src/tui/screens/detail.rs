//! Everything about one instance: what it is, the runs it had, why it stands where it stands.

use std::time::Duration;

use crate::api::{
    Count, Detail, Intent, LogControls, LogControlsQuery, RunView, Status, TreeView, Verb,
};
use crate::domain::names::{InstanceId, RunId};
use crate::tui::keymap::Action;
use crate::tui::log::Scope;
use crate::tui::model::{Model, Target};
use crate::tui::moment::{self, Timeline};
use crate::tui::msg::Cmd;
use crate::tui::query::{Answer, Past, Query, Ticket};
use crate::tui::regions::regions;
use crate::tui::view::screens::detail::{height, list_height};
use crate::tui::{pose, verbs};

use super::{Handled, LogView, Screen, is_move, log_view, scrolled};

mod env;

pub(in crate::tui) use env::Variables;

/// Charts of a day are asked for this often.
const LONG_AGAIN: Duration = Duration::from_secs(60);
/// Processes and sockets are asked for this often while they are seen.
const TREE_AGAIN: Duration = Duration::from_secs(2);
/// What in its logs would command a terminal is asked for this often, of so long.
const CONTROLS_AGAIN: Duration = Duration::from_secs(60);
const CONTROLS_MS: u64 = 3_600_000;

/// What part of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Tab {
    Overview,
    Config,
    Env,
    Tree,
    Runs,
    Why,
    Logs,
}

impl Tab {
    pub(in crate::tui) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Config,
        Self::Env,
        Self::Tree,
        Self::Runs,
        Self::Why,
        Self::Logs,
    ];

    pub(in crate::tui) fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Config => "config",
            Self::Env => "env",
            Self::Tree => "tree",
            Self::Runs => "runs",
            Self::Why => "why",
            Self::Logs => "logs",
        }
    }

    /// So many further; behind the last is the first.
    fn turned(self, by: usize) -> Self {
        let all = Self::ALL.iter().cycle();
        let mut from = all.skip_while(|tab| **tab != self);
        from.nth(by).copied().unwrap_or(self)
    }

    fn next(self) -> Self {
        self.turned(1)
    }

    fn previous(self) -> Self {
        self.turned(Self::ALL.len() - 1)
    }
}

/// One answer of the daemon. What was told stays until there is something newer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct Known<T> {
    waits: Option<Ticket>,
    pub(in crate::tui) told: Option<T>,
    /// Why the last question was not answered.
    pub(in crate::tui) refused: Option<String>,
}

impl<T> Known<T> {
    const NOTHING: Self = Self {
        waits: None,
        told: None,
        refused: None,
    };

    fn take(&mut self, answer: Result<T, String>) {
        self.waits = None;
        match answer {
            Ok(told) => (self.told, self.refused) = (Some(told), None),
            Err(why) => self.refused = Some(why),
        }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct DetailScreen {
    pub(in crate::tui) id: InstanceId,
    pub(in crate::tui) name: String,
    pub(in crate::tui) tab: Tab,
    pub(in crate::tui) detail: Known<Box<Detail>>,
    pub(in crate::tui) past: Known<Box<Past>>,
    /// As what it was when it was asked about; none when it was not, or of another connection.
    asked: Option<(RunId, Status)>,
    /// The run that is looked at; none is the newest, also when a newer one comes.
    chosen: Option<RunId>,
    pub(in crate::tui) scroll: usize,
    /// Its logs, below the overview.
    pub(in crate::tui) logs: LogView,
    /// Charts of a day instead of ten minutes.
    pub(in crate::tui) day: bool,
    /// What it used in a day, and when that was asked.
    long: Known<Timeline>,
    long_at: Option<Duration>,
    /// What its run is made of, and when that was asked.
    pub(in crate::tui) tree: Known<TreeView>,
    tree_at: Option<Duration>,
    pub(in crate::tui) variables: Variables,
    /// What in its logs would command a terminal, and when that was asked.
    pub(in crate::tui) controls: Known<LogControls>,
    controls_at: Option<Duration>,
}

impl DetailScreen {
    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        let all = [
            self.detail.waits,
            self.past.waits,
            self.long.waits,
            self.tree.waits,
            self.controls.waits,
        ];
        all.contains(&Some(ticket)) || self.variables.waits_for(ticket)
    }

    /// Takes an answer. What was asked by a key and is refused is said.
    pub(super) fn take(
        &mut self,
        answer: Result<Answer, String>,
        ticket: Ticket,
        now: Duration,
    ) -> Result<(), String> {
        if self.variables.waits_for(ticket) {
            return self.variables.take(answer, now);
        }
        self.told(answer, ticket);
        Ok(())
    }

    fn told(&mut self, answer: Result<Answer, String>, ticket: Ticket) {
        let other = || "the daemon answered something else".to_owned();
        if self.long.waits == Some(ticket) {
            self.long.take(match answer {
                Ok(Answer::Day(columns)) => Ok(Timeline::told(&columns)),
                Ok(_) => Err(other()),
                Err(why) => Err(why),
            });
            return;
        }
        if self.tree.waits == Some(ticket) {
            self.tree.take(match answer {
                Ok(Answer::Tree(tree)) => Ok(tree),
                Ok(_) => Err(other()),
                Err(why) => Err(why),
            });
            return;
        }
        if self.controls.waits == Some(ticket) {
            self.controls.take(match answer {
                Ok(Answer::Controls(found)) => Ok(found),
                Ok(_) => Err(other()),
                Err(why) => Err(why),
            });
            return;
        }
        let gone = || Err("it is gone".to_owned());
        if self.past.waits == Some(ticket) {
            self.past.take(match answer {
                Ok(Answer::Past(past)) => Ok(past),
                Ok(_) => Err(other()),
                Err(why) => Err(why),
            });
            return;
        }
        let id = self.id;
        self.detail.take(answer.and_then(|answer| {
            let mut all = answer.details().into_iter();
            let own = all.find(|it| it.instance.id == id);
            own.map_or_else(gone, |it| Ok(Box::new(it)))
        }));
    }

    /// What it used in a day, when that is known.
    pub(in crate::tui) fn long(&self) -> Option<&Timeline> {
        self.long.told.as_ref()
    }

    /// When its processes are asked for again; none while nobody sees them.
    fn tree_due(&self) -> Option<Duration> {
        let seen = match self.tab {
            Tab::Overview | Tab::Tree => true,
            Tab::Config | Tab::Env | Tab::Runs | Tab::Why | Tab::Logs => false,
        };
        seen.then(|| self.tree_at.map_or(Duration::ZERO, |at| at + TREE_AGAIN))
    }

    /// When its logs are looked through again; none while nobody sees what comes of it.
    fn controls_due(&self) -> Option<Duration> {
        let seen = self.tab == Tab::Overview && self.controls.waits.is_none();
        let again = |at| at + CONTROLS_AGAIN;
        seen.then(|| self.controls_at.map_or(Duration::ZERO, again))
    }

    pub(in crate::tui) fn runs(&self) -> &[RunView] {
        self.past.told.as_ref().map_or(&[], |past| &past.runs)
    }

    /// Which of the runs is looked at.
    pub(in crate::tui) fn chosen(&self) -> usize {
        let place = |run| self.runs().iter().position(|it| it.run.run == run);
        self.chosen.and_then(place).unwrap_or(0)
    }

    fn choose(&mut self, place: usize) {
        let run = self.runs().get(place).map(|it| it.run.run);
        self.chosen = run.filter(|_| place > 0);
    }
}

/// Opens the screen for what is selected; of a process, for its first instance.
pub(in crate::tui) fn open(model: &mut Model) {
    let id = match &model.selected {
        Some(Target::Instance(id)) => Some(*id),
        Some(Target::Process(key)) => model.members(key).first().map(|row| row.view.id),
        None => None,
    };
    let Some((id, name)) = id.and_then(|id| Some((id, model.rows.get(&id)?.name()))) else {
        return;
    };
    model.screens.push(Screen::Detail(Box::new(DetailScreen {
        id,
        name: name.clone(),
        tab: Tab::Overview,
        detail: Known::NOTHING,
        past: Known::NOTHING,
        asked: None,
        chosen: None,
        scroll: 0,
        logs: LogView::part(Scope {
            select: id.to_string(),
            name,
            ..Scope::default()
        }),
        day: false,
        long: Known::NOTHING,
        long_at: None,
        tree: Known::NOTHING,
        tree_at: None,
        variables: Variables::default(),
        controls: Known::NOTHING,
        controls_at: None,
    })));
}

/// The columns of its charts.
pub(in crate::tui) fn timeline(model: &Model, it: &DetailScreen) -> Option<Timeline> {
    if it.day {
        return it.long().cloned();
    }
    let row = model.rows.get(&it.id)?;
    Some(Timeline::of(row, model.told_ms()))
}

/// When the topmost screen needs a tick.
pub(in crate::tui) fn next_due(model: &Model) -> Option<Duration> {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return None;
    };
    let asks = model.is_live() && model.rows.contains_key(&it.id);
    let tree = it.tree_due().filter(|_| it.tree.waits.is_none());
    let asked = [tree, it.controls_due()].into_iter().flatten();
    let asked = asked.filter(|_| asks).min();
    [asked, it.variables.due()].into_iter().flatten().min()
}

/// What was shown for a while is hidden.
pub(in crate::tui) fn tick(model: &mut Model) {
    let now = model.now;
    for screen in &mut model.screens {
        if let Screen::Detail(it) = screen
            && it.variables.due().is_some_and(|until| until <= now)
        {
            it.variables.hide();
        }
    }
}

/// Asks about what has changed. One question of a kind is under way at a time: a process that crashes in a loop is
/// asked about as fast as it is answered, not faster.
pub(in crate::tui) fn refresh(model: &mut Model, commands: &mut Vec<Cmd>) {
    let (live, time, wall_ms) = (model.is_live(), model.now, model.wall_ms);
    let Model {
        screens,
        rows,
        tickets,
        ..
    } = model;
    for screen in screens {
        let Screen::Detail(it) = screen else {
            continue;
        };
        if !live {
            it.asked = None;
            (it.detail.waits, it.past.waits, it.long.waits) = (None, None, None);
            (it.tree.waits, it.controls.waits) = (None, None);
            it.variables.hide();
            continue;
        }
        let old = it
            .long_at
            .is_none_or(|at| time.saturating_sub(at) >= LONG_AGAIN);
        if it.day && old && it.long.waits.is_none() {
            let ticket = tickets.next();
            (it.long.waits, it.long_at) = (Some(ticket), Some(time));
            let select = it.id.to_string();
            let query = Query::Day { select };
            commands.push(Cmd::Fetch { ticket, query });
        }
        let now = rows.get(&it.id).map(|row| (row.view.run, row.view.status));
        if now.is_some() && it.controls_due().is_some_and(|at| at <= time) {
            let ticket = tickets.next();
            (it.controls.waits, it.controls_at) = (Some(ticket), Some(time));
            let query = Query::Controls(LogControlsQuery {
                select: it.id.to_string(),
                since_ms: wall_ms.saturating_sub(CONTROLS_MS),
                deadline_ms: None,
            });
            commands.push(Cmd::Fetch { ticket, query });
        }
        if now.is_some() && it.tree.waits.is_none() && it.tree_due().is_some_and(|at| at <= time) {
            let ticket = tickets.next();
            (it.tree.waits, it.tree_at) = (Some(ticket), Some(time));
            let select = it.id.to_string();
            let query = Query::Tree { select };
            commands.push(Cmd::Fetch { ticket, query });
        }
        let waits = it.detail.waits.is_some() || it.past.waits.is_some();
        if waits || now.is_none() || it.asked == now {
            continue;
        }
        it.asked = now;
        let select = it.id.to_string();
        let (one, other) = (tickets.next(), tickets.next());
        (it.detail.waits, it.past.waits) = (Some(one), Some(other));
        commands.push(Cmd::Fetch {
            ticket: one,
            query: Query::Detail {
                select: select.clone(),
            },
        });
        commands.push(Cmd::Fetch {
            ticket: other,
            query: Query::Past { select },
        });
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others move, or mean what they mean everywhere"
)]
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    match action {
        Action::Start => verb(model, Verb::Start, commands),
        Action::Stop => verb(model, Verb::Stop, commands),
        Action::Restart => verb(model, Verb::Restart, commands),
        Action::Kill => verb(model, Verb::Kill, commands),
        Action::Delete => verb(model, Verb::Delete, commands),
        Action::Edit => verbs::edit(model, verbs::process(model), commands),
        Action::ReadLogs => read_logs(model, commands),
        Action::TabNext => turn(model, Tab::next),
        Action::TabPrevious => turn(model, Tab::previous),
        Action::Zoom => zoom(model),
        Action::Reveal => env::reveal(model, commands),
        Action::CopyVariable => env::copy(model, commands),
        Action::Back => return env::back(model),
        Action::CopyName
        | Action::CopyId
        | Action::CopyPid
        | Action::CopyCommand
        | Action::CopyRow
        | Action::CopyError
        | Action::CopyTwin
        | Action::CopyView => crate::tui::copying::copy(model, action, commands),
        Action::CursorBack => moment::step(model, -1),
        Action::CursorOn => moment::step(model, 1),
        Action::CursorFarBack => moment::step(model, -10),
        Action::CursorFarOn => moment::step(model, 10),
        Action::ScaleUp => crate::tui::act::scale(model, Count::More(1), commands),
        Action::ScaleDown => crate::tui::act::scale(model, Count::Fewer(1), commands),
        other => match other.signal() {
            Some(signal) => verbs::signal(model, signal, commands),
            None => return moved(model, action, commands),
        },
    }
    Handled::Yes
}

/// Charts of ten minutes, or of a day.
fn zoom(model: &mut Model) {
    if let Some(Screen::Detail(it)) = model.screens.last_mut() {
        it.day = !it.day;
    }
}

fn turn(model: &mut Model, to: fn(Tab) -> Tab) {
    if let Some(Screen::Detail(it)) = model.screens.last_mut() {
        (it.tab, it.scroll) = (to(it.tab), 0);
        it.variables.hide();
    }
}

fn moved(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> Handled {
    if let Some(Screen::Detail(it)) = model.screens.last()
        && it.tab == Tab::Logs
        && is_move(action)
    {
        let seat = log_view::Seat::Screen(model.screens.len() - 1);
        return log_view::act_at(model, seat, action, commands);
    }
    let page = usize::from(regions(model).screen.height);
    let last = height(model).saturating_sub(1);
    let shown = list_height(model);
    let Some(Screen::Detail(it)) = model.screens.last_mut() else {
        return Handled::No;
    };
    if it.tab == Tab::Runs {
        let last = it.runs().len().saturating_sub(1);
        let Some(to) = scrolled(it.chosen(), action, shown, last) else {
            return Handled::No;
        };
        it.choose(to);
        return Handled::Yes;
    }
    if it.tab == Tab::Env {
        return env::moved(it, action, page);
    }
    match scrolled(it.scroll, action, page, last) {
        Some(to) => {
            it.scroll = to;
            Handled::Yes
        }
        None => Handled::No,
    }
}

/// Does it to what is shown, whatever is selected or marked below.
fn verb(model: &mut Model, verb: Verb, commands: &mut Vec<Cmd>) {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return;
    };
    let Some(row) = model.rows.get(&it.id) else {
        let text = format!("{} is gone", it.name);
        model.toast(text, true);
        return;
    };
    let (id, run, name) = (row.view.id, row.view.run, row.name());
    let select = vec![id.to_string()];
    let what = Intent::Do(verb);
    pose::ask(model, what, vec![(id, run)], name, select, commands);
}

/// Reads its logs; from the list of runs, where the chosen one ended.
fn read_logs(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(Screen::Detail(it)) = model.screens.last() else {
        return;
    };
    let (select, name) = (it.id.to_string(), it.name.clone());
    let run = it.runs().get(it.chosen()).filter(|_| it.tab == Tab::Runs);
    let end = run.and_then(|run| run.run.ended.as_ref());
    let at = end.map(|end| end.exit.at_ms).or(model.moment.at_ms);
    match at {
        Some(ms) => log_view::open_at(model, select, name, ms, commands),
        None => log_view::open_scope(model, select, name, None, commands),
    }
}
