//! The daemon dies at every point of a life, and the next one goes on; the machine begins anew.

use std::time::Duration;

use super::super::message::Msg;
use super::super::store::Rest;
use super::client::{act, file, spec};
use super::habit::{Habit, Leaves, MS, SECOND, WELL};
use super::world::World;
use crate::api::TargetView;
use crate::domain::names::InstanceId;
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::{Restart, Spec};
use crate::domain::status::Status;

fn worker(instances: u32) -> Spec {
    Spec {
        instances,
        ..spec("worker")
    }
}

/// Every kind of change, and every kind of end.
fn live_a_life(world: &mut World) {
    let begun = world.ns;
    let until = |world: &mut World, second: u64| {
        let at = begun + second * SECOND;
        world.after(at.saturating_sub(world.ns));
    };
    world.habit(
        "web",
        Habit {
            obeys: None,
            leaves: Leaves::Polite(200 * MS),
            ..WELL
        },
    );
    world.define("a", &spec("web")).unwrap();
    until(world, 5);
    world.ends(1, 1);
    until(world, 20);
    world.act("b", Verb::Restart, "web").unwrap();
    until(world, 40);
    world.apply(&file("c", &[worker(3)])).unwrap();
    until(world, 50);
    world.act("d", Verb::Stop, "worker-1").unwrap();
    until(world, 55);
    world.ends(2, 0);
    until(world, 60);
    world.apply(&file("e", &[worker(2), spec("late")])).unwrap();
    until(world, 70);
    world.act("f", Verb::Stop, "web").unwrap();
    until(world, 90);
    world.act("g", Verb::Delete, "late").unwrap();
    until(world, 150);
}

fn outcome(world: &mut World) -> (Vec<(String, Status)>, Vec<Rest>, usize) {
    let rests = world.saved.processes.values();
    let rests = rests.flat_map(|p| p.instances.iter().map(|i| i.rest));
    let rests = rests.collect();
    (world.statuses(), rests, world.living.len())
}

#[test]
fn a_daemon_killed_after_any_deed_changes_no_end() {
    let mut whole = World::new();
    live_a_life(&mut whole);
    let expected = outcome(&mut whole);
    let deeds = whole.deeds_done;
    assert!(deeds > 100, "only {deeds} deeds");
    for gap in [0, 300 * MS, 2 * SECOND] {
        for point in 0..deeds {
            let mut world = World::new();
            world.gap = gap;
            world.deeds_left = Some(point);
            live_a_life(&mut world);
            let context = format!("killed after deed {point}, away for {gap} ns");
            assert!(world.epoch <= 2, "{context}");
            assert_eq!(outcome(&mut world), expected, "{context}");
            for id in ["a", "b", "c", "d", "e", "f", "g"] {
                if let Ok(operation) = world.operation(id) {
                    assert!(operation.done, "{context}: {id} is not done");
                }
            }
        }
    }
}

#[test]
fn what_a_keeper_did_not_live_to_hear_is_told_again() {
    let mut whole = World::new();
    live_a_life(&mut whole);
    // How an adopted one ends is not known, so this one may be started again.
    let others = |world: &mut World| {
        let mut rows = world.statuses();
        rows.retain(|(name, _)| name != "worker-0");
        rows
    };
    let expected = others(&mut whole);
    let deeds = whole.deeds_done;
    let mut unmade = 0;
    for (gap, dies_at_work) in [(0, false), (300 * MS, false), (0, true), (300 * MS, true)] {
        for point in 1..=deeds {
            let mut world = World::new();
            world.gap = gap;
            world.heard_left = Some(point);
            world.dies_at_work = dies_at_work;
            live_a_life(&mut world);
            let context = format!(
                "the keeper was killed after deed {point} (at work: {dies_at_work}), away for {gap} ns"
            );
            unmade += world.unmade;
            assert!(world.epoch <= 2, "{context}");
            assert_eq!(others(&mut world), expected, "{context}");
            for id in ["a", "b", "c", "d", "e", "f", "g"] {
                if let Ok(operation) = world.operation(id) {
                    assert!(operation.done, "{context}: {id} is not done");
                    let failed = |t: &TargetView| matches!(t.progress, Progress::Failed { .. });
                    assert!(
                        !operation.targets.iter().any(failed),
                        "{context}: {operation:?}"
                    );
                }
            }
        }
    }
    assert!(unmade > 2, "{unmade} keepers died while they made a child");
}

#[test]
fn an_exit_that_nobody_saw_is_acted_on_once() {
    let mut world = World::new();
    world.gap = SECOND;
    world.define("a", &spec("web")).unwrap();
    world.after(SECOND);
    world.kill_daemon();
    world.ends(1, 7);
    world.after(SECOND);
    let view = world.view(1);
    assert_eq!((view.status, view.attempts), (Status::Backoff, 1));
    assert_eq!(view.exit.unwrap().code, Some(7));
    world.kill_daemon();
    world.after(SECOND);
    let view = world.view(1);
    assert_eq!(
        (view.attempts, view.restarts),
        (1, u32::from(view.run.0 > 1))
    );
    world.after(2 * SECOND);
    assert_eq!(world.view(1).restarts, 1);
    assert_eq!(world.spawns.len(), 2);
}

