//! Rolling restarts: batch by batch, halted, paused, ended, overtaken, and with daemons that die.

use super::super::hub::Follow;
use super::super::message::Request;
use super::client::{act, file, operation, progress, spec};
use super::habit::{Habit, Leaves, MS, SECOND, WELL};
use super::world::World;
use crate::api::{
    Act, ApiError, Code, OperationView, Place, Rolling, RolloutControl, RolloutView, Whole,
};
use crate::domain::names::InstanceId;
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::Spec;
use crate::domain::status::Status;

fn api(instances: u32) -> Spec {
    Spec {
        instances,
        ..spec("api")
    }
}

fn rolling(id: &str, whom: &str, most: u32) -> Act {
    Act {
        rolling: Some(Rolling {
            max_unavailable: Some(most),
            stable_ms: Some(5_000),
        }),
        ..act(id, Verb::Restart, whom)
    }
}

impl World {
    #[track_caller]
    fn roll(&mut self, id: &str, whom: &str, most: u32) -> Result<OperationView, ApiError> {
        let act = rolling(id, whom, most);
        self.insist(|reply| Request::Act(act.clone(), "test".into(), reply))
    }

    #[track_caller]
    fn control(&mut self, id: &str, what: RolloutControl) -> Result<OperationView, ApiError> {
        self.insist(|reply| Request::ControlRollout(operation(id), what, "test".into(), reply))
    }

    #[track_caller]
    fn rollout(&mut self, id: &str) -> RolloutView {
        let view = self.operation(id).unwrap();
        view.rollouts.into_iter().next().expect("a rollout")
    }

    #[track_caller]
    fn places(&mut self, id: &str) -> Vec<Place> {
        let places = self.rollout(id).places;
        places.into_iter().map(|p| p.place).collect()
    }

    fn serving(&mut self) -> usize {
        let statuses = self.statuses().into_iter();
        statuses.filter(|(_, s)| *s == Status::Running).count()
    }

    /// The runs of each instance so far.
    fn runs(&self) -> Vec<usize> {
        let mut runs = std::collections::BTreeMap::new();
        for (_, id, _) in &self.spawns {
            *runs.entry(*id).or_insert(0) += 1;
        }
        runs.into_values().collect()
    }
}

/// So many, running, each of which takes a second to end.
fn running(instances: u32) -> World {
    let mut world = World::new();
    let slow = Habit {
        obeys: Some(SECOND),
        ..WELL
    };
    world.habit("api", slow);
    world.apply(&file("a", &[api(instances)])).unwrap();
    world.after(SECOND);
    world
}

/// What every new run does from now on.
fn new_ones(world: &mut World, habit: Habit) {
    world.habit("api", habit);
}

const BREAKS: Habit = Habit {
    life: Some((SECOND, 1)),
    ..WELL
};

#[test]
fn each_is_replaced_and_stable_before_the_next_is_touched() {
    let mut world = running(3);
    let view = world.roll("r", "api", 1).unwrap();
    assert!(!view.done);
    let mut seen: Vec<Vec<Place>> = Vec::new();
    for _ in 0..300 {
        let places = world.places("r");
        if seen.last() != Some(&places) {
            seen.push(places);
        }
        assert!(world.serving() >= 2);
        world.after(100 * MS);
    }
    use Place::{Done, Draining, Settling, Waiting};
    assert_eq!(
        seen,
        [
            vec![Draining, Waiting, Waiting],
            vec![Settling, Waiting, Waiting],
            vec![Done, Draining, Waiting],
            vec![Done, Settling, Waiting],
            vec![Done, Done, Draining],
            vec![Done, Done, Settling],
            vec![Done, Done, Done],
        ]
    );
    let view = world.operation("r").unwrap();
    assert!(view.done);
    assert_eq!(progress(&view), vec![Progress::Done; 3]);
    assert_eq!(world.rollout("r").state, Whole::Completed);
    assert_eq!(world.runs(), [2, 2, 2]);
}

#[test]
fn a_batch_is_as_large_as_was_allowed() {
    let mut world = running(5);
    world.roll("r", "api", 2).unwrap();
    let mut least = 5;
    for _ in 0..300 {
        least = least.min(world.serving());
        world.after(100 * MS);
    }
    assert_eq!(least, 3);
    assert_eq!(world.rollout("r").state, Whole::Completed);
    assert_eq!(world.runs(), [2; 5]);
}

