//! The connection goes and comes back.

use crate::api::{Push, Status};
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream::Out;
use crate::tui::link::Alive;
use crate::tui::model::{Mode, Target};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Query;

use super::desk::{Desk, everything, snapshot};
use super::library::{Library, Reading};

fn back(desk: &mut Desk) {
    desk.push(Push::Snapshot(Box::new(snapshot(everything()))));
}

#[test]
fn lost_is_said_and_the_last_state_stays() {
    let mut desk = Desk::new();
    desk.lose();
    let screen = desk.screen();
    assert!(screen.contains("STALE 0s retry 1"), "{screen}");
    assert!(screen.contains("not connected"), "{screen}");
    desk.wait(7000);
    desk.lose();
    desk.press("Esc");
    let screen = desk.screen();
    assert!(screen.contains("STALE 7s retry 2"), "{screen}");
    assert!(screen.contains("api-0"), "{screen}");
}

#[test]
fn the_pids_are_looked_at_here() {
    let mut desk = Desk::new();
    desk.lose();
    let Some(Cmd::Look { pids, daemon }) = desk.wanted.last() else {
        panic!("{:?}", desk.wanted);
    };
    assert_eq!(*daemon, Some((811, 90_000)));
    assert_eq!(pids.len(), 10, "those that had one");
    assert!(pids.contains(&(48_001, 900_001)));
    let told = |daemon| {
        Msg::Alive(Alive {
            alive: 9,
            of: 10,
            daemon,
        })
    };
    desk.send(told(Some(false)));
    let screen = desk.screen();
    assert!(screen.contains("9 of 10 pids still alive"), "{screen}");
    assert!(screen.contains("pid 811 is gone"), "{screen}");
    desk.send(told(Some(true)));
    let screen = desk.screen();
    assert!(screen.contains("pid 811 is there"), "{screen}");
}

#[test]
fn the_next_try_is_counted_down_to_and_then_said_to_be_under_way() {
    use crate::tui::update::next_due;
    use std::time::Duration;
    let mut desk = Desk::new();
    desk.lose();
    for shown in ["in 0.8s", "in 0.6s", "in 0.4s", "in 0.2s"] {
        let screen = desk.screen();
        let line = format!("{shown} (attempt 1); Enter tries now");
        assert!(screen.contains(&line), "{shown}\n{screen}");
        let due = next_due(&desk.model).unwrap();
        assert_eq!(due, desk.model.now + Duration::from_millis(200));
        desk.wait(200);
    }
    let screen = desk.screen();
    assert!(screen.contains("under way (attempt 1)"), "{screen}");
    desk.lose();
    assert!(desk.screen().contains("in 0.8s (attempt 2)"));
    desk.press("Enter");
    assert!(desk.screen().contains("under way (attempt 2)"));
}

#[test]
fn who_was_never_connected_knows_no_daemon() {
    let mut desk = Desk::alone();
    desk.lose();
    let screen = desk.screen();
    assert!(
        screen.contains("There is no connection to a daemon."),
        "{screen}"
    );
    assert!(!screen.contains("pid"), "{screen}");
}

#[test]
fn no_verb_goes_into_the_void() {
    for verb in ["s", "x", "r", "X", "D"] {
        let mut desk = Desk::new();
        desk.select(5);
        desk.lose();
        desk.press(verb);
        assert_eq!(desk.model.mode, Mode::Browse, "{verb}");
        assert!(desk.screen().contains("not connected"), "{verb}");
        desk.press("y");
        back(&mut desk);
        desk.wait(5000);
        assert_eq!(desk.calls(), 0, "{verb} was kept for later");
    }
}

#[test]
fn a_question_does_not_outlive_its_connection() {
    for verb in ["x", "X", "D"] {
        let mut desk = Desk::new();
        desk.press(verb);
        desk.lose();
        assert_eq!(desk.model.mode, Mode::Browse, "{verb}");
    }
}

#[test]
fn the_box_takes_no_key_but_its_own() {
    let mut desk = Desk::new();
    desk.lose();
    desk.press("j j");
    assert_eq!(desk.model.place, 2);
    desk.press("/");
    desk.type_text("web");
    desk.press("Enter");
    assert_eq!(desk.model.filter.text(), "web");
    desk.press("Enter");
    assert!(desk.wanted.contains(&Cmd::Retry));
    desk.press("q");
    assert!(desk.wanted.contains(&Cmd::Quit));
}

