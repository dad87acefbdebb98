//! The parts of the daemon around the supervisor: named tasks that are started again when they fail, and that end
//! together.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::SubsystemView;

/// The longest wait before a part is started again.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// What a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Running,
    /// It failed and waits for its next start.
    Failed,
    /// It ended, as everything does.
    Stopped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Keeps the parts alive.
#[derive(Debug, Clone)]
pub(crate) struct Subsystems {
    tracker: TaskTracker,
    token: CancellationToken,
    changes: mpsc::SyncSender<(&'static str, State)>,
}

/// Reads what the parts are doing; one owner.
#[derive(Debug)]
pub(crate) struct Board {
    changes: mpsc::Receiver<(&'static str, State)>,
    states: BTreeMap<&'static str, (State, u32)>,
}

impl Board {
    /// What each part is doing now.
    pub(crate) fn views(&mut self) -> Vec<SubsystemView> {
        while let Ok((name, state)) = self.changes.try_recv() {
            let entry = self.states.entry(name).or_insert((state, 0));
            if entry.0 == State::Failed && state == State::Running {
                entry.1 += 1;
            }
            entry.0 = state;
        }
        self.states
            .iter()
            .map(|(name, (state, restarts))| SubsystemView {
                name: (*name).to_owned(),
                state: state.word().to_owned(),
                restarts: *restarts,
            })
            .collect()
    }
}

impl Subsystems {
    /// None yet.
    #[must_use]
    pub(crate) fn new() -> (Self, Board) {
        let (changes, receiver) = mpsc::sync_channel(256);
        let subsystems = Self {
            tracker: TaskTracker::new(),
            token: CancellationToken::new(),
            changes,
        };
        let board = Board {
            changes: receiver,
            states: BTreeMap::new(),
        };
        (subsystems, board)
    }

    fn say(&self, name: &'static str, state: State) {
        let _ = self.changes.try_send((name, state));
    }

    /// Says what a part that has a thread of its own is doing.
    pub(crate) fn note(&self, name: &'static str, state: State) {
        self.say(name, state);
    }

    /// Runs a part; a panic or an end of its own is said and followed by another start, with growing waits.
    pub(crate) fn run<F, P>(
        &self,
        name: &'static str,
        mut part: P,
        failed: impl Fn(String) + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
        P: FnMut() -> F + Send + 'static,
    {
        let it = self.clone();
        self.tracker.spawn(async move {
            let mut wait = Duration::from_millis(100);
            loop {
                it.say(name, State::Running);
                let task = tokio::spawn(part());
                let abort = task.abort_handle();
                let ended = tokio::select! {
                    ended = task => ended,
                    () = it.token.cancelled() => {
                        abort.abort();
                        it.say(name, State::Stopped);
                        return;
                    }
                };
                it.say(name, State::Failed);
                failed(match ended {
                    Ok(()) => format!("{name} ended and is started again"),
                    Err(error) => format!("{name} failed and is started again: {error}"),
                });
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = it.token.cancelled() => return,
                }
                wait = (wait * 2).min(BACKOFF_MAX);
            }
        });
    }

    /// Ends all parts, within `grace`.
    pub(crate) async fn end(&self, grace: Duration) {
        self.token.cancel();
        self.tracker.close();
        let _ = tokio::time::timeout(grace, self.tracker.wait()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_panics_is_said_and_started_again() {
        let (subsystems, mut board) = Subsystems::new();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
        let mut starts = 0;
        subsystems.run(
            "shaky",
            move || {
                starts += 1;
                let first = starts == 1;
                async move {
                    assert!(!first, "on purpose");
                    std::future::pending::<()>().await;
                }
            },
            move |text| {
                let _ = sender.try_send(text);
            },
        );
        let text = receiver.recv().await.unwrap();
        assert!(text.contains("shaky failed"), "{text}");
        tokio::time::advance(Duration::from_millis(101)).await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let views = board.views();
        assert_eq!((views[0].state.as_str(), views[0].restarts), ("running", 1));
        subsystems.end(Duration::from_secs(1)).await;
        assert_eq!(board.views()[0].state, "stopped");
    }
}
