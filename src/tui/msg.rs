//! What the model is told, and what it wants done.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::api::{
    Act, LogLine, LogPageQuery, LogQuery, LogSearchQuery, OperationView, Push, Record, RecordQuery,
    RolloutControl, Scale, SearchNews, SendSignal,
};
use crate::domain::names::{InstanceId, OperationId};

use super::link::Alive;
use super::query::{Answer, Query, Ticket};
use super::verbs::Refusal;

/// What the model is told.
#[derive(Debug, Clone)]
pub(super) enum Msg {
    /// Time passed.
    Tick {
        now: Duration,
        wall_ms: u64,
    },
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// By the daemon.
    Push(Push),
    /// The connection is over, or could not be made.
    Lost {
        why: String,
        /// From now until the next try.
        next: Duration,
    },
    /// What became of an operation.
    Answered {
        ids: Vec<InstanceId>,
        result: Result<OperationView, Refusal>,
    },
    /// What became of taking back.
    Undone(Result<OperationView, String>),
    /// What the daemon answered to a question of a screen.
    Fetched {
        ticket: Ticket,
        answer: Result<Answer, String>,
    },
    /// Lines of a stream of a log view.
    Streamed {
        ticket: Ticket,
        lines: Vec<LogLine>,
    },
    /// Records of the daemon's own log.
    Records {
        ticket: Ticket,
        records: Vec<Record>,
    },
    /// A stream is over.
    StreamOver {
        ticket: Ticket,
    },
    /// News of a search.
    News {
        ticket: Ticket,
        news: Result<SearchNews, String>,
    },
    /// Something was done that is told in a remark.
    Said(Result<String, String>),
    /// Who of those that were up is alive.
    Alive(Alive),
    /// A frame is on the screen.
    Drawn,
}

/// What the model wants done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cmd {
    /// Carry this out; these are the instances that wait for it.
    Call {
        act: Act,
        ids: Vec<InstanceId>,
    },
    /// Give a process another number of instances; these are the instances that wait for it.
    Scale {
        wish: Scale,
        ids: Vec<InstanceId>,
    },
    /// Send a signal to these.
    Signal {
        wish: SendSignal,
        ids: Vec<InstanceId>,
    },
    /// Pause, resume or abort a rolling restart.
    Control {
        operation: OperationId,
        what: RolloutControl,
    },
    /// Take the last operation back.
    Undo {
        operation: OperationId,
    },
    /// Ask the daemon this.
    Fetch {
        ticket: Ticket,
        query: Query,
    },
    /// Follow this log until it is closed.
    Stream {
        ticket: Ticket,
        query: LogQuery,
    },
    /// Follow the daemon's own log until it is closed.
    Records {
        ticket: Ticket,
        query: RecordQuery,
    },
    /// Search until it is closed.
    Search {
        ticket: Ticket,
        query: LogSearchQuery,
    },
    /// End a stream or a search.
    Close {
        ticket: Ticket,
    },
    /// Put this on the clipboard.
    Copy(String),
    /// Leave the screen and print these lines, for the terminal's own selection.
    Plain(Vec<String>),
    /// Take the screen again.
    Enter,
    /// Give the terminal to the pager, with these lines.
    Page(Saving),
    /// Give the terminal to the editor, with the definition of this process.
    Edit {
        name: String,
    },
    /// Give the terminal to the editor, with a config file in this folder: a new one where there is none.
    Init,
    /// Write lines to a file that is not there yet.
    Save {
        path: PathBuf,
        /// The bytes as they were written, or harmless text.
        raw: bool,
        what: Saving,
    },
    /// Try to connect now.
    Retry,
    /// Look whether these are alive: pid and start, of processes and of the daemon.
    Look {
        pids: Vec<(i32, u64)>,
        daemon: Option<(i32, u64)>,
    },
    Redraw,
    Suspend,
    Quit,
}

/// Which lines are saved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Saving {
    All(LogQuery),
    Page(LogPageQuery),
}
