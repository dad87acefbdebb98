//! What is answered: projections of the daemon's state.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::exit::{Ending, Exit};
use crate::domain::names::{InstanceId, Namespace, OperationId, ProcessName, RunId, Tag};
use crate::domain::operation::{Progress, Verb, Work};
use crate::domain::selector::Candidate;
use crate::domain::spec::{Command, Limits, LogPolicy, Origin, RestartPolicy, StopPolicy};
use crate::domain::status::Status;

/// How the last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitView {
    /// The exit code, if there was one.
    pub code: Option<i32>,
    /// The signal's name, if one ended it.
    pub signal: Option<String>,
    /// In words.
    pub text: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// How long the run had lasted, milliseconds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
}

impl From<Exit> for ExitView {
    fn from(exit: Exit) -> Self {
        let (code, signal) = match exit.ending {
            Ending::Code(code) => (Some(code), None),
            Ending::Signal { signal, .. } => (None, Some(signal.to_string())),
            Ending::NotExecuted(_) | Ending::Unknown => (None, None),
        };
        Self {
            code,
            signal,
            text: exit.ending.to_string(),
            at_ms: exit.at_ms,
            lasted_ms: None,
        }
    }
}

/// One instance: a row of `list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceView {
    /// Its number.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The name of its process.
    pub process: ProcessName,
    /// Which copy, from 0.
    pub instance: u32,
    /// How many copies its process has.
    pub instances: u32,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its status.
    pub status: Status,
    /// The pid of its main process, when it has one.
    pub pid: Option<i32>,
    /// Clock ticks between boot and the start of that pid.
    pub pid_start: Option<u64>,
    /// Percent of one core, of the whole tree; none when nothing runs or nothing is measured yet.
    pub cpu: Option<f32>,
    /// Bytes, of the whole tree.
    pub memory: Option<u64>,
    /// Seconds since the run began.
    pub uptime: Option<u64>,
    /// How often it was started again.
    pub restarts: u32,
    /// How the last run ended.
    pub exit: Option<ExitView>,
    /// The number of the current or last run.
    pub run: RunId,
    /// Failures since the last stable run.
    pub attempts: u32,
    /// Milliseconds until what it waits for: the next attempt, or `SIGKILL`.
    pub due_in_ms: Option<u64>,
    /// Milliseconds since 1970 when the status became what it is.
    pub since_ms: u64,
    /// Why the status is what it is.
    pub because: String,
    /// Whether an earlier keeper was the parent of its run.
    pub adopted: bool,
    /// Whether it runs without a definition.
    pub orphaned: bool,
    /// What it does not get rid of: an alarm, in words.
    pub alarm: Option<String>,
    /// The words that select it.
    pub tags: Vec<Tag>,
    /// Whether what ends it has to be said twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

impl InstanceView {
    /// What selectors look at.
    #[must_use]
    pub(crate) fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: self.id,
            namespace: &self.namespace,
            process: &self.process,
            label: &self.name,
            tags: &self.tags,
            status: self.status,
        }
    }
}

/// Where a variable of an environment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableOrigin {
    /// A config file has its value.
    File,
    /// A config file has it, made with variables of whoever read the file.
    Template,
    /// A flag, the form of the dashboard, or a request.
    Typed,
    /// The environment of whoever defined the process.
    Inherited,
}

impl VariableOrigin {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Template => "template",
            Self::Typed => "typed",
            Self::Inherited => "inherited",
        }
    }
}

/// Everything about one instance: an entry of `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The row.
    #[serde(flatten)]
    pub instance: InstanceView,
    /// What is executed.
    pub command: Command,
    /// The folder.
    pub cwd: PathBuf,
    /// The declared environment; of values that may be secrets the mask, or the rest of an address around it.
    pub env: BTreeMap<String, String>,
    /// Where each of these comes from.
    #[serde(default)]
    pub env_origins: BTreeMap<String, VariableOrigin>,
    /// What it has of the environment of whoever defined it, masked in the same way.
    #[serde(default)]
    pub inherited: BTreeMap<String, String>,
    /// When it is started again.
    pub restart: RestartPolicy,
    /// How it is ended.
    pub stop: StopPolicy,
    /// What it may use.
    pub limits: Limits,
    /// How its output is kept.
    pub log_policy: LogPolicy,
    /// Its log files by stream.
    pub logs: BTreeMap<String, PathBuf>,
    /// Which version of the definition is in force.
    pub generation: u64,
    /// Which version the current run was started from.
    pub run_generation: u64,
    /// Where the definition came from.
    pub origin: Origin,
    /// How many of its instances a rolling restart may have down at once.
    #[serde(default)]
    pub max_unavailable: u32,
    /// How many processes its tree has.
    pub tree: u32,
    /// How many descriptors its main process has open; none where that is not known.
    #[serde(default)]
    pub fds: Option<u32>,
    /// How many it may have open; none where there is no limit, or it is not known.
    #[serde(default)]
    pub fds_limit: Option<u64>,
    /// The last events, oldest first.
    pub events: Vec<crate::domain::event::Event>,
}

