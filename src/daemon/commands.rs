//! Commands on what is there: start, stop, kill, restart, delete, and the daemon's own end.

use crate::api::{Act, ApiError, Change, Code, OperationView, ServerControl};
use crate::domain::event::What;
use crate::domain::instance::{Event as Happened, Phase};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::operation::{Order, Progress, Verb, Work};
use crate::domain::run::Asker;
use crate::domain::selector::{Candidate, Selector};
use crate::domain::spec::Origin;
use crate::keeper::protocol::ToKeeper;

use super::activity::Did;
use super::ledger::{Asked, Entry, Form, Memo};
use super::member::{Process, Wanted};
use super::message::{Deed, LogSource, Reply};
use super::operations::Target;
use super::supervisor::{Deferral, Ending, Supervisor, Undo};

/// An operation that begins.
pub(super) struct Begun {
    pub(super) operation: OperationId,
    pub(super) asked: Asked,
    /// Who is asked for what, in order.
    pub(super) targets: Vec<(InstanceId, Order)>,
    /// What the answer says of each process.
    pub(super) changes: Vec<Change>,
    /// Whether its definitions have to be in the state folder before it is carried out.
    pub(super) awaits: bool,
    /// Whether the answer waits until a power cut would not undo it.
    pub(super) durable: bool,
    /// Whether it goes batch by batch.
    pub(super) rolling: bool,
}

