//! What the daemon asks the scribe for, and what the scribe tells it.

use std::io;
use std::path::Path;

use crate::keeper::protocol::{FromScribe, Route, ToScribe};
use crate::platform::clock::monotonic_ns;
use crate::platform::failpoint::failpoint;

use super::file::LogFile;
use super::role::Scribe;

/// Followers are told this often at most.
const TELL_NS: u64 = 25_000_000;

impl Scribe {
    pub(super) fn tell(&mut self, message: &FromScribe) {
        if let Some(daemon) = &mut self.daemon
            && daemon.send(message, vec![]).is_err()
        {
            self.daemon = None;
        }
    }

    /// A new daemon knows nothing of the logs that cannot be written.
    pub(super) fn tell_troubles(&mut self) {
        let messages: Vec<FromScribe> = (self.logs.iter())
            .filter(|(_, file)| file.failing.is_some())
            .map(|(path, file)| FromScribe::Trouble {
                path: path.to_path_buf(),
                dropped: file.dropped,
                error: file.failing.clone(),
            })
            .collect();
        for message in messages {
            self.tell(&message);
        }
    }

    pub(super) fn tell_growth(&mut self) {
        let now = monotonic_ns();
        if self.watched && !self.grew.is_empty() && now.saturating_sub(self.told_ns) >= TELL_NS {
            self.told_ns = now;
            let grew = std::mem::take(&mut self.grew);
            let paths = grew.iter().map(|path| path.to_path_buf()).collect();
            let taken = Some(std::mem::take(&mut self.taken));
            self.tell(&FromScribe::Grew { paths, taken });
        }
    }

    pub(super) fn heard_daemon(&mut self) {
        let mut requests = Vec::new();
        let mut over = false;
        if let Some(daemon) = &mut self.daemon {
            over |= daemon.flush().is_err() | daemon.fill().is_err();
            loop {
                match daemon.next::<ToScribe>() {
                    Ok(Some(message)) => requests.push(message),
                    Ok(None) => break,
                    Err(_) => {
                        over = true;
                        break;
                    }
                }
            }
            if over {
                let _ = self.epoll.delete(&*daemon);
            }
        }
        for request in requests {
            self.carry_out(request);
        }
        if over {
            self.daemon = None;
            self.watched = false;
            self.grew.clear();
        }
    }

    pub(super) fn renew_limits(&mut self, route: Route) {
        if let Some(file) = self.logs.get_mut(&route.path) {
            file.route = route;
        }
    }

    pub(super) fn carry_out(&mut self, request: ToScribe) {
        match request {
            ToScribe::Limits { route } => self.renew_limits(route),
            ToScribe::Watch { on } => {
                self.watched = on;
                self.grew.clear();
                self.taken = 0;
            }
            ToScribe::Rotate { ticket, path } => {
                self.empty_pipes_of(&path);
                failpoint!("scribe.rotate.asked");
                let result = self.with_file(&path, LogFile::rotate);
                if matches!(result, Ok(true)) {
                    self.tell(&FromScribe::Rotated { path });
                }
                self.answer(ticket, &result);
            }
            ToScribe::Flush { ticket, path } => {
                self.empty_pipes_of(&path);
                let result = self.with_file(&path, LogFile::flush);
                failpoint!("scribe.flush.done");
                if result.is_ok() {
                    self.end_trouble(&path);
                }
                self.answer(ticket, &result);
            }
        }
    }

    /// What kept a log from being written may be over when it was emptied; if nobody writes to it, no write would tell.
    /// Where it is not over, the next write says so anew.
    fn end_trouble(&mut self, path: &Path) {
        let Some(file) = self.logs.get_mut(path) else {
            return;
        };
        if file.failing.take().is_some() {
            let trouble = FromScribe::Trouble {
                path: path.to_owned(),
                dropped: std::mem::take(&mut file.dropped),
                error: None,
            };
            self.tell(&trouble);
        }
    }

    pub(super) fn answer(&mut self, ticket: u64, result: &io::Result<bool>) {
        let (acted, error) = match result {
            Ok(acted) => (*acted, None),
            Err(error) => (false, Some(error.to_string())),
        };
        self.tell(&FromScribe::Done {
            ticket,
            error,
            acted,
        });
    }

    /// What was written before the request belongs before it.
    pub(super) fn empty_pipes_of(&mut self, path: &Path) {
        let tokens: Vec<u64> = self
            .pipes
            .iter()
            .filter(|(_, p)| *p.log == *path)
            .map(|(token, _)| *token)
            .collect();
        for token in tokens {
            self.rounds(token);
            self.rearm(token);
        }
    }

    pub(super) fn with_file(
        &mut self,
        path: &Path,
        act: impl FnOnce(&mut LogFile) -> io::Result<bool>,
    ) -> io::Result<bool> {
        if let Some(file) = self.logs.get_mut(path) {
            return act(file);
        }
        if !path.exists() {
            return Ok(false);
        }
        // Nobody writes to it now: an open for this one act.
        act(&mut LogFile::new(Route {
            path: path.into(),
            max_size: u64::MAX,
            max_age_ms: None,
            block: false,
        }))
    }
}
