//! Commands on what is there: start, stop, kill, restart, delete, and the daemon's own end.

use crate::api::{Act, ApiError, Code, OperationView, ServerControl};
use crate::domain::event::What;
use crate::domain::instance::{Event as Happened, Phase};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Progress, Verb};
use crate::domain::run::Asker;
use crate::domain::selector::{Candidate, Selector};
use crate::domain::spec::Origin;
use crate::keeper::protocol::{ToKeeper, ToScribe};

use super::member::{Process, Wanted};
use super::message::{Deed, LogSource, Tending};
use super::operations::{Operation, Target};
use super::supervisor::{Deferred, Ending, Supervisor, Undo};

/// What an instance is asked for by what happens to it.
pub(super) fn verb_of(happened: &Happened) -> Verb {
    match happened {
        Happened::Remove => Verb::Delete,
        Happened::Restart => Verb::Restart,
        Happened::Stop { force: true } => Verb::Kill,
        Happened::Stop { force: false } => Verb::Stop,
        Happened::Start | Happened::Report { .. } | Happened::Deadline { .. } => Verb::Start,
    }
}

/// What a verb means to the machine.
pub(super) fn happening(verb: Verb) -> Happened {
    match verb {
        Verb::Start => Happened::Start,
        Verb::Stop => Happened::Stop { force: false },
        Verb::Kill => Happened::Stop { force: true },
        Verb::Restart => Happened::Restart,
        Verb::Delete => Happened::Remove,
    }
}

impl Supervisor {
    /// The instances that are selected; no selector means all.
    pub(super) fn select(&self, selectors: &[Selector]) -> Result<Vec<InstanceId>, ApiError> {
        let unrecorded = self.unrecorded();
        let members = || {
            let all = self.members.iter();
            all.filter(|(id, _)| !unrecorded.contains(id))
        };
        if selectors.is_empty() {
            return Ok(members().map(|(id, _)| *id).collect());
        }
        let mut found = std::collections::BTreeSet::new();
        for selector in selectors {
            let before = found.len();
            let mut any = false;
            for (id, member) in members() {
                let process = self.processes.get(&member.key);
                let label = member.label(process);
                let candidate = Candidate {
                    id: *id,
                    namespace: &member.key.namespace,
                    process: &member.key.name,
                    label: &label,
                    tags: process.map_or(&[], |p| &p.spec.tags),
                    status: member.status(),
                };
                if selector.matches(&candidate) {
                    any = true;
                    found.insert(*id);
                }
            }
            if !any && found.len() == before && !selector.may_be_empty() {
                return Err(self.not_found(selector));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// What is defined and not recorded yet; until then no command may begin it.
    fn unrecorded(&self) -> std::collections::BTreeSet<InstanceId> {
        let mut ids = std::collections::BTreeSet::new();
        for Deferred::Begin { undo, .. } in self.deferred.values() {
            for undo in undo {
                let (key, before) = match undo {
                    Undo::Forget(key) => (key, None),
                    Undo::Restore(key, before) => (key, Some(before)),
                };
                let now = self.processes.get(key).map(|p| p.instances.iter());
                ids.extend(now.into_iter().flatten().filter_map(|instance| {
                    let old = before.is_some_and(|p| p.instances.contains(instance));
                    (!old).then_some(instance.1)
                }));
            }
        }
        ids
    }

    fn not_found(&self, selector: &Selector) -> ApiError {
        let wanted = selector.to_string();
        let error = ApiError::new(Code::NotFound, format!("no process is called {wanted:?}"));
        let names = self.members.keys().map(|id| self.label(*id));
        let processes = self.processes.keys().map(|key| key.name.to_string());
        let nearest = names
            .chain(processes)
            .map(|name| (strsim::jaro_winkler(&wanted, &name), name))
            .filter(|(likeness, _)| *likeness > 0.75)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, name)) => error.hint(format!("did you mean {name:?}?")),
            None => error.hint("`adasa list` shows what there is"),
        }
    }

    /// Begins an operation on what is selected, or says how far it is when it was begun before.
    pub(super) fn act(&mut self, act: Act, by: &str) -> Result<OperationView, ApiError> {
        if let Some(rolling) = act.rolling {
            return self.roll(act, rolling, by);
        }
        let mut ids = Vec::new();
        match self.known_operation(&act.operation, act.verb)? {
            None => ids = self.select(&act.select)?,
            Some(known) => {
                // The daemon before may have died between two targets: the rest is told now.
                let reopened = self.operations.get(&act.operation);
                if reopened.is_some_and(|o| o.reopened)
                    && let Ok(selected) = self.select(&act.select)
                {
                    ids = selected;
                    ids.retain(|id| known.targets.iter().all(|t| t.id != *id));
                }
                if ids.is_empty() {
                    return Ok(known);
                }
            }
        }
        self.still_the_run(&ids, act.only_run)?;
        self.remember_act(act.verb, &ids, &act.operation, by);
        let asked: Vec<_> = ids.iter().map(|id| (*id, act.verb)).collect();
        self.begin(act.operation.clone(), act.verb, &asked, by);
        let happened = happening(act.verb);
        for id in ids {
            self.want(id, &happened, &act.operation, act.verb, by);
        }
        self.settle_operations();
        self.operation_view(&act.operation)
    }

