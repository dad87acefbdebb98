//! The form of a new process.

use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::screens::Screen;

use super::desk::Desk;

fn opened() -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.press("n");
    desk
}

fn last_query(desk: &Desk) -> (Ticket, Query) {
    desk.wanted
        .iter()
        .rev()
        .find_map(|command| match command {
            Cmd::Fetch { ticket, query } => Some((*ticket, query.clone())),
            _ => None,
        })
        .expect("a question to the daemon")
}

#[test]
fn letters_are_text_and_not_keys() {
    let mut desk = opened();
    desk.type_text("qxD s");
    desk.press("Tab");
    desk.type_text("web");
    let screen = desk.screen();
    assert!(
        screen.contains("qxD s") && screen.contains("= adasa start qxD --name web -- s"),
        "{screen}"
    );
    assert_eq!(desk.calls(), 0);
    assert!(!desk.wanted.contains(&Cmd::Quit));
    desk.press("Esc");
    assert!(desk.model.screens.is_empty());
}

#[test]
fn check_39_what_is_wrong_is_shown_and_the_fields_stay() {
    let mut desk = opened();
    desk.type_text("no-such-thing");
    desk.press("Enter");
    let (ticket, query) = last_query(&desk);
    assert!(matches!(query, Query::Define(draft) if draft.command == "no-such-thing"));
    desk.send(Msg::Fetched {
        ticket,
        answer: Ok(Answer::Draft(Err(
            "no program in PATH is called no-such-thing".into(),
        ))),
    });
    let screen = desk.screen();
    assert!(
        screen.contains("no program in PATH is called no-such-thing"),
        "{screen}"
    );
    assert!(
        matches!(desk.model.screens.last(), Some(Screen::Form(it)) if it.draft.command == "no-such-thing")
    );
}

#[test]
fn a_name_that_is_taken_is_said_without_asking() {
    let mut desk = opened();
    desk.wanted.clear();
    desk.type_text("./cron");
    assert!(
        desk.screen().contains("the name cron is taken"),
        "{}",
        desk.screen()
    );
    desk.wanted.clear();
    desk.press("Enter");
    assert!(desk.wanted.is_empty());
}

#[test]
fn started_the_form_goes_and_says_so() {
    let mut desk = opened();
    desk.type_text("sleep 100");
    desk.press("Enter Enter");
    let asked = desk
        .wanted
        .iter()
        .filter(|c| {
            matches!(
                c,
                Cmd::Fetch {
                    query: Query::Define(_),
                    ..
                }
            )
        })
        .count();
    assert_eq!(asked, 1, "the second Enter starts nothing");
    let (ticket, _) = last_query(&desk);
    desk.send(Msg::Fetched {
        ticket,
        answer: Ok(Answer::Defined("sleep".into())),
    });
    assert!(desk.model.screens.is_empty());
    assert!(desk.screen().contains("sleep is started"));
}

#[test]
fn a_paste_goes_into_the_field() {
    let mut desk = opened();
    desk.send(Msg::Paste("node\n server.js\u{1b}[2J".into()));
    assert!(
        matches!(desk.model.screens.last(), Some(Screen::Form(it)) if it.draft.command == "node server.js[2J")
    );
}

#[test]
fn without_a_connection_there_is_no_form() {
    let mut desk = Desk::new();
    desk.lose();
    desk.press("n");
    assert!(desk.model.screens.is_empty());
}
