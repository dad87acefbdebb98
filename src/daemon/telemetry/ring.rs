//! The last records, for whoever reads them: bounded, and nobody waits for a reader. Who is too slow misses the oldest
//! and is told how many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::domain::level::Level;
use crate::domain::record::Record;

/// How many records are kept for all readers together, and how many bytes.
const RECORDS: usize = 4096;
const BYTES: usize = 1024 * 1024;
/// The most records in one piece for a reader.
const PIECE: usize = 256;
/// How many records of the daemons before this one are there to look back at.
pub(super) const BACK: usize = 500;

#[derive(Debug)]
struct Ring {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
    /// The number of the next one.
    count: u64,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            records: VecDeque::new(),
            bytes: 0,
            // Those of earlier daemons have numbers too.
            count: BACK as u64,
        }
    }
}

impl Ring {
    /// Puts what earlier daemons said before everything.
    fn precede(&mut self, records: VecDeque<Record>) {
        for record in records.into_iter().rev().take(BACK) {
            let cost = record.cost();
            if self.records.len() >= RECORDS || self.bytes + cost > BYTES || self.first() == 0 {
                return;
            }
            self.bytes += cost;
            self.records.push_front(Arc::new(record));
        }
    }

    fn add(&mut self, record: Arc<Record>) {
        self.bytes += record.cost();
        self.count += 1;
        self.records.push_back(record);
        while self.records.len() > RECORDS || self.bytes > BYTES {
            let Some(oldest) = self.records.pop_front() else {
                break;
            };
            self.bytes -= oldest.cost();
        }
    }

    /// The number of the oldest that is kept.
    fn first(&self) -> u64 {
        self.count - self.records.len() as u64
    }
}

/// How many readers want each level.
#[derive(Debug, Default)]
struct Wanted([AtomicUsize; Level::ALL.len()]);

impl Wanted {
    fn of(&self, level: Level) -> Option<&AtomicUsize> {
        let place = Level::ALL.iter().position(|it| *it == level)?;
        self.0.get(place)
    }

    /// The mildest that somebody wants.
    fn mildest(&self) -> Option<Level> {
        let mut all = Level::ALL.into_iter().zip(&self.0);
        all.find(|(_, count)| count.load(Ordering::Relaxed) > 0)
            .map(|(level, _)| level)
    }

    fn change(&self, level: Level, change: impl Fn(&AtomicUsize)) {
        let before = self.mildest();
        if let Some(count) = self.of(level) {
            change(count);
        }
        if self.mildest() != before {
            tracing::callsite::rebuild_interest_cache();
        }
    }
}

/// The daemon's own log, as far back as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct OwnLog {
    ring: Arc<watch::Sender<Ring>>,
    wanted: Arc<Wanted>,
}

impl Default for OwnLog {
    fn default() -> Self {
        Self {
            ring: Arc::new(watch::channel(Ring::default()).0),
            wanted: Arc::default(),
        }
    }
}

impl OwnLog {
    pub(super) fn add(&self, record: Arc<Record>) {
        self.ring.send_modify(|ring| ring.add(record));
    }

    /// What earlier daemons said.
    pub(super) fn precede(&self, records: VecDeque<Record>) {
        self.ring.send_modify(|ring| ring.precede(records));
    }

    /// The mildest that a reader wants.
    pub(super) fn wanted(&self) -> Option<Level> {
        self.wanted.mildest()
    }

