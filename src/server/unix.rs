//! The unix socket: only its owner and root are heard, in bounded numbers and time.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::daemon::role::{Doors, Msg};
use crate::daemon::subsystems::Subsystems;

use super::routes::{Context, router};

/// Connections at once; one more is closed at once.
const CONNECTIONS: usize = 1024;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long accepting waits after it failed: descriptors may be short, and come back.
const PAUSE: Duration = Duration::from_millis(50);

/// Opens the door as a part of the daemon.
pub(crate) fn open(subsystems: &Subsystems, doors: Doors) {
    let Doors {
        listener,
        handle,
        growth,
        messages,
        past,
    } = doors;
    let failures = messages.clone();
    subsystems.run(
        "api",
        move || {
            let listener = listener.try_clone();
            let context = Context {
                handle: handle.clone(),
                growth: growth.clone(),
                messages: messages.clone(),
                past: past.clone(),
                by: String::new(),
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
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let me = nix::unistd::geteuid().as_raw();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let Ok(peer) = stream.peer_cred() else {
            continue;
        };
        if peer.uid() != me && peer.uid() != 0 {
            tracing::warn!(uid = peer.uid(), "a stranger was turned away");
            continue;
        }
        let by = if peer.uid() == 0 {
            "root".to_owned()
        } else {
            format!("uid {}", peer.uid())
        };
        let context = Context {
            by,
            ..context.clone()
        };
        tokio::spawn(async move {
            talk(stream, context).await;
            drop(place);
        });
    }
}

async fn talk(stream: UnixStream, context: Context) {
    let service = TowerToHyperService::new(router(context));
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
