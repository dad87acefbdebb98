//! One line of what is known: an instance.

use std::time::Duration;

use crate::api::{InstanceView, Verb};
use crate::domain::names::ProcessKey;

use super::spark::Spark;
use super::voices::Voice;

/// After this it is said that nothing came of what was asked for.
const UNANSWERED: Duration = Duration::from_secs(2);

/// One instance as the screen knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) view: InstanceView,
    pub(super) series: Spark,
    /// Asked for here, not confirmed yet.
    pub(super) requested: Option<Verb>,
    /// When that was.
    pub(super) requested_at: Duration,
    /// When the view came, for countdowns.
    pub(super) at: Duration,
    /// When it wrote.
    pub(super) voice: Voice,
}

impl Row {
    pub(super) fn key(&self) -> ProcessKey {
        ProcessKey {
            namespace: self.view.namespace.clone(),
            name: self.view.process.clone(),
        }
    }

    /// Whether it is an instance of this process.
    pub(super) fn is_of(&self, key: &ProcessKey) -> bool {
        self.view.process == key.name && self.view.namespace == key.namespace
    }

    /// What it is called; with its namespace where that is not the usual one.
    pub(super) fn name(&self) -> String {
        if self.view.namespace.is_default() {
            self.view.name.clone()
        } else {
            format!("{}/{}", self.view.namespace, self.view.name)
        }
    }

    /// For how many seconds nothing came of what was asked for, when that is worth saying.
    pub(super) fn unanswered(&self, now: Duration) -> Option<u64> {
        self.requested?;
        let since = now.saturating_sub(self.requested_at);
        (since >= UNANSWERED).then_some(since.as_secs())
    }

    /// Seconds until what it waits for.
    pub(super) fn due_seconds(&self, now: Duration) -> Option<u64> {
        let left =
            Duration::from_millis(self.view.due_in_ms?).saturating_sub(now.saturating_sub(self.at));
        Some(left.as_millis().div_ceil(1000) as u64)
    }
}