/// How many instances are in each status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// All.
    pub total: u32,
    /// By status word; only those that occur.
    #[serde(flatten)]
    pub by_status: BTreeMap<String, u32>,
}

/// One part of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubsystemView {
    /// Its name.
    pub name: String,
    /// `starting running failed stopping stopped`.
    pub state: String,
    /// How often it was started again.
    pub restarts: u32,
}

/// The daemon: `daemon status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonInfo {
    /// Always true in an answer.
    pub running: bool,
    /// The daemon's pid.
    pub pid: u32,
    /// Clock ticks between boot and the start of that pid.
    #[serde(default)]
    pub pid_start: Option<u64>,
    /// The keeper's.
    pub keeper_pid: i32,
    /// The scribe's.
    pub scribe_pid: i32,
    /// All scribes: that of the folder of all logs, and one for each other folder that holds logs.
    #[serde(default)]
    pub scribes: Vec<ScribeView>,
    /// Its version.
    pub version: String,
    /// How many daemons there have been since boot.
    pub epoch: u64,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// Seconds since this daemon began.
    pub uptime: u64,
    /// Proportional set of all three roles, bytes.
    pub memory: u64,
    /// How many instances there are.
    pub counts: Counts,
    /// The API's socket.
    pub socket: PathBuf,
    /// Where definitions lie.
    pub state_dir: PathBuf,
    /// Where logs lie.
    pub log_dir: PathBuf,
    /// Where sockets, pipes and the table lie.
    pub volatile_dir: PathBuf,
    /// Below it each run has a control group of its own; none: trees are walked, and what sheds session, pipe and
    /// environment is a stray.
    #[serde(default)]
    pub control_group: Option<PathBuf>,
    /// Processes below the keeper that belong to no run.
    pub strays: u32,
    /// What needs a person.
    pub alarms: Vec<String>,
    /// Its parts.
    pub subsystems: Vec<SubsystemView>,
    /// Whether `up` started it.
    pub transient: bool,
}

/// One scribe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScribeView {
    /// Its pid.
    pub pid: i32,
    /// The folder whose logs it writes; none for the folder of all logs.
    pub folder: Option<PathBuf>,
    /// Its file system does not answer.
    pub held: bool,
}

/// How far an operation is with one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Which.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// What is asked of it; none when it is not to become something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// How far.
    #[serde(flatten)]
    pub progress: Progress,
    /// Its status now.
    pub status: Status,
    /// Its pid now.
    pub pid: Option<i32>,
    /// Milliseconds until the next step: `SIGKILL`, or the next attempt.
    pub due_in_ms: Option<u64>,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its id.
    pub operation: OperationId,
    /// What is done.
    pub verb: Work,
    /// Whether nothing more will come.
    pub done: bool,
    /// Per instance.
    pub targets: Vec<TargetView>,
    /// Whether the state folder has it: `done` or `pending`.
    pub recorded: String,
    /// How it goes batch by batch, per process, when it was asked for so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<super::rollout::RolloutView>,
}

/// What `apply` did to one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Started,
    /// It was stopped and is started.
    Resumed,
    /// Nothing differs.
    Unchanged,
    /// Policies differ: in force without touching a process.
    Changed,
    /// Copies were added or taken away.
    Scaled,
    /// Every instance is replaced.
    Replaced,
    /// The file no longer defines it.
    Removed,
}

impl Action {
    /// Whether the definition is another by it.
    #[must_use]
    pub fn redefines(self) -> bool {
        match self {
            Self::Started | Self::Changed | Self::Scaled | Self::Replaced | Self::Removed => true,
            Self::Resumed | Self::Unchanged => false,
        }
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Resumed => "resumed",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Scaled => "scaled",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
        }
    }
}

/// What `apply` did to one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The process.
    pub name: String,
    /// What.
    pub action: Action,
    /// More about it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The answer to `apply` and `down`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Per process.
    pub results: Vec<Change>,
    /// The operation that carries it out.
    pub operation: OperationView,
    /// Whether the daemon was started by `up` and has nothing left.
    pub may_end: bool,
}
