//! The screen of a rolling restart: asks before it begins, shows what the daemon says, and closes without ending it.

use crate::api::{
    Act, Bucket, Event, LogHistogram, LogHistogramQuery, LogLine, LogPage, LogPlace, OperationView,
    Place, PlaceView, Progress, Push, Reason, RolloutControl, RolloutView, Verb, What, Whole,
};
use crate::domain::exit::{Ending, Exit};
use crate::domain::names::{InstanceId, OperationId, RunId};
use crate::domain::spec::Stream;
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::screens::Screen;

use super::desk::{Desk, answer, everything, line, snapshot};
use super::scenes::detail::detail;

pub(super) fn place(id: u32, place: Place, due_in_ms: Option<u64>) -> PlaceView {
    let new = matches!(place, Place::Done | Place::Settling);
    PlaceView {
        id: InstanceId(id),
        name: format!("api-{}", id - 1),
        place,
        old_pid: Some(482_000 + i32::try_from(id).unwrap()),
        new_pid: new.then(|| 491_000 + i32::try_from(id).unwrap()),
        due_in_ms,
    }
}

pub(super) fn rollout(state: Whole, places: Vec<PlaceView>) -> RolloutView {
    RolloutView {
        process: "api".into(),
        state,
        over: state.is_final(),
        why: (state == Whole::Halted).then(|| "api-1: the new run ended: exit 3".into()),
        by: "ops".into(),
        begun_ms: super::desk::WALL_MS - 41_000,
        max_unavailable: 1,
        stable_ms: 10_000,
        places,
    }
}

fn waiting() -> Vec<PlaceView> {
    vec![
        place(1, Place::Draining, Some(9500)),
        place(2, Place::Waiting, None),
        place(3, Place::Waiting, None),
    ]
}

/// The plan of `api`, and a yes to it.
pub(super) fn begun(mut desk: Desk) -> Desk {
    desk.press("R");
    desk.wait(200);
    desk.press("y");
    desk
}

fn act_of(desk: &Desk) -> Option<Act> {
    desk.wanted.iter().find_map(|command| match command {
        Cmd::Call { act, .. } => Some(act.clone()),
        _ => None,
    })
}

fn view(operation: OperationId, rollout: RolloutView) -> OperationView {
    OperationView {
        operation,
        done: rollout.over,
        rollouts: vec![rollout],
        ..answer(Verb::Restart, 1, "api-0", Progress::Pending)
    }
}

/// The daemon says how far it is.
pub(super) fn tell(desk: &mut Desk, rollout: RolloutView) {
    let operation = act_of(desk).expect("it was begun").operation;
    let operation = view(operation, rollout);
    desk.push(Push::Operation { operation });
}

/// The last question for lines of errors.
fn counting(desk: &Desk) -> Option<(Ticket, Vec<LogHistogramQuery>)> {
    desk.wanted.iter().rev().find_map(|command| match command {
        Cmd::Fetch {
            ticket,
            query: Query::LogCounts(queries),
        } => Some((*ticket, queries.clone())),
        _ => None,
    })
}

/// The daemon counted so many lines of standard error, and of errors, by the id of the instance.
pub(super) fn counted(desk: &mut Desk, lines: impl Fn(&str) -> (u64, u64)) {
    let (ticket, queries) = counting(desk).expect("it was asked to");
    let counts = queries.iter().map(|query| {
        let (stderr, errors) = lines(&query.select);
        let to_ms = query.to_ms.unwrap();
        Some(LogHistogram {
            from_ms: query.from_ms,
            to_ms,
            buckets: vec![Bucket {
                lines: 100,
                stderr,
                errors,
            }],
            complete: true,
            counted_ms: to_ms,
        })
    });
    let answer = Ok(Answer::LogCounts(counts.collect()));
    desk.send(Msg::Fetched { ticket, answer });
}

/// The last question for the log of these.
fn paging(desk: &Desk, of: &str) -> Option<(Ticket, Option<Stream>)> {
    desk.wanted.iter().rev().find_map(|command| match command {
        Cmd::Fetch {
            ticket,
            query: Query::LogPage(query),
        } if query.select == of => Some((*ticket, query.stream)),
        _ => None,
    })
}

