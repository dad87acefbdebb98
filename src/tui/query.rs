//! What a screen asks the daemon for, besides what is pushed to all.

use std::time::Duration;

use crate::api::{
    Activity, ActivityQuery, Changes, Columns, Define, Detail, LogControls, LogControlsQuery,
    LogEvents, LogEventsQuery, LogHistogram, LogHistogramQuery, LogPage, LogPageQuery,
    MetricHistory, OperationView, PlanQuery, PlanView, Progress, Reveal, Revealed, RunView,
    TreeView, Why,
};
use crate::client::{Client, ClientError, operation_id};
use crate::domain::names::OperationId;
use crate::domain::why::{short, span};

use super::draft::Draft;
use super::log::Told;

/// How many runs of an instance are asked for, and how many last lines of each.
const RUNS: usize = 50;
const LAST_LINES: usize = 20;

/// How long a screen waits for a new process.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ties an answer to the screen that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Ticket(pub(super) u64);

/// Numbers for questions to the daemon.
#[derive(Debug, Clone, Default)]
pub(super) struct Tickets(u64);

impl Tickets {
    pub(super) fn next(&mut self) -> Ticket {
        self.0 += 1;
        Ticket(self.0)
    }
}

/// A question to the daemon, or a change that the asking screen waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    /// Everything about the instances that a selector names.
    Detail { select: String },
    /// What the run of one instance is made of.
    Tree { select: String },
    /// One value of its environment.
    Reveal(Reveal),
    /// What in its logs would command a terminal.
    Controls(LogControlsQuery),
    /// What was: of the one instance that a selector names.
    Past { select: String },
    /// What all used before the dashboard was there.
    History,
    /// What one instance used in a day.
    Day { select: String },
    /// Who did what.
    Activity,
    /// What changed since a moment.
    Changes { since_ms: u64 },
    /// Whether a draft could be started.
    Draft(Draft),
    /// Start a draft.
    Define(Draft),
    /// What something would do.
    Plan(PlanQuery),
    /// How far an operation is.
    Operation(OperationId),
    /// Lines around a place.
    LogPage(LogPageQuery),
    /// What adasa says between lines.
    LogEvents(LogEventsQuery),
    /// How the last runs of instances ended.
    Endings { select: Vec<String> },
    /// How many lines came when.
    LogHistogram(LogHistogramQuery),
    /// The same of several logs, one after the other.
    LogCounts(Vec<LogHistogramQuery>),
}

/// What one instance went through.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Past {
    /// The newest first.
    pub(super) runs: Vec<RunView>,
    /// Why it stands where it stands.
    pub(super) why: Option<Why>,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Detail(Vec<Detail>),
    Tree(TreeView),
    Revealed(Revealed),
    Controls(LogControls),
    Past(Box<Past>),
    History(Vec<MetricHistory>),
    Activity(Vec<Activity>),
    Changes(Changes),
    Day(Columns),
    /// What is wrong with a draft.
    Draft(Result<(), String>),
    /// It was started under this name.
    Defined(String),
    Plan(PlanView),
    Operation(OperationView),
    LogPage(LogPage),
    LogEvents(LogEvents),
    Endings(Vec<Told>),
    LogHistogram(LogHistogram),
    /// None where it could not be counted.
    LogCounts(Vec<Option<LogHistogram>>),
}

impl Answer {
    /// The instances that were told about; none when it is another answer.
    pub(super) fn details(self) -> Vec<Detail> {
        let Self::Detail(list) = self else {
            return vec![];
        };
        list
    }
}

impl Query {
    /// Asks; for a thread of its own.
    pub(super) fn ask(self, client: &Client) -> Result<Answer, ClientError> {
        match self {
            Self::Detail { select } => client.detail(&[select]).map(Answer::Detail),
            Self::Tree { select } => {
                let one = client.trees(&[select])?.into_iter().next();
                let none = ClientError::Garbage("no tree of it".into());
                one.map(Answer::Tree).ok_or(none)
            }
            Self::Controls(query) => client.log_controls(&query).map(Answer::Controls),
            Self::Reveal(wish) => client.reveal(&wish).map(Answer::Revealed),
            Self::Past { select } => {
                let select = [select];
                let runs = client.runs(&select, RUNS, LAST_LINES)?.into_iter().next();
                let why = client.why(&select)?.into_iter().next();
                Ok(Answer::Past(Box::new(Past {
                    runs: runs.map_or_else(Vec::new, |it| it.runs),
                    why,
                })))
            }
            Self::History => client.metric_history(&[]).map(Answer::History),
            Self::Activity => client
                .activity(&ActivityQuery::default())
                .map(Answer::Activity),
            Self::Changes { since_ms } => client.changes(since_ms).map(Answer::Changes),
            Self::Day { select } => {
                let one = client.metric_history(&[select])?.into_iter().next();
                let none = ClientError::Garbage("no history of it".into());
                one.map(|it| Answer::Day(it.long)).ok_or(none)
            }
            Self::Draft(draft) => Ok(Answer::Draft(draft.spec(&here()).map(drop))),
            Self::Define(draft) => match draft.spec(&here()) {
                Err(why) => Ok(Answer::Draft(Err(why))),
                Ok(spec) => {
                    let name = spec.name.to_string();
                    let define = Define {
                        operation: operation_id(),
                        spec,
                        durable: false,
                    };
                    let view = client.define(&define, PATIENCE)?;
                    let failed = view.targets.iter().find_map(|it| match &it.progress {
                        Progress::Failed { reason } => Some(reason.clone()),
                        Progress::Pending
                        | Progress::Done
                        | Progress::Already
                        | Progress::Left { .. } => None,
                    });
                    Ok(match failed {
                        Some(why) => Answer::Draft(Err(why)),
                        None => Answer::Defined(name),
                    })
                }
            },
            Self::Plan(query) => client.plan(&query).map(Answer::Plan),
            Self::Operation(id) => client.operation(&id, Duration::ZERO).map(Answer::Operation),
            Self::LogPage(query) => client.log_page(&query).map(Answer::LogPage),
            Self::LogHistogram(query) => client.log_histogram(&query).map(Answer::LogHistogram),
            Self::LogEvents(query) => client.log_events(&query).map(Answer::LogEvents),
            Self::Endings { select } => {
                let all = client.runs(&select, RUNS, 0)?;
                let runs = all.into_iter().flat_map(|it| it.runs);
                let told = runs.map(|run| Told {
                    id: run.run.id,
                    run: run.run.run,
                    end: run.run.ended.as_ref().map(|end| {
                        let (how, lasted) = (short(end), span(end.lasted_ms));
                        format!("{how}, up {lasted}")
                    }),
                    begun_by: run.run.begun_by.map(|by| by.to_string()),
                });
                Ok(Answer::Endings(told.collect()))
            }
            Self::LogCounts(queries) => {
                let counts = queries.iter().map(|query| client.log_histogram(query).ok());
                Ok(Answer::LogCounts(counts.collect()))
            }
        }
    }
}

/// The folder the dashboard was opened in.
fn here() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_else(|_| "/".into())
}
