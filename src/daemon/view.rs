//! Projections of the state for the world.

use std::collections::BTreeMap;

use crate::api::{
    Columns, Counts, DaemonInfo, Detail, ExitView, InstanceView, Metric, MetricHistory, Push,
    Snapshot, VariableOrigin,
};
use crate::domain::history::{Finished, History};
use crate::domain::instance::Phase;
use crate::domain::names::InstanceId;
use crate::domain::secrecy::{self, MASK, Mark};
use crate::domain::spec::{Origin, Spec};

use super::member::{Member, routes};
use super::message::Joined;
use super::supervisor::Supervisor;

impl Supervisor {
    pub(super) fn due_in_ms(&self, member: &Member) -> Option<u64> {
        let shown = match member.machine.phase() {
            Phase::Backoff | Phase::Stopping { .. } | Phase::Sweeping { .. } => true,
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Killing { .. }
            | Phase::Exited
            | Phase::Failed
            | Phase::Removed => false,
        };
        member
            .due
            .filter(|_| shown)
            .map(|due| due.saturating_sub(self.now.ns) / 1_000_000)
    }

    /// One row; none when there is no such instance.
    pub(super) fn view(&self, id: InstanceId) -> Option<InstanceView> {
        let member = self.members.get(&id)?;
        let process = self.processes.get(&member.key);
        let live = member.machine.phase().is_live();
        let child = member.child.filter(|_| live);
        let uptime = child.map(|child| {
            let begun_ms = child.start * 1000 / self.setting.ticks_per_second.max(1);
            (self.now.ns / 1_000_000).saturating_sub(begun_ms) / 1000
        });
        Some(InstanceView {
            id,
            name: member.label(process),
            process: member.key.name.clone(),
            instance: member.index,
            instances: process.map_or(1, |p| p.spec.instances),
            namespace: member.key.namespace.clone(),
            status: member.status(),
            pid: child.map(|c| c.pid),
            pid_start: child.map(|c| c.start),
            cpu: member.sample.and_then(|s| s.cpu),
            memory: member.sample.and_then(|s| s.memory),
            uptime,
            restarts: member.restarts,
            exit: member.exit.map(|exit| ExitView {
                lasted_ms: member.last_end.as_ref().map(|end| end.lasted_ms),
                ..exit.into()
            }),
            run: member.machine.run(),
            attempts: member.machine.attempts(),
            due_in_ms: self.due_in_ms(member),
            since_ms: member.since_ms,
            because: member.because.clone(),
            adopted: member.adopted,
            orphaned: member.orphaned,
            alarm: member.alarm.clone(),
            tags: process.map(|p| p.spec.tags.clone()).unwrap_or_default(),
            protected: process.is_some_and(|p| p.spec.protected),
        })
    }

    pub(super) fn views(&self, ids: &[InstanceId]) -> Vec<InstanceView> {
        ids.iter().filter_map(|id| self.view(*id)).collect()
    }

    /// Everything about some instances.
    pub(super) fn details(&self, ids: &[InstanceId]) -> Vec<Detail> {
        ids.iter()
            .filter_map(|id| {
                let member = self.members.get(id)?;
                let process = self.processes.get(&member.key)?;
                let spec = &process.spec;
                let logs = routes(spec, member.index, &self.setting.logs)
                    .each()
                    .map(|(stream, route)| (stream.word().to_owned(), route.path.to_path_buf()))
                    .collect();
                Some(Detail {
                    instance: self.view(*id)?,
                    command: spec.command.clone(),
                    cwd: spec.cwd.clone(),
                    env: seen(&spec.env, &spec.marks),
                    env_origins: origins(spec),
                    // What is declared is in force in its place.
                    inherited: seen(&spec.base_env, &BTreeMap::new())
                        .into_iter()
                        .filter(|(name, _)| !spec.env.contains_key(name))
                        .collect(),
                    restart: spec.restart.clone(),
                    stop: spec.stop.clone(),
                    limits: spec.limits.clone(),
                    log_policy: spec.logs.clone(),
                    logs,
                    generation: process.generation,
                    run_generation: member.run_generation,
                    origin: spec.origin.clone(),
                    max_unavailable: spec.max_unavailable.get(),
                    tree: member.sample.map_or(0, |s| s.processes),
                    fds: member.sample.and_then(|s| Some(s.files?.open)),
                    fds_limit: member.sample.and_then(|s| s.files?.limit),
                    events: member.events.iter().cloned().collect(),
                })
            })
            .collect()
    }

    pub(super) fn counts(&self) -> Counts {
        let mut by_status = BTreeMap::new();
        for member in self.members.values() {
            *by_status
                .entry(member.status().word().to_owned())
                .or_insert(0) += 1;
        }
        Counts {
            total: u32::try_from(self.members.len()).unwrap_or(u32::MAX),
            by_status,
        }
    }

