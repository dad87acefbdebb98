//! A process and its instances as the supervisor holds them, and the note that the keeper keeps of each.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::event::Event;
use crate::domain::exit::{Ending, Exit, ShortText};
use crate::domain::history::History;
use crate::domain::instance::{Event as Happened, Instance, Phase, Policy, Report};
use crate::domain::names::{InstanceId, OperationId, ProcessKey, RunId, instance_label};
use crate::domain::operation::Verb;
use crate::domain::run::{Asker, Reason};
use crate::domain::sample::{Sample, Series};
use crate::domain::spec::{LogPolicy, Spec, Stream};
use crate::domain::status::Status;
use crate::keeper::protocol::{Entry, NOTE_MAX, Route, Routes};

/// How many moments of failure a note has room for.
const FAILURES_NOTED: usize = 24;
/// How many are taken to be as old as the oldest of those.
const FAILURES_MOST: usize = 10_000;
/// The version of the note.
const NOTE_VERSION: u32 = 1;
/// How many events are kept in memory for each instance.
const EVENTS_KEPT: usize = 20;

/// A definition with its instances.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) spec: Arc<Spec>,
    pub(super) generation: u64,
    /// The operation that made it what it is.
    pub(super) operation: Option<OperationId>,
    /// Index and id of each instance, by index.
    pub(super) instances: Vec<(u32, InstanceId)>,
}

impl Process {
    pub(super) fn policy(&self) -> Policy {
        Policy {
            restart: self.spec.restart.on,
            budget: self.spec.restart.max_restarts,
            detach: self.spec.stop.detach_children,
        }
    }
}

/// A live main process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) pid: i32,
    /// Clock ticks between boot and its start.
    pub(super) start: u64,
}

/// The operation that last changed what is wanted of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) operation: OperationId,
    pub(super) verb: Verb,
    /// The run when it was asked for.
    pub(super) base: RunId,
}

/// The end of the last run, as far as its exit does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastEnd {
    #[serde(rename = "r")]
    pub(super) run: RunId,
    #[serde(rename = "l")]
    pub(super) lasted_ms: u64,
    #[serde(rename = "w")]
    pub(super) reason: Reason,
}

/// One instance.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: InstanceId,
    pub(super) key: ProcessKey,
    pub(super) index: u32,
    pub(super) machine: Instance,
    pub(super) child: Option<Child>,
    pub(super) adopted: bool,
    pub(super) orphaned: bool,
    /// Milliseconds since 1970.
    pub(super) since_ms: u64,
    pub(super) because: String,
    pub(super) restarts: u32,
    pub(super) exit: Option<Exit>,
    /// Of the run that `exit` is of.
    pub(super) last_end: Option<LastEnd>,
    /// At whose word the current run began.
    pub(super) begun_by: Option<Asker>,
    /// At whose word the current run is being ended.
    pub(super) asked_by: Option<Asker>,
    /// At whose word another run follows the one that is being ended.
    pub(super) next_by: Option<Asker>,
    /// When it failed, monotonic nanoseconds.
    pub(super) failures: VecDeque<u64>,
    /// Monotonic nanoseconds.
    pub(super) due: Option<u64>,
    pub(super) run_generation: u64,
    pub(super) wanted: Option<Wanted>,
    /// The signal that a client had sent to it last.
    pub(super) sent: Option<super::signals::Sent>,
    /// The rolling restart that it is part of, or was last.
    pub(super) part: Option<super::rollouts::Part>,
    pub(super) sample: Option<Sample>,
    pub(super) series: Series,
    /// What it used over time; none before the first measurement.
    pub(super) history: Option<Box<History>>,
    pub(super) alarm: Option<String>,
    /// Whether it is above its limit and that has been said.
    pub(super) over_limit: bool,
    pub(super) events: VecDeque<Event>,
    /// The highest run that is durably reserved.
    pub(super) reserved: u64,
    /// Whether it was ever started: the first start is no restart.
    pub(super) has_run: bool,
    /// Where it rests across a reboot; the end of the daemon does not change it.
    pub(super) rest: super::store::Rest,
    /// What the keeper knows and this daemon has not acted upon yet.
    pub(super) missed: Option<crate::keeper::protocol::RunState>,
}

impl Member {
    /// The keeper has a run of it that is alive, and no note of it that can be read.
    pub(super) fn is_alive_as(&mut self, entry: &Entry) {
        self.machine = Instance::alive(entry.run);
        self.child = Some(Child {
            pid: entry.pid,
            start: entry.start,
        });
        self.adopted = entry.adopted;
        self.has_run = true;
        self.reserved = self.reserved.max(entry.run.0);
    }

    /// The run that was counted last was never begun.
    pub(super) fn uncount_spawn(&mut self) {
        self.has_run = self.restarts > 0;
        self.restarts = self.restarts.saturating_sub(1);
    }

