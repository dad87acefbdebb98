//! `GET /api/events`: a snapshot, then what happens, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use crate::api::{Push, Snapshot};

use super::answer::Answer;
use super::routes::Context;

/// A word this often, so that either end sees when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Events that wait for one slow reader before it is given a snapshot instead.
const BUFFER: usize = 64;

fn event(epoch: u64, sequence: u64, json: &str) -> Event {
    Event::default()
        .id(format!("{epoch}-{sequence}"))
        .data(json)
}

fn snapshot(snapshot: Snapshot) -> String {
    serde_json::to_string(&Push::Snapshot(Box::new(snapshot))).unwrap_or_default()
}

pub(super) async fn events(State(context): State<Context>) -> Answer {
    let (first, mut receiver) = context.handle.subscribe().await?;
    let epoch = first.daemon.epoch;
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(BUFFER);
    tokio::spawn(async move {
        let mut next = Some(event(epoch, 0, &snapshot(first)));
        loop {
            if let Some(it) = next.take()
                && sender.send(Ok(it)).await.is_err()
            {
                return;
            }
            let received = tokio::select! {
                received = receiver.recv() => received,
                () = sender.closed() => return,
            };
            next = match received {
                Ok(told) => Some(event(epoch, told.0, &told.1)),
                Err(RecvError::Closed) => return,
                // Too slow: what was missed is replaced by everything as it is now.
                Err(RecvError::Lagged(_)) => match context.handle.subscribe().await {
                    Ok((again, fresh)) => {
                        receiver = fresh;
                        Some(event(epoch, 0, &snapshot(again)))
                    }
                    Err(_) => return,
                },
            };
        }
    });
    let stream = super::logs::Receiving(stream);
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}
