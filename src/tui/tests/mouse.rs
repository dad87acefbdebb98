//! The mouse, the copy menu, and how much room each pane has.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::domain::spec::Stream::Out;
use crate::tui::model::{Focus, Target};
use crate::tui::mouse::Modes;
use crate::tui::msg::{Cmd, Msg, Saving};
use crate::tui::regions::regions;

use super::desk::{Desk, line};
use super::library::{Library, Reading};

const PRESS: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const DRAG: MouseEventKind = MouseEventKind::Drag(MouseButton::Left);
const RELEASE: MouseEventKind = MouseEventKind::Up(MouseButton::Left);

fn mouse(desk: &mut Desk, kind: MouseEventKind, (column, row): (u16, u16)) {
    desk.send(Msg::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }));
}

fn row_of(desk: &Desk, text: &str) -> u16 {
    let screen = desk.screen();
    let row = screen.lines().position(|row| row.contains(text));
    u16::try_from(row.unwrap_or_else(|| panic!("{text} in\n{screen}"))).unwrap()
}

fn reading() -> Reading {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    desk.press("M Esc");
    let mut library = Library::default();
    for n in 0..200 {
        library.write(5, "cron", Out, 1, &format!("line {n}"));
    }
    Reading::behind(desk, library)
}

fn copied(desk: &Desk) -> Vec<String> {
    let all = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Copy(text) => Some(text.clone()),
        _ => None,
    });
    all.collect()
}

#[test]
fn the_mouse_is_left_to_the_terminal_until_m() {
    let mut desk = Desk::new();
    let row = row_of(&desk, " cron ");
    let before = desk.model.selected.clone();
    mouse(&mut desk, PRESS, (10, row));
    assert_eq!(desk.model.selected, before);
    assert_eq!(Modes::of(&desk.model), Modes::default());
    desk.press("3");
    assert!(Modes::of(&desk.model).wheel, "arrows for the wheel in logs");
    desk.press("M");
    assert!(desk.screen().contains("mouse on: Shift-drag selects"));
    let modes = Modes::of(&desk.model);
    assert!(modes.mouse && !modes.wheel);
    desk.press("M");
    assert!(!Modes::of(&desk.model).mouse);
}

#[test]
fn a_click_chooses_a_row_a_pane_and_a_fold() {
    let mut it = reading();
    let desk = &mut it.desk;
    let row = row_of(desk, " mailer ");
    mouse(desk, PRESS, (10, row));
    assert_eq!(
        desk.model.selected,
        Some(Target::Instance(crate::domain::names::InstanceId(6)))
    );
    let logs = regions(&desk.model).logs.unwrap();
    mouse(desk, PRESS, (10, logs.y + 1));
    assert_eq!(desk.model.focus, Focus::Logs);
    let row = row_of(desk, "api \u{d7}3");
    mouse(desk, PRESS, (2, row));
    assert!(!desk.screen().contains("api-1"), "{}", desk.screen());
    mouse(desk, PRESS, (2, row));
    assert!(desk.screen().contains("api-1"));
    let head = regions(&desk.model).head;
    let cpu = desk
        .screen()
        .lines()
        .nth(usize::from(head.y))
        .unwrap()
        .find("CPU");
    mouse(desk, PRESS, (u16::try_from(cpu.unwrap()).unwrap(), head.y));
    assert!(desk.screen().contains("CPU\u{25be}"), "{}", desk.screen());
}

/// Every cell, on every screen: nothing is asked of the daemon but what is to be read.
#[test]
fn a_click_never_does_anything() {
    for keys in ["Esc", "x", "D", "d", "R", "3 l", "o", "n"] {
        let mut it = reading();
        it.press(keys);
        let mode = it.desk.model.mode.clone();
        it.desk.wanted.clear();
        for row in 0..24 {
            for column in (0..80).step_by(3) {
                for kind in [PRESS, DRAG, RELEASE] {
                    mouse(&mut it.desk, kind, (column, row));
                }
            }
        }
        let done = it.desk.wanted.iter().find(|command| {
            !matches!(
                command,
                Cmd::Fetch { .. } | Cmd::Stream { .. } | Cmd::Close { .. } | Cmd::Copy(_)
            )
        });
        assert_eq!(done, None, "{keys}");
        assert_eq!(it.desk.model.mode, mode, "{keys}");
    }
}

#[test]
fn the_wheel_scrolls_what_is_below_the_pointer() {
    let mut it = reading();
    let logs = regions(&it.desk.model).logs.unwrap();
    let selected = it.desk.model.selected.clone();
    let last = it.last();
    mouse(&mut it.desk, MouseEventKind::ScrollUp, (10, logs.y + 1));
    it.serve();
    assert_eq!(it.desk.model.selected, selected);
    assert_eq!(
        (last.as_str(), it.last().as_str()),
        ("line 199", "line 196")
    );
    let row = row_of(&it.desk, " cron ");
    mouse(&mut it.desk, MouseEventKind::ScrollDown, (10, row));
    assert_ne!(it.desk.model.selected, selected);
}

