//! Who did what, who is here, and what changed while nobody looked.

use crate::api::{Event, Push, What, Who};
use crate::domain::names::OperationId;
use crate::tui::model::Tier;
use crate::tui::msg::Msg;
use crate::tui::query::{Answer, Query, Ticket};

use super::desk::{Desk, everything, noon_ms, snapshot};
use super::scenes::activity::{asked, changes, with_activity};

fn happens(desk: &mut Desk, what: What) {
    let event = Event {
        at_ms: noon_ms() + 900_000,
        id: None,
        name: String::new(),
        what,
    };
    desk.push(Push::Event { event });
}

#[test]
fn what_others_do_is_seen_at_once_with_what_became_of_it() {
    let mut desk = with_activity();
    desk.press("4");
    let operation = OperationId::new("operation-1").unwrap();
    happens(
        &mut desk,
        What::Did {
            who: Who::new("dev", Some(99), Some("tui;tty=pts/4"), None),
            what: "restart".into(),
            on: vec!["cron".into()],
            more: 0,
            operation: Some(operation.clone()),
            changed: vec![],
        },
    );
    let first = |desk: &Desk| {
        let screen = desk.screen();
        let found = screen
            .lines()
            .skip(1)
            .find(|row| row.contains("cron") && row.contains("dev"));
        found
            .unwrap_or_else(|| panic!("{screen}"))
            .trim_end()
            .to_owned()
    };
    assert!(
        first(&desk).ends_with("dev (tui pts/4)      restart cron"),
        "{}",
        first(&desk)
    );
    happens(
        &mut desk,
        What::Done {
            operation,
            ok: 1,
            failed: 0,
            why: None,
            took_ms: 1200,
        },
    );
    assert!(first(&desk).ends_with("restart cron  ok in 1.2s"));
    desk.press("q");
    assert!(desk.model.screens.is_empty());
}

#[test]
fn who_else_is_here_is_in_the_header_and_oneself_is_marked() {
    let mut desk = with_activity();
    let header = |desk: &Desk| desk.screen().lines().next().unwrap().to_owned();
    assert!(header(&desk).contains("2 here"), "{}", header(&desk));
    desk.resize(200, 60);
    let all = "2 here: dev (tui pts/4), ops (tui pts/9) (you)";
    assert!(header(&desk).contains(all), "{}", header(&desk));
    assert!(
        desk.screen().contains("rolling restart web  ok in 3.1s"),
        "the pane"
    );
    desk.push(Push::Clients { clients: vec![] });
    assert!(!header(&desk).contains("here"));
}

#[test]
fn what_changed_since_the_last_look_is_asked_for_told_once_and_put_away() {
    let mut desk = Desk::alone();
    desk.model.company.unseen_since = Some(17);
    desk.push(Push::Snapshot(Box::new(snapshot(everything()))));
    let since = |query: &Query| *query == Query::Changes { since_ms: 17 };
    assert!(asked(&desk, since).is_some());
    let tell = |desk: &mut Desk| {
        desk.send(Msg::Fetched {
            ticket: Ticket(1),
            answer: Ok(Answer::Changes(changes())),
        });
    };
    tell(&mut desk);
    assert!(
        desk.screen().contains("given up: billing"),
        "{}",
        desk.screen()
    );
    // It takes no key.
    desk.press("j");
    assert!(desk.is_browsing());
    desk.press("Esc");
    assert!(!desk.screen().contains("given up"));
    // After a loss it is what happened meanwhile.
    desk.wanted.clear();
    desk.lose();
    let lost_at = desk.model.wall_ms;
    desk.wait(4000);
    desk.push(Push::Snapshot(Box::new(snapshot(everything()))));
    let meanwhile = |query: &Query| *query == Query::Changes { since_ms: lost_at };
    assert!(asked(&desk, meanwhile).is_some());
    let nothing = crate::api::Changes::default();
    desk.send(Msg::Fetched {
        ticket: Ticket(2),
        answer: Ok(Answer::Changes(nothing)),
    });
    assert_eq!(desk.model.company.news, None);
}

/// Somebody else began something that is not over.
pub(super) fn begun_by_dev(desk: &mut Desk, what: &str, on: &[&str], id: &str) -> OperationId {
    let operation = OperationId::new(id).unwrap();
    let event = Event {
        at_ms: desk.model.wall_ms,
        id: None,
        name: String::new(),
        what: What::Did {
            who: Who::new("dev", Some(99), Some("tui;tty=pts/4"), None),
            what: what.into(),
            on: on.iter().map(|it| (*it).to_owned()).collect(),
            more: 0,
            operation: Some(operation.clone()),
            changed: vec![],
        },
    };
    desk.push(Push::Event { event });
    operation
}

#[test]
fn what_another_is_at_is_in_the_header_until_it_is_done() {
    let mut desk = with_activity();
    desk.resize(120, 40);
    let operation = begun_by_dev(&mut desk, "stop", &["web"], "operation-2");
    let header = |desk: &Desk| desk.screen().lines().next().unwrap().to_owned();
    assert!(header(&desk).contains("dev: stop web"), "{}", header(&desk));
    let event = Event {
        at_ms: desk.model.wall_ms,
        id: None,
        name: String::new(),
        what: What::Done {
            operation,
            ok: 4,
            failed: 0,
            why: None,
            took_ms: 1200,
        },
    };
    desk.push(Push::Event { event });
    assert!(!header(&desk).contains("stop web"), "{}", header(&desk));
    begun_by_dev(&mut desk, "stop", &["web"], "operation-3");
    desk.wait(700_000);
    assert!(!header(&desk).contains("stop web"), "it was lost sight of");
}

#[test]
fn a_question_says_who_is_at_the_same() {
    let mut desk = with_activity();
    begun_by_dev(&mut desk, "restart", &["web", "cron"], "operation-4");
    desk.select(5);
    desk.press("x");
    assert_eq!(desk.ask().tier, Tier::Box, "there is room to say it");
    let screen = desk.screen();
    assert!(
        screen.contains("under way     dev: restart web cron"),
        "{screen}"
    );
    desk.press("Esc");
    // Of others there is nothing to say.
    desk.select(4);
    desk.press("r");
    assert_eq!(desk.ask().tier, Tier::Footer);
    desk.press("Esc");
    // An instance of the process that is meant as a whole.
    desk.select(11);
    desk.press("R");
    let screen = desk.screen();
    assert!(
        screen.contains("under way: dev: restart web cron"),
        "{screen}"
    );
}
