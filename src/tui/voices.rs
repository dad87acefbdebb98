//! Who wrote to standard error since it was looked at, and who is silent for longer than usual: marks behind names.

use crate::api::{HeardOf, Status};
use crate::domain::voice::Heard;

use super::model::{Model, Row};
use super::screens::log_view;

/// What one row knows of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Voice {
    heard: Option<Heard>,
    /// How often standard error had grown when somebody looked.
    seen: u64,
}

impl Voice {
    /// As it was told in a snapshot: what was before nobody missed here.
    pub(super) fn begin(&mut self, heard: Option<Heard>, known: Option<Self>) {
        *self = known.unwrap_or_default();
        match (heard, known) {
            (Some(heard), Some(_)) => self.take(heard),
            (Some(Heard { errors, .. }), None) => (self.heard, self.seen) = (heard, errors),
            // The daemon knows nothing any more: it counts anew.
            (None, _) => *self = Self::default(),
        }
    }

    fn take(&mut self, heard: Heard) {
        if heard.errors < self.seen {
            self.seen = 0;
        }
        self.heard = Some(heard);
    }

    /// Another run begins: its silences are its own.
    pub(super) fn another_run(&mut self) {
        if let Some(heard) = &mut self.heard {
            heard.silent_ms = None;
        }
    }

    fn is_unseen(&self) -> bool {
        self.heard.is_some_and(|heard| heard.errors > self.seen)
    }
}

/// What is marked of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// Standard error has something that was not looked at.
    pub(super) errors: bool,
    /// It is silent for longer than usual.
    pub(super) silent: bool,
}

impl Marks {
    pub(super) fn of(row: &Row, now_ms: u64) -> Self {
        let silent = row.voice.heard.and_then(|heard| heard.silent_ms);
        Self {
            errors: row.voice.is_unseen(),
            silent: row.view.status == Status::Running && silent.is_some_and(|ms| ms < now_ms),
        }
    }

    /// Of all of them together: a fold hides none.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            errors: self.errors || other.errors,
            silent: self.silent || other.silent,
        }
    }
}

impl Model {
    /// What the daemon told of who wrote.
    pub(super) fn hear(&mut self, heard: &[HeardOf]) {
        for it in heard {
            if let Some(row) = self.rows.get_mut(&it.id) {
                row.voice.take(it.heard);
            }
        }
    }

    /// What is on the screen now is looked at.
    pub(super) fn look(&mut self) {
        if !self.rows.values().any(|row| row.voice.is_unseen()) {
            return;
        }
        let shown = log_view::shown(self);
        for row in self.rows.values_mut().filter(|row| row.voice.is_unseen()) {
            let view = &row.view;
            let candidate = view.candidate();
            if shown.iter().any(|scope| scope.takes(&candidate))
                && let Some(heard) = row.voice.heard
            {
                row.voice.seen = heard.errors;
            }
        }
    }
}
