//! A stream: lines as they are in the files, and as they come; woken by what the scribe says.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::api::LogLine;
use crate::logs::merge::{From, Merge, Retreat};

use super::{ReadError, Readers, SLICE, STRIDE, Scope};

/// Lines read in one go before they are handed over, and bytes.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// Without a word from the scribe, a follower looks by itself this often.
const LOOK: Duration = Duration::from_secs(2);
/// How long one piece may take before the disk counts as stalled.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most lines a second for a screen.
const RATE_MAX: u32 = 2000;
const SECOND: Duration = Duration::from_secs(1);
/// So many bytes of lines that were not read yet are no reason to look for the end.
const BACKLOG: u64 = 64 * 1024;

/// Which files grew: a number that changes with each telling.
pub(crate) type Growth = watch::Receiver<u64>;

/// What a reader wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// From where.
    pub from: From,
    /// Not what came at this time or later, microseconds since 1970.
    pub until_us: Option<u64>,
    /// Go on.
    pub follow: bool,
    /// For a screen: at most so many lines a second, and always the newest.
    pub rate: Option<u32>,
}

struct Work {
    scope: Scope,
    merge: Merge,
    until_us: Option<u64>,
    follow: bool,
}

/// What one piece of reading gave.
struct Batch {
    lines: Vec<LogLine>,
    /// There is more at once.
    more: bool,
    /// Everything that was asked for has been read.
    over: bool,
    error: Option<ReadError>,
}

impl Work {
    /// With a filter or a last moment, lines before the beginning still have to be counted.
    fn open(scope: Scope, wanted: Wanted) -> Result<(Self, Option<Retreat>), ReadError> {
        let retreat = match wanted.from {
            From::Last(count) => Some(Retreat::new(count, 0)),
            From::Since(time_us, count) => Some(Retreat::new(count, time_us)),
            From::At { .. } => None,
        };
        let plain = scope.filter.is_open() && wanted.until_us.is_none();
        let retreat = retreat.filter(|_| !plain);
        let from = match &retreat {
            Some(_) => From::Last(0),
            None => wanted.from,
        };
        let mut merge = Merge::open(scope.paths(), from)?;
        if retreat.is_some()
            && let Some(time_us) = wanted.until_us
        {
            merge.seek(time_us)?;
        }
        let work = Self {
            scope,
            merge,
            until_us: wanted.until_us,
            follow: wanted.follow,
        };
        Ok((work, retreat))
    }

    fn go_back(&mut self, retreat: &mut Retreat) -> Result<bool, ReadError> {
        let end = std::time::Instant::now() + SLICE;
        let mut looked = 0;
        let filter = &self.scope.filter;
        let wanted = |line: &[u8]| filter.passes(line);
        let arrived = self.merge.retreat(retreat, wanted, || {
            looked += 1;
            looked % STRIDE == 0 && std::time::Instant::now() >= end
        })?;
        Ok(arrived)
    }

    /// Lines that were passed over to keep up with the end.
    fn keep_up(&mut self, rate: usize) -> Result<u64, ReadError> {
        if self.merge.backlog() <= BACKLOG {
            return Ok(0);
        }
        Ok(self.merge.skip_to_last(rate)?)
    }

    fn batch(&mut self) -> Batch {
        let mut batch = Batch {
            lines: Vec::new(),
            more: true,
            over: false,
            error: None,
        };
        let (mut looked, mut bytes) = (0, 0);
        // A filter may pass over much: the reader is asked in between whether it is still there.
        while batch.lines.len() < BATCH && looked < 16 * BATCH && bytes < BATCH_BYTES {
            match self.merge.next(self.follow) {
                Ok(Some((n, line))) => {
                    looked += 1;
                    bytes += line.bytes.len();
                    let late = |until| line.time_us.is_some_and(|time| time >= until);
                    if self.until_us.is_some_and(late) {
                        batch.over = true;
                        break;
                    }
                    if self.scope.filter.passes(&line.bytes) {
                        batch.lines.extend(self.scope.line(n, &line));
                    }
                }
                Ok(None) => {
                    batch.more = false;
                    break;
                }
                Err(error) => {
                    batch.error = Some(error.into());
                    break;
                }
            }
        }
        batch
    }
}

/// Sends lines until the reader leaves or, without `follow`, until there are no more. A failure is sent as text.
pub(crate) async fn stream(
    readers: Readers,
    scope: Scope,
    wanted: Wanted,
    growth: Growth,
    sender: mpsc::Sender<Result<Vec<LogLine>, String>>,
) {
    if let Err(error) = go_on(&readers, scope, wanted, growth, &sender).await {
        let _ = sender.send(Err(error.to_string())).await;
    }
}

