//! Calls about what was, and what runs are made of.

use std::time::Duration;

use crate::api::{
    Activity, ActivityQuery, Changes, ChangesQuery, ClientView, InstanceRuns, MetricHistory,
    TreeView, Why,
};

use super::Client;
use super::error::ClientError;
use super::http::quote;
use super::logs::target;

impl Client {
    /// The last runs of what is selected, the newest first, at most `limit` of each instance, each with its last
    /// `lines` lines of standard error (at most 20).
    ///
    /// # Errors
    /// As every call.
    pub fn runs(
        &self,
        select: &[String],
        limit: usize,
        lines: usize,
    ) -> Result<Vec<InstanceRuns>, ClientError> {
        let select = quote(&select.join(","));
        let target = format!("/api/processes/{select}/runs?limit={limit}&lines={lines}");
        self.get(&target, Duration::ZERO)
    }

    /// What each of what is selected used over the last minutes and the last day; all when nothing is selected.
    ///
    /// # Errors
    /// As every call.
    pub fn metric_history(&self, select: &[String]) -> Result<Vec<MetricHistory>, ClientError> {
        let select = quote(&select.join(","));
        self.get(
            &format!("/api/metrics/history?select={select}"),
            Duration::ZERO,
        )
    }

    /// Who did what, and what happened by itself, the oldest first.
    ///
    /// # Errors
    /// As every call.
    pub fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, ClientError> {
        self.get(&target("/api/activity", query), Duration::ZERO)
    }

    /// What changed since then, milliseconds since 1970.
    ///
    /// # Errors
    /// As every call.
    pub fn changes(&self, since_ms: u64) -> Result<Changes, ClientError> {
        self.get(
            &target("/api/changes", &ChangesQuery { since_ms }),
            Duration::ZERO,
        )
    }

    /// Who listens to what happens.
    ///
    /// # Errors
    /// As every call.
    pub fn clients(&self) -> Result<Vec<ClientView>, ClientError> {
        self.get("/api/clients", Duration::ZERO)
    }

    /// Why each of what is selected stands where it stands.
    ///
    /// # Errors
    /// As every call.
    pub fn why(&self, select: &[String]) -> Result<Vec<Why>, ClientError> {
        let select = quote(&select.join(","));
        self.get(&format!("/api/processes/{select}/why"), Duration::ZERO)
    }

    /// What the runs of what is selected are made of: their processes, and where those listen.
    ///
    /// # Errors
    /// As every call.
    pub fn trees(&self, select: &[String]) -> Result<Vec<TreeView>, ClientError> {
        let select = quote(&select.join(","));
        self.get(&format!("/api/processes/{select}/tree"), Duration::ZERO)
    }
}
