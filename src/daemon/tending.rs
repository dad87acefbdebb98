//! Logs that are emptied or rotated on request: the scribe acts, and the answer says what it did.

use std::collections::BTreeMap;

use crate::api::{ApiError, Code};
use crate::domain::selector::Selector;
use crate::keeper::lane::Lane;
use crate::keeper::protocol::ToScribe;

use super::activity::Did;
use super::message::{Deed, LogSource, Reply, Tending};
use super::supervisor::Supervisor;

/// How long a client waits for the scribe: less than it waits for an answer at all.
const PATIENCE_NS: u64 = 4_000_000_000;

/// One request, until every log of it has been tended.
struct Tend {
    how: Tending,
    /// Not tended yet, by ticket.
    open: BTreeMap<u64, LogSource>,
    /// Where there was something to do, and it is done.
    done: Vec<LogSource>,
    failed: Vec<String>,
    due: u64,
    reply: Reply<Vec<LogSource>>,
}

/// Requests that wait for the scribe.
#[derive(Default)]
pub(super) struct Tended {
    requests: Vec<Tend>,
}

impl Tended {
    pub(super) fn next_due(&self) -> Option<u64> {
        self.requests.iter().map(|request| request.due).min()
    }

    fn of(&mut self, ticket: u64) -> Option<&mut Tend> {
        (self.requests.iter_mut()).find(|request| request.open.contains_key(&ticket))
    }
}

impl Tend {
    fn ask(&self, ticket: u64, source: &LogSource) -> Deed {
        let path = source.path.clone();
        Deed::Scribe(match self.how {
            Tending::Flush => ToScribe::Flush { ticket, path },
            Tending::Rotate => ToScribe::Rotate { ticket, path },
        })
    }

    fn answer(mut self) {
        let verb = match self.how {
            Tending::Flush => "emptied",
            Tending::Rotate => "rotated",
        };
        for source in self.open.values() {
            let path = source.path.display();
            self.failed.push(format!("{path}: no answer in time"));
        }
        let result = if self.failed.is_empty() {
            self.done.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(self.done)
        } else {
            let failed = self.failed.join("; ");
            let error = format!("not all logs could be {verb}: {failed}");
            Err(ApiError::new(Code::Internal, error))
        };
        // Who asked may be gone.
        let _ = self.reply.send(result);
    }
}

impl Supervisor {
    /// Empties or rotates logs; answered when all of it is done.
    pub(super) fn tend_logs(
        &mut self,
        select: &[Selector],
        how: Tending,
        reply: Reply<Vec<LogSource>>,
    ) {
        let ids = match self.select(select) {
            Ok(ids) => ids,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let word = match how {
            Tending::Flush => "empty the logs of",
            Tending::Rotate => "rotate the logs of",
        };
        self.did(Did::plain(word, ids.clone()));
        let mut request = Tend {
            how,
            open: BTreeMap::new(),
            done: Vec::new(),
            failed: Vec::new(),
            due: self.now.ns.saturating_add(PATIENCE_NS),
            reply,
        };
        for source in self.log_sources(&ids) {
            // Instances may share a file.
            if request.open.values().any(|it| it.path == source.path) {
                continue;
            }
            self.next_ticket += 1;
            self.deeds.push(request.ask(self.next_ticket, &source));
            request.open.insert(self.next_ticket, source);
        }
        self.tended.requests.push(request);
        self.answer_tended();
    }

    /// The scribe has done it, or could not.
    pub(super) fn scribe_did(&mut self, ticket: u64, acted: bool, error: Option<String>) {
        let Some(request) = self.tended.of(ticket) else {
            return;
        };
        if request.how == Tending::Flush
            && error.is_none()
            && let Some(source) = request.open.get(&ticket)
        {
            // After the file: what became an archive a moment ago goes too.
            let path = source.path.clone();
            if acted && !request.done.contains(source) {
                request.done.push(source.clone());
            }
            self.deeds.push(Deed::ClearArchives { ticket, path });
            return;
        }
        self.tended_one(ticket, acted, error);
    }

    /// One log is done.
    pub(super) fn tended_one(&mut self, ticket: u64, acted: bool, error: Option<String>) {
        let Some(request) = self.tended.of(ticket) else {
            return;
        };
        let Some(source) = request.open.remove(&ticket) else {
            return;
        };
        match error {
            Some(error) => (request.failed).push(format!("{}: {error}", source.path.display())),
            None if acted && !request.done.contains(&source) => request.done.push(source),
            None => {}
        }
        self.answer_tended();
    }

    /// A scribe that was killed may not have done what it was asked for; doing it twice does no harm.
    pub(super) fn ask_scribe_again(&mut self, lane: Lane) {
        let logs = &self.setting.logs;
        for request in &self.tended.requests {
            let again = request
                .open
                .iter()
                .filter(|(_, source)| Lane::of(&source.path, logs) == lane)
                .map(|(t, source)| request.ask(*t, source));
            self.deeds.extend(again);
        }
    }

    /// Answers what is done, and what has waited too long.
    pub(super) fn answer_tended(&mut self) {
        let now = self.now.ns;
        let over = |request: &mut Tend| request.open.is_empty() || request.due <= now;
        for request in self.tended.requests.extract_if(.., over) {
            request.answer();
        }
    }
}
