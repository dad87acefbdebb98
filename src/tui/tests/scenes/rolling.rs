//! A rolling restart from the plan to its ends.

use crate::api::{Place, Whole};
use crate::tui::tests::desk::Desk;
use crate::tui::tests::rolling::{begun, place, rollout, tell};

fn told(desk: &Desk, state: Whole, second: Place, due: Option<u64>) -> Desk {
    let mut desk = desk.clone();
    let places = vec![
        place(1, Place::Done, None),
        place(2, second, due),
        place(3, Place::Waiting, None),
    ];
    tell(&mut desk, rollout(state, places));
    desk
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let mut base = Desk::new();
    base.wait(200);
    base.select(2);
    let mut plan = base.clone();
    plan.press("R");
    let mut all_at_once = plan.clone();
    all_at_once.press("+ +");
    let mut one = base.clone();
    one.select(5);
    one.press("R");
    let mut moving = told(&begun(base), Whole::Advancing, Place::Settling, Some(7400));
    moving.wait(1500);
    let paused = told(&moving, Whole::Paused, Place::Draining, Some(9000));
    let mut question = moving.clone();
    question.press("A");
    let mut halted = told(&moving, Whole::Halted, Place::Failed, None);
    halted.wait(100);
    let mut behind = moving.clone();
    behind.press("Esc");
    vec![
        ("rolling_plan", plan),
        ("rolling_all_at_once", all_at_once),
        ("rolling_one", one),
        ("rolling", moving),
        ("rolling_paused", paused),
        ("rolling_abort", question),
        ("rolling_halted", halted),
        ("rolling_behind", behind),
    ]
}