    /// The daemon itself; memory and subsystems are filled in by who can look.
    pub(super) fn info(&self) -> DaemonInfo {
        let mut alarms: Vec<String> = self.lanes.alarms().cloned().collect();
        alarms.extend(self.troubles.values().cloned());
        alarms.extend(self.alarms.iter().cloned());
        alarms.extend(self.unsettled.clone());
        alarms.extend(self.owed.alarm.clone());
        for (id, member) in &self.members {
            if let Some(alarm) = &member.alarm {
                alarms.push(format!("{}: {alarm}", self.label(*id)));
            }
        }
        DaemonInfo {
            running: true,
            pid: std::process::id(),
            pid_start: self.setting.pid_start,
            keeper_pid: self.setting.keeper_pid,
            scribe_pid: self.lanes.main_pid(),
            scribes: self.lanes.views(),
            version: env!("CARGO_PKG_VERSION").into(),
            epoch: self.setting.epoch,
            boot_id: self.setting.boot_id.clone(),
            uptime: self.now.ns.saturating_sub(self.started.ns) / 1_000_000_000,
            memory: 0,
            counts: self.counts(),
            socket: self.setting.socket.clone(),
            state_dir: self.setting.state_dir.clone(),
            log_dir: self.setting.logs.clone(),
            volatile_dir: self.setting.volatile.clone(),
            control_group: self.setting.control_group.clone(),
            strays: self.strays,
            alarms,
            subsystems: Vec::new(),
            transient: self.transient,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let ids: Vec<InstanceId> = self.members.keys().copied().collect();
        Snapshot {
            daemon: self.info(),
            host: self.host.clone(),
            instances: self.views(&ids),
            operations: self
                .operation_views()
                .into_iter()
                .filter(|view| !view.done || !view.rollouts.is_empty())
                .collect(),
            clients: self.clients.views(),
            series: self
                .members
                .iter()
                .map(|(id, member)| (*id, member.series.iter().collect()))
                .collect(),
            heard: self.voices.all(),
        }
    }

    /// A subscriber goes on behind this epoch and number, or begins with everything.
    pub(super) fn join(&mut self, last: Option<(u64, u64)>) -> Joined {
        let kept = last
            .filter(|(epoch, _)| *epoch == self.setting.epoch)
            .and_then(|(_, number)| self.hub.resume(number));
        match kept {
            Some(place) => Joined::Resumed(place),
            None => Joined::Anew(Box::new(self.snapshot()), self.hub.subscribe()),
        }
    }

    /// What some used over time; nothing but gaps where nothing was ever measured.
    pub(super) fn metric_histories(&self, ids: &[InstanceId]) -> Vec<MetricHistory> {
        let told = |finished: Finished| {
            let (cpu, memory) = finished.columns.into_iter().unzip();
            Columns {
                period_ms: finished.period_ms,
                end_ms: self.now.ms.saturating_sub(finished.ago_ms),
                cpu,
                memory,
            }
        };
        let empty = History::new();
        ids.iter()
            .filter_map(|id| {
                let history = self.members.get(id)?.history.as_deref();
                let [short, long] = history.unwrap_or(&empty).finished(self.now.ns);
                Some(MetricHistory {
                    id: *id,
                    name: self.label(*id),
                    short: told(short),
                    long: told(long),
                })
            })
            .collect()
    }

    pub(super) fn publish_metrics(&mut self) {
        if !self.hub.has_listeners() {
            return;
        }
        let metrics = self
            .members
            .iter()
            .filter_map(|(id, member)| {
                let sample = member.sample?;
                Some(Metric {
                    id: *id,
                    cpu: sample.cpu,
                    memory: sample.memory,
                    fds: sample.files.map(|files| files.open),
                })
            })
            .collect();
        let push = Push::Metrics {
            host: self.host.clone(),
            metrics,
            heard: self.heard_lately(),
        };
        self.hub.publish(&push);
    }
}

/// An environment as it may be seen.
fn seen(
    env: &BTreeMap<String, String>,
    marks: &BTreeMap<String, Mark>,
) -> BTreeMap<String, String> {
    let shown = |(name, value): (&String, &String)| {
        let mark = marks.get(name).copied().unwrap_or_default();
        let value = secrecy::shown(name, value, mark);
        (name.clone(), value.unwrap_or_else(|| MASK.to_owned()))
    };
    env.iter().map(shown).collect()
}

/// Where the declared variables come from.
fn origins(spec: &Spec) -> BTreeMap<String, VariableOrigin> {
    let of = |name: &String| match &spec.origin {
        _ if spec.marks.get(name).is_some_and(|mark| mark.template) => VariableOrigin::Template,
        Origin::File(_) => VariableOrigin::File,
        Origin::Typed => VariableOrigin::Typed,
    };
    spec.env
        .keys()
        .map(|name| (name.clone(), of(name)))
        .collect()
}

impl Counts {
    /// How many are in this status.
    #[must_use]
    pub fn of(&self, status: crate::api::Status) -> u32 {
        self.by_status.get(status.word()).copied().unwrap_or(0)
    }
}
