//! The order of the table. It changes only between keys: what a person is about to press on does not move away.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::Status;
use crate::domain::names::ProcessKey;

use super::model::{Mode, Model, Row, Target};

/// No row moves this long after a key.
const HOLD: Duration = Duration::from_secs(3);
/// A screen narrower than this begins with the worst first, and without a tree.
const NARROW: u16 = 60;

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    Name,
    Cpu,
    Memory,
    /// The worst first.
    Status,
    Restarts,
    /// The youngest first.
    Uptime,
}

/// How the table is ordered.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// As chosen; none is what fits the screen.
    by: Option<SortBy>,
    pub(super) reversed: bool,
    /// As chosen: every instance for itself.
    flat: Option<bool>,
    /// Where each stood when the order was made.
    places: BTreeMap<Target, usize>,
    /// When the last key was pressed.
    pressed: Option<Duration>,
}

impl Order {
    pub(super) fn choose(&mut self, by: SortBy) {
        self.by = Some(by);
    }

    /// What was chosen, or what fits the width.
    pub(super) fn by(&self, width: u16) -> SortBy {
        self.by.unwrap_or(if width < NARROW {
            SortBy::Status
        } else {
            SortBy::Name
        })
    }

    pub(super) fn is_flat(&self, width: u16) -> bool {
        self.flat.unwrap_or(width < NARROW)
    }

    pub(super) fn turn_flat(&mut self, width: u16) {
        self.flat = Some(!self.is_flat(width));
    }

    pub(super) fn key_at(&mut self, now: Duration) {
        self.pressed = Some(now);
    }
}

/// What a line of the table is compared by.
struct Weight {
    key: ProcessKey,
    instance: u32,
    cpu: f32,
    memory: u64,
    urgency: u8,
    restarts: u32,
    uptime: u64,
}

impl Weight {
    /// Of the instances that a line stands for.
    fn of(rows: &[&Row]) -> Option<Self> {
        let first = rows.first()?;
        Some(Self {
            key: first.key(),
            instance: first.view.instance,
            cpu: rows.iter().filter_map(|r| r.view.cpu).sum(),
            memory: rows.iter().filter_map(|r| r.view.memory).sum(),
            urgency: rows
                .iter()
                .map(|r| r.view.status)
                .min_by_key(|s| s.urgency())
                .map_or(u8::MAX, Status::urgency),
            restarts: rows.iter().map(|r| r.view.restarts).sum(),
            uptime: rows
                .iter()
                .filter_map(|r| r.view.uptime)
                .min()
                .unwrap_or(u64::MAX),
        })
    }

    fn compare(&self, other: &Self, by: SortBy) -> Ordering {
        match by {
            SortBy::Name => Ordering::Equal,
            SortBy::Cpu => other.cpu.total_cmp(&self.cpu),
            SortBy::Memory => other.memory.cmp(&self.memory),
            SortBy::Status => self.urgency.cmp(&other.urgency),
            SortBy::Restarts => other.restarts.cmp(&self.restarts),
            SortBy::Uptime => self.uptime.cmp(&other.uptime),
        }
    }

    /// Names decide where nothing else does.
    fn by_name(&self, other: &Self) -> Ordering {
        (&self.key, self.instance).cmp(&(&other.key, other.instance))
    }
}

impl Model {
    /// Makes the lines of the table anew: something changed that they go by.
    pub(super) fn list_anew(&mut self) {
        self.table = self.listed();
    }

    /// Whether rows stay where they are: just after a key, while something is asked or typed, or with marks.
    pub(super) fn order_is_held(&self) -> bool {
        let moves = self.order.by(self.size.0) != SortBy::Name;
        let pressed = self
            .order
            .pressed
            .is_some_and(|at| self.now.saturating_sub(at) < HOLD);
        let busy = self.mode != Mode::Browse || !self.pending.is_empty() || !self.marks.is_empty();
        moves && (pressed || busy)
    }

    /// Makes the order anew, whatever holds it: it was asked for.
    pub(super) fn sort(&mut self) {
        let by = self.order.by(self.size.0);
        let flat = self.order.is_flat(self.size.0);
        let mut groups: BTreeMap<ProcessKey, Vec<&Row>> = BTreeMap::new();
        for row in self.rows.values() {
            groups.entry(row.key()).or_default().push(row);
        }
        let mut lines: Vec<(Weight, Target)> = Vec::with_capacity(self.rows.len());
        for (key, rows) in &groups {
            if !flat && let Some(weight) = Weight::of(rows) {
                lines.push((weight, Target::Process(key.clone())));
            }
            for row in rows {
                if flat && let Some(weight) = Weight::of(&[row]) {
                    lines.push((weight, Target::Instance(row.view.id)));
                }
            }
        }
        let reversed = self.order.reversed;
        lines.sort_by(|(a, _), (b, _)| {
            let order = a.compare(b, by);
            let order = match (by, reversed) {
                (SortBy::Name, false) => a.by_name(b),
                (SortBy::Name, true) => b.by_name(a),
                (_, true) => order.reverse(),
                (_, false) => order,
            };
            order.then_with(|| a.by_name(b))
        });
        self.order.places = lines
            .into_iter()
            .enumerate()
            .map(|(place, (_, target))| (target, place))
            .collect();
        self.keep_selection();
    }

    /// Makes the order anew unless it is held.
    pub(super) fn settle_order(&mut self) {
        if !self.order_is_held() {
            self.sort();
        }
    }

    /// The lines of the table in order, as of when something changed that they go by.
    pub(super) fn lines(&self) -> &[Target] {
        &self.table
    }

    /// Makes the lines of the table anew. What is new since the order was made comes last.
    fn listed(&self) -> Vec<Target> {
        let flat = self.order.is_flat(self.size.0);
        let place = |target: &Target| self.order.places.get(target).copied().unwrap_or(usize::MAX);
        let matching = self.rows.values().filter(|row| self.filter.matches(row));
        if flat {
            let mut rows: Vec<&Row> = matching.collect();
            rows.sort_by_cached_key(|row| {
                (
                    place(&Target::Instance(row.view.id)),
                    row.key(),
                    row.view.instance,
                )
            });
            return rows
                .into_iter()
                .map(|row| Target::Instance(row.view.id))
                .collect();
        }
        let mut groups: BTreeMap<ProcessKey, Vec<&Row>> = BTreeMap::new();
        for row in matching {
            groups.entry(row.key()).or_default().push(row);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_cached_key(|(key, _)| (place(&Target::Process(key.clone())), key.clone()));
        let mut lines = Vec::new();
        for (key, mut rows) in groups {
            rows.sort_by_key(|row| row.view.instance);
            let single = rows.iter().all(|row| row.view.instances == 1);
            if !single {
                lines.push(Target::Process(key.clone()));
            }
            if single || !self.folded.contains(&key) {
                lines.extend(rows.iter().map(|row| Target::Instance(row.view.id)));
            }
        }
        lines
    }
}
