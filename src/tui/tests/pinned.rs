//! The pinned log: of what somebody pinned, else of what is worst; where there is room.

use crate::api::{Follows, Push, Status, What};
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::keymap::Action;

use super::desk::{Desk, everything, instance, noon_ms};
use super::library::{Library, Reading, exit};
use super::pictures::{compare, compare_plain, letter};

fn library() -> Library {
    let mut library = Library::default();
    for run in 1..4_u64 {
        library.write(5, "cron", Out, 1, &format!("tick {run}"));
        library.write(6, "mailer", Out, run, "connecting to 127.0.0.1:2525");
        let refused = "Error: connect ECONNREFUSED 127.0.0.1:2525";
        library.write(6, "mailer", Err, run, refused);
        library.happen(6, "mailer", exit(run));
        let follows = Some(Follows::Attempt {
            restart: u32::try_from(run).unwrap(),
            in_ms: 8_000,
        });
        let backoff = What::Status {
            from: Status::Running,
            to: Status::Backoff,
            because: String::new(),
            follows,
        };
        library.happen(6, "mailer", backoff);
        library.write(4, "billing", Err, run, "no such table: invoices");
    }
    library
}

/// All that is well, and what is given.
fn desk(more: &[(u32, &str, Status)]) -> Reading {
    let mut all = vec![instance(5, "cron", (0, 1), Status::Running)];
    let given = more.iter();
    all.extend(given.map(|(id, name, status)| instance(*id, name, (0, 1), *status)));
    let mut desk = Desk::with(all);
    desk.resize(200, 60);
    desk.select(5);
    desk.wait(200);
    Reading::behind(desk, library())
}

/// The title of the pane.
fn title(it: &Reading) -> Option<String> {
    let screen = it.screen();
    let mut rows = screen
        .lines()
        .filter_map(|row| row.strip_prefix("\u{2500} "));
    let row = rows.find(|row| row.starts_with("worst: ") || row.starts_with("pinned: "))?;
    Some(row.split(" \u{2500}").next().unwrap_or_default().to_owned())
}

fn becomes(it: &mut Reading, id: u32, name: &str, status: Status, since_ms: u64) {
    let mut view = instance(id, name, (0, 1), status);
    view.since_ms = since_ms;
    let instance = Box::new(view);
    it.desk.push(Push::Instance { instance });
    it.serve();
}

#[test]
fn the_worst_is_shown_while_nothing_is_pinned_and_nothing_when_all_is_well() {
    let mut it = desk(&[]);
    assert_eq!(title(&it), None);
    becomes(&mut it, 6, "mailer", Status::Backoff, noon_ms());
    assert_eq!(title(&it).as_deref(), Some("worst: mailer"));
    assert!(it.screen().contains("exit 1 after 400ms, restart 3 in 8s"));
    // It does not come and go with each attempt, nor with what is worse.
    becomes(&mut it, 4, "billing", Status::Errored, noon_ms());
    becomes(&mut it, 6, "mailer", Status::Running, noon_ms());
    assert_eq!(title(&it).as_deref(), Some("worst: mailer"));
    it.desk.wait(61_000);
    it.serve();
    assert_eq!(title(&it).as_deref(), Some("worst: billing"), "it is well");
    becomes(&mut it, 4, "billing", Status::Stopped, noon_ms());
    assert_eq!(title(&it), None);
}

#[test]
fn what_is_pinned_stays_whatever_fails_until_it_is_let_go_of_or_gone() {
    let mut it = desk(&[
        (4, "billing", Status::Errored),
        (6, "mailer", Status::Running),
    ]);
    it.desk.select(6);
    it.press("p");
    assert_eq!(title(&it).as_deref(), Some("pinned: mailer"));
    it.desk.select(5);
    becomes(&mut it, 6, "mailer", Status::Stopped, noon_ms());
    assert_eq!(title(&it).as_deref(), Some("pinned: mailer"));
    it.desk.select(6);
    it.press("p");
    assert_eq!(title(&it).as_deref(), Some("worst: billing"));
    it.press("p");
    it.desk.push(Push::Removed {
        id: crate::domain::names::InstanceId(6),
    });
    it.serve();
    assert_eq!(title(&it).as_deref(), Some("worst: billing"));
}

#[test]
fn it_is_there_where_there_is_room_asks_for_nothing_elsewhere_and_says_so() {
    let mut it = desk(&[(6, "mailer", Status::Running)]);
    it.desk.resize(159, 60);
    it.serve();
    it.desk.select(6);
    it.press("p");
    it.desk.wait(200);
    it.serve();
    assert!(it.screen().contains("from 160 columns and 50 lines on"));
    assert_eq!(title(&it), None);
    let open = it.streams.len();
    assert_eq!(open, 1);
    it.desk.resize(200, 60);
    it.serve();
    assert_eq!(title(&it).as_deref(), Some("pinned: mailer"));
    assert_eq!(it.streams.len(), 2);
    it.press("l z");
    assert_eq!(
        (title(&it), it.streams.len()),
        (None, 1),
        "another has the screen"
    );
    it.press("z");
    assert_eq!(it.streams.len(), 2);
    let keys = &it.desk.model.keymap;
    let all = crate::tui::keymap::Place::ALL;
    let found = keys.lines_at(&all).find(|(it, _)| it.action == Action::Pin);
    assert!(found.is_some());
}

#[test]
fn the_palette_pins_what_is_named() {
    let mut it = desk(&[(6, "mailer", Status::Running)]);
    it.press(":");
    it.desk.type_text("pin mailer");
    it.press("Enter");
    assert_eq!(title(&it).as_deref(), Some("pinned: mailer"));
}

#[test]
fn it_is_drawn() {
    let mut desk = Desk::with(everything());
    desk.resize(200, 60);
    desk.select(6);
    desk.press("p");
    desk.select(5);
    desk.wait(10_000);
    let mut it = Reading::behind(desk, library());
    compare("pinned_200x60", &it.desk.frame(), letter);
    compare_plain("pinned", &mut it.desk);
}
