//! What in logs would command a terminal: in the log of a service either a mistake or an attack.

use std::time::{Duration, Instant};

use crate::api::LogControls;
use crate::logs::merge::{From, Merge};
use crate::logs::safe::SafeText;

use super::{ReadError, Readers, SLICE, STRIDE, Scope};

/// How much longer than its deadline it is waited for before the disk counts as stalled.
const PATIENCE: Duration = Duration::from_secs(3);

struct Work {
    merge: Merge,
    since_ms: u64,
    found: LogControls,
}

impl Work {
    fn open(scope: &Scope, since_ms: u64) -> Result<Self, ReadError> {
        let mut merge = Merge::open(scope.paths(), From::Last(0))?;
        merge.seek(since_ms.saturating_mul(1000))?;
        Ok(Self {
            merge,
            since_ms,
            found: LogControls {
                sequences: 0,
                lines: 0,
                first_ms: None,
                complete: false,
            },
        })
    }

    fn slice(&mut self) -> Result<(), ReadError> {
        let end = Instant::now() + SLICE;
        let mut looked = 0;
        loop {
            looked += 1;
            if looked % STRIDE == 0 && Instant::now() >= end {
                return Ok(());
            }
            let Some((_, line)) = self.merge.next(false)? else {
                self.found.complete = true;
                return Ok(());
            };
            let time_ms = line.time_us.map(|us| us / 1000);
            if !may_have(&line.bytes) || time_ms.is_some_and(|ms| ms < self.since_ms) {
                continue;
            }
            let count = SafeText::new(&line.bytes).commands();
            if count > 0 {
                self.found.sequences += u64::from(count);
                self.found.lines += 1;
                self.found.first_ms = self.found.first_ms.or(time_ms);
            }
        }
    }
}

/// Most lines have nothing that such a sequence could begin with.
fn may_have(line: &[u8]) -> bool {
    line.iter().any(|b| *b == 0x1b || (0x80..=0x9f).contains(b))
}

/// Counts from a moment on.
///
/// # Errors
/// When a log cannot be read, or its disk does not answer.
pub(crate) async fn count(
    readers: &Readers,
    scope: Scope,
    since_ms: u64,
    deadline: Duration,
) -> Result<LogControls, ReadError> {
    let end = Instant::now() + deadline;
    let patience = deadline + PATIENCE;
    let readers = scope.places(readers);
    let mut work = readers
        .run(patience, move || Work::open(&scope, since_ms))
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
        if work.found.complete || Instant::now() >= end {
            return Ok(work.found);
        }
    }
}