#[test]
fn the_first_failure_halts_it_and_the_rest_stays_on_the_old_run() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    new_ones(&mut world, BREAKS);
    world.after(30 * SECOND);
    let rollout = world.rollout("r");
    assert_eq!(rollout.state, Whole::Halted);
    let why = rollout.why.unwrap();
    assert!(why.contains("api-0") && why.contains("exit 1"), "{why}");
    use Place::{Failed, Waiting};
    assert_eq!(world.places("r"), [Failed, Waiting, Waiting]);
    let view = world.operation("r").unwrap();
    assert!(view.done);
    assert!(matches!(view.targets[0].progress, Progress::Failed { .. }));
    assert!(matches!(view.targets[1].progress, Progress::Left { .. }));
    assert_eq!(world.runs()[1..], [1, 1]);
    // Whatever comes later, it begins nothing more.
    new_ones(&mut world, WELL);
    world.after(300 * SECOND);
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.runs()[1..], [1, 1]);
    assert_eq!(world.rollout("r").state, Whole::Halted);
}

#[test]
fn a_new_run_that_ends_well_before_it_is_stable_halts_it_too() {
    let mut world = running(2);
    world.roll("r", "api", 1).unwrap();
    let brief = Habit {
        life: Some((SECOND, 0)),
        ..WELL
    };
    new_ones(&mut world, brief);
    world.after(30 * SECOND);
    assert_eq!(world.rollout("r").state, Whole::Halted);
    assert_eq!(world.places("r"), [Place::Failed, Place::Waiting]);
}

#[test]
fn one_that_does_not_die_halts_it() {
    let mut world = World::new();
    let immortal = Habit {
        obeys: None,
        killable: false,
        ..WELL
    };
    world.habit("api", immortal);
    world.apply(&file("a", &[api(2)])).unwrap();
    world.roll("r", "api", 1).unwrap();
    world.after(60 * SECOND);
    let rollout = world.rollout("r");
    assert_eq!(rollout.state, Whole::Halted);
    assert!(rollout.why.unwrap().contains("does not die"));
    assert_eq!(world.runs(), [1, 1]);
}

#[test]
fn paused_it_finishes_the_batch_and_resumed_it_goes_on() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    let view = world.control("r", RolloutControl::Pause).unwrap();
    assert_eq!(view.rollouts[0].state, Whole::Paused);
    world.after(60 * SECOND);
    use Place::{Done, Draining, Waiting};
    assert_eq!(world.places("r"), [Done, Waiting, Waiting]);
    assert!(!world.operation("r").unwrap().done);
    world.control("r", RolloutControl::Resume).unwrap();
    assert_eq!(world.places("r"), [Done, Draining, Waiting]);
    world.after(60 * SECOND);
    assert_eq!(world.rollout("r").state, Whole::Completed);
    assert_eq!(world.runs(), [2, 2, 2]);
}

#[test]
fn aborted_it_finishes_the_batch_and_leaves_the_rest() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    let view = world.control("r", RolloutControl::Abort).unwrap();
    assert_eq!(view.rollouts[0].state, Whole::Aborted);
    assert!(!view.done, "one is still under way");
    world.after(60 * SECOND);
    let view = world.operation("r").unwrap();
    assert!(view.done);
    assert_eq!(view.targets[0].progress, Progress::Done);
    assert!(matches!(view.targets[1].progress, Progress::Left { .. }));
    assert_eq!(world.runs(), [2, 1, 1]);
    let refused = world.control("r", RolloutControl::Resume).unwrap_err();
    assert_eq!(refused.code, Code::Refused);
}

#[test]
fn a_second_one_of_the_same_process_is_refused_until_the_first_is_over() {
    let mut world = running(2);
    world.apply(&file("x", &[api(2), spec("other")])).unwrap();
    world.roll("r", "api", 1).unwrap();
    let refused = world.roll("s", "api-1", 1).unwrap_err();
    assert_eq!(refused.code, Code::Refused);
    assert!(refused.message.contains("0 of 2"), "{}", refused.message);
    world.roll("t", "other", 1).unwrap();
    world.after(60 * SECOND);
    assert!(world.operation("t").unwrap().done);
    world.roll("s", "api-1", 1).unwrap();
    world.after(60 * SECOND);
    assert_eq!(world.rollout("s").state, Whole::Completed);
}

