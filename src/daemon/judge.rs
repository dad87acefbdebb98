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

/// Why its newest run is not there any more, or never was: the exit that is known may be of the run before.
fn why_not_up(member: &Member) -> String {
    let run = member.machine.run();
    let ended = (member.last_end.as_ref()).is_some_and(|end| end.run == run);
    match member.exit.filter(|_| ended) {
        Some(exit) => format!("it ended at once: {}", exit.ending),
        None => member.because.clone(),
    }
}

/// How far an instance is with what was asked for.
pub(super) fn judge(verb: Verb, base: RunId, member: &Member) -> Progress {
    let phase = member.machine.phase();
    let newer = member.machine.run() > base;
    match verb {
        Verb::Start | Verb::Restart => {
            let arrived = verb == Verb::Start || newer;
            match phase.goal() {
                Goal::Down => failed("it was stopped meanwhile"),
                Goal::Removed => failed("it was deleted meanwhile"),
                Goal::Up | Goal::Replaced if phase.has_run() => {
                    if phase == Phase::Running && arrived {
                        Progress::Done
                    } else {
                        Progress::Pending
                    }
                }
                Goal::Up | Goal::Replaced => match (phase == Phase::Exited, newer) {
                    (true, true) => Progress::Done,
                    (false, true) => failed(why_not_up(member)),
                    (_, false) if phase == Phase::Failed => {
                        failed(last_end(member.exit, &member.because))
                    }
                    (_, false) => Progress::Pending,
                },
            }
        }
        Verb::Stop | Verb::Kill => match phase.goal() {
            Goal::Down | Goal::Removed if phase.has_run() => Progress::Pending,
            Goal::Down | Goal::Removed => Progress::Done,
            Goal::Up | Goal::Replaced => failed("it was started again meanwhile"),
        },
        Verb::Delete => Progress::Pending,
    }
}
