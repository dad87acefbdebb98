//! What runs are made of: their processes, and where those listen. Some of these reads can hang on a stuck process, so
//! they are on threads of their own, few of them, and nobody waits for ever.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::api::{ApiError, Code, InstanceView, Listener, TreeProcess, TreeView};
use crate::domain::selector::Selector;
use crate::domain::tree::order;
use crate::platform::{procfs, sockets};

use super::handle::Handle;
use super::sampler::{Member, Members, ToSampler};

/// How many look at once; a process that hangs a reader keeps its place.
const LOOKS: usize = 2;
/// Until then a look tells what it has seen.
const WORKS: Duration = Duration::from_millis(600);
/// How long an answer is waited for: what hangs does not look at the clock.
const PATIENCE: Duration = Duration::from_millis(1200);
/// How many processes of a run are told.
const PROCESSES: usize = 256;
/// How many sockets of a run are told.
const SOCKETS: usize = 128;
/// How many descriptors of a run are looked at.
const DESCRIPTORS: usize = 65_536;
/// How much of a command line is told, bytes.
const COMMAND: u64 = 1024;

/// Looks at the trees of runs.
#[derive(Debug, Clone)]
pub(crate) struct Looks {
    places: Arc<Semaphore>,
    sampler: SyncSender<Box<ToSampler>>,
}

impl Looks {
    /// With this one to ask who belongs to a run.
    pub(super) fn new(sampler: SyncSender<Box<ToSampler>>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(LOOKS)),
            sampler,
        }
    }

    /// What the runs of what is selected are made of.
    ///
    /// # Errors
    /// The supervisor's answer, or that it took too long.
    pub(crate) async fn trees(
        &self,
        handle: &Handle,
        select: Vec<Selector>,
    ) -> Result<Vec<TreeView>, ApiError> {
        let rows = handle.list(select).await?;
        let all = async {
            let members = self.members(&rows).await?;
            let place = Arc::clone(&self.places).acquire_owned();
            let place = place.await.map_err(|_| late())?;
            let looked = tokio::task::spawn_blocking(move || look(rows, &members, place));
            looked
                .await
                .map_err(|error| ApiError::new(Code::Internal, error.to_string()))
        };
        tokio::time::timeout(PATIENCE, all)
            .await
            .map_err(|_| late())?
    }

    async fn members(&self, rows: &[InstanceView]) -> Result<Members, ApiError> {
        let (reply, answer) = oneshot::channel();
        let running = rows.iter().filter(|row| row.pid.is_some());
        let ids = running.map(|row| row.id).collect();
        let asked = ToSampler::Members { ids, reply };
        if self.sampler.try_send(Box::new(asked)).is_err() {
            let text = "too much is going on to look at processes";
            return Err(ApiError::new(Code::Busy, text).hint("try again in a moment"));
        }
        answer.await.map_err(|_| late())
    }
}

fn late() -> ApiError {
    let text = "a process that is stuck, or a busy machine, keeps its tree from being looked at";
    ApiError::new(Code::Unavailable, text)
}

/// Looks at one after the other, until the time is over.
fn look(rows: Vec<InstanceView>, members: &Members, place: OwnedSemaphorePermit) -> Vec<TreeView> {
    let until = Instant::now() + WORKS;
    let all = rows.into_iter().map(|row| {
        let known = members.get(&row.id).map_or(&[][..], Vec::as_slice);
        view(row, known, until)
    });
    let all = all.collect();
    drop(place);
    all
}

/// One run as it is seen now.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    pid: i32,
    stat: procfs::Stat,
    cpu: Option<f32>,
}

