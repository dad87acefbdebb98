//! `GET /api/events`: a snapshot, then what happens, as server-sent events. Who comes back with the id of what it heard
//! last gets what it missed instead.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio::sync::mpsc;

use crate::api::{LAST_EVENT_ID, Push, Snapshot, Who};
use crate::daemon::handle::{Follow, Joined, Subscription};
use crate::daemon::role::Msg;

use super::answer::Answer;
use super::routes::Context;

/// A word this often, so that either end sees when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Events that are copied for one reader; all others wait in the one ring.
const BUFFER: usize = 4;

fn event(epoch: u64, sequence: u64, json: &str) -> Event {
    Event::default()
        .id(format!("{epoch}-{sequence}"))
        .data(json)
}

fn json(push: &Push) -> String {
    serde_json::to_string(push).unwrap_or_default()
}

/// Epoch and number; an id that is none is of no epoch that ever was.
fn place(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(LAST_EVENT_ID)?.to_str().unwrap_or("");
    let parsed = text
        .split_once('-')
        .and_then(|(epoch, number)| Some((epoch.parse().ok()?, number.parse().ok()?)));
    Some(parsed.unwrap_or((0, u64::MAX)))
}

/// Where the words of one stream go.
struct Mouth {
    epoch: u64,
    sender: mpsc::Sender<Result<Event, Infallible>>,
}

impl Mouth {
    /// False when nobody hears it.
    async fn say(&self, event: Event) -> bool {
        self.sender.send(Ok(event)).await.is_ok()
    }

    /// Everything as it is at the place of the subscription.
    async fn tell_all(&mut self, snapshot: Snapshot, at: u64, missed: bool) -> bool {
        self.epoch = snapshot.daemon.epoch;
        // Without an id: who is cut off behind it has not heard the snapshot.
        if missed && !self.say(Event::default().data(json(&Push::Resync))).await {
            return false;
        }
        let text = json(&Push::Snapshot(Box::new(snapshot)));
        self.say(event(self.epoch, at, &text)).await
    }
}

/// The number of the next session.
static SESSION: AtomicU64 = AtomicU64::new(1);

/// Says that somebody listens, for as long as it lives.
struct Session {
    number: u64,
    messages: mpsc::Sender<Msg>,
}

impl Session {
    async fn begin(messages: mpsc::Sender<Msg>, who: Who) -> Self {
        let session = SESSION.fetch_add(1, Ordering::Relaxed);
        let _ = messages.send(Msg::Attached { session, who }).await;
        Self {
            number: session,
            messages,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let session = self.number;
        super::logs::say_later(&self.messages, Msg::Left { session });
    }
}

pub(super) async fn events(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Answer {
    let last = place(&headers);
    let joined = context.handle.subscribe(last).await?;
    let session = Session::begin(context.messages.clone(), who).await;
    let (sender, stream) = mpsc::channel(BUFFER);
    tokio::spawn(async move {
        let _session = session;
        let mut mouth = Mouth { epoch: 0, sender };
        let Some(mut place) = begin(&mut mouth, joined, last).await else {
            return;
        };
        loop {
            let follow = tokio::select! {
                follow = place.next() => follow,
                () = mouth.sender.closed() => return,
            };
            match follow {
                Follow::Told(told) => {
                    if !mouth.say(event(mouth.epoch, told.0, &told.1)).await {
                        return;
                    }
                }
                Follow::Nothing => {}
                Follow::End => return,
                // Too slow: what was missed is replaced by everything as it is now.
                Follow::Gap => {
                    let last = Some((mouth.epoch, place.last()));
                    let Ok(joined) = context.handle.subscribe(last).await else {
                        return;
                    };
                    let Some(fresh) = begin(&mut mouth, joined, last).await else {
                        return;
                    };
                    place = fresh;
                }
            }
        }
    });
    let stream = super::logs::Receiving(stream);
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

/// None when nobody hears it.
async fn begin(
    mouth: &mut Mouth,
    joined: Joined,
    last: Option<(u64, u64)>,
) -> Option<Subscription> {
    match joined {
        Joined::Resumed(place) => {
            mouth.epoch = last.map_or(0, |(epoch, _)| epoch);
            Some(place)
        }
        Joined::Anew(snapshot, place) => {
            let at = place.last();
            let heard = mouth.tell_all(*snapshot, at, last.is_some()).await;
            heard.then_some(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LAST_EVENT_ID, id.parse().unwrap());
        headers
    }

    #[test]
    fn an_id_is_an_epoch_and_a_number_and_anything_else_is_unknown() {
        assert_eq!(place(&HeaderMap::new()), None);
        assert_eq!(place(&with("7-12")), Some((7, 12)));
        for nonsense in [
            "",
            "7",
            "7-",
            "-7",
            "a-b",
            "7-12-3",
            "99999999999999999999-1",
        ] {
            assert_eq!(place(&with(nonsense)), Some((0, u64::MAX)), "{nonsense:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_events_says_a_word_every_five_seconds() {
        use http_body::Body as _;
        let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(1);
        let response = Sse::new(super::super::logs::Receiving(stream))
            .keep_alive(KeepAlive::new().interval(HEARTBEAT))
            .into_response();
        let mut body = Box::pin(response.into_body());
        let begun = tokio::time::Instant::now();
        for beat in 1..4 {
            let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            assert_eq!(begun.elapsed(), HEARTBEAT * beat);
            let data = frame.unwrap().unwrap().into_data().unwrap();
            assert!(data.starts_with(b":"), "{data:?}");
        }
        drop(sender);
    }
}
