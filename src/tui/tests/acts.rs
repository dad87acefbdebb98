//! Scaling and signals: what asks, what is sent, what is said.

use crate::api::{Count, Intent, PlanProcess, PlanView, Progress, Push, Sending, Verb, Whom, Work};
use crate::domain::exit::Signal;
use crate::domain::names::{InstanceId, RunId};
use crate::tui::model::Tier;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::verbs::Refusal;

use super::desk::{Desk, answer, instance};

fn signal(name: &str) -> Intent {
    Intent::Send(Sending {
        signal: name.parse().unwrap(),
        whom: Whom::Main,
    })
}

/// `api-0` of three is selected.
fn of_three() -> Desk {
    let mut desk = Desk::new();
    desk.select(1);
    desk
}

#[test]
fn plus_and_minus_ask_for_one_more_or_fewer_of_the_whole_process() {
    for (key, to, text) in [
        ("+", 4, "scale api from 3 to 4?"),
        ("-", 2, "scale api from 3 to 2 (ends api-2)?"),
    ] {
        let mut desk = of_three();
        desk.press(key);
        assert_eq!(desk.ask().tier, Tier::Footer);
        assert!(desk.screen().contains(text), "{}", desk.screen());
        desk.press("y");
        assert_eq!(desk.calls(), 0, "before it was seen");
        desk.seen();
        desk.press("y");
        let Some(Cmd::Scale { wish, ids }) = desk.wanted.last() else {
            panic!("{:?}", desk.wanted);
        };
        assert_eq!(wish.select, "default/api".parse().unwrap());
        assert_eq!((wish.to, wish.only_from), (Count::To(to), Some(3)));
        assert_eq!(ids, &[1, 2, 3].map(InstanceId));
    }
}

#[test]
fn a_process_of_one_is_not_scaled_away() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.press("-");
    assert!(desk.is_browsing());
    assert!(
        desk.screen().contains("cannot have 1-1"),
        "{}",
        desk.screen()
    );
    desk.press("+");
    assert!(desk.screen().contains("scale cron from 1 to 2?"));
}

#[test]
fn another_number_than_was_seen_is_another_question() {
    let mut desk = of_three();
    desk.press("+");
    desk.seen();
    desk.press("y");
    let refusal = Refusal {
        why: "stale target: api has 4 instances by now".into(),
        stale: true,
    };
    desk.send(Msg::Answered {
        ids: [1, 2, 3].map(InstanceId).to_vec(),
        result: Err(refusal),
    });
    assert!(desk.is_browsing());
    assert_eq!(desk.calls(), 1, "nothing is sent again by itself");
    assert!(desk.screen().contains("another number by now"));
}

#[test]
fn s_shows_the_signals_and_a_letter_asks() {
    let mut desk = of_three();
    desk.press("S");
    let menu = desk.screen();
    for word in ["SIGHUP", "SIGTERM", "SIGUSR1", "SIGSTOP", "SIGCONT"] {
        assert!(menu.contains(word), "{word}\n{menu}");
    }
    desk.press("Esc i");
    assert!(desk.is_browsing(), "the menu was left");
    desk.select(1);
    desk.press("S h");
    assert_eq!(
        (desk.ask().what, desk.ask().tier),
        (signal("HUP"), Tier::Box)
    );
    let question = desk.screen();
    assert!(question.contains("Send SIGHUP to api-0"), "{question}");
    assert!(question.contains("adasa signal HUP api-0"), "{question}");
    desk.seen();
    desk.press("y");
    let Some(Cmd::Signal { wish, .. }) = desk.wanted.last() else {
        panic!("{:?}", desk.wanted);
    };
    assert_eq!(wish.only_run, Some(RunId(3)));
    assert_eq!(wish.select, vec!["1".parse().unwrap()]);
    assert!(
        !desk.screen().contains("\u{bb}"),
        "nothing is to become of it"
    );
}

#[test]
fn a_signal_is_for_those_that_run_and_for_the_marks_at_once() {
    let mut desk = Desk::new();
    desk.select(9);
    desk.press("S h");
    assert!(desk.is_browsing(), "thumbs is stopped");
    for id in [9, 3, 5] {
        desk.select(id);
        desk.press("Space");
    }
    desk.press("S u");
    assert!(desk.is_browsing(), "no signal has that letter");
    desk.press("S 2");
    let ask = desk.ask();
    assert_eq!(ask.what, signal("USR2"));
    let ids: Vec<u32> = ask.targets.iter().map(|(id, _)| id.0).collect();
    assert_eq!((ids, ask.name.as_str()), (vec![3, 5], "2 marked"));
}

