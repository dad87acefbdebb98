//! What is remembered of runs: who began and ended them, and that nothing is forgotten when the daemon dies.

use super::super::journal::Seen;
use super::super::message::{Msg, Request};
use super::client::spec;
use super::habit::{Habit, MS, SECOND, WELL};
use super::world::World;
use crate::domain::exit::{Ending, Signal};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::operation::Verb;
use crate::domain::run::{Asker, Ended, Reason};

/// The journal's last end.
fn last(world: &World) -> (RunId, Ended) {
    let found = world.seen.iter().rev().find_map(|seen| match seen {
        Seen::Ended { run, ended, .. } => Some((*run, ended.clone())),
        Seen::Begun { .. } | Seen::Found { .. } | Seen::Whole { .. } => None,
    });
    found.expect("no end was told")
}

/// At whose word the newest run began.
fn begun_by(world: &World) -> Option<Asker> {
    let found = world.seen.iter().rev().find_map(|seen| match seen {
        Seen::Begun { by, .. } => Some(by.clone()),
        Seen::Ended { .. } | Seen::Found { .. } | Seen::Whole { .. } => None,
    });
    found.expect("no beginning was told")
}

fn verb(asker: Option<&Asker>) -> Option<Verb> {
    match asker {
        Some(Asker::Command { verb, .. }) => Some(*verb),
        Some(
            Asker::Policy
            | Asker::Boot
            | Asker::MemoryLimit { .. }
            | Asker::TooSlow
            | Asker::Shutdown
            | Asker::Other { .. },
        )
        | None => None,
    }
}

fn asker(ended: &Ended) -> Option<&Asker> {
    match &ended.reason {
        Reason::Asked { asker, .. } => Some(asker),
        Reason::Itself => None,
    }
}

fn web(habit: Habit) -> World {
    let mut world = World::new();
    world.habit("web", habit);
    world.define("a", &spec("web")).unwrap();
    world
}

#[test]
fn an_end_of_its_own_is_not_put_down_to_anybody_and_the_policy_begins_the_next() {
    let mut world = web(WELL);
    assert_eq!(verb(begun_by(&world).as_ref()), Some(Verb::Start));
    world.after(7 * SECOND);
    world.ends(1, 3);
    let (run, end) = last(&world);
    assert_eq!((run, end.exit.ending), (RunId(1), Ending::Code(3)));
    assert_eq!((end.reason, end.lasted_ms), (Reason::Itself, 7000));
    world.after(10 * SECOND);
    assert_eq!(begun_by(&world), Some(Asker::Policy));
}

#[test]
fn a_command_that_ends_a_run_is_remembered_with_who_gave_it() {
    for (end, killed) in [
        (Verb::Stop, false),
        (Verb::Restart, false),
        (Verb::Kill, true),
    ] {
        let mut world = web(WELL);
        world.act("b", end, "web").unwrap();
        let (_, ended) = last(&world);
        assert_eq!(verb(asker(&ended)), Some(end));
        let Reason::Asked {
            killed: was,
            asker: Asker::Command { by, operation, .. },
        } = &ended.reason
        else {
            panic!("{ended:?}");
        };
        assert_eq!((*was, by.as_str()), (killed, "test"), "{end:?}");
        assert_eq!(operation.as_str(), "operation-b");
        assert!(!ended.reason.was_killed_after_grace());
    }
    let mut world = web(WELL);
    world.act("b", Verb::Restart, "web").unwrap();
    assert_eq!(verb(begun_by(&world).as_ref()), Some(Verb::Restart));
}

#[test]
fn one_that_does_not_obey_was_killed_after_its_grace() {
    let mut world = web(Habit {
        obeys: None,
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(20 * SECOND);
    let (_, ended) = last(&world);
    assert!(ended.reason.was_killed_after_grace());
    let shot = Ending::Signal {
        signal: Signal::KILL,
        core: false,
    };
    assert_eq!(ended.exit.ending, shot);
}

#[test]
fn the_first_word_ended_it_and_the_last_one_began_the_next() {
    let mut world = web(Habit {
        obeys: Some(SECOND),
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(MS);
    world.act("c", Verb::Start, "web").unwrap();
    world.after(5 * SECOND);
    assert_eq!(verb(asker(&last(&world).1)), Some(Verb::Stop));
    assert_eq!(verb(begun_by(&world).as_ref()), Some(Verb::Start));
}

#[test]
fn a_limit_and_the_end_of_everything_are_named() {
    let mut world = World::new();
    let mut limited = spec("web");
    limited.limits.max_memory = Some(1_000_000);
    world.define("a", &limited).unwrap();
    world.handle(Msg::Confirmed {
        id: InstanceId(1),
        run: RunId(1),
        memory: 2_000_000,
    });
    world.settle();
    let limit = Asker::MemoryLimit {
        memory: 2_000_000,
        allowed: 1_000_000,
    };
    assert_eq!(asker(&last(&world).1), Some(&limit));
    world.after(10 * SECOND);
    assert_eq!(begun_by(&world), Some(Asker::Policy));
    world.handle(Msg::EndAll { at_once: false });
    world.settle();
    assert_eq!(asker(&last(&world).1), Some(&Asker::Shutdown));
}

#[test]
fn an_end_that_nobody_was_there_for_is_told_with_its_own_time() {
    let mut world = web(Habit {
        life: Some((2 * SECOND, 5)),
        ..WELL
    });
    world.gap = 10 * SECOND;
    world.after(SECOND);
    world.kill_daemon();
    world.after(11 * SECOND);
    let (run, ended) = last(&world);
    assert_eq!((run, ended.exit.ending), (RunId(1), Ending::Code(5)));
    assert_eq!(ended.lasted_ms, 2000);
}

#[test]
fn a_stop_keeps_its_author_when_the_daemon_dies_in_the_middle() {
    let mut world = web(Habit {
        obeys: Some(5 * SECOND),
        ..WELL
    });
    world.gap = SECOND;
    let stop = super::client::act("b", Verb::Stop, "web");
    let _answer = world.ask(|reply| Request::Act(stop, "test".into(), reply));
    world.after(SECOND);
    world.kill_daemon();
    world.after(30 * SECOND);
    assert_eq!(verb(asker(&last(&world).1)), Some(Verb::Stop));
}

#[test]
fn the_next_daemon_tells_the_last_end_again_for_the_journal_may_not_have_it() {
    let mut world = web(Habit {
        life: Some((SECOND, 5)),
        ..WELL
    });
    world.after(SECOND + 10 * MS);
    let told = last(&world);
    world.seen.clear();
    world.kill_daemon();
    world.settle();
    let again = last(&world);
    assert_eq!(again.0, told.0);
    assert_eq!(again.1.reason, told.1.reason);
    assert_eq!(again.1.lasted_ms, told.1.lasted_ms);
}
