//! How long a client may take: a connection that takes nothing of what it asked for ends, and so does a body that does
//! not come.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::platform::clock::monotonic_ns;

/// A client that takes not one byte for this long is gone or deaf.
const STALL: Duration = Duration::from_secs(10);
/// How long the next piece of a body may take.
const PIECE: Duration = Duration::from_secs(10);
/// A large body grows by this much.
const STEP: usize = 256 * 1024;
/// How long a body may take in all.
const BODY: Duration = Duration::from_secs(60);

/// What a connection is doing, as its place in the crowd sees it.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// When the last byte went either way: nanoseconds since boot.
    last: AtomicU64,
    /// Requests whose answers have not been given wholly.
    under_way: AtomicU32,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let activity = Self::default();
        activity.moved();
        Arc::new(activity)
    }

    fn moved(&self) {
        self.last.store(monotonic_ns(), Ordering::Relaxed);
    }

    /// Since when nothing is asked and nothing has come; none while something is asked.
    pub(super) fn idle_since(&self) -> Option<u64> {
        (self.under_way.load(Ordering::Relaxed) == 0).then(|| self.last.load(Ordering::Relaxed))
    }

    /// A request is under way until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.moved();
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer; its request is under way until the last of it is taken.
pub(super) struct Answering {
    pub(super) body: Body,
    pub(super) _under_way: UnderWay,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// A connection that ends when its client takes nothing.
#[derive(Debug)]
pub(super) struct Patient {
    stream: UnixStream,
    activity: Arc<Activity>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(stream: UnixStream, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            stalled: None,
        }
    }

    /// What a write came to: progress forgets the stall, the lack of it begins one.
    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            self.activity.moved();
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            self.activity.moved();
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untaken {
    /// More than is allowed.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// Too many large ones are on their way.
    Crowded,
    /// The client is gone, or writes nonsense.
    Broken,
}

/// Room for all bodies together, in KiB.
pub(super) fn room(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes / 1024))
}

/// Takes a whole body of at most `most` bytes; the permit has its room for as long as it is kept.
///
/// # Errors
/// Why it was not taken.
pub(super) async fn take(
    body: Body,
    most: usize,
    room: &Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Untaken> {
    let mut body = body;
    let mut whole = Vec::new();
    let mut permit: Option<OwnedSemaphorePermit> = None;
    let end = Instant::now() + BODY;
    if body.size_hint().lower() > most as u64 {
        return Err(Untaken::TooLarge);
    }
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let due = end.min(Instant::now() + PIECE);
        let frame = match tokio::time::timeout_at(due, frame).await {
            Err(_) => return Err(Untaken::TooSlow),
            Ok(None) => return Ok((Bytes::from(whole), permit)),
            Ok(Some(Err(_))) => return Err(Untaken::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.len() + data.len() > most {
            return Err(Untaken::TooLarge);
        }
        if whole.capacity() - whole.len() < data.len() {
            // Not twice as much each time: it is counted.
            whole.reserve_exact(data.len().max(STEP));
        }
        whole.extend_from_slice(&data);
        let wanted = whole.len().div_ceil(1024);
        let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(wanted.saturating_sub(held)).unwrap_or(u32::MAX);
        if more > 0 {
            let got = Arc::clone(room)
                .try_acquire_many_owned(more)
                .map_err(|_| Untaken::Crowded)?;
            match &mut permit {
                Some(permit) => permit.merge(got),
                None => permit = Some(got),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream_of(pieces: Vec<(Duration, usize)>) -> Body {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            for (wait, length) in pieces {
                sleep(wait).await;
                let piece = Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'x'; length]));
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Body::from_stream(super::super::logs::Receiving(receiver))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_dribbles_is_given_up() {
        let room = room(1 << 20);
        let second = Duration::from_secs(1);
        let fine = take(stream_of(vec![(second, 10); 5]), 100, &room).await;
        assert_eq!(fine.unwrap().0.len(), 50);
        let slow = take(stream_of(vec![(second * 11, 1)]), 100, &room).await;
        assert_eq!(slow.unwrap_err(), Untaken::TooSlow);
        let begun = Instant::now();
        let dribble = take(stream_of(vec![(second * 9, 1); 50]), 100, &room).await;
        assert_eq!(dribble.unwrap_err(), Untaken::TooSlow);
        assert_eq!(begun.elapsed(), BODY);
    }

    #[tokio::test(start_paused = true)]
    async fn all_bodies_together_have_so_much_room_and_give_it_back() {
        let room = room(256 * 1024);
        let piece = |n| stream_of(vec![(Duration::ZERO, 64 * 1024); n]);
        let large = take(piece(3), 128 * 1024, &room).await;
        assert_eq!(large.unwrap_err(), Untaken::TooLarge);
        let first = take(piece(2), 512 * 1024, &room).await.unwrap();
        let second = take(piece(3), 512 * 1024, &room).await;
        assert_eq!(second.unwrap_err(), Untaken::Crowded);
        drop(first);
        assert!(take(piece(3), 512 * 1024, &room).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_left() {
        use tokio::io::AsyncWriteExt as _;
        let (ours, theirs) = UnixStream::pair().unwrap();
        let activity = Activity::new();
        let mut patient = Patient::new(ours, Arc::clone(&activity));
        let begun = Instant::now();
        let error = patient.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= STALL);
        drop(theirs);
        assert!(activity.idle_since().is_some());
        let under_way = activity.begin();
        assert_eq!(activity.idle_since(), None);
        drop(under_way);
        assert!(activity.idle_since().is_some());
    }
}
