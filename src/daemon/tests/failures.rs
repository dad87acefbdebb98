//! Runs that fail: how long is waited, what is counted, when it is given up.

use std::time::Duration;

use super::super::message::Msg;
use super::client::spec;
use super::habit::{Fork, Habit, MS, SECOND, WELL};
use super::world::World;
use crate::domain::names::InstanceId;
use crate::domain::operation::{Progress, Verb};
use crate::domain::sample::Sample;
use crate::domain::spec::Restart;
use crate::domain::status::Status;

const FAILS_AT_ONCE: Habit = Habit {
    life: Some((0, 1)),
    ..WELL
};

#[test]
fn a_crowd_whose_time_is_up_at_once_begins_some_at_a_time_and_no_command_waits_for_it() {
    let mut world = World::new();
    let mut crowd = spec("web");
    crowd.instances = 100;
    world.define("a", &crowd).unwrap();
    world.after(SECOND);
    for id in 1..=100 {
        world.ends(id, 1);
    }
    let begun = world.spawns.len();
    // None of them comes as far as its exec.
    world.habit(
        "web",
        Habit {
            fork: Fork::Hangs,
            ..WELL
        },
    );
    while world.spawns.len() == begun {
        world.after(MS);
    }
    world.after(40 * MS);
    let most = world.spawns.len() - begun;
    assert!((1..=16).contains(&most), "{most} at once");
    world.define("b", &spec("other")).unwrap();
    world.settle();
    let running = |(_, status): &&(String, Status)| *status == Status::Running;
    assert_eq!(world.statuses().iter().filter(running).count(), 1);
    // Those that hang are in nobody's way for long.
    world.after(SECOND);
    assert_eq!(world.spawns.len() - begun, 101);
}

#[test]
fn backoff_doubles_from_a_second_to_a_minute_and_jitter_takes_a_tenth_at_most() {
    let mut world = World::new();
    world.habit("web", FAILS_AT_ONCE);
    let mut web = spec("web");
    web.restart.max_restarts = 10;
    world.define("a", &web).unwrap();
    world.after(1000 * SECOND);
    let at: Vec<u64> = world.spawns.iter().map(|(at, ..)| *at).collect();
    let waits: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let whole = [1, 2, 4, 8, 16, 32, 60, 60, 60];
    assert_eq!(waits.len(), whole.len());
    for (wait, whole) in waits.iter().zip(whole) {
        let whole = whole * SECOND;
        assert!(*wait <= whole && *wait >= whole / 10 * 9, "{waits:?}");
    }
    assert_eq!(world.status(1), Status::Errored);
    assert_eq!(world.view(1).attempts, 10);
}

#[test]
fn as_many_failures_as_allowed_mean_errored_and_no_more_is_tried() {
    for allowed in [0, 1, 2, 5] {
        let mut world = World::new();
        world.habit("web", FAILS_AT_ONCE);
        let mut web = spec("web");
        web.restart.max_restarts = allowed;
        world.define("a", &web).unwrap();
        world.after(1000 * SECOND);
        assert_eq!(world.status(1), Status::Errored);
        assert_eq!(world.spawns.len(), allowed.max(1) as usize);
        assert_eq!(world.due_in(1), None);
    }
}

#[test]
fn a_program_that_cannot_be_executed_or_forked_fails_like_any_other() {
    for fork in [
        Fork::Fails,
        Fork::NotExecuted,
        Fork::Hangs,
        Fork::Unanswered,
    ] {
        let mut world = World::new();
        world.habit("web", Habit { fork, ..WELL });
        let mut web = spec("web");
        web.restart.max_restarts = 3;
        world.define("a", &web).unwrap();
        world.after(1000 * SECOND);
        assert_eq!(world.status(1), Status::Errored, "{fork:?}");
        assert_eq!(world.spawns.len(), 3, "{fork:?}");
        let failed = matches!(world.progress("a")[..], [Progress::Failed { .. }]);
        assert!(failed || world.ns > 1600 * SECOND, "{fork:?}");
    }
}

#[test]
fn a_restart_that_makes_no_child_says_so_and_not_how_the_run_before_ended() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.after(SECOND);
    let fork = Fork::Fails;
    world.habit("web", Habit { fork, ..WELL });
    world.act("b", Verb::Restart, "web").unwrap();
    world.after(SECOND / 2);
    let progress = world.progress("b");
    let [Progress::Failed { reason }] = &progress[..] else {
        panic!("{progress:?}");
    };
    assert_eq!(reason, "no child could be made");
}

#[test]
fn an_end_without_failure_is_left_alone_unless_policy_says_always() {
    let ends_well = Habit {
        life: Some((SECOND, 0)),
        ..WELL
    };
    for (on, spawns, status) in [
        (Restart::Never, 1, Status::Exited),
        (Restart::OnFailure, 1, Status::Exited),
        (Restart::Always, 5, Status::Running),
    ] {
        let mut world = World::new();
        world.habit("web", ends_well);
        let mut web = spec("web");
        web.restart.on = on;
        web.restart.backoff.initial = Duration::ZERO;
        world.define("a", &web).unwrap();
        world.after(4 * SECOND + 500 * MS);
        assert_eq!(world.spawns.len(), spawns, "{on:?}");
        assert_eq!(world.status(1), status, "{on:?}");
    }
}

