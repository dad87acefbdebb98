//! How what stands for controls in a log looks: the same in every view, and never obeyed.

use crate::domain::spec::Stream;
use crate::tui::screens::detail::Tab;

use super::desk::Desk;
use super::library::{Library, Reading};
use super::scenes::detail::{shown, turn};

fn library() -> Library {
    let mut library = Library::default();
    let texts = [
        "plain",
        "a\u{1b}[2J\u{1b}]0;owned\u{7}b",
        "\u{1b}[31mred\u{1b}[0m \u{1b}[K",
    ];
    for text in texts {
        library.write(5, "cron", Stream::Out, 3, text);
    }
    library
}

fn command(it: &mut Reading, text: &str) {
    it.press(":");
    it.desk.type_text(text);
    it.press("Enter");
}

#[test]
fn controls_are_shown_counted_or_hidden_in_every_view() {
    let mut desk = Desk::new();
    desk.select(5);
    let mut main = Reading::behind(desk.clone(), library());
    main.desk.wait(200);
    main.serve();
    let whole = Reading::open(desk, library());
    let mut detail = shown(5);
    turn(&mut detail, Tab::Logs);
    let detail = Reading::behind(detail, library());
    for mut it in [main, whole, detail] {
        let shown = ["plain", "a\u{241b}[2J\u{241b}]0\u{2026}b", "red \u{241b}[K"];
        assert_eq!(it.texts(), shown);
        command(&mut it, "controls count");
        let counted = [
            "plain",
            "ab\u{27e8}2 controls\u{27e9}",
            "red \u{27e8}1 control\u{27e9}",
        ];
        assert_eq!(it.texts(), counted);
        command(&mut it, "controls hide");
        assert_eq!(it.texts(), ["plain", "ab", "red"]);
        command(&mut it, "controls show");
        assert_eq!(it.texts(), shown);
    }
}

#[test]
fn another_way_is_refused_and_the_three_are_suggested() {
    let mut it = Reading::open(Desk::new(), library());
    it.press(":");
    it.desk.type_text("controls ");
    let screen = it.screen();
    for way in ["controls show", "controls count", "controls hide"] {
        assert!(screen.contains(way), "{way} in\n{screen}");
    }
    it.desk.type_text("obey");
    it.press("Enter");
    assert!(
        it.screen().contains("one of show, count, hide"),
        "{}",
        it.screen()
    );
}
