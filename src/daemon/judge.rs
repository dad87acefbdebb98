//! How far an instance is with what was asked of it.

use crate::domain::exit::Exit;
use crate::domain::instance::{Goal, Phase};
use crate::domain::names::RunId;
use crate::domain::operation::{Progress, Verb};

use super::member::Member;

pub(super) fn failed(reason: impl Into<String>) -> Progress {
    Progress::Failed {
        reason: reason.into(),
    }
}

fn last_end(exit: Option<Exit>, because: &str) -> String {
    exit.map_or_else(|| because.to_owned(), |e| e.ending.to_string())
}

/// How far an instance is with what was asked for.
pub(super) fn judge(verb: Verb, base: RunId, member: &Member) -> Progress {
    let phase = member.machine.phase();
    let newer = member.machine.run() > base;
    match verb {
        Verb::Start | Verb::Restart => {
            let arrived = verb == Verb::Start || newer;
            match phase {
                Phase::Running if arrived => Progress::Done,
                Phase::Exited if newer => Progress::Done,
                Phase::Failed | Phase::Backoff if newer => failed(format!(
                    "it ended at once: {}",
                    last_end(member.exit, &member.because)
                )),
                Phase::Failed => failed(last_end(member.exit, &member.because)),
                Phase::Removed => failed("it was deleted meanwhile"),
                Phase::Stopped => failed("it was stopped meanwhile"),
                Phase::Spawning { .. }
                | Phase::Starting
                | Phase::Running
                | Phase::Stopping { .. }
                | Phase::Killing { .. }
                | Phase::Sweeping { .. }
                | Phase::Backoff
                | Phase::Exited => match phase.goal() {
                    Goal::Up | Goal::Replaced => Progress::Pending,
                    Goal::Down => failed("it was stopped meanwhile"),
                    Goal::Removed => failed("it was deleted meanwhile"),
                },
            }
        }
        Verb::Stop | Verb::Kill => match phase {
            Phase::Stopped | Phase::Removed => Progress::Done,
            Phase::Spawning { .. }
            | Phase::Starting
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed => match phase.goal() {
                Goal::Down | Goal::Removed => Progress::Pending,
                Goal::Up | Goal::Replaced => failed("it was started again meanwhile"),
            },
        },
        Verb::Delete => Progress::Pending,
    }
}
