//! All there is to draw.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::api::{DaemonInfo, Host, InstanceView, Snapshot};
use crate::domain::names::{InstanceId, OperationId, ProcessKey};
use crate::domain::voice::Heard;

use super::asked;
use super::filter::Filter;
use super::help::Help;
use super::keymap::{Keymap, Place, Press};
pub(super) use super::link::Link;
use super::log::Controls;
use super::log_pane::LogPane;
use super::machine::Machine;
use super::moment::Moment;
use super::order::Order;
use super::palette::Palette;
use super::pane::About;
use super::pinned::Pinned;
pub(super) use super::pose::{Ask, Tier};
use super::query::{Ticket, Tickets};
pub(super) use super::row::Row;
use super::screens::{
    Prompt, Screen,
    activity::Company,
    rolling::{Ends, Told},
};
use super::spark::Spark;
use super::stats::Stats;
use super::theme::{Glyphs, Theme};
use super::voices::Voice;

/// Above this many instances the table begins folded.
const FOLD_ABOVE: usize = 200;
/// How many remarks of a session are kept.
const MESSAGES: usize = 500;
/// How long a remark stays.
const INFO_STAYS: Duration = Duration::from_secs(3);
const ERROR_STAYS: Duration = Duration::from_secs(60);

/// What a line of the table stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A process with several instances.
    Process(ProcessKey),
    /// One instance.
    Instance(InstanceId),
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Table,
    /// What is selected, beside the table.
    About,
    Logs,
}

/// What the keys mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mode {
    Browse,
    /// Typing a filter.
    Filter,
    Ask(Box<Ask>),
    Help(Help),
    /// Typing a command.
    Palette(Palette),
    /// Typing something in a log view.
    LogPrompt(Prompt),
    /// The screen is left for the terminal's own selection; any key takes it again.
    Plain,
}

/// A remark in a corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toast {
    pub(super) text: String,
    pub(super) bad: bool,
    pub(super) until: Duration,
}

/// A remark that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) bad: bool,
    /// Wall-clock milliseconds.
    pub(super) at_ms: u64,
}

/// Everything.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Since the dashboard began.
    pub(super) now: Duration,
    /// Wall-clock milliseconds.
    pub(super) wall_ms: u64,
    pub(super) size: (u16, u16),
    pub(super) link: Link,
    pub(super) daemon: Option<DaemonInfo>,
    /// When that was told.
    pub(super) daemon_at: Duration,
    pub(super) host: Host,
    pub(super) machine: Machine,
    pub(super) rows: BTreeMap<InstanceId, Row>,
    pub(super) folded: BTreeSet<ProcessKey>,
    pub(super) selected: Option<Target>,
    /// Where the selection was, for when its row goes.
    pub(super) place: usize,
    pub(super) offset: usize,
    pub(super) filter: Filter,
    pub(super) order: Order,
    /// The lines of the table.
    pub(super) table: Vec<Target>,
    pub(super) marks: BTreeSet<InstanceId>,
    /// Where a mark was set last: a range begins there.
    pub(super) marked_at: Option<Target>,
    pub(super) mode: Mode,
    pub(super) focus: Focus,
    pub(super) zoomed: bool,
    /// More columns in place of the pane beside the table.
    pub(super) wide: bool,
    /// So many lines more than usual are for logs.
    pub(super) divider: i32,
    pub(super) drags_divider: bool,
    /// Whether the mouse is taken from the terminal.
    pub(super) mouse: bool,
    /// What the pane beside the table tells.
    pub(super) about: Option<About>,
    pub(super) logs: LogPane,
    /// One more log, where there is much room.
    pub(super) pinned: Pinned,
    /// How what stands for controls in logs looks.
    pub(super) controls: Controls,
    /// The moment that all of the screen is about.
    pub(super) moment: Moment,
    pub(super) toasts: Vec<Toast>,
    /// Remarks about failures that went by themselves and were not looked at since.
    pub(super) unread: usize,
    /// Every remark of this session, oldest first; at most 500.
    pub(super) messages: VecDeque<Message>,
    /// Who else is here, and what was done.
    pub(super) company: Company,
    /// What stands on top of the main screen, innermost last.
    pub(super) screens: Vec<Screen>,
    /// Operations with rolling restarts, of whoever asked for them.
    pub(super) rollouts: BTreeMap<OperationId, Told>,
    /// Runs that ended by themselves.
    pub(super) ends: Ends,
    pub(super) keymap: Keymap,
    /// Keys pressed that are the beginning of something.
    pub(super) pending: Vec<Press>,
    pub(super) tickets: Tickets,
    /// Streams and searches of log views that are open.
    pub(super) streams: BTreeSet<Ticket>,
    pub(super) glyphs: Glyphs,
    pub(super) theme: Theme,
    /// Only look.
    pub(super) read_only: bool,
    /// What was asked for last, for when its target turns out to be another run.
    pub(super) last_ask: Option<Ask>,
    /// What was begun by a yes here.
    pub(super) asked: asked::All,
    /// How often numbers are taken over.
    pub(super) interval: Duration,
    pub(super) metrics_at: Duration,
    /// What the dashboard itself takes.
    pub(super) stats: Stats,
}

