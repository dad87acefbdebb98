//! A rolling restart from the plan to its ends.

use crate::api::{Place, Whole};
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::tui::tests::desk::{Desk, line};
use crate::tui::tests::rolling::{begun, counted, defined, logged, place, rollout, tell};

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
    let asking = plan.clone();
    defined(&mut plan, 1);
    let mut all_at_once = plan.clone();
    all_at_once.press("+ +");
    let mut one = base.clone();
    one.select(5);
    one.press("R");
    // The run that is watched is as old as that says.
    let mut base = base;
    if let Some(row) = base.model.rows.get_mut(&InstanceId(2)) {
        row.view.uptime = Some(2);
    }
    let mut moving = told(&begun(base), Whole::Advancing, Place::Settling, Some(7400));
    moving.wait(1500);
    let young = moving.clone();
    moving.wait(5_000);
    counted(&mut moving, |_| (1, 0));
    moving.wait(5_000);
    let mut moving = told(&moving, Whole::Advancing, Place::Settling, Some(900));
    counted(&mut moving, |id| if id == "3" { (31, 14) } else { (4, 2) });
    let text = "(node:491002) DeprecationWarning: Buffer() is \x1b[2Jdeprecated";
    let lines = vec![
        line(1, "api-0", Stream::Err, "WARN pool of 20 is small"),
        line(2, "api-1", Stream::Err, text),
    ];
    logged(&mut moving, "1,2", lines);
    let paused = told(&moving, Whole::Paused, Place::Draining, Some(9000));
    let mut question = moving.clone();
    question.press("A");
    let mut halted = told(&moving, Whole::Halted, Place::Failed, None);
    halted.wait(100);
    let mut behind = moving.clone();
    behind.press("Esc");
    vec![
        ("rolling_plan_asking", asking),
        ("rolling_plan", plan),
        ("rolling_all_at_once", all_at_once),
        ("rolling_one", one),
        ("rolling_young", young),
        ("rolling", moving),
        ("rolling_paused", paused),
        ("rolling_abort", question),
        ("rolling_halted", halted),
        ("rolling_behind", behind),
    ]
}
