//! Logs read from a place: pages, searches and counts.
//!
//! Each query says again what it shares with the others: a field of a query that nobody knows is refused, which serde
//! cannot do for what is flattened into another struct.

use serde::{Deserialize, Serialize};

use crate::domain::event::Event;
use crate::domain::level::Level;
use crate::domain::spec::Stream;

use super::log_line::LogLine;
use super::place::LogPlace;

/// `GET /api/logs/page?…`: lines around a place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogPageQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// `out` or `err`; none means both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// Regular expressions that must all match, one a line; behind a `!`, one that must not. Without a capital letter
    /// both cases match.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Hides lines that are known to be milder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The place; the end when neither this nor a time is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<LogPlace>,
    /// The place where this moment begins, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// How many lines before the place; at most 5,000. When neither this nor `after` is given: 100.
    pub before: usize,
    /// How many lines from the place on; at most 5,000.
    pub after: usize,
    /// How long the page may take, milliseconds; at most 30,000, and 2,000 when not given. A filter may have to read
    /// far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// What is around a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogPage {
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Before the first: give it as `cursor` with `before` to go back.
    pub start: LogPlace,
    /// Behind the last: give it as `cursor` with `after` to go on. A last line that may still grow comes again.
    pub end: LogPlace,
    /// Nothing is before `start`.
    pub oldest: bool,
    /// Nothing was behind `end`.
    pub newest: bool,
    /// False when the time was over, or the page too large, before there were enough lines; `start` and `end` say how
    /// far it came.
    pub complete: bool,
}

/// `GET /api/logs/search?…`: lines that match, one [`SearchNews`] a line. Ended by closing the connection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSearchQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// `out` or `err`; none means both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// As in [`LogPageQuery`]: only in lines that pass.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// As in [`LogPageQuery`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// A regular expression, without a capital letter for both cases.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// Only lines that say themselves that they are errors; then the pattern may be empty.
    pub errors: bool,
    /// From where; when neither this nor a time is given, from the beginning, or backwards from the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<LogPlace>,
    /// From this moment, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// To older lines, the nearest first.
    pub backward: bool,
    /// How many hits are told; at most 1,000, and 1 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Go on to the end and count all hits.
    pub count: bool,
    /// How long it may take, milliseconds; at most 60,000, and 10,000 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// What a search says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum SearchNews {
    /// A line that matches.
    Hit {
        /// The line.
        line: Box<LogLine>,
    },
    /// It goes on; said some times a second.
    Progress(SearchState),
    /// It is over.
    Done {
        /// How far it came.
        #[serde(flatten)]
        state: SearchState,
        /// Why it is over.
        end: SearchEnd,
    },
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchState {
    /// How many lines matched, told or not.
    pub hits: u64,
    /// How many lines were looked at.
    pub lines: u64,
    /// How many bytes were looked at.
    pub bytes: u64,
    /// Where it goes on.
    pub next: LogPlace,
}

/// Why a search is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchEnd {
    /// There are no more lines in this direction.
    Exhausted,
    /// As many hits as were asked for.
    Limit,
    /// The time was over.
    Deadline,
}

/// `GET /api/logs/histogram?…`: how many lines came when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogHistogramQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// `out` or `err`; none means both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// As in [`LogPageQuery`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// As in [`LogPageQuery`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The first moment, milliseconds since 1970.
    pub from_ms: u64,
    /// The moment behind the last; now when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<u64>,
    /// How many stretches of equal length; 1 to 1,000, and 60 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<usize>,
    /// How long it may take, milliseconds; at most 30,000, and 2,000 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// How many lines came when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHistogram {
    /// The first moment, milliseconds since 1970.
    pub from_ms: u64,
    /// The moment behind the last.
    pub to_ms: u64,
    /// One per stretch.
    pub buckets: Vec<Bucket>,
    /// False when the time was over: the lines before `counted_ms` are counted, and no later ones.
    pub complete: bool,
    /// Up to here all is counted, milliseconds since 1970.
    pub counted_ms: u64,
}

/// The lines of one stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// All.
    pub lines: u64,
    /// Those that came by standard error, where it has a file of its own.
    pub stderr: u64,
    /// Those that say themselves that they are errors.
    pub errors: u64,
}

/// `GET /api/logs/events?…`: what happened to the instances whose logs are read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogEventsQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// From this moment on, milliseconds since 1970.
    pub from_ms: u64,
    /// Up to this moment; now when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<u64>,
    /// How many events, the newest; 1,000 when not given, which is also the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What happened to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEvents {
    /// Oldest first.
    pub events: Vec<Event>,
    /// From here on none was left out but those that the history does not keep any more.
    pub since_ms: u64,
}

/// `GET /api/logs/controls?…`: what in logs would command a terminal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogControlsQuery {
    /// Selectors, separated by commas; none means all.
    pub select: String,
    /// From this moment on, milliseconds since 1970.
    pub since_ms: u64,
    /// How long it may take, milliseconds; at most 30,000, and 500 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// What would command a terminal: sequences that move its cursor, fill a clipboard, set a title. Colours do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogControls {
    /// How many.
    pub sequences: u64,
    /// In how many lines.
    pub lines: u64,
    /// When the first of these lines came, milliseconds since 1970.
    pub first_ms: Option<u64>,
    /// False when the time was over: then there may be more.
    pub complete: bool,
}
