//! One time cursor: charts move it, and logs, events and the table go where it stands.

use crate::tui::model::Focus;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query};
use crate::tui::screens::Screen;

use super::desk::WALL_MS;
use super::library::Reading;
use super::scenes::moment::{detailed, known};

fn settled(it: &mut Reading, keys: &str) {
    it.press(keys);
    it.desk.wait(200);
    it.serve();
}

/// When the line came that the logs of the main screen point at.
fn pointed(it: &Reading) -> u64 {
    let pane = it.desk.model.logs.pane().unwrap();
    pane.pointed().unwrap().time_ms.unwrap()
}

fn at(it: &Reading) -> u64 {
    it.desk.model.moment.at_ms.unwrap()
}

#[test]
fn the_logs_of_the_main_screen_go_where_the_cursor_stands() {
    let mut it = known();
    it.desk.resize(120, 40);
    settled(&mut it, "2 Left");
    assert_eq!(it.desk.model.focus, Focus::About);
    let newest = at(&it);
    assert!(newest < WALL_MS + 10_200 && newest > WALL_MS, "{newest}");
    settled(&mut it, "Left Left");
    assert_eq!(at(&it), newest - 10_000, "a column is five seconds");
    let came = pointed(&it);
    assert!((at(&it)..at(&it) + 137).contains(&came), "{came}");
    settled(&mut it, "H");
    assert_eq!(at(&it), newest - 60_000);
    let came = pointed(&it);
    assert!((at(&it)..at(&it) + 137).contains(&came) || came >= WALL_MS - 60_000);
    settled(&mut it, "L L");
    assert_eq!(it.desk.model.moment.at_ms, None, "behind the end it is now");
    assert!(it.screen().contains("FOLLOW"), "{}", it.screen());
}

#[test]
fn logs_follow_once_after_several_steps() {
    let mut it = known();
    it.desk.resize(120, 40);
    settled(&mut it, "2");
    let before = it.desk.model.logs.pane().cloned();
    it.desk.press("Left Left Left");
    assert_eq!(it.desk.model.logs.pane().cloned(), before);
    it.desk.wait(200);
    assert_ne!(it.desk.model.logs.pane().cloned(), before);
}

#[test]
fn the_table_shows_what_all_used_then_and_says_so() {
    let mut it = known();
    it.desk.resize(120, 40);
    let web = |it: &Reading| {
        let screen = it.screen();
        let row = screen.lines().find(|row| row.contains(" billing "));
        row.unwrap().split(" \u{2502} ").next().unwrap().to_owned()
    };
    assert!(
        web(&it).contains(" \u{2013} "),
        "it does not run: {}",
        web(&it)
    );
    settled(&mut it, "2 Left H H");
    assert!(web(&it).contains("%"), "it ran then: {}", web(&it));
    let screen = it.screen();
    let clock = screen.split(" AT ").nth(1).unwrap();
    assert!(screen.contains(&format!("at {}", &clock[..8])));
    assert!(screen.contains("others  "), "{screen}");
    it.press("Esc");
    assert!(!it.screen().contains(" AT "));
    assert_eq!(it.desk.model.focus, Focus::About, "one thing for each Esc");
}

#[test]
fn the_detail_tells_events_others_and_logs_of_the_moment() {
    let mut it = detailed();
    // The exit was 31 s before the clock begins, the newest column ends 10 s after it.
    settled(&mut it, "Left Left Left Left Left Left Left Left");
    let screen = it.screen();
    for told in ["run 2 ended: exit 137", "others    ", "cpu ", "PAUSED"] {
        assert!(screen.contains(told), "{told} in\n{screen}");
    }
    let Some(Screen::Detail(detail)) = it.desk.model.screens.last() else {
        panic!("no detail");
    };
    let here = detail.logs.pane().unwrap().pointed().unwrap().time_ms;
    assert!(here.is_some_and(|ms| (at(&it)..at(&it) + 137).contains(&ms)));
    settled(&mut it, "l");
    let Some(Screen::Logs(view)) = it.desk.model.screens.last() else {
        panic!("no log view");
    };
    let there = view.pane().unwrap().pointed().unwrap().time_ms;
    assert_eq!(there, here, "the whole view begins there");
}

#[test]
fn starts_stand_on_the_axis() {
    let it = detailed();
    let screen = it.screen();
    assert!(screen.contains("\u{254e} started"), "{screen}");
    let chart = screen.lines().filter(|row| row.contains('\u{2524}'));
    assert!(chart.filter(|row| row.contains('\u{254e}')).count() > 2);
}

