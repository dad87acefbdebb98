//! `GET /api/logs`: lines as JSON, one object a line; `GET /api/logs/{page,search,histogram,controls,events}`;
//! `POST /api/logs/{flush,rotate}`.

use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::api::{
    ApiError, Code, Level, LogControlsQuery, LogEventsQuery, LogHistogramQuery, LogPageQuery,
    LogQuery, LogSearchQuery, Selector, Who,
};
use crate::daemon::handle::Tending;
use crate::daemon::reading::{Scope, controls as commands, histogram, page, search, stream};
use crate::daemon::role::Msg;
use crate::domain::spec::Stream;
use crate::logs::merge::From;
use crate::platform::clock::wall_ms;

use super::answer::{Answer, body, selectors, success};
use super::routes::Context;

/// Lines when nobody says how many.
const LINES: usize = 100;
/// The most lines on one side of a page, and the most hits that one search tells.
const PAGE_MAX: usize = 5_000;
const HITS_MAX: usize = 1_000;
/// The most events of one answer.
const EVENTS_MAX: usize = 1_000;
/// Batches that wait for one slow reader; then reading waits, never a process.
pub(super) const BUFFER: usize = 4;

/// A channel as a stream.
pub(super) struct Receiving<T>(pub(super) mpsc::Receiver<T>);

impl<T> futures_core::Stream for Receiving<T> {
    type Item = T;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

/// Says that somebody follows, for as long as it lives.
struct Follower(mpsc::Sender<Msg>);

impl Drop for Follower {
    fn drop(&mut self) {
        say_later(&self.0, Msg::Follower { joined: false });
    }
}

/// Tells the supervisor without waiting: its queue may be full at this moment, and the word must arrive all the same.
pub(super) fn say_later(messages: &mpsc::Sender<Msg>, word: Msg) {
    let sender = messages.clone();
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move {
            let _ = sender.send(word).await;
        });
    }
}

/// A number of milliseconds within bounds.
fn deadline(asked: Option<u64>, usual: u64, most: u64) -> Duration {
    Duration::from_millis(asked.unwrap_or(usual).min(most))
}

