//! Random commands, crashes and kills against a model of what must be true, with the real binary; what fails is made
//! shorter until nothing can be left out. `ADASA_CASES` makes it long, `ADASA_TEST_SEED` draws others.

use nix::sys::signal::Signal;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::oracle::Oracle;
use crate::sandbox::{Known, Sandbox};
use crate::storm::clients::{Client, Step};
use crate::storm::kills::Gaps;

/// Of whom, whether a role is killed just before, and what is done.
#[derive(Debug, Clone)]
struct Turn {
    which: usize,
    kill: Vec<&'static str>,
    step: Step,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let kill = prop_oneof![
        3 => Just(vec![]),
        2 => Just(vec!["pid"]),
        1 => Just(vec!["scribe_pid"]),
        1 => Just(vec!["pid", "scribe_pid"]),
        1 => Just(vec!["keeper_pid"]),
        1 => Just(vec!["keeper_pid", "pid", "scribe_pid"]),
    ];
    let step = prop::sample::select(Step::ALL.to_vec());
    let turn = (0..3usize, kill, step).prop_map(|(which, kill, step)| Turn { which, kill, step });
    prop::collection::vec(turn, 1..15)
}

fn play(turns: &[Turn]) {
    let home = Sandbox::new();
    let oracle = Oracle::new(&home);
    let gaps = Gaps::default();
    let mut client = Client::new((&home, &oracle, &gaps), 0, 0);
    for turn in turns {
        let victims: Vec<Known> = turn.kill.iter().map(|role| home.role(role)).collect();
        if turn.kill.contains(&"keeper_pid") {
            gaps.keeper.begin();
        }
        if turn.kill.len() == 3 {
            gaps.all.begin();
        }
        for victim in &victims {
            victim.signal(Signal::SIGKILL);
        }
        client.take(turn.which, turn.step);
        gaps.keeper.end();
        gaps.all.end();
    }
    client.assert_as_left();
    drop(home.run(&["stop", "all"]).success());
    client.assert_every_line_once();
}

fn config() -> ProptestConfig {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    ProptestConfig {
        cases: number("ADASA_CASES").map_or(4, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        max_shrink_iters: 40,
        failure_persistence: None,
        rng_seed: number("ADASA_TEST_SEED").map_or(RngSeed::Random, RngSeed::Fixed),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_asked_for_and_whoever_is_killed_the_promises_hold(turns in turns()) {
        play(&turns);
    }
}
