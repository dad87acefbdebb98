//! The definition of a process: command, copies, policies.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use super::exit::Signal;
use super::names::{Namespace, ProcessKey, ProcessName, Tag};
use super::secrecy::Mark;

/// The most instances of one process.
pub(crate) const INSTANCES_MAX: u32 = 1000;
/// The longest stop timeout, start delay or window: a year would be a typing error.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// An absolute path, or a word that is looked up in the `PATH` of the process's own environment.
    pub program: String,
    /// Its arguments, without the program.
    #[serde(default)]
    pub args: Vec<String>,
}

/// Whether a run that ended is followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// After every end.
    Always,
    /// After an exit code other than 0, or a signal.
    #[default]
    OnFailure,
    /// Never.
    Never,
}

impl Restart {
    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnFailure => "on-failure",
            Self::Never => "never",
        }
    }
}

/// When adasa starts a process again, and when it gives up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// After which ends.
    pub on: Restart,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// How many failures mean `errored`.
    pub max_restarts: u32,
    /// A run that lasted this long was stable: earlier failures are forgotten.
    pub min_uptime: Duration,
    /// Count the failures within this time instead of those since the last stable run.
    pub window: Option<Duration>,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            on: Restart::default(),
            backoff: Backoff::default(),
            max_restarts: 10,
            min_uptime: Duration::from_secs(10),
            window: None,
        }
    }
}

/// How a run is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPolicy {
    /// Sent first, to the process group.
    pub signal: Signal,
    /// What the tree gets before `SIGKILL`.
    pub timeout: Duration,
    /// Whether a run is over when its main process is: what that leaves behind in another process group lives on, and
    /// nobody looks after it.
    #[serde(default)]
    pub detach_children: bool,
}

impl Default for StopPolicy {
    fn default() -> Self {
        Self {
            signal: Signal::TERM,
            timeout: Duration::from_secs(10),
            detach_children: false,
        }
    }
}

/// What is done when a limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitAction {
    /// Say so, once per passing.
    Log,
    /// End gracefully; it counts as a failure, and the policy for failures decides what follows.
    #[default]
    Restart,
    /// Stop gracefully.
    Stop,
}

/// Limits on the whole tree of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Memory in bytes: the tree's resident set, confirmed by its proportional set.
    pub max_memory: Option<u64>,
    /// What is done then.
    #[serde(default)]
    pub action: LimitAction,
}

/// What happens to output when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDiskFull {
    /// Count what is lost, go on.
    #[default]
    Drop,
    /// Let the writer wait.
    Block,
}

/// Where output goes and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPolicy {
    /// Both streams into one file, in exact order, without separation.
    pub merge: bool,
    /// Instead of the default place. With several instances, `-N` is put before the extension.
    pub out_file: Option<PathBuf>,
    /// Instead of the default place.
    pub err_file: Option<PathBuf>,
    /// A file that reaches this size, in bytes, becomes an archive.
    pub max_size: u64,
    /// A file that was begun this long ago becomes an archive.
    pub max_age: Option<Duration>,
    /// How many archives are kept, per stream.
    pub archives: u32,
    /// An archive that was written last so long ago is removed.
    #[serde(default)]
    pub archive_age: Option<Duration>,
    /// Whether archives are compressed.
    pub compress: bool,
    /// What happens when the disk is full.
    pub on_disk_full: OnDiskFull,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self {
            merge: false,
            out_file: None,
            err_file: None,
            max_size: 10 * 1024 * 1024,
            max_age: None,
            archives: 5,
            archive_age: None,
            compress: true,
            on_disk_full: OnDiskFull::default(),
        }
    }
}

/// Where a definition came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Typed: `adasa start`, or a request.
    #[default]
    Typed,
    /// A configuration file, absolute path.
    File(PathBuf),
}

