//! What the keeper has and no definition names: the state folder lost it. It is shown, and never ended by itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::domain::event::What;
use crate::domain::names::{InstanceId, Namespace, ProcessKey, ProcessName};
use crate::domain::spec::{Command, Restart, Spec};
use crate::keeper::protocol::{Entry, Routes, ToKeeper};

use super::adopt::adopt;
use super::member::{Member, Note, Process};
use super::message::Deed;
use super::supervisor::Supervisor;

impl Supervisor {
    /// Takes in what has no definition and lives; what is over is forgotten.
    pub(super) fn orphans(&mut self, entries: BTreeMap<InstanceId, Entry>) {
        for (id, entry) in entries {
            if !entry.is_live() {
                self.deeds.push(Deed::Keeper(ToKeeper::Retire { key: id }));
                continue;
            }
            let Some((key, index)) = self.place_of_orphan(id, entry.routes.as_ref()) else {
                continue;
            };
            let mut member = Member::new(id, key.clone(), index, self.now.ms);
            member.orphaned = true;
            match Note::parse(&entry.note) {
                Some(note) if note.machine.run() == entry.run => {
                    member.has_run = true;
                    adopt(&mut member, &entry, note, self.now.ns);
                }
                Some(_) | None => member.is_alive_as(&entry),
            }
            let none = || nothing_known(&key, entry.routes.as_ref());
            let process = self.processes.entry(key.clone()).or_insert_with(none);
            process.instances.push((index, id));
            process.instances.sort_unstable();
            if index > 0 {
                let spec = Arc::make_mut(&mut process.spec);
                spec.instances = spec.instances.max(index + 1);
            }
            self.members.insert(id, Box::new(member));
            let text = format!(
                "{} (pid {}) runs without a definition, which the state folder has lost: `adasa stop {id}` ends it",
                self.label(id),
                entry.pid
            );
            self.tell(Some(id), What::Alarm { text });
        }
    }

    /// Where its log lies says what it was called; that name, unless something else has it by now.
    fn place_of_orphan(
        &self,
        id: InstanceId,
        routes: Option<&Routes>,
    ) -> Option<(ProcessKey, u32)> {
        let known = routes.and_then(|routes| self.named_by(&routes.out.path));
        let free = |(key, index): &(ProcessKey, u32)| match self.processes.get(key) {
            None => true,
            Some(there) => {
                there.is_orphan() && there.instances.iter().all(|(other, _)| other != index)
            }
        };
        if let Some(place) = known.filter(free) {
            return Some(place);
        }
        let names = (0..).map(|n| format!("orphan-{id}{}", "-".repeat(n)));
        let keys = names.map_while(|name| {
            let name = ProcessName::new(name).ok()?;
            let namespace = Namespace::default();
            Some(ProcessKey { namespace, name })
        });
        let mut free = keys.filter(|key| !self.processes.contains_key(key));
        free.next().map(|key| (key, 0))
    }

    /// Namespace, name and number out of `NAMESPACE/NAME/N.out.log`.
    fn named_by(&self, log: &Path) -> Option<(ProcessKey, u32)> {
        let mut words = log.strip_prefix(&self.setting.logs).ok()?.iter();
        let namespace = Namespace::new(words.next()?.to_str()?).ok()?;
        let name = ProcessName::new(words.next()?.to_str()?).ok()?;
        let index = words.next()?.to_str()?.split('.').next()?.parse().ok()?;
        Some((ProcessKey { namespace, name }, index))
    }
}

/// A definition that starts nothing, and names the logs that are there.
fn nothing_known(key: &ProcessKey, routes: Option<&Routes>) -> Process {
    let command = Command {
        program: "(unknown)".into(),
        args: Vec::new(),
    };
    let mut spec = Spec::new(key.name.clone(), command, "/");
    spec.namespace = key.namespace.clone();
    spec.restart.on = Restart::Never;
    if let Some(routes) = routes {
        spec.logs.merge = routes.err.is_none();
        spec.logs.out_file = Some(routes.out.path.to_path_buf());
        spec.logs.err_file = routes.err.as_ref().map(|route| route.path.to_path_buf());
    }
    Process {
        spec: Arc::new(spec),
        generation: 0,
        operation: None,
        instances: Vec::new(),
    }
}

impl Process {
    /// Whether nothing defines it.
    pub(super) fn is_orphan(&self) -> bool {
        self.generation == 0
    }
}
