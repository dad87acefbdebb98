//! Marks: what several verbs act on at once. They stay on instances, wherever these stand.

use crate::api::{Status, Verb};
use crate::domain::names::{InstanceId, RunId};

use super::model::{Model, Row, Target};

/// Whether a verb would change anything of it.
pub(super) fn changes(verb: Verb, row: &Row) -> bool {
    let at_rest = matches!(
        row.view.status,
        Status::Stopped | Status::Exited | Status::Errored
    );
    match verb {
        Verb::Start => at_rest || row.view.status == Status::Backoff,
        Verb::Stop => !matches!(row.view.status, Status::Stopped | Status::Stopping),
        Verb::Kill => row.view.pid.is_some(),
        Verb::Restart | Verb::Delete => true,
    }
}

impl Model {
    /// The instances a line stands for.
    pub(super) fn instances_of(&self, target: &Target) -> Vec<InstanceId> {
        match target {
            Target::Instance(id) => vec![*id],
            Target::Process(key) => self.members(key).iter().map(|r| r.view.id).collect(),
        }
    }

    /// Marks what is selected, or takes its marks away; then goes on to the next line.
    pub(super) fn mark(&mut self) {
        let Some(target) = self.selected.clone() else {
            return;
        };
        let ids = self.instances_of(&target);
        if ids.iter().all(|id| self.marks.contains(id)) {
            self.marks.retain(|id| !ids.contains(id));
        } else {
            self.marks.extend(ids);
        }
        self.marked_at = Some(target);
        let place = (self.place + 1).min(self.table.len().saturating_sub(1));
        self.place = place;
        self.selected = self.table.get(place).cloned();
    }

    /// Marks every line from the one that was marked last to the selected one.
    pub(super) fn mark_range(&mut self) {
        let lines = self.lines().to_vec();
        let find = |target: &Option<Target>| {
            let target = target.as_ref()?;
            lines.iter().position(|line| line == target)
        };
        let Some(here) = find(&self.selected) else {
            return;
        };
        let there = find(&self.marked_at).unwrap_or(here);
        for target in &lines[here.min(there)..=here.max(there)] {
            // The line of an unfolded process stands for itself: its instances are lines too.
            let unfolded = matches!(target, Target::Process(key) if !self.folded.contains(key))
                && here != there;
            if !unfolded {
                self.marks.extend(self.instances_of(target));
            }
        }
        self.marked_at = self.selected.clone();
    }

    /// Every instance that the filter shows.
    fn shown(&self) -> Vec<InstanceId> {
        self.rows
            .values()
            .filter(|row| self.filter.matches(row))
            .map(|row| row.view.id)
            .collect()
    }

    pub(super) fn mark_all(&mut self) {
        self.marks.extend(self.shown());
    }

    pub(super) fn invert_marks(&mut self) {
        for id in self.shown() {
            if !self.marks.remove(&id) {
                self.marks.insert(id);
            }
        }
    }

    /// The marks, or what is selected.
    pub(super) fn chosen(&self) -> Vec<(InstanceId, RunId)> {
        let selected = self.selected.iter();
        let ids: Vec<InstanceId> = if self.marks.is_empty() {
            selected.flat_map(|it| self.instances_of(it)).collect()
        } else {
            self.marks.iter().copied().collect()
        };
        let rows = ids.iter().filter_map(|id| self.rows.get(id));
        rows.map(|row| (row.view.id, row.view.run)).collect()
    }

    /// What a verb acts on: the marks, or what is selected; of marks, only those it would change.
    pub(super) fn targets(&self, verb: Verb) -> Vec<(InstanceId, RunId)> {
        let mut all = self.chosen();
        if !self.marks.is_empty() {
            all.retain(|(id, _)| self.rows.get(id).is_some_and(|row| changes(verb, row)));
        }
        all
    }
}
