//! restart --rolling; rollout status, pause, resume, abort.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::api::{
    Act, GateView, Intent, OperationView, Place, PlaceView, Rolling, RolloutControl, RolloutView,
    Selector, Verb, Whole,
};
use crate::client::{Client, operation_id};
use crate::config::units::short_duration;
use crate::platform::signal;

use super::args::{Global, Restarting, Rollout, RolloutVerb};
use super::care::carefully;
use super::failure::{Failure, exit};
use super::select::{client, words};
use super::{gate, print, progress};

/// `adasa restart --rolling`.
pub(super) fn restart(
    global: &Global,
    restart: &Restarting,
    select: Vec<Selector>,
) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    let begun = Instant::now();
    let max_unavailable = restart.max_unavailable;
    let what = Intent::Roll { max_unavailable };
    let view = carefully(&client, global, restart.care, (what, &select), |forced| {
        let act = Act {
            operation: operation_id(),
            verb: Verb::Restart,
            select: select.clone(),
            only_run: None,
            durable: restart.surety.durable,
            rolling: Some(Rolling {
                max_unavailable,
                stable_ms: restart.stable.map(milliseconds),
            }),
            force_protected: forced,
        };
        // How it goes on is said at once, so that nobody waits in the dark.
        client.act(&act, Duration::ZERO)
    })?;
    let Some(view) = view else {
        return Ok(ExitCode::SUCCESS);
    };
    for rollout in &view.rollouts {
        if let Some(warning) = downtime(rollout) {
            print::remark(&warning);
        }
    }
    let names: Vec<&str> = view.rollouts.iter().map(|r| r.process.as_str()).collect();
    let goes_on = format!(
        "the rolling restart goes on in the daemon; `adasa rollout status {}` shows it, `adasa rollout abort` ends it",
        names.join(" ")
    );
    // Without this a Ctrl-C ends the watching all the same, and says nothing.
    let _ = signal::on_interrupt(move || {
        print::progress_end();
        print::remark(&goes_on);
        std::process::exit(exit::INTERRUPTED.into());
    });
    let view = progress::follow(&client, global, view, begun)?;
    Ok(progress::say(&view, global.json))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What has to be said of a rolling restart that takes everything down.
fn downtime(rollout: &RolloutView) -> Option<String> {
    let size = rollout.size();
    let most = usize::try_from(rollout.max_unavailable).unwrap_or(usize::MAX);
    let name = &rollout.process;
    match size {
        0 => None,
        1 => Some(format!(
            "{name} has one instance to restart: it is down meanwhile, this is not zero-downtime"
        )),
        _ if size <= most => Some(format!(
            "all {size} instances of {name} are restarted at once: this is not zero-downtime"
        )),
        _ => None,
    }
}

/// What is going on, on one line.
pub(super) fn going_on(rollouts: &[RolloutView]) -> String {
    let open = rollouts.iter().filter(|rollout| !rollout.over);
    let lines: Vec<String> = open.map(one_line).collect();
    lines.join(" | ")
}

fn one_line(rollout: &RolloutView) -> String {
    let mut line = format!(
        "{}: {} of {} replaced",
        rollout.process,
        rollout.count(|place| place == Place::Done),
        rollout.size()
    );
    if rollout.state != Whole::Advancing {
        line.push_str(&format!(", {}", rollout.state.word()));
    }
    for place in rollout.places.iter().filter(|p| p.place.is_in_flight()) {
        line.push_str(&format!(
            "; {}: {}{}",
            place.name,
            place.place.word(),
            due(place)
        ));
    }
    line
}

fn due(place: &PlaceView) -> String {
    let Some(ms) = place.due_in_ms else {
        return String::new();
    };
    let left = short_duration(Duration::from_millis(ms));
    if place.place == Place::Draining {
        format!(", SIGKILL in {left}")
    } else {
        format!(", {left} to go")
    }
}

/// What became of those that did not come to their end.
pub(super) fn say(rollouts: &[RolloutView]) {
    for rollout in rollouts {
        let name = &rollout.process;
        let old = rollout.places.iter().filter(|p| p.place.is_to_come());
        let old: Vec<&str> = old.map(|p| p.name.as_str()).collect();
        let old = if old.is_empty() {
            String::new()
        } else {
            format!("; on the old run: {}", old.join(" "))
        };
        match rollout.state {
            Whole::Halted => {
                let why = rollout.why.as_deref().unwrap_or("one failed");
                print::remark(&format!(
                    "the rolling restart of {name} halted at {why}{old}"
                ));
            }
            Whole::Aborted => {
                print::remark(&format!("the rolling restart of {name} was aborted{old}"));
            }
            Whole::Paused => {
                print::remark(&format!(
                    "the rolling restart of {name} is paused; `adasa rollout resume {name}` goes on"
                ));
            }
            Whole::Advancing | Whole::Completed => {}
        }
    }
}

/// `adasa rollout …`.
pub(super) fn command(global: &Global, rollout: &Rollout) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    let (control, select) = match &rollout.verb {
        None => return status(&client, global, &[]),
        Some(RolloutVerb::Status(targets)) => return status(&client, global, &targets.select),
        Some(RolloutVerb::Pause(targets)) => (RolloutControl::Pause, &targets.select),
        Some(RolloutVerb::Resume(targets)) => (RolloutControl::Resume, &targets.select),
        Some(RolloutVerb::Abort(targets)) => (RolloutControl::Abort, &targets.select),
    };
    let mut changed = Vec::new();
    for view in of(&client, select)? {
        if view
            .rollouts
            .iter()
            .any(|rollout| !rollout.state.is_final())
        {
            changed.push(client.control_operation(&view.operation, control)?);
        }
    }
    if changed.is_empty() {
        let what = select.join(" ");
        let text = format!("no rolling restart of {what} is under way");
        return Err(Failure::new(exit::NOT_FOUND, text)
            .hint("`adasa rollout status` shows the ones of the last ten minutes"));
    }
    show(&changed, global.json);
    Ok(ExitCode::SUCCESS)
}

