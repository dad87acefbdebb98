//! Runs that the keeper's table lost, because it was damaged or is gone: each carries the mark of its run in its
//! environment. They are taken over, and nothing is started a second time beside them.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::domain::event::What;
use crate::domain::names::{InstanceId, RunId};
use crate::keeper::protocol::{Entry, RunState, ToKeeper};
use crate::platform::procfs;

use super::journal::{RUNS_KEPT, Runs};
use super::member::routes;
use super::message::Deed;
use super::store::Saved;
use super::supervisor::{Setting, Supervisor};

/// So long the search may take: the environment of a process that is stuck in the kernel may not be readable at all.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the roles are called; a keeper that was begun by a command of a run carries the mark of that run.
const ROLES: &str = "adasa-";

/// What was found, by instance.
pub(super) type Unlisted = BTreeMap<InstanceId, Entry>;

/// The run that the mark of a process names, if it is one of this home.
pub(super) fn run_of(mark: &str, marker: &str) -> Option<(InstanceId, RunId)> {
    let (id, run) = mark
        .strip_prefix(marker)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some((InstanceId(id.parse().ok()?), RunId(run.parse().ok()?)))
}

/// Looks for runs of this home through all processes, when the table is incomplete and there can be any: not in a home
/// that is new, and not after a reboot.
pub(super) fn search(incomplete: bool, saved: &Saved, setting: &Setting) -> Unlisted {
    let same_boot = saved.boot.is_empty() || saved.boot == setting.boot_id;
    let begun = saved.anything && same_boot;
    if !incomplete || !begun {
        return Unlisted::new();
    }
    let (sender, receiver) = channel();
    let marker = setting.marker.clone();
    let thread = std::thread::Builder::new().name("unlisted".into());
    let begun = thread.spawn(move || {
        let found = procfs::all()
            .into_iter()
            .filter_map(|pid| look(pid, &marker));
        for entry in found {
            if sender.send(entry).is_err() {
                return;
            }
        }
    });
    let mut all = Vec::new();
    let until = Instant::now() + PATIENCE;
    while begun.is_ok()
        && let Ok(entry) = receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        all.push(entry);
    }
    if all.is_empty() {
        return Unlisted::new();
    }
    let ids: Vec<InstanceId> = all.iter().map(|entry| entry.key).collect();
    let journal = super::history::journal(&setting.state_dir.join("history"));
    pick(all, &journal.read(&ids, RUNS_KEPT).unwrap_or_default())
}

/// The main process of a run leads a session of its own.
fn look(pid: i32, marker: &str) -> Option<Entry> {
    let stat = procfs::stat(pid).filter(|stat| stat.session == pid && !stat.zombie)?;
    if procfs::name(pid)?.starts_with(ROLES) {
        return None;
    }
    let mark = procfs::environment_value(pid, "ADASA_RUN")?;
    let (key, run) = run_of(&mark, marker)?;
    // Anybody can write a mark into an environment; a pipe of this home nobody else can open.
    let pipes = format!("/{marker}/pipes/");
    let is_ours = procfs::user(pid) == Some(nix::unistd::geteuid().as_raw())
        || (procfs::output_targets(pid).iter()).any(|(_, target)| target.contains(&pipes));
    is_ours.then(|| Entry {
        run,
        pid,
        start: stat.start,
        state: RunState::Executed,
        adopted: true,
        ..Entry::new(key)
    })
}

/// Of several the newest run, and of that the oldest process: whoever made itself a session of its own came later. What
/// a run left behind on purpose carries its mark too: where it is known which process it was, or that it is over, that
/// counts.
fn pick(all: Vec<Entry>, ends: &Runs) -> Unlisted {
    let is_main = |entry: &Entry| {
        let runs = ends.get(&entry.key);
        let known = runs.and_then(|runs| runs.iter().find(|run| run.run == entry.run));
        known.is_none_or(|run| run.ended.is_none() && run.pid.is_none_or(|pid| pid == entry.pid))
    };
    let rank = |entry: &Entry| (entry.run, std::cmp::Reverse((entry.start, entry.pid)));
    let mut found = Unlisted::new();
    for entry in all.into_iter().filter(is_main) {
        match found.get(&entry.key) {
            Some(known) if rank(known) >= rank(&entry) => {}
            Some(_) | None => drop(found.insert(entry.key, entry)),
        }
    }
    found
}

/// Puts what was found among the entries, unless they know better; what is left is what was missing.
pub(super) fn merge(entries: &mut BTreeMap<InstanceId, Entry>, found: &mut Unlisted) {
    found.retain(|key, entry| {
        let known = entries.get(key);
        let missing = known.is_none_or(|known| !known.is_live() && known.run < entry.run);
        if missing {
            entries.insert(*key, entry.clone());
        }
        missing
    });
}

