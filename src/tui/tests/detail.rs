//! The screen of one instance: what it asks, what it tells, and that its verbs are of what it shows.

use crate::api::{Intent, Push, Status, Verb};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::tui::model::Target;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Query;
use crate::tui::screens::Screen;

use super::desk::{Desk, instance};
use super::library::{Library, Reading};
use crate::tui::screens::detail::Tab;

use super::scenes::detail::{SECRET, answer, questions, shown, turn};

fn becomes(desk: &mut Desk, id: u32, run: u64, status: Status) {
    let mut view = desk.model.rows[&InstanceId(id)].view.clone();
    view.status = status;
    view.run = RunId(run);
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
}

#[test]
fn a_crash_is_told_with_its_code_and_last_words() {
    let mut desk = shown(4);
    turn(&mut desk, Tab::Runs);
    let runs = desk.screen();
    assert!(
        runs.contains("exit 7") && runs.contains("start by ops"),
        "{runs}"
    );
    assert!(runs.contains("is not reachable"), "{runs}");
    desk.press("]");
    let why = desk.screen();
    for told in [
        "run 3 failed with exit 7",
        "it returned 7",
        "gave up after 15",
        "is not reachable",
    ] {
        assert!(why.contains(told), "{told} in\n{why}");
    }
    desk.press("] ]");
    assert!(desk.screen().contains("OVERVIEW"));
    desk.press("[ [");
    assert!(desk.screen().contains("WHY"));
}

#[test]
fn what_a_process_wrote_is_no_command_to_the_terminal() {
    for tab in Tab::ALL {
        let mut desk = shown(5);
        desk.resize(200, 60);
        turn(&mut desk, tab);
        let screen = desk.screen();
        assert!(
            !screen.chars().any(|c| c.is_control() && c != '\n'),
            "{screen}"
        );
    }
}

#[test]
fn another_run_is_looked_at_and_stays_when_a_newer_one_comes() {
    let mut desk = shown(4);
    turn(&mut desk, Tab::Runs);
    desk.press("j");
    assert!(desk.screen().contains("of run 2"), "{}", desk.screen());
    becomes(&mut desk, 4, 4, Status::Errored);
    answer(&mut desk, 4);
    assert!(desk.screen().contains("of run 2"), "{}", desk.screen());
    desk.press("g");
    assert!(desk.screen().contains("of run 4"), "{}", desk.screen());
}

#[test]
fn it_asks_anew_when_the_run_changes_and_once_at_a_time() {
    let mut desk = shown(5);
    desk.wait(1000);
    assert_eq!(questions(&desk), vec![], "nothing has changed");
    becomes(&mut desk, 5, 4, Status::Starting);
    assert_eq!(questions(&desk).len(), 2);
    becomes(&mut desk, 5, 4, Status::Running);
    becomes(&mut desk, 5, 5, Status::Running);
    assert_eq!(questions(&desk).len(), 2, "before the answer");
    answer(&mut desk, 5);
    // The last answer brought another pair, for what came meanwhile.
    let asked = desk.model.screens.clone();
    becomes(&mut desk, 5, 5, Status::Running);
    assert_eq!(desk.model.screens, asked);
}

#[test]
fn what_was_told_stays_without_a_connection_and_is_asked_anew_after() {
    let mut desk = shown(5);
    desk.lose();
    desk.press("Esc");
    assert!(
        desk.screen().contains("/opt/billing/run"),
        "{}",
        desk.screen()
    );
    desk.press("x");
    assert!(desk.is_browsing());
    let all = desk.model.rows.values().map(|row| row.view.clone());
    let again = super::desk::snapshot(all.collect());
    desk.push(Push::Snapshot(Box::new(again)));
    assert_eq!(questions(&desk).len(), 2);
}

#[test]
fn its_verbs_are_of_what_is_shown() {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.select(9);
    desk.press("Space");
    desk.select(5);
    desk.press("d");
    // Whatever is selected and marked below.
    desk.model.selected = Some(Target::Instance(InstanceId(3)));
    for (key, verb) in [
        ("x", Verb::Stop),
        ("r", Verb::Restart),
        ("X", Verb::Kill),
        ("D", Verb::Delete),
    ] {
        desk.press(key);
        let ask = desk.ask();
        assert_eq!(ask.what, Intent::Do(verb));
        assert_eq!(ask.targets, vec![(InstanceId(5), RunId(3))]);
        assert_eq!(ask.select, vec!["5".to_owned()]);
        desk.press("Esc");
    }
    desk.press("x");
    desk.seen();
    desk.press("y");
    let acts: Vec<_> = desk
        .wanted
        .iter()
        .filter_map(|command| match command {
            Cmd::Call { act, .. } => Some((act.verb, act.only_run)),
            _ => None,
        })
        .collect();
    assert_eq!(acts, vec![(Verb::Stop, Some(RunId(3)))]);
    assert_eq!(desk.model.marks.len(), 1, "the marks are not spent");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Detail(_))));
}

