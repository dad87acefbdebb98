//! What clients ask, and who answers it.

use crate::domain::who::Who;

use super::message::Request;
use super::supervisor::{Ending, Supervisor};

impl Supervisor {
    pub(super) fn request(&mut self, request: Request) {
        if self.ending != Ending::No && is_change(&request) {
            // The reply goes with the request, which says that the daemon is ending.
            return;
        }
        self.client = client_of(&request).cloned();
        match request {
            Request::List(select, reply) => {
                let views = self.select(&select).map(|ids| self.views(&ids));
                let _ = reply.send(views);
            }
            Request::Detail(select, reply) => {
                let details = self.select(&select).map(|ids| self.details(&ids));
                let _ = reply.send(details);
            }
            Request::Act(act, by, reply) => self.act(act, &by.to_string(), reply),
            Request::Plan(query, reply) => {
                let _ = reply.send(self.plan(&query));
            }
            Request::Definition(select, reply) => drop(reply.send(self.definition(&select))),
            Request::Reveal(wish, _, reply) => drop(reply.send(self.reveal(&wish))),
            Request::Edit(wish, by, reply) => self.edit(*wish, &by.to_string(), reply),
            Request::Scale(wish, by, reply) => self.scale(wish, &by.to_string(), reply),
            Request::Signal(wish, by, reply) => self.signal(wish, &by.to_string(), reply),
            Request::ControlRollout(id, what, by, reply) => {
                let answer = self.control_rollout(&id, what, &by.to_string());
                let _ = reply.send(answer);
            }
            Request::Undo(undo, by, reply) => {
                self.take_back_operation(undo, &by.to_string(), reply)
            }
            Request::UndoList(reply) => {
                let _ = reply.send(Ok(self.undo_views()));
            }
            Request::Operations(reply) => {
                let _ = reply.send(Ok(self.operation_views()));
            }
            Request::Define(define, by, reply) => self.define(*define, &by.to_string(), reply),
            Request::Apply(apply, by, reply) => self.apply(*apply, &by.to_string(), reply),
            Request::Down(down, by, reply) => self.down(down, &by.to_string(), reply),
            Request::Operation(id, reply) => {
                let _ = reply.send(self.operation_view(&id));
            }
            Request::OperationDone(id, reply) => self.when_done(&id, reply),
            Request::Info(reply) => {
                let mut info = self.info();
                if let Some(board) = &mut self.board {
                    info.subsystems = board.views();
                }
                let _ = reply.send(Ok(info));
            }
            Request::Control(what, by, reply) => {
                self.control(what, &by.to_string());
                let _ = reply.send(Ok(()));
            }
            Request::Subscribe(last, reply) => {
                let _ = reply.send(self.join(last));
            }
            Request::MetricHistory(select, reply) => {
                let told = self.select(&select).map(|ids| self.metric_histories(&ids));
                let _ = reply.send(told);
            }
            Request::Subjects(select, reply) => {
                let subjects = self.select(&select).map(|ids| self.subjects(&ids));
                let _ = reply.send(subjects);
            }
            Request::Logs(select, reply) => {
                let sources = self.select(&select).map(|ids| self.log_sources(&ids));
                let _ = reply.send(sources);
            }
            Request::Clients(reply) => {
                let _ = reply.send(Ok(self.clients.views()));
            }
            Request::TendLogs(select, how, _, reply) => {
                self.tend_logs(&select, how, reply);
            }
        }
        self.client = None;
    }
}

/// Whose request it is, where that is remembered.
fn client_of(request: &Request) -> Option<&Who> {
    match request {
        Request::Act(_, who, _)
        | Request::Scale(_, who, _)
        | Request::Edit(_, who, _)
        | Request::Reveal(_, who, _)
        | Request::Signal(_, who, _)
        | Request::ControlRollout(_, _, who, _)
        | Request::Undo(_, who, _)
        | Request::Define(_, who, _)
        | Request::Apply(_, who, _)
        | Request::Down(_, who, _)
        | Request::Control(_, who, _)
        | Request::TendLogs(_, _, who, _) => Some(who),
        Request::List(..)
        | Request::Detail(..)
        | Request::Plan(..)
        | Request::Definition(..)
        | Request::Operation(..)
        | Request::OperationDone(..)
        | Request::Operations(..)
        | Request::UndoList(..)
        | Request::Info(..)
        | Request::Subscribe(..)
        | Request::MetricHistory(..)
        | Request::Subjects(..)
        | Request::Clients(..)
        | Request::Logs(..) => None,
    }
}

/// Whether a request changes something, which is too late while everything ends.
fn is_change(request: &Request) -> bool {
    match request {
        Request::Act(..)
        | Request::Scale(..)
        | Request::Edit(..)
        | Request::Signal(..)
        | Request::ControlRollout(..)
        | Request::Undo(..)
        | Request::Define(..)
        | Request::Apply(..)
        | Request::Down(..) => true,
        Request::List(..)
        | Request::Detail(..)
        | Request::Plan(..)
        | Request::Definition(..)
        | Request::Reveal(..)
        | Request::Operation(..)
        | Request::OperationDone(..)
        | Request::Operations(..)
        | Request::UndoList(..)
        | Request::Info(..)
        | Request::Control(..)
        | Request::Subscribe(..)
        | Request::MetricHistory(..)
        | Request::Subjects(..)
        | Request::Clients(..)
        | Request::Logs(..)
        | Request::TendLogs(..) => false,
    }
}
