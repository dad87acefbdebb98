//! The journal of runs: one line when a run begins, one when it ends, one for what is found out later. Bounded: when
//! the file is large it is written anew with the last runs of each instance. Lives on the history's thread.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::names::{InstanceId, RunId};
use crate::domain::run::{Asker, Ended, Evidence, Run};
use crate::logs::read::private_options;
use crate::platform::failpoint::failpoint;

use super::history::SCHEMA;

/// A file of this size is written anew.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// How much of it may then be left: far less, so that it is not written anew with every line.
const KEPT_MAX: usize = 2 * 1024 * 1024;
/// How many runs of one instance are kept then.
pub(crate) const RUNS_KEPT: usize = 32;
/// The longest line that is believed.
const LINE_MAX: usize = 16 * 1024;

/// One thing seen of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "seen")]
pub(super) enum Seen {
    /// It began.
    Begun {
        /// Of which instance.
        id: InstanceId,
        /// Which.
        run: RunId,
        /// Its main process.
        pid: i32,
        /// Milliseconds since 1970.
        at_ms: u64,
        /// At whose word.
        by: Option<Asker>,
        /// From which version of the definition.
        generation: u64,
    },
    /// It ended.
    Ended {
        /// Of which instance.
        id: InstanceId,
        /// Which.
        run: RunId,
        /// How and why.
        ended: Ended,
    },
    /// Something was found out about its end.
    Found {
        /// Of which instance.
        id: InstanceId,
        /// Which.
        run: RunId,
        /// What.
        evidence: Vec<Evidence>,
    },
    /// A whole run, as it stands after the file was written anew.
    Whole {
        /// It.
        run: Run,
    },
}

impl Seen {
    fn of(&self) -> (InstanceId, RunId) {
        match self {
            Self::Begun { id, run, .. }
            | Self::Ended { id, run, .. }
            | Self::Found { id, run, .. } => (*id, *run),
            Self::Whole { run } => (run.id, run.run),
        }
    }

    fn fold(self, run: &mut Run) {
        match self {
            Self::Begun {
                pid,
                at_ms,
                by,
                generation,
                ..
            } => {
                run.pid = Some(pid);
                run.begun_ms = Some(at_ms);
                run.begun_by = by;
                run.generation = generation;
            }
            // Said again by the next daemon, it stays as it was said first.
            Self::Ended { ended, .. } => {
                run.ended.get_or_insert(ended);
            }
            Self::Found { evidence, .. } => {
                if let Some(ended) = &mut run.ended {
                    for new in evidence {
                        if !ended.evidence.contains(&new) {
                            ended.evidence.push(new);
                        }
                    }
                }
            }
            Self::Whole { run: whole } => *run = whole,
        }
    }
}

/// The runs of instances, oldest first.
pub(super) type Runs = BTreeMap<InstanceId, VecDeque<Run>>;

