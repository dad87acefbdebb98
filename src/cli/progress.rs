//! Waiting for an operation, and saying what became of it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{OperationView, Progress, TargetView, Verb, Whole, Work};
use crate::client::Client;
use crate::config::units::short_duration;

use super::args::Global;
use super::failure::{Failure, exit};
use super::print;

/// Answers are waited for in the first request this long; what takes longer is shown.
pub(super) const FIRST: Duration = Duration::from_millis(400);
/// Then the daemon is asked this often.
const NEXT: Duration = Duration::from_millis(500);

/// How long the first request waits.
pub(super) fn first_wait(global: &Global) -> Duration {
    FIRST.min(global.timeout)
}

/// Follows an operation to its end, or to the end of patience.
pub(super) fn follow(
    client: &Client,
    global: &Global,
    mut view: OperationView,
    begun: Instant,
) -> Result<OperationView, Failure> {
    while !view.done {
        let left = global.timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        print::progress(&match view.rollouts.as_slice() {
            [] => going_on(&view),
            rollouts => super::rollout::going_on(rollouts),
        });
        view = client.operation(&view.operation, NEXT.min(left))?;
    }
    print::progress_end();
    Ok(view)
}

fn going_on(view: &OperationView) -> String {
    let open: Vec<&TargetView> = view
        .targets
        .iter()
        .filter(|t| !t.progress.is_settled())
        .collect();
    let first = open.first().map_or_else(String::new, |target| {
        let due = target.due_in_ms.map_or_else(String::new, |ms| {
            let left = short_duration(Duration::from_millis(ms));
            match target.verb {
                Some(Verb::Stop | Verb::Kill | Verb::Delete | Verb::Restart) => {
                    format!(", SIGKILL in {left}")
                }
                Some(Verb::Start) => format!(", next attempt in {left}"),
                None => String::new(),
            }
        });
        format!("{} is {}{due}", target.name, target.status)
    });
    let done = view.targets.len() - open.len();
    format!(
        "{}: {done} of {} done; {first}",
        view.verb.word(),
        view.targets.len()
    )
}

/// An operation as JSON.
pub(super) fn as_json(view: &OperationView) -> serde_json::Value {
    let mut value = json!({
        "operation": view.operation,
        "verb": view.verb,
        "done": view.done,
        "recorded": view.recorded,
        "targets": view.targets,
    });
    if !view.rollouts.is_empty() {
        value["rollouts"] = json!(view.rollouts);
    }
    value
}

/// The exit code that an operation comes to.
pub(super) fn exit_code(view: &OperationView) -> ExitCode {
    let failed = view
        .targets
        .iter()
        .any(|t| matches!(t.progress, Progress::Failed { .. }));
    let cut_short = view
        .rollouts
        .iter()
        .any(|r| matches!(r.state, Whole::Halted | Whole::Aborted));
    if !view.done {
        ExitCode::from(exit::TIMED_OUT)
    } else if failed || cut_short {
        ExitCode::from(exit::FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

/// Says what became of an operation.
pub(super) fn say(view: &OperationView, json: bool) -> ExitCode {
    if json {
        print::json(&as_json(view));
    } else {
        for target in &view.targets {
            say_target(view, target);
        }
        super::rollout::say(&view.rollouts);
        if view.targets.is_empty() {
            print::line("nothing is selected");
        }
        say_unrecorded(view);
    }
    exit_code(view)
}

/// What was done and would be forgotten with the machine.
pub(super) fn say_unrecorded(view: &OperationView) {
    if view.done && view.recorded == "pending" {
        print::remark(
            "not recorded yet: the disk of the state folder does not take it, or not in time; it is recorded as soon as that can be, \
             and a reboot before would undo it",
        );
    }
}

fn say_target(view: &OperationView, target: &TargetView) {
    let name = &target.name;
    let pid = target
        .pid
        .map_or_else(String::new, |pid| format!(" (pid {pid})"));
    match &target.progress {
        Progress::Done => match target.verb {
            Some(verb @ (Verb::Start | Verb::Restart)) => {
                print::line(&format!("{name} {}{pid}", verb.past()));
            }
            Some(verb @ (Verb::Stop | Verb::Kill | Verb::Delete)) => {
                print::line(&format!("{name} {}", verb.past()));
            }
            None => print::line(name),
        },
        Progress::Already => print::line(&format!("{name} is {} already{pid}", target.status)),
        Progress::Left { reason } => {
            print::remark(&format!("{name} was left as it was{pid}: {reason}"));
        }
        Progress::Failed { reason } if view.verb == Work::Signal => {
            print::remark(&format!("{name} got no signal: {reason}"));
        }
        Progress::Failed { reason } => {
            print::remark(&format!("{} of {name} failed: {reason}", view.verb.word()));
        }
        Progress::Pending => {
            print::remark(&format!(
                "{name} is still {}; the daemon goes on with the {}",
                target.status,
                view.verb.word()
            ));
        }
    }
}
