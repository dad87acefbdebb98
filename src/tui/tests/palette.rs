//! The command line of the dashboard.

use crate::api::{Intent, Verb};
use crate::tui::model::{Focus, Mode, Target, Tier};
use crate::tui::msg::Cmd;
use crate::tui::screens::Screen;

use super::desk::Desk;

fn typed(text: &str) -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.press(":");
    desk.type_text(text);
    desk
}

#[test]
fn a_verb_asks_as_its_key_does() {
    let mut desk = typed("stop cron");
    desk.press("Enter");
    assert_eq!(
        (desk.ask().what, desk.ask().tier),
        (Intent::Do(Verb::Stop), Tier::Footer)
    );
    assert_eq!(desk.ask().name, "cron");
    let mut desk = typed("restart web");
    desk.press("Enter");
    assert_eq!((desk.ask().tier, desk.ask().targets.len()), (Tier::Box, 4));
    let mut desk = typed("stop status:errored");
    desk.press("Enter");
    assert_eq!(desk.ask().targets.len(), 2);
    let mut desk = typed("kill all");
    desk.press("Enter");
    assert_eq!(
        (desk.ask().tier, desk.ask().word.as_str()),
        (Tier::Name, "15")
    );
}

#[test]
fn a_begun_word_is_completed_and_the_chosen_line_is_done() {
    let mut desk = typed("resta");
    assert!(desk.screen().contains("restart api"), "{}", desk.screen());
    desk.press("Tab");
    let Mode::Palette(it) = &desk.model.mode else {
        panic!()
    };
    assert_eq!(it.text, "restart api ");
    let mut desk = typed("stop mai");
    assert!(desk.screen().contains("stop mailer") && desk.screen().contains("= adasa stop mailer"));
    desk.press("Enter");
    assert_eq!(desk.ask().name, "mailer");
    let mut desk = typed("stop web");
    desk.press("Down Down Enter");
    assert_eq!(desk.ask().name, "web-1");
}

#[test]
fn what_is_wrong_is_said_and_the_line_stays() {
    for (text, why) in [
        (
            "retsart api",
            "there is no command retsart; did you mean restart?",
        ),
        ("stop nobody", "nothing is called nobody"),
        ("tree now", "tree takes no more words"),
    ] {
        let mut desk = typed(text);
        desk.press("Enter");
        assert!(desk.screen().contains(why), "{}", desk.screen());
        assert!(matches!(&desk.model.mode, Mode::Palette(it) if it.text == text));
        desk.press("Esc");
        assert!(desk.is_browsing());
        assert_eq!(desk.calls(), 0);
    }
}

#[test]
fn it_goes_to_what_is_named() {
    let mut desk = typed("logs web-2");
    desk.press("Enter");
    assert_eq!(desk.model.focus, Focus::Logs);
    assert!(matches!(&desk.model.selected, Some(Target::Instance(id)) if id.0 == 12));
    let mut desk = typed("status cron");
    desk.press("Enter");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Detail(it)) if it.id.0 == 5));
    let mut desk = typed("filter status:errored");
    desk.press("Enter");
    assert_eq!(desk.model.filter.text(), "status:errored");
    let mut desk = typed("quit");
    desk.press("Enter");
    assert!(desk.wanted.contains(&Cmd::Quit));
}

#[test]
fn without_a_connection_nothing_is_asked_for() {
    let mut desk = typed("start thumbs");
    desk.lose();
    desk.press("Enter");
    assert_eq!(desk.calls(), 0);
    assert!(desk.screen().contains("not connected"));
}

#[test]
fn the_action_menu_has_the_verbs() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press(".");
    assert!(desk.screen().contains("restart (asks)"));
    desk.press("x");
    assert_eq!(desk.ask().what, Intent::Do(Verb::Stop));
}
