//! The loop: whoever says something is heard, and nobody stands behind all that another has to say.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use tokio::io::Interest;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::keeper::link::{Link, LinkError};
use crate::keeper::protocol::{ToDaemon, ToScribe};
use crate::platform::beat::Beat;
use crate::platform::clock::monotonic_ns;
use crate::platform::failpoint::failpoint;

use super::backlog;
use super::hands::Hands;
use super::message::Msg;
use super::role::{DaemonError, doing, now};
use super::supervisor::Supervisor;

/// So many messages of others than the keeper are taken in one turn.
const ASKED_AT_ONCE: usize = 64;

pub(super) fn watched(link: &Link) -> io::Result<tokio::net::UnixStream> {
    tokio::net::UnixStream::from_std(UnixStream::from(link.as_fd().try_clone_to_owned()?))
}

/// Waits until a link has something, or can take what waits.
async fn ready(stream: &tokio::net::UnixStream, wants_write: bool) -> io::Result<()> {
    let interest = if wants_write {
        Interest::READABLE | Interest::WRITABLE
    } else {
        Interest::READABLE
    };
    stream.ready(interest).await.map(|_| ())
}

/// Reads all there is and clears the readiness that brought us here.
pub(super) fn drain(stream: &tokio::net::UnixStream, link: &mut Link) {
    let _ = stream.try_io(Interest::READABLE, || {
        link.fill()?;
        Err::<(), _>(io::Error::from(io::ErrorKind::WouldBlock))
    });
    if link.wants_write() {
        let _ = stream.try_io(Interest::WRITABLE, || {
            let _ = link.flush();
            if link.wants_write() {
                Err(io::Error::from(io::ErrorKind::WouldBlock))
            } else {
                Ok(())
            }
        });
    }
}

/// Hears everybody until the daemon leaves, or has lost its keeper.
pub(super) async fn turn(
    supervisor: &mut Supervisor,
    hands: &mut Hands,
    mut messages: mpsc::Receiver<Msg>,
) -> Result<(), DaemonError> {
    let keeper = doing("watch the keeper", watched(&hands.keeper))?;
    let listen = |kind| doing("listen to signals", signal(kind));
    let mut term = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut quit = listen(SignalKind::quit())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut user = listen(SignalKind::user_defined1())?;
    // What came together with the keeper's first word has been read already; nothing would wake us for it.
    let mut more = true;
    while !hands.leaving && !hands.bereft {
        let due = supervisor.next_due();
        let wait = async move {
            match due {
                Some(due) => {
                    let left = Duration::from_nanos(due.saturating_sub(monotonic_ns()));
                    tokio::time::sleep(left).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            found = ready(&keeper, hands.keeper.wants_write()) => {
                doing("wait for the keeper", found)?;
                drain(&keeper, &mut hands.keeper);
                more = true;
            }
            lane = hands.scribes.ready() => {
                let (heard, gone) = hands.scribes.hear(lane);
                for message in heard {
                    supervisor.handle(now(), Msg::Scribe(message));
                }
                if gone {
                    hands.heir.let_go_of_stage(lane);
                }
            }
            message = messages.recv() => {
                if let Some(message) = message {
                    failpoint!("daemon.message.taken");
                    supervisor.handle(now(), message);
                    failpoint!("daemon.message.handled");
                }
            }
            _ = term.recv() => supervisor.handle(now(), Msg::EndAll { at_once: false }),
            _ = interrupt.recv() => supervisor.handle(now(), Msg::EndAll { at_once: false }),
            _ = quit.recv() => supervisor.handle(now(), Msg::EndAll { at_once: true }),
            _ = hangup.recv() => supervisor.handle(now(), Msg::Keeper(ToDaemon::Reopen)),
            _ = user.recv() => supervisor.handle(now(), Msg::Keeper(ToDaemon::Dump)),
            () = wait => supervisor.tick(now()),
            () = std::future::ready(()), if more => {}
        }
        // Whatever it was that there was: neither the keeper nor clients wait behind all that the others have to say.
        for _ in 0..ASKED_AT_ONCE {
            match messages.try_recv() {
                Ok(message) => supervisor.handle(now(), message),
                Err(_) => break,
            }
        }
        if more {
            more = hear_keeper(hands, supervisor)?;
        }
        hands.perform(supervisor);
        // Here and nowhere else: what shows that the daemon lives is that this loop turns.
        let asked = std::mem::take(&mut hands.asked);
        if let Some(beat) = &mut hands.beat {
            beat.strike(asked);
        }
        if more {
            // The tasks of the clients have their turn as well.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Takes some of what the keeper has said; whether there is more.
fn hear_keeper(hands: &mut Hands, supervisor: &mut Supervisor) -> Result<bool, DaemonError> {
    let mut more = true;
    for _ in 0..backlog::READ_AT_ONCE {
        let message = match hands.keeper.next::<ToDaemon>() {
            Ok(Some(message)) => message,
            Ok(None) => {
                more = false;
                break;
            }
            Err(LinkError::Closed) => {
                hands.bereft = true;
                more = false;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        if let ToDaemon::Scribe { folder, .. } = &message {
            meet_scribe(hands, supervisor, folder.as_deref());
        } else if message == ToDaemon::Beat {
            hands.beat = hands.keeper.take_fd().map(Beat::from);
        }
        hands.asked |= message == ToDaemon::Ping;
        failpoint!("daemon.report.read");
        let patient = |id| supervisor.ends_unasked(id);
        if let Some(message) = hands.backlog.sift(message, patient) {
            supervisor.handle(now(), Msg::Keeper(message));
        }
    }
    for _ in 0..backlog::HEARD_AT_ONCE {
        let Some(message) = hands.backlog.take() else {
            break;
        };
        supervisor.handle(now(), Msg::Keeper(message));
    }
    failpoint!("daemon.report.handled");
    hands.perform(supervisor);
    Ok(more || !hands.backlog.is_empty())
}

fn meet_scribe(hands: &mut Hands, supervisor: &Supervisor, folder: Option<&Path>) {
    let Some(fd) = hands.keeper.take_fd() else {
        return;
    };
    let Ok(lane) = hands.scribes.meet(folder, fd) else {
        return;
    };
    failpoint!("daemon.scribe.met");
    hands.heir.hold_stage(lane);
    if supervisor.flow.watched {
        hands.scribes.say_to(lane, &ToScribe::Watch { on: true });
    }
}
