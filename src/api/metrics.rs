//! What instances used over time.

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;

/// Columns of one length, oldest first. A column is none where nothing was measured: nothing ran, or nobody looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// How long each is, milliseconds.
    pub period_ms: u64,
    /// When the newest ended: milliseconds since 1970.
    pub end_ms: u64,
    /// Percent of one core in tenths: the mean.
    pub cpu: Vec<Option<u16>>,
    /// Bytes: the most.
    pub memory: Vec<Option<u64>>,
}

/// One instance: an entry of `GET /api/metrics/history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricHistory {
    /// Which.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Ten minutes in columns of five seconds.
    pub short: Columns,
    /// A day in columns of five minutes.
    pub long: Columns,
}
