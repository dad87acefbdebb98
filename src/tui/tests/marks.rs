//! Marks, what verbs do with them, and the order of the table.

use crate::api::{Metric, OperationView, Progress, Push, Status, TargetView, Verb};
use crate::domain::names::InstanceId;
use crate::tui::model::{Target, Tier};
use crate::tui::msg::Cmd;
use crate::tui::screens::Screen;

use super::desk::{Desk, everything, host, instance};

fn ids(desk: &Desk) -> Vec<u32> {
    desk.model.marks.iter().map(|id| id.0).collect()
}

fn names(desk: &Desk) -> Vec<String> {
    let name = |target: &Target| match target {
        Target::Process(key) => key.name.to_string(),
        Target::Instance(id) => desk.model.rows[id].view.name.clone(),
    };
    desk.model.lines().iter().map(name).collect()
}

#[test]
fn check_15_space_marks_and_goes_on_and_a_process_marks_all_of_its_instances() {
    let mut desk = Desk::new();
    desk.select(4);
    desk.press("Space Space");
    assert_eq!(ids(&desk), [4, 5]);
    desk.press("k Space");
    assert_eq!(ids(&desk), [4], "the second time takes it away");
    desk.press("g Space");
    assert_eq!(ids(&desk), [1, 2, 3, 4]);
    desk.press("g h");
    assert!(
        desk.screen().contains("api \u{d7}3 *3"),
        "{}",
        desk.screen()
    );
    desk.press("Esc");
    assert_eq!(ids(&desk), [0u32; 0]);
}

#[test]
fn a_range_the_rest_and_all_of_the_filter_are_marked() {
    let mut desk = Desk::new();
    desk.select(4);
    desk.press("Space j j v");
    assert_eq!(ids(&desk), [4, 5, 6, 7]);
    desk.press("Esc /");
    desk.type_text("web");
    desk.press("Enter A");
    assert_eq!(ids(&desk), [10, 11, 12, 13]);
    desk.press("*");
    assert_eq!(ids(&desk), [0u32; 0]);
}

#[test]
fn check_15_verbs_count_only_what_they_would_change() {
    let mut desk = Desk::new();
    for id in [5, 9, 4] {
        desk.select(id);
        desk.press("Space");
    }
    // cron runs, thumbs is stopped, billing is errored.
    let screen = desk.screen();
    assert!(
        screen.contains("s start 2    x stop 2    r restart 3"),
        "{screen}"
    );
    desk.press("x");
    assert_eq!(desk.ask().tier, Tier::Box);
    let asked: Vec<u32> = desk.ask().targets.iter().map(|(id, _)| id.0).collect();
    assert_eq!(asked, [4, 5]);
    desk.press("Esc D");
    assert_eq!(
        (desk.ask().tier, desk.ask().word.as_str()),
        (Tier::Name, "3")
    );
}

#[test]
fn stopping_everything_and_killing_many_want_the_number_typed() {
    let mut desk = Desk::new();
    desk.press("A X");
    assert_eq!(desk.ask().tier, Tier::Name);
    let mut desk = Desk::with(vec![
        instance(1, "a", (0, 1), Status::Running),
        instance(2, "b", (0, 1), Status::Running),
    ]);
    desk.press("A x");
    assert_eq!(
        (desk.ask().tier, desk.ask().word.as_str()),
        (Tier::Name, "2")
    );
    desk.seen();
    desk.press("2 Enter");
    assert_eq!(desk.calls(), 1);
}

fn restarting_two() -> Desk {
    let mut desk = Desk::new();
    for id in [4, 5] {
        desk.select(id);
        desk.press("Space");
    }
    desk.press("r");
    desk.seen();
    desk.press("y");
    desk
}

fn told(desk: &mut Desk, progress: [Progress; 2]) {
    let Some(Screen::Bulk(it)) = desk.model.screens.last() else {
        panic!("no screen of several")
    };
    let operation = it.operation.clone();
    let targets = [(4, "billing"), (5, "cron")]
        .into_iter()
        .zip(progress)
        .map(|((id, name), progress)| TargetView {
            id: InstanceId(id),
            name: name.into(),
            verb: Some(Verb::Restart),
            progress,
            status: Status::Running,
            pid: Some(90 + i32::try_from(id).unwrap()),
            due_in_ms: None,
        })
        .collect::<Vec<_>>();
    let operation = OperationView {
        operation,
        verb: Verb::Restart.into(),
        done: targets.iter().all(|t| t.progress.is_settled()),
        targets,
        ..super::desk::answer(Verb::Restart, 4, "billing", Progress::Done)
    };
    desk.push(Push::Operation { operation });
}

