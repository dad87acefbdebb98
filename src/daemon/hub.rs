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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::InstanceId;
    use tokio::sync::broadcast::error::TryRecvError;

    fn push(n: u32) -> Push {
        Push::Removed { id: InstanceId(n) }
    }

    #[test]
    fn numbers_grow_by_one_also_while_nobody_listens() {
        let mut hub = Hub::default();
        assert!(!hub.has_listeners());
        hub.publish(&push(1));
        let mut one = hub.subscribe();
        hub.publish(&push(2));
        let mut two = hub.subscribe();
        hub.publish(&push(3));
        assert_eq!(one.try_recv().unwrap().0, 2);
        assert_eq!(one.try_recv().unwrap().0, 3);
        assert_eq!(two.try_recv().unwrap().0, 3);
        assert_eq!(two.try_recv(), Err(TryRecvError::Empty));
        drop((one, two));
        assert!(!hub.has_listeners());
    }

    #[test]
    fn who_is_too_slow_is_told_how_much_was_missed_and_nobody_else_is() {
        let mut hub = Hub::default();
        let mut slow = hub.subscribe();
        let mut quick = hub.subscribe();
        for n in 0..=u32::try_from(BACKLOG).unwrap() {
            hub.publish(&push(n));
            assert_eq!(quick.try_recv().unwrap().0, u64::from(n) + 1);
        }
        assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
        assert_eq!(slow.try_recv().unwrap().0, 2);
    }
}