/// The definition of a process. What differs between two definitions decides whether its instances are replaced;
/// `base_env` and `origin` do not count.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The name.
    pub name: ProcessName,
    /// The namespace.
    #[serde(default)]
    pub namespace: Namespace,
    /// What is executed.
    pub command: Command,
    /// The folder it runs in, absolute.
    pub cwd: PathBuf,
    /// The environment as declared.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What is known of declared variables besides their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, Mark>,
    /// What it has of the caller's environment; declared values win. Usually many have the same.
    #[serde(default)]
    pub base_env: Arc<BTreeMap<String, String>>,
    /// How many copies.
    pub instances: u32,
    /// When it is started again.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// How it is ended.
    #[serde(default)]
    pub stop: StopPolicy,
    /// What it may use.
    #[serde(default)]
    pub limits: Limits,
    /// Where its output goes.
    #[serde(default)]
    pub logs: LogPolicy,
    /// How many of its instances a rolling restart may have down at once.
    #[serde(default = "one")]
    pub max_unavailable: NonZeroU32,
    /// Whether what ends its instances, or takes its definition away, has to be said twice.
    #[serde(default)]
    pub protected: bool,
    /// Words that select it.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Where the definition came from.
    #[serde(default)]
    pub origin: Origin,
}

impl Spec {
    /// A definition with the defaults of the documentation.
    #[must_use]
    pub fn new(name: ProcessName, command: Command, cwd: impl Into<PathBuf>) -> Self {
        Self {
            name,
            namespace: Namespace::default(),
            command,
            cwd: cwd.into(),
            env: BTreeMap::new(),
            marks: BTreeMap::new(),
            base_env: Arc::default(),
            instances: 1,
            restart: RestartPolicy::default(),
            stop: StopPolicy::default(),
            limits: Limits::default(),
            logs: LogPolicy::default(),
            max_unavailable: one(),
            protected: false,
            tags: Vec::new(),
            origin: Origin::default(),
        }
    }