#[test]
fn on_the_screen_of_one_instance_the_keys_are_of_it() {
    let mut desk = of_three();
    desk.press("d S k");
    assert_eq!(desk.ask().what, signal("KILL"));
    assert_eq!(desk.ask().targets, vec![(InstanceId(1), RunId(3))]);
    desk.press("Esc +");
    assert_eq!(desk.ask().name, "api");
}

#[test]
fn the_command_line_scales_and_signals_as_the_shell_does() {
    let typed = |text: &str| {
        let mut desk = Desk::new();
        desk.wait(200);
        desk.press(":");
        desk.type_text(text);
        desk
    };
    let mut desk = typed("scale web 8");
    desk.press("Enter");
    let eight = Intent::Scale { to: Count::To(8) };
    assert_eq!((desk.ask().what, desk.ask().tier), (eight, Tier::Box));
    for (line, why) in [
        ("scale web-1 8", "web-1 is not one whole process"),
        ("scale web lots", "is no number of instances"),
        ("scale web", "needs a name and a number"),
        ("signal HPU cron", "did you mean HUP?"),
        ("signal HUP nobody", "nothing is called nobody"),
    ] {
        let mut desk = typed(line);
        desk.press("Esc :");
        desk.type_text(&format!("{line} "));
        desk.press("Enter");
        assert!(desk.screen().contains(why), "{line}\n{}", desk.screen());
    }
    let desk = typed("signal U");
    assert!(desk.screen().contains("signal USR1"), "{}", desk.screen());
    let mut desk = typed("signal USR1 web");
    assert!(desk.screen().contains("= adasa signal USR1 web"));
    desk.press("Enter");
    assert_eq!(
        (desk.ask().what, desk.ask().targets.len()),
        (signal("USR1"), 4)
    );
    let mut desk = typed("undo");
    desk.press("Enter");
    assert!(matches!(desk.wanted.last(), Some(Cmd::Undo { .. })));
}

pub(super) fn plan(connections: Option<u32>) -> PlanView {
    PlanView {
        work: Work::Stop,
        twin: "adasa stop api".into(),
        processes: vec![PlanProcess {
            name: "api".into(),
            of: 3,
            up: 3,
            least: 0,
            after: 0,
            after_of: 3,
            ends: ["api-0", "api-1", "api-2"].map(String::from).to_vec(),
            signal: Some(Signal::TERM),
            grace_ms: Some(10_000),
            file: None,
            ports: connections.map(|_| vec![8001, 8002]),
            connections,
        }],
        undo_ms: Some(600_000),
        protected: vec![],
    }
}

/// The questions about what a yes would do: the quick one, and the one that looks who is connected.
pub(super) fn plans(desk: &Desk) -> Vec<Ticket> {
    let asked = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Fetch {
            ticket,
            query: Query::Plan(_),
        } => Some(*ticket),
        _ => None,
    });
    asked.collect()
}

pub(super) fn told(desk: &mut Desk, ticket: Ticket, connections: Option<u32>) {
    let answer = Ok(Answer::Plan(plan(connections)));
    desk.send(Msg::Fetched { ticket, answer });
}

#[test]
fn a_question_opens_at_once_and_fills_in_what_a_yes_would_do() {
    let mut desk = of_three();
    desk.press("h x");
    assert_eq!(desk.ask().tier, Tier::Box);
    let [quick, slow] = plans(&desk)[..] else {
        panic!("{:?}", desk.wanted);
    };
    assert!(
        desk.screen().contains("after this    \u{2026}"),
        "{}",
        desk.screen()
    );
    told(&mut desk, quick, None);
    let screen = desk.screen();
    assert!(
        screen.contains("after this    api 0 of 3 running"),
        "{screen}"
    );
    assert!(screen.contains("open now      \u{2026}"), "{screen}");
    assert!(
        screen.contains("how           SIGTERM, 10s, then SIGKILL"),
        "{screen}"
    );
    told(&mut desk, slow, Some(163));
    let screen = desk.screen();
    assert!(
        screen.contains("163 connections on :8001-:8002"),
        "{screen}"
    );
    assert!(
        screen.contains("u within 10 min starts again what ran"),
        "{screen}"
    );
    // Answers for a question that is gone are nobody's.
    desk.press("Esc");
    told(&mut desk, slow, Some(1));
    assert!(desk.is_browsing());
}

