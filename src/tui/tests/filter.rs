//! The grammar of the filter, and its line.

use crate::tui::model::Mode;

use super::desk::Desk;

fn names(filter: &str) -> Vec<String> {
    let mut desk = Desk::new();
    desk.press("/");
    desk.type_text(filter);
    desk.press("Enter");
    desk.assert_selection_is_seen();
    let model = &desk.model;
    model
        .rows
        .values()
        .filter(|row| model.filter.matches(row))
        .map(|row| row.view.name.clone())
        .collect()
}

#[test]
fn a_word_is_part_of_a_name() {
    assert_eq!(names("api"), ["api-0", "api-1", "api-2"]);
    assert_eq!(names("API-1"), ["api-1"]);
    assert_eq!(names("i g"), ["billing", "migrate"]);
    assert_eq!(names("").len(), 15);
    assert_eq!(names("   ").len(), 15);
}

#[test]
fn check_11_a_status_may_be_begun() {
    assert_eq!(names("status:errored"), ["billing", "web-2"]);
    assert_eq!(names("status:err"), ["billing", "web-2"]);
    assert_eq!(names("status:stopped"), ["thumbs"]);
    assert_eq!(names("status:").len(), 15, "not typed to its end");
}

#[test]
fn check_11_numbers_are_compared() {
    // Percent is 3.5 times the id, memory 21 MB times the id.
    assert_eq!(names("cpu>45 !long"), ["web-3", "worker"]);
    assert_eq!(names("cpu>45% !long"), ["web-3", "worker"]);
    assert_eq!(names("mem>250M !long"), ["web-3", "worker"]);
    assert_eq!(names("cpu>").len(), 15);
    assert_eq!(names("mem>").len(), 15);
}

#[test]
fn check_11_fields_patterns_and_alternatives() {
    assert_eq!(
        names("status:errored|backoff"),
        ["billing", "mailer", "web-2"]
    );
    assert_eq!(
        names("status:err|"),
        ["billing", "web-2"],
        "not typed to its end"
    );
    assert_eq!(names("/^(cron|web-1)$/"), ["cron", "web-1"]);
    assert_eq!(names("/^API/ !id:2"), ["api-0", "api-2"]);
    assert_eq!(names("ns:stag").len(), 1);
    assert_eq!(names("name:thumb"), ["thumbs"]);
    assert_eq!(names("cpu<8"), ["api-0", "api-1"]);
    let often = names("restarts>2");
    assert!(
        often.contains(&"api-2".to_owned()) && !often.contains(&"api-0".to_owned()),
        "{often:?}"
    );
    assert_eq!(names("tag:none").len(), 0);
}

#[test]
fn not_and_and() {
    assert_eq!(names("web !status:errored"), ["web-0", "web-1", "web-3"]);
    assert_eq!(names("!status:running !web !api").len(), 6);
    assert_eq!(names("!").len(), 15, "nothing to exclude yet");
}

#[test]
fn check_11_what_is_wrong_is_said_and_the_rest_holds() {
    for (filter, part) in [
        ("api cpu>many", "cpu>many is no number"),
        ("api status:happy", "happy"),
        ("api mem>lots", "lots"),
        ("api /(/", "/(/: unclosed group"),
        ("api restarts>x", "restarts>x"),
    ] {
        let mut desk = Desk::new();
        desk.press("/");
        desk.type_text(filter);
        let screen = desk.screen();
        let footer = screen.lines().last().unwrap();
        assert!(footer.contains(part), "{footer}");
        assert_eq!(desk.model.lines().len(), 4, "{filter}: api and its three");
    }
}

#[test]
fn the_line_takes_text_and_few_keys() {
    let mut desk = Desk::new();
    desk.press("/");
    desk.type_text("qxD?/");
    assert_eq!(desk.model.filter.text(), "qxD?/");
    assert!(desk.wanted.is_empty());
    assert!(desk.screen().contains("nothing matches /qxD?/"));
    desk.press("Backspace Backspace");
    assert_eq!(desk.model.filter.text(), "qxD");
    desk.press("^U");
    assert_eq!(desk.model.filter.text(), "");
    desk.type_text("web");
    desk.press("Enter");
    assert_eq!(desk.model.mode, Mode::Browse);
    assert_eq!(desk.model.filter.text(), "web");
    desk.press("Esc");
    assert_eq!(desk.model.filter.text(), "", "Esc closes the innermost");
    desk.press("/ w Esc");
    assert_eq!(desk.model.filter.text(), "");
    desk.press("/ w ^C");
    assert_eq!(desk.model.mode, Mode::Browse);
    assert!(desk.wanted.is_empty(), "the first ^C only ends the line");
}

#[test]
fn the_selection_survives_a_filter_that_shows_it() {
    let mut desk = Desk::new();
    desk.select(13);
    let before = desk.model.selected.clone();
    desk.press("/");
    desk.type_text("web-3");
    assert_eq!(desk.model.selected, before);
    desk.press("Esc");
    assert_eq!(desk.model.selected, before);
}
