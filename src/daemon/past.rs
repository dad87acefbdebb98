//! Answers about what was, put together from the journal and the logs. Reads on the blocking pool: no decision waits
//! for it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::{
    Activity, ApiError, Changes, Code, Event, InstanceRuns, LogEvents, PlanQuery, PlanView,
    RunState, RunView, TreeView, Why,
};
use crate::domain::activity::add;
use crate::domain::names::{InstanceId, RunId};
use crate::domain::run::Run;
use crate::domain::selector::Selector;
use crate::domain::why::why;
use crate::logs::read::Log;

use super::autopsy;
use super::handle::Handle;
use super::history::{Happened, History};
use super::journal::RUNS_KEPT;
use super::reading::{ReadError, Readers};
use super::runs::Subject;
use super::tree::Looks;

/// How many lines of standard error are shown of a run.
pub(crate) const STDERR_LINES: usize = 20;
/// How much of a line.
const STDERR_BYTES: usize = 2048;
/// How many runs are looked at for an answer.
const RUNS_TOLD: usize = 8;
/// How long the last lines of runs are waited for: what else is known is told without them.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long those of one more, when others took all that time.
const GLANCE: Duration = Duration::from_millis(50);
/// How many events are looked at for what changed.
const CHANGES: usize = 20_000;
/// Of how many instances at once.
const INSTANCES_MAX: usize = 100;

/// Asks the journal.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    handle: Handle,
    history: History,
    /// What the environment mark of our runs begins with.
    marker: String,
    looks: Looks,
    readers: Readers,
}

impl Past {
    /// With these to ask.
    pub(super) fn new(
        handle: Handle,
        history: History,
        marker: String,
        looks: Looks,
        readers: Readers,
    ) -> Self {
        Self {
            handle,
            history,
            marker,
            looks,
            readers,
        }
    }

    /// What something would do.
    ///
    /// # Errors
    /// The supervisor's answer.
    pub(crate) async fn plan(&self, query: PlanQuery) -> Result<PlanView, ApiError> {
        super::audience::plan(&self.handle, &self.looks, query).await
    }

    /// What the runs of what is selected are made of.
    ///
    /// # Errors
    /// The supervisor's answer, or that it took too long.
    pub(crate) async fn trees(&self, select: Vec<Selector>) -> Result<Vec<TreeView>, ApiError> {
        self.looks.trees(&self.handle, select).await
    }

    /// The last runs of what is selected, with their last `lines` of standard error.
    ///
    /// # Errors
    /// The supervisor's answer, or what the disk says.
    pub(crate) async fn runs(
        &self,
        select: Vec<Selector>,
        most: usize,
        lines: usize,
    ) -> Result<Vec<InstanceRuns>, ApiError> {
        let most = most.clamp(1, RUNS_KEPT);
        let lines = lines.min(STDERR_LINES);
        let (subjects, mut found) = self.journal(select, most).await?;
        let (mut told, reading) = (Vec::new(), Reading::new(&self.readers));
        for subject in subjects {
            let runs = found.remove(&subject.id).unwrap_or_default();
            told.push(
                reading
                    .one(subject, move |it| views(it, runs.clone(), most, lines))
                    .await?,
            );
        }
        Ok(told)
    }

    /// Why each of what is selected stands where it stands.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub(crate) async fn why(&self, select: Vec<Selector>) -> Result<Vec<Why>, ApiError> {
        let (subjects, mut found) = self.journal(select, RUNS_TOLD).await?;
        let (mut told, reading) = (Vec::new(), Reading::new(&self.readers));
        for subject in subjects {
            let runs = found.remove(&subject.id).unwrap_or_default();
            let marker = self.marker.clone();
            told.push(
                reading
                    .one(subject, move |it| explain(it, runs.clone(), &marker))
                    .await?,
            );
        }
        Ok(told)
    }

    /// Who did what since then, and what happened by itself, oldest first: at most so many entries, the newest.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn activity(
        &self,
        since_ms: u64,
        most: usize,
    ) -> Result<VecDeque<Activity>, ApiError> {
        // Each may have an end, which is no entry.
        let events = self.events(since_ms, most * 2).await?;
        let mut list = VecDeque::new();
        events.iter().for_each(|event| add(&mut list, event, most));
        Ok(list)
    }

    /// What happened to what is selected that is said in its logs, as far back as the history goes: at most so many
    /// events, the newest.
    ///
    /// # Errors
    /// The supervisor's answer, or what the disk says.
    pub(crate) async fn happened(
        &self,
        select: Vec<Selector>,
        span: RangeInclusive<u64>,
        most: usize,
    ) -> Result<LogEvents, ApiError> {
        let sources = self.handle.logs(select).await?;
        let from_ms = *span.start();
        let ids = sources.iter().map(|source| source.id).collect();
        let events = self.history.happened(Happened { ids, span, most }).await;
        let events = events.map_err(|error| unread(&error))?;
        let first = events.first().filter(|_| events.len() >= most);
        Ok(LogEvents {
            since_ms: first.map_or(from_ms, |first| first.at_ms),
            events,
        })
    }

    /// What changed since then, as far back as the history goes.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn changes(&self, since_ms: u64) -> Result<Changes, ApiError> {
        let events = self.events(since_ms, CHANGES).await?;
        Ok(Changes::of(since_ms, &events))
    }

    async fn events(&self, since_ms: u64, most: usize) -> Result<Vec<Event>, ApiError> {
        let events = self.history.activity(since_ms, most).await;
        events.map_err(|error| unread(&error))
    }

    async fn journal(
        &self,
        select: Vec<Selector>,
        most: usize,
    ) -> Result<(Vec<Subject>, BTreeMap<InstanceId, VecDeque<Run>>), ApiError> {
        let subjects = self.handle.subjects(select).await?;
        if subjects.len() > INSTANCES_MAX {
            let text = format!("this is told of at most {INSTANCES_MAX} instances at once");
            return Err(ApiError::new(Code::BadRequest, text).hint("select fewer"));
        }
        let ids = subjects.iter().map(|s| s.id).collect();
        let found = self.history.runs(ids, most).await.map_err(|error| {
            let text = format!("the journal of runs cannot be read: {error}");
            ApiError::new(Code::Internal, text)
        })?;
        Ok((subjects, found))
    }
}

