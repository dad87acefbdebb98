//! Questions, and what becomes of what was asked for.

use crate::api::{Progress, Push, Status, Verb};
use crate::domain::names::InstanceId;
use crate::tui::model::{Mode, Tier};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::verbs::Refusal;

use super::desk::{Desk, answer, everything, instance};

fn asked(verb: &str) -> Desk {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press(verb);
    desk
}

fn row_of<'a>(screen: &'a str, name: &str) -> &'a str {
    screen
        .lines()
        .find(|line| line.contains(&format!(" {name} ")))
        .unwrap_or_else(|| panic!("no {name} in\n{screen}"))
}

#[test]
fn check_06_yes_before_the_question_was_seen_is_nothing() {
    let mut desk = asked("x");
    desk.press("y");
    desk.wait(1000);
    desk.press("y");
    assert_eq!(desk.calls(), 0, "never drawn");
    desk.send(Msg::Drawn);
    desk.wait(149);
    desk.press("y");
    assert_eq!(desk.calls(), 0, "149 ms after its first frame");
    // Another frame does not begin the time anew.
    desk.send(Msg::Drawn);
    desk.wait(1);
    desk.press("y");
    assert_eq!(desk.calls(), 1);
    assert!(desk.is_browsing());
}

#[test]
fn check_06_enter_is_not_yes() {
    for verb in ["x", "r", "X"] {
        let mut desk = asked(verb);
        desk.seen();
        desk.press("Enter Enter");
        assert_eq!(desk.calls(), 0, "{verb}");
        assert_eq!(desk.ask().targets.len(), 1, "{verb}: the question stays");
    }
}

#[test]
fn check_06_every_other_key_is_no_and_does_nothing_else() {
    for verb in ["x", "r", "X"] {
        for no in [
            "n", "Y", "j", "x", "q", "Esc", "Space", "^C", "Tab", "?", "/",
        ] {
            let mut desk = asked(verb);
            let selected = desk.model.selected.clone();
            desk.seen();
            desk.press(no);
            assert!(desk.is_browsing(), "{verb} {no}: {:?}", desk.model.mode);
            assert_eq!(desk.model.selected, selected, "{verb} {no}");
            assert!(!desk.wanted.contains(&Cmd::Quit), "{verb} {no}");
            assert_eq!(desk.calls(), 0, "{verb} {no}");
        }
    }
}

#[test]
fn check_06_a_question_in_the_footer_expires() {
    let mut desk = asked("x");
    desk.wait(4999);
    assert_eq!(desk.ask().tier, Tier::Footer);
    desk.wait(1);
    assert!(desk.is_browsing());
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}

#[test]
fn a_question_in_a_box_stays() {
    let mut desk = asked("X");
    desk.wait(60_000);
    assert_eq!(desk.ask().tier, Tier::Box);
}

#[test]
fn the_question_grows_with_what_it_would_do() {
    assert_eq!(asked("x").ask().tier, Tier::Footer);
    assert_eq!(asked("r").ask().tier, Tier::Footer);
    assert_eq!(asked("X").ask().tier, Tier::Box);
    assert_eq!(asked("D").ask().tier, Tier::Name);
    let mut desk = Desk::new();
    desk.press("g x");
    assert_eq!(desk.ask().tier, Tier::Box, "a process of three");
    assert_eq!(desk.ask().targets.len(), 3);
    desk.press("Esc D");
    assert_eq!(desk.ask().tier, Tier::Name);
}

#[test]
fn start_asks_nothing() {
    let desk = asked("s");
    assert!(desk.is_browsing());
    assert_eq!(desk.calls(), 1);
}

#[test]
fn delete_wants_the_whole_name() {
    let mut desk = asked("D");
    desk.seen();
    desk.press("Enter y Enter");
    assert_eq!(desk.calls(), 0);
    desk.press("Backspace");
    desk.type_text("cro");
    desk.press("Enter");
    assert_eq!(desk.calls(), 0);
    desk.type_text("nn");
    desk.press("Enter");
    assert_eq!(desk.calls(), 0, "too much is wrong too");
    desk.press("Backspace Enter");
    assert_eq!(desk.calls(), 1);
}

#[test]
fn a_name_is_typed_and_not_pasted() {
    let mut desk = asked("D");
    desk.seen();
    desk.send(Msg::Paste("cron".into()));
    assert_eq!(desk.ask().typed, "");
    desk.press("Enter");
    assert_eq!(desk.calls(), 0);
    desk.press("Esc");
    assert!(desk.is_browsing());
}