fn add(runs: &mut Runs, seen: Seen, most: usize) {
    let (id, number) = seen.of();
    let runs = runs.entry(id).or_default();
    let at = match runs.iter().rposition(|run| run.run <= number) {
        Some(at) if runs[at].run == number => at,
        found => {
            let at = found.map_or(0, |at| at + 1);
            runs.insert(at, Run::unseen(id, number));
            at
        }
    };
    seen.fold(&mut runs[at]);
    if runs.len() > most {
        runs.pop_front();
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
    /// The last run of each instance whose end is in the file; none before the file was read.
    ended: Option<HashMap<InstanceId, RunId>>,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            ended: None,
        }
    }

    /// Appends; what the disk does not take is lost.
    pub(super) fn append(&mut self, seen: &[Seen]) {
        let mut lines = Vec::new();
        for seen in seen {
            if let Seen::Ended { id, run, .. } = seen {
                let ended = self.ended();
                // The next daemon says again what the one before may not have said.
                if ended.get(id).is_some_and(|last| last >= run) {
                    continue;
                }
                ended.insert(*id, *run);
            }
            if serde_json::to_writer(&mut lines, seen).is_ok() {
                lines.push(b'\n');
            }
        }
        if lines.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.file = self.open().ok();
        }
        let Some(file) = &mut self.file else {
            return;
        };
        if file.write_all(&lines).is_err() {
            self.file = None;
        } else if file.metadata().is_ok_and(|m| m.len() >= FILE_MAX)
            && let Err(error) = self.rewrite()
        {
            tracing::warn!("the journal of runs cannot be written anew: {error}");
        }
    }

    /// A line that a death tore is closed, so that it takes no other with it.
    fn open(&self) -> io::Result<File> {
        let mut file = private_options().append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if length > 0 {
            file.read_exact_at(&mut last, length - 1)?;
        }
        if length == 0 {
            file.write_all(SCHEMA)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }

    fn ended(&mut self) -> &mut HashMap<InstanceId, RunId> {
        if self.ended.is_none() {
            let mut last = HashMap::new();
            for runs in self.all(RUNS_KEPT).unwrap_or_default().values() {
                for run in runs.iter().filter(|run| run.ended.is_some()) {
                    last.insert(run.id, run.run);
                }
            }
            self.ended = Some(last);
        }
        self.ended.get_or_insert_default()
    }

    /// The last runs of these instances, oldest first.
    ///
    /// # Errors
    /// The kernel's; a file that is not there is empty.
    pub(super) fn read(&self, ids: &[InstanceId], most: usize) -> io::Result<Runs> {
        let mut runs = Runs::new();
        self.each(|seen| {
            if ids.contains(&seen.of().0) {
                add(&mut runs, seen, most);
            }
        })?;
        Ok(runs)
    }

    fn all(&self, most: usize) -> io::Result<Runs> {
        let mut runs = Runs::new();
        self.each(|seen| add(&mut runs, seen, most))?;
        Ok(runs)
    }

    /// A line that is torn or of another time is passed over.
    fn each(&self, mut take: impl FnMut(Seen)) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line.len() <= LINE_MAX
                && let Ok(seen) = serde_json::from_slice(&line)
            {
                take(seen);
            }
        }
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let mut runs: Vec<Run> = self.all(RUNS_KEPT)?.into_values().flatten().collect();
        // The newest first, as many as there is room for: one that crashes all the time drives out no other's last.
        runs.sort_by_key(|run| std::cmp::Reverse(run.begun_ms));
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut size = 0;
        for run in runs {
            let mut line = serde_json::to_vec(&Seen::Whole { run })?;
            line.push(b'\n');
            size += line.len();
            if size > KEPT_MAX {
                break;
            }
            lines.push(line);
        }
        lines.push(SCHEMA.to_vec());
        lines.reverse();
        failpoint!("daemon.runs.full");
        let unfinished = self.path.with_extension("part");
        let mut file = private_options().truncate(true).open(&unfinished)?;
        file.write_all(&lines.concat())?;
        file.sync_data()?;
        failpoint!("daemon.runs.part");
        std::fs::rename(&unfinished, &self.path)?;
        failpoint!("daemon.runs.renamed");
        self.file = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::run::Reason;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("adasa-runs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("runs.jsonl")
    }

    fn begun(id: u32, run: u64) -> Seen {
        Seen::Begun {
            id: InstanceId(id),
            run: RunId(run),
            pid: 100,
            at_ms: 1000 * run,
            by: Some(Asker::Policy),
            generation: 1,
        }
    }

    fn end(code: i32) -> Ended {
        Ended {
            exit: Exit {
                ending: Ending::Code(code),
                at_ms: 5,
                cpu_ms: 0,
                peak_rss: 0,
            },
            lasted_ms: 4,
            reason: Reason::Itself,
            evidence: vec![],
        }
    }

    fn ended(id: u32, run: u64, code: i32) -> Seen {
        Seen::Ended {
            id: InstanceId(id),
            run: RunId(run),
            ended: end(code),
        }
    }

    fn folder_of(path: &std::path::Path) -> &std::path::Path {
        path.parent().unwrap()
    }

    #[test]
    fn what_was_seen_of_a_run_is_put_together_and_survives_the_daemon() {
        let path = scratch("together");
        let mut journal = Journal::new(path.clone());
        journal.append(&[begun(1, 1), ended(1, 1, 3), begun(1, 2), begun(2, 1)]);
        journal.append(&[Seen::Found {
            id: InstanceId(1),
            run: RunId(1),
            evidence: vec![Evidence::LastMemory { resident: 7 }],
        }]);
        // The next daemon says the same end again, otherwise.
        let mut journal = Journal::new(path.clone());
        journal.append(&[ended(1, 1, 99)]);
        let runs = journal.read(&[InstanceId(1)], 10).unwrap();
        let [one, two] = [&runs[&InstanceId(1)][0], &runs[&InstanceId(1)][1]];
        let end = one.ended.as_ref().unwrap();
        assert_eq!(end.exit.ending, Ending::Code(3));
        assert_eq!(end.evidence, [Evidence::LastMemory { resident: 7 }]);
        assert_eq!((one.pid, one.begun_ms), (Some(100), Some(1000)));
        assert_eq!((two.run, &two.ended), (RunId(2), &None));
        assert!(!runs.contains_key(&InstanceId(2)));
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines, 6, "the version, and what was seen");
        std::fs::remove_dir_all(folder_of(&path)).unwrap();
    }

    #[test]
    fn it_stays_small_and_one_that_crashes_all_the_time_drives_out_no_other() {
        let path = scratch("small");
        let mut journal = Journal::new(path.clone());
        journal.append(&[begun(9, 1), ended(9, 1, 7)]);
        let mut largest = 0;
        for run in 1..25_000 {
            journal.append(&[begun(1, run), ended(1, run, 1)]);
            if run % 1000 == 0 {
                largest = largest.max(std::fs::metadata(&path).unwrap().len());
            }
        }
        assert!(largest <= FILE_MAX + 1000, "{largest} bytes");
        let runs = journal.read(&[InstanceId(1), InstanceId(9)], 5).unwrap();
        let last: Vec<u64> = runs[&InstanceId(1)].iter().map(|r| r.run.0).collect();
        assert_eq!(last, [24_995, 24_996, 24_997, 24_998, 24_999]);
        assert_eq!(runs[&InstanceId(9)][0].ended, Some(end(7)));
        std::fs::remove_dir_all(folder_of(&path)).unwrap();
    }

    #[test]
    fn a_torn_line_costs_that_line() {
        let path = scratch("torn");
        let mut journal = Journal::new(path.clone());
        journal.append(&[begun(1, 1), ended(1, 1, 3)]);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let runs = Journal::new(path.clone())
                .read(&[InstanceId(1)], 5)
                .unwrap();
            assert!(runs.get(&InstanceId(1)).is_none_or(|r| r.len() == 1));
        }
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let mut journal = Journal::new(path.clone());
        journal.append(&[ended(1, 1, 3), begun(1, 2)]);
        let runs = journal.read(&[InstanceId(1)], 5).unwrap();
        let last = &runs[&InstanceId(1)];
        assert_eq!((last.len(), last[1].run), (2, RunId(2)));
        assert_eq!(last[0].ended, Some(end(3)));
        std::fs::remove_dir_all(folder_of(&path)).unwrap();
    }
}
