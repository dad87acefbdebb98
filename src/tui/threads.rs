//! The threads around the loop: keys, signals, the daemon's events, a log, requests. Each only tells.

use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::thread;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal as Native};
use serde::de::DeserializeOwned;

use crate::api::{
    Act, Code, LogLine, LogQuery, LogSearchQuery, OperationView, Progress, Push, Record,
    RecordQuery, RolloutControl, Scale, SearchNews, SendSignal, TargetView, Undo,
};
use crate::client::{Client, ClientError, Closer, JsonLines};
use crate::domain::names::{InstanceId, OperationId};
use crate::platform::guardian::leave_now;

use super::link::Alive;
use super::msg::Saving;
use super::query::{Answer, Query, Ticket};
use super::terminal::restore;
use super::verbs::Refusal;
use super::{clipboard, saving};

/// The longest wait between two tries to connect: a daemon that is back is on the screen within a second.
const RETRY_MAX: Duration = Duration::from_millis(800);
/// How long a request for an operation waits for its end.
const OPERATION: Duration = Duration::from_secs(30);

/// What the threads tell.
pub(super) enum In {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    /// Nobody reads keys any more: somebody else had the terminal.
    KeysOver,
    Resize(u16, u16),
    /// The job was continued.
    Continued,
    /// Ctrl-Z from outside.
    Suspend,
    Push(Box<Push>),
    Lost {
        why: String,
        /// From now until the next try.
        next: Duration,
    },
    Answered {
        ids: Vec<InstanceId>,
        result: Result<OperationView, Refusal>,
    },
    Undone(Result<OperationView, String>),
    Fetched {
        ticket: Ticket,
        answer: Result<Answer, String>,
    },
    Alive(Alive),
    /// A stream or a search of a log view is open.
    Flowing {
        ticket: Ticket,
        closer: Closer,
    },
    Streamed {
        ticket: Ticket,
        line: Box<LogLine>,
    },
    Records {
        ticket: Ticket,
        records: Vec<Record>,
    },
    StreamOver(Ticket),
    News {
        ticket: Ticket,
        news: Result<SearchNews, String>,
    },
    Said(Result<String, String>),
}

pub(super) type Teller = SyncSender<In>;

/// Blocks the signals that [`signals`] takes; before any other thread is made.
pub(super) fn block_signals() -> io::Result<SigSet> {
    let set: SigSet = [
        Native::SIGTERM,
        Native::SIGHUP,
        Native::SIGINT,
        Native::SIGQUIT,
        Native::SIGTSTP,
        Native::SIGCONT,
    ]
    .into_iter()
    .collect();
    set.thread_block()?;
    Ok(set)
}

/// Ends the process when it is told to, whatever the loop is doing.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other signals of the set end the process"
)]
pub(super) fn signals(set: SigSet, tell: Teller) {
    spawn("signals", move || {
        while let Ok(signal) = set.wait() {
            match signal {
                Native::SIGTSTP => drop(tell.try_send(In::Suspend)),
                Native::SIGCONT => drop(tell.try_send(In::Continued)),
                other => {
                    restore();
                    leave_now(u8::try_from(128 + other as i32).unwrap_or(1));
                }
            }
        }
    });
}

/// Ends the process when the terminal is gone: the reader of keys may never notice.
pub(super) fn hang_up() {
    spawn("terminal", || {
        let stdin = io::stdin();
        loop {
            // Without any event asked for, only errors and hang-ups wake.
            let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return,
            }
            let [fd] = fds;
            let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
            if fd.revents().is_some_and(|events| events.intersects(gone)) {
                leave_now(129);
            }
        }
    });
}

/// Reads keys.
pub(super) fn keys(tell: Teller) {
    spawn("keys", move || {
        // Behind another program a read fails; it does not stop the dashboard.
        let mut quiet = SigSet::empty();
        quiet.add(Native::SIGTTIN);
        let _ = quiet.thread_block();
        loop {
            let told = match crossterm::event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => In::Key(key),
                Ok(Event::Paste(text)) => In::Paste(text),
                Ok(Event::Resize(width, height)) => In::Resize(width, height),
                Ok(Event::Mouse(event)) => In::Mouse(event),
                Ok(Event::Key(_) | Event::FocusGained | Event::FocusLost) => continue,
                // Also while another program is in front; then the loop waits for that, and begins anew.
                Err(_) => {
                    drop(tell.send(In::KeysOver));
                    return;
                }
            };
            if tell.send(told).is_err() {
                return;
            }
        }
    });
}