    pub(super) fn new(id: InstanceId, key: ProcessKey, index: u32, now_ms: u64) -> Self {
        Self {
            id,
            key,
            index,
            machine: Instance::at_rest(RunId(0)),
            child: None,
            adopted: false,
            orphaned: false,
            since_ms: now_ms,
            because: "defined".into(),
            restarts: 0,
            exit: None,
            last_end: None,
            begun_by: None,
            asked_by: None,
            next_by: None,
            failures: VecDeque::new(),
            due: None,
            run_generation: 0,
            wanted: None,
            sent: None,
            part: None,
            sample: None,
            series: Series::default(),
            history: None,
            alarm: None,
            over_limit: false,
            events: VecDeque::new(),
            reserved: 0,
            has_run: false,
            rest: super::store::Rest::Down,
            missed: None,
        }
    }

    /// What the state folder keeps of it.
    pub(super) fn saved(&self) -> super::store::SavedInstance {
        super::store::SavedInstance {
            id: self.id,
            index: self.index,
            rest: self.rest,
            run_ceiling: self.reserved.max(self.machine.run().0),
            restarts: self.restarts,
            exit: self.exit,
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status_in(self.machine.phase())
    }

    pub(super) fn status_in(&self, phase: Phase) -> Status {
        let status = phase.into();
        if self.orphaned && matches!(status, Status::Starting | Status::Running) {
            return Status::Orphaned;
        }
        status
    }

    pub(super) fn label(&self, process: Option<&Process>) -> String {
        // One that is being ended keeps its name, and those beside it theirs, until it is gone.
        let count = |p: &Process| u32::try_from(p.instances.len()).unwrap_or(u32::MAX);
        let instances = process.map_or(1, |p| p.spec.instances.max(count(p)));
        instance_label(&self.key.name, self.index, instances)
    }

    pub(super) fn remember(&mut self, event: Event) {
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Keeps the moments of the failures that count, and of no others.
    pub(super) fn count_failures(&mut self, before: u32, event: &Happened, now_ns: u64) {
        let forgiven = match event {
            Happened::Report {
                what: Report::SpawnFailed { forgiven } | Report::Exited { forgiven, .. },
                ..
            } => *forgiven,
            Happened::Report { .. }
            | Happened::Start
            | Happened::Stop { .. }
            | Happened::Restart
            | Happened::Remove
            | Happened::Deadline { .. } => 0,
        };
        let counted = self.machine.attempts();
        if counted > before.saturating_sub(forgiven) {
            for _ in 0..forgiven {
                self.failures.pop_front();
            }
            self.failures.push_back(now_ns);
        }
        let most = usize::try_from(counted).unwrap_or(usize::MAX);
        let excess = self.failures.len().saturating_sub(most);
        self.failures.drain(..excess);
    }

    /// What the keeper keeps for the next daemon.
    pub(super) fn note(&self) -> String {
        let note = Note {
            version: NOTE_VERSION,
            machine: self.machine,
            due: self.due,
            since_ms: self.since_ms,
            because: shorten(&self.because, 100),
            restarts: self.restarts,
            exit: self.exit,
            failures: self
                .failures
                .iter()
                .rev()
                .take(FAILURES_NOTED)
                .rev()
                .copied()
                .collect(),
            run_generation: self.run_generation,
            wanted: self.wanted.clone(),
            sent: self.sent.clone(),
            part: self.part.clone(),
            alarm: self.alarm.as_deref().map(|a| shorten(a, 60)),
            has_run: self.has_run,
            rest: Some(self.rest),
            last_end: self.last_end.clone(),
            begun_by: self.begun_by.clone(),
            asked_by: self.asked_by.clone(),
            next_by: self.next_by.clone(),
        };
        note.written()
    }

    pub(super) fn take(&mut self, note: Note, now_ns: u64) {
        self.machine = note.machine;
        self.due = note.due;
        self.since_ms = note.since_ms;
        self.because = note.because;
        self.restarts = note.restarts;
        self.exit = note.exit;
        self.failures = note.failures.into();
        // The moments that had no room in the note were before those that had.
        let oldest = self.failures.front().copied().unwrap_or(now_ns);
        let counted = usize::try_from(note.machine.attempts()).unwrap_or(usize::MAX);
        for _ in self.failures.len()..counted.min(FAILURES_MOST) {
            self.failures.push_front(oldest);
        }
        self.run_generation = note.run_generation;
        self.wanted = note.wanted;
        self.sent = note.sent;
        self.part = note.part;
        self.alarm = note.alarm;
        self.has_run = note.has_run;
        self.rest = note.rest.unwrap_or_else(|| self.machine.phase().into());
        self.last_end = note.last_end;
        self.begun_by = note.begun_by;
        self.asked_by = note.asked_by;
        self.next_by = note.next_by;
    }
}

/// The same end, with less of what it says: as many bytes as text as in the text itself.
fn brief(exit: Exit) -> Exit {
    let ending = match exit.ending {
        Ending::NotExecuted(why) => {
            let plain: String = why.as_str().chars().filter(|c| !c.is_control()).collect();
            Ending::NotExecuted(ShortText::new(&plain))
        }
        Ending::Code(_) | Ending::Signal { .. } | Ending::Unknown => exit.ending,
    };
    Exit { ending, ..exit }
}

fn shorten(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The daemon's memory of an instance: short, and everything that must outlive the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The version of what follows.
    #[serde(rename = "v", default)]
    version: u32,
    #[serde(rename = "m")]
    pub(super) machine: Instance,
    #[serde(rename = "d", default)]
    due: Option<u64>,
    #[serde(rename = "s")]
    since_ms: u64,
    #[serde(rename = "b", default)]
    because: String,
    #[serde(rename = "r")]
    restarts: u32,
    #[serde(rename = "e", default)]
    exit: Option<Exit>,
    #[serde(rename = "f", default)]
    failures: Vec<u64>,
    #[serde(rename = "g", default)]
    run_generation: u64,
    #[serde(rename = "w", default)]
    wanted: Option<Wanted>,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    sent: Option<super::signals::Sent>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    part: Option<super::rollouts::Part>,
    #[serde(rename = "a", default)]
    alarm: Option<String>,
    #[serde(rename = "h", default)]
    has_run: bool,
    #[serde(rename = "t", default)]
    rest: Option<super::store::Rest>,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    last_end: Option<LastEnd>,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    begun_by: Option<Asker>,
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<Asker>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    next_by: Option<Asker>,
}

impl Note {
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As text that fits its slot: what explains goes before what is decided by.
    fn written(mut self) -> String {
        let lighter: [fn(&mut Self); 6] = [
            |_| {},
            |note| note.last_end = None,
            |note| {
                note.begun_by = None;
                note.asked_by = None;
                note.next_by = None;
            },
            |note| {
                note.because = String::new();
                note.alarm = None;
                note.failures = Vec::new();
            },
            // Then a signal may be sent once more by a daemon that finds the word for it half said.
            |note| note.sent = None,
            |note| {
                note.part = note.part.take().map(super::rollouts::Part::shorter);
                note.exit = note.exit.map(brief);
            },
        ];
        let mut text = String::new();
        for lighten in lighter {
            lighten(&mut self);
            text = serde_json::to_string(&self).unwrap_or_default();
            if text.len() <= NOTE_MAX {
                break;
            }
        }
        text
    }
}

/// Where the output of an instance goes.
pub(super) fn routes(spec: &Spec, index: u32, logs: &std::path::Path) -> Routes {
    let route = |stream| route_of(&spec.logs, spec.log_path(logs, index, stream));
    let (out, err) = (route(Stream::Out), route(Stream::Err));
    if out.path == err.path {
        Routes { out, err: None }
    } else {
        Routes {
            out,
            err: Some(err),
        }
    }
}

fn route_of(policy: &LogPolicy, path: std::path::PathBuf) -> Route {
    Route {
        path: path.into(),
        max_size: policy.max_size,
        max_age_ms: policy
            .max_age
            .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        block: policy.on_disk_full == crate::domain::spec::OnDiskFull::Block,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{Namespace, ProcessName};

    #[test]
    fn the_longest_note_fits_its_slot_and_is_read_back() {
        let key = ProcessKey {
            namespace: Namespace::default(),
            name: ProcessName::new("x".repeat(64)).unwrap(),
        };
        let mut member = Member::new(InstanceId(u32::MAX), key, 999, u64::MAX);
        member.because = "\u{10ffff}".repeat(500);
        member.alarm = Some("\u{10ffff}".repeat(500));
        member.due = Some(u64::MAX);
        member.failures = (0..100).map(|n| u64::MAX - n).collect();
        member.wanted = Some(Wanted {
            operation: OperationId::new("x".repeat(64)).unwrap(),
            verb: Verb::Restart,
            base: RunId(u64::MAX),
        });
        let long = || Asker::Other {
            text: "\u{10ffff}".repeat(500),
        };
        member.begun_by = Some(long());
        member.asked_by = Some(long());
        member.next_by = Some(long());
        member.last_end = Some(LastEnd {
            run: RunId(u64::MAX),
            lasted_ms: u64::MAX,
            reason: Reason::Asked {
                asker: long(),
                killed: true,
            },
        });
        member.part = Some(super::super::rollouts::Part::longest());
        member.sent = Some(super::super::signals::Sent::longest());
        for said in ["\"", "\u{1}", "x"] {
            member.exit = Some(Exit {
                ending: Ending::NotExecuted(ShortText::new(&said.repeat(96))),
                at_ms: u64::MAX,
                cpu_ms: u64::MAX,
                peak_rss: u64::MAX,
            });
            assert!(member.note().len() <= NOTE_MAX, "{}", member.note().len());
            assert!(Note::parse(&member.note()).is_some());
        }
    }
}