/// The log of these, by their ids, has such lines.
pub(super) fn logged(desk: &mut Desk, of: &str, lines: Vec<LogLine>) {
    let (ticket, _) = paging(desk, of).expect("it was asked for");
    let page = LogPage {
        lines,
        start: LogPlace::default(),
        end: LogPlace::default(),
        oldest: true,
        newest: true,
        complete: true,
    };
    let answer = Ok(Answer::LogPage(page));
    desk.send(Msg::Fetched { ticket, answer });
}

/// The daemon tells the definition that a plan asked for.
pub(super) fn defined(desk: &mut Desk, max_unavailable: u32) {
    let ticket = desk.wanted.iter().rev().find_map(|command| match command {
        Cmd::Fetch {
            ticket,
            query: Query::Detail { select },
        } if select == "default/api" => Some(*ticket),
        _ => None,
    });
    let mut told = detail(desk, 1);
    told.max_unavailable = max_unavailable;
    desk.send(Msg::Fetched {
        ticket: ticket.expect("it was asked"),
        answer: Ok(Answer::Detail(vec![told])),
    });
}

/// One is replaced, one is watched, one waits.
fn in_the_middle() -> Vec<PlaceView> {
    vec![
        place(1, Place::Done, None),
        place(2, Place::Settling, Some(7000)),
        place(3, Place::Waiting, None),
    ]
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.select(2);
    desk
}

fn controls(desk: &Desk) -> Vec<RolloutControl> {
    let controls = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Control { what, .. } => Some(*what),
        _ => None,
    });
    controls.collect()
}

#[test]
fn the_plan_begins_by_yes_once_it_could_be_read() {
    let mut desk = desk();
    desk.press("R y");
    assert!(act_of(&desk).is_none(), "typed before it could be read");
    desk.wait(200);
    desk.press("+ y");
    let act = act_of(&desk).unwrap();
    assert_eq!(act.verb, Verb::Restart);
    assert_eq!(act.rolling.unwrap().max_unavailable, Some(2));
    let selected: Vec<String> = act.select.iter().map(ToString::to_string).collect();
    assert_eq!(selected, ["default/api"]);
    desk.press("y y");
    assert_eq!(desk.calls(), 1);
}

#[test]
fn closing_the_plan_begins_nothing() {
    for key in ["Esc", "q"] {
        let mut desk = desk();
        desk.press("R");
        desk.wait(200);
        desk.press(key);
        desk.press("y");
        assert_eq!(desk.calls(), 0, "{key}");
        assert!(desk.model.screens.is_empty(), "{key}");
    }
}

#[test]
fn it_is_paused_continued_and_aborted_by_a_second_key() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.press("c p");
    assert_eq!(controls(&desk), [RolloutControl::Pause]);
    tell(&mut desk, rollout(Whole::Paused, waiting()));
    desk.press("p c");
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Resume));
    desk.press("A Esc y");
    desk.press("A j y");
    desk.press("A");
    desk.wait(6000);
    desk.press("y");
    assert_eq!(controls(&desk).len(), 2, "no, and no, and too late");
    desk.press("A y");
    assert_eq!(controls(&desk).last(), Some(&RolloutControl::Abort));
    assert_eq!(desk.calls(), 1);
}

#[test]
fn it_goes_on_behind_and_is_found_again() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.resize(120, 40);
    desk.press("Esc");
    assert!(desk.model.screens.is_empty());
    assert!(desk.screen().contains("roll api 0/3"), "{}", desk.screen());
    desk.press("R");
    assert!(desk.screen().contains("old one ends"));
    let done = vec![place(1, Place::Done, None)];
    tell(&mut desk, rollout(Whole::Completed, done));
    assert!(!desk.screen().contains("roll api"));
    assert!(desk.screen().contains("completed by ops"));
}