#[test]
fn a_question_about_what_is_gone_is_withdrawn() {
    let mut desk = asked("X");
    desk.push(Push::Removed { id: InstanceId(5) });
    assert!(desk.is_browsing());
    assert!(desk.screen().contains("cron is gone"));
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}

/// The run of the question goes with the call: the daemon refuses when there is another by then.
#[test]
fn the_run_that_was_seen_is_what_is_called() {
    let mut desk = asked("r");
    let mut view = everything().remove(4);
    view.run.0 += 1;
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
    desk.seen();
    desk.press("y");
    let Some(Cmd::Call { act, .. }) = desk.wanted.last() else {
        panic!("{:?}", desk.wanted);
    };
    assert_eq!(act.only_run.map(|run| run.0), Some(3));
}

#[test]
fn asked_for_is_not_done() {
    let mut desk = asked("x");
    desk.seen();
    desk.press("y");
    let row = row_of(&desk.screen(), "cron").to_owned();
    assert!(row.contains("\u{25cf} running \u{bb}stop"), "{row}");
    // Accepted is not done either.
    desk.send(Msg::Answered {
        ids: vec![InstanceId(5)],
        result: Ok(answer(Verb::Stop, 5, "cron", Progress::Pending)),
    });
    assert!(row_of(&desk.screen(), "cron").contains("running \u{bb}stop"));
    desk.wait(60_000);
    assert!(!row_of(&desk.screen(), "cron").contains("stopped"));
    let mut view = instance(5, "cron", (0, 1), Status::Stopping);
    view.due_in_ms = Some(6000);
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
    let row = row_of(&desk.screen(), "cron").to_owned();
    assert!(
        row.contains("stopping 6s") && !row.contains('\u{bb}'),
        "{row}"
    );
    desk.push(Push::Instance {
        instance: Box::new(instance(5, "cron", (0, 1), Status::Stopped)),
    });
    assert!(row_of(&desk.screen(), "cron").contains("\u{25cb} stopped"));
}

#[test]
fn check_08_no_verb_shows_its_end_before_the_daemon_says_so() {
    for verb in ["s", "x", "r", "X"] {
        let mut desk = Desk::new();
        desk.select(5);
        let before: Vec<Status> = desk.model.rows.values().map(|r| r.view.status).collect();
        desk.press(verb);
        desk.seen();
        desk.press("y");
        desk.wait(30_000);
        assert_eq!(desk.calls(), 1, "{verb}");
        let after: Vec<Status> = desk.model.rows.values().map(|r| r.view.status).collect();
        assert_eq!(after, before, "{verb}");
    }
}

#[test]
fn a_refusal_is_a_remark_and_takes_the_mark_away() {
    let failed = Progress::Failed {
        reason: "another run by now".into(),
    };
    let results = [
        (
            Err(Refusal {
                why: "not allowed here".to_owned(),
                stale: false,
            }),
            "not allowed here",
        ),
        (
            Ok(answer(Verb::Stop, 5, "cron", failed)),
            "stop of cron failed: another run by now",
        ),
    ];
    for (result, remark) in results {
        let mut desk = asked("x");
        desk.seen();
        desk.press("y");
        assert!(row_of(&desk.screen(), "cron").contains("\u{bb}stop"));
        desk.send(Msg::Answered {
            ids: vec![InstanceId(5)],
            result,
        });
        assert!(!row_of(&desk.screen(), "cron").contains('\u{bb}'));
        let [toast] = desk.model.toasts.as_slice() else {
            panic!("{:?}", desk.model.toasts);
        };
        assert!(toast.bad);
        assert_eq!(toast.text, remark);
        assert_eq!(desk.calls(), 1, "nothing is tried again by itself");
    }
}

#[test]
fn remarks_go_by_themselves_and_are_three_at_most() {
    let mut desk = Desk::new();
    for n in 0..5 {
        desk.model.toast(format!("remark {n}"), n == 4);
    }
    let texts: Vec<&str> = desk.model.toasts.iter().map(|t| t.text.as_str()).collect();
    assert_eq!(texts, ["remark 2", "remark 3", "remark 4"]);
    desk.wait(3000);
    assert_eq!(desk.model.toasts.len(), 1, "a failure stays longer");
    desk.press("Esc");
    assert!(desk.model.toasts.is_empty());
}

