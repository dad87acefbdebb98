//! Stops: grace, force, what is left of trees, and what comes too late to matter.

use super::super::message::Msg;
use super::client::spec;
use super::habit::{Habit, Leaves, SECOND, WELL};
use super::world::World;
use crate::domain::exit::{Ending, Exit};
use crate::domain::instance::{Phase, Sweep};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::operation::{Progress, Verb};
use crate::domain::status::Status;
use crate::keeper::protocol::ToDaemon;

fn running(habit: Habit) -> World {
    let mut world = World::new();
    world.habit("web", habit);
    world.define("define", &spec("web")).unwrap();
    world.after(SECOND);
    world
}

fn signals(world: &World) -> Vec<(u64, String)> {
    let begun = world.signals.first().map_or(0, |s| s.0);
    let seconds = |at: u64| (at - begun) / SECOND;
    let all = world.signals.iter();
    all.map(|(at, _, s)| (seconds(*at), s.to_string()))
        .collect()
}

#[test]
fn a_stop_while_it_waits_for_the_next_attempt_cancels_the_attempt() {
    for verb in [Verb::Stop, Verb::Kill] {
        let mut world = running(WELL);
        world.ends(1, 1);
        assert_eq!(world.status(1), Status::Backoff);
        world.act("b", verb, "web").unwrap();
        assert!(world.operation("b").unwrap().done);
        assert_eq!(world.due_in(1), None);
        world.after(100 * SECOND);
        assert_eq!(world.spawns.len(), 1);
        assert_eq!(world.status(1), Status::Stopped);
    }
}

