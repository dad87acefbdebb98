//! What nobody answers: how long, and what the daemon knows of it.

use std::time::Duration;

use crate::api::{OperationView, Progress, Push, Verb};
use crate::domain::names::{InstanceId, OperationId};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::screens::Screen;
use crate::tui::update::next_due;

use super::desk::{Desk, answer};

/// `cron` was told to stop, and nothing has come of it.
fn unheard() -> Desk {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("x");
    desk.seen();
    desk.press("y");
    desk
}

fn called(desk: &Desk) -> OperationId {
    let call = desk.wanted.iter().rev().find_map(|it| match it {
        Cmd::Call { act, .. } => Some(act.operation.clone()),
        _ => None,
    });
    call.unwrap()
}

/// The last question how far an operation is.
fn asked(desk: &Desk) -> Option<(Ticket, OperationId)> {
    desk.wanted.iter().rev().find_map(|it| match it {
        Cmd::Fetch {
            ticket,
            query: Query::Operation(id),
        } => Some((*ticket, id.clone())),
        _ => None,
    })
}

fn footer(desk: &Desk) -> String {
    desk.screen().lines().last().unwrap().to_owned()
}

fn told(desk: &mut Desk, progress: Progress, recorded: &str) {
    let (ticket, operation) = asked(desk).unwrap();
    let view = OperationView {
        operation,
        done: progress.is_settled(),
        recorded: recorded.into(),
        ..answer(Verb::Stop, 5, "cron", progress)
    };
    desk.send(Msg::Fetched {
        ticket,
        answer: Ok(Answer::Operation(view)),
    });
}

#[test]
fn a_look_is_offered_after_ten_seconds_without_an_answer() {
    let mut desk = unheard();
    desk.resize(120, 40);
    desk.wait(3000);
    let screen = desk.screen();
    assert!(
        screen.contains("stop was asked for: no answer (3s)"),
        "{screen}"
    );
    desk.wait(6900);
    assert!(!footer(&desk).contains("look at it"), "{}", footer(&desk));
    desk.wait(200);
    assert!(
        footer(&desk).contains("O no answer: look at it"),
        "{}",
        footer(&desk)
    );
    // The daemon says something of it.
    let mut view = desk.model.rows[&InstanceId(5)].view.clone();
    view.status = crate::api::Status::Stopping;
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
    assert!(!footer(&desk).contains("look at it"), "{}", footer(&desk));
}

#[test]
fn the_look_asks_for_that_operation_and_again_while_it_is_on_the_way() {
    let mut desk = unheard();
    desk.wait(11_000);
    desk.select(9);
    desk.press("O");
    let (first, id) = asked(&desk).unwrap();
    assert_eq!(
        id,
        called(&desk),
        "the one that waits, whatever is selected"
    );
    desk.wait(5000);
    assert_eq!(asked(&desk).unwrap().0, first, "one question at a time");
    told(&mut desk, Progress::Pending, "pending");
    let screen = desk.screen();
    for part in ["1 on the way", "not recorded yet", "cron", "running"] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    let due = next_due(&desk.model).unwrap();
    assert!(due <= desk.model.now + Duration::from_secs(2));
    desk.wait(2100);
    assert_ne!(asked(&desk).unwrap().0, first, "asked again");
    told(&mut desk, Progress::Done, "done");
    let last = asked(&desk).unwrap().0;
    let screen = desk.screen();
    assert!(
        screen.contains("1 done") && !screen.contains("not recorded"),
        "{screen}"
    );
    desk.wait(10_000);
    assert_eq!(asked(&desk).unwrap().0, last, "it is over");
}

#[test]
fn an_operation_that_the_daemon_does_not_know_is_said_to_be_unknown() {
    let mut desk = unheard();
    desk.wait(11_000);
    desk.press("O");
    let (ticket, _) = asked(&desk).unwrap();
    desk.send(Msg::Fetched {
        ticket,
        answer: Err("there is no operation 1234".into()),
    });
    assert!(desk.screen().contains("there is no operation 1234"));
    desk.wait(10_000);
    assert_eq!(asked(&desk).unwrap().0, ticket);
    desk.press("Esc");
    assert!(desk.model.screens.is_empty());
}

#[test]
fn without_anything_asked_there_is_nothing_to_look_at() {
    let mut desk = Desk::new();
    desk.press("O");
    assert!(desk.screen().contains("nothing was asked for from here"));
    assert!(!matches!(desk.model.screens.last(), Some(Screen::Bulk(_))));
}