async fn go_on(
    readers: &Readers,
    scope: Scope,
    wanted: Wanted,
    mut growth: Growth,
    sender: &mpsc::Sender<Result<Vec<LogLine>, String>>,
) -> Result<(), ReadError> {
    let readers = scope.places(readers);
    let follow = wanted.follow;
    let rate = wanted
        .rate
        .map(|r| usize::try_from(r.clamp(1, RATE_MAX)).unwrap_or(usize::MAX));
    let mut budget = Budget::new(rate);
    let opened = readers.run(PATIENCE, move || Work::open(scope, wanted));
    let (mut work, mut retreat) = opened.await??;
    while let Some(mut left) = retreat.take() {
        let arrived;
        (work, left, arrived) = readers
            .run(PATIENCE, move || {
                let arrived = work.go_back(&mut left);
                (work, left, arrived)
            })
            .await?;
        if sender.is_closed() {
            return Ok(());
        }
        retreat = (!arrived?).then_some(left);
    }
    loop {
        growth.mark_unchanged();
        // For a screen nothing is read that could not be shown: what is too old by then is counted, not read.
        if let Some(rate) = rate
            && follow
        {
            if budget.is_used_up() {
                tokio::select! {
                    () = budget.next_second() => {}
                    () = sender.closed() => return Ok(()),
                }
            }
            let kept_up;
            (work, kept_up) = readers
                .run(PATIENCE, move || {
                    let result = work.merge.refresh().map_err(ReadError::from);
                    let result = result.and_then(|()| work.keep_up(rate));
                    (work, result)
                })
                .await?;
            budget.gap += kept_up?;
        }
        let batch;
        (work, batch) = readers
            .run(PATIENCE, move || {
                let batch = work.batch();
                (work, batch)
            })
            .await?;
        let lines = budget.cut(batch.lines);
        if !lines.is_empty() && sender.send(Ok(lines)).await.is_err() {
            return Ok(());
        }
        if let Some(error) = batch.error {
            return Err(error);
        }
        if batch.over || sender.is_closed() {
            return Ok(());
        }
        if batch.more {
            continue;
        }
        if !follow {
            return Ok(());
        }
        tokio::select! {
            changed = growth.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep(LOOK) => {}
            () = sender.closed() => return Ok(()),
        }
        if rate.is_none() {
            let refreshed;
            (work, refreshed) = readers
                .run(PATIENCE, move || {
                    let result = work.merge.refresh();
                    (work, result)
                })
                .await?;
            refreshed?;
        }
    }
}

/// At most so many lines a second: what is too much is counted, and the newest are kept.
struct Budget {
    rate: Option<usize>,
    left: usize,
    since: tokio::time::Instant,
    gap: u64,
}

impl Budget {
    fn new(rate: Option<usize>) -> Self {
        Self {
            rate,
            left: rate.unwrap_or(usize::MAX),
            since: tokio::time::Instant::now(),
            gap: 0,
        }
    }

    fn renew(&mut self) {
        if let Some(rate) = self.rate
            && self.since.elapsed() >= SECOND
        {
            self.since = tokio::time::Instant::now();
            self.left = rate;
        }
    }

    fn is_used_up(&mut self) -> bool {
        self.renew();
        self.left == 0
    }

    async fn next_second(&self) {
        tokio::time::sleep_until(self.since + SECOND).await;
    }

    fn cut(&mut self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        self.renew();
        if self.rate.is_none() {
            return lines;
        }
        let excess = lines.len().saturating_sub(self.left);
        lines.drain(..excess);
        self.gap += excess as u64;
        self.left -= lines.len();
        if let Some(first) = lines.first_mut() {
            first.gap = std::mem::take(&mut self.gap);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::names::InstanceId;
    use crate::domain::spec::Stream;
    use crate::logs::read::Line;

    use super::super::to_wire;
    use crate::daemon::message::LogSource;

    fn lines(from: u64, count: u64) -> Vec<LogLine> {
        let source = LogSource {
            id: InstanceId(1),
            name: "web".into(),
            stream: Stream::Out,
            path: PathBuf::from("/logs/web.out"),
        };
        let at = |offset| Line {
            time_us: None,
            run: None,
            offset,
            end: offset + 1,
            bytes: vec![],
            complete: true,
            grows: false,
            missing: 0,
            dropped: 0,
            damaged: false,
        };
        (from..from + count)
            .map(|n| to_wire(&source, &at(n), 0))
            .collect()
    }

    fn seen(lines: &[LogLine]) -> Vec<(u64, u64)> {
        lines.iter().map(|l| (l.offset, l.gap)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_in_a_second_is_counted_and_the_newest_are_kept() {
        let mut budget = Budget::new(Some(3));
        assert_eq!(seen(&budget.cut(lines(0, 2))), [(0, 0), (1, 0)]);
        assert_eq!(seen(&budget.cut(lines(2, 4))), [(5, 3)]);
        assert_eq!(seen(&budget.cut(lines(6, 2))), []);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(seen(&budget.cut(lines(8, 1))), [(8, 2)]);
        assert_eq!(seen(&budget.cut(lines(9, 1))), [(9, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nothing_is_left_out() {
        let mut budget = Budget::new(None);
        assert_eq!(budget.cut(lines(0, 5000)).len(), 5000);
    }
}
