//! Who is here, and when the others hear of it.

use std::collections::BTreeMap;

use crate::api::{ClientView, Push};
use crate::domain::who::Who;

use super::supervisor::{Now, Supervisor};

/// So far apart all are told who is here, in nanoseconds: each telling names everybody, and a crowd comes one by one.
const APART: u64 = 100_000_000;

/// Who listens to what happens.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// By number of the session.
    here: BTreeMap<u64, ClientView>,
    /// When all were told last.
    told: u64,
    /// When they are told what changed since.
    due: Option<u64>,
}

impl Clients {
    /// All of them.
    pub(super) fn views(&self) -> Vec<ClientView> {
        self.here.values().cloned().collect()
    }

    /// When the others are to be told.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.due
    }

    fn changed(&mut self, now: u64) {
        self.due
            .get_or_insert_with(|| now.max(self.told.saturating_add(APART)));
    }

    /// What to tell now, if it is time to.
    fn turn(&mut self, now: u64) -> Option<Vec<ClientView>> {
        self.due.take_if(|due| *due <= now)?;
        self.told = now;
        Some(self.views())
    }
}

impl Supervisor {
    /// Somebody listens from now on.
    pub(super) fn attached(&mut self, session: u64, who: Who) {
        let Now { ns, ms } = self.now;
        let view = ClientView {
            session,
            who,
            since_ms: ms,
        };
        self.clients.here.insert(session, view);
        self.clients.changed(ns);
        self.tell_clients();
    }

    /// And no longer.
    pub(super) fn left(&mut self, session: u64) {
        if self.clients.here.remove(&session).is_some() {
            self.clients.changed(self.now.ns);
            self.tell_clients();
        }
    }

    /// Tells everybody who is here, when it is time to.
    pub(super) fn tell_clients(&mut self) {
        if let Some(clients) = self.clients.turn(self.now.ns) {
            self.hub.publish(&Push::Clients { clients });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_of_together_and_nobody_waits_long_to_hear_of_one() {
        let mut clients = Clients::default();
        clients.changed(APART);
        assert!(clients.turn(APART).is_some(), "the first at once");
        let mut told = 0;
        for n in 1..=1000 {
            let now = APART + n * 1_000_000;
            clients.changed(now);
            told += u32::from(clients.turn(now).is_some());
        }
        assert_eq!(told, 10);
        assert_eq!(clients.next_due(), None, "nothing is left to tell");
        clients.changed(APART * 11 + 5);
        assert_eq!(clients.next_due(), Some(APART * 12));
        assert!(clients.turn(APART * 12 - 1).is_none());
        assert!(clients.turn(APART * 12).is_some());
        assert!(clients.turn(APART * 14).is_none(), "once");
    }
}
