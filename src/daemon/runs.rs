//! What is remembered of runs: at whose word they begin and end, and what the journal is told.

use crate::domain::event::{Follows, What};
use crate::domain::exit::{Ending, Exit, Signal};
use crate::domain::instance::Phase;
use crate::domain::names::{InstanceId, RunId};
use crate::domain::run::{Asker, Ended, Evidence, Reason, Run};
use crate::domain::why::Standing;

use super::autopsy::Program;
use super::journal::Seen;
use super::member::{LastEnd, Member};
use super::message::Deed;
use super::supervisor::Supervisor;

/// What the journal and its reader need to know of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Which.
    pub id: InstanceId,
    /// What it is called.
    pub name: String,
    /// The run that is under way.
    pub now: Option<Run>,
    /// Where its standard error goes, or all of its output when it is one log.
    pub log: Option<std::path::PathBuf>,
    /// How it stands.
    pub standing: Standing,
    /// What it is executed from.
    pub program: Program,
}

impl Member {
    /// Remembers at whose word a step was taken that began a run or began to end one.
    pub(super) fn note_asker(&mut self, before: Phase, asker: Option<Asker>, because: &str) {
        let after = self.machine.phase();
        let ends = |phase| matches!(phase, Phase::Stopping { .. } | Phase::Killing { .. });
        let begins = |phase| matches!(phase, Phase::Spawning { .. });
        let other = || {
            (!because.is_empty()).then(|| Asker::Other {
                text: because.chars().take(60).collect(),
            })
        };
        if begins(after) && !begins(before) {
            // What replaces a run that was ended by a command began by that command.
            let ended_by = self.asked_by.take();
            self.begun_by = asker.or(self.next_by.take());
            if self.begun_by.is_none() {
                self.begun_by = if before == Phase::Backoff {
                    Some(Asker::Policy)
                } else if matches!(before, Phase::Sweeping { .. }) {
                    ended_by.or_else(other)
                } else {
                    other()
                };
            }
            self.next_by = None;
        } else if ends(after) && !ends(before) {
            // A child that was not wanted any more before it was there is ended as soon as it is.
            self.asked_by = asker.or(self.next_by.take()).or_else(|| {
                if before == Phase::Starting {
                    Some(Asker::TooSlow)
                } else {
                    other()
                }
            });
        } else if asker.is_some() && after.has_run() && before.has_run() {
            // It is being ended already: the first word ended it, the last one says what follows.
            self.next_by = asker;
        }
    }
}

impl Member {
    /// What its status means beyond the word, where it stands now.
    pub(super) fn follows(&self, now_ns: u64) -> Option<Follows> {
        match self.machine.phase() {
            Phase::Running => Some(Follows::Run {
                run: self.machine.run(),
                by: self.begun_by.clone(),
            }),
            Phase::Backoff => Some(Follows::Attempt {
                restart: self.restarts + 1,
                in_ms: self.due?.saturating_sub(now_ns) / 1_000_000,
            }),
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Sweeping { .. }
            | Phase::Exited
            | Phase::Failed
            | Phase::Removed => None,
        }
    }
}

impl Supervisor {
    /// Who wanted an instance up whose definition was recorded and not begun.
    pub(super) fn asker_of(&self, id: InstanceId) -> Option<Asker> {
        let wanted = self.members.get(&id)?.wanted.as_ref()?;
        Some(Asker::command(
            wanted.verb,
            "its definition",
            &wanted.operation,
        ))
    }

    /// Milliseconds since 1970 when a main process began, by its start and the two clocks.
    fn begun_ms(&self, start: u64) -> u64 {
        let begun = start * 1000 / self.setting.ticks_per_second.max(1);
        let age = (self.now.ns / 1_000_000).saturating_sub(begun);
        self.now.ms.saturating_sub(age)
    }

    /// A run has a process.
    pub(super) fn began(&mut self, id: InstanceId, run: RunId) {
        let Some(member) = self.members.get(&id).filter(|m| m.machine.run() == run) else {
            return;
        };
        let Some(child) = member.child else {
            return;
        };
        self.voices.begin(id);
        let seen = Seen::Begun {
            id,
            run,
            pid: child.pid,
            at_ms: self.begun_ms(child.start),
            by: member.begun_by.clone(),
            generation: member.run_generation,
        };
        self.deeds.push(Deed::Saw(seen));
    }

