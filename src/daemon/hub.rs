//! Telling subscribers: numbered, bounded. Who is too slow misses something, is told so, and gets a snapshot.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::api::Push;

/// How many things a slow subscriber may be behind.
const BACKLOG: usize = 2048;

/// One numbered thing, encoded once for all.
pub(super) type Told = Arc<(u64, String)>;

/// Where subscribers come from.
#[derive(Debug)]
pub(super) struct Hub {
    sender: broadcast::Sender<Told>,
    sequence: u64,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            sender: broadcast::channel(BACKLOG).0,
            sequence: 0,
        }
    }
}

impl Hub {
    /// Whether anybody listens.
    pub(super) fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Tells everybody.
    pub(super) fn publish(&mut self, push: &Push) {
        self.sequence += 1;
        if self.has_listeners()
            && let Ok(json) = serde_json::to_string(push)
        {
            let _ = self.sender.send(Arc::new((self.sequence, json)));
        }
    }

    /// What is told from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.sender.subscribe()
    }
}
