//! Log lines for readers: read on the blocking pool, woken by what the scribe says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::api::LogLine;
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::logs::follow::{From, Merge};
use crate::logs::read::Line;

use super::message::LogSource;

/// Lines read in one go before they are handed over.
const BATCH: usize = 512;
/// Without a word from the scribe, a follower looks by itself this often.
const LOOK: Duration = Duration::from_secs(2);

/// Which files grew: a number that changes with each telling.
pub(crate) type Growth = watch::Receiver<u64>;

/// What a reader wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The logs.
    pub sources: Vec<LogSource>,
    /// Only this stream.
    pub stream: Option<Stream>,
    /// From where.
    pub from: From,
    /// Go on.
    pub follow: bool,
    /// At most so many lines a second.
    pub rate: Option<u32>,
}

fn pick(sources: Vec<LogSource>, stream: Option<Stream>) -> Vec<LogSource> {
    let mut by_path: BTreeMap<PathBuf, LogSource> = BTreeMap::new();
    let mut order = Vec::new();
    for source in sources {
        // A merged log has one file, which is both streams.
        let alone = !order
            .iter()
            .any(|(path, id): &(PathBuf, InstanceId)| *path == source.path && *id == source.id);
        if stream.is_none_or(|s| s == source.stream) && alone {
            order.push((source.path.clone(), source.id));
            by_path.insert(source.path.clone(), source);
        }
    }
    order
        .into_iter()
        .filter_map(|(path, _)| by_path.remove(&path))
        .collect()
}

fn line(source: &LogSource, line: &Line, gap: u64) -> LogLine {
    let mut out = LogLine {
        time: line.time_us.map(|us| us / 1000),
        id: source.id,
        name: source.name.clone(),
        stream: source.stream,
        run: line.run.filter(|run| run.0 > 0),
        offset: line.offset,
        line: String::new(),
        raw: None,
        complete: line.complete,
        gap,
    };
    out.set_bytes(&line.bytes);
    out
}

/// Sends lines until the reader leaves or, without `follow`, until there are no more. A failure is sent as text.
pub(crate) async fn stream(
    wanted: Wanted,
    mut growth: Growth,
    sender: mpsc::Sender<Result<Vec<LogLine>, String>>,
) {
    let follow = wanted.follow;
    let rate = wanted
        .rate
        .map(|r| usize::try_from(r).unwrap_or(usize::MAX).max(1));
    let sources = pick(wanted.sources, wanted.stream);
    let paths = sources.iter().map(|s| s.path.clone()).collect();
    let opened = tokio::task::spawn_blocking(move || Merge::open(paths, wanted.from)).await;
    let mut state = match opened {
        Ok(Ok(merge)) => (merge, sources),
        Ok(Err(error)) => {
            let _ = sender
                .send(Err(format!("a log cannot be read: {error}")))
                .await;
            return;
        }
        Err(_) => return,
    };
    let mut budget = Budget::new(rate);
    loop {
        growth.mark_unchanged();
        let (mut merge, sources) = state;
        let read = tokio::task::spawn_blocking(move || {
            let mut lines = Vec::new();
            let mut more = true;
            while lines.len() < BATCH {
                match merge.next(follow) {
                    Ok(Some((n, it))) => {
                        if let Some(source) = sources.get(n) {
                            lines.push(line(source, &it, 0));
                        }
                    }
                    Ok(None) => {
                        more = false;
                        break;
                    }
                    Err(error) => return Err((error, lines)),
                }
            }
            Ok((merge, sources, lines, more))
        })
        .await;
        let (merge, sources, lines, more) = match read {
            Ok(Ok(read)) => read,
            Ok(Err((error, lines))) => {
                let _ = sender.send(Ok(lines)).await;
                let _ = sender
                    .send(Err(format!("a log cannot be read: {error}")))
                    .await;
                return;
            }
            Err(_) => return,
        };
        let lines = budget.cut(lines);
        if !lines.is_empty() && sender.send(Ok(lines)).await.is_err() {
            return;
        }
        state = (merge, sources);
        if more {
            continue;
        }
        if !follow {
            return;
        }
        tokio::select! {
            changed = growth.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
            () = sender.closed() => return,
        }
        let (mut merge, sources) = state;
        let refreshed = tokio::task::spawn_blocking(move || {
            let result = merge.refresh();
            (merge, result)
        })
        .await;
        match refreshed {
            Ok((merge, Ok(()))) => state = (merge, sources),
            Ok((_, Err(error))) => {
                let _ = sender
                    .send(Err(format!("a log cannot be read: {error}")))
                    .await;
                return;
            }
            Err(_) => return,
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

    fn cut(&mut self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        let Some(rate) = self.rate else {
            return lines;
        };
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.since = tokio::time::Instant::now();
            self.left = rate;
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
    use super::*;

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
        };
        (from..from + count)
            .map(|n| line(&source, &at(n), 0))
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
