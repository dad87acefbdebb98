//! What the supervisor knows of the scribes: which there are, and whose file system does not answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::ScribeView;
use crate::domain::event::What;
use crate::domain::names::InstanceId;
use crate::keeper::lane::Lane;
use crate::platform::{mounts, procfs};

use super::supervisor::Supervisor;

/// How many of those that wait are named.
const NAMED: usize = 4;

/// One scribe.
#[derive(Debug, Clone)]
struct Known {
    folder: Option<PathBuf>,
    pid: i32,
    /// The alarm, while its file system holds it.
    held: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    known: BTreeMap<Lane, Known>,
}

impl Lanes {
    /// The keeper has a new one.
    pub(super) fn meet(&mut self, folder: Option<PathBuf>, pid: i32) -> Lane {
        let lane = Lane::of_folder(folder.as_deref());
        let held = None;
        self.known.insert(lane, Known { folder, pid, held });
        lane
    }

    /// The one that writes to the folder of all logs.
    pub(super) fn main_pid(&self) -> i32 {
        self.known.get(&Lane::MAIN).map_or(0, |known| known.pid)
    }

    pub(super) fn pids(&self) -> Vec<i32> {
        self.known.values().map(|known| known.pid).collect()
    }

    pub(super) fn alarms(&self) -> impl Iterator<Item = &String> {
        self.known.values().filter_map(|known| known.held.as_ref())
    }

    pub(super) fn views(&self) -> Vec<ScribeView> {
        let view = |known: &Known| ScribeView {
            pid: known.pid,
            folder: known.folder.clone(),
            held: known.held.is_some(),
        };
        self.known.values().map(view).collect()
    }
}

impl Supervisor {
    /// Why the scribe of a folder does not answer: somebody stopped it, or what else can be than its file system.
    pub(super) fn who_holds_scribe(&self, folder: Option<&Path>) -> String {
        let known = self.lanes.known.get(&Lane::of_folder(folder));
        let pid = known.map_or(0, |known| known.pid);
        let stopped = match procfs::state(pid) {
            Some('T') => Some("is stopped by a signal (state T)"),
            Some('t') => Some("is held by a debugger (state t)"),
            Some(_) | None => None,
        };
        if let Some(how) = stopped {
            return format!("the scribe (pid {pid}) {how}");
        }
        let system = mounts::of(folder.unwrap_or(&self.setting.logs)).map_or_else(
            || "its file system".to_owned(),
            |it| format!("the file system at {} ({})", it.place.display(), it.kind),
        );
        format!("{system} does not answer")
    }

    /// The scribe of a folder does not answer, for this reason, or does again.
    pub(super) fn scribe_is_held(&mut self, folder: Option<&Path>, why: Option<String>) {
        let lane = Lane::of_folder(folder);
        let shown = folder.unwrap_or(&self.setting.logs).display().to_string();
        let text = why.map(|why| {
            let who = self.who_logs_to(lane);
            format!("logs in {shown} are held: {why}; {who}, and waits when its pipe is full")
        });
        let Some(known) = self.lanes.known.get_mut(&lane) else {
            return;
        };
        let before = std::mem::replace(&mut known.held, text.clone());
        match (text, before) {
            (Some(text), None) => self.announce(None, What::Alarm { text }),
            (None, Some(_)) => {
                let text = format!("logs in {shown} are written again");
                self.announce(None, What::Note { text });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// In words: whose output goes there.
    fn who_logs_to(&self, lane: Lane) -> String {
        let logs = &self.setting.logs;
        let writes = |id: &InstanceId| {
            let sources = self.log_sources(&[*id]);
            sources.iter().any(|it| Lane::of(&it.path, logs) == lane)
        };
        let live = self
            .members
            .iter()
            .filter(|(_, m)| m.machine.phase().is_live());
        let names: Vec<String> = live
            .map(|(id, _)| id)
            .filter(|id| writes(id))
            .map(|id| self.label(*id))
            .collect();
        match names.as_slice() {
            [] => "nobody logs there now".to_owned(),
            [one] => format!("{one} logs there"),
            many if many.len() <= NAMED => format!("each of {} logs there", many.join(", ")),
            many => format!(
                "each of {} and {} more logs there",
                many[..NAMED].join(", "),
                many.len() - NAMED
            ),
        }
    }
}
