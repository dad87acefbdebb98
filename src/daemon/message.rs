//! What the supervisor is told, and what it wants done. It does nothing by itself.

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::api::{
    Act as ActRequest, ApiError, Applied, Apply, ClientView, DaemonInfo, Define, Definition,
    Detail, Down, Edit, Host, InstanceView, MetricHistory, OperationView, PlanQuery, Reveal,
    Revealed, RolloutControl, Scale, SendSignal, ServerControl, Snapshot, Undo, UndoView,
};
use crate::domain::event::Event;
use crate::domain::exit::Signal;
use crate::domain::instance::Sweep;
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::sample::Sample;
use crate::domain::selector::Selector;
use crate::domain::spec::{LogPolicy, Stream};
use crate::domain::who::Who;
use crate::keeper::protocol::{FromScribe, Route, Routes, ToDaemon, ToKeeper, ToScribe};

use super::hub::Subscription;
use super::journal::Seen;
use super::ledger::Entry;
use super::plan::Planned;
use super::runs::Subject;
use super::store::Record;

/// Where the answer to a request goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

/// One log file of an instance, as a reader needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSource {
    /// Which instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Which stream.
    pub stream: Stream,
    /// The file.
    pub path: PathBuf,
}

/// How a subscriber begins.
#[derive(Debug)]
pub(crate) enum Joined {
    /// Where it was.
    Resumed(Subscription),
    /// With everything.
    Anew(Box<Snapshot>, Subscription),
}

/// What clients ask.
pub(crate) enum Request {
    /// Rows.
    List(Vec<Selector>, Reply<Vec<InstanceView>>),
    /// Everything about some.
    Detail(Vec<Selector>, Reply<Vec<Detail>>),
    /// Do something; who asks is said.
    Act(ActRequest, Who, Reply<OperationView>),
    /// What something would do.
    Plan(PlanQuery, Reply<Planned>),
    /// A whole definition.
    Definition(Selector, Reply<Definition>),
    /// One value of an environment; who asks is remembered.
    Reveal(Reveal, Who, Reply<Revealed>),
    /// Another definition.
    Edit(Box<Edit>, Who, Reply<Applied>),
    /// Another number of instances.
    Scale(Scale, Who, Reply<Applied>),
    /// Send a signal.
    Signal(SendSignal, Who, Reply<OperationView>),
    /// Pause, resume or abort a rolling restart.
    ControlRollout(OperationId, RolloutControl, Who, Reply<OperationView>),
    /// Take an operation back.
    Undo(Undo, Who, Reply<OperationView>),
    /// What can be taken back, the newest first.
    UndoList(Reply<Vec<UndoView>>),
    /// All operations that are known, the oldest first.
    Operations(Reply<Vec<OperationView>>),
    /// Define and start.
    Define(Box<Define>, Who, Reply<OperationView>),
    /// Bring a file in force.
    Apply(Box<Apply>, Who, Reply<Applied>),
    /// Delete what a file brought up.
    Down(Down, Who, Reply<Applied>),
    /// How far an operation is.
    Operation(OperationId, Reply<OperationView>),
    /// The same, when it is done.
    OperationDone(OperationId, Reply<OperationView>),
    /// The daemon itself; its memory is not filled in.
    Info(Reply<DaemonInfo>),
    /// End or replace.
    Control(ServerControl, Who, Reply<()>),
    /// What follows this epoch and number; everything, and what follows it, where that is not kept.
    Subscribe(Option<(u64, u64)>, oneshot::Sender<Joined>),
    /// What some used over time.
    MetricHistory(Vec<Selector>, Reply<Vec<MetricHistory>>),
    /// What the journal of runs is read for.
    Subjects(Vec<Selector>, Reply<Vec<Subject>>),
    /// Who listens to what happens.
    Clients(Reply<Vec<ClientView>>),
    /// The log files of some.
    Logs(Vec<Selector>, Reply<Vec<LogSource>>),
    /// Empty or rotate the logs of some.
    TendLogs(Vec<Selector>, Tending, Who, Reply<Vec<LogSource>>),
}

/// What is done to logs on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tending {
    /// Emptied, archives too.
    Flush,
    /// Made an archive of.
    Rotate,
}

