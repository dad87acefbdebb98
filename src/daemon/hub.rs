//! Telling subscribers: numbered, and kept for a while, so that who was away or slow goes on where it was. Who was away
//! too long misses something, is told so, and gets a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::api::Push;

/// How many bytes are kept for all subscribers together; there are no other queues.
const KEPT: usize = 1024 * 1024;
/// What each costs beside its text: its counts, its place, and what the allocator adds to both of its parts.
const BESIDE: usize = 96;
/// How long something is kept, and how long is listened on behalf of who has left: nanoseconds.
const LINGER: u64 = 60_000_000_000;

/// So often what is too old goes also when nothing new comes: nanoseconds.
const TIDY: u64 = 1_000_000_000;

/// One numbered thing, encoded once for all, and no larger than it is.
pub(super) type Told = Arc<(u64, Box<str>)>;

/// The last things told, numbered without a hole.
#[derive(Debug, Default)]
struct Ring {
    /// With the time each was told at.
    told: VecDeque<(u64, Told)>,
    bytes: usize,
    /// The number of the newest, kept or not.
    newest: u64,
}

impl Ring {
    fn add(&mut self, now: u64, json: String) {
        self.newest += 1;
        self.bytes += json.len() + BESIDE;
        self.told
            .push_back((now, Arc::new((self.newest, json.into_boxed_str()))));
        self.forget(now);
    }

    /// Lets go of what is too old or too much.
    fn forget(&mut self, now: u64) {
        while let Some((at, told)) = self.told.front()
            && (self.bytes > KEPT || now.saturating_sub(*at) > LINGER)
        {
            self.bytes -= told.1.len() + BESIDE;
            self.told.pop_front();
        }
    }

    /// Whether all that followed this number is kept.
    fn covers(&self, last: u64) -> bool {
        let oldest = self.told.front().map_or(self.newest + 1, |(_, t)| t.0);
        last <= self.newest && last + 1 >= oldest
    }

    fn after(&self, last: u64) -> Follow {
        if !self.covers(last) {
            return Follow::Gap;
        }
        let behind = usize::try_from(self.newest - last).unwrap_or(usize::MAX);
        let place = self.told.len().checked_sub(behind);
        match place.and_then(|place| self.told.get(place)) {
            Some((_, told)) => Follow::Told(Arc::clone(told)),
            None => Follow::Nothing,
        }
    }
}

/// What follows the last thing a subscriber was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Follow {
    /// This.
    Told(Told),
    /// Nothing so far.
    Nothing,
    /// Something that is kept no more.
    Gap,
    /// Nothing ever: the daemon ends.
    End,
}

/// One subscriber's place.
#[derive(Debug)]
pub(crate) struct Subscription {
    ring: watch::Receiver<Ring>,
    last: u64,
}

impl Subscription {
    /// The number of what it was told last.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// What follows, if there is something.
    pub(crate) fn try_next(&mut self) -> Follow {
        let follow = self.ring.borrow_and_update().after(self.last);
        if let Follow::Told(told) = &follow {
            self.last = told.0;
        }
        follow
    }

    /// What follows, when there is something; may be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Follow {
        loop {
            // What comes after this look wakes.
            let follow = self.try_next();
            if follow != Follow::Nothing {
                return follow;
            }
            if self.ring.changed().await.is_err() {
                return Follow::End;
            }
        }
    }
}

/// Where subscribers come from.
#[derive(Debug)]
pub(super) struct Hub {
    /// Written here alone; subscribers look.
    ring: watch::Sender<Ring>,
    now: u64,
    /// When was looked for what is too old.
    tidied: u64,
    /// Until when is kept what nobody hears: somebody may come back.
    until: u64,
    open: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            ring: watch::channel(Ring::default()).0,
            now: 0,
            tidied: 0,
            until: 0,
            open: false,
        }
    }
}

impl Hub {
    /// It is that late. When nobody has listened for a while, nothing is kept any more.
    pub(super) fn turn(&mut self, now: u64) {
        self.now = now;
        if self.ring.receiver_count() > 0 {
            self.until = now.saturating_add(LINGER);
            if now.saturating_sub(self.tidied) > TIDY {
                self.tidied = now;
                // Nobody has to be woken for that.
                self.ring.send_if_modified(|ring| {
                    ring.forget(now);
                    false
                });
            }
        } else if self.open && now > self.until {
            self.open = false;
            self.ring.send_modify(|ring| {
                // A number that nobody was told: who comes back later sees the gap.
                *ring = Ring {
                    newest: ring.newest + 1,
                    ..Ring::default()
                };
            });
        }
    }

    /// Whether anybody listens, or may come back to hear.
    pub(super) fn has_listeners(&self) -> bool {
        self.open
    }

    /// Tells everybody.
    pub(super) fn publish(&mut self, push: &Push) {
        if !self.open {
            return;
        }
        let Ok(json) = serde_json::to_string(push) else {
            return;
        };
        let now = self.now;
        self.ring.send_modify(|ring| ring.add(now, json));
    }

