//! Anything in any order: what must always hold is checked after each turn, and in the end everything can be stopped.

use proptest::prelude::*;

use super::client::{file, spec};
use super::habit::{Fork, Habit, Leaves, MS, SECOND, WELL};
use super::world::World;
use crate::domain::operation::Verb;
use crate::domain::spec::Spec;
use crate::domain::status::Status;

#[derive(Debug, Clone)]
enum Step {
    Act(Verb, &'static str),
    Apply {
        web: u32,
        worker: u32,
        args: u8,
        start: bool,
    },
    Down,
    Ends(u32, i32),
    Behave(&'static str, Habit),
    Wait(u64),
    DaemonDies {
        after: usize,
        gap: u64,
    },
    KeeperDies {
        after: usize,
        gap: u64,
    },
}

fn verbs() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::Start),
        Just(Verb::Stop),
        Just(Verb::Kill),
        Just(Verb::Restart),
        Just(Verb::Delete),
    ]
}

fn habits() -> impl Strategy<Value = Habit> {
    let fork = prop_oneof![
        6 => Just(Fork::Works),
        1 => Just(Fork::Fails),
        1 => Just(Fork::NotExecuted),
        1 => Just(Fork::Hangs),
        1 => Just(Fork::Unanswered),
    ];
    let leaves = prop_oneof![
        Just(Leaves::Nothing),
        Just(Leaves::Polite(300 * MS)),
        Just(Leaves::Stubborn),
    ];
    let life = proptest::option::of((0..8 * SECOND, 0..2));
    let obeys = proptest::option::of(0..12 * SECOND);
    (fork, life, obeys, leaves).prop_map(|(fork, life, obeys, leaves)| Habit {
        fork,
        life,
        obeys,
        leaves,
        ..WELL
    })
}

fn steps() -> impl Strategy<Value = Step> {
    let whom = || prop_oneof![Just("web"), Just("worker"), Just("all"), Just("worker-1")];
    prop_oneof![
        4 => (verbs(), whom()).prop_map(|(verb, whom)| Step::Act(verb, whom)),
        2 => (0..2u32, 0..4u32, 0..2u8, any::<bool>()).prop_map(|(web, worker, args, start)| {
            Step::Apply { web, worker, args, start }
        }),
        1 => Just(Step::Down),
        3 => (1..6u32, 0..2).prop_map(|(id, code)| Step::Ends(id, code)),
        2 => (whom(), habits()).prop_map(|(whom, habit)| Step::Behave(whom, habit)),
        4 => (0..20 * SECOND).prop_map(Step::Wait),
        2 => (0..12usize, 0..3 * SECOND).prop_map(|(after, gap)| Step::DaemonDies { after, gap }),
        2 => (0..12usize, 0..3 * SECOND).prop_map(|(after, gap)| Step::KeeperDies { after, gap }),
    ]
}

fn specs(web: u32, worker: u32, args: u8) -> Vec<Spec> {
    let mut all = Vec::new();
    for (name, instances) in [("web", web), ("worker", worker)] {
        let mut it = spec(name);
        it.instances = instances;
        it.command
            .args
            .extend((args > 0).then(|| "other".to_owned()));
        all.extend((instances > 0).then_some(it));
    }
    all
}

fn take(world: &mut World, n: usize, step: Step) {
    let id = format!("op-{n}");
    match step {
        // What is not there is not found; nothing else may go wrong.
        Step::Act(verb, whom) => drop(world.act(&id, verb, whom)),
        Step::Apply {
            web,
            worker,
            args,
            start,
        } => {
            let mut apply = file(&id, &specs(web, worker, args));
            apply.start = start;
            drop(world.apply(&apply));
        }
        Step::Down => drop(world.down(&id)),
        Step::Ends(id, code) => world.ends(id, code),
        Step::Behave(name, habit) => world.habit(name, habit),
        Step::Wait(ns) => world.after(ns),
        Step::DaemonDies { after, gap } => {
            world.gap = gap;
            world.deeds_left = Some(after);
        }
        Step::KeeperDies { after: 0, gap } => {
            world.gap = gap;
            world.kill_keeper();
        }
        Step::KeeperDies { after, gap } => {
            world.gap = gap;
            world.dies_at_work = gap % 2 == 0;
            world.heard_left = Some(after);
        }
    }
}

/// `ADASA_CASES` makes it long, `ADASA_TEST_SEED` draws others.
fn config() -> ProptestConfig {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let seed = number("ADASA_TEST_SEED").unwrap_or(1);
    ProptestConfig {
        cases: number("ADASA_CASES").map_or(300, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_comes_in_whatever_order_the_promises_hold(
        steps in proptest::collection::vec(steps(), 1..40)
    ) {
        let mut world = World::new();
        world.apply(&file("begin", &specs(1, 2, 0))).unwrap();
        let count = steps.len();
        for (n, step) in steps.into_iter().enumerate() {
            take(&mut world, n, step);
        }
        world.deeds_left = None;
        world.heard_left = None;
        world.after(5 * SECOND);
        world.act("end", Verb::Stop, "all").unwrap();
        world.after(120 * SECOND);
        prop_assert!(world.statuses().iter().all(|(_, s)| *s == Status::Stopped));
        prop_assert!(world.living.is_empty());
        for n in 0..count {
            if let Ok(operation) = world.operation(&format!("op-{n}")) {
                prop_assert!(operation.done, "{operation:?}");
            }
        }
    }
}
