//! Waiting until a folder changes, or somebody says that it has.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// Several changes that follow each other within this are one: a file that is written in steps is looked at when it is whole.
const QUIET: Duration = Duration::from_millis(50);
/// A folder that is never quiet is looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Says that it has.
#[derive(Debug, Clone)]
pub(crate) struct Nudge(Arc<EventFd>);

impl Nudge {
    /// Wakes who waits.
    pub(crate) fn give(&self) {
        // It cannot be full before somebody has been nudged 2^64 times.
        let _ = self.0.write(1);
    }
}

/// Waits.
#[derive(Debug)]
pub(crate) struct Changes {
    nudged: Arc<EventFd>,
    /// None where the folder cannot be watched: then only a nudge wakes.
    folder: Option<Inotify>,
}

/// Watches the files of a folder.
///
/// # Errors
/// The kernel's, when there are no descriptors left.
pub(crate) fn watch(folder: &Path) -> io::Result<(Changes, Nudge)> {
    let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
    let nudged = Arc::new(EventFd::from_value_and_flags(0, flags)?);
    let watched = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
        .and_then(|inotify| {
            let what = AddWatchFlags::IN_CLOSE_WRITE
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_MOVED_FROM
                | AddWatchFlags::IN_DELETE;
            inotify.add_watch(folder, what).map(|_| inotify)
        })
        .ok();
    let changes = Changes {
        nudged: Arc::clone(&nudged),
        folder: watched,
    };
    Ok((changes, Nudge(nudged)))
}

impl Changes {
    /// Blocks until something changed and no more changes, or somebody nudged.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        self.look(PollTimeout::NONE)?;
        let deadline = Instant::now() + LONGEST;
        let quiet = PollTimeout::try_from(QUIET).unwrap_or(PollTimeout::ZERO);
        // A nudge is looked at soon: it changes nothing that could still be under way.
        while self.look(quiet)? == Woken::Folder && Instant::now() < deadline {}
        Ok(())
    }

    /// Waits once, and takes what there is.
    fn look(&self, timeout: PollTimeout) -> io::Result<Woken> {
        let mut fds = vec![PollFd::new(self.nudged.as_fd(), PollFlags::POLLIN)];
        if let Some(folder) = &self.folder {
            fds.push(PollFd::new(folder.as_fd(), PollFlags::POLLIN));
        }
        loop {
            match poll(&mut fds, timeout) {
                Ok(0) => return Ok(Woken::Nobody),
                Ok(_) => break,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let _ = self.nudged.read();
        let read = self.folder.as_ref().map(Inotify::read_events);
        Ok(match read {
            Some(Ok(_)) => Woken::Folder,
            Some(Err(_)) | None => Woken::Nudge,
        })
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    Folder,
    Nudge,
    Nobody,
}