#[test]
fn the_slow_answer_is_not_undone_by_the_quick_one() {
    let mut desk = of_three();
    desk.press("h x");
    let [quick, slow] = plans(&desk)[..] else {
        panic!("{:?}", desk.wanted);
    };
    told(&mut desk, slow, None);
    assert!(desk.screen().contains("open now      \u{2026}"));
    told(&mut desk, quick, None);
    assert!(desk.screen().contains("not known: the look took too long"));
    let mut desk = of_three();
    desk.press("h x");
    let [quick, slow] = plans(&desk)[..] else {
        panic!("{:?}", desk.wanted);
    };
    told(&mut desk, slow, Some(2));
    told(&mut desk, quick, None);
    assert!(desk.screen().contains("2 connections"), "{}", desk.screen());
}

#[test]
fn what_is_protected_asks_for_its_name_and_says_so() {
    for key in ["x", "r", "X", "D", "S h"] {
        let mut desk = Desk::new();
        let row = desk.model.rows.get_mut(&InstanceId(5)).unwrap();
        row.view.protected = true;
        desk.select(5);
        desk.press(key);
        assert_eq!(desk.ask().tier, Tier::Name, "{key}");
        assert!(
            desk.screen().contains("--force-protected"),
            "{}",
            desk.screen()
        );
        desk.seen();
        desk.press("y Enter");
        assert_eq!(desk.calls(), 0, "{key}");
        desk.press("Backspace");
        desk.type_text("cron");
        desk.press("Enter");
        assert_eq!(desk.calls(), 1, "{key}");
        let forced = match desk.wanted.last() {
            Some(Cmd::Call { act, .. }) => act.force_protected,
            Some(Cmd::Signal { wish, .. }) => wish.force_protected,
            other => panic!("{other:?}"),
        };
        assert!(forced, "{key}");
    }
    // More of it hits nobody.
    let mut desk = Desk::new();
    let row = desk.model.rows.get_mut(&InstanceId(5)).unwrap();
    row.view.protected = true;
    desk.select(5);
    desk.press("+");
    assert_eq!(desk.ask().tier, Tier::Footer);
}

#[test]
fn a_labelled_machine_asks_harder_about_several_and_a_strict_one_about_each() {
    let mut desk = of_three();
    desk.model.host.label = Some("PROD".into());
    assert!(
        desk.screen().contains("\u{ab}PROD\u{bb}"),
        "{}",
        desk.screen()
    );
    desk.press("x");
    assert_eq!(desk.ask().tier, Tier::Footer);
    desk.press("Esc");
    for id in [1, 5] {
        desk.select(id);
        desk.press("Space");
    }
    desk.press("x");
    assert_eq!(
        (desk.ask().tier, desk.ask().word.as_str()),
        (Tier::Name, "2")
    );
    let mut strict = of_three();
    strict.model.host.strict = true;
    strict.press("x");
    assert_eq!(strict.ask().tier, Tier::Box);
    strict.press("Esc h x");
    assert_eq!(strict.ask().tier, Tier::Name);
}

#[test]
fn a_protected_process_is_rolled_only_after_its_name() {
    let mut desk = of_three();
    for id in [1, 2, 3] {
        let row = desk.model.rows.get_mut(&InstanceId(id)).unwrap();
        row.view.protected = true;
    }
    desk.press("R");
    desk.wait(200);
    desk.press("y");
    assert_eq!((desk.calls(), desk.ask().tier), (0, Tier::Name));
    desk.seen();
    desk.type_text("api");
    desk.press("Enter");
    let Some(Cmd::Call { act, .. }) = desk.wanted.last() else {
        panic!("{:?}", desk.wanted);
    };
    assert!(act.force_protected && act.rolling.is_some());
}

#[test]
fn what_a_signal_did_not_reach_is_said() {
    let mut desk = of_three();
    desk.press("S h");
    desk.seen();
    desk.press("y");
    let mut view = answer(
        Verb::Stop,
        1,
        "api-0",
        Progress::Failed {
            reason: "it does not run: it is stopped".into(),
        },
    );
    view.verb = Work::Signal;
    desk.send(Msg::Answered {
        ids: vec![InstanceId(1)],
        result: Ok(view),
    });
    let screen = desk.screen();
    assert!(
        screen.contains("signal of api-0 failed: it does not run"),
        "{screen}"
    );
    // A copy that goes does not withdraw the question about the others.
    desk.press("Esc +");
    desk.push(Push::Removed { id: InstanceId(3) });
    assert_eq!(desk.ask().what, Intent::Scale { to: Count::To(4) });
    desk.push(Push::Instance {
        instance: Box::new(instance(1, "api", (0, 2), crate::api::Status::Running)),
    });
    assert_eq!(desk.ask().from, 3);
    assert_eq!(Signal::KILL.number(), 9);
}