#[test]
fn lines_that_are_drawn_over_are_copied_whole() {
    let mut it = reading();
    it.press("l l");
    let first = row_of(&it.desk, "line 190");
    mouse(&mut it.desk, PRESS, (30, first));
    mouse(&mut it.desk, DRAG, (5, first + 2));
    assert!(it.screen().contains("SELECT 3"), "{}", it.screen());
    it.desk.wanted.clear();
    mouse(&mut it.desk, RELEASE, (5, first + 2));
    assert_eq!(copied(&it.desk), ["line 190\nline 191\nline 192"]);
    it.desk.wanted.clear();
    mouse(&mut it.desk, PRESS, (5, first));
    mouse(&mut it.desk, RELEASE, (5, first));
    assert_eq!(
        copied(&it.desk),
        Vec::<String>::new(),
        "a click copies nothing"
    );
}

#[test]
fn the_divider_moves_by_keys_and_by_the_mouse_and_never_too_far() {
    let mut it = reading();
    let height = |it: &Reading| regions(&it.desk.model).log_pane().height;
    let usual = height(&it);
    it.press("= =");
    assert_eq!(height(&it), usual + 2);
    it.press("_ _ _");
    assert_eq!(height(&it), usual - 1);
    for _ in 0..50 {
        it.press("=");
    }
    let most = height(&it);
    it.press("_");
    assert_eq!(height(&it), most - 1, "beyond the end it did not count");
    it.desk.assert_selection_is_seen();
    for (width, height) in [(40, 12), (60, 14), (200, 60), (1, 1), (80, 24)] {
        it.desk.resize(width, height);
        let _ = it.screen();
    }
    let title = regions(&it.desk.model).title;
    mouse(&mut it.desk, PRESS, (30, title.y));
    mouse(&mut it.desk, DRAG, (30, title.y + 3));
    mouse(&mut it.desk, RELEASE, (30, title.y + 3));
    assert_eq!(regions(&it.desk.model).title.y, title.y + 3);
}

#[test]
fn w_gives_the_table_more_columns() {
    let mut desk = Desk::new();
    assert!(!desk.screen().contains(" PID"));
    desk.press("w");
    assert!(desk.screen().contains(" PID") && desk.screen().contains("48005"));
    desk.resize(120, 40);
    assert!(regions(&desk.model).pane.is_none());
    desk.press("w");
    assert!(regions(&desk.model).pane.is_some());
}

#[test]
fn check_35_the_copy_menu_takes_what_the_keys_say() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    desk.logs(vec![line(0, "cron", Out, "\x1b[31mred\x1b[0m\x07 text")]);
    desk.wanted.clear();
    desk.press("y");
    let menu = desk.screen();
    for word in ["copy its name", "copy its pid", "copy its command"] {
        assert!(menu.contains(word), "{word} in\n{menu}");
    }
    desk.press("n y i y p y l c n");
    assert_eq!(copied(&desk), ["cron", "5", "48005", "red text", "cron"]);
    desk.wanted.clear();
    desk.press("y r");
    let row = &copied(&desk)[0];
    assert!(row.starts_with("cron id 5 running cpu 18%"), "{row}");
    desk.select(4);
    desk.wanted.clear();
    desk.press("y p");
    assert_eq!(copied(&desk), Vec::<String>::new());
    assert!(desk.screen().contains("it has no pid"), "{}", desk.screen());
    desk.press("Space Space y n");
    assert_eq!(copied(&desk), ["billing cron"]);
}

#[test]
fn the_pager_gets_what_passes_or_what_is_selected() {
    let mut it = reading();
    it.press("l l");
    it.prompt("&", "9$");
    it.desk.press("|");
    let Some(Cmd::Page(Saving::All(query))) = it.desk.wanted.last() else {
        panic!("{:?}", it.desk.wanted);
    };
    assert_eq!((query.select.as_str(), query.filter.as_str()), ("5", "9$"));
    it.desk.press("v k k |");
    let Some(Cmd::Page(Saving::Page(query))) = it.desk.wanted.last() else {
        panic!("{:?}", it.desk.wanted);
    };
    assert_eq!(query.after, 3);
}

#[test]
fn the_copy_menu_works_in_the_detail_too() {
    let mut desk = super::scenes::detail::shown(5);
    desk.press("y n y i y p y c");
    let all = ["cron", "5", "48005", "/opt/billing/run --port 8003"];
    assert_eq!(copied(&desk), all);
}

#[test]
fn the_last_command_and_all_that_is_seen_can_be_copied() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("y t");
    assert!(desk.screen().contains("nothing was asked for yet"));
    desk.press("x");
    desk.seen();
    desk.press("y");
    desk.press("y t");
    assert_eq!(copied(&desk), ["adasa stop cron"]);
    desk.wanted.clear();
    desk.wait(70_000);
    desk.press("y v");
    let all = copied(&desk);
    let lines: Vec<&str> = all[0].lines().collect();
    assert_eq!(lines.len(), 24);
    assert!(lines[0].starts_with(" adasa  build-7"), "{}", lines[0]);
    assert!(all[0].contains("cron"), "{}", all[0]);
    assert!(
        !all[0].contains("copy all that is seen"),
        "the menu is none"
    );
}