impl Model {
    pub(super) fn new(glyphs: Glyphs, theme: Theme, interval: Duration) -> Self {
        Self {
            now: Duration::ZERO,
            wall_ms: 0,
            size: (80, 24),
            link: Link::Connecting,
            daemon: None,
            daemon_at: Duration::ZERO,
            host: Host::default(),
            machine: Machine::default(),
            rows: BTreeMap::new(),
            folded: BTreeSet::new(),
            selected: None,
            place: 0,
            offset: 0,
            filter: Filter::default(),
            order: Order::default(),
            table: Vec::new(),
            marks: BTreeSet::new(),
            marked_at: None,
            mode: Mode::Browse,
            focus: Focus::Table,
            zoomed: false,
            wide: false,
            divider: 0,
            drags_divider: false,
            mouse: false,
            about: None,
            logs: LogPane::default(),
            pinned: Pinned::default(),
            controls: Controls::default(),
            moment: Moment::default(),
            toasts: Vec::new(),
            unread: 0,
            messages: VecDeque::new(),
            company: Company::default(),
            screens: Vec::new(),
            rollouts: BTreeMap::new(),
            ends: Ends::default(),
            keymap: Keymap::default(),
            pending: Vec::new(),
            tickets: Tickets::default(),
            streams: BTreeSet::new(),
            glyphs,
            theme,
            read_only: false,
            last_ask: None,
            asked: asked::All::default(),
            interval,
            metrics_at: Duration::ZERO,
            stats: Stats::default(),
        }
    }

