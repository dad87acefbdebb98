//! What keeper, scribe and sampler report, and what follows from it.

use std::path::{Path, PathBuf};

use crate::domain::event::What;
use crate::domain::exit::Exit;
use crate::domain::history::History;
use crate::domain::instance::{Event as Happened, Phase, Report};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::run::Asker;
use crate::domain::spec::LimitAction;
use crate::keeper::lane::Lane;
use crate::keeper::protocol::{Before, FromScribe, ToDaemon, ToKeeper};

use super::member::Child;
use super::message::Deed;
use super::supervisor::Supervisor;

impl Supervisor {
    pub(super) fn heard_keeper(&mut self, message: ToDaemon) {
        match message {
            // For the loop around the supervisor, which has seen them.
            ToDaemon::Welcome { .. } | ToDaemon::Beat | ToDaemon::Ping => {}
            ToDaemon::Scribe { pid, folder } => {
                self.scribe_is_held(folder.as_deref(), None);
                let lane = self.lanes.meet(folder, pid);
                // It finds out anew what cannot be written; it knows of no other.
                let logs = &self.setting.logs;
                self.troubles.retain(|log, _| Lane::of(log, logs) != lane);
                self.ask_scribe_again(lane);
            }
            ToDaemon::Held { folder, held } => {
                let why = held.then(|| self.who_holds_scribe(folder.as_deref()));
                self.scribe_is_held(folder.as_deref(), why);
            }
            ToDaemon::Spawned {
                key,
                run,
                pid,
                start,
            } => {
                if let Some(member) = self.members.get_mut(&key)
                    && member.machine.run() == run
                    && matches!(member.machine.phase(), Phase::Spawning { .. })
                {
                    member.child = Some(Child { pid, start });
                    member.adopted = false;
                }
                self.began(key, run);
                self.report(key, run, Report::Spawned, "");
            }
            ToDaemon::SpawnFailed { key, run, why } => {
                let forgiven = self.forgive(key);
                self.report(key, run, Report::SpawnFailed { forgiven }, &why);
            }
            ToDaemon::Executed { key, run } => {
                self.report(key, run, Report::Executed, "");
                self.track(key);
            }
            ToDaemon::Exited { key, run, exit } => self.exited(key, run, exit),
            ToDaemon::Orphans => self.deeds.push(Deed::SweepAgain),
            ToDaemon::Shutdown { at_once } => {
                self.deeds.push(Deed::Keeper(ToKeeper::Stopping));
                self.end_all(at_once);
            }
            ToDaemon::Reopen => {
                self.deeds.push(Deed::ReopenLog);
                let text = "SIGHUP: the log is begun anew, and the settings are read".into();
                self.tell(None, What::Note { text });
            }
            ToDaemon::Dump => self.deeds.push(Deed::Dump),
        }
    }

    /// Says where every instance stands.
    pub(super) fn dump(&self) {
        for member in self.members.values() {
            tracing::info!(id = member.id.0, note = member.note(), "dump");
        }
    }

    /// Whether nobody waits for the end of its run.
    pub(super) fn ends_unasked(&self, id: InstanceId) -> bool {
        let member = self.members.get(&id);
        member.is_some_and(|member| member.machine.phase() == Phase::Running)
    }

    /// How the daemon before this one ended, if a person should know.
    pub(super) fn warn_of(&mut self, before: Before) {
        match before {
            Before::Over => {}
            Before::Hung => self.warn("the daemon before this one did not answer and was replaced"),
            Before::NotUpgraded => {
                self.warn("the keeper could not go on as another build and is the one it was");
            }
        }
    }

    /// Something of the daemon before this one that a person should know.
    pub(super) fn warn(&mut self, text: &str) {
        let text = text.to_owned();
        self.tell(None, What::Alarm { text });
    }

    pub(super) fn track(&mut self, id: InstanceId) {
        if let Some(member) = self.members.get(&id)
            && let Some(child) = member.child
            && member.machine.phase().is_live()
        {
            self.deeds.push(Deed::Track {
                id,
                run: member.machine.run(),
                pid: child.pid,
                start: child.start,
            });
        }
    }

