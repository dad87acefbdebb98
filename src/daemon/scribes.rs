//! The daemon's links to the scribes, one for each lane of logs.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::task::Poll;

use crate::keeper::lane::Lane;
use crate::keeper::link::Link;
use crate::keeper::protocol::{FromScribe, ToScribe};

use super::turns::{drain, watched};

/// A keeper that speaks an earlier version has one scribe for all logs.
const LANES_SINCE: u32 = 4;

/// One scribe.
struct Scribe {
    link: Link,
    stream: tokio::net::UnixStream,
}

/// All of them.
pub(super) struct Scribes {
    logs: PathBuf,
    several: bool,
    known: BTreeMap<Lane, Scribe>,
}

impl Scribes {
    pub(super) fn new(logs: PathBuf, keeper_version: u32) -> Self {
        Self {
            logs,
            several: keeper_version >= LANES_SINCE,
            known: BTreeMap::new(),
        }
    }

    fn folder(&self, log: &Path) -> Option<PathBuf> {
        Lane::folder(log, &self.logs).filter(|_| self.several)
    }

    /// A new one for this folder, in place of the one before.
    pub(super) fn meet(&mut self, folder: Option<&Path>, fd: OwnedFd) -> io::Result<Lane> {
        let link = Link::new(UnixStream::from(fd))?;
        let stream = watched(&link)?;
        let lane = Lane::of_folder(folder);
        self.known.insert(lane, Scribe { link, stream });
        Ok(lane)
    }

    /// Tells whom it concerns. The folder for which there has to be a scribe first, if there is none who could do it:
    /// it is told when it is met.
    pub(super) fn say(&mut self, message: &ToScribe) -> Option<Option<PathBuf>> {
        let path = match message {
            ToScribe::Watch { .. } => {
                self.known
                    .retain(|_, scribe| scribe.link.send(message, vec![]).is_ok());
                return None;
            }
            ToScribe::Limits { route } => &*route.path,
            ToScribe::Rotate { path, .. } | ToScribe::Flush { path, .. } => path.as_path(),
        };
        let folder = self.folder(path);
        let lane = Lane::of_folder(folder.as_deref());
        if let Some(scribe) = self.known.get_mut(&lane) {
            if scribe.link.send(message, vec![]).is_err() {
                self.known.remove(&lane);
            }
            return None;
        }
        match message {
            ToScribe::Rotate { .. } | ToScribe::Flush { .. } => Some(folder),
            // Who begins learns them with the pipe.
            ToScribe::Limits { .. } | ToScribe::Watch { .. } => None,
        }
    }

    /// Tells one.
    pub(super) fn say_to(&mut self, lane: Lane, message: &ToScribe) {
        if let Some(scribe) = self.known.get_mut(&lane)
            && scribe.link.send(message, vec![]).is_err()
        {
            self.known.remove(&lane);
        }
    }

    /// Waits until one has something, or can take what waits; for ever when there is none.
    pub(super) async fn ready(&self) -> Lane {
        std::future::poll_fn(|context| {
            for (lane, scribe) in &self.known {
                let writable =
                    scribe.link.wants_write() && scribe.stream.poll_write_ready(context).is_ready();
                if writable || scribe.stream.poll_read_ready(context).is_ready() {
                    return Poll::Ready(*lane);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// What one says, and whether it is there no more.
    pub(super) fn hear(&mut self, lane: Lane) -> (Vec<FromScribe>, bool) {
        let mut heard = Vec::new();
        let Some(scribe) = self.known.get_mut(&lane) else {
            return (heard, true);
        };
        drain(&scribe.stream, &mut scribe.link);
        loop {
            match scribe.link.next() {
                Ok(Some(message)) => heard.push(message),
                Ok(None) => return (heard, false),
                Err(_) => {
                    self.known.remove(&lane);
                    return (heard, true);
                }
            }
        }
    }
}
