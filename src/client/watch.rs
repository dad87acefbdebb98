//! Wakes when something appears in a folder: the socket of a daemon that somebody else starts.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// A folder that is watched, as far as the kernel has watches left.
pub(super) struct Watch(Option<Inotify>);

impl Watch {
    pub(super) fn on(folder: &Path) -> Self {
        let made = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_ATTRIB;
        Self(made.filter(|watch| watch.add_watch(folder, flags).is_ok()))
    }

    /// At most 50 ms, for the lock may also be let go without a trace.
    pub(super) fn wait(&self, deadline: Instant) {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .min(Duration::from_millis(50));
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match &self.0 {
            Some(watch) => {
                let _ = poll(
                    &mut [PollFd::new(watch.as_fd(), PollFlags::POLLIN)],
                    timeout,
                );
                let _ = watch.read_events();
            }
            None => {
                let _ = poll(&mut [], timeout);
            }
        }
    }
}
