//! What a run is made of: its processes, and where they listen.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::domain::names::{InstanceId, RunId};
use crate::domain::tree::Protocol;

/// One process of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeProcess {
    /// Its pid.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// How many of its ancestors belong to the run too.
    pub depth: u32,
    /// Its command line, cut when it is long; its name in brackets where it has none.
    pub command: String,
    /// Percent of one core in the last second; none when it is not measured yet.
    pub cpu: Option<f32>,
    /// Resident bytes.
    pub memory: u64,
}

/// A socket that waits for whoever comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// How it speaks.
    pub protocol: Protocol,
    /// Where.
    pub address: SocketAddr,
    /// Who has it; of several, the topmost.
    pub pid: i32,
    /// How many connections are open there; none where there is no such thing.
    pub connections: Option<u32>,
}

impl Listener {
    /// In words: `tcp 0.0.0.0:8003   41 connections`.
    #[must_use]
    pub fn words(&self) -> String {
        let place = format!("{} {}", self.protocol.word(), self.address);
        match self.connections {
            None => place,
            Some(1) => format!("{place}   1 connection"),
            Some(count) => format!("{place}   {count} connections"),
        }
    }
}

/// What the run of one instance is made of: an entry of `GET /api/processes/{select}/tree`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeView {
    /// Which instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The current or last run.
    pub run: RunId,
    /// Its processes, each behind its parent, the main process first; the first 256.
    pub processes: Vec<TreeProcess>,
    /// How many more there are.
    pub more: u32,
    /// Where they listen.
    pub listening: Vec<Listener>,
    /// False when there was more to look at than there was time for: then there may be more sockets.
    pub complete: bool,
}