#[test]
fn what_ignores_term_is_killed_after_its_grace() {
    let mut world = running(Habit {
        obeys: None,
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(9 * SECOND);
    assert_eq!(world.status(1), Status::Stopping);
    world.after(SECOND);
    assert_eq!(world.status(1), Status::Stopped);
    let expected = [(0, "SIGTERM".to_owned()), (10, "SIGKILL".to_owned())];
    assert_eq!(signals(&world), expected);
    assert_eq!(world.progress("b"), [Progress::Done]);
}

#[test]
fn what_does_not_die_is_said_and_never_believed_dead() {
    let mut world = running(Habit {
        obeys: None,
        killable: false,
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(10 * SECOND);
    assert_eq!(world.view(1).alarm, None);
    world.after(5 * SECOND);
    let alarm = world.view(1).alarm.unwrap();
    assert!(
        alarm.starts_with("does not die after SIGKILL (pid "),
        "{alarm}"
    );
    world.after(100 * SECOND);
    assert_eq!(world.status(1), Status::Stopping);
    assert_eq!(world.progress("b"), [Progress::Pending]);
    world.act("c", Verb::Start, "web").unwrap();
    world.after(100 * SECOND);
    assert_eq!(world.spawns.len(), 1);
    world.ends(1, 0);
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.view(1).alarm, None);
}

#[test]
fn what_is_left_of_a_tree_has_the_rest_of_the_grace_and_no_more() {
    let mut world = running(Habit {
        obeys: Some(4 * SECOND),
        leaves: Leaves::Stubborn,
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(4 * SECOND);
    assert!(matches!(
        world.phase(1),
        Phase::Sweeping { forced: false, .. }
    ));
    assert_eq!(world.due_in(1), Some(6 * SECOND));
    assert_eq!(world.sweeps.last().unwrap().1.how, Sweep::Remaining);
    world.after(6 * SECOND - 1);
    assert_eq!(world.status(1), Status::Stopping);
    world.after(1);
    assert_eq!(world.sweeps.last().unwrap().1.how, Sweep::Kill);
    assert_eq!(world.status(1), Status::Stopped);
}

#[test]
fn what_a_run_leaves_when_it_ends_by_itself_has_a_whole_grace() {
    for (leaves, how) in [
        (Leaves::Polite(3 * SECOND), Sweep::Fresh),
        (Leaves::Stubborn, Sweep::Kill),
    ] {
        let mut world = running(Habit { leaves, ..WELL });
        world.ends(1, 1);
        assert_eq!(world.status(1), Status::Restarting);
        assert_eq!(world.due_in(1), Some(10 * SECOND));
        world.after(10 * SECOND);
        assert_eq!(world.sweeps.last().unwrap().1.how, how);
        world.after(2 * SECOND);
        assert_eq!(world.status(1), Status::Running);
        assert_eq!(world.spawns.len(), 2);
    }
}

#[test]
fn a_tree_that_does_not_die_lets_no_other_run_begin() {
    let mut world = running(Habit {
        leaves: Leaves::Immortal,
        ..WELL
    });
    world.act("b", Verb::Restart, "web").unwrap();
    world.after(100 * SECOND);
    assert!(matches!(
        world.phase(1),
        Phase::Sweeping { forced: true, .. }
    ));
    assert!(world.view(1).alarm.is_some());
    assert_eq!(world.spawns.len(), 1);
}

#[test]
fn reports_of_an_older_run_change_nothing() {
    let mut world = running(WELL);
    world.act("b", Verb::Restart, "web").unwrap();
    let (key, run) = (InstanceId(1), RunId(1));
    let before = world.view(1);
    let exit = Exit {
        ending: Ending::Code(1),
        at_ms: 1,
        cpu_ms: 0,
        peak_rss: 0,
    };
    for late in [
        Msg::Keeper(ToDaemon::Spawned {
            key,
            run,
            pid: 7,
            start: 7,
        }),
        Msg::Keeper(ToDaemon::Executed { key, run }),
        Msg::Keeper(ToDaemon::SpawnFailed {
            key,
            run,
            why: "late".into(),
        }),
        Msg::Keeper(ToDaemon::Exited { key, run, exit }),
        Msg::Swept { id: key, run },
        Msg::Survivors {
            id: key,
            run,
            text: "late".into(),
        },
        Msg::Confirmed {
            id: key,
            run,
            memory: u64::MAX,
        },
    ] {
        world.handle(late);
        assert_eq!(world.view(1), before);
    }
    for late in [
        Msg::Keeper(ToDaemon::Spawned {
            key: InstanceId(9),
            run,
            pid: 7,
            start: 7,
        }),
        Msg::Keeper(ToDaemon::Exited {
            key: InstanceId(9),
            run,
            exit,
        }),
        Msg::Swept {
            id: InstanceId(9),
            run,
        },
    ] {
        world.handle(late);
        assert_eq!(world.list().len(), 1);
    }
}

#[test]
fn a_deadline_that_was_replaced_passes_without_effect() {
    let mut world = running(Habit {
        obeys: Some(SECOND),
        ..WELL
    });
    // The grace of ten seconds is over in one; the stability of the next run is judged by its own.
    world.act("b", Verb::Restart, "web").unwrap();
    world.after(5 * SECOND);
    let before = world.view(1);
    world.after(5 * SECOND);
    let after = world.view(1);
    assert_eq!((before.run, before.status), (after.run, after.status));
    assert_eq!(signals(&world).len(), 1);
}

#[test]
fn a_start_during_a_stop_is_another_run_after_the_end_of_this_one() {
    let mut world = running(Habit {
        obeys: Some(2 * SECOND),
        ..WELL
    });
    world.act("b", Verb::Stop, "web").unwrap();
    world.act("c", Verb::Start, "web").unwrap();
    assert_eq!(world.status(1), Status::Restarting);
    world.after(2 * SECOND);
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.progress("c"), [Progress::Done]);
    assert_eq!(world.spawns.len(), 2);
}

/// What came up last is told first: it may need what came up before it.
#[test]
fn the_end_of_everything_tells_the_newest_first() {
    let mut world = World::new();
    let slow = Habit {
        obeys: Some(SECOND),
        ..WELL
    };
    for name in ["first", "second", "third"] {
        world.habit(name, slow);
        world.define(name, &spec(name)).unwrap();
    }
    world.handle(Msg::EndAll { at_once: false });
    let told: Vec<u32> = world.signals.iter().map(|s| s.1.0).collect();
    assert_eq!(told, [3, 2, 1]);
    world.after(2 * SECOND);
    assert!(world.left && world.living.is_empty());
}
