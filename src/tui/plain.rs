//! The dashboard without a screen: a line when something becomes another. For screen readers, dumb terminals and CI.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;

use serde::Serialize;

use crate::api::{InstanceView, Push, Status};
use crate::client::Client;
use crate::domain::names::InstanceId;
use crate::platform::clock::wall_ms;

use super::threads::{self, In};

/// What waits for the printer; the stream of events waits behind it.
const QUEUE: usize = 256;

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Saying {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The instance; none is the daemon.
    pub name: Option<String>,
    /// Its status; none when it is gone, and of the daemon.
    pub status: Option<Status>,
    /// All of it, in words.
    pub text: String,
}

/// Says everything once, then each change, until nobody listens: `say` answers whether it goes on.
pub(crate) fn run(client: Client, mut say: impl FnMut(&Saying) -> bool) {
    let (tell, told) = sync_channel(QUEUE);
    // Held: without it the thread ends at the first lost connection.
    let _retry = threads::events(client, tell);
    let mut known = Known::default();
    for it in told {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "nothing else is told by the thread of events"
        )]
        let sayings = match it {
            In::Push(push) => known.push(*push, wall_ms()),
            In::Lost { why, .. } => known.lost(&why, wall_ms()),
            _ => Vec::new(),
        };
        if !sayings.iter().all(&mut say) {
            return;
        }
    }
}

/// What was said last of each.
#[derive(Debug, Default)]
pub(super) struct Known {
    instances: BTreeMap<InstanceId, (String, Said)>,
    /// Whether the loss of the connection was said and not yet its return.
    lost: bool,
}

/// What a change is measured by: numbers that move all the time are not among it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    status: Status,
    run: String,
    alarm: Option<String>,
}

impl Said {
    fn of(view: &InstanceView) -> Self {
        Self {
            status: view.status,
            run: view.run.to_string(),
            alarm: view.alarm.clone(),
        }
    }
}

impl Known {
    pub(super) fn push(&mut self, push: Push, now: u64) -> Vec<Saying> {
        match push {
            Push::Snapshot(snapshot) => self.snapshot(&snapshot.instances, now),
            Push::Instance { instance } => self.instance(&instance, now).into_iter().collect(),
            Push::Removed { id } => self.removed(id, now).into_iter().collect(),
            Push::Resync
            | Push::Metrics { .. }
            | Push::Clients { .. }
            | Push::Event { .. }
            | Push::Operation { .. } => self.back(now).into_iter().collect(),
        }
    }

    fn snapshot(&mut self, instances: &[InstanceView], now: u64) -> Vec<Saying> {
        let mut sayings: Vec<_> = self.back(now).into_iter().collect();
        let gone: Vec<_> = self
            .instances
            .keys()
            .copied()
            .filter(|id| !instances.iter().any(|view| view.id == *id))
            .collect();
        sayings.extend(gone.into_iter().filter_map(|id| self.removed(id, now)));
        sayings.extend(instances.iter().filter_map(|view| self.instance(view, now)));
        if instances.is_empty() {
            sayings.push(daemon(now, "no processes"));
        }
        sayings
    }

    fn instance(&mut self, view: &InstanceView, now: u64) -> Option<Saying> {
        let said = Said::of(view);
        let entry = (view.name.clone(), said);
        if self.instances.get(&view.id) == Some(&entry) {
            return None;
        }
        self.instances.insert(view.id, entry);
        Some(Saying {
            at_ms: now,
            name: Some(view.name.clone()),
            status: Some(view.status),
            text: in_words(view),
        })
    }

    fn removed(&mut self, id: InstanceId, now: u64) -> Option<Saying> {
        let (name, _) = self.instances.remove(&id)?;
        Some(Saying {
            at_ms: now,
            text: format!("{name} is deleted"),
            name: Some(name),
            status: None,
        })
    }

    pub(super) fn lost(&mut self, why: &str, now: u64) -> Vec<Saying> {
        if std::mem::replace(&mut self.lost, true) {
            return Vec::new();
        }
        vec![daemon(
            now,
            &format!("not connected: {why}; what was said last may be old"),
        )]
    }

    fn back(&mut self, now: u64) -> Option<Saying> {
        std::mem::take(&mut self.lost).then(|| daemon(now, "connected again"))
    }
}

fn daemon(now: u64, text: &str) -> Saying {
    Saying {
        at_ms: now,
        name: None,
        status: None,
        text: text.to_owned(),
    }
}

fn in_words(view: &InstanceView) -> String {
    let mut text = format!("{} is {}", view.name, view.status);
    if let Some(pid) = view.pid {
        text.push_str(&format!(", pid {pid}"));
    }
    if let (None, Some(exit)) = (view.pid, &view.exit) {
        text.push_str(&format!(", {}", exit.text));
    }
    if let (Status::Backoff, Some(due)) = (view.status, view.due_in_ms) {
        text.push_str(&format!(", next try in {} s", due.div_ceil(1000)));
    }
    if !view.because.is_empty() {
        text.push_str(&format!(" ({})", view.because));
    }
    if let Some(alarm) = &view.alarm {
        text.push_str(&format!("; alarm: {alarm}"));
    }
    text
}