/// What the supervisor is told.
pub(crate) enum Msg {
    /// By a client.
    Request(Request),
    /// By the keeper.
    Keeper(ToDaemon),
    /// By the scribe.
    Scribe(FromScribe),
    /// A record is in the file, or could not be written.
    Stored {
        /// Which.
        ticket: u64,
        /// In words.
        error: Option<String>,
    },
    /// A second's measurements.
    Sampled {
        /// The machine, once a second; not with the first look at a new run.
        host: Option<Box<Host>>,
        /// Per live run.
        samples: Vec<(InstanceId, RunId, Sample)>,
        /// Processes that belong to nobody.
        strays: u32,
    },
    /// Nothing is left of a run's tree.
    Swept {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
    },
    /// Something is left.
    Survivors {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// In words: pids and names.
        text: String,
    },
    /// A tree's proportional set.
    Confirmed {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Bytes.
        memory: u64,
    },
    /// What is known of the end of a run besides its status.
    Found {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// What.
        evidence: Vec<crate::domain::run::Evidence>,
    },
    /// The archives of a log are gone.
    Cleared {
        /// Which request.
        ticket: u64,
        /// Whether there were any.
        removed: bool,
        /// In words.
        error: Option<String>,
    },
    /// Something that happened and that nobody has to do anything about.
    Noted(String),
    /// Somebody listens to what happens.
    Attached {
        /// A number of its own.
        session: u64,
        /// Who.
        who: Who,
    },
    /// And no longer does.
    Left {
        /// Its number.
        session: u64,
    },
    /// Somebody follows a log, or no longer does.
    Follower {
        /// One more, or one less.
        joined: bool,
    },
    /// The settings as they are now, or what is wrong with them.
    Settings(Result<crate::domain::settings::Settings, String>),
    /// A part of the daemon changed its state.
    Subsystem(String),
    /// A signal came to the daemon itself: end all, with or without grace.
    EndAll {
        /// Without grace.
        at_once: bool,
    },
}

/// One tree to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SweepOrder {
    /// Which instance.
    pub id: InstanceId,
    /// Which run.
    pub run: RunId,
    /// The pid that the run's main process had.
    pub main: i32,
    /// How.
    pub how: Sweep,
    /// What a polite end begins with.
    pub signal: Signal,
    /// Whether an earlier keeper made the run: what it leaves behind is not below the present one.
    pub adopted: bool,
}

/// What is kept of the archives of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    /// How many.
    pub archives: u32,
    /// None that was written last so long ago.
    pub max_age: Option<std::time::Duration>,
    /// Whether they are compressed.
    pub compress: bool,
}

impl Keep {
    /// What a definition says.
    pub(super) fn of(policy: &LogPolicy) -> Self {
        Self {
            archives: policy.archives,
            max_age: policy.archive_age,
            compress: policy.compress,
        }
    }
}

/// What the supervisor wants done, in this order.
#[derive(Debug)]
pub(super) enum Deed {
    /// Tell the keeper.
    Keeper(ToKeeper),
    /// Tell the scribe.
    Scribe(ToScribe),
    /// Other limits for the logs of an instance.
    Limits {
        /// Which instance.
        id: InstanceId,
        /// The limits, with the files they are for.
        routes: Routes,
    },
    /// Append to the state.
    Store {
        /// What.
        record: Record,
        /// Asks for an answer.
        ticket: Option<u64>,
        /// The answer says that it would survive a power cut, not only the daemon.
        durable: bool,
    },
    /// Remember about an operation, before anything that follows is done.
    Remember(Entry),
    /// Forget what was remembered, except this.
    RememberAnew(Vec<Entry>),
    /// Append to the history.
    History(Event),
    /// Append to the journal of runs.
    Saw(Seen),
    /// Have the keeper go on as this program, when the daemon has left.
    Upgrade(PathBuf),
    /// Look for what is left of a tree.
    Sweep(SweepOrder),
    /// Look again for all that wait.
    SweepAgain,
    /// Stop looking.
    SweepOver(InstanceId),
    /// Measure this run from now on.
    Track {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// Its main process.
        pid: i32,
        /// Its start.
        start: u64,
    },
    /// Stop measuring.
    Untrack(InstanceId),
    /// Find out the proportional set of this run's tree.
    Confirm {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
    },
    /// Find out what the kernel knows of the end of this run: nobody of adasa killed it.
    Autopsy {
        /// Which instance.
        id: InstanceId,
        /// Which run.
        run: RunId,
        /// The pid of its main process.
        pid: i32,
        /// When it began, microseconds since boot.
        begun_us: u64,
    },
    /// Compress and count archives of this file.
    Retain {
        /// The file.
        path: PathBuf,
    },
    /// Remove the oldest archives of all logs that share the disk with this file, if that is full.
    MakeRoom {
        /// The file.
        path: PathBuf,
    },
    /// Other numbers for a log.
    Retention {
        /// The file and its limits.
        route: Route,
        /// What is kept of its archives.
        keep: Keep,
    },
    /// Remove the archives of a file.
    ClearArchives {
        /// Asks for an answer.
        ticket: u64,
        /// The file.
        path: PathBuf,
    },
    /// Files grew: wake who follows.
    Grew,
    /// Begin the daemon's own log anew.
    ReopenLog,
    /// Say in it where every instance stands: behind a beginning that was asked for before.
    Dump,
    /// End this daemon (the keeper starts another, or has been told to quit).
    Leave,
}