    /// The last records of this level and worse, and what follows.
    pub(crate) fn read(&self, level: Level, most: usize) -> (Vec<Arc<Record>>, Reader) {
        // First: what is said from now on is not missed.
        self.wanted.change(level, |count| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let ring = self.ring.subscribe();
        let (mut records, next) = {
            let ring = ring.borrow();
            let passing = ring.records.iter().rev().filter(|it| it.level >= level);
            let records: Vec<_> = passing.take(most).cloned().collect();
            (records, ring.count)
        };
        records.reverse();
        let wanted = Arc::clone(&self.wanted);
        let reader = Reader {
            ring,
            next,
            level,
            wanted,
        };
        (records, reader)
    }
}

/// One reader's place.
#[derive(Debug)]
pub(crate) struct Reader {
    ring: watch::Receiver<Ring>,
    /// The number of the record that it is told next.
    next: u64,
    level: Level,
    wanted: Arc<Wanted>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.wanted.change(self.level, |count| {
            count.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

impl Reader {
    /// What is there, and how many before it are gone.
    fn piece(&mut self) -> (Vec<Arc<Record>>, u64) {
        let ring = self.ring.borrow_and_update();
        let missed = ring.first().saturating_sub(self.next);
        let from = usize::try_from(self.next.saturating_sub(ring.first())).unwrap_or(usize::MAX);
        let mut told = Vec::new();
        self.next += missed;
        for record in ring.records.iter().skip(from) {
            if told.len() >= PIECE {
                break;
            }
            self.next += 1;
            if record.level >= self.level {
                told.push(Arc::clone(record));
            }
        }
        (told, missed)
    }

    /// What follows, when there is something, and how many before it were missed; none when there is no more. May be
    /// dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<(Vec<Arc<Record>>, u64)> {
        loop {
            // What comes after this look wakes.
            let (records, missed) = self.piece();
            if !records.is_empty() {
                return Some((records, missed));
            }
            self.ring.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize, level: Level) -> Arc<Record> {
        Arc::new(Record {
            at_us: n as u64,
            level,
            target: "store".into(),
            message: String::new(),
            fields: std::collections::BTreeMap::new(),
            missed: 0,
        })
    }

    fn times(records: &[Arc<Record>]) -> Vec<u64> {
        records.iter().map(|it| it.at_us).collect()
    }

    #[test]
    fn a_reader_begins_with_the_last_of_its_level_and_misses_none_that_follows() {
        let log = OwnLog::default();
        for n in 0..10 {
            let level = [Level::Info, Level::Warn][n % 2];
            log.add(record(n, level));
        }
        let (back, mut reader) = log.read(Level::Warn, 3);
        assert_eq!(times(&back), [5, 7, 9]);
        assert_eq!(log.wanted(), Some(Level::Warn));
        log.add(record(10, Level::Info));
        log.add(record(11, Level::Error));
        let (told, missed) = reader.piece();
        assert_eq!((times(&told), missed), (vec![11], 0));
        drop(reader);
        assert_eq!(log.wanted(), None);
    }

    #[test]
    fn who_is_too_slow_is_told_how_many_are_gone_and_what_is_kept_is_bounded() {
        let log = OwnLog::default();
        let (_, mut reader) = log.read(Level::Trace, 0);
        for n in 0..RECORDS + 10 {
            log.add(record(n, Level::Info));
        }
        let (told, missed) = reader.piece();
        assert_eq!(missed, 10);
        assert_eq!((told.len(), told[0].at_us), (PIECE, 10));
        assert_eq!(reader.piece().1, 0);
        for n in 0..100 {
            let long = Record {
                message: "x".repeat(100_000),
                ..Record::clone(&record(n, Level::Info))
            };
            log.add(Arc::new(long));
        }
        let ring = log.ring.borrow();
        let bytes: usize = ring.records.iter().map(|it| it.cost()).sum();
        assert!(bytes == ring.bytes && bytes <= BYTES, "{bytes}");
    }

    #[test]
    fn what_earlier_daemons_said_comes_first_and_disturbs_no_reader() {
        let log = OwnLog::default();
        log.add(record(1000, Level::Info));
        let (_, mut reader) = log.read(Level::Info, 0);
        let earlier = (0..600).map(|n| Record::clone(&record(n, Level::Info)));
        log.precede(earlier.collect());
        log.add(record(1001, Level::Info));
        let (told, missed) = reader.piece();
        assert_eq!((times(&told), missed), (vec![1001], 0));
        let (back, _) = log.read(Level::Info, usize::MAX);
        assert_eq!(back.len(), BACK + 2);
        assert_eq!(times(&back[..2]), [100, 101]);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let log = OwnLog::default();
        let (_, mut reader) = log.read(Level::Warn, 0);
        let waiting = tokio::spawn(async move { reader.next().await });
        tokio::task::yield_now().await;
        log.add(record(1, Level::Info));
        log.add(record(2, Level::Warn));
        let (told, missed) = waiting.await.unwrap().unwrap();
        assert_eq!((times(&told), missed), (vec![2], 0));
    }
}
