//! The command line of the dashboard.

use crate::api::{Intent, Place, RolloutControl, Verb, Whole};
use crate::domain::spec::Stream;
use crate::tui::keymap::Action;
use crate::tui::model::{Focus, Mode, Target, Tier};
use crate::tui::msg::Cmd;
use crate::tui::screens::Screen;
use crate::tui::screens::detail::Tab;

use super::desk::Desk;
use super::rolling;

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
        (
            "stop biling",
            "nothing is called biling; did you mean billing?",
        ),
        (
            "restart --roling api",
            "restart has no --roling here; did you mean --rolling?",
        ),
        ("start --rolling api", "start has no --rolling here"),
        (
            "rollout puase api",
            "rollout knows no puase; did you mean pause?",
        ),
        (
            "rollout pause api",
            "no rolling restart of api is under way",
        ),
        (
            "restart --max-unavailable 2 api",
            "--max-unavailable goes with --rolling",
        ),
        (
            "roll api --max-unavailable 0",
            "--max-unavailable takes a number from 1 to 1000",
        ),
        ("rolling-restart all", "all is not one process"),
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

/// The commands about rolling restarts that were sent.
fn controls(desk: &Desk) -> Vec<RolloutControl> {
    let sent = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Control { what, .. } => Some(*what),
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_rolling_restart_is_planned_as_the_key_plans_it() {
    for (line, twin) in [
        ("rolling-restart web", "adasa restart web --rolling"),
        ("roll web-1", "adasa restart web --rolling"),
        ("restart --rolling web", "adasa restart web --rolling"),
        (
            "restart web --rolling --max-unavailable=2",
            "adasa restart web --rolling --max-unavailable 2",
        ),
    ] {
        let mut desk = typed(line);
        assert!(desk.screen().contains(twin), "{line}: {}", desk.screen());
        desk.press("Enter");
        assert_eq!(desk.calls(), 0, "{line}");
        let screen = desk.screen();
        assert!(screen.contains("rolling restart web"), "{line}: {screen}");
        assert!(screen.contains(twin), "{line}: {screen}");
    }
}

#[test]
fn a_rolling_restart_is_paused_resumed_and_aborted_by_words() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.select(2);
    let mut desk = rolling::begun(desk);
    let places = || {
        vec![
            rolling::place(1, Place::Done, None),
            rolling::place(2, Place::Waiting, None),
        ]
    };
    rolling::tell(&mut desk, rolling::rollout(Whole::Advancing, places()));
    desk.press("Esc");
    let enter = |text: &str, desk: &mut Desk| {
        desk.press(":");
        desk.type_text(text);
        desk.press("Enter");
    };
    desk.press(":");
    desk.type_text("rollout ");
    let screen = desk.screen();
    assert!(screen.contains("rollout abort api"), "{screen}");
    desk.press("Esc");
    enter("rollout pause api", &mut desk);
    assert_eq!(controls(&desk), [RolloutControl::Pause]);
    enter("rollout resume api", &mut desk);
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Resume));
    enter("rollout abort api", &mut desk);
    assert_eq!(controls(&desk).len(), 2, "it asks");
    assert!(desk.screen().contains("abort? y yes"), "{}", desk.screen());
    desk.press("y");
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Abort));
    desk.press("Esc");
    enter("rollout status api", &mut desk);
    assert!(matches!(
        desk.model.screens.last(),
        Some(Screen::Rolling(_))
    ));
    assert_eq!(controls(&desk).len(), 3);
}

#[test]
fn flags_of_the_shell_mean_the_same_here() {
    let mut desk = typed("stop --force cron");
    assert!(desk.screen().contains("= adasa stop --force cron"));
    desk.press("Enter");
    assert_eq!(desk.ask().what, Intent::Do(Verb::Kill));
    let mut desk = typed("logs web-2 --stderr");
    desk.press("Enter");
    desk.wait(200);
    let pane = desk.model.logs.pane().unwrap();
    assert_eq!(pane.scope.stream, Some(Stream::Err));
    assert_eq!(pane.scope.select, "12");
    // What waits or gave up, and no other.
    for (line, select, ids) in [
        ("restart --failed", "failed:all", &[4, 6, 12][..]),
        ("restart --failed web cron", "failed:web failed:cron", &[12]),
    ] {
        let mut desk = typed(line);
        desk.press("Enter");
        let ask = desk.ask();
        assert_eq!(ask.select.join(" "), select);
        let targets: Vec<u32> = ask.targets.iter().map(|(id, _)| id.0).collect();
        assert_eq!(targets, ids, "{line}");
    }
    let mut desk = typed("stop --");
    assert!(desk.screen().contains("stop --force"), "{}", desk.screen());
    desk.press("Esc");
    // The key and the note are of what the flag makes of it; it is of a whole process.
    let desk = typed("restart --rolling ap");
    let screen = desk.screen();
    let row = screen
        .lines()
        .find(|row| row.contains("restart --rolling api"));
    let row = row.unwrap_or_else(|| panic!("{screen}"));
    assert!(row.contains(" R ") && row.contains("3 in batches"), "{row}");
    assert!(!screen.contains("--rolling api-0"), "{screen}");
    let desk = typed("restart ");
    assert!(
        desk.screen().contains("3, all at once"),
        "{}",
        desk.screen()
    );
}

#[test]
fn the_screens_are_found_by_words() {
    let mut desk = typed("why billing");
    desk.press("Enter");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Detail(it)) if it.tab == Tab::Why));
    // A word about the table goes back to it.
    desk.press(":");
    desk.type_text("sort-cpu");
    desk.press("Enter");
    assert!(desk.model.screens.is_empty());
    let mut desk = typed("daemon log");
    desk.press("Enter");
    assert!(matches!(desk.model.screens.last(), Some(Screen::OwnLog(_))));
    let mut desk = typed("stats");
    desk.press("Enter");
    assert_eq!(desk.model.screens.last(), Some(&Screen::Stats));
    let screen = desk.screen();
    for title in ["frames", "screen", "bytes", "messages", "queue"] {
        assert!(screen.contains(title), "{screen}");
    }
    desk.press("q");
    assert!(desk.model.screens.is_empty());
}

#[test]
fn the_last_is_taken_back_from_anywhere() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("d u");
    let undone = |desk: &Desk| {
        let mut wanted = desk.wanted.iter();
        wanted.any(|command| matches!(command, Cmd::Undo { .. }))
    };
    assert!(undone(&desk));
    assert!(Action::Undo.is_global());
    let mut desk = typed("undo");
    desk.press("Enter");
    assert!(undone(&desk));
}
