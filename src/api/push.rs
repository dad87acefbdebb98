//! What a subscriber of `GET /api/events` is told.

use serde::{Deserialize, Serialize};

use crate::domain::event::Event;
use crate::domain::names::InstanceId;
use crate::domain::voice::Heard;
use crate::platform::host::Host;

use super::activity::ClientView;
use super::view::{DaemonInfo, InstanceView, OperationView};

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The daemon.
    pub daemon: DaemonInfo,
    /// The machine.
    pub host: Host,
    /// All instances.
    pub instances: Vec<InstanceView>,
    /// The operations that are under way, and the rolling restarts that are still remembered.
    #[serde(default)]
    pub operations: Vec<OperationView>,
    /// Who listens to what happens.
    #[serde(default)]
    pub clients: Vec<ClientView>,
    /// Per instance, percent of one core in tenths, oldest first.
    pub series: Vec<(InstanceId, Vec<u16>)>,
    /// When which wrote, as far as that is known: since the first dashboard looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<HeardOf>,
}

/// When one instance wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardOf {
    /// Which.
    pub id: InstanceId,
    /// What is known of it.
    #[serde(flatten)]
    pub heard: Heard,
}

/// One measurement of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Which.
    pub id: InstanceId,
    /// Percent of one core; none before two measurements.
    pub cpu: Option<f32>,
    /// Bytes; none before there is a figure.
    pub memory: Option<u64>,
    /// How many descriptors its main process has open; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fds: Option<u32>,
}

/// One thing told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Push {
    /// Everything: at the start, and when something was missed.
    Snapshot(Box<Snapshot>),
    /// Something was missed that is not kept any more: everything follows.
    Resync,
    /// One instance is new or another than before.
    Instance {
        /// As it is now.
        instance: Box<InstanceView>,
    },
    /// One instance is gone.
    Removed {
        /// Which.
        id: InstanceId,
    },
    /// The measurements of a second.
    Metrics {
        /// The machine.
        host: Host,
        /// Only of those that run.
        metrics: Vec<Metric>,
        /// Only of those that wrote since then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        heard: Vec<HeardOf>,
    },
    /// Something happened.
    Event {
        /// What.
        event: Event,
    },
    /// Somebody came or left.
    Clients {
        /// Who is here.
        clients: Vec<ClientView>,
    },
    /// An operation moved.
    Operation {
        /// As it is now.
        operation: OperationView,
    },
}