    fn place_behind(&mut self, last: u64) -> Subscription {
        self.open = true;
        self.until = self.now.saturating_add(LINGER);
        Subscription {
            ring: self.ring.subscribe(),
            last,
        }
    }

    /// What is told from now on.
    pub(super) fn subscribe(&mut self) -> Subscription {
        let newest = self.ring.borrow().newest;
        self.place_behind(newest)
    }

    /// What was told after this number, and what is told from now on; none when not all of it is kept.
    pub(super) fn resume(&mut self, last: u64) -> Option<Subscription> {
        let kept = self.open && self.ring.borrow().covers(last);
        kept.then(|| self.place_behind(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::InstanceId;

    fn push(n: u32) -> Push {
        Push::Removed { id: InstanceId(n) }
    }

    fn numbers(it: &mut Subscription) -> Vec<u64> {
        let mut all = vec![];
        while let Follow::Told(told) = it.try_next() {
            all.push(told.0);
        }
        all
    }

    #[test]
    fn who_subscribes_is_told_what_comes_after() {
        let mut hub = Hub::default();
        assert!(!hub.has_listeners());
        hub.publish(&push(1));
        let mut one = hub.subscribe();
        assert!(hub.has_listeners());
        hub.publish(&push(2));
        let mut two = hub.subscribe();
        hub.publish(&push(3));
        assert_eq!(numbers(&mut one), [1, 2]);
        assert_eq!(numbers(&mut two), [2]);
        assert_eq!(one.last(), 2);
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_once() {
        let mut hub = Hub::default();
        let mut it = hub.subscribe();
        hub.publish(&push(1));
        assert_eq!(numbers(&mut it), [1]);
        let last = it.last();
        drop(it);
        hub.publish(&push(2));
        hub.publish(&push(3));
        let mut it = hub.resume(last).unwrap();
        assert_eq!(numbers(&mut it), [2, 3]);
        hub.publish(&push(4));
        assert_eq!(numbers(&mut it), [4]);
        assert!(numbers(&mut hub.resume(4).unwrap()).is_empty());
        assert!(hub.resume(5).is_none(), "a number that was not given yet");
        assert!(hub.resume(u64::MAX - 1).is_none());
    }

    #[test]
    fn who_is_too_slow_sees_a_gap_and_nobody_else_does() {
        let mut hub = Hub::default();
        let mut slow = hub.subscribe();
        let mut quick = hub.subscribe();
        let mut told = 0;
        while slow.ring.borrow().covers(0) {
            hub.publish(&push(7));
            told += 1;
            assert_eq!(numbers(&mut quick), [told]);
        }
        assert_eq!(slow.try_next(), Follow::Gap);
        assert!(hub.resume(0).is_none());
        assert!(hub.resume(1).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded_by_bytes_and_by_time() {
        let mut hub = Hub::default();
        let it = hub.subscribe();
        for n in 0..100_000 {
            hub.publish(&push(n));
        }
        let (bytes, count) = {
            let ring = it.ring.borrow();
            let sum: usize = ring.told.iter().map(|(_, t)| t.1.len() + BESIDE).sum();
            assert_eq!(sum, ring.bytes);
            (ring.bytes, ring.told.len())
        };
        assert!(bytes <= KEPT && count > 1000, "{bytes} {count}");
        hub.turn(LINGER + 1);
        assert!(it.ring.borrow().told.is_empty(), "with no word since");
        hub.publish(&push(1));
        assert_eq!(it.ring.borrow().told.len(), 1);
    }

    #[test]
    fn nothing_is_kept_when_all_have_been_away_for_long_and_who_comes_back_then_sees_a_gap() {
        let mut hub = Hub::default();
        drop(hub.subscribe());
        hub.publish(&push(1));
        hub.turn(LINGER);
        assert!(hub.has_listeners());
        assert!(hub.resume(0).is_some());
        hub.turn(LINGER * 2);
        assert!(hub.has_listeners(), "it was there a while ago");
        hub.turn(LINGER * 2 + 1);
        assert!(!hub.has_listeners());
        assert!(hub.resume(1).is_none());
        // The one thing that is told now has no neighbour that anybody was told.
        let mut it = hub.subscribe();
        assert!(hub.resume(1).is_none());
        hub.publish(&push(2));
        assert_eq!(numbers(&mut it), [3]);
        assert!(hub.resume(1).is_none());
    }

    #[tokio::test]
    async fn who_waits_is_woken_and_hears_the_end() {
        let mut hub = Hub::default();
        let mut it = hub.subscribe();
        let waiting = tokio::spawn(async move { (it.next().await, it.next().await) });
        hub.publish(&push(1));
        drop(hub);
        let (first, then) = waiting.await.unwrap();
        assert!(matches!(first, Follow::Told(told) if told.0 == 1));
        assert_eq!(then, Follow::End);
    }
}
