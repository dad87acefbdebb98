//! The editor of a definition, from the dashboard.

use crate::tui::msg::Cmd;

use super::desk::Desk;

/// Whose definitions were to be edited.
fn edits(desk: &Desk) -> Vec<&str> {
    let all = desk.wanted.iter();
    all.filter_map(|it| match it {
        Cmd::Edit { name } => Some(name.as_str()),
        _ => None,
    })
    .collect()
}

#[test]
fn the_key_is_about_the_whole_process_of_what_is_selected_or_shown() {
    let mut desk = Desk::new();
    for keys in ["e", ". e", "d e"] {
        desk.select(1);
        desk.press(keys);
    }
    assert_eq!(edits(&desk), ["api"; 3]);
    desk.press("Esc");
    desk.select(15);
    desk.press("e");
    let other = edits(&desk).last().copied().unwrap_or_default();
    assert!(other.starts_with("staging/long-name"), "{other}");
    assert_eq!(desk.calls(), 0, "the command asks and applies");
}

#[test]
fn the_command_line_takes_one_process() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("d :");
    desk.type_text("edit api");
    desk.press("Enter");
    assert_eq!(edits(&desk), ["api"], "whatever is shown");
    desk.press(":");
    desk.type_text("edit api cron");
    desk.press("Enter");
    assert!(desk.screen().contains("api cron is not one process"));
    assert_eq!(edits(&desk).len(), 1);
}

#[test]
fn nothing_is_edited_where_nothing_can_be_changed() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.model.read_only = true;
    desk.press("e");
    assert!(desk.screen().contains("read-only"), "{}", desk.screen());
    let mut lost = Desk::new();
    lost.select(5);
    lost.lose();
    lost.press("Esc e");
    assert!(lost.screen().contains("not connected"), "{}", lost.screen());
    let mut filtered = Desk::new();
    filtered.press("/");
    filtered.type_text("nothing-is-called-so");
    filtered.press("Enter e");
    assert!(filtered.screen().contains("nothing is selected"));
    for desk in [desk, lost, filtered] {
        assert!(edits(&desk).is_empty() && !desk.wanted.contains(&Cmd::Init));
    }
}

#[test]
fn where_nothing_runs_yet_it_is_a_config_file_that_is_edited() {
    let mut desk = Desk::with(vec![]);
    assert!(desk.screen().contains("no ./adasa.toml yet"));
    desk.press("e");
    assert_eq!(desk.wanted.last(), Some(&Cmd::Init));
    desk.model.machine.config = true;
    assert!(desk.screen().contains("edit ./adasa.toml"));
    let mut looks = Desk::with(vec![]);
    looks.model.read_only = true;
    looks.press("e");
    assert!(!looks.wanted.contains(&Cmd::Init));
}

#[test]
fn in_a_log_the_key_goes_to_the_next_error() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("l l e");
    assert!(edits(&desk).is_empty());
}
