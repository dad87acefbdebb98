//! The help: what it begins with, what is found in it, and what Esc closes first.

use crate::tui::help::Help;
use crate::tui::model::Mode;
use crate::tui::msg::Msg;

use super::desk::Desk;
use super::scenes::detail::shown;

fn help(desk: &Desk) -> &Help {
    match &desk.model.mode {
        Mode::Help(help) => help,
        other => panic!("no help: {other:?}"),
    }
}

#[test]
fn it_begins_with_the_keys_of_where_one_is() {
    let mut desk = Desk::new();
    desk.press("?");
    let first = |desk: &Desk| {
        let screen = desk.screen();
        let title = |line: &str| {
            let text = line.split('\u{2502}').nth(1)?.trim().to_owned();
            let is = !text.is_empty() && text.chars().all(|c| c.is_uppercase() || c == ' ');
            is.then_some(text)
        };
        screen.lines().find_map(title)
    };
    assert!(desk.screen().contains("help: processes"));
    assert_eq!(first(&desk).as_deref(), Some("PROCESSES"));
    let mut desk = shown(5);
    desk.press("?");
    assert!(desk.screen().contains("help: detail"));
    assert_eq!(first(&desk).as_deref(), Some("DETAIL"));
    assert!(desk.screen().contains("show the value of the variable"));
}

#[test]
fn a_word_is_found_as_it_is_typed_and_esc_leaves_the_search_first() {
    let mut desk = Desk::new();
    desk.press("? /");
    desk.type_text("sigk");
    let screen = desk.screen();
    assert!(
        screen.contains("kill with SIGKILL") && !screen.contains("restart (asks)"),
        "{screen}"
    );
    let (found, all) = crate::tui::help::counts(&desk.model, help(&desk));
    assert!(
        screen.contains(&format!("/sigk_  {found} of {all} keys")),
        "{screen}"
    );
    assert!(found > 0 && found < 6, "{found}");
    // The letters that move are letters in a search, and keys behind it.
    desk.press("Enter");
    assert_eq!(help(&desk).find, "sigk");
    desk.press("Esc");
    assert!(
        desk.screen().contains("restart (asks)"),
        "{}",
        desk.screen()
    );
    desk.press("Esc");
    assert!(desk.is_browsing());
    desk.press("? /");
    desk.type_text("sort");
    desk.press("Esc");
    assert_eq!(help(&desk), &Help::default());
    desk.press("/");
    desk.type_text("sort");
    desk.press("Backspace Backspace Backspace Backspace Backspace");
    assert_eq!(help(&desk), &Help::default());
    desk.press("q");
    assert!(desk.is_browsing());
}

#[test]
fn one_character_is_a_key_and_upper_case_is_another() {
    let mut desk = shown(5);
    desk.press("? /");
    desk.type_text("V");
    let screen = desk.screen();
    assert!(
        screen.contains("show the value of the variable"),
        "{screen}"
    );
    assert!(!screen.contains("mark from the last mark"), "{screen}");
    desk.press("Backspace v");
    let screen = desk.screen();
    assert!(screen.contains("mark from the last mark"), "{screen}");
    assert!(
        !screen.contains("show the value of the variable"),
        "{screen}"
    );
    // Keys with names, names of the configuration, and both words of two.
    for (find, told) in [
        ("F7", "start"),
        ("copy-pid", "copy its pid"),
        ("ROLLING", "finish the batch, begin no other"),
        ("batch plan", "restart batch by batch"),
    ] {
        desk.press("^U");
        desk.type_text(find);
        assert!(desk.screen().contains(told), "{find}: {}", desk.screen());
    }
    desk.press("^U");
    desk.type_text("no such thing");
    assert!(
        desk.screen().contains("no key and no word"),
        "{}",
        desk.screen()
    );
}

#[test]
fn a_paste_is_looked_for_only_while_a_search_is_typed() {
    let mut desk = Desk::new();
    desk.press("?");
    desk.send(Msg::Paste("sort".into()));
    assert_eq!(help(&desk).find, "");
    desk.press("/");
    desk.send(Msg::Paste("so\u{1b}rt".into()));
    assert_eq!(help(&desk).find, "sort");
}

#[test]
fn the_last_key_is_at_the_bottom_of_the_last_page() {
    for (width, height) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
        let mut desk = Desk::new();
        desk.resize(width, height);
        desk.press("? G");
        let lines = crate::tui::help::lines(&desk.model, help(&desk));
        let page = crate::tui::view::help_page(&desk.model);
        assert_eq!(help(&desk).scroll, lines.len().saturating_sub(page));
        desk.press("j j PgDn");
        assert_eq!(help(&desk).scroll, lines.len().saturating_sub(page));
        desk.press("g");
        assert_eq!(help(&desk).scroll, 0);
    }
}