    /// What was seen when the question was asked is still so.
    pub(super) fn still_the_run(
        &self,
        ids: &[InstanceId],
        run: Option<RunId>,
    ) -> Result<(), ApiError> {
        let is = |id, run| {
            self.members
                .get(id)
                .is_none_or(|m: &super::member::Member| m.machine.run() == run)
        };
        match run {
            Some(run) if !ids.iter().all(|id| is(id, run)) => Err(ApiError::new(
                Code::StaleTarget,
                "stale target: it has been started again since you looked",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// An operation with this id that is known already; one of another kind is a conflict.
    pub(super) fn known_operation(
        &self,
        id: &OperationId,
        verb: Verb,
    ) -> Result<Option<OperationView>, ApiError> {
        match self.operations.get(id) {
            None => Ok(None),
            Some(known) if known.verb == verb => self.operation_view(id).map(Some),
            Some(known) => Err(ApiError::new(
                Code::Conflict,
                format!("operation {id} was a {}", known.verb.word()),
            )),
        }
    }

    /// Notes an operation with its targets and what each is asked for.
    pub(super) fn begin(
        &mut self,
        id: OperationId,
        verb: Verb,
        asked: &[(InstanceId, Verb)],
        by: &str,
    ) {
        let targets = asked
            .iter()
            .filter_map(|(id, verb)| {
                let member = self.members.get(id)?;
                let phase = member.machine.phase();
                let already = match verb {
                    Verb::Start => phase == Phase::Running,
                    Verb::Stop | Verb::Kill => phase == Phase::Stopped,
                    Verb::Restart | Verb::Delete => false,
                };
                Some(Target {
                    id: *id,
                    name: self.label(*id),
                    verb: *verb,
                    base: member.machine.run(),
                    progress: if already {
                        Progress::Already
                    } else {
                        Progress::Pending
                    },
                })
            })
            .collect();
        self.operations
            .begin(id.clone(), Operation::new(verb, targets, self.now.ns));
        for (target, verb) in asked {
            self.tell(
                Some(*target),
                What::Asked {
                    verb: *verb,
                    operation: id.clone(),
                    by: by.to_owned(),
                },
            );
        }
    }

    /// Applies a command to one instance and remembers which operation wanted it.
    pub(super) fn want(
        &mut self,
        id: InstanceId,
        happened: &Happened,
        operation: &OperationId,
        verb: Verb,
        by: &str,
    ) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.wanted = Some(Wanted {
            operation: operation.clone(),
            verb,
            base: member.machine.run(),
        });
        let because = format!("{} by {by}", verb.word());
        self.asker = Some(Asker::command(verb, by, operation));
        self.drive(id, happened, &because);
    }

    /// Ends or replaces the daemon.
    pub(super) fn control(&mut self, what: ServerControl, by: &str) {
        match what {
            ServerControl::Stop => {
                self.tell(
                    None,
                    What::Note {
                        text: format!("the daemon is stopped by {by}"),
                    },
                );
                self.end_all(false);
            }
            ServerControl::Restart => {
                self.tell(
                    None,
                    What::Note {
                        text: format!("the daemon is replaced by {by}"),
                    },
                );
                self.deeds.push(Deed::Keeper(ToKeeper::ReplaceScribe));
                self.deeds.push(Deed::Leave);
            }
            ServerControl::MarkTransient => {
                if self.ending == Ending::No {
                    self.transient = true;
                }
            }
        }
    }

    /// The log files of instances, one per file.
    pub(super) fn log_sources(&self, ids: &[InstanceId]) -> Vec<LogSource> {
        let mut sources: Vec<LogSource> = Vec::new();
        for id in ids {
            let Some(member) = self.members.get(id) else {
                continue;
            };
            let Some(process) = self.processes.get(&member.key) else {
                continue;
            };
            let routes = super::member::routes(&process.spec, member.index, &self.setting.logs);
            for (stream, route) in routes.each() {
                sources.push(LogSource {
                    id: *id,
                    name: member.label(Some(process)),
                    stream,
                    path: route.path.clone(),
                });
            }
        }
        sources
    }

    /// Empties or rotates logs.
    pub(super) fn tend_logs(
        &mut self,
        select: &[Selector],
        how: Tending,
    ) -> Result<Vec<LogSource>, ApiError> {
        let ids = self.select(select)?;
        let sources = self.log_sources(&ids);
        for source in &sources {
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            let path = source.path.clone();
            match how {
                Tending::Flush => {
                    self.deeds.push(Deed::ClearArchives(path.clone()));
                    self.deeds
                        .push(Deed::Scribe(ToScribe::Flush { ticket, path }));
                }
                Tending::Rotate => {
                    self.deeds
                        .push(Deed::Scribe(ToScribe::Rotate { ticket, path }));
                }
            }
        }
        Ok(sources)
    }
}

/// A name has one process: what has it is said.
pub(super) fn taken(there: &Process) -> ApiError {
    let spec = &there.spec;
    let by = match &spec.origin {
        Origin::Typed => "typed with `adasa start`".to_owned(),
        Origin::File(file) => format!("defined in {}", file.display()),
    };
    let ids: Vec<String> = there
        .instances
        .iter()
        .map(|(_, id)| id.to_string())
        .collect();
    let mut words = vec![spec.command.program.as_str()];
    words.extend(spec.command.args.iter().map(String::as_str));
    ApiError::new(
        Code::Conflict,
        format!(
            "the name {} is taken: {} in {} (id {}, {by})",
            spec.key(),
            words.join(" "),
            spec.cwd.display(),
            ids.join(" ")
        ),
    )
    .hint(format!(
        "choose another --name, or `adasa delete {}` first",
        spec.key()
    ))
}