#[test]
fn a_paste_is_not_typing() {
    let mut desk = Desk::new();
    let before = desk.model.selected.clone();
    desk.send(Msg::Paste("D y x y q jjj".into()));
    assert_eq!(desk.model.mode, Mode::Browse);
    assert_eq!(desk.model.selected, before);
    assert!(desk.wanted.is_empty());
    assert!(desk.screen().contains("dropped"));
    // Where text is wanted, text it is, without its controls.
    desk.press("/");
    desk.send(Msg::Paste("cr\u{1b}on\n".into()));
    assert_eq!(desk.model.filter.text(), "cron");
    assert!(desk.wanted.is_empty());
}

#[test]
fn escape_never_leaves_and_q_leaves_at_the_top() {
    let mut desk = Desk::new();
    desk.press("? Esc l z Esc Esc Esc Esc Esc");
    assert!(!desk.wanted.contains(&Cmd::Quit));
    desk.press("z q");
    assert!(!desk.wanted.contains(&Cmd::Quit), "q leaves the zoom first");
    desk.press("q");
    assert!(desk.wanted.contains(&Cmd::Quit));
    assert_eq!(desk.calls(), 0, "leaving touches no process");
}

/// A filter by numbers may take the row away between question and answer; the call is of what was asked all the same.
#[test]
fn those_that_wait_are_those_of_the_question() {
    use crate::api::Metric;
    let mut desk = Desk::new();
    desk.press("/");
    desk.type_text("cpu>15");
    desk.press("Enter");
    desk.select(5);
    desk.press("x");
    desk.seen();
    desk.wait(1000);
    desk.push(Push::Metrics {
        heard: vec![],
        host: super::desk::host(),
        metrics: vec![Metric {
            id: InstanceId(5),
            cpu: Some(1.0),
            memory: Some(1),
            fds: None,
        }],
    });
    desk.press("y");
    let Some(Cmd::Call { act, ids }) = desk.wanted.last() else {
        panic!("{:?}", desk.wanted);
    };
    assert_eq!(act.select, vec!["5".parse().unwrap()]);
    assert_eq!(ids, &[InstanceId(5)]);
}

#[test]
fn what_was_asked_for_is_seen_on_every_row_at_once() {
    for (width, height) in [(40, 12), (60, 20), (80, 24), (120, 40), (200, 60)] {
        for id in [2, 5, 9] {
            let mut desk = Desk::new();
            desk.resize(width, height);
            desk.select(id);
            desk.press("r");
            desk.seen();
            desk.press("y");
            let screen = desk.screen();
            let whole = id != 5 || width < 80 || screen.contains("running \u{bb}restart ");
            assert!(whole, "the status is cut at {width}:\n{screen}");
            assert!(
                screen.contains("\u{bb}restart "),
                "{id} at {width}:\n{screen}"
            );
        }
        // A folded process says so for its instances.
        let mut desk = Desk::new();
        desk.resize(width, height);
        desk.select(11);
        desk.press("h x");
        desk.seen();
        desk.press("y");
        let screen = desk.screen();
        assert!(screen.contains("\u{bb}stop "), "{width}:\n{screen}");
    }
}

/// The target has been started again between question and answer: asked anew, of the run that is there now.
#[test]
fn check_07_a_run_that_changed_leads_to_a_new_question_and_no_second_request() {
    let mut desk = asked("x");
    desk.seen();
    desk.press("y");
    assert_eq!(desk.calls(), 1);
    let mut view = everything().remove(4);
    view.run = crate::domain::names::RunId(4);
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
    desk.send(Msg::Answered {
        ids: vec![InstanceId(5)],
        result: Err(Refusal {
            why: "stale target".into(),
            stale: true,
        }),
    });
    assert_eq!(desk.calls(), 1, "nothing was sent by itself");
    assert_eq!(
        desk.ask().targets,
        [(InstanceId(5), crate::domain::names::RunId(4))]
    );
    assert!(desk.screen().contains("started again since you looked"));
    desk.press("y");
    assert_eq!(desk.calls(), 1, "the new question has not been seen yet");
    desk.seen();
    desk.press("y");
    assert_eq!(desk.calls(), 2);
}

#[test]
fn check_37_a_dashboard_that_only_looks_refuses_every_verb() {
    let mut desk = Desk::new();
    desk.model.read_only = true;
    desk.select(5);
    for key in ["s", "x", "r", "X", "D", "n"] {
        desk.press(key);
        assert!(desk.is_browsing(), "{key}");
        assert!(desk.model.screens.is_empty(), "{key}");
        assert!(desk.screen().contains("read-only"), "{key}");
    }
    desk.press(":");
    desk.type_text("restart web");
    desk.press("Enter");
    assert!(desk.is_browsing());
    assert_eq!(desk.calls(), 0);
}