/// Lines of JSON as they come.
pub(super) fn lines_of_json(stream: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> Answer {
    let body = Body::from_stream(Receiving(stream));
    Ok(Response::builder()
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(body)
        .map_err(|_| ApiError::new(Code::Internal, "no answer could be made"))?
        .into_response())
}

pub(super) fn json_line(bytes: &mut Vec<u8>, it: &impl serde::Serialize) {
    if serde_json::to_writer(&mut *bytes, it).is_ok() {
        bytes.push(b'\n');
    }
}

async fn scope(
    context: &Context,
    select: &str,
    stream: Option<Stream>,
    filter: &str,
    level: Option<Level>,
) -> Result<Scope, ApiError> {
    let select = selectors(select).map_err(ApiError::from)?;
    let sources = context.handle.logs(select).await?;
    Scope::new(sources, stream, filter, level)
}

pub(super) async fn read(
    Extension(context): Extension<Context>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let (filter, level) = (&query.filter, query.level);
    let scope = scope(&context, &query.select, query.stream, filter, level).await?;
    let since_us = query.since_ms.map(|ms| ms.saturating_mul(1000));
    let from = match (&query.cursor, since_us) {
        (Some(place), _) => scope.begin_at(place, since_us)?,
        (None, Some(us)) => From::Since(us, query.lines.unwrap_or(usize::MAX)),
        // Up to a moment everything is meant, as from one on.
        (None, None) if query.until_ms.is_some() => From::Last(query.lines.unwrap_or(usize::MAX)),
        (None, None) => From::Last(query.lines.unwrap_or(LINES)),
    };
    let wanted = stream::Wanted {
        from,
        until_us: query.until_ms.map(|ms| ms.saturating_mul(1000)),
        follow: query.follow,
        rate: query.rate,
    };
    let follower = if query.follow {
        let _ = context.messages.send(Msg::Follower { joined: true }).await;
        Some(Follower(context.messages.clone()))
    } else {
        None
    };
    let (batches, mut lines) = mpsc::channel(BUFFER);
    let (sender, answer) = mpsc::channel::<Result<Bytes, std::io::Error>>(BUFFER);
    let (readers, growth) = (context.readers.clone(), context.growth.clone());
    tokio::spawn(async move {
        stream::stream(readers, scope, wanted, growth, batches).await;
        drop(follower);
    });
    tokio::spawn(async move {
        loop {
            let batch = tokio::select! {
                batch = lines.recv() => batch,
                // A reader that has left ends the reading.
                () = sender.closed() => return,
            };
            let sent = match batch {
                None => return,
                Some(Ok(batch)) => {
                    let mut bytes = Vec::new();
                    for line in &batch {
                        json_line(&mut bytes, line);
                    }
                    sender.send(Ok(bytes.into())).await
                }
                // A broken stream, not a short one: the reader must not take it for the end.
                Some(Err(text)) => sender.send(Err(std::io::Error::other(text))).await,
            };
            if sent.is_err() {
                return;
            }
        }
    });
    lines_of_json(answer)
}

pub(super) async fn page(
    Extension(context): Extension<Context>,
    query: Result<Query<LogPageQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let (filter, level) = (&query.filter, query.level);
    let scope = scope(&context, &query.select, query.stream, filter, level).await?;
    let (before, after) = match (query.before, query.after) {
        (0, 0) => (LINES, 0),
        given => given,
    };
    let from = match &query.cursor {
        Some(place) => scope.begin_at(place, None)?,
        None => From::Last(0),
    };
    let wanted = page::Wanted {
        from,
        at_us: match query.cursor {
            Some(_) => None,
            None => query.at_ms.map(|ms| ms.saturating_mul(1000)),
        },
        before: before.min(PAGE_MAX),
        after: after.min(PAGE_MAX),
        deadline: deadline(query.deadline_ms, 2_000, 30_000),
    };
    let page = page::read(&context.readers, scope, wanted).await;
    success(page.map_err(ApiError::from)?)
}

pub(super) async fn search(
    Extension(context): Extension<Context>,
    query: Result<Query<LogSearchQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let (filter, level) = (&query.filter, query.level);
    let scope = scope(&context, &query.select, query.stream, filter, level).await?;
    let wanted = search::Wanted {
        pattern: search::Wanted::pattern(&query.pattern, query.errors)?,
        errors: query.errors,
        from: match &query.cursor {
            Some(place) => Some(scope.begin_at(place, None)?),
            None => None,
        },
        at_us: match query.cursor {
            Some(_) => None,
            None => query.at_ms.map(|ms| ms.saturating_mul(1000)),
        },
        backward: query.backward,
        limit: query.limit.unwrap_or(1).clamp(1, HITS_MAX) as u64,
        count: query.count,
        deadline: deadline(query.deadline_ms, 10_000, 60_000),
    };
    let (news, mut told) = mpsc::channel(BUFFER);
    let (sender, answer) = mpsc::channel::<Result<Bytes, std::io::Error>>(BUFFER);
    tokio::spawn(async move {
        let searching = search::run(&context.readers, scope, wanted, &news);
        tokio::pin!(searching);
        let mut over = None;
        while over.is_none() {
            let it = tokio::select! {
                biased;
                // The search ends with its last listener, between two pieces.
                () = sender.closed() => return,
                it = told.recv() => it,
                result = &mut searching => {
                    over = Some(result);
                    continue;
                }
            };
            if let Some(it) = it {
                let mut bytes = Vec::new();
                json_line(&mut bytes, &it);
                if sender.send(Ok(bytes.into())).await.is_err() {
                    return;
                }
            }
        }
        while let Ok(it) = told.try_recv() {
            let mut bytes = Vec::new();
            json_line(&mut bytes, &it);
            let _ = sender.send(Ok(bytes.into())).await;
        }
        if let Some(Err(error)) = over {
            let error = std::io::Error::other(error.to_string());
            let _ = sender.send(Err(error)).await;
        }
    });
    lines_of_json(answer)
}

pub(super) async fn histogram(
    Extension(context): Extension<Context>,
    query: Result<Query<LogHistogramQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let (filter, level) = (&query.filter, query.level);
    let scope = scope(&context, &query.select, query.stream, filter, level).await?;
    let to_ms = query.to_ms.unwrap_or_else(|| wall_ms().saturating_add(1));
    if to_ms <= query.from_ms {
        return Err(ApiError::new(Code::BadRequest, "to_ms is not above from_ms").into());
    }
    let wanted = histogram::Wanted {
        from_ms: query.from_ms,
        to_ms,
        buckets: query.buckets.unwrap_or(60).clamp(1, 1000),
        deadline: deadline(query.deadline_ms, 2_000, 30_000),
    };
    let counted = histogram::count(&context.readers, scope, wanted).await;
    success(counted.map_err(ApiError::from)?)
}

pub(super) async fn controls(
    Extension(context): Extension<Context>,
    query: Result<Query<LogControlsQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let scope = scope(&context, &query.select, None, "", None).await?;
    let deadline = deadline(query.deadline_ms, 500, 30_000);
    let counted = commands::count(&context.readers, scope, query.since_ms, deadline).await;
    success(counted.map_err(ApiError::from)?)
}

pub(super) async fn happened(
    Extension(context): Extension<Context>,
    query: Result<Query<LogEventsQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let select = selectors(&query.select).map_err(ApiError::from)?;
    let most = query.limit.unwrap_or(EVENTS_MAX).clamp(1, EVENTS_MAX);
    let span = query.from_ms..=query.to_ms.unwrap_or(u64::MAX);
    success(context.past.happened(select, span, most).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tend {
    select: Vec<Selector>,
}

async fn tend(
    context: Context,
    who: Who,
    bytes: Result<Bytes, BytesRejection>,
    how: Tending,
) -> Answer {
    let tend: Tend = body(bytes)?;
    let sources = context.handle.tend_logs(tend.select, how, who).await?;
    let files: Vec<String> = sources
        .iter()
        .map(|source| source.path.display().to_string())
        .collect();
    success(files)
}

pub(super) async fn flush(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    tend(context, who, bytes, Tending::Flush).await
}

pub(super) async fn rotate(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    tend(context, who, bytes, Tending::Rotate).await
}