#[test]
fn sent_twice_it_is_done_once_and_its_id_is_of_nothing_else() {
    let mut world = running(2);
    world.roll("r", "api", 1).unwrap();
    world.after(3 * SECOND);
    world.roll("r", "api", 1).unwrap();
    world.after(60 * SECOND);
    assert_eq!(world.runs(), [2, 2]);
    world.act("p", Verb::Restart, "api").unwrap();
    assert_eq!(world.roll("p", "api", 1).unwrap_err().code, Code::Conflict);
}

#[test]
fn only_a_restart_rolls_and_never_with_nobody_down() {
    let mut world = running(2);
    let stop = Act {
        verb: Verb::Stop,
        ..rolling("r", "api", 1)
    };
    let refused = world.insist(|reply| Request::Act(stop.clone(), "test".into(), reply));
    assert_eq!(refused.unwrap_err().code, Code::BadRequest);
    let refused = world.roll("s", "api", 0).unwrap_err();
    assert_eq!(refused.code, Code::BadRequest);
    let plain = world.act("p", Verb::Restart, "api").unwrap();
    let refused = world.control("p", RolloutControl::Abort).unwrap_err();
    assert!(plain.rollouts.is_empty());
    assert_eq!(refused.code, Code::Refused);
}

#[test]
fn what_was_stopped_or_ended_well_is_left_and_what_is_down_comes_first() {
    let mut world = running(4);
    world.act("s", Verb::Stop, "api-0").unwrap();
    world.after(2 * SECOND);
    world.ends(2, 0);
    world.after(SECOND);
    world.ends(4, 1);
    assert_eq!(world.status(4), Status::Backoff);
    world.roll("r", "api", 1).unwrap();
    use Place::{Left, Settling, Waiting};
    assert_eq!(world.places("r"), [Left, Left, Waiting, Settling]);
    world.after(60 * SECOND);
    assert_eq!(world.rollout("r").state, Whole::Completed);
    assert_eq!(world.status(1), Status::Stopped);
    assert_eq!(world.status(2), Status::Exited);
    assert_eq!(world.runs(), [1, 1, 2, 2]);
}

#[test]
fn a_member_that_is_stopped_deleted_or_restarted_meanwhile_is_no_failure() {
    let mut world = running(4);
    world.roll("r", "api", 1).unwrap();
    world.act("s", Verb::Stop, "api-1").unwrap();
    world.act("d", Verb::Delete, "api-2").unwrap();
    world.act("p", Verb::Restart, "api-3").unwrap();
    world.after(120 * SECOND);
    let rollout = world.rollout("r");
    assert_eq!(rollout.state, Whole::Completed, "{rollout:?}");
    use Place::{Done, Left};
    assert_eq!(world.places("r"), [Done, Left, Left, Done]);
    assert_eq!(world.status(2), Status::Stopped);
    // What somebody else restarted is not restarted again.
    assert_eq!(world.runs(), [2, 1, 1, 2]);
}

#[test]
fn one_that_is_stopped_while_it_is_replaced_stays_stopped() {
    let mut world = running(2);
    world.roll("r", "api", 1).unwrap();
    world.act("s", Verb::Stop, "api-0").unwrap();
    world.after(60 * SECOND);
    assert_eq!(world.places("r"), [Place::Left, Place::Done]);
    assert_eq!(world.status(1), Status::Stopped);
    assert_eq!(world.runs(), [1, 2]);
}

#[test]
fn a_changed_definition_replaces_all_and_the_rollout_ends_with_it() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    let mut other = api(2);
    other.command.args = vec!["other".into()];
    world.apply(&file("b", &[other])).unwrap();
    world.after(120 * SECOND);
    use Place::{Done, Left};
    assert_eq!(world.places("r"), [Done, Done, Left]);
    assert_eq!(world.rollout("r").state, Whole::Completed);
    assert_eq!(world.runs(), [2, 2, 1]);
}

#[test]
fn a_delete_of_the_whole_process_ends_it() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    world.act("d", Verb::Delete, "api").unwrap();
    world.after(60 * SECOND);
    assert!(world.operation("r").unwrap().done);
    assert_eq!(world.places("r"), [Place::Left; 3]);
    assert!(world.list().is_empty());
}