    /// Namespace and name.
    #[must_use]
    pub fn key(&self) -> ProcessKey {
        ProcessKey {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// What it takes to go from `self` to `next`.
    #[must_use]
    pub fn difference(&self, next: &Self) -> Difference {
        let runs_differently =
            self.command != next.command || self.cwd != next.cwd || self.env != next.env;
        if runs_differently || self.logs_differ(next) {
            return Difference::Replace;
        }
        if self.instances != next.instances {
            return Difference::Scale;
        }
        let live = self.restart == next.restart
            && self.stop == next.stop
            && self.limits == next.limits
            && self.logs == next.logs
            && self.max_unavailable == next.max_unavailable
            && self.protected == next.protected
            && self.marks == next.marks
            && self.tags == next.tags;
        if live {
            Difference::None
        } else {
            Difference::Live
        }
    }

    /// Other files mean other pipes; other sizes and counts do not.
    fn logs_differ(&self, next: &Self) -> bool {
        self.logs.merge != next.logs.merge
            || self.logs.out_file != next.logs.out_file
            || self.logs.err_file != next.logs.err_file
    }

    /// Checks what the type alone cannot: ranges, absolute paths, the sizes that fit a record.
    ///
    /// # Errors
    /// The first problem: which field, and what about it.
    pub fn validate(&self) -> Result<(), Invalid> {
        let bad = |field: &'static str, why: String| Err(Invalid { field, why });
        if !(1..=INSTANCES_MAX).contains(&self.instances) {
            return bad(
                "instances",
                format!("must be 1 to {INSTANCES_MAX}, not {}", self.instances),
            );
        }
        if self.max_unavailable.get() > INSTANCES_MAX {
            return bad("max_unavailable", format!("must be 1 to {INSTANCES_MAX}"));
        }
        if self.command.program.is_empty() {
            return bad("script", "cannot be empty".into());
        }
        let nul = |text: &str| text.contains('\0');
        if nul(&self.command.program) || self.command.args.iter().any(|a| nul(a)) {
            return bad("args", "cannot contain a NUL byte".into());
        }
        if !self.cwd.is_absolute() {
            return bad(
                "cwd",
                format!("must be absolute, not {}", self.cwd.display()),
            );
        }
        for (name, value) in self.env.iter().chain(&*self.base_env) {
            if name.is_empty() || name.contains('=') || nul(name) || nul(value) {
                return bad("env", format!("{name:?} cannot be set in an environment"));
            }
        }
        if self.restart.backoff.factor < 1.0 || !self.restart.backoff.factor.is_finite() {
            return bad("backoff_factor", "must be 1 or more".into());
        }
        for (field, value) in [
            ("stop_timeout", self.stop.timeout),
            ("restart_delay", self.restart.backoff.initial),
            ("max_restart_delay", self.restart.backoff.cap),
            ("min_uptime", self.restart.min_uptime),
            ("restart_window", self.restart.window.unwrap_or_default()),
        ] {
            if value > DURATION_MAX {
                return bad(field, "must be 24 hours or less".into());
            }
        }
        if self.limits.max_memory.is_some_and(|m| m < 1_000_000) {
            return bad("max_memory", "must be 1 MB or more".into());
        }
        if self.logs.max_size < 4096 {
            return bad("log_max_size", "must be 4 KiB or more".into());
        }
        for file in [&self.logs.out_file, &self.logs.err_file]
            .into_iter()
            .flatten()
        {
            if !file.is_absolute() || file.as_os_str().len() > 1000 {
                return bad(
                    "log_file",
                    "must be an absolute path of 1,000 bytes or less".into(),
                );
            }
        }
        Ok(())
    }

    /// A log file that instances of both write to: one file has one writer, or its index lies.
    #[must_use]
    pub fn shares_log_with(&self, other: &Self) -> Option<PathBuf> {
        // Two that have the usual places have different ones; asked of every pair, this has to be quick.
        let usual = |spec: &Self| spec.logs.out_file.is_none() && spec.logs.err_file.is_none();
        if usual(self) || usual(other) {
            return None;
        }
        let files = |spec: &Self| -> std::collections::BTreeSet<PathBuf> {
            let custom = spec.logs.out_file.is_some() || spec.logs.err_file.is_some();
            let count = if custom { spec.instances } else { 0 };
            (0..count)
                .flat_map(|n| Stream::ALL.map(|s| spec.log_path(Path::new(""), n, s)))
                .filter(|path| path.is_absolute())
                .collect()
        };
        files(self).intersection(&files(other)).next().cloned()
    }

    /// The file of one stream of one instance, below `logs`.
    #[must_use]
    pub fn log_path(&self, logs: &Path, index: u32, stream: Stream) -> PathBuf {
        let custom = match stream {
            Stream::Err if !self.logs.merge => &self.logs.err_file,
            Stream::Err | Stream::Out => &self.logs.out_file,
        };
        match custom {
            Some(file) if self.instances == 1 => file.clone(),
            Some(file) => numbered(file, index),
            None => {
                let stream = if self.logs.merge { Stream::Out } else { stream };
                logs.join(self.namespace.as_str())
                    .join(self.name.as_str())
                    .join(format!("{index}.{}.log", stream.word()))
            }
        }
    }
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn numbered(file: &Path, index: u32) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = match file.extension() {
        Some(extension) => format!("{stem}-{index}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{index}"),
    };
    file.with_file_name(name)
}

/// Secrets live in environments: a definition in a log line shows names only.
impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec")
            .field("key", &self.key())
            .field("command", &self.command)
            .field("cwd", &self.cwd)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("instances", &self.instances)
            .finish_non_exhaustive()
    }
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Both, in the order of their descriptors.
    pub const ALL: [Self; 2] = [Self::Out, Self::Err];

    /// The word in file names, on screen and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
        }
    }
}

/// How much a change of definition touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Nothing differs.
    None,
    /// Policies only: takes effect without touching a process.
    Live,
    /// The number of copies.
    Scale,
    /// What is executed: every instance has to be replaced.
    Replace,
}

/// A value that no process can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct Invalid {
    /// The configuration key.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

#[cfg(test)]
mod tests;