#[test]
fn start_needs_no_answer_and_a_gone_one_takes_nothing() {
    let mut desk = shown(9);
    desk.press("s");
    assert_eq!(desk.calls(), 1);
    desk.push(Push::Removed { id: InstanceId(9) });
    assert!(desk.screen().contains("it is gone"), "{}", desk.screen());
    desk.press("x");
    assert!(desk.is_browsing());
    desk.press("Esc Esc");
    assert!(desk.model.screens.is_empty());
}

#[test]
fn l_reads_the_logs_of_what_is_shown_and_esc_comes_back() {
    let mut desk = shown(5);
    desk.press("l");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Logs(_))));
    assert!(desk.screen().contains("cron"), "{}", desk.screen());
    desk.press("Esc");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Detail(_))));
}

#[test]
fn l_on_a_run_reads_the_logs_where_it_ended() {
    let mut desk = shown(4);
    turn(&mut desk, Tab::Runs);
    desk.press("j l");
    assert!(matches!(desk.model.screens.last(), Some(Screen::Logs(_))));
    let asked = questions(&desk);
    let page = |query: &Query| matches!(query, Query::LogPage(_));
    assert!(asked.iter().any(|(_, query)| page(query)), "{asked:?}");
}

#[test]
fn the_live_line_counts_down() {
    let mut waits = instance(6, "mailer", (0, 1), Status::Backoff);
    waits.due_in_ms = Some(8000);
    let mut desk = Desk::with(vec![waits]);
    desk.press("d");
    assert!(desk.screen().contains("backoff 8s"), "{}", desk.screen());
    desk.wait(3000);
    assert!(desk.screen().contains("backoff 5s"), "{}", desk.screen());
}

#[test]
fn a_refusal_is_said_above_what_is_known() {
    let mut desk = shown(5);
    becomes(&mut desk, 5, 4, Status::Running);
    for (ticket, _) in questions(&desk) {
        desk.send(Msg::Fetched {
            ticket,
            answer: Err("the daemon is busy".into()),
        });
    }
    let screen = desk.screen();
    assert!(
        screen.contains("the daemon is busy") && screen.contains("/opt/billing/run"),
        "{screen}"
    );
    turn(&mut desk, Tab::Runs);
    assert!(desk.screen().contains("the daemon is busy"));
}

fn trees(desk: &Desk) -> usize {
    let asks = |command: &&Cmd| {
        matches!(
            command,
            Cmd::Fetch {
                query: Query::Tree { .. },
                ..
            }
        )
    };
    desk.wanted.iter().filter(asks).count()
}

#[test]
fn processes_and_sockets_are_asked_for_again_while_they_are_seen() {
    let mut desk = shown(5);
    turn(&mut desk, Tab::Tree);
    let screen = desk.screen();
    for told in [
        "48005 /opt/billing/run --port 8003",
        "\u{251c} 48006 node server.js",
        "\u{2502} \u{2514} 48008 node worker.js 1",
        "\n \u{2514} 48009 esbuild",
        "tcp 0.0.0.0:8003   41 connections   pid 48006",
        "udp [::]:8125",
    ] {
        assert!(screen.contains(told), "{told} in\n{screen}");
    }
    desk.wait(1900);
    assert_eq!(trees(&desk), 0);
    desk.wait(200);
    assert_eq!(trees(&desk), 1);
    desk.wait(5000);
    assert_eq!(trees(&desk), 1, "before the answer");
    answer(&mut desk, 5);
    turn(&mut desk, Tab::Why);
    desk.wait(5000);
    assert_eq!(trees(&desk), 0, "nobody sees them");
    // What is of another run is not told of this one.
    turn(&mut desk, Tab::Tree);
    answer(&mut desk, 5);
    becomes(&mut desk, 5, 4, Status::Running);
    assert!(!desk.screen().contains("node worker"), "{}", desk.screen());
}