fn unread(error: &std::io::Error) -> ApiError {
    let text = format!("the history cannot be read: {error}");
    ApiError::new(Code::Internal, text)
}

/// Looks at the logs of some, one after the other.
struct Reading<'a> {
    readers: &'a Readers,
    until: Instant,
}

impl<'a> Reading<'a> {
    fn new(readers: &'a Readers) -> Self {
        Self {
            readers,
            until: Instant::now() + PATIENCE,
        }
    }

    /// In one of the threads for its log. One whose log does not answer is told of without it.
    async fn one<T: Send + 'static>(
        &self,
        mut subject: Subject,
        look: impl Fn(&Subject) -> T + Send + Sync + 'static,
    ) -> Result<T, ApiError> {
        let places = self.readers.of(subject.log.iter());
        let patience = self.until.saturating_duration_since(Instant::now());
        let look = Arc::new(look);
        let (theirs, it) = (Arc::clone(&look), subject.clone());
        match places.run(patience.max(GLANCE), move || theirs(&it)).await {
            Err(ReadError::Stalled) => {
                subject.log = None;
                let told = tokio::task::spawn_blocking(move || look(&subject)).await;
                told.map_err(|error| ApiError::new(Code::Internal, error.to_string()))
            }
            other => Ok(other?),
        }
    }
}

fn explain(subject: &Subject, runs: VecDeque<Run>, marker: &str) -> Why {
    let runs: Vec<Run> = runs.into_iter().rev().collect();
    let last = runs
        .iter()
        .find(|run| run.run != subject.standing.run || !subject.standing.alive);
    let log = subject.log.as_deref().and_then(open);
    let stderr = last
        .zip(log)
        .map(|(run, mut log)| last_lines(&mut log, run.run, STDERR_LINES))
        .unwrap_or_default();
    let found = last
        .and_then(|run| run.ended.as_ref())
        .map(|end| autopsy::look(end, &stderr, &subject.program, marker))
        .unwrap_or_default();
    why(&subject.standing, &runs, stderr, &found)
}

fn views(subject: &Subject, mut runs: VecDeque<Run>, most: usize, lines: usize) -> InstanceRuns {
    let now = subject.now.as_ref();
    // What is under way may have begun before there was a journal.
    if let Some(now) = now
        && runs.back().is_none_or(|last| last.run < now.run)
    {
        runs.push_back(now.clone());
    }
    let mut log = subject.log.as_deref().filter(|_| lines > 0).and_then(open);
    let runs = runs.into_iter().rev().take(most).map(|run| {
        let state = match (&run.ended, now) {
            (Some(_), _) => RunState::Ended,
            (None, Some(now)) if now.run == run.run => RunState::Running,
            (None, Some(_) | None) => RunState::Unseen,
        };
        RunView {
            state,
            exit: run.ended.as_ref().map(|ended| ended.exit.into()),
            stderr: log
                .as_mut()
                .map(|log| last_lines(log, run.run, lines))
                .unwrap_or_default(),
            run,
        }
    });
    InstanceRuns {
        id: subject.id,
        name: subject.name.clone(),
        runs: runs.collect(),
    }
}

fn open(path: &Path) -> Option<Log> {
    Log::open(path).ok()
}

/// The last lines that a run wrote; what cannot be read is not there.
fn last_lines(log: &mut Log, run: RunId, most: usize) -> Vec<String> {
    let Some(end) = log.end_of_run(run) else {
        return Vec::new();
    };
    let Ok(mut at) = log.back(end, most) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    while at < end {
        let Ok(Some(line)) = log.line(at) else {
            break;
        };
        if line.run == Some(run) {
            let cut = line.bytes.len().min(STDERR_BYTES);
            lines.push(String::from_utf8_lossy(&line.bytes[..cut]).into_owned());
        }
        at = line.end;
    }
    lines
}
