//! Whether the daemon is there, and what is known while it is not.

use std::time::Duration;

use super::model::{Mode, Model};
use super::msg::Cmd;
use super::screens;

/// The connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Link {
    /// Not yet.
    Connecting,
    Live,
    Lost(Lost),
}

/// Who of those that were up is alive by pid and start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alive {
    /// Processes.
    pub(super) alive: usize,
    /// Of so many.
    pub(super) of: usize,
    /// Whether the daemon is; none when it was never there.
    pub(super) daemon: Option<bool>,
}

/// What is known about a lost connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    pub(super) since: Duration,
    /// Wall-clock milliseconds.
    pub(super) since_ms: u64,
    pub(super) why: String,
    pub(super) attempts: u32,
    /// When the next try begins.
    pub(super) next: Duration,
    /// Who is alive, looked at here.
    pub(super) alive: Option<Alive>,
    /// Whether the box was put away.
    pub(super) hidden: bool,
}

/// The time until the next try is shown in steps of this.
const STEP: Duration = Duration::from_millis(200);

impl Lost {
    /// Until the next try; none while it is under way.
    pub(super) fn until_next(&self, now: Duration) -> Option<Duration> {
        let left = self.next.saturating_sub(now);
        (!left.is_zero()).then_some(left)
    }

    /// When that is shown as another time.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        let left = self.until_next(now).filter(|_| !self.hidden)?;
        let over = left.as_millis().saturating_sub(1) % STEP.as_millis() + 1;
        Some(now + Duration::from_millis(u64::try_from(over).ok()?))
    }
}

/// The connection is over, or another try was in vain.
pub(super) fn lost(model: &mut Model, why: String, next: Duration, commands: &mut Vec<Cmd>) {
    let next = model.now + next;
    match &mut model.link {
        Link::Lost(lost) => {
            lost.attempts += 1;
            lost.why = why;
            lost.next = next;
        }
        Link::Connecting | Link::Live => {
            model.link = Link::Lost(Lost {
                since: model.now,
                since_ms: model.wall_ms,
                why,
                attempts: 0,
                next,
                alive: None,
                hidden: false,
            });
            if matches!(model.mode, Mode::Ask(_)) {
                model.mode = Mode::Browse;
            }
            for row in model.rows.values_mut() {
                row.requested = None;
            }
        }
    }
    screens::activity::lost(model);
    let rows = model.rows.values();
    let pids = rows
        .filter_map(|row| Some((row.view.pid?, row.view.pid_start?)))
        .collect();
    let daemon = model.daemon.as_ref();
    let daemon = daemon.and_then(|it| Some((i32::try_from(it.pid).ok()?, it.pid_start?)));
    commands.push(Cmd::Look { pids, daemon });
}
