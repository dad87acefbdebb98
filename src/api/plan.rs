//! What something would do, before it is done.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::exit::Signal;
use crate::domain::intent::Intent;
use crate::domain::operation::Work;
use crate::domain::selector::Selector;

/// `POST /api/plan`: what this would do to what is selected. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanQuery {
    /// What is to be done.
    pub what: Intent,
    /// To which.
    pub select: Vec<Selector>,
    /// Also look who is connected: that takes a moment.
    #[serde(default)]
    pub connections: bool,
}

/// What it would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    /// What it is.
    pub work: Work,
    /// The same in the shell.
    pub twin: String,
    /// What it would do to each process.
    pub processes: Vec<PlanProcess>,
    /// For how long it could be taken back afterwards, milliseconds; none when it cannot.
    pub undo_ms: Option<u64>,
    /// Which of the processes are protected.
    pub protected: Vec<String>,
}

/// What would become of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanProcess {
    /// The process, with its namespace when that is not the default one.
    pub name: String,
    /// How many instances it has.
    pub of: u32,
    /// How many of them run.
    pub up: u32,
    /// How many run while it is being done, at least.
    pub least: u32,
    /// How many run afterwards.
    pub after: u32,
    /// Of how many.
    pub after_of: u32,
    /// The names of those that are ended.
    pub ends: Vec<String>,
    /// The signal that they get first; none when none is ended.
    pub signal: Option<Signal>,
    /// What they get before `SIGKILL`, milliseconds; none when there is no grace.
    pub grace_ms: Option<u64>,
    /// The file that defines it, when one does.
    pub file: Option<PathBuf>,
    /// Where those that are ended listen; none when nobody looked, or the look took too long.
    pub ports: Option<Vec<u16>>,
    /// How many connections are open there.
    pub connections: Option<u32>,
}

impl PlanProcess {
    /// How those that are hit are ended, in words; none when none is.
    #[must_use]
    pub fn how(&self) -> Option<String> {
        let signal = self.signal?;
        Some(match self.grace_ms {
            Some(ms) if ms % 1000 == 0 => format!("{signal}, {}s, then SIGKILL", ms / 1000),
            Some(ms) => format!("{signal}, {ms}ms, then SIGKILL"),
            None => signal.to_string(),
        })
    }

    /// Who is connected, in words; none when nobody listens or nobody looked.
    #[must_use]
    pub fn open(&self) -> Option<String> {
        let ports = self.ports.as_ref().filter(|ports| !ports.is_empty())?;
        let ports: Vec<String> = ranges(ports).map(words).collect();
        let count = self.connections.unwrap_or(0);
        let word = if count == 1 {
            "connection"
        } else {
            "connections"
        };
        Some(format!("{count} {word} on {}", ports.join(" ")))
    }
}

/// Neighbours together: the first and the last of each row of ports, which are in order.
fn ranges(ports: &[u16]) -> impl Iterator<Item = (u16, u16)> {
    let rows = ports.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    rows.filter_map(|row| Some((*row.first()?, *row.last()?)))
}

fn words((first, last): (u16, u16)) -> String {
    if first == last {
        format!(":{first}")
    } else {
        format!(":{first}-:{last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ports_are_said_as_one_range() {
        let said = |ports: &[u16]| ranges(ports).map(words).collect::<Vec<_>>().join(" ");
        assert_eq!(said(&[80]), ":80");
        assert_eq!(said(&[80, 8001, 8002, 8003, 8004]), ":80 :8001-:8004");
        assert_eq!(said(&[1, 3, 65_534, 65_535]), ":1 :3 :65534-:65535");
        assert_eq!(said(&[]), "");
    }
}