#[test]
fn several_at_once_show_how_far_each_is_and_only_those_that_failed_are_tried_again() {
    let mut desk = restarting_two();
    assert!(
        desk.screen()
            .contains("0 done \u{b7} 0 failed \u{b7} 2 on the way"),
        "{}",
        desk.screen()
    );
    let reason = "spawn ./run: Permission denied (13)".to_owned();
    desk.wait(2900);
    told(&mut desk, [Progress::Failed { reason }, Progress::Pending]);
    let screen = desk.screen();
    assert!(
        screen.contains("0 done \u{b7} 1 failed \u{b7} 1 on the way"),
        "{screen}"
    );
    assert!(
        screen.contains("not restarted: spawn ./run: Permission denied (13)"),
        "{screen}"
    );
    told(
        &mut desk,
        [
            Progress::Failed {
                reason: "no".into(),
            },
            Progress::Done,
        ],
    );
    desk.wanted.clear();
    desk.press("f");
    let asked: Vec<u32> = desk.ask().targets.iter().map(|(id, _)| id.0).collect();
    assert_eq!(asked, [4]);
    desk.seen();
    desk.press("y");
    assert!(
        desk.wanted
            .iter()
            .any(|command| matches!(command, Cmd::Call { ids, .. } if *ids == [InstanceId(4)]))
    );
}

fn metrics(desk: &mut Desk, cpu: &[(u32, f32)]) {
    let metrics = cpu
        .iter()
        .map(|(id, cpu)| Metric {
            id: InstanceId(*id),
            cpu: Some(*cpu),
            memory: Some(1_000_000),
            fds: None,
        })
        .collect();
    desk.push(Push::Metrics {
        heard: vec![],
        host: host(),
        metrics,
    });
}

#[test]
fn check_05_no_row_moves_within_three_seconds_of_a_key() {
    let mut desk = Desk::with(vec![
        instance(1, "a", (0, 1), Status::Running),
        instance(2, "b", (0, 1), Status::Running),
        instance(3, "c", (0, 1), Status::Running),
    ]);
    desk.wait(1000);
    desk.press("o c");
    assert_eq!(names(&desk), ["c", "b", "a"]);
    desk.select(2);
    desk.wait(1000);
    metrics(&mut desk, &[(1, 90.0), (2, 1.0), (3, 2.0)]);
    assert_eq!(names(&desk), ["c", "b", "a"]);
    assert!(desk.screen().contains("order held"));
    desk.wait(2001);
    metrics(&mut desk, &[(1, 90.0), (2, 1.0), (3, 2.0)]);
    assert_eq!(names(&desk), ["a", "c", "b"]);
    assert_eq!(desk.model.selected, Some(Target::Instance(InstanceId(2))));
    assert!(!desk.screen().contains("order held"));
    // With marks nothing moves at all.
    desk.press("Space");
    desk.wait(10_000);
    metrics(&mut desk, &[(1, 0.0), (2, 1.0), (3, 200.0)]);
    assert_eq!(names(&desk), ["a", "c", "b"]);
    desk.press("Esc I");
    assert_eq!(names(&desk), ["a", "b", "c"], "smallest first");
}

#[test]
fn the_worst_come_first_and_the_tree_can_go() {
    let mut desk = Desk::new();
    desk.press("o s");
    let sorted = names(&desk);
    assert_eq!(&sorted[..2], ["billing", "web"], "{sorted:?}");
    desk.press("t");
    let flat = names(&desk);
    assert_eq!(flat.len(), everything().len());
    assert_eq!(&flat[..3], ["billing", "web-2", "mailer"], "{flat:?}");
    desk.press("t o n");
    assert_eq!(names(&desk)[0], "api");
}

#[test]
fn a_narrow_screen_begins_with_the_worst() {
    let mut desk = Desk::new();
    desk.resize(40, 12);
    assert_eq!(names(&desk)[0], "billing");
    desk.press("o n");
    assert_eq!(names(&desk)[0], "api-0");
}

#[test]
fn prefixes_show_their_menu() {
    let mut desk = Desk::new();
    desk.press("o");
    let screen = desk.screen();
    assert!(
        screen.contains("sort by memory") && screen.contains("the other way round"),
        "{screen}"
    );
}