#[test]
fn check_14_one_value_is_shown_for_ten_seconds_and_then_hidden() {
    let mut desk = shown(5);
    turn(&mut desk, Tab::Env);
    desk.press("j V");
    let asked = questions(&desk);
    let [(_, Query::Reveal(wish))] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(
        (wish.select.to_string().as_str(), wish.key.as_str()),
        ("5", "STRIPE_TOKEN")
    );
    answer(&mut desk, 5);
    assert!(desk.screen().contains("hunter2"), "{}", desk.screen());
    assert!(!format!("{:?}", desk.model).contains(SECRET));
    desk.wait(9_900);
    assert!(desk.screen().contains("hunter2"));
    desk.wait(100);
    let screen = desk.screen();
    assert!(
        !screen.contains("hunter2") && screen.contains("STRIPE_TOKEN"),
        "{screen}"
    );
    // Whatever leads away from it hides it at once.
    for keys in ["V", "Esc", "j", "k", "]", "["] {
        turn(&mut desk, Tab::Env);
        desk.press("g j V");
        answer(&mut desk, 5);
        assert!(desk.screen().contains("hunter2"), "before {keys}");
        desk.press(keys);
        assert!(!desk.screen().contains("hunter2"), "after {keys}");
    }
    turn(&mut desk, Tab::Env);
    desk.press("V");
    answer(&mut desk, 5);
    desk.lose();
    assert!(!desk.screen().contains("hunter2"));
}

#[test]
fn check_14_a_masked_value_is_copied_as_its_mask() {
    let copied = |desk: &mut Desk| {
        desk.press("y V");
        let all = desk.wanted.drain(..).filter_map(|command| match command {
            Cmd::Copy(text) => Some(text),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let mut desk = shown(5);
    desk.press("V");
    assert!(desk.screen().contains(" ENV "), "first to the variables");
    desk.press("j");
    assert_eq!(copied(&mut desk), ["STRIPE_TOKEN=***"]);
    desk.press("V");
    answer(&mut desk, 5);
    let seen = copied(&mut desk);
    assert_eq!(
        seen,
        ["STRIPE_TOKEN=hunter2 is  no password"],
        "what is seen, without controls"
    );
    desk.wait(10_000);
    assert_eq!(copied(&mut desk), ["STRIPE_TOKEN=***"]);
}

#[test]
fn who_only_looks_sees_no_value() {
    let mut desk = shown(5);
    desk.model.read_only = true;
    desk.press("V V");
    assert_eq!(questions(&desk), vec![]);
    assert!(desk.screen().contains("read-only"), "{}", desk.screen());
}

#[test]
fn a_refused_value_is_said_and_nothing_is_shown() {
    let mut desk = shown(5);
    desk.press("V V");
    for (ticket, _) in questions(&desk) {
        let answer = Err("the daemon is ending".to_owned());
        desk.send(Msg::Fetched { ticket, answer });
    }
    let screen = desk.screen();
    assert!(screen.contains("the daemon is ending"), "{screen}");
    assert!(screen.contains("NODE_ENV      production"), "{screen}");
}

#[test]
fn the_tab_of_logs_is_moved_in_as_logs_are() {
    let mut library = Library::default();
    for n in 0..100 {
        library.write(5, "cron", Stream::Out, 3, &format!("job {n} done"));
    }
    let mut desk = shown(5);
    turn(&mut desk, Tab::Logs);
    let mut it = Reading::behind(desk, library);
    assert!(it.screen().contains("FOLLOW"), "{}", it.screen());
    assert_eq!(it.last(), "job 99 done");
    it.press("k");
    assert!(it.screen().contains("PAUSED"), "{}", it.screen());
    assert_eq!(it.last(), "job 98 done");
    it.press("g");
    assert_eq!(it.top(), "job 0 done");
    it.press("G");
    assert!(it.screen().contains("FOLLOW"), "{}", it.screen());
}

#[test]
fn who_sends_commands_to_terminals_into_its_log_has_a_note() {
    let desk = shown(4);
    let note = "12 control sequences in its log in the last hour: first at 12:04:31";
    assert!(desk.screen().contains(note), "{}", desk.screen());
    let mut desk = shown(5);
    assert!(!desk.screen().contains("control sequence"));
    let asks = |desk: &Desk| {
        let asks = |command: &&Cmd| {
            matches!(
                command,
                Cmd::Fetch {
                    query: Query::Controls(_),
                    ..
                }
            )
        };
        desk.wanted.iter().filter(asks).count()
    };
    desk.wait(59_000);
    assert_eq!(asks(&desk), 0);
    desk.wait(1_000);
    assert_eq!(asks(&desk), 1);
}
