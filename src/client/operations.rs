//! Calls about operations as a whole.

use std::time::Duration;

use serde_json::json;

use crate::api::{
    Act, Applied, Definition, Edit, GateView, OperationView, PlanQuery, PlanView, Reveal, Revealed,
    RolloutControl, Scale, SendSignal, Undo, UndoView,
};
use crate::domain::names::OperationId;

use super::connect::{Client, waiting};
use super::error::ClientError;
use super::http::quote;

/// How long the daemon may count the lines of all that are compared.
const GATE: Duration = Duration::from_secs(5);

impl Client {
    /// Begins an operation and waits for its end for a while.
    ///
    /// # Errors
    /// As every call.
    pub fn act(&self, act: &Act, wait: Duration) -> Result<OperationView, ClientError> {
        self.post(&waiting("/api/operations", wait), act, wait)
    }

    /// Begins to give a process another number of instances, and waits for the end of that for a while.
    ///
    /// # Errors
    /// As every call.
    pub fn scale(&self, scale: &Scale, wait: Duration) -> Result<Applied, ClientError> {
        self.post(&waiting("/api/scale", wait), scale, wait)
    }

    /// The whole definition of a process, values of its environment masked.
    ///
    /// # Errors
    /// As every call.
    pub fn definition(&self, select: &str) -> Result<Definition, ClientError> {
        let target = format!("/api/processes/{}/definition", quote(select));
        self.get(&target, Duration::ZERO)
    }

    /// One value of the environment of a definition; that it was asked for is remembered.
    ///
    /// # Errors
    /// As every call.
    pub fn reveal(&self, wish: &Reveal) -> Result<Revealed, ClientError> {
        self.post("/api/reveal", wish, Duration::ZERO)
    }

    /// Brings an edited definition in force.
    ///
    /// # Errors
    /// As every call.
    pub fn edit(&self, edit: &Edit, wait: Duration) -> Result<Applied, ClientError> {
        self.post(&waiting("/api/edit", wait), edit, wait)
    }

    /// What something would do; nothing is changed.
    ///
    /// # Errors
    /// As every call.
    pub fn plan(&self, query: &PlanQuery) -> Result<PlanView, ClientError> {
        self.post("/api/plan", query, Duration::ZERO)
    }

    /// Has a signal sent.
    ///
    /// # Errors
    /// As every call.
    pub fn send_signal(
        &self,
        wish: &SendSignal,
        wait: Duration,
    ) -> Result<OperationView, ClientError> {
        self.post(&waiting("/api/signal", wait), wish, wait)
    }

    /// How far an operation is, after waiting for its end for a while.
    ///
    /// # Errors
    /// As every call.
    pub fn operation(
        &self,
        id: &OperationId,
        wait: Duration,
    ) -> Result<OperationView, ClientError> {
        self.get(&waiting(&format!("/api/operations/{id}"), wait), wait)
    }

    /// Takes an operation back.
    ///
    /// # Errors
    /// As every call.
    pub fn undo(&self, undo: &Undo, wait: Duration) -> Result<OperationView, ClientError> {
        self.post(&waiting("/api/undo", wait), undo, wait)
    }

    /// What can be taken back, the newest first.
    ///
    /// # Errors
    /// As every call.
    pub fn undo_list(&self) -> Result<Vec<UndoView>, ClientError> {
        self.get("/api/undo", Duration::ZERO)
    }

    /// All operations that the daemon knows, the oldest first.
    ///
    /// # Errors
    /// What the daemon says, or why it does not.
    pub fn operations(&self) -> Result<Vec<OperationView>, ClientError> {
        self.get("/api/operations", Duration::ZERO)
    }

    /// New instances against old, for each process of a rolling restart.
    ///
    /// # Errors
    /// As every call.
    pub fn gate(&self, id: &OperationId) -> Result<Vec<GateView>, ClientError> {
        self.get(&format!("/api/operations/{id}/gate"), GATE)
    }

    /// Pauses, resumes or aborts a rolling restart.
    ///
    /// # Errors
    /// What the daemon says, or why it does not.
    pub fn control_operation(
        &self,
        id: &OperationId,
        what: RolloutControl,
    ) -> Result<OperationView, ClientError> {
        let target = format!("/api/operations/{id}/control");
        self.post(&target, &json!(what), Duration::ZERO)
    }
}
