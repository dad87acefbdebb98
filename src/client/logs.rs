//! Reading logs: streams, pages, searches and counts.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::api::{
    LogControls, LogControlsQuery, LogEvents, LogEventsQuery, LogHistogram, LogHistogramQuery,
    LogPage, LogPageQuery, LogQuery, LogSearchQuery, RecordQuery,
};

use super::connect::{Client, refusal};
use super::error::ClientError;
use super::http::quote;
use super::stream::{LogLines, Records, SearchHits, Silence};

/// How long a page or a count is waited for beyond what it may take.
const MARGIN: Duration = Duration::from_secs(5);

/// An address with its query: the fields that are given, in the order of their names.
pub(super) fn target(place: &str, query: &impl Serialize) -> String {
    let mut target = place.to_owned();
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else {
        return target;
    };
    let mut sign = '?';
    for (name, value) in fields {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => quote(&text),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                quote(&value.to_string())
            }
        };
        target.push(sign);
        target.push_str(&name);
        target.push('=');
        target.push_str(&text);
        sign = '&';
    }
    target
}

fn patience(deadline_ms: Option<u64>, usual: u64) -> Duration {
    Duration::from_millis(deadline_ms.unwrap_or(usual)) + MARGIN
}

impl Client {
    /// Log lines, once or going on.
    ///
    /// # Errors
    /// As every call.
    pub fn logs(&self, query: &LogQuery) -> Result<LogLines, ClientError> {
        let target = target("/api/logs", query);
        let response = self.request("GET", &target, None, Duration::ZERO)?;
        if response.status == 200 {
            return LogLines::new(response.body, Silence::of(query.follow));
        }
        Err(refusal(response))
    }

    /// Log lines around a place.
    ///
    /// # Errors
    /// As every call.
    pub fn log_page(&self, query: &LogPageQuery) -> Result<LogPage, ClientError> {
        let wait = patience(query.deadline_ms, 2_000);
        self.get(&target("/api/logs/page", query), wait)
    }

    /// Log lines that match; ended by dropping it, or from another thread by its closer.
    ///
    /// # Errors
    /// As every call.
    pub fn log_search(&self, query: &LogSearchQuery) -> Result<SearchHits, ClientError> {
        let target = target("/api/logs/search", query);
        let response = self.request("GET", &target, None, Duration::ZERO)?;
        if response.status == 200 {
            return SearchHits::new(response.body, Silence::Death);
        }
        Err(refusal(response))
    }

    /// The daemon's own log, once or going on.
    ///
    /// # Errors
    /// As every call.
    pub fn daemon_log(&self, query: &RecordQuery) -> Result<Records, ClientError> {
        let target = target("/api/daemon/log", query);
        let response = self.request("GET", &target, None, Duration::ZERO)?;
        if response.status == 200 {
            return Records::new(response.body, Silence::of(query.follow));
        }
        Err(refusal(response))
    }

    /// How many log lines came when.
    ///
    /// # Errors
    /// As every call.
    pub fn log_histogram(&self, query: &LogHistogramQuery) -> Result<LogHistogram, ClientError> {
        let wait = patience(query.deadline_ms, 2_000);
        self.get(&target("/api/logs/histogram", query), wait)
    }

    /// What happened to the instances whose logs are read.
    ///
    /// # Errors
    /// As every call.
    pub fn log_events(&self, query: &LogEventsQuery) -> Result<LogEvents, ClientError> {
        self.get(&target("/api/logs/events", query), MARGIN)
    }

    /// What in logs would command a terminal.
    ///
    /// # Errors
    /// As every call.
    pub fn log_controls(&self, query: &LogControlsQuery) -> Result<LogControls, ClientError> {
        let wait = patience(query.deadline_ms, 500);
        self.get(&target("/api/logs/controls", query), wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_given_and_quotes_what_has_a_meaning() {
        let query = LogPageQuery {
            select: "web-1,tag:x".into(),
            filter: "a&b\n!c d".into(),
            cursor: Some("3:out:9".parse().unwrap()),
            before: 7,
            ..LogPageQuery::default()
        };
        assert_eq!(
            target("/api/logs/page", &query),
            "/api/logs/page?after=0&before=7&cursor=3:out:9&filter=a%26b%0A%21c%20d&select=web-1,tag:x"
        );
    }
}
