//! The screen of a rolling restart: asks before it begins, shows what the daemon says, and closes without ending it.

use crate::api::{
    Act, OperationView, Place, PlaceView, Progress, Push, RolloutControl, RolloutView, Verb, Whole,
};
use crate::domain::names::{InstanceId, OperationId};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::screens::Screen;

use super::desk::{Desk, answer, everything, snapshot};

pub(super) fn place(id: u32, place: Place, due_in_ms: Option<u64>) -> PlaceView {
    let new = matches!(place, Place::Done | Place::Settling);
    PlaceView {
        id: InstanceId(id),
        name: format!("api-{}", id - 1),
        place,
        old_pid: Some(482_000 + i32::try_from(id).unwrap()),
        new_pid: new.then(|| 491_000 + i32::try_from(id).unwrap()),
        due_in_ms,
    }
}

pub(super) fn rollout(state: Whole, places: Vec<PlaceView>) -> RolloutView {
    RolloutView {
        process: "api".into(),
        state,
        over: state.is_final(),
        why: (state == Whole::Halted).then(|| "api-1: the new run ended: exit 3".into()),
        by: "ops".into(),
        begun_ms: super::desk::WALL_MS - 41_000,
        max_unavailable: 1,
        stable_ms: 10_000,
        places,
    }
}

fn waiting() -> Vec<PlaceView> {
    vec![
        place(1, Place::Draining, Some(9500)),
        place(2, Place::Waiting, None),
        place(3, Place::Waiting, None),
    ]
}

/// The plan of `api`, and a yes to it.
pub(super) fn begun(mut desk: Desk) -> Desk {
    desk.press("R");
    desk.wait(200);
    desk.press("y");
    desk
}

fn act_of(desk: &Desk) -> Option<Act> {
    desk.wanted.iter().find_map(|command| match command {
        Cmd::Call { act, .. } => Some(act.clone()),
        _ => None,
    })
}

fn view(operation: OperationId, rollout: RolloutView) -> OperationView {
    OperationView {
        operation,
        done: rollout.over,
        rollouts: vec![rollout],
        ..answer(Verb::Restart, 1, "api-0", Progress::Pending)
    }
}

/// The daemon says how far it is.
pub(super) fn tell(desk: &mut Desk, rollout: RolloutView) {
    let operation = act_of(desk).expect("it was begun").operation;
    let operation = view(operation, rollout);
    desk.push(Push::Operation { operation });
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.select(2);
    desk
}

fn controls(desk: &Desk) -> Vec<RolloutControl> {
    let controls = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Control { what, .. } => Some(*what),
        _ => None,
    });
    controls.collect()
}

#[test]
fn the_plan_begins_by_yes_once_it_could_be_read() {
    let mut desk = desk();
    desk.press("R y");
    assert!(act_of(&desk).is_none(), "typed before it could be read");
    desk.wait(200);
    desk.press("+ y");
    let act = act_of(&desk).unwrap();
    assert_eq!(act.verb, Verb::Restart);
    assert_eq!(act.rolling.unwrap().max_unavailable, Some(2));
    let selected: Vec<String> = act.select.iter().map(ToString::to_string).collect();
    assert_eq!(selected, ["default/api"]);
    desk.press("y y");
    assert_eq!(desk.calls(), 1);
}

#[test]
fn closing_the_plan_begins_nothing() {
    for key in ["Esc", "q"] {
        let mut desk = desk();
        desk.press("R");
        desk.wait(200);
        desk.press(key);
        desk.press("y");
        assert_eq!(desk.calls(), 0, "{key}");
        assert!(desk.model.screens.is_empty(), "{key}");
    }
}

#[test]
fn it_is_paused_continued_and_aborted_by_a_second_key() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.press("c p");
    assert_eq!(controls(&desk), [RolloutControl::Pause]);
    tell(&mut desk, rollout(Whole::Paused, waiting()));
    desk.press("p c");
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Resume));
    desk.press("A Esc y");
    desk.press("A j y");
    desk.press("A");
    desk.wait(6000);
    desk.press("y");
    assert_eq!(controls(&desk).len(), 2, "no, and no, and too late");
    desk.press("A y");
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Abort));
    assert_eq!(desk.calls(), 1);
}

#[test]
fn it_goes_on_behind_and_is_found_again() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.resize(120, 40);
    desk.press("Esc");
    assert!(desk.model.screens.is_empty());
    assert!(desk.screen().contains("roll api 0/3"), "{}", desk.screen());
    desk.press("R");
    assert!(desk.screen().contains("old one ends"));
    let done = vec![place(1, Place::Done, None)];
    tell(&mut desk, rollout(Whole::Completed, done));
    assert!(!desk.screen().contains("roll api"));
    assert!(desk.screen().contains("completed by ops"));
}

#[test]
fn what_somebody_else_rolls_is_seen_and_not_begun_again() {
    let mut desk = Desk::alone();
    desk.resize(120, 40);
    let mut first = snapshot(everything());
    let id: OperationId = String::from("39dde4f88a3b9ebcaa41fb1c").try_into().unwrap();
    first.operations = vec![view(id, rollout(Whole::Advancing, waiting()))];
    desk.push(Push::Snapshot(Box::new(first)));
    assert!(desk.screen().contains("roll api 0/3"));
    desk.select(2);
    desk.press("R");
    assert!(desk.screen().contains("by ops"), "{}", desk.screen());
    desk.wait(200);
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}

#[test]
fn a_refusal_and_a_halt_are_said() {
    let mut refused = begun(desk());
    let why = "api is being restarted batch by batch already".to_owned();
    refused.send(Msg::Answered {
        ids: vec![],
        result: Err(crate::tui::verbs::Refusal {
            why: why.clone(),
            stale: false,
        }),
    });
    assert!(refused.screen().contains(&why), "{}", refused.screen());
    let there = refused.model.screens.last();
    assert!(matches!(there, Some(Screen::Rolling(_))));
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.press("Esc");
    tell(&mut desk, rollout(Whole::Halted, waiting()));
    let mut said = desk.model.messages.iter();
    assert!(said.any(|m| m.bad && m.text.contains("exit 3")));
}

#[test]
fn without_a_daemon_nothing_is_begun() {
    let mut desk = desk();
    desk.lose();
    desk.press("Esc R");
    desk.wait(200);
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}