#[test]
fn the_moment_of_the_next_attempt_is_kept() {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.backoff.initial = Duration::from_secs(20);
    world.define("a", &web).unwrap();
    world.ends(1, 1);
    let due = world.ns + world.due_in(1).unwrap();
    world.after(SECOND);
    world.kill_daemon();
    world.settle();
    assert_eq!(world.ns + world.due_in(1).unwrap(), due);
    world.gap = 60 * SECOND;
    world.kill_daemon();
    world.after(60 * SECOND);
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.spawns.last().unwrap().0, world.ns);
}

#[test]
fn a_stop_goes_on_with_the_grace_that_is_left() {
    let mut world = World::new();
    world.habit(
        "web",
        Habit {
            obeys: None,
            ..WELL
        },
    );
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(4 * SECOND);
    world.kill_daemon();
    world.settle();
    assert_eq!(world.status(1), Status::Stopping);
    assert_eq!(world.due_in(1), Some(6 * SECOND));
    assert_eq!(world.progress("b"), [Progress::Pending]);
    world.after(6 * SECOND);
    assert_eq!(world.status(1), Status::Stopped);
    assert_eq!(world.progress("b"), [Progress::Done]);
    assert_eq!(world.signals.len(), 2);
}

#[test]
fn failures_of_the_window_are_remembered_by_the_next_daemon() {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.max_restarts = 3;
    web.restart.window = Some(Duration::from_secs(60));
    world.define("a", &web).unwrap();
    for _ in 0..2 {
        world.ends(1, 1);
        world.after(5 * SECOND);
        world.kill_daemon();
        world.settle();
    }
    world.ends(1, 1);
    assert_eq!(world.status(1), Status::Errored);
}

/// A note has no room for the moments of so many failures; those without one are forgiven with the oldest that has one.
#[test]
fn more_failures_than_a_note_has_room_for_are_counted_and_forgiven_all_the_same() {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.max_restarts = 50;
    web.restart.backoff.initial = Duration::ZERO;
    web.restart.window = Some(Duration::from_secs(600));
    world.define("a", &web).unwrap();
    for _ in 0..40 {
        world.after(SECOND);
        world.ends(1, 1);
    }
    world.kill_daemon();
    world.after(SECOND);
    assert_eq!(world.view(1).attempts, 40);
    world.after(700 * SECOND);
    world.ends(1, 1);
    world.settle();
    assert_eq!(world.view(1).attempts, 1);
}

fn rests(world: &World) -> Vec<Rest> {
    let all = world.saved.processes.values();
    all.flat_map(|p| p.instances.iter().map(|i| i.rest))
        .collect()
}

/// One of each kind: up, stopped, waiting, ended well, given up.
fn one_of_each() -> World {
    let mut world = World::new();
    for name in ["down", "up", "waiting"] {
        world.define(name, &spec(name)).unwrap();
    }
    let ended = |on| {
        let mut spec = spec(if on == Restart::Always {
            "always"
        } else {
            "well"
        });
        spec.restart.on = on;
        spec
    };
    world.define("well", &ended(Restart::OnFailure)).unwrap();
    world
        .define("bad", &{
            let mut bad = spec("xbad");
            bad.restart.max_restarts = 1;
            bad
        })
        .unwrap();
    world.act("b", Verb::Stop, "down").unwrap();
    world.ends(3, 1);
    world.ends(4, 0);
    world.ends(5, 1);
    world
}

#[test]
fn the_end_of_everything_keeps_what_was_wanted() {
    let mut world = one_of_each();
    let wanted = [Rest::Down, Rest::Up, Rest::Up, Rest::Exited, Rest::Errored];
    let mut expected: Vec<(String, Rest)> = Vec::new();
    for (name, rest) in ["down", "up", "waiting", "well", "xbad"].iter().zip(wanted) {
        expected.push(((*name).to_owned(), rest));
    }
    world.handle(Msg::EndAll { at_once: false });
    world.settle();
    assert!(world.told_to_quit && world.left && world.living.is_empty());
    assert_eq!(rests(&world), wanted);

    let spawned = world.spawns.len();
    world.reboot();
    let mut begun: Vec<u32> = world.spawns[spawned..].iter().map(|s| s.1.0).collect();
    begun.sort_unstable();
    assert_eq!(begun, [2, 3]);
    assert_eq!(world.status(4), Status::Exited);
    assert_eq!(world.status(5), Status::Errored);
}

