//! Screens on top of the main one, and keys that begin something.

use crate::tui::keymap::Keymap;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Query;
use crate::tui::screens::Screen;

use super::desk::Desk;

#[test]
fn a_screen_covers_the_table_and_esc_and_q_close_it() {
    for close in ["Esc", "q"] {
        let mut desk = Desk::new();
        desk.wait(200);
        desk.press("!");
        assert!(desk.screen().contains("messages of this session"));
        assert!(!desk.screen().contains("billing"));
        desk.press(close);
        assert!(desk.screen().contains("billing"), "{close}");
        assert!(desk.wanted.iter().all(|c| *c != Cmd::Quit), "{close}");
    }
}

#[test]
fn every_remark_is_found_again() {
    let mut desk = Desk::new();
    desk.model.toast("the first", false);
    desk.model.toast("a failure", true);
    desk.wait(120_000);
    assert!(!desk.screen().contains("a failure"));
    desk.press("!");
    let screen = desk.screen();
    let (newer, older) = (screen.find("a failure"), screen.find("the first"));
    assert!(newer.is_some() && newer < older, "{screen}");
    // Verbs are not for what is not seen.
    desk.press("x");
    assert!(desk.is_browsing());
}

#[test]
fn a_detail_asks_the_daemon_and_takes_its_own_answer_only() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("d");
    let ticket = desk
        .wanted
        .iter()
        .find_map(|command| match command {
            Cmd::Fetch {
                ticket,
                query: Query::Detail { select },
            } if select == "5" => Some(*ticket),
            _ => None,
        })
        .unwrap();
    desk.send(Msg::Fetched {
        ticket: crate::tui::query::Ticket(ticket.0 + 100),
        answer: Err("for somebody else".into()),
    });
    assert!(desk.screen().contains("asking the daemon"));
    desk.send(Msg::Fetched {
        ticket,
        answer: Err("it is gone".into()),
    });
    assert!(desk.screen().contains("it is gone"));
    assert!(matches!(desk.model.screens.last(), Some(Screen::Detail(_))));
}

#[test]
fn a_beginning_shows_what_may_follow_and_esc_withdraws_it() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.resize(120, 40);
    let (keymap, _) = Keymap::with(&[("stop".to_owned(), vec!["Z+x".to_owned()])]);
    desk.model.keymap = keymap;
    desk.select(5);
    desk.press("Z");
    let screen = desk.screen();
    assert!(
        screen.contains("stop (asks)") && screen.contains(" Z… "),
        "{screen}"
    );
    desk.press("Esc");
    assert!(!desk.screen().contains("stop (asks)"));
    desk.press("Z x");
    assert_eq!(desk.ask().name, "cron");
}
