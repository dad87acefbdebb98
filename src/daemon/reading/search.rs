//! A search: lines that match, in one direction, for as long as the one who asked stays.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::api::{ApiError, Code, Level, SearchEnd, SearchNews, SearchState};
use crate::logs::filter::Pattern;
use crate::logs::merge::{From, Merge};

use super::{ReadError, Readers, SLICE, STRIDE, Scope};

/// Progress is said this often.
const PROGRESS: Duration = Duration::from_millis(250);
/// How long one piece may take before the disk counts as stalled.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is searched.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// What a hit has in it; none for any line.
    pub pattern: Option<Pattern>,
    /// Only lines that say they are errors.
    pub errors: bool,
    /// The place; none for the beginning, or the end when it goes backwards.
    pub from: Option<From>,
    /// The place is where this time begins, microseconds since 1970.
    pub at_us: Option<u64>,
    /// To older lines.
    pub backward: bool,
    /// How many hits are told.
    pub limit: u64,
    /// All hits are counted.
    pub count: bool,
    /// How long it may take.
    pub deadline: Duration,
}

impl Wanted {
    /// # Errors
    /// What is no pattern, and a search for nothing.
    pub(crate) fn pattern(text: &str, errors: bool) -> Result<Option<Pattern>, ApiError> {
        if text.is_empty() {
            return if errors {
                Ok(None)
            } else {
                Err(ApiError::new(Code::BadRequest, "nothing is searched")
                    .hint("give a pattern, or errors=true"))
            };
        }
        Pattern::new(text)
            .map(Some)
            .map_err(|error| ApiError::new(Code::BadRequest, format!("the pattern: {error}")))
    }
}

struct Work {
    scope: Scope,
    wanted: Wanted,
    merge: Merge,
    hits: u64,
    lines: u64,
    bytes: u64,
    end: Option<SearchEnd>,
}

impl Work {
    fn open(scope: Scope, mut wanted: Wanted) -> Result<Self, ReadError> {
        let from = wanted.from.take();
        let rewound = from.is_none() && !wanted.backward;
        let mut merge = Merge::open(scope.paths(), from.unwrap_or(From::Last(0)))?;
        match wanted.at_us {
            Some(time_us) => merge.seek(time_us)?,
            None if rewound => merge.rewind(),
            None => {}
        }
        Ok(Self {
            scope,
            wanted,
            merge,
            hits: 0,
            lines: 0,
            bytes: 0,
            end: None,
        })
    }

    fn is_hit(&self, line: &[u8]) -> bool {
        self.scope.filter.passes(line)
            && (!self.wanted.errors || Level::of(line) == Some(Level::Error))
            && self.wanted.pattern.as_ref().is_none_or(|p| p.matches(line))
    }

    /// Goes on for a while; the hits that are told.
    fn slice(&mut self) -> Result<Vec<SearchNews>, ReadError> {
        let end = Instant::now() + SLICE;
        let mut told = Vec::new();
        let mut looked = 0;
        while self.end.is_none() {
            looked += 1;
            if looked % STRIDE == 0 && Instant::now() >= end {
                break;
            }
            let found = if self.wanted.backward {
                self.merge.previous()?
            } else {
                self.merge.next(false)?
            };
            let Some((n, line)) = found else {
                self.end = Some(SearchEnd::Exhausted);
                break;
            };
            self.lines += 1;
            self.bytes += line.end - line.offset;
            if !self.is_hit(&line.bytes) {
                continue;
            }
            self.hits += 1;
            if self.hits <= self.wanted.limit
                && let Some(line) = self.scope.line(n, &line)
            {
                told.push(SearchNews::Hit {
                    line: Box::new(line),
                });
            }
            if self.hits == self.wanted.limit && !self.wanted.count {
                self.end = Some(SearchEnd::Limit);
            }
        }
        Ok(told)
    }

    fn state(&self) -> SearchState {
        let (low, high) = self.merge.bounds();
        let next = if self.wanted.backward { low } else { high };
        SearchState {
            hits: self.hits,
            lines: self.lines,
            bytes: self.bytes,
            next: self.scope.place(&next),
        }
    }
}

/// Searches until there is nothing more, enough is found, the time is over, or nobody listens.
///
/// # Errors
/// When a log cannot be read, or its disk does not answer.
pub(crate) async fn run(
    readers: &Readers,
    scope: Scope,
    wanted: Wanted,
    news: &mpsc::Sender<SearchNews>,
) -> Result<(), ReadError> {
    let readers = scope.places(readers);
    let end = Instant::now() + wanted.deadline;
    let mut work = readers
        .run(PATIENCE, move || Work::open(scope, wanted))
        .await??;
    let mut said = Instant::now();
    loop {
        let told;
        (work, told) = readers
            .run(PATIENCE, move || {
                let told = work.slice();
                (work, told)
            })
            .await?;
        for hit in told? {
            if news.send(hit).await.is_err() {
                return Ok(());
            }
        }
        if work.end.is_none() && Instant::now() >= end {
            work.end = Some(SearchEnd::Deadline);
        }
        if let Some(end) = work.end {
            let state = work.state();
            let _ = news.send(SearchNews::Done { state, end }).await;
            return Ok(());
        }
        if said.elapsed() >= PROGRESS {
            said = Instant::now();
            if news.send(SearchNews::Progress(work.state())).await.is_err() {
                return Ok(());
            }
        }
        if news.is_closed() {
            return Ok(());
        }
    }
}