#[test]
fn enter_tries_to_connect_only_while_there_is_no_connection() {
    let mut desk = Desk::new();
    desk.press("Enter");
    assert!(!desk.wanted.contains(&Cmd::Retry));
}

#[test]
fn back_again_everything_is_where_it_was() {
    let mut desk = Desk::new();
    desk.select(11);
    desk.press("h");
    desk.select(2);
    desk.press("/");
    desk.type_text("!cron");
    desk.press("Enter");
    desk.wait(200);
    desk.press("l");
    let mut library = Library::default();
    (0..100).for_each(|n| library.write(2, "api-1", Out, 3, &n.to_string()));
    let mut it = Reading::behind(desk, library);
    it.press("k k k");
    let selected = it.desk.model.selected.clone();
    let lines = it.desk.model.lines().to_vec();
    let place = it.top();
    assert_eq!(selected, Some(Target::Instance(InstanceId(2))));
    it.desk.lose();
    it.streams.clear();
    it.desk.wait(3200);
    back(&mut it.desk);
    assert!(it.screen().contains("reconnected after 3.2s"));
    assert!(it.screen().contains("live"));
    assert_eq!(it.desk.model.selected, selected);
    assert_eq!(it.desk.model.filter.text(), "!cron");
    assert_eq!(it.desk.model.lines(), lines);
    it.desk.press("Esc");
    assert_eq!(it.top(), place);
    it.serve();
    it.library.write(2, "api-1", Out, 3, "100");
    it.flow();
    assert_eq!(it.streams.len(), 1);
    assert_eq!(it.top(), place);
    assert!(it.screen().contains("PAUSED +1 new"), "{}", it.screen());
}

#[test]
fn who_goes_on_without_a_snapshot_is_live_and_keeps_what_it_knows() {
    let mut desk = Desk::new();
    desk.select(11);
    desk.lose();
    desk.wait(700);
    desk.push(Push::Resync);
    assert!(!desk.model.is_live(), "the snapshot is still to come");
    let known = desk.model.lines().len();
    desk.push(Push::Removed { id: InstanceId(5) });
    let screen = desk.screen();
    assert!(desk.model.is_live() && screen.contains("reconnected after"));
    assert_eq!(desk.model.lines().len(), known - 1);
    let asks = |it: &Cmd| {
        matches!(
            it,
            Cmd::Stream { .. }
                | Cmd::Fetch {
                    query: Query::LogPage(_),
                    ..
                }
        )
    };
    assert!(desk.wanted.iter().any(asks), "the log as well");
}

#[test]
fn charts_begin_with_what_the_daemon_measured_before() {
    use crate::api::{Columns, MetricHistory};
    use crate::tui::query::Answer;
    let mut desk = Desk::new();
    back(&mut desk);
    let asked = desk.wanted.iter().rev().find_map(|it| match it {
        Cmd::Fetch {
            ticket,
            query: Query::History,
        } => Some(*ticket),
        _ => None,
    });
    let columns = |period_ms| Columns {
        period_ms,
        end_ms: 0,
        cpu: [vec![None; 90], vec![Some(70); 28], vec![None, Some(90)]].concat(),
        memory: vec![Some(1 << 20); 120],
    };
    let told = MetricHistory {
        id: InstanceId(1),
        name: "api-0".into(),
        short: columns(5_000),
        long: columns(300_000),
    };
    desk.send(Msg::Fetched {
        ticket: asked.unwrap(),
        answer: Ok(Answer::History(vec![told])),
    });
    let series = &desk.model.rows[&InstanceId(1)].series;
    assert_eq!((series.cpu().len(), series.memory().len()), (120, 120));
    let newest: Vec<_> = series.cpu().iter().skip(117).copied().collect();
    assert_eq!(newest, [Some(70), None, Some(90)]);
}

