//! Why an instance stands where it stands: one answer from what was seen. What is only a convention or likely is said
//! to be so; where there is no evidence, that is said.

mod judge;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};

use super::clues::clues;
use super::exit::Signal;
use super::names::{InstanceId, RunId};
use super::run::{Asker, Run};
use super::spec::Restart;
use super::status::Status;

use judge::judge;
use words::answer;
pub(crate) use words::{short, span};

/// What ended a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cause {
    /// It ended well by itself.
    Finished,
    /// adasa was asked to end it, or its policy wanted it.
    Asked {
        /// At whose word.
        asker: Asker,
        /// Whether it had to be killed, because it did not obey within its grace.
        after_grace: bool,
    },
    /// The kernel killed it for want of memory; `proved` when the kernel named this very process.
    OutOfMemory {
        /// Else only a counter says so that others have a part in.
        proved: bool,
    },
    /// It never became its program.
    NotExecuted,
    /// The address it wanted was taken.
    AddressInUse {
        /// The port, when it said which.
        port: Option<u16>,
        /// Who has it now.
        holder: Option<Holder>,
    },
    /// A file it wanted was not there.
    MissingFile {
        /// Its path, when it said which.
        path: Option<String>,
    },
    /// A shell did not find a command: exit 127.
    CommandNotFound,
    /// A shell found a command that it may not execute: exit 126.
    CommandNotExecutable,
    /// A code that means by convention that a signal ended something: 128 and its number.
    CodeOfSignal {
        /// Which.
        signal: Signal,
    },
    /// A signal that a client had sent to it.
    Sent {
        /// Which.
        signal: Signal,
        /// Who it was.
        by: String,
    },
    /// A signal that adasa did not send.
    Signal {
        /// Which.
        signal: Signal,
        /// Whether a core dump was written.
        core: bool,
    },
    /// A code of its own.
    Failed {
        /// Which.
        code: i32,
    },
    /// The kernel does not tell how it ended.
    Unknown,
}

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its pid.
    pub pid: i32,
    /// What the kernel calls it.
    pub name: String,
    /// Which instance of adasa it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Next {
    /// It runs.
    Runs,
    /// It is on its way up.
    Starts,
    /// It is being ended.
    Ends {
        /// Milliseconds until `SIGKILL`, while that is to come.
        kill_in_ms: Option<u64>,
    },
    /// Another attempt follows.
    Retries {
        /// In milliseconds.
        in_ms: u64,
        /// Failures so far.
        failures: u32,
        /// How many mean giving up.
        allowed: u32,
    },
    /// adasa gave up.
    GaveUp {
        /// Failures.
        failures: u32,
        /// How many mean giving up.
        allowed: u32,
        /// Whether its policy is never to start it again.
        never: bool,
    },
    /// It stays stopped until somebody starts it.
    StaysStopped,
    /// It ended well and its policy leaves it so.
    StaysEnded,
}

/// One earlier end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which run.
    pub run: RunId,
    /// How it ended, in words.
    pub text: String,
    /// How long it had lasted, milliseconds.
    pub lasted_ms: Option<u64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Of which instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// The answer in one sentence.
    pub answer: String,
    /// The run that ended last.
    pub run: Option<RunId>,
    /// When it ended, milliseconds since 1970.
    pub ended_ms: Option<u64>,
    /// How long it had lasted, milliseconds.
    pub lasted_ms: Option<u64>,
    /// What ended it; none when nothing has ended, or nobody saw it.
    pub cause: Option<Cause>,
    /// What that is concluded from.
    pub evidence: Vec<String>,
    /// What happens next.
    pub next: Next,
    /// The same in words.
    pub next_text: String,
    /// What could be done.
    pub hint: Option<String>,
    /// The ends before, the newest first.
    pub earlier: Vec<Earlier>,
    /// Its last lines of standard error.
    pub stderr: Vec<String>,
}

/// What the instance is now.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) id: InstanceId,
    pub(crate) name: String,
    pub(crate) status: Status,
    /// In the daemon's words.
    pub(crate) because: String,
    pub(crate) failures: u32,
    pub(crate) allowed: u32,
    pub(crate) restart: Restart,
    pub(crate) due_in_ms: Option<u64>,
    pub(crate) uptime_ms: Option<u64>,
    /// Its current or last run.
    pub(crate) run: RunId,
    /// Whether that run is alive.
    pub(crate) alive: bool,
    pub(crate) program: String,
}

/// What was looked up because of a clue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// Who holds the port.
    pub(crate) holder: Option<Holder>,
    /// Whether the port was looked up and nobody holds it now.
    pub(crate) free: bool,
    /// Whether the file is there now.
    pub(crate) file_there: Option<bool>,
    /// What is wrong with the program's file now.
    pub(crate) program: Option<Amiss>,
}

/// What is wrong with a program that cannot be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amiss {
    /// In words.
    pub(crate) text: String,
    /// What helps.
    pub(crate) remedy: &'static str,
}

/// The answer. `runs` are the newest first, `stderr` is of the newest that ended.
#[must_use]
pub(crate) fn why(standing: &Standing, runs: &[Run], stderr: Vec<String>, found: &Found) -> Why {
    let mut ends = runs
        .iter()
        .filter(|run| run.run != standing.run || !standing.alive);
    let last = ends.next();
    let end = last.and_then(|run| run.ended.as_ref());
    let judged = end.map(|end| judge(end, &clues(&stderr), standing, found));
    let earlier = ends
        .take(5)
        .map(|run| Earlier {
            run: run.run,
            text: run
                .ended
                .as_ref()
                .map_or_else(|| "its end was not seen".to_owned(), short),
            lasted_ms: run.ended.as_ref().map(|end| end.lasted_ms),
        })
        .collect();
    let next = next(standing);
    let (cause, evidence, hint) = match judged {
        Some(judged) => (Some(judged.cause), judged.evidence, judged.hint),
        None => (None, Vec::new(), None),
    };
    Why {
        id: standing.id,
        name: standing.name.clone(),
        status: standing.status,
        answer: answer(standing, last, cause.as_ref()),
        run: last.map(|run| run.run),
        ended_ms: end.map(|end| end.exit.at_ms),
        lasted_ms: end.map(|end| end.lasted_ms),
        cause,
        evidence,
        next_text: next.words(),
        next,
        hint,
        earlier,
        stderr,
    }
}

fn next(standing: &Standing) -> Next {
    let (failures, allowed) = (standing.failures, standing.allowed.max(1));
    match standing.status {
        Status::Running | Status::Orphaned => Next::Runs,
        Status::Starting | Status::Restarting => Next::Starts,
        Status::Stopping => Next::Ends {
            kill_in_ms: standing.due_in_ms,
        },
        Status::Backoff => Next::Retries {
            in_ms: standing.due_in_ms.unwrap_or(0),
            failures,
            allowed,
        },
        Status::Errored => Next::GaveUp {
            failures,
            allowed,
            never: standing.restart == Restart::Never,
        },
        Status::Stopped => Next::StaysStopped,
        Status::Exited => Next::StaysEnded,
    }
}