/// Stays connected; a word on the returned channel tries at once.
pub(super) fn events(client: Client, tell: Teller) -> Sender<()> {
    let (retry, now) = channel();
    spawn("events", move || {
        let mut wait = Duration::ZERO;
        let mut last = None;
        loop {
            let why = match listen(&client, &tell, &mut wait, &mut last) {
                Some(error) => error,
                None => return,
            };
            let lost = In::Lost { why, next: wait };
            if tell.send(lost).is_err() || !pause(&now, wait) {
                return;
            }
            wait = (wait * 2).clamp(Duration::from_millis(100), RETRY_MAX);
        }
    });
    retry
}

/// False when the dashboard is over.
fn pause(now: &Receiver<()>, wait: Duration) -> bool {
    match now.recv_timeout(wait) {
        Ok(()) | Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}

/// Why the connection ended; none when nobody listens to us any more. It goes on behind the last id, and leaves it
/// for the next.
fn listen(
    client: &Client,
    tell: &Teller,
    wait: &mut Duration,
    last: &mut Option<String>,
) -> Option<String> {
    let mut stream = match client.events_after(last.as_deref()) {
        Ok(stream) => stream,
        Err(error) => return Some(error.to_string()),
    };
    loop {
        match stream.next_push() {
            Ok(Some(push)) => {
                *wait = Duration::ZERO;
                *last = stream.last_id().map(str::to_owned);
                tell.send(In::Push(Box::new(push))).ok()?;
            }
            Ok(None) => return Some("the daemon ended the connection".into()),
            Err(error) => return Some(error.to_string()),
        }
    }
}

/// Follows a log for a view.
pub(super) fn stream(client: Client, ticket: Ticket, query: LogQuery, tell: Teller) {
    spawn("stream", move || {
        flow(ticket, client.logs(&query), &tell, |line| In::Streamed {
            ticket,
            line: Box::new(line),
        });
    });
}

/// Follows the daemon's own log.
pub(super) fn records(client: Client, ticket: Ticket, query: RecordQuery, tell: Teller) {
    spawn("records", move || {
        flow(ticket, client.daemon_log(&query), &tell, |record| {
            In::Records {
                ticket,
                records: vec![record],
            }
        });
    });
}

/// Tells each line of a stream, and its end.
fn flow<T: DeserializeOwned>(
    ticket: Ticket,
    opened: Result<JsonLines<T>, ClientError>,
    tell: &Teller,
    told: impl Fn(T) -> In,
) {
    let opened = opened.and_then(|lines| Ok((lines.closer()?, lines)));
    if let Ok((closer, mut lines)) = opened {
        if tell.send(In::Flowing { ticket, closer }).is_err() {
            return;
        }
        while let Ok(Some(line)) = lines.next_line() {
            if tell.send(told(line)).is_err() {
                return;
            }
        }
    }
    drop(tell.send(In::StreamOver(ticket)));
}

/// Searches for a view.
pub(super) fn search(client: Client, ticket: Ticket, query: LogSearchQuery, tell: Teller) {
    spawn("search", move || {
        let opened = client
            .log_search(&query)
            .and_then(|hits| Ok((hits.closer()?, hits)));
        let (closer, mut hits) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let news = Err(in_words(error));
                drop(tell.send(In::News { ticket, news }));
                return;
            }
        };
        if tell.send(In::Flowing { ticket, closer }).is_err() {
            return;
        }
        loop {
            let news = match hits.next_line() {
                Ok(Some(news)) => Ok(news),
                // Its end is told before it ends.
                Ok(None) => return,
                Err(error) => Err(in_words(error)),
            };
            let over = news.is_err();
            if tell.send(In::News { ticket, news }).is_err() || over {
                return;
            }
        }
    });
}

/// Saves lines to a file and says what became of it.
pub(super) fn save(client: Client, path: PathBuf, raw: bool, what: Saving, tell: Teller) {
    spawn("save", move || {
        let _ = tell.send(In::Said(saving::save(&client, &path, raw, what)));
    });
}

