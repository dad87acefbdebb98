//! Taking back from the dashboard.

use crate::api::{Progress, Verb};
use crate::tui::msg::{Cmd, Msg};

use super::desk::{Desk, answer};

fn undos(desk: &Desk) -> usize {
    let all = desk.wanted.iter();
    all.filter(|c| matches!(c, Cmd::Undo { .. })).count()
}

#[test]
fn the_key_asks_the_daemon_and_says_what_came_of_it() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.resize(120, 40);
    desk.press("u");
    assert_eq!(undos(&desk), 1);
    let view = answer(Verb::Start, 5, "cron", Progress::Done);
    desk.send(Msg::Undone(Ok(view)));
    assert!(desk.screen().contains("taken back: cron"));
    desk.send(Msg::Undone(Err("there is nothing to take back".into())));
    assert!(desk.screen().contains("there is nothing to take back"));
}

#[test]
fn without_a_daemon_nothing_is_asked() {
    let mut desk = Desk::new();
    desk.lose();
    desk.press("Esc u");
    assert_eq!(undos(&desk), 0);
}

#[test]
fn a_dashboard_that_only_looks_neither_takes_back_nor_rolls() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.model.read_only = true;
    desk.select(2);
    desk.press("u R");
    desk.wait(200);
    desk.press("y");
    assert_eq!((undos(&desk), desk.calls()), (0, 0));
    assert!(desk.model.screens.is_empty());
}