#[test]
fn what_somebody_else_rolls_is_seen_and_not_begun_again() {
    let mut desk = Desk::alone();
    desk.resize(120, 40);
    let mut first = snapshot(everything());
    let id: OperationId = String::from("39dde4f88a3b9ebcaa41fb1c").try_into().unwrap();
    first.operations = vec![view(id, rollout(Whole::Advancing, waiting()))];
    desk.push(Push::Snapshot(Box::new(first)));
    assert!(desk.screen().contains("roll api 0/3"));
    desk.select(2);
    desk.press("x");
    let screen = desk.screen();
    assert!(screen.contains("rolling api, 0 of 3"), "{screen}");
    desk.press("Esc R");
    assert!(desk.screen().contains("by ops"), "{}", desk.screen());
    desk.wait(200);
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}

#[test]
fn a_refusal_and_a_halt_are_said() {
    let mut refused = begun(desk());
    let why = "api is being restarted batch by batch already".to_owned();
    refused.send(Msg::Answered {
        ids: vec![],
        result: Err(crate::tui::verbs::Refusal {
            why: why.clone(),
            stale: false,
        }),
    });
    assert!(refused.screen().contains(&why), "{}", refused.screen());
    let there = refused.model.screens.last();
    assert!(matches!(there, Some(Screen::Rolling(_))));
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    desk.press("Esc");
    tell(&mut desk, rollout(Whole::Halted, waiting()));
    let mut said = desk.model.messages.iter();
    assert!(said.any(|m| m.bad && m.text.contains("exit 3")));
}

#[test]
fn without_a_daemon_nothing_is_begun() {
    let mut desk = desk();
    desk.lose();
    desk.press("Esc R");
    desk.wait(200);
    desk.press("y");
    assert_eq!(desk.calls(), 0);
}

#[test]
fn the_plan_begins_with_the_number_of_the_definition() {
    let mut desk = desk();
    desk.press("R");
    assert!(desk.screen().contains("as its definition says"));
    defined(&mut desk, 2);
    let screen = desk.screen();
    assert!(screen.contains("2 at once"), "{screen}");
    assert!(
        screen.contains("= adasa restart api --rolling\n"),
        "{screen}"
    );
    desk.wait(200);
    let mut other = desk.clone();
    desk.press("y");
    let rolling = act_of(&desk).unwrap().rolling.unwrap();
    assert_eq!(rolling.max_unavailable, None, "the daemon knows it");
    other.press("-");
    let screen = other.screen();
    assert!(screen.contains("--rolling --max-unavailable 1"), "{screen}");
    other.press("y");
    let rolling = act_of(&other).unwrap().rolling.unwrap();
    assert_eq!(rolling.max_unavailable, Some(1));
}

#[test]
fn new_is_compared_with_old_and_no_line_is_counted_twice() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, in_the_middle()));
    let (_, first) = counting(&desk).unwrap();
    let asked: Vec<&str> = first.iter().map(|query| &*query.select).collect();
    assert_eq!(asked, ["3", "1", "2"], "the old, then the new");
    let now = desk.model.wall_ms;
    // The first runs for less than a minute.
    assert_eq!(first[0].from_ms, now - 60_000);
    assert!(first[1].from_ms > now - 60_000);
    assert_eq!(first[1].to_ms, Some(now));
    let row = |desk: &Desk, name: &str| {
        let screen = desk.screen();
        let found = screen.lines().find(|line| line.contains(name));
        let words = found.unwrap_or_else(|| panic!("{screen}"));
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        row(&desk, "error lines"),
        "error lines/min \u{2013} \u{2013}"
    );
    counted(&mut desk, |id| if id == "3" { (20, 14) } else { (0, 0) });
    assert_eq!(row(&desk, "error lines"), "error lines/min 14 0 better");
    assert_eq!(row(&desk, "stderr lines"), "stderr lines/min 20 0 better");
    assert!(
        row(&desk, "memory").ends_with("(young)"),
        "{}",
        row(&desk, "memory")
    );
    assert_eq!(row(&desk, "ended by"), "ended by itself \u{2013} \u{2013}");
    desk.wanted.clear();
    desk.wait(4000);
    assert!(counting(&desk).is_none(), "some seconds later");
    desk.wait(1000);
    let (_, next) = counting(&desk).unwrap();
    assert!(next.iter().all(|query| query.from_ms == now), "{next:?}");
    counted(&mut desk, |id| if id == "3" { (0, 0) } else { (90, 90) });
    assert!(row(&desk, "error lines").ends_with("worse"));
    desk.press("Esc");
    desk.wanted.clear();
    desk.wait(10_000);
    assert!(counting(&desk).is_none(), "nobody looks");
}

