//! A sign of life that can be looked at without waking anybody: one number in memory that two processes share.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::clock::monotonic_ns;

/// A sign of life is given this often at most, nanoseconds, unless it is asked for.
const OFTEN: u64 = 500_000_000;

/// The shared number.
#[derive(Debug)]
pub(crate) struct Beat {
    file: File,
    last: u64,
}

impl Beat {
    /// A new one, at zero.
    ///
    /// # Errors
    /// The kernel's: no descriptor, no memory.
    pub(crate) fn make() -> io::Result<Self> {
        let fd = memfd_create(c"adasa-beat", MFdFlags::MFD_CLOEXEC)?;
        Ok(Self::from(fd))
    }

    /// A descriptor of the same number, for the other process.
    ///
    /// # Errors
    /// The kernel's: no descriptor.
    pub(crate) fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Shows that this process is alive: always when it is asked to, else not more often than twice a second.
    pub(crate) fn strike(&mut self, asked: bool) {
        let now = monotonic_ns();
        if asked || now.saturating_sub(self.last) >= OFTEN {
            self.last = now;
            let _ = self.file.write_all_at(&now.to_le_bytes(), 0);
        }
    }

    /// The number; it is another one after each sign of life.
    #[must_use]
    pub(crate) fn read(&self) -> u64 {
        let mut bytes = [0; 8];
        match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => u64::from_le_bytes(bytes),
            Err(_) => 0,
        }
    }
}

impl From<OwnedFd> for Beat {
    fn from(fd: OwnedFd) -> Self {
        Self {
            file: fd.into(),
            last: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_sees_what_the_other_strikes() {
        let ours = Beat::make().unwrap();
        let mut theirs = Beat::from(ours.share().unwrap());
        assert_eq!(ours.read(), 0);
        theirs.strike(false);
        let first = ours.read();
        assert_ne!(first, 0);
        theirs.strike(false);
        assert_eq!(ours.read(), first, "nobody asked, and it was a moment ago");
        theirs.strike(true);
        assert_ne!(ours.read(), first);
    }
}
