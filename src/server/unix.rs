//! The unix socket: only its owner and root are heard, in bounded numbers and time.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::net::{UnixListener, UnixStream};

use crate::daemon::role::{Doors, Msg};
use crate::daemon::subsystems::Subsystems;
use crate::platform::descriptor::{self, Reserve};
use crate::platform::users;

use super::crowd::Crowd;
use super::patience::{self, Activity, Patient};
use super::routes::{Context, router};

/// The bodies of all requests together: several large ones, but not one of each connection.
const BODIES: usize = 64 << 20;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long accepting waits after it failed: descriptors may be short, and come back.
const PAUSE: Duration = Duration::from_millis(50);

/// The answer when all places are taken by requests that are under way.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    connection: close\r\n\r\n{\"success\":false,\"error\":{\"code\":\"busy\",\
    \"message\":\"too many connections\",\"hint\":\"try again in a moment\"}}";

/// Opens the door as a part of the daemon.
pub(crate) fn open(subsystems: &Subsystems, doors: Doors) {
    let Doors {
        listener,
        handle,
        growth,
        messages,
        past,
        own_log,
        readers,
    } = doors;
    let failures = messages.clone();
    subsystems.run(
        "api",
        move || {
            let listener = listener.try_clone();
            let context = Context {
                handle: handle.clone(),
                growth: growth.clone(),
                readers: readers.clone(),
                messages: messages.clone(),
                past: past.clone(),
                own_log: own_log.clone(),
                peer: (String::new(), None),
                activity: Activity::new(),
                room: patience::room(BODIES),
            };
            async move {
                if let Ok(listener) = listener.and_then(UnixListener::from_std) {
                    serve(listener, context).await;
                }
            }
        },
        move |text| {
            let _ = failures.try_send(Msg::Subsystem(text));
        },
    );
}

async fn serve(listener: UnixListener, context: Context) {
    let mut crowd = Crowd::default();
    let router = router();
    let me = nix::unistd::geteuid().as_raw();
    // Nobody else is heard.
    let (owner, root) = (users::name(me), users::name(0));
    let mut reserve = Reserve::new().ok();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Who wants to stop what took all descriptors must be heard.
            Err(error)
                if descriptor::are_short(&error) && reserve.as_mut().is_some_and(Reserve::lend) =>
            {
                continue;
            }
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if let Some(reserve) = &mut reserve {
            reserve.refill();
        }
        if is_abandoned(&stream) {
            continue;
        }
        let Ok(peer) = stream.peer_cred() else {
            continue;
        };
        if peer.uid() != me && peer.uid() != 0 {
            tracing::warn!(uid = peer.uid(), "a stranger was turned away");
            continue;
        }
        let user = if peer.uid() == 0 { &root } else { &owner };
        if !crowd.make_room() {
            // What fits into the empty buffer of a new connection is all that it gets.
            let _ = stream.try_write(FULL.as_bytes());
            continue;
        }
        let activity = Activity::new();
        let context = Context {
            peer: (user.clone(), peer.pid()),
            activity: Arc::clone(&activity),
            ..context.clone()
        };
        let talk = tokio::spawn(talk(stream, router.clone(), context));
        crowd.join(activity, talk.abort_handle());
    }
}

/// Whether the other end was closed altogether while it waited to be accepted: a client that gave up a daemon that
/// hung has said that its command failed, and must not see it done later.
fn is_abandoned(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::empty())];
    let looked = poll(&mut fds, PollTimeout::ZERO);
    let said = fds[0].revents().unwrap_or(PollFlags::empty());
    matches!(looked, Ok(1)) && said.contains(PollFlags::POLLHUP)
}

async fn talk(stream: UnixStream, router: Router, context: Context) {
    let stream = Patient::new(stream, Arc::clone(&context.activity));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(context.clone());
        router.call(request)
    });
    let talked = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = talked {
        tracing::debug!("a connection ended: {error}");
    }
}