#[test]
fn what_was_read_stays_and_what_came_meanwhile_is_shown_once() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    let mut library = Library::default();
    library.write(5, "cron", Out, 3, "old");
    let mut it = Reading::behind(desk, library);
    it.desk.lose();
    it.streams.clear();
    assert_eq!(it.texts(), ["old"], "what was read stays");
    it.library.write(5, "cron", Out, 3, "new");
    back(&mut it.desk);
    it.serve();
    assert_eq!(it.texts(), ["old", "new"]);
}

#[test]
fn what_was_asked_for_is_forgotten_with_the_connection() {
    let mut desk = Desk::new();
    desk.select(9);
    desk.press("s");
    assert!(desk.screen().contains("\u{bb}start"));
    desk.lose();
    assert!(!desk.screen().contains("\u{bb}start"));
    back(&mut desk);
    assert!(!desk.screen().contains("\u{bb}start"));
}

#[test]
fn a_selection_that_is_gone_afterwards_moves_to_a_neighbour() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.lose();
    let others = everything()
        .into_iter()
        .filter(|view| view.id != InstanceId(5))
        .collect();
    desk.push(Push::Snapshot(Box::new(snapshot(others))));
    assert_eq!(desk.model.selected, Some(Target::Instance(InstanceId(6))));
    desk.assert_selection_is_seen();
}

#[test]
fn counts_are_of_what_the_daemon_said() {
    let desk = Desk::new();
    let counts = desk.model.counts();
    let sum: usize = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, 15);
    assert_eq!(counts[0], (Status::Running, 7));
    assert_eq!(counts[1], (Status::Errored, 2));
}

#[test]
fn countdowns_stand_still_without_a_connection() {
    let mut desk = Desk::new();
    desk.lose();
    desk.press("Esc");
    let row = |desk: &Desk| {
        let screen = desk.screen();
        let found = screen.lines().find(|line| line.contains(" mailer "));
        found.unwrap().to_owned()
    };
    let before = row(&desk);
    assert!(before.contains("backoff 8s"), "{before}");
    desk.wait(5000);
    assert_eq!(row(&desk), before);
}

#[test]
fn nothing_is_known_before_the_daemon_has_told() {
    let screen = Desk::alone().screen();
    assert!(
        screen.contains("connecting") && !screen.contains("0%"),
        "{screen}"
    );
}

#[test]
fn a_new_connection_says_who_still_runs_and_which_daemon_it_is() {
    let mut desk = Desk::new();
    desk.lose();
    desk.wait(3200);
    let mut all = everything();
    all[0].pid_start = Some(1);
    let mut told = snapshot(all);
    (told.daemon.version, told.daemon.pid) = ("0.2.0".into(), 9120);
    desk.push(Push::Snapshot(Box::new(told)));
    let said = &desk.model.messages.back().unwrap().text;
    assert_eq!(
        said,
        "reconnected after 3.2s: 9 of 10 kept running, new daemon 0.1.0 \u{2192} 0.2.0 pid 9120"
    );
}

#[test]
fn what_nobody_answers_says_for_how_long() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("x");
    desk.seen();
    desk.press("y");
    let row = |desk: &Desk| {
        let screen = desk.screen();
        let found = screen.lines().find(|line| line.contains("cron"));
        found.unwrap().to_owned()
    };
    assert!(row(&desk).contains("\u{bb}stop "), "{}", row(&desk));
    desk.wait(1900);
    assert!(!row(&desk).contains('?'), "{}", row(&desk));
    let due = crate::tui::update::next_due(&desk.model).unwrap();
    assert!(due <= desk.model.now + std::time::Duration::from_secs(1));
    desk.wait(1200);
    assert!(row(&desk).contains("\u{bb}stop ?3s"), "{}", row(&desk));
}

#[test]
fn a_failure_that_went_unseen_stays_in_the_header_until_it_is_looked_at() {
    let mut desk = Desk::new();
    desk.resize(120, 40);
    desk.model.toast("it did not start", true);
    desk.model.toast("something else", false);
    let header = |desk: &Desk| desk.screen().lines().next().unwrap().to_owned();
    assert!(!header(&desk).contains("! 1"));
    desk.wait(61_000);
    assert!(header(&desk).contains("! 1"), "{}", header(&desk));
    desk.press("!");
    assert!(!header(&desk).contains("! 1"), "{}", header(&desk));
}