#[test]
fn a_run_of_min_uptime_forgets_the_failures_before_it() {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.max_restarts = 3;
    world.define("a", &web).unwrap();
    for _ in 0..2 {
        world.ends(1, 1);
        world.after(5 * SECOND);
    }
    assert_eq!(world.view(1).attempts, 2);
    world.after(10 * SECOND);
    assert_eq!(world.view(1).attempts, 0);
    world.ends(1, 1);
    assert_eq!(world.status(1), Status::Backoff);
    assert!(world.due_in(1).unwrap() <= SECOND);
}

/// Moments of failure in seconds, and which of them is the last that is allowed.
fn fails_at(web: &mut World, moments: &[u64]) -> Vec<Status> {
    let begun = web.ns;
    let mut seen = Vec::new();
    for moment in moments {
        web.after(begun + moment * SECOND - web.ns);
        web.ends(1, 1);
        seen.push(web.status(1));
    }
    seen
}

fn windowed() -> World {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.max_restarts = 3;
    web.restart.window = Some(Duration::from_secs(60));
    web.restart.backoff.initial = Duration::from_millis(1);
    world.define("a", &web).unwrap();
    world.after(SECOND);
    world
}

#[test]
fn restart_window_counts_the_failures_within_it_and_no_others() {
    use Status::{Backoff, Errored};
    for (moments, statuses) in [
        (vec![10, 20, 30], vec![Backoff, Backoff, Errored]),
        (
            vec![10, 20, 71, 81],
            vec![Backoff, Backoff, Backoff, Backoff],
        ),
        (
            vec![10, 20, 71, 79],
            vec![Backoff, Backoff, Backoff, Errored],
        ),
        (vec![10, 100, 200, 300], vec![Backoff; 4]),
        (
            vec![10, 50, 71, 100],
            vec![Backoff, Backoff, Backoff, Errored],
        ),
    ] {
        assert_eq!(fails_at(&mut windowed(), &moments), statuses, "{moments:?}");
    }
}

#[test]
fn the_end_of_a_restart_is_no_failure_of_the_window() {
    let mut world = windowed();
    world.act("b", Verb::Restart, "web").unwrap();
    let seen = fails_at(&mut world, &[10, 50, 65]);
    assert_eq!(seen, [Status::Backoff, Status::Backoff, Status::Errored]);
}

#[test]
fn a_start_by_hand_forgets_the_failures_of_the_window() {
    let mut world = windowed();
    assert_eq!(fails_at(&mut world, &[1, 10, 20])[2], Status::Errored);
    world.act("b", Verb::Start, "web").unwrap();
    let seen = fails_at(&mut world, &[5, 45, 58]);
    assert_eq!(seen, [Status::Backoff, Status::Backoff, Status::Errored]);
}

#[test]
fn a_child_that_comes_too_late_is_ended() {
    let mut world = World::new();
    let mut web = spec("web");
    web.restart.max_restarts = 1;
    world.habit(
        "web",
        Habit {
            fork: Fork::Unanswered,
            ..WELL
        },
    );
    world.define("a", &web).unwrap();
    world.after(11 * SECOND);
    assert_eq!(world.status(1), Status::Errored);
    let killed = world
        .signals
        .iter()
        .any(|(_, _, signal)| signal.number() == 9);
    assert!(killed, "what the keeper may have made by now must not stay");
}

/// What the sampler and the inspector say of a run that takes too much.
fn takes_too_much(world: &mut World) {
    let (id, run) = (InstanceId(1), world.view(1).run);
    let sample = Sample {
        memory: Some(200_000_000),
        ..Sample::default()
    };
    world.handle(Msg::Sampled {
        host: None,
        samples: vec![(id, run, sample)],
        strays: 0,
    });
    world.handle(Msg::Confirmed {
        id,
        run,
        memory: 200_000_000,
    });
    world.settle();
}

fn limited(window: Option<Duration>) -> World {
    let mut world = World::new();
    let mut web = spec("web");
    web.limits.max_memory = Some(100_000_000);
    web.restart.max_restarts = 4;
    web.restart.window = window;
    world.define("a", &web).unwrap();
    world
}

#[test]
fn a_run_over_its_limit_from_its_start_backs_off_and_is_given_up() {
    for window in [None, Some(Duration::from_secs(600))] {
        let mut world = limited(window);
        let mut waits = Vec::new();
        for _ in 0..3 {
            world.after(SECOND);
            takes_too_much(&mut world);
            assert_eq!(world.status(1), Status::Backoff);
            let wait = world.due_in(1).unwrap();
            waits.push(wait.div_ceil(SECOND));
            world.after(wait);
            assert_eq!(world.status(1), Status::Running);
        }
        assert_eq!(waits, [1, 2, 4]);
        takes_too_much(&mut world);
        assert_eq!(world.status(1), Status::Errored);
        assert!(world.view(1).because.starts_with("memory limit"));
        world.after(1000 * SECOND);
        assert_eq!(world.spawns.len(), 4);
    }
}

#[test]
fn a_stable_run_forgets_the_limit_restarts_before_it() {
    let mut world = limited(None);
    for _ in 0..10 {
        world.after(20 * SECOND);
        takes_too_much(&mut world);
        let view = world.view(1);
        assert_eq!((view.status, view.attempts), (Status::Backoff, 1));
    }
    assert_eq!(world.spawns.len(), 10);
}
