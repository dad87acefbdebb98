//! Descriptors: inheritance, passing, pipes, splice.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::cmsg_space;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, SpliceFFlags, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

/// Makes a descriptor survive exec, or not.
///
/// # Errors
/// The kernel's, when the descriptor is not open.
pub(crate) fn inherit(fd: impl AsFd, survive: bool) -> io::Result<()> {
    let flag = if survive {
        FdFlag::empty()
    } else {
        FdFlag::FD_CLOEXEC
    };
    fcntl(fd, FcntlArg::F_SETFD(flag))?;
    Ok(())
}

/// Sets or clears non-blocking mode.
///
/// # Errors
/// The kernel's.
pub(crate) fn set_nonblocking(fd: impl AsFd, on: bool) -> io::Result<()> {
    let flags = OFlag::from_bits_truncate(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    let flags = if on {
        flags | OFlag::O_NONBLOCK
    } else {
        flags & !OFlag::O_NONBLOCK
    };
    fcntl(fd, FcntlArg::F_SETFL(flags))?;
    Ok(())
}

/// Takes a descriptor that this process was started with.
///
/// # Errors
/// `EBADF` when it is not open.
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is only looked at before it is owned.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: the number was given on the command line by the process that started this one, is open (checked
    // above), and is taken once, before any other descriptor is made.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sends bytes and descriptors as one piece; the receiver finds the descriptors with the first byte.
///
/// # Errors
/// The kernel's; `WouldBlock` when the queue is full and nothing was sent.
pub(crate) fn send_with_fds(socket: &UnixStream, bytes: &[u8], fds: &[RawFd]) -> io::Result<usize> {
    let control = [ControlMessage::ScmRights(fds)];
    let control: &[ControlMessage<'_>] = if fds.is_empty() { &[] } else { &control };
    Ok(sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?)
}

/// Receives bytes and what descriptors came with them (at most 8 at once), each closed on exec.
///
/// # Errors
/// The kernel's; `WouldBlock` when there is nothing.
pub(crate) fn receive_with_fds(
    socket: &UnixStream,
    buffer: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = cmsg_space!([RawFd; 8]);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            for number in numbers {
                // SAFETY: the kernel has just installed this descriptor for us and nobody else knows it.
                fds.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
    }
    Ok((message.bytes, fds))
}

/// Moves bytes between a pipe and another descriptor inside the kernel. `offset` is where in the target file.
///
/// # Errors
/// The kernel's.
pub(crate) fn splice(
    from: impl AsFd,
    to: impl AsFd,
    offset: Option<&mut i64>,
    length: usize,
) -> io::Result<usize> {
    Ok(nix::fcntl::splice(
        from,
        None,
        to,
        offset,
        length,
        SpliceFFlags::SPLICE_F_NONBLOCK | SpliceFFlags::SPLICE_F_MOVE,
    )?)
}

/// Puts copies of what is in a pipe into another one; they share their pages, and the pipe keeps what it has.
///
/// # Errors
/// The kernel's.
pub(crate) fn tee(from: impl AsFd, to: impl AsFd, length: usize) -> io::Result<usize> {
    let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
    Ok(nix::fcntl::tee(from, to, length, flags)?)
}

/// Makes sure that a file can take so many bytes at an offset, without writing any. Where the file system cannot tell,
/// it is believed to have room.
///
/// # Errors
/// The disk is full, or a quota or limit is reached.
pub(crate) fn reserve(file: impl AsFd, offset: i64, length: usize) -> io::Result<()> {
    let length = i64::try_from(length).map_err(io::Error::other)?;
    let end = u64::try_from(offset.saturating_add(length)).unwrap_or(u64::MAX);
    if end > getrlimit(Resource::RLIMIT_FSIZE)?.0 {
        return Err(nix::errno::Errno::EFBIG.into());
    }
    let mode = nix::fcntl::FallocateFlags::FALLOC_FL_KEEP_SIZE;
    match nix::fcntl::fallocate(file, mode, offset, length) {
        Err(nix::errno::Errno::EOPNOTSUPP | nix::errno::Errno::ENOSYS) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How many bytes wait in a pipe.
///
/// # Errors
/// The kernel's.
pub(crate) fn waiting(pipe: impl AsFd) -> io::Result<usize> {
    nix::ioctl_read_bad!(fionread, nix::libc::FIONREAD, nix::libc::c_int);
    let mut count: nix::libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, which lives on this stack frame.
    unsafe { fionread(pipe.as_fd().as_raw_fd(), &raw mut count) }?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Asks for another capacity.
///
/// # Errors
/// `EPERM` when the user's quota of pipe pages is used up, `EBUSY` when it holds more than that.
pub(crate) fn set_pipe_size(pipe: impl AsFd, bytes: usize) -> io::Result<usize> {
    let bytes = i32::try_from(bytes).map_err(io::Error::other)?;
    Ok(usize::try_from(fcntl(pipe, FcntlArg::F_SETPIPE_SZ(bytes))?).unwrap_or(0))
}

/// The capacity that it has.
///
/// # Errors
/// The kernel's.
pub(crate) fn pipe_size(pipe: impl AsFd) -> io::Result<usize> {
    Ok(usize::try_from(fcntl(pipe, FcntlArg::F_GETPIPE_SZ)?).unwrap_or(0))
}

/// How many descriptors are kept in reserve.
const RESERVED: usize = 16;

/// Descriptors that are held for the day when there are no others: what must not fail for want of one lends them.
#[derive(Debug)]
pub(crate) struct Reserve {
    source: OwnedFd,
    held: Vec<OwnedFd>,
}

impl Reserve {
    /// Holds as many as there are, sixteen at most.
    ///
    /// # Errors
    /// When there is not even one.
    pub(crate) fn new() -> io::Result<Self> {
        let mut made = Self {
            source: std::fs::File::open("/dev/null")?.into(),
            held: Vec::new(),
        };
        made.refill();
        Ok(made)
    }

    /// Takes back what was lent, as far as there are descriptors.
    pub(crate) fn refill(&mut self) {
        while self.held.len() < RESERVED {
            match self.source.try_clone() {
                Ok(fd) => self.held.push(fd),
                Err(_) => return,
            }
        }
    }

    /// Lends one; false when none is left.
    pub(crate) fn lend(&mut self) -> bool {
        self.held.pop().is_some()
    }

    /// Lends all.
    pub(crate) fn lend_all(&mut self) {
        self.held.clear();
    }
}

/// Whether a call failed for want of a descriptor.
#[must_use]
pub(crate) fn are_short(error: &io::Error) -> bool {
    let short = [nix::libc::EMFILE, nix::libc::ENFILE];
    error.raw_os_error().is_some_and(|it| short.contains(&it))
}

/// The soft and the hard limit on open files.
///
/// # Errors
/// The kernel's.
pub(crate) fn file_limit() -> io::Result<(u64, u64)> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?)
}

/// Raises the soft limit on open files to the hard one, and says what both were.
///
/// # Errors
/// The kernel's.
pub(crate) fn raise_file_limit() -> io::Result<(u64, u64)> {
    let (soft, hard) = file_limit()?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok((soft, hard))
}

/// Sets the limit on open files.
///
/// # Errors
/// The kernel's.
pub(crate) fn set_file_limit(soft: u64, hard: u64) -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?)
}