/// Puts text on the clipboard and says what became of it.
pub(super) fn copy(text: String, tell: Teller) {
    spawn("copy", move || {
        let _ = tell.send(In::Said(clipboard::copy(&text)));
    });
}

/// Carries out an operation and says what became of it.
pub(super) fn call(client: Client, act: Act, ids: Vec<InstanceId>, tell: Teller) {
    spawn("call", move || {
        let result = client.act(&act, OPERATION).map_err(refusal);
        let _ = tell.send(In::Answered { ids, result });
    });
}

/// Gives a process another number of instances and says what became of it.
pub(super) fn scale(client: Client, wish: Scale, ids: Vec<InstanceId>, tell: Teller) {
    spawn("scale", move || {
        let result = client.scale(&wish, OPERATION).map_err(refusal);
        for change in result.iter().flat_map(|applied| &applied.results) {
            let note = change.note.as_deref().unwrap_or_default();
            let text = format!("{} {} {note}", change.name, change.action.word());
            let _ = tell.send(In::Said(Ok(text)));
        }
        let result = result.map(|applied| applied.operation);
        let _ = tell.send(In::Answered { ids, result });
    });
}

/// Has a signal sent and says what became of it.
pub(super) fn signal(client: Client, wish: SendSignal, ids: Vec<InstanceId>, tell: Teller) {
    spawn("signal", move || {
        let result = client.send_signal(&wish, OPERATION).map_err(refusal);
        if let Ok(view) = &result {
            let got = |t: &&TargetView| t.progress == Progress::Done;
            let names: Vec<&str> = view.targets.iter().filter(got).map(|t| &*t.name).collect();
            if !names.is_empty() {
                let (signal, whom) = (wish.send.signal, wish.send.whom.words());
                let text = format!("{signal} was sent to {whom} of {}", names.join(" "));
                let _ = tell.send(In::Said(Ok(text)));
            }
        }
        let _ = tell.send(In::Answered { ids, result });
    });
}

/// Takes the last operation back.
pub(super) fn undo(client: Client, operation: OperationId, tell: Teller) {
    spawn("undo", move || {
        let undo = Undo {
            operation,
            undo: None,
            durable: false,
        };
        let result = client.undo(&undo, OPERATION).map_err(in_words);
        let _ = tell.send(In::Undone(result));
    });
}

/// Pauses, resumes or aborts a rolling restart.
pub(super) fn control(client: Client, id: OperationId, what: RolloutControl, tell: Teller) {
    spawn("control", move || {
        let result = client.control_operation(&id, what).map_err(refusal);
        let ids = Vec::new();
        let _ = tell.send(In::Answered { ids, result });
    });
}

/// Asks for what a screen wants to know.
pub(super) fn fetch(client: Client, ticket: Ticket, query: Query, tell: Teller) {
    spawn("fetch", move || {
        let answer = query.ask(&client).map_err(in_words);
        let _ = tell.send(In::Fetched { ticket, answer });
    });
}

fn refusal(error: ClientError) -> Refusal {
    let stale = matches!(&error, ClientError::Refused(e) if e.code == Code::StaleTarget);
    Refusal {
        why: in_words(error),
        stale,
    }
}

pub(super) fn in_words(error: ClientError) -> String {
    match error {
        ClientError::Refused(error) => match error.hint {
            Some(hint) => format!("{} ({hint})", error.message),
            None => error.message,
        },
        ClientError::NoDaemon { .. }
        | ClientError::Launch(_)
        | ClientError::Folders(_)
        | ClientError::Socket { .. }
        | ClientError::Unresponsive(_)
        | ClientError::Unreachable(_)
        | ClientError::Garbage(_) => error.to_string(),
    }
}

/// Looks whether processes are alive.
pub(super) fn look(pids: Vec<(i32, u64)>, daemon: Option<(i32, u64)>, tell: Teller) {
    spawn("look", move || {
        let is_alive = |(pid, start): &(i32, u64)| crate::platform::procfs::is_alive(*pid, *start);
        let alive = Alive {
            alive: pids.iter().filter(|it| is_alive(it)).count(),
            of: pids.len(),
            daemon: daemon.as_ref().map(is_alive),
        };
        let _ = tell.send(In::Alive(alive));
    });
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let built = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(512 * 1024);
    // Without a thread the screen lacks something; it does not lie.
    let _ = built.spawn(work);
}