#[test]
fn the_end_of_the_daemon_begins_nothing_more() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    world.handle(super::super::message::Msg::EndAll { at_once: false });
    world.after(60 * SECOND);
    assert!(world.left && world.living.is_empty());
    assert_eq!(world.runs(), [1, 1, 1]);
}

fn roll_to_the_end(world: &mut World, most: u32) {
    let _ = world.roll("r", "api", most);
    world.after(120 * SECOND);
}

#[test]
fn it_goes_on_when_the_daemon_dies_after_any_deed() {
    for most in [1, 2] {
        let mut whole = running(3);
        let before = whole.deeds_done;
        roll_to_the_end(&mut whole, most);
        let deeds = whole.deeds_done - before;
        assert!(deeds > 30, "only {deeds} deeds");
        for gap in [0, 300 * MS, 3 * SECOND] {
            for point in 0..deeds {
                let mut world = running(3);
                world.gap = gap;
                world.deeds_left = Some(point);
                roll_to_the_end(&mut world, most);
                let context = format!("at most {most}, killed after deed {point}, away {gap} ns");
                assert_eq!(world.deaths, 1, "{context}");
                assert_eq!(world.runs(), [2, 2, 2], "{context}");
                assert_eq!(world.rollout("r").state, Whole::Completed, "{context}");
                assert_eq!(world.places("r"), [Place::Done; 3], "{context}");
                assert!(world.operation("r").unwrap().done, "{context}");
                let newest: Vec<u64> = world.spawns.iter().map(|s| s.0).skip(3).collect();
                if most == 1 {
                    for pair in newest.windows(2) {
                        assert!(pair[1] - pair[0] >= 6 * SECOND, "{context}: {newest:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_halt_a_pause_and_an_abort_outlive_the_daemon() {
    let mut world = running(3);
    world.roll("r", "api", 1).unwrap();
    new_ones(&mut world, BREAKS);
    world.after(30 * SECOND);
    new_ones(&mut world, WELL);
    world.kill_daemon();
    world.after(300 * SECOND);
    let rollout = world.rollout("r");
    assert_eq!(rollout.state, Whole::Halted);
    assert!(rollout.why.unwrap().contains("exit 1"));
    assert_eq!(rollout.by, "test");
    assert_eq!(world.runs()[1..], [1, 1]);

    for (what, expected) in [
        (RolloutControl::Pause, Whole::Paused),
        (RolloutControl::Abort, Whole::Aborted),
    ] {
        let mut world = running(3);
        world.roll("r", "api", 1).unwrap();
        world.control("r", what).unwrap();
        world.kill_daemon();
        world.after(60 * SECOND);
        assert_eq!(world.rollout("r").state, expected);
        assert_eq!(world.runs(), [2, 1, 1]);
    }
}

#[test]
fn a_failure_that_no_daemon_saw_halts_it() {
    let mut world = running(3);
    world.gap = 10 * SECOND;
    world.roll("r", "api", 1).unwrap();
    new_ones(
        &mut world,
        Habit {
            leaves: Leaves::Polite(SECOND),
            ..BREAKS
        },
    );
    world.after(1500 * MS);
    assert_eq!(world.places("r")[0], Place::Settling);
    world.kill_daemon();
    world.after(20 * SECOND);
    assert_eq!(world.rollout("r").state, Whole::Halted);
    assert_eq!(world.runs()[1..], [1, 1]);
}

#[test]
fn everybody_is_told_of_every_step() {
    let mut world = running(2);
    let daemon = world.daemon.as_mut().unwrap();
    let mut told = daemon.hub.subscribe();
    world.roll("r", "api", 1).unwrap();
    world.after(60 * SECOND);
    let mut steps = Vec::new();
    while let Follow::Told(it) = told.try_next() {
        let push: crate::api::Push = serde_json::from_str(&it.1).unwrap();
        if let crate::api::Push::Operation { operation } = push {
            let places = operation.rollouts[0].places.iter();
            steps.push(places.map(|p| p.place).collect::<Vec<_>>());
        }
    }
    steps.dedup();
    use Place::{Done, Draining, Settling, Waiting};
    for step in [
        [Draining, Waiting],
        [Settling, Waiting],
        [Done, Draining],
        [Done, Settling],
        [Done, Done],
    ] {
        assert!(steps.contains(&step.to_vec()), "{step:?} in {steps:?}");
    }
    assert!(world.living.contains_key(&InstanceId(1)));
}