fn view(row: InstanceView, known: &[Member], until: Instant) -> TreeView {
    let mut view = TreeView {
        id: row.id,
        name: row.name,
        run: row.run,
        processes: Vec::new(),
        more: 0,
        listening: Vec::new(),
        complete: true,
    };
    let Some((main, start)) = row.pid.zip(row.pid_start) else {
        return view;
    };
    let seen = everybody((main, start), known);
    let places: Vec<(i32, i32)> = seen.iter().map(|it| (it.pid, it.stat.parent)).collect();
    let order = order(&places, main);
    view.more = u32::try_from(order.len().saturating_sub(PROCESSES)).unwrap_or(u32::MAX);
    let mut inodes: HashMap<u64, i32> = HashMap::new();
    let mut left = DESCRIPTORS;
    for (n, (at, depth)) in order.into_iter().enumerate() {
        let Some(it) = seen.get(at) else {
            continue;
        };
        if Instant::now() >= until || left == 0 {
            view.complete = false;
        } else {
            let (found, looked) = sockets::sockets_of(it.pid, left);
            left -= looked.min(left);
            for inode in found {
                inodes.entry(inode).or_insert(it.pid);
            }
        }
        if n < PROCESSES {
            view.processes.push(TreeProcess {
                pid: it.pid,
                parent: it.stat.parent,
                depth,
                command: command(it),
                cpu: it.cpu,
                memory: it.stat.rss,
            });
        }
    }
    if !inodes.is_empty() {
        let found = sockets::bound(main, &inodes, SOCKETS);
        view.complete &= found.len() < SOCKETS;
        let told = found.iter().filter_map(|it| {
            Some(Listener {
                protocol: it.protocol,
                address: it.address,
                pid: *inodes.get(&it.inode)?,
                connections: it.connections,
            })
        });
        view.listening = told.collect();
        view.listening.sort_by_key(|it| (it.protocol, it.address));
    }
    view
}

/// The main process, whoever was measured with it, and all that are below them by now.
fn everybody(main: (i32, u64), known: &[Member]) -> Vec<Seen> {
    let cpu = |pid: i32, start: u64| {
        let it = known.iter().find(|(it, at, _)| (*it, *at) == (pid, start));
        it.and_then(|(_, _, cpu)| *cpu)
    };
    let mut seen = Vec::new();
    let mut pids = HashSet::new();
    let roots = std::iter::once(main).chain(known.iter().map(|(pid, start, _)| (*pid, *start)));
    for (pid, start) in roots {
        // Most were found below the main process already.
        if pids.contains(&pid) {
            continue;
        }
        let Some(stat) = procfs::stat(pid).filter(|stat| stat.start == start) else {
            continue;
        };
        let below = procfs::descendants(pid);
        for (pid, stat) in std::iter::once((pid, stat)).chain(below) {
            if pids.insert(pid) {
                let cpu = cpu(pid, stat.start);
                seen.push(Seen { pid, stat, cpu });
            }
        }
    }
    seen
}

/// Where what is looked at listens, and how many connections are open there.
pub(super) fn ports(trees: &[TreeView]) -> (BTreeSet<u16>, u32) {
    let all = trees.iter().flat_map(|tree| &tree.listening);
    let tcp = all.filter_map(|it| Some((it.address.port(), it.connections?)));
    tcp.fold((BTreeSet::new(), 0), |(mut ports, sum), (port, count)| {
        ports.insert(port);
        (ports, sum + count)
    })
}

fn command(it: &Seen) -> String {
    let name = || procfs::name(it.pid).unwrap_or_default();
    match procfs::command_line(it.pid, COMMAND) {
        Some(line) => line,
        None if it.stat.zombie => format!("[{}] (ended, not collected by its parent)", name()),
        None => format!("[{}]", name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{InstanceId, RunId};
    use crate::domain::tree::Protocol;

    #[test]
    fn only_ports_that_take_connections_are_counted_and_each_once() {
        let listener = |protocol, address: &str, connections| Listener {
            protocol,
            address: address.parse().unwrap(),
            pid: 7,
            connections,
        };
        let tree = |listening| TreeView {
            id: InstanceId(1),
            name: "api".into(),
            run: RunId(1),
            processes: vec![],
            more: 0,
            listening,
            complete: true,
        };
        let trees = [
            tree(vec![
                listener(Protocol::Tcp, "0.0.0.0:80", Some(2)),
                listener(Protocol::Tcp, "[::]:80", Some(3)),
            ]),
            tree(vec![
                listener(Protocol::Udp, "0.0.0.0:53", None),
                listener(Protocol::Tcp, "0.0.0.0:81", Some(0)),
            ]),
        ];
        assert_eq!(ports(&trees), (BTreeSet::from([80, 81]), 5));
        assert_eq!(ports(&[]), (BTreeSet::new(), 0));
    }
}
