//! How many lines came when.

use std::time::{Duration, Instant};

use crate::api::{Bucket, Level, LogHistogram};
use crate::domain::spec::Stream;
use crate::logs::merge::{From, Merge};

use super::{ReadError, Readers, SLICE, STRIDE, Scope};

/// How much longer than its deadline it is waited for before the disk counts as stalled.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which stretches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The first moment, milliseconds since 1970.
    pub from_ms: u64,
    /// The moment behind the last, above the first.
    pub to_ms: u64,
    /// How many stretches; 1 or more.
    pub buckets: usize,
    /// How long it may take.
    pub deadline: Duration,
}

impl Wanted {
    /// In which stretch a moment is; none outside.
    fn bucket(&self, ms: u64) -> Option<usize> {
        let span = u128::from(self.to_ms.checked_sub(self.from_ms)?.max(1));
        let into = u128::from(ms.checked_sub(self.from_ms)?);
        let n = into * self.buckets as u128 / span;
        usize::try_from(n).ok().filter(|n| *n < self.buckets)
    }
}

struct Work {
    scope: Scope,
    wanted: Wanted,
    merge: Merge,
    buckets: Vec<Bucket>,
    counted_ms: u64,
    over: bool,
}

impl Work {
    fn open(scope: Scope, wanted: Wanted) -> Result<Self, ReadError> {
        let mut merge = Merge::open(scope.paths(), From::Last(0))?;
        merge.seek(wanted.from_ms.saturating_mul(1000))?;
        Ok(Self {
            scope,
            wanted,
            merge,
            buckets: vec![Bucket::default(); wanted.buckets],
            counted_ms: wanted.from_ms,
            over: false,
        })
    }

    fn slice(&mut self) -> Result<(), ReadError> {
        let end = Instant::now() + SLICE;
        let mut looked = 0;
        while !self.over {
            looked += 1;
            if looked % STRIDE == 0 && Instant::now() >= end {
                break;
            }
            let Some((n, line)) = self.merge.next(false)? else {
                self.over = true;
                break;
            };
            // A line whose time nobody knows is in no stretch.
            let Some(ms) = line.time_us.map(|us| us / 1000) else {
                continue;
            };
            if ms >= self.wanted.to_ms {
                self.over = true;
                break;
            }
            self.counted_ms = self.counted_ms.max(ms);
            let Some(bucket) = self.wanted.bucket(ms) else {
                continue;
            };
            if !self.scope.filter.passes(&line.bytes) {
                continue;
            }
            let stream = self.scope.sources.get(n).map(|source| source.stream);
            let bucket = &mut self.buckets[bucket];
            bucket.lines += 1;
            bucket.stderr += u64::from(stream == Some(Stream::Err));
            bucket.errors += u64::from(Level::of(&line.bytes) == Some(Level::Error));
        }
        Ok(())
    }
}

/// Counts.
///
/// # Errors
/// When a log cannot be read, or its disk does not answer.
pub(crate) async fn count(
    readers: &Readers,
    scope: Scope,
    wanted: Wanted,
) -> Result<LogHistogram, ReadError> {
    let readers = scope.places(readers);
    let end = Instant::now() + wanted.deadline;
    let patience = wanted.deadline + PATIENCE;
    let mut work = readers
        .run(patience, move || Work::open(scope, wanted))
        .await??;
    loop {
        let result;
        (work, result) = readers
            .run(patience, move || {
                let result = work.slice();
                (work, result)
            })
            .await?;
        result?;
        if work.over || Instant::now() >= end {
            return Ok(LogHistogram {
                from_ms: wanted.from_ms,
                to_ms: wanted.to_ms,
                buckets: work.buckets,
                complete: work.over,
                counted_ms: if work.over {
                    wanted.to_ms
                } else {
                    work.counted_ms
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_of_the_range_is_in_one_stretch() {
        let wanted = Wanted {
            from_ms: 1000,
            to_ms: 1100,
            buckets: 3,
            deadline: Duration::ZERO,
        };
        let of = |ms| wanted.bucket(ms);
        assert_eq!([of(999), of(1000), of(1033)], [None, Some(0), Some(0)]);
        assert_eq!([of(1034), of(1099), of(1100)], [Some(1), Some(2), None]);
    }
}
