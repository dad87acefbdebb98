//! Memory of the output pipes: chatty ones grow, idle ones shrink, and the grown ones together stay within a share of
//! what the user may have.

use crate::platform::clock::monotonic_ns;
use crate::platform::descriptor;

use super::role::{Pipe, Scribe};

/// What a pipe has at first, and again when it was idle.
pub(super) const SMALL_PIPE: usize = 64 * 1024;
/// What chatty pipes grow to.
pub(super) const LARGE_PIPE: usize = 1 << 20;
/// A grown pipe that brought nothing for so long shrinks.
pub(super) const IDLE_NS: u64 = 5_000_000_000;
/// Where a user's share of pipe memory cannot be read.
const QUOTA_DEFAULT_PAGES: u64 = 16384;

/// The grown pipes.
pub(super) struct Grown {
    /// How many there are.
    pub(super) count: u64,
    /// How many there may be.
    pub(super) most: u64,
    /// When to look for idle ones; none while there is none that could be.
    pub(super) look_ns: Option<u64>,
}

impl Grown {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            most: pipe_quota() / 4 / LARGE_PIPE as u64,
            look_ns: None,
        }
    }

    fn one_more(&mut self, now: u64) {
        self.count += 1;
        self.look_ns.get_or_insert(now.saturating_add(IDLE_NS));
    }

    /// A pipe that may have been grown is gone.
    pub(super) fn forget(&mut self, pipe: &Pipe) {
        self.count = self.count.saturating_sub(u64::from(pipe.large));
    }

    /// A scribe before this one may have grown it; then it counts, whatever the share is.
    pub(super) fn take(&mut self, pipe: &mut Pipe) {
        if descriptor::pipe_size(&pipe.read).is_ok_and(|size| size > SMALL_PIPE) {
            pipe.large = true;
            pipe.last_ns = monotonic_ns();
            self.one_more(pipe.last_ns);
        }
    }

    /// Grows a pipe, if the share allows it.
    pub(super) fn grow(&mut self, pipe: &mut Pipe) {
        if pipe.large || self.count >= self.most {
            return;
        }
        pipe.large = descriptor::set_pipe_size(&pipe.read, LARGE_PIPE).is_ok();
        if pipe.large {
            self.one_more(pipe.last_ns);
        }
    }
}

impl Pipe {
    pub(super) fn capacity(&self) -> usize {
        if self.large { LARGE_PIPE } else { SMALL_PIPE }
    }
}

impl Scribe {
    /// Shrinks what has been idle. One that is too full for that (its file takes nothing) is asked again later: the
    /// kernel refuses.
    pub(super) fn shrink_idle(&mut self, now: u64) {
        if self.grown.look_ns.is_none_or(|at| at > now) {
            return;
        }
        let mut next: Option<u64> = None;
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.large) {
            let mut due = pipe.last_ns.saturating_add(IDLE_NS);
            if due <= now {
                if descriptor::set_pipe_size(&pipe.read, SMALL_PIPE).is_ok() {
                    pipe.large = false;
                    self.grown.count = self.grown.count.saturating_sub(1);
                    continue;
                }
                due = now.saturating_add(IDLE_NS);
            }
            next = Some(next.map_or(due, |at| at.min(due)));
        }
        self.grown.look_ns = next;
    }
}

/// The user's quota of pipe memory in bytes; see pipe(7), `pipe-user-pages-soft`.
fn pipe_quota() -> u64 {
    let pages = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(QUOTA_DEFAULT_PAGES);
    // Zero means without limit.
    if pages == 0 { u64::MAX } else { pages * 4096 }
}
