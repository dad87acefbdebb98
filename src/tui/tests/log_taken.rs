//! What is taken out of a log view: copied, saved, or printed on a screen without it.

use crate::domain::spec::Stream::Out;
use crate::tui::msg::{Cmd, Saving};

use super::library::Reading;
use super::log_view::reading;

#[test]
fn check_35_what_is_copied_has_no_marks_no_newline_at_its_end_and_no_more_than_72_kib() {
    let mut it = reading(10);
    let text = "\x1b[2Jone \x1b[31mred\x1b[0m\x07";
    it.library.write(5, "cron", Out, 1, text);
    it.library.write(5, "cron", Out, 1, "two");
    it.flow();
    let copied = |it: &mut Reading| {
        it.desk.wanted.drain(..).find_map(|command| match command {
            Cmd::Copy(text) => Some(text),
            _ => None,
        })
    };
    it.desk.press("y");
    assert_eq!(copied(&mut it).as_deref(), Some("two"));
    it.press("v k");
    it.desk.press("y");
    assert_eq!(copied(&mut it).as_deref(), Some("one red\ntwo"));
    assert!(!it.screen().contains("SELECT"), "the selection is over");
    for _ in 0..20 {
        it.library.write(5, "cron", Out, 1, &"x".repeat(5_000));
    }
    it.flow();
    it.press("G v g");
    it.desk.press("y");
    assert_eq!(copied(&mut it), None);
    assert!(it.screen().contains("W saves them"), "{}", it.screen());
}

#[test]
fn what_is_selected_or_all_of_it_is_saved_and_raw_only_when_asked_for() {
    let mut it = reading(100);
    let save = |it: &mut Reading, keys: &str| {
        for key in keys.split(' ') {
            it.desk.press(key);
        }
        it.desk.wanted.drain(..).find_map(|command| match command {
            Cmd::Save { path, raw, what } => Some((path.display().to_string(), raw, what)),
            _ => None,
        })
    };
    let Some((path, false, Saving::All(query))) = save(&mut it, "W Enter") else {
        panic!("{}", it.screen());
    };
    assert_eq!((path.as_str(), query.select.as_str()), ("cron.log", "5"));
    assert_eq!(query.lines, Some(usize::MAX));
    let Some((_, true, Saving::Page(page))) = save(&mut it, "v k k W Tab Enter") else {
        panic!("{}", it.screen());
    };
    assert_eq!(page.after, 3);
}

#[test]
fn the_plain_screen_is_left_by_any_key() {
    let mut it = reading(100);
    it.desk.press("C");
    let printed = it.desk.wanted.drain(..).find_map(|command| match command {
        Cmd::Plain(lines) => Some(lines),
        _ => None,
    });
    assert_eq!(printed.unwrap().last().unwrap(), "ERROR line 00099");
    it.desk.press("x");
    assert!(it.desk.wanted.contains(&Cmd::Enter));
    assert!(it.desk.is_browsing(), "the key does nothing else");
}