impl Supervisor {
    /// The keeper takes over what was found, and it is said.
    pub(super) fn adopt_unlisted(&mut self, found: Unlisted) {
        let mut named = Vec::new();
        for (id, entry) in found {
            let Some(member) = self.members.get(&id) else {
                continue;
            };
            let Some(process) = self.processes.get(&member.key) else {
                continue;
            };
            named.push(format!("{} (pid {})", self.label(id), entry.pid));
            let entry = Entry {
                detach: process.spec.stop.detach_children,
                note: member.note(),
                routes: Some(routes(&process.spec, member.index, &self.setting.logs)),
                ..entry
            };
            let entry = Box::new(entry);
            self.deeds.push(Deed::Keeper(ToKeeper::Adopt { entry }));
        }
        if !named.is_empty() {
            let text = format!(
                "the table of what runs was lost or damaged; found by their mark, and kept: {}",
                named.join(", ")
            );
            self.tell(None, What::Alarm { text });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::run::{Ended, Reason, Run};

    fn entry(key: u32, run: u64, pid: i32, start: u64, state: RunState) -> Entry {
        Entry {
            run: RunId(run),
            pid,
            start,
            state,
            ..Entry::new(InstanceId(key))
        }
    }

    fn live(key: u32, run: u64, pid: i32, start: u64) -> Entry {
        entry(key, run, pid, start, RunState::Executed)
    }

    #[test]
    fn a_mark_is_of_this_home_or_of_none() {
        let of = |mark| run_of(mark, "fe00-1a");
        assert_eq!(of("fe00-1a/3/12"), Some((InstanceId(3), RunId(12))));
        for other in [
            "fe00-1ab/3/12",
            "fe00-1/3/12",
            "fe00-1a/3",
            "fe00-1a/x/1",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_run_counts_and_of_that_its_oldest_process() {
        let all = [
            live(1, 7, 30, 500),
            live(1, 7, 20, 400),
            live(1, 6, 10, 100),
            live(2, 1, 40, 600),
        ];
        for turn in 0..all.len() {
            let mut all = all.to_vec();
            all.rotate_left(turn);
            let found = pick(all, &Runs::new());
            assert_eq!(found[&InstanceId(1)].pid, 20);
            assert_eq!(found[&InstanceId(2)].pid, 40);
        }
    }

    #[test]
    fn what_a_run_left_behind_is_not_taken_for_it() {
        let run = |key, run, pid, ended: bool| {
            let ended = ended.then(|| Ended {
                exit: Exit {
                    ending: Ending::Code(0),
                    at_ms: 1,
                    cpu_ms: 0,
                    peak_rss: 0,
                },
                lasted_ms: 1,
                reason: Reason::Itself,
                evidence: vec![],
            });
            let of = Run::unseen(InstanceId(key), RunId(run));
            let pid = Some(pid);
            (InstanceId(key), VecDeque::from([Run { pid, ended, ..of }]))
        };
        let ends = Runs::from([
            run(1, 7, 10, true),
            run(2, 3, 40, false),
            run(3, 5, 60, true),
        ]);
        let all = vec![
            live(1, 7, 20, 400),
            live(2, 3, 30, 500),
            live(2, 3, 40, 600),
            // A later run than is known of.
            live(3, 6, 70, 700),
        ];
        let found = pick(all, &ends);
        let pids: Vec<i32> = found.values().map(|entry| entry.pid).collect();
        assert_eq!(pids, [40, 70]);
    }

    #[test]
    fn what_the_table_knows_is_not_found_again() {
        let settled = |key, run| entry(key, run, 9, 9, RunState::Settled);
        let known = [live(1, 7, 20, 400), settled(2, 3), settled(3, 3)];
        let mut entries = known.into_iter().map(|entry| (entry.key, entry)).collect();
        let found = [
            live(1, 7, 20, 400),
            // Left behind by a run whose end is known.
            live(2, 3, 50, 700),
            live(3, 4, 60, 800),
            live(4, 1, 70, 900),
        ];
        let mut found = found.into_iter().map(|entry| (entry.key, entry)).collect();
        merge(&mut entries, &mut found);
        let pids = |all: &Unlisted| -> Vec<i32> { all.values().map(|entry| entry.pid).collect() };
        assert_eq!(pids(&found), [60, 70]);
        assert_eq!(pids(&entries), [20, 9, 60, 70]);
    }
}