    /// The instances of a process.
    pub(super) fn members(&self, key: &ProcessKey) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().filter(|row| row.is_of(key)).collect();
        rows.sort_by_key(|row| row.view.instance);
        rows
    }

    /// What is selected, as the API takes it, and as it is called.
    pub(super) fn scope(&self) -> Option<(String, String)> {
        self.scope_of(self.selected.as_ref()?)
    }

    /// A line of the table, as the API takes it, and as it is called; none of what is gone.
    pub(super) fn scope_of(&self, target: &Target) -> Option<(String, String)> {
        match target {
            Target::Process(key) => {
                Some((format!("{}/{}", key.namespace, key.name), key.to_string()))
            }
            Target::Instance(id) => {
                let row = self.rows.get(id)?;
                Some((id.to_string(), row.name()))
            }
        }
    }

    /// How many are in which status, the most urgent first.
    pub(super) fn counts(&self) -> Vec<(crate::api::Status, usize)> {
        let mut counts: BTreeMap<crate::api::Status, usize> = BTreeMap::new();
        for row in self.rows.values() {
            *counts.entry(row.view.status).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts
            .sort_by_key(|(status, _)| (*status != crate::api::Status::Running, status.urgency()));
        counts
    }

    /// Until when what is shown was told: without a connection no countdown goes on.
    pub(super) fn told_at(&self) -> Duration {
        match &self.link {
            Link::Lost(lost) => lost.since,
            Link::Connecting | Link::Live => self.now,
        }
    }

    /// The same, milliseconds since 1970.
    pub(super) fn told_ms(&self) -> u64 {
        match &self.link {
            Link::Lost(lost) => lost.since_ms,
            Link::Connecting | Link::Live => self.wall_ms,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.link == Link::Live
    }

    /// Takes everything over.
    pub(super) fn take(&mut self, snapshot: Snapshot) {
        let first = self.rows.is_empty();
        let mut series: BTreeMap<InstanceId, Vec<u16>> = snapshot.series.into_iter().collect();
        let mut rows = BTreeMap::new();
        let heard: BTreeMap<InstanceId, Heard> =
            snapshot.heard.iter().map(|it| (it.id, it.heard)).collect();
        for view in snapshot.instances {
            let id = view.id;
            let told = series.remove(&id).unwrap_or_default();
            let mut voice = Voice::default();
            let known = self.rows.get(&id).map(|row| row.voice);
            voice.begin(heard.get(&id).copied(), known);
            rows.insert(
                id,
                Row {
                    view,
                    series: Spark::of(id.0, &told, self.wall_ms),
                    requested: None,
                    requested_at: Duration::ZERO,
                    at: self.now,
                    voice,
                },
            );
        }
        self.rows = rows;
        self.marks.retain(|id| self.rows.contains_key(id));
        let at = self.now;
        self.rollouts = snapshot
            .operations
            .into_iter()
            .filter(|view| !view.rollouts.is_empty())
            .map(|view| (view.operation.clone(), Told { view, at }))
            .collect();
        self.company.clients = snapshot.clients;
        self.machine.begin();
        self.take_host(snapshot.host);
        self.daemon = Some(snapshot.daemon);
        self.daemon_at = self.now;
        if first && self.rows.len() > FOLD_ABOVE {
            self.folded = self.rows.values().map(Row::key).collect();
        }
        self.settle_order();
        self.keep_selection();
    }

    /// Takes one instance over. What was asked for is confirmed by whatever the daemon says.
    pub(super) fn take_row(&mut self, view: InstanceView) {
        let id = view.id;
        let at = self.now;
        match self.rows.get_mut(&id) {
            Some(row) => {
                if row.view.status != view.status || row.view.run != view.run {
                    row.requested = None;
                }
                if row.view.run != view.run {
                    row.voice.another_run();
                }
                let place = |view: &InstanceView| (view.instance, view.instances);
                let stays = place(&row.view) == place(&view)
                    && row.view.process == view.process
                    && row.view.namespace == view.namespace;
                row.view = view;
                row.at = at;
                // Of a thousand that start at once each is told several times.
                if stays && self.filter.text().is_empty() {
                    return;
                }
            }
            None => {
                self.rows.insert(
                    id,
                    Row {
                        view,
                        series: Spark::of(id.0, &[], self.wall_ms),
                        requested: None,
                        requested_at: Duration::ZERO,
                        at,
                        voice: Voice::default(),
                    },
                );
                self.settle_order();
            }
        }
        self.keep_selection();
    }

    /// The lines of the table are made anew, and the selection stays on what it was; if that is gone, on the row that took its place.
    pub(super) fn keep_selection(&mut self) {
        self.list_anew();
        let lines = &self.table;
        let found = self
            .selected
            .as_ref()
            .and_then(|selected| lines.iter().position(|line| line == selected));
        match found {
            Some(place) => self.place = place,
            None => {
                self.place = self.place.min(lines.len().saturating_sub(1));
                // An instance that is folded away is found in its process; a process, without a tree, in its first.
                let kin: Vec<Target> = match &self.selected {
                    Some(Target::Instance(id)) => {
                        let key = self.rows.get(id).map(Row::key);
                        key.map(Target::Process).into_iter().collect()
                    }
                    Some(Target::Process(key)) => {
                        let members = self.members(key);
                        members
                            .iter()
                            .map(|row| Target::Instance(row.view.id))
                            .collect()
                    }
                    None => vec![],
                };
                let kin = kin.into_iter().find(|target| lines.contains(target));
                self.selected = kin.or_else(|| lines.get(self.place).cloned());
                if let Some(selected) = &self.selected {
                    self.place = lines.iter().position(|l| l == selected).unwrap_or(0);
                }
            }
        }
    }

    /// Whose keys count, the nearest first.
    pub(super) fn places(&self) -> Vec<Place> {
        let here = match (self.screens.last(), self.focus) {
            (Some(screen), _) => vec![screen.place()],
            (None, Focus::Table) => vec![Place::Processes],
            (None, Focus::About) => vec![Place::About],
            (None, Focus::Logs) => vec![Place::Logs, Place::LogView],
        };
        let lost = matches!(self.link, Link::Lost(_)).then_some(Place::Lost);
        let all = lost.into_iter().chain(here);
        all.chain([Place::Everywhere]).collect()
    }

    /// The keys that work now, for the footer.
    pub(super) fn hints(&self) -> Vec<(String, &'static str)> {
        self.keymap.hints(&self.places(), !self.screens.is_empty())
    }

    /// A number for a question to the daemon.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets.next()
    }

    pub(super) fn toast(&mut self, text: impl Into<String>, bad: bool) {
        let text = text.into();
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        let message = Message {
            text: text.clone(),
            bad,
            at_ms: self.wall_ms,
        };
        super::screens::own_log::remarked(self, &message);
        self.messages.push_back(message);
        let stays = if bad { ERROR_STAYS } else { INFO_STAYS };
        self.toasts.push(Toast {
            text,
            bad,
            until: self.now + stays,
        });
        let excess = self.toasts.len().saturating_sub(3);
        let gone = self.toasts.drain(..excess);
        self.unread += gone.filter(|toast| toast.bad).count();
    }
}