#[test]
fn runs_that_end_by_themselves_are_counted_once_they_could_be_heard() {
    let mut desk = begun(desk());
    desk.wait(20_000);
    tell(&mut desk, rollout(Whole::Advancing, in_the_middle()));
    let at_ms = desk.model.wall_ms;
    let ended = |id, reason| Event {
        at_ms,
        id: Some(InstanceId(id)),
        name: String::new(),
        what: What::Exit {
            run: RunId(3),
            exit: Exit {
                ending: Ending::Code(1),
                at_ms,
                cpu_ms: 0,
                peak_rss: 0,
            },
            lasted_ms: 1,
            reason,
        },
    };
    let asked = Reason::Asked {
        asker: crate::api::Asker::Policy,
        killed: false,
    };
    for event in [
        ended(3, Reason::Itself),
        ended(3, Reason::Itself),
        ended(1, asked),
        ended(9, Reason::Itself),
    ] {
        desk.push(Push::Event { event });
    }
    let screen = desk.screen();
    let row = screen.lines().find(|line| line.contains("ended by itself"));
    let words: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(
        words,
        ["ended", "by", "itself", "2", "0", "better"],
        "{screen}"
    );
}

#[test]
fn the_log_is_of_the_new_instances_and_their_errors_first() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, waiting()));
    assert!(desk.screen().contains("no instance is new yet"));
    let mut places = in_the_middle();
    places[1].place = Place::Waiting;
    tell(&mut desk, rollout(Whole::Advancing, places));
    assert_eq!(paging(&desk, "1").unwrap().1, Some(Stream::Err));
    tell(&mut desk, rollout(Whole::Advancing, in_the_middle()));
    let text = "(node) DeprecationWarning: Buffer() is deprecated";
    logged(&mut desk, "1,2", vec![line(1, "api-1", Stream::Err, text)]);
    let screen = desk.screen();
    assert!(screen.contains(text), "{screen}");
    assert!(screen.contains("logs: api-0 api-1"), "{screen}");
    desk.press("o");
    assert_eq!(paging(&desk, "1,2").unwrap().1, None);
    // Still of both streams when another one is new.
    let mut places = in_the_middle();
    places[2].place = Place::Rising;
    tell(&mut desk, rollout(Whole::Advancing, places));
    assert_eq!(paging(&desk, "1,2,3").unwrap().1, None);
    desk.press("l");
    let there = desk.model.screens.last();
    assert!(
        matches!(there, Some(Screen::Logs(view)) if view.panes[0].scope.select == "1,2,3"),
        "{there:?}"
    );
}

#[test]
fn what_is_over_is_counted_to_its_end_and_no_further() {
    let mut desk = begun(desk());
    tell(&mut desk, rollout(Whole::Advancing, in_the_middle()));
    counted(&mut desk, |_| (0, 0));
    desk.wait(2000);
    let mut places = in_the_middle();
    places[2].place = Place::Failed;
    tell(&mut desk, rollout(Whole::Halted, places));
    let end = desk.model.wall_ms;
    desk.wanted.clear();
    desk.wait(9000);
    let (_, last) = counting(&desk).unwrap();
    assert!(
        last.iter().all(|query| query.to_ms == Some(end)),
        "{last:?}"
    );
    counted(&mut desk, |_| (3, 3));
    desk.wanted.clear();
    desk.wait(60_000);
    assert!(counting(&desk).is_none());
    let screen = desk.screen();
    let row = screen.lines().find(|line| line.contains("error lines"));
    let words: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert!(words[3].parse::<f64>().unwrap() > 0.0, "{screen}");
}
