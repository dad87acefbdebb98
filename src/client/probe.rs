//! A second question to a daemon that is silent: whether it answers anybody, and what its main thread did meanwhile. What
//! answers this one is at work on the first; what does not, and sleeps or spins all the while, hangs.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket,
};

use crate::keeper::who::Who;
use crate::platform::paths::Paths;
use crate::platform::{folder, procfs};

/// How long a daemon may be silent before it is asked again.
pub(super) const AFTER: Duration = Duration::from_millis(900);
/// How long it then may take: with the look that follows a command fails within two seconds.
pub(super) const WITHIN: Duration = Duration::from_millis(850);

/// Processor time, milliseconds, after which a loop that has not come round does not come round any more.
const TURN_MS: u64 = 400;

/// The question that costs least, of those that the supervisor answers.
const QUESTION: &[u8] = b"GET /api/daemon HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\n\r\n";

/// One question, and what was seen of the daemon since.
#[derive(Debug)]
pub(super) struct Probe {
    /// None when not even a connection could be had.
    connection: Option<OwnedFd>,
    asked: Instant,
    daemon: Who,
    /// Processor time of its main thread when it was asked.
    ticks: Option<u64>,
    /// Whether its main thread was asleep at each look, and never ran between them.
    asleep: bool,
}

impl Probe {
    /// Asks this daemon, without waiting for anything.
    pub(super) fn ask(paths: &Paths, daemon: Who) -> Self {
        let (state, ticks) = procfs::main_thread(daemon.pid).unzip();
        Self {
            connection: question(paths).ok(),
            asked: Instant::now(),
            daemon,
            ticks,
            asleep: state == Some('S'),
        }
    }

    /// Where the answer comes.
    pub(super) fn connection(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(AsFd::as_fd)
    }

    /// Whether the time for an answer is over.
    pub(super) fn is_late(&self) -> bool {
        self.asked.elapsed() >= WITHIN
    }

    /// Looks once more; whether the daemon has by now done nothing but sleep since it was asked, or has run longer than any
    /// turn of its loop takes. One that wants to run and is not let by a busy machine does neither.
    pub(super) fn look(&mut self) -> bool {
        let now = procfs::main_thread(self.daemon.pid).filter(|_| self.daemon.is_alive());
        let (Some((state, now)), Some(before)) = (now, self.ticks) else {
            return false;
        };
        self.asleep &= state == 'S' && now == before;
        let ran = now.saturating_sub(before).saturating_mul(1000) / procfs::ticks_per_second();
        self.is_late() && (self.asleep || ran >= TURN_MS)
    }
}

/// A connection with the question on it.
fn question(paths: &Paths) -> io::Result<OwnedFd> {
    let (address, _folder) = folder::socket_address(&paths.socket())?;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let made = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(made.as_raw_fd(), &UnixAddr::new(&address)?)?;
    send(made.as_raw_fd(), QUESTION, MsgFlags::MSG_NOSIGNAL)?;
    Ok(made)
}