/// The rolling restarts of what is selected, the oldest first.
fn of(client: &Client, select: &[String]) -> Result<Vec<OperationView>, Failure> {
    let mut views = client.operations()?;
    views.retain(|view| !view.rollouts.is_empty());
    if !select.is_empty() {
        let rows = client.list(&words(select)?)?;
        let is_meant = |place: &PlaceView| rows.iter().any(|row| row.id == place.id);
        views.retain(|view| view.rollouts.iter().any(|r| r.places.iter().any(is_meant)));
    }
    Ok(views)
}

fn status(client: &Client, global: &Global, select: &[String]) -> Result<ExitCode, Failure> {
    let mut all = Vec::new();
    for view in of(client, select)? {
        // What is asked for is how far they are: that is known without the comparison, too.
        let gates = client.gate(&view.operation).unwrap_or_default();
        all.push((view, gates));
    }
    if global.json {
        let all: Vec<_> = all
            .iter()
            .map(|(view, gates)| as_json(view, Some(gates)))
            .collect();
        print::json(&all);
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        print::line("no rolling restart in the last ten minutes");
    }
    for (view, gates) in &all {
        for rollout in &view.rollouts {
            print::line(&paragraph(rollout, now_ms()));
            let its = gates.iter().find(|gate| gate.process == rollout.process);
            for line in its.map(gate::lines).unwrap_or_default() {
                print::line(&line);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(view: &OperationView, gates: Option<&Vec<GateView>>) -> serde_json::Value {
    let mut it =
        json!({ "operation": view.operation, "done": view.done, "rollouts": view.rollouts });
    if let Some(gates) = gates {
        it["gate"] = json!(gates);
    }
    it
}

fn show(views: &[OperationView], json: bool) {
    if json {
        let all: Vec<_> = views.iter().map(|view| as_json(view, None)).collect();
        print::json(&all);
        return;
    }
    for rollout in views.iter().flat_map(|view| &view.rollouts) {
        print::line(&paragraph(rollout, now_ms()));
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, milliseconds)
}

fn paragraph(rollout: &RolloutView, now_ms: u64) -> String {
    let since = short_duration(Duration::from_millis(
        now_ms.saturating_sub(rollout.begun_ms),
    ));
    let why = rollout
        .why
        .as_ref()
        .map_or_else(String::new, |why| format!(" at {why}"));
    let mut text = format!(
        "{}: {}{why}, {} of {} replaced, at most {} down at once, begun {since} ago by {}",
        rollout.process,
        rollout.state.word(),
        rollout.count(|place| place == Place::Done),
        rollout.size(),
        rollout.max_unavailable,
        rollout.by,
    );
    let width = rollout
        .places
        .iter()
        .map(|p| p.name.len())
        .max()
        .unwrap_or(0);
    for place in &rollout.places {
        let pids = match (place.old_pid, place.new_pid) {
            (Some(old), Some(new)) => format!("  {old} -> {new}"),
            (None, Some(new)) => format!("  -> {new}"),
            (Some(old), None) => format!("  {old}"),
            (None, None) => String::new(),
        };
        text.push_str(&format!(
            "\n  {:width$}  {:18}{pids}{}",
            place.name,
            place.place.word(),
            due(place)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::InstanceId;

    fn rollout(places: &[Place], max_unavailable: u32) -> RolloutView {
        let place = |(n, place): (u32, &Place)| PlaceView {
            id: InstanceId(n),
            name: format!("api-{n}"),
            place: *place,
            old_pid: Some(100),
            new_pid: (*place == Place::Done).then_some(200),
            due_in_ms: (*place == Place::Settling).then_some(7000),
        };
        RolloutView {
            process: "api".into(),
            state: Whole::Advancing,
            over: false,
            why: None,
            by: "root".into(),
            begun_ms: 1000,
            max_unavailable,
            stable_ms: 10_000,
            places: (0..).zip(places).map(place).collect(),
        }
    }

    #[test]
    fn one_instance_and_all_at_once_are_called_what_they_are() {
        let says = |places: &[Place], most| downtime(&rollout(places, most));
        let one = says(&[Place::Draining], 1).unwrap();
        assert!(one.contains("not zero-downtime"), "{one}");
        assert!(says(&[Place::Draining, Place::Left], 1).is_some());
        assert!(says(&[Place::Draining, Place::Waiting], 2).is_some());
        assert_eq!(says(&[Place::Draining, Place::Waiting], 1), None);
        assert_eq!(says(&[Place::Left], 1), None);
    }

    #[test]
    fn the_line_says_which_instance_which_step_and_how_long() {
        let view = rollout(&[Place::Done, Place::Settling, Place::Waiting], 1);
        assert_eq!(
            going_on(std::slice::from_ref(&view)),
            "api: 1 of 3 replaced; api-1: new one is watched, 7s to go"
        );
        assert_eq!(
            paragraph(&view, 42_000).lines().collect::<Vec<_>>(),
            [
                "api: advancing, 1 of 3 replaced, at most 1 down at once, begun 41s ago by root",
                "  api-0  replaced            100 -> 200",
                "  api-1  new one is watched  100, 7s to go",
                "  api-2  waiting             100",
            ]
        );
    }
}