#[test]
fn a_reboot_without_goodbye_starts_what_was_wanted_up_and_uses_no_run_again() {
    let mut world = one_of_each();
    let spawned = world.spawns.len();
    world.reboot();
    assert_eq!(world.spawns.len(), spawned + 2);
    assert_eq!(world.status(2), Status::Running);
    assert_eq!(world.status(3), Status::Running);
    assert_eq!(world.status(1), Status::Stopped);
}

#[test]
fn what_ended_well_is_started_by_a_reboot_only_when_it_is_always_wanted() {
    for (on, status) in [
        (Restart::OnFailure, Status::Exited),
        (Restart::Always, Status::Running),
    ] {
        let mut world = World::new();
        world.define("a", &spec("web")).unwrap();
        world.ends(1, 0);
        assert_eq!(rests(&world), [Rest::Exited]);
        for process in world.saved.processes.values_mut() {
            std::sync::Arc::make_mut(&mut process.spec).restart.on = on;
        }
        world.reboot();
        assert_eq!(world.status(1), status, "{on:?}");
    }
}

#[test]
fn an_end_of_everything_that_was_interrupted_forgets_no_wish() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.habit(
        "slow",
        Habit {
            obeys: Some(5 * SECOND),
            ..WELL
        },
    );
    world.define("b", &spec("slow")).unwrap();
    world.handle(Msg::EndAll { at_once: false });
    world.after(SECOND);
    world.kill_daemon();
    world.settle();
    world.handle(Msg::EndAll { at_once: false });
    world.after(10 * SECOND);
    assert!(world.told_to_quit);
    assert_eq!(rests(&world), [Rest::Up; 2]);
}

#[test]
fn while_everything_ends_no_change_is_taken() {
    let mut world = World::new();
    world.habit(
        "web",
        Habit {
            obeys: Some(SECOND),
            ..WELL
        },
    );
    world.define("a", &spec("web")).unwrap();
    world.handle(Msg::EndAll { at_once: false });
    let start = act("b", Verb::Start, "web");
    let mut answer = world.ask(|r| super::super::message::Request::Act(start, "x".into(), r));
    assert!(answer.try_recv().is_err());
    world.after(SECOND);
    assert!(world.left && world.living.is_empty());
    assert!(!world.living.contains_key(&InstanceId(1)));
}

#[test]
fn a_copy_that_takes_the_place_of_a_deleted_one_is_known_after_any_death() {
    let start = || {
        let mut world = World::new();
        world.apply(&file("a", &[worker(3)])).unwrap();
        world.act("b", Verb::Delete, "worker-1").unwrap();
        world
    };
    for point in 0..30 {
        let mut world = start();
        world.deeds_left = Some(point);
        world.apply(&file("c", &[worker(2)])).unwrap();
        world.after(SECOND);
        world.deeds_left = None;
        let names: Vec<String> = world.list().into_iter().map(|row| row.name).collect();
        assert_eq!(names.len(), 2, "{point}: {names:?}");
    }
}

#[test]
fn what_outlives_its_keeper_goes_on_and_what_ended_meanwhile_is_followed_once() {
    let mut world = World::new();
    let mut two = spec("web");
    two.instances = 2;
    world.define("begin", &two).unwrap();
    world.gap = SECOND;
    let runs = world.spawns.len();
    world.kill_keeper();
    world.ends(1, 0);
    world.after(2 * SECOND);
    let (ended, stayed) = (world.view(1), world.view(2));
    let exit = ended.exit.unwrap();
    assert_eq!((exit.code, exit.signal), (None, None), "{}", exit.text);
    assert!(
        stayed.adopted && stayed.status == Status::Running,
        "{stayed:?}"
    );
    world.after(60 * SECOND);
    assert_eq!(world.spawns.len(), runs + 1, "{:?}", world.spawns);
    assert_eq!(world.status(1), Status::Running);
    assert!(!world.view(1).adopted);
}

#[test]
fn other_limits_of_logs_reach_the_keeper_wherever_the_daemon_dies() {
    let limited = |max_size| {
        let mut spec = spec("web");
        spec.logs.max_size = max_size;
        spec
    };
    for point in 0..10 {
        let mut world = World::new();
        world.apply(&file("a", &[limited(8192)])).unwrap();
        world.after(5 * SECOND);
        world.deeds_left = Some(point);
        drop(world.apply(&file("b", &[limited(4096)])));
        world.after(5 * SECOND);
        // Whoever had no answer asks again.
        world.apply(&file("b", &[limited(4096)])).unwrap();
        world.after(5 * SECOND);
        let routes = world.table[&InstanceId(1)].routes.clone();
        let size = routes.map(|routes| routes.out.max_size);
        assert_eq!(size, Some(4096), "the daemon was killed after deed {point}");
        assert_eq!(world.spawns.len(), 1, "no process was touched");
    }
}
