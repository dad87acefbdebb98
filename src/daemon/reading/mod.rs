//! Logs for readers: streams, pages, searches and counts. Reading has threads of its own, in bounded number, so that a
//! disk that stalls holds readers of logs and nobody else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::{ApiError, Code, Cursor, Level, LogLine, LogPlace};
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::logs::filter::Filter;
use crate::logs::merge::From;
use crate::logs::read::Line;

use super::message::LogSource;

pub(crate) mod controls;
pub(crate) mod histogram;
pub(crate) mod page;
mod readers;
pub(crate) mod search;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

pub(crate) use readers::{Places, Readers};

/// How long one piece of reading goes on before the reader is asked whether it is still there.
const SLICE: Duration = Duration::from_millis(40);
/// Lines between two looks at the clock.
const STRIDE: usize = 64;

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The kernel's word.
    #[error("a log cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The disk does not answer, or too many read already.
    #[error("the disk that holds the log has not answered in time")]
    Stalled,
    /// The reading thread is gone.
    #[error("reading the log failed")]
    Failed,
}

impl std::convert::From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::Stalled => Code::Unavailable,
            ReadError::Io(_) | ReadError::Failed => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// Which lines of which logs.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    sources: Vec<LogSource>,
    filter: Filter,
}

impl Scope {
    /// # Errors
    /// What is no pattern.
    pub(crate) fn new(
        sources: Vec<LogSource>,
        stream: Option<Stream>,
        filter: &str,
        level: Option<Level>,
    ) -> Result<Self, ApiError> {
        let filter = Filter::new(filter, level)
            .map_err(|error| ApiError::new(Code::BadRequest, format!("the filter: {error}")))?;
        Ok(Self {
            sources: pick(sources, stream),
            filter,
        })
    }

    /// Who may read these logs.
    fn places(&self, readers: &Readers) -> Places {
        readers.of(self.sources.iter().map(|source| &source.path))
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.sources.iter().map(|s| s.path.clone()).collect()
    }

    /// Offsets, one per log, as a place.
    fn place(&self, offsets: &[u64]) -> LogPlace {
        let cursors = self.sources.iter().zip(offsets);
        LogPlace(
            cursors
                .map(|(source, offset)| Cursor {
                    id: source.id,
                    stream: source.stream,
                    offset: *offset,
                })
                .collect(),
        )
    }

    /// A place as offsets, one per log.
    ///
    /// # Errors
    /// When the place is in none of the logs.
    pub(crate) fn begin_at(
        &self,
        place: &LogPlace,
        otherwise_us: Option<u64>,
    ) -> Result<From, ApiError> {
        let named: BTreeMap<(InstanceId, Stream), u64> = place
            .0
            .iter()
            .map(|cursor| ((cursor.id, cursor.stream), cursor.offset))
            .collect();
        let places: Vec<Option<u64>> = self
            .sources
            .iter()
            .map(|source| named.get(&(source.id, source.stream)).copied())
            .collect();
        if places.iter().all(Option::is_none) && !self.sources.is_empty() {
            return Err(ApiError::new(
                Code::BadRequest,
                "the cursor is in none of the selected logs",
            )
            .hint("select the process that the cursor names"));
        }
        Ok(From::At {
            places,
            otherwise_us,
        })
    }

    fn line(&self, n: usize, line: &Line) -> Option<LogLine> {
        self.sources.get(n).map(|source| to_wire(source, line, 0))
    }
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

fn to_wire(source: &LogSource, line: &Line, gap: u64) -> LogLine {
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
        missing: line.missing,
        dropped: line.dropped,
        damaged: line.damaged,
    };
    out.set_bytes(&line.bytes);
    out
}