impl Begun {
    /// A command on what is there.
    pub(super) fn of(act: &Act, asked: Asked, ids: &[InstanceId]) -> Self {
        Self {
            operation: act.operation.clone(),
            asked,
            targets: ids.iter().map(|id| (*id, act.verb.into())).collect(),
            changes: Vec::new(),
            awaits: false,
            durable: act.durable,
            rolling: act.rolling.is_some(),
        }
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
                any |= selector.whole().matches(&candidate);
                if selector.matches(&candidate) {
                    found.insert(*id);
                }
            }
            if !any && found.len() == before && !selector.may_be_empty() {
                return Err(self.not_found(selector.whole()));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// What is defined and not recorded yet; until then no command may begin it.
    fn unrecorded(&self) -> std::collections::BTreeSet<InstanceId> {
        let mut ids = std::collections::BTreeSet::new();
        for deferred in self.deferred.values() {
            for undo in &deferred.undo {
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
    pub(super) fn act(&mut self, act: Act, by: &str, reply: Reply<OperationView>) {
        let asked = Asked::new(act.verb, Form::Act, &act);
        let reply = Deferral::Operation(reply);
        let Some(reply) = self.unless_known(&act.operation, &asked, reply) else {
            return;
        };
        let begun = match act.rolling {
            Some(rolling) => self.roll(&act, asked, rolling, by),
            None => self.act_at_once(&act, asked, by),
        };
        match begun {
            Ok(()) => self.answer_when_recorded(&act.operation, reply),
            Err(error) => reply.refuse(error),
        }
    }

    fn act_at_once(&mut self, act: &Act, asked: Asked, by: &str) -> Result<(), ApiError> {
        let ids = self.targets(act)?;
        let acts = ids.iter().map(|id| (*id, act.verb));
        self.spare(act.force_protected, acts)?;
        self.remember_act(act.verb, &ids, &act.operation, by);
        self.begin(Begun::of(act, asked, &ids), by);
        self.tell_targets(&act.operation, by, false);
        self.settle_operations();
        Ok(())
    }

    /// Whom a command is for: what was seen when the question was asked is still so.
    pub(super) fn targets(&self, act: &Act) -> Result<Vec<InstanceId>, ApiError> {
        self.targets_at(&act.select, act.only_run)
    }

    /// What is selected, while it is this run where one is named.
    pub(super) fn targets_at(
        &self,
        select: &[Selector],
        only_run: Option<RunId>,
    ) -> Result<Vec<InstanceId>, ApiError> {
        let ids = self.select(select)?;
        let is_other = |id: &InstanceId, run| {
            let member = self.members.get(id);
            member.is_some_and(|member| member.machine.run() != run)
        };
        if let Some(run) = only_run
            && ids.iter().any(|id| is_other(id, run))
        {
            let error = "stale target: it has been started again since you looked";
            return Err(ApiError::new(Code::StaleTarget, error));
        }
        Ok(ids)
    }

    /// Notes an operation with its targets and what each is asked for.
    pub(super) fn begin(&mut self, begun: Begun, by: &str) {
        let targets = begun.targets.iter().filter_map(|(id, verb)| {
            let member = self.members.get(id)?;
            let phase = member.machine.phase();
            let already = match verb {
                Order::Do(Verb::Start) => phase == Phase::Running,
                Order::Do(Verb::Stop | Verb::Kill) => phase == Phase::Stopped,
                Order::Do(Verb::Restart | Verb::Delete) | Order::Send(_) => false,
            };
            let impossible = *verb == Order::Do(Verb::Restart) && member.orphaned;
            Some(Target {
                id: *id,
                name: self.label(*id),
                verb: *verb,
                base: member.machine.run(),
                progress: if already {
                    Progress::Already
                } else if impossible {
                    let reason = "nothing defines it any more: it could not be started again";
                    Progress::Failed {
                        reason: reason.into(),
                    }
                } else {
                    Progress::Pending
                },
            })
        });
        let memo = Memo {
            asked: begun.asked,
            targets: targets.collect(),
            changes: begun.changes,
            awaits: begun.awaits,
            durable: begun.durable,
            told: false,
            rolling: begun.rolling,
            begun_ns: self.now.ns,
            settled_ns: None,
        };
        self.remember(Entry::Begun {
            operation: begun.operation.clone(),
            memo: Box::new(memo.clone()),
        });
        for target in &memo.targets {
            // That a signal was sent is told when it is.
            if let Order::Do(verb) = target.verb {
                self.tell(
                    Some(target.id),
                    What::Asked {
                        verb,
                        operation: begun.operation.clone(),
                        by: by.to_owned(),
                    },
                );
            }
        }
        let targets: Vec<InstanceId> = memo.targets.iter().map(|target| target.id).collect();
        let redefined = memo.changes.iter().filter(|it| it.action.redefines());
        let mut changed: Vec<String> = redefined.map(|it| it.name.clone()).collect();
        if memo.asked.verb == Work::Delete && changed.is_empty() {
            changed = self.names_of(&targets);
        }
        self.did(Did {
            what: memo.asked.words(memo.rolling).to_owned(),
            targets,
            operation: Some(begun.operation.clone()),
            changed,
        });
        self.operations.insert(begun.operation, memo.into());
    }

    /// Tells every target of an operation; when it is resumed, those that do not know of it yet.
    pub(super) fn tell_targets(&mut self, operation: &OperationId, by: &str, resumed: bool) {
        let Some(known) = self.operations.get(operation) else {
            return;
        };
        let possible = |t: &&Target| !matches!(t.progress, Progress::Failed { .. });
        let targets = known.targets.iter().filter(possible);
        let targets: Vec<_> = targets.map(|t| (t.id, t.verb, t.base)).collect();
        for (id, order, base) in targets {
            let verb = match order {
                Order::Do(verb) => verb,
                Order::Send(what) => {
                    self.send(id, base, what, operation, by);
                    continue;
                }
            };
            let knows = self.members.get(&id).and_then(|m| m.wanted.as_ref());
            if !resumed || knows.is_none_or(|wanted| wanted.operation != *operation) {
                self.want(id, &happening(verb), operation, verb, by);
            }
        }
        self.has_told(operation);
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
        let word = match &what {
            ServerControl::Stop => Some("stop the daemon"),
            ServerControl::Restart => Some("restart the daemon"),
            ServerControl::Upgrade { .. } => Some("upgrade the daemon"),
            ServerControl::MarkTransient => None,
        };
        if let Some(word) = word {
            self.did(Did::plain(word, Vec::new()));
        }
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
            ServerControl::Restart | ServerControl::Upgrade { .. } => {
                self.tell(
                    None,
                    What::Note {
                        text: format!("the daemon is replaced by {by}"),
                    },
                );
                if let ServerControl::Upgrade { binary } = what {
                    self.deeds.push(Deed::Upgrade(binary));
                }
                self.deeds.push(Deed::Keeper(ToKeeper::ReplaceScribe));
                self.deeds.push(Deed::Leave);
            }
            ServerControl::MarkTransient => {
                if self.ending == Ending::No && !self.transient {
                    self.transient = true;
                    self.remember(Entry::Transient);
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
                    path: route.path.to_path_buf(),
                });
            }
        }
        sources
    }
}

/// A name has one process: what has it is said.
pub(super) fn taken(there: &Process) -> ApiError {
    let spec = &there.spec;
    if there.is_orphan() {
        let key = spec.key();
        let error = format!("the name {key} is taken by what runs without a definition");
        return ApiError::new(Code::Conflict, error).hint(format!("`adasa delete {key}` ends it"));
    }
    let by = match &spec.origin {
        Origin::Typed => "typed with `adasa start`".to_owned(),
        Origin::File(file) => format!("defined in {}", file.display()),
    };
    let mut ids = there.instances.iter().map(|(_, id)| id.to_string());
    let first = ids.next().unwrap_or_default();
    let ids = match ids.count() {
        0 => format!("id {first}"),
        more => format!("id {first} and {more} more"),
    };
    ApiError::new(
        Code::Conflict,
        format!(
            "the name {} is taken: {} in {} ({ids}, {by})",
            spec.key(),
            spec.command.typed(),
            spec.cwd.display(),
        ),
    )
    .hint(format!(
        "choose another --name, or `adasa delete {}` first",
        spec.key()
    ))
}
