//! Marks behind names: standard error that was not looked at, silences that are longer than usual.

use crate::api::{Heard, HeardOf, Push, Status};
use crate::domain::names::InstanceId;

use super::desk::{Desk, everything, host, instance, noon_ms, snapshot};

pub(super) fn heard(id: u32, errors: u64, silent_ms: Option<u64>) -> HeardOf {
    HeardOf {
        id: InstanceId(id),
        heard: Heard {
            last_ms: noon_ms(),
            errors,
            silent_ms,
        },
    }
}

pub(super) fn hear(desk: &mut Desk, heard: Vec<HeardOf>) {
    desk.push(Push::Metrics {
        host: host(),
        metrics: vec![],
        heard,
    });
}

/// What stands behind a name in the table.
fn behind<'a>(screen: &'a str, name: &str) -> &'a str {
    let row = screen.lines().find_map(|row| row.split_once(name));
    let (_, rest) = row.unwrap_or_else(|| panic!("no {name} in\n{screen}"));
    rest.split(' ').next().unwrap_or("")
}

#[test]
fn new_errors_are_marked_until_they_are_looked_at() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    hear(
        &mut desk,
        vec![heard(5, 1, None), heard(6, 1, None), heard(9, 0, None)],
    );
    let screen = desk.screen();
    assert_eq!(behind(&screen, " cron"), "", "its log is on the screen");
    assert_eq!(behind(&screen, " mailer"), "'");
    assert_eq!(
        behind(&screen, " thumbs"),
        "",
        "it wrote to the other stream"
    );
    desk.select(6);
    assert_eq!(
        behind(&desk.screen(), " mailer"),
        "'",
        "the pane is still of another"
    );
    desk.wait(200);
    assert_eq!(behind(&desk.screen(), " mailer"), "");
    hear(&mut desk, vec![heard(5, 3, None)]);
    assert_eq!(behind(&desk.screen(), " cron"), "'");
    // A screen without logs is no look at them; its own logs are.
    desk.select(5);
    desk.press("4");
    desk.wait(200);
    desk.press("q");
    desk.wait(200);
    assert_eq!(behind(&desk.screen(), " cron"), "");
}

#[test]
fn a_fold_hides_no_mark_and_a_long_name_has_room_for_it() {
    let name = "long-name-".repeat(6);
    let mut all = everything();
    all.push(instance(40, &name, (0, 1), Status::Running));
    let mut desk = Desk::with(all);
    desk.select(10);
    desk.press("h");
    desk.select(5);
    desk.wait(200);
    hear(
        &mut desk,
        vec![
            heard(11, 2, Some(noon_ms() - 1)),
            heard(40, 1, Some(noon_ms() - 1)),
        ],
    );
    let screen = desk.screen();
    let row = screen.lines().find(|row| row.contains(" web ")).unwrap();
    assert!(row.contains("4',"), "{row}");
    desk.model.place = 0;
    desk.select(40);
    desk.select(5);
    let row = desk.screen();
    let row = row
        .lines()
        .find(|row| row.contains("long-name-"))
        .map(str::to_owned);
    if let Some(row) = row {
        assert!(row.contains("',"), "{row}");
    }
}

#[test]
fn silence_is_marked_when_its_time_comes_and_only_of_what_runs() {
    let mut desk = Desk::new();
    desk.select(4);
    desk.wait(200);
    let soon = desk.model.wall_ms + 5_000;
    hear(
        &mut desk,
        vec![heard(5, 0, Some(soon)), heard(6, 0, Some(soon - 9_000))],
    );
    assert_eq!(behind(&desk.screen(), " cron"), "");
    assert_eq!(
        behind(&desk.screen(), " mailer"),
        "",
        "it waits for its restart"
    );
    desk.wait(6_000);
    assert_eq!(behind(&desk.screen(), " cron"), ",");
    // It writes again.
    hear(&mut desk, vec![heard(5, 0, Some(soon + 60_000))]);
    assert_eq!(behind(&desk.screen(), " cron"), "");
    desk.wait(60_000);
    assert_eq!(behind(&desk.screen(), " cron"), ",");
    // Another run has silences of its own.
    let mut view = instance(5, "cron", (0, 1), Status::Running);
    view.run.0 += 1;
    let instance = Box::new(view);
    desk.push(Push::Instance { instance });
    assert_eq!(behind(&desk.screen(), " cron"), "");
}

#[test]
fn what_was_before_the_dashboard_is_no_news_and_what_came_while_it_was_away_is() {
    let mut all = snapshot(everything());
    all.heard = vec![heard(5, 7, None), heard(6, 7, None)];
    let mut desk = Desk::new();
    desk.select(4);
    desk.push(Push::Snapshot(Box::new(all.clone())));
    desk.wait(200);
    assert_eq!(
        behind(&desk.screen(), " cron"),
        "'",
        "known before, and wrote since"
    );
    let mut fresh = Desk::alone();
    fresh.push(Push::Snapshot(Box::new(all.clone())));
    fresh.select(4);
    assert_eq!(behind(&fresh.screen(), " cron"), "");
    all.heard = vec![heard(5, 8, None)];
    fresh.lose();
    fresh.push(Push::Snapshot(Box::new(all.clone())));
    assert_eq!(behind(&fresh.screen(), " cron"), "'");
    // Another daemon counts anew.
    all.heard = vec![];
    fresh.push(Push::Snapshot(Box::new(all)));
    assert_eq!(behind(&fresh.screen(), " cron"), "");
    hear(&mut fresh, vec![heard(5, 1, None)]);
    assert_eq!(behind(&fresh.screen(), " cron"), "'");
}