#[test]
fn a_day_is_asked_for_and_its_columns_are_five_minutes() {
    let mut it = detailed();
    it.desk.wanted.clear();
    it.desk.press("z");
    let asked = it.desk.wanted.iter().find_map(|command| match command {
        Cmd::Fetch {
            ticket,
            query: Query::Day { select },
        } => Some((*ticket, select.clone())),
        _ => None,
    });
    let (ticket, select) = asked.unwrap();
    assert_eq!(select, "5");
    let columns = crate::api::Columns {
        period_ms: 300_000,
        end_ms: WALL_MS,
        cpu: vec![Some(10); 288],
        memory: vec![Some(1 << 20); 288],
    };
    let answer = Ok(Answer::Day(columns));
    it.desk.send(Msg::Fetched { ticket, answer });
    it.desk.press("Left Left");
    assert_eq!(at(&it), WALL_MS - 600_000);
    it.desk.press("z");
    assert!(it.screen().contains("at "), "{}", it.screen());
}

#[test]
fn numbers_go_to_panes_and_tab_goes_round_both_ways() {
    let mut it = known();
    let focus = |it: &Reading| it.desk.model.focus;
    it.press("3");
    assert_eq!(focus(&it), Focus::Logs);
    it.press("1");
    assert_eq!(focus(&it), Focus::Table);
    it.press("2");
    assert!(matches!(
        it.desk.model.screens.last(),
        Some(Screen::Detail(_))
    ));
    it.press("1");
    assert!(it.desk.model.screens.is_empty());
    it.desk.resize(120, 40);
    it.press("2");
    assert_eq!(focus(&it), Focus::About);
    it.press("Tab");
    assert_eq!(focus(&it), Focus::Logs);
    it.press("Tab Tab Tab");
    assert_eq!(focus(&it), Focus::Logs);
    it.press("S-Tab");
    assert_eq!(focus(&it), Focus::About);
    it.desk.resize(80, 24);
    assert_eq!(focus(&it), Focus::Table, "there is no such pane any more");
}

/// A process that is down has a gap up to now, not columns that move on.
#[test]
fn what_is_not_measured_any_more_is_a_gap() {
    let mut it = known();
    it.desk.resize(120, 40);
    it.desk.wait(60_000);
    settled(&mut it, "2 Left");
    let behind = it.desk.model.wall_ms - at(&it);
    assert!(behind <= 10_000, "{behind}");
}

#[test]
fn memory_that_rises_says_when_it_meets_its_limit_and_at_a_moment_it_does_not() {
    use crate::api::{Columns, MetricHistory};
    use crate::domain::names::InstanceId;
    let mut it = detailed();
    let grown = |mib: fn(u64) -> u64| {
        let columns = |period_ms| Columns {
            period_ms,
            end_ms: WALL_MS + 8_000,
            cpu: vec![Some(70); 120],
            memory: (0..120).map(|n| Some(mib(n) << 20)).collect(),
        };
        let history = MetricHistory {
            id: InstanceId(5),
            name: String::new(),
            short: columns(5_000),
            long: columns(300_000),
        };
        Msg::Fetched {
            ticket: crate::tui::query::Ticket(0),
            answer: Ok(Answer::History(vec![history])),
        }
    };
    // A MiB every five seconds; 256 MB are allowed.
    it.desk.send(grown(|n| 100 + n));
    let screen = it.screen();
    assert!(
        screen.contains("+13M/min \u{2192} limit in ~2 min"),
        "{screen}"
    );
    it.press("Left");
    let screen = it.screen();
    assert!(!screen.contains("limit in"), "{screen}");
    it.press("Right");
    // What goes up and down is no trend.
    it.desk.send(grown(|n| 100 + n % 20));
    let screen = it.screen();
    assert!(!screen.contains("/min"), "{screen}");
}

#[test]
fn what_is_open_has_a_chart_where_there_is_much_room_and_is_unknown_before_it_was_counted() {
    use crate::api::{Metric, Push};
    use crate::domain::names::InstanceId;
    let mut it = detailed();
    assert!(!it.screen().contains("fds "), "{}", it.screen());
    it.desk.resize(200, 60);
    assert!(it.screen().contains("fds 88 of 1024"), "{}", it.screen());
    for n in 0..30 {
        it.desk.wait(1000);
        let metric = Metric {
            id: InstanceId(5),
            cpu: Some(1.0),
            memory: Some(1 << 20),
            fds: Some(100 + n),
        };
        it.desk.push(Push::Metrics {
            heard: vec![],
            host: super::desk::host(),
            metrics: vec![metric],
        });
    }
    let screen = it.screen();
    assert!(
        screen.contains("fds 12") && screen.contains(" of 1024"),
        "{screen}"
    );
    it.press("Left Left");
    let then = it.screen();
    assert!(then.contains("fds 12") || then.contains("fds 11"), "{then}");
    it.press("Left Left Left Left Left Left Left Left");
    assert!(
        it.screen().contains("fds \u{2013} of 1024"),
        "{}",
        it.screen()
    );
}