    /// A run has ended: everybody who wants to know is told how and why.
    pub(super) fn ended(&mut self, id: InstanceId, run: RunId, exit: Exit) {
        let now = self.now;
        let ticks = self.setting.ticks_per_second.max(1);
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let lasted_ms = member.child.map_or(0, |child| {
            let age = (now.ns / 1_000_000).saturating_sub(child.start * 1000 / ticks);
            // It may have ended before this daemon was there.
            age.saturating_sub(now.ms.saturating_sub(exit.at_ms))
        });
        let phase = member.machine.phase();
        let killed = matches!(phase, Phase::Killing { .. });
        let stopped = matches!(phase, Phase::Stopping { .. });
        let reason = match &member.asked_by {
            Some(asker) if stopped || killed => Reason::Asked {
                asker: asker.clone(),
                killed,
            },
            Some(_) | None => Reason::Itself,
        };
        let resident = member.sample.and_then(|s| s.memory);
        let sent = member.sent.as_ref();
        let sent = sent.and_then(|sent| sent.evidence(run, exit.ending, exit.at_ms));
        let sent = sent.filter(|_| reason == Reason::Itself);
        member.exit = Some(exit);
        member.last_end = Some(LastEnd {
            run,
            lasted_ms,
            reason: reason.clone(),
        });
        let shot = matches!(exit.ending, Ending::Signal { signal, .. } if signal == Signal::KILL);
        let mut evidence = Vec::new();
        if shot && reason == Reason::Itself && sent.is_none() {
            if let Some(child) = member.child {
                self.deeds.push(Deed::Autopsy {
                    id,
                    run,
                    pid: child.pid,
                    begun_us: child.start * 1_000_000 / ticks,
                });
            }
            evidence.extend(resident.map(|resident| Evidence::LastMemory { resident }));
        }
        evidence.extend(sent);
        self.deeds.push(Deed::Saw(Seen::Ended {
            id,
            run,
            ended: Ended {
                exit,
                lasted_ms,
                reason: reason.clone(),
                evidence,
            },
        }));
        self.tell(
            Some(id),
            What::Exit {
                run,
                exit,
                lasted_ms,
                reason,
            },
        );
    }

    /// The daemon before may have died before its journal had the last end of a run.
    pub(super) fn repeat_ends(&mut self) {
        let ends: Vec<Deed> = self
            .members
            .values()
            .filter_map(|it| last_seen(it))
            .map(Deed::Saw)
            .collect();
        self.deeds.extend(ends);
    }

    /// What a reader of the journal needs to know of these instances.
    pub(super) fn subjects(&self, ids: &[InstanceId]) -> Vec<Subject> {
        ids.iter().filter_map(|id| self.subject(*id)).collect()
    }

    fn subject(&self, id: InstanceId) -> Option<Subject> {
        let member = self.members.get(&id)?;
        let spec = &self.processes.get(&member.key)?.spec;
        let logs = super::member::routes(spec, member.index, &self.setting.logs);
        let alive = member.machine.phase().is_live();
        let now = member.child.filter(|_| alive).map(|child| Run {
            id,
            run: member.machine.run(),
            pid: Some(child.pid),
            begun_ms: Some(self.begun_ms(child.start)),
            begun_by: member.begun_by.clone(),
            generation: member.run_generation,
            ended: None,
        });
        let begun = now.as_ref().and_then(|run| run.begun_ms);
        let variable = |name: &str| spec.env.get(name).or_else(|| spec.base_env.get(name));
        Some(Subject {
            id,
            name: self.label(id),
            now,
            log: Some(logs.err.unwrap_or(logs.out).path.to_path_buf()),
            standing: Standing {
                id,
                name: self.label(id),
                status: member.status(),
                because: member.because.clone(),
                failures: member.machine.attempts(),
                allowed: spec.restart.max_restarts,
                restart: spec.restart.on,
                due_in_ms: self.due_in_ms(member),
                uptime_ms: begun.map(|begun| self.now.ms.saturating_sub(begun)),
                run: member.machine.run(),
                alive,
                program: spec.command.program.clone(),
            },
            program: Program {
                word: spec.command.program.clone(),
                cwd: spec.cwd.clone(),
                path: variable("PATH").cloned(),
            },
        })
    }
}

fn last_seen(member: &Member) -> Option<Seen> {
    let last = member.last_end.clone()?;
    Some(Seen::Ended {
        id: member.id,
        run: last.run,
        ended: Ended {
            exit: member.exit?,
            lasted_ms: last.lasted_ms,
            reason: last.reason,
            evidence: Vec::new(),
        },
    })
}