    /// How many earlier failures are outside the window by now.
    pub(super) fn forgive(&self, id: InstanceId) -> u32 {
        let Some(member) = self.members.get(&id) else {
            return 0;
        };
        let Some(window) = self
            .processes
            .get(&member.key)
            .and_then(|p| p.spec.restart.window)
        else {
            return 0;
        };
        let window = crate::platform::clock::as_ns(window);
        let horizon = self.now.ns.saturating_sub(window);
        let old = member.failures.iter().take_while(|at| **at < horizon);
        u32::try_from(old.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn exited(&mut self, id: InstanceId, run: RunId, exit: Exit) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let phase = member.machine.phase();
        if member.machine.run() != run || !phase.is_live() {
            return;
        }
        self.ended(id, run, exit);
        self.deeds.push(Deed::Untrack(id));
        // An end that is no failure forgives none either.
        let forgiven = if exit.ending.is_success() && phase == Phase::Running {
            0
        } else {
            self.forgive(id)
        };
        let what = Report::Exited {
            ending: exit.ending,
            forgiven,
        };
        // What it was ended for is the reason, not the signal that did it.
        let because = match phase {
            Phase::Stopping { .. } | Phase::Killing { .. } => String::new(),
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed
            | Phase::Removed => exit.ending.to_string(),
        };
        self.report(id, run, what, &because);
    }

    pub(super) fn report(&mut self, id: InstanceId, run: RunId, what: Report, because: &str) {
        self.drive(id, &Happened::Report { run, what }, because);
    }

    pub(super) fn heard_scribe(&mut self, message: FromScribe) {
        match message {
            FromScribe::Grew { paths, taken } => {
                self.flow.grew(taken);
                self.grew(paths);
            }
            FromScribe::Rotated { path } => {
                self.deeds.push(Deed::Grew);
                self.deeds.push(Deed::Retain { path });
            }
            FromScribe::Done {
                ticket,
                error,
                acted,
            } => self.scribe_did(ticket, acted, error),
            FromScribe::Touched { path: written, cut } => {
                let path = written.display();
                let text = match cut {
                    Some(bytes) => format!("{path} was cut from outside by {bytes} bytes"),
                    None => format!("{path} was deleted or moved from outside and is made again"),
                };
                self.announce(self.writer_of(&written), What::Note { text });
            }
            FromScribe::Freed {
                path: written,
                archives,
            } => {
                let path = written.display();
                let what = if archives == 1 {
                    "archive was"
                } else {
                    "archives were"
                };
                let text =
                    format!("the disk is full: {archives} old {what} removed to go on with {path}");
                self.announce(self.writer_of(&written), What::Note { text });
            }
            FromScribe::Trouble {
                path,
                dropped,
                error,
            } => self.log_trouble(path, dropped, error),
        }
    }

    /// A log cannot be written, or can again. It is an alarm for as long as it lasts, and two events for ever.
    fn log_trouble(&mut self, path: PathBuf, dropped: u64, error: Option<String>) {
        let shown = path.display();
        let writer = self.writer_of(&path);
        let what = match error {
            Some(error) => {
                // Its own oldest archives are gone already: those of others have to make room.
                self.deeds.push(Deed::MakeRoom { path: path.clone() });
                let text = format!("{shown} cannot be written: {error}");
                let ids: Vec<InstanceId> = self.members.keys().copied().collect();
                if self.log_sources(&ids).iter().any(|it| it.path == path) {
                    let before = self.troubles.insert(path, text.clone());
                    if before.as_ref() == Some(&text) {
                        return;
                    }
                }
                What::Alarm { text }
            }
            None => {
                let lost = match dropped {
                    0 => "nothing was lost".to_owned(),
                    1 => "1 byte was lost".to_owned(),
                    many => format!("{many} bytes were lost"),
                };
                let text = format!("{shown} is written again; {lost}");
                self.troubles.remove(&path);
                What::Note { text }
            }
        };
        self.announce(writer, what);
    }

    /// Whose log it is, when it is that of one instance.
    fn writer_of(&self, path: &Path) -> Option<InstanceId> {
        let ids: Vec<InstanceId> = self.members.keys().copied().collect();
        let sources = self.log_sources(&ids);
        let mut writers = sources.iter().filter(|it| it.path == path).map(|it| it.id);
        let first = writers.next()?;
        writers.all(|id| id == first).then_some(first)
    }

    /// Nobody has to do anything about a log that nobody writes any more.
    pub(super) fn forget_troubles(&mut self) {
        if self.troubles.is_empty() {
            return;
        }
        let ids: Vec<InstanceId> = self.members.keys().copied().collect();
        let sources = self.log_sources(&ids);
        self.troubles
            .retain(|path, _| sources.iter().any(|it| it.path == *path));
    }

    pub(super) fn sampled(
        &mut self,
        id: InstanceId,
        run: RunId,
        sample: crate::domain::sample::Sample,
        periodic: bool,
    ) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if member.machine.run() != run || !member.machine.phase().is_live() {
            return;
        }
        member.sample = Some(sample);
        if periodic {
            if let Some(cpu) = sample.cpu {
                member.series.push(cpu);
            }
            member
                .history
                .get_or_insert_with(|| Box::new(History::new()))
                .add(self.now.ns, sample.cpu, sample.memory);
        }
        let limit = self
            .processes
            .get(&member.key)
            .and_then(|p| p.spec.limits.max_memory);
        match limit {
            Some(limit) if sample.memory.is_some_and(|memory| memory > limit) => {
                if !member.over_limit {
                    self.deeds.push(Deed::Confirm { id, run });
                }
            }
            Some(_) | None => member.over_limit = false,
        }
    }

    /// The proportional set of a tree that looked too large.
    pub(super) fn over_limit(&mut self, id: InstanceId, run: RunId, memory: u64) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let Some(limits) = self
            .processes
            .get(&member.key)
            .map(|p| p.spec.limits.clone())
        else {
            return;
        };
        let Some(allowed) = limits.max_memory else {
            return;
        };
        let current = member.machine.run() == run && member.machine.phase().is_live();
        if !current || memory <= allowed || member.over_limit {
            return;
        }
        member.over_limit = true;
        self.tell(Some(id), What::Limit { memory, allowed });
        let mb = |bytes: u64| bytes / 1_000_000;
        self.asker = Some(Asker::MemoryLimit { memory, allowed });
        let why = format!("memory limit: {} MB of {} MB", mb(memory), mb(allowed));
        match limits.action {
            LimitAction::Log => self.asker = None,
            LimitAction::Restart => self.report(id, run, Report::OverLimit, &why),
            LimitAction::Stop => self.drive(id, &Happened::Stop { force: false }, &why),
        }
    }
}
