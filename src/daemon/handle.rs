//! The only door to the supervisor.

use tokio::sync::{mpsc, oneshot};

use crate::api::{
    Act, ApiError, Applied, Apply, ClientView, Code, DaemonInfo, Define, Definition, Detail, Down,
    Edit, InstanceView, MetricHistory, OperationView, PlanQuery, Reveal, Revealed, RolloutControl,
    Scale, SendSignal, ServerControl, Undo, UndoView,
};
use crate::domain::names::OperationId;
use crate::domain::selector::Selector;
use crate::domain::who::Who;

use super::message::{LogSource, Msg, Reply, Request};
use super::plan::Planned;
use super::runs::Subject;

pub(crate) use super::hub::{Follow, Subscription};
pub(crate) use super::message::{Joined, Tending};

/// How many requests may wait for the supervisor; more wait at the door.
pub(crate) const QUEUE: usize = 1024;

/// Asks the supervisor.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    sender: mpsc::Sender<Msg>,
}

fn gone() -> ApiError {
    ApiError::new(Code::ShuttingDown, "the daemon is ending")
}

macro_rules! ask {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $variant:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// The supervisor's answer.
        pub(crate) async fn $name(&self, $($arg: $type),*) -> Result<$answer, ApiError> {
            self.ask(|reply| $variant($($arg,)* reply)).await
        }
    };
}

impl Handle {
    /// A door that leads to this queue.
    #[must_use]
    pub(crate) fn new(sender: mpsc::Sender<Msg>) -> Self {
        Self { sender }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, ApiError> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .send(Msg::Request(request(reply)))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    ask!(
        /// The rows of what is selected.
        list(select: Vec<Selector>) -> Vec<InstanceView> = Request::List
    );
    ask!(
        /// Everything about what is selected.
        detail(select: Vec<Selector>) -> Vec<Detail> = Request::Detail
    );
    ask!(
        /// Begins an operation.
        act(act: Act, who: Who) -> OperationView = Request::Act
    );
    ask!(
        /// What something would do.
        plan(query: PlanQuery) -> Planned = Request::Plan
    );
    ask!(
        /// A whole definition.
        definition(select: Selector) -> Definition = Request::Definition
    );
    ask!(
        /// One value of an environment.
        reveal(wish: Reveal, who: Who) -> Revealed = Request::Reveal
    );
    ask!(
        /// Begins to scale a process.
        scale(scale: Scale, who: Who) -> Applied = Request::Scale
    );
    ask!(
        /// Has a signal sent.
        signal(wish: SendSignal, who: Who) -> OperationView = Request::Signal
    );
    ask!(
        /// Pauses, resumes or aborts a rolling restart.
        control_rollout(id: OperationId, what: RolloutControl, who: Who) -> OperationView = Request::ControlRollout
    );
    ask!(
        /// Takes an operation back.
        undo(undo: Undo, who: Who) -> OperationView = Request::Undo
    );
    ask!(
        /// What can be taken back.
        undo_list() -> Vec<UndoView> = Request::UndoList
    );
    ask!(
        /// All operations that are known.
        operations() -> Vec<OperationView> = Request::Operations
    );
    ask!(
        /// Begins to apply a file.
        down(down: Down, who: Who) -> Applied = Request::Down
    );
    ask!(
        /// How far an operation is.
        operation(id: OperationId) -> OperationView = Request::Operation
    );
    ask!(
        /// An operation, when it is done.
        operation_done(id: OperationId) -> OperationView = Request::OperationDone
    );
    ask!(
        /// The daemon itself.
        info() -> DaemonInfo = Request::Info
    );
    ask!(
        /// Ends or replaces the daemon.
        control(what: ServerControl, who: Who) -> () = Request::Control
    );
    ask!(
        /// What is selected used over time.
        metric_history(select: Vec<Selector>) -> Vec<MetricHistory> = Request::MetricHistory
    );
    ask!(
        /// What the journal of runs is read for.
        subjects(select: Vec<Selector>) -> Vec<Subject> = Request::Subjects
    );
    ask!(
        /// The log files of what is selected.
        logs(select: Vec<Selector>) -> Vec<LogSource> = Request::Logs
    );
    ask!(
        /// Who listens to what happens.
        clients() -> Vec<ClientView> = Request::Clients
    );
    ask!(
        /// Empties or rotates the logs of what is selected.
        tend_logs(select: Vec<Selector>, how: Tending, who: Who) -> Vec<LogSource> = Request::TendLogs
    );

    /// Defines and starts.
    ///
    /// # Errors
    /// The supervisor's answer.
    pub(crate) async fn define(&self, define: Define, who: Who) -> Result<OperationView, ApiError> {
        self.ask(|reply| Request::Define(Box::new(define), who, reply))
            .await
    }

    /// Brings an edited definition in force.
    ///
    /// # Errors
    /// The supervisor's answer.
    pub(crate) async fn edit(&self, edit: Edit, by: Who) -> Result<Applied, ApiError> {
        self.ask(|reply| Request::Edit(Box::new(edit), by, reply))
            .await
    }

    /// Brings a file in force.
    ///
    /// # Errors
    /// The supervisor's answer.
    pub(crate) async fn apply(&self, apply: Apply, who: Who) -> Result<Applied, ApiError> {
        self.ask(|reply| Request::Apply(Box::new(apply), who, reply))
            .await
    }

    /// What follows this epoch and number; everything at one moment, and what follows that, where it is not kept.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub(crate) async fn subscribe(&self, last: Option<(u64, u64)>) -> Result<Joined, ApiError> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .send(Msg::Request(Request::Subscribe(last, reply)))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}
