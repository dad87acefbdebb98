//! Frames over a stream socket, descriptors included: four bytes of length, then one JSON value.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::descriptor;

/// The longest frame: a definition with the largest environment that exec takes fits.
const FRAME_MAX: usize = 16 * 1024 * 1024;
/// What a burst needed is given back when it is over, above this many bytes.
const ROOM_KEPT: usize = 64 * 1024;
/// How many bytes may wait for a peer that does not read; more means that it is stuck.
const QUEUE_MAX: usize = 64 * 1024 * 1024;

/// What ended a link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The other end is gone.
    #[error("the other end closed the link")]
    Closed,
    /// The kernel's word.
    #[error("the link broke: {0}")]
    Io(#[from] io::Error),
    /// What came is no message.
    #[error("a message could not be understood: {0}")]
    Garbage(String),
    /// The other end does not read.
    #[error("the other end has stopped reading")]
    Stuck,
}

struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    fds: Vec<OwnedFd>,
}

/// One end of a link; never blocks.
pub(crate) struct Link {
    socket: UnixStream,
    incoming: Vec<u8>,
    /// How much of it has been taken.
    taken: usize,
    fds: VecDeque<OwnedFd>,
    outgoing: VecDeque<Outgoing>,
    queued: usize,
    closed: bool,
}

impl Link {
    /// Takes one end of a socket pair.
    ///
    /// # Errors
    /// When it cannot be made non-blocking.
    pub(crate) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            incoming: Vec::new(),
            taken: 0,
            fds: VecDeque::new(),
            outgoing: VecDeque::new(),
            queued: 0,
            closed: false,
        })
    }

    /// Two ends.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn pair() -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self::new(ours)?, theirs))
    }

    /// Queues a message and sends what the socket takes.
    ///
    /// # Errors
    /// [`LinkError::Stuck`] when too much waits, [`LinkError::Closed`] or the kernel's error when the link is over.
    pub(crate) fn send(
        &mut self,
        message: &impl Serialize,
        fds: Vec<OwnedFd>,
    ) -> Result<(), LinkError> {
        let mut bytes = vec![0; 4];
        serde_json::to_writer(&mut bytes, message)
            .map_err(|error| LinkError::Garbage(error.to_string()))?;
        let length = u32::try_from(bytes.len() - 4).map_err(|_| LinkError::Stuck)?;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        if self.queued + bytes.len() > QUEUE_MAX {
            return Err(LinkError::Stuck);
        }
        self.queued += bytes.len();
        self.outgoing.push_back(Outgoing {
            bytes,
            sent: 0,
            fds,
        });
        self.flush()
    }

    /// Whether something waits to be sent.
    #[must_use]
    pub(crate) fn wants_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Sends what the socket takes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) fn flush(&mut self) -> Result<(), LinkError> {
        while let Some(front) = self.outgoing.front_mut() {
            let raw: Vec<_> = if front.sent == 0 {
                front.fds.iter().map(AsRawFd::as_raw_fd).collect()
            } else {
                Vec::new()
            };
            match descriptor::send_with_fds(&self.socket, &front.bytes[front.sent..], &raw) {
                Ok(sent) => {
                    front.sent += sent;
                    if front.sent == front.bytes.len() {
                        self.queued -= front.bytes.len();
                        self.outgoing.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                    ) =>
                {
                    return Err(LinkError::Closed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads all that is there. A closed link still gives what came before.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match descriptor::receive_with_fds(&self.socket, &mut buffer) {
                Ok((0, _)) => {
                    self.closed = true;
                    return Ok(());
                }
                Ok((length, fds)) => {
                    self.incoming.extend_from_slice(&buffer[..length]);
                    self.fds.extend(fds);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    self.closed = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next whole message; none when there is none yet.
    ///
    /// # Errors
    /// [`LinkError::Closed`] after the last message of a closed link; [`LinkError::Garbage`] for what is no message.
    pub(crate) fn next<M: DeserializeOwned>(&mut self) -> Result<Option<M>, LinkError> {
        let waiting = &self.incoming[self.taken..];
        if let Some(head) = waiting.first_chunk::<4>() {
            let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
            if length > FRAME_MAX {
                return Err(LinkError::Garbage(format!("a frame of {length} bytes")));
            }
            if let Some(body) = waiting.get(4..4 + length) {
                let message = serde_json::from_slice(body)
                    .map_err(|error| LinkError::Garbage(error.to_string()));
                self.taken += 4 + length;
                self.make_room();
                return message.map(Some);
            }
        }
        if self.closed {
            Err(LinkError::Closed)
        } else {
            Ok(None)
        }
    }

    /// Forgets what was taken: seldom, for what follows has to be moved.
    fn make_room(&mut self) {
        if self.taken == self.incoming.len() {
            self.incoming.clear();
            self.taken = 0;
            if self.incoming.capacity() > ROOM_KEPT {
                self.incoming = Vec::new();
            }
        } else if self.taken > ROOM_KEPT && self.taken > self.incoming.len() / 2 {
            self.incoming.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// The next descriptor that came.
    pub(crate) fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pair() -> (Link, Link) {
        let (a, b) = Link::pair().unwrap();
        (a, Link::new(b).unwrap())
    }

    #[test]
    fn messages_and_descriptors_arrive_together_and_in_order() {
        let (mut a, mut b) = pair();
        let null = std::fs::File::open("/dev/null").unwrap();
        for n in 0..100 {
            let fds = if n % 10 == 0 {
                vec![null.try_clone().unwrap().into()]
            } else {
                vec![]
            };
            a.send(&n, fds).unwrap();
        }
        b.fill().unwrap();
        for n in 0..100 {
            assert_eq!(b.next::<i32>().unwrap(), Some(n));
        }
        assert_eq!(b.next::<i32>().unwrap(), None);
        assert_eq!(std::iter::from_fn(|| b.take_fd()).count(), 10);
    }

    #[test]
    fn a_large_frame_arrives_in_pieces() {
        let (mut a, mut b) = pair();
        let text = "x".repeat(2_000_000);
        a.send(&text, vec![]).unwrap();
        assert!(a.wants_write());
        let mut got = None;
        while got.is_none() {
            a.flush().unwrap();
            b.fill().unwrap();
            got = b.next::<String>().unwrap();
        }
        assert_eq!(got.as_deref(), Some(text.as_str()));
    }

    #[test]
    fn what_came_before_the_end_is_still_read() {
        let (mut a, mut b) = pair();
        a.send(&1, vec![]).unwrap();
        drop(a);
        b.fill().unwrap();
        assert_eq!(b.next::<i32>().unwrap(), Some(1));
        assert!(matches!(b.next::<i32>(), Err(LinkError::Closed)));
        assert!(matches!(b.send(&1, vec![]), Err(LinkError::Closed)));
    }

    #[test]
    fn garbage_and_giants_are_refused() {
        let (a, mut raw) = Link::pair().unwrap();
        let mut a = a;
        raw.write_all(&[3, 0, 0, 0, b'{', b'{', b'{']).unwrap();
        a.fill().unwrap();
        assert!(matches!(a.next::<i32>(), Err(LinkError::Garbage(_))));
        raw.write_all(&u32::MAX.to_le_bytes()).unwrap();
        a.fill().unwrap();
        assert!(matches!(a.next::<i32>(), Err(LinkError::Garbage(_))));
    }
}
