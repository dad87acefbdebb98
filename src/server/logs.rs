//! `GET /api/logs`: lines as JSON, one object a line; `POST /api/logs/{flush,rotate}`.

use std::pin::Pin;
use std::task::{self, Poll};

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::api::{LogQuery, Selector};
use crate::daemon::handle::Tending;
use crate::daemon::log_stream::{self, Wanted};
use crate::daemon::role::Msg;
use crate::logs::follow::From;

use super::answer::{Answer, body, selectors, success};
use super::routes::Context;

/// Lines when nobody says how many.
const LINES: usize = 100;
/// Batches that wait for one slow reader; then reading waits, never a process.
const BUFFER: usize = 4;

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
        let sender = self.0.clone();
        // The queue may be full at this moment; the word must arrive all the same.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = sender.send(Msg::Follower { joined: false }).await;
            });
        }
    }
}

pub(super) async fn read(
    State(context): State<Context>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let sources = context.handle.logs(selectors(&query.select)?).await?;
    let lines = query.lines.unwrap_or(LINES);
    let from = match query.since_ms {
        Some(ms) => From::Since(ms.saturating_mul(1000), query.lines.unwrap_or(usize::MAX)),
        None => From::Last(lines),
    };
    let wanted = Wanted {
        sources,
        stream: query.stream,
        from,
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
    let (sender, stream) = mpsc::channel::<Result<Bytes, std::io::Error>>(BUFFER);
    let growth = context.growth.clone();
    tokio::spawn(async move {
        log_stream::stream(wanted, growth, batches).await;
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
                        if serde_json::to_writer(&mut bytes, line).is_ok() {
                            bytes.push(b'\n');
                        }
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
    let body = Body::from_stream(Receiving(stream));
    Ok(Response::builder()
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(body)
        .map_err(|_| {
            crate::api::ApiError::new(crate::api::Code::Internal, "no answer could be made")
        })?
        .into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tend {
    select: Vec<Selector>,
}

async fn tend(context: Context, bytes: Result<Bytes, BytesRejection>, how: Tending) -> Answer {
    let tend: Tend = body(bytes)?;
    let sources = context.handle.tend_logs(tend.select, how).await?;
    let files: Vec<String> = sources
        .iter()
        .map(|source| source.path.display().to_string())
        .collect();
    success(files)
}

pub(super) async fn flush(
    State(context): State<Context>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    tend(context, bytes, Tending::Flush).await
}

pub(super) async fn rotate(
    State(context): State<Context>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    tend(context, bytes, Tending::Rotate).await
}
