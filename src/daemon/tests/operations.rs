//! What clients ask for, and what they are answered.

use super::super::message::Request;
use super::client::{act, file, operation, progress, spec};
use super::habit::{SECOND, WELL};
use super::world::World;
use crate::api::Code;
use crate::domain::operation::{Progress, Verb};
use crate::domain::status::Status;

#[test]
fn a_start_is_pending_until_the_program_runs_and_then_done() {
    let mut world = World::new();
    let answer = world.define("a", &spec("web")).unwrap();
    assert_eq!(progress(&answer), [Progress::Pending]);
    assert_eq!(world.progress("a"), [Progress::Done]);
    assert_eq!(world.statuses(), [("web".to_owned(), Status::Running)]);
    let again = world.act("b", Verb::Start, "web").unwrap();
    assert_eq!(progress(&again), [Progress::Already]);
    assert!(again.done);
}

#[test]
fn a_stop_is_done_when_the_tree_is_gone_and_who_waits_is_told_then() {
    let mut world = World::new();
    let slow = super::habit::Habit {
        obeys: Some(3 * SECOND),
        ..WELL
    };
    world.habit("web", slow);
    world.define("a", &spec("web")).unwrap();
    let answer = world.act("b", Verb::Stop, "web").unwrap();
    assert_eq!(progress(&answer), [Progress::Pending]);
    let mut waiting = world.ask(|reply| Request::OperationDone(operation("b"), reply));
    world.after(2 * SECOND);
    assert!(waiting.try_recv().is_err());
    world.after(SECOND);
    assert_eq!(
        progress(&waiting.try_recv().unwrap().unwrap()),
        [Progress::Done]
    );
    assert_eq!(world.status(1), Status::Stopped);
}

#[test]
fn a_restart_is_done_by_another_run_only() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    let before = world.view(1);
    world.act("b", Verb::Restart, "web").unwrap();
    assert_eq!(world.progress("b"), [Progress::Done]);
    let after = world.view(1);
    assert_eq!(after.run, before.run.next());
    assert_ne!(after.pid, before.pid);
    assert_eq!((before.restarts, after.restarts), (0, 1));
}

#[test]
fn a_delete_leaves_nothing_in_list_table_and_state() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Delete, "web").unwrap();
    assert_eq!(world.progress("b"), [Progress::Done]);
    assert!(world.list().is_empty());
    assert!(world.table.is_empty());
    assert!(world.saved.processes.is_empty());
    assert!(world.living.is_empty());
}

#[test]
fn a_kill_sends_no_term() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Kill, "web").unwrap();
    assert_eq!(world.progress("b"), [Progress::Done]);
    let sent: Vec<String> = world.signals.iter().map(|s| s.2.to_string()).collect();
    assert_eq!(sent, ["SIGKILL"]);
}

#[test]
fn a_command_overtaken_by_another_says_so() {
    let mut world = World::new();
    let slow = super::habit::Habit {
        obeys: Some(SECOND),
        ..WELL
    };
    world.habit("web", slow);
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Stop, "web").unwrap();
    world.act("c", Verb::Start, "web").unwrap();
    let reason = "it was started again meanwhile".to_owned();
    assert_eq!(world.progress("b"), [Progress::Failed { reason }]);
    world.act("d", Verb::Delete, "web").unwrap();
    let reason = "it was deleted meanwhile".to_owned();
    assert_eq!(world.progress("c"), [Progress::Failed { reason }]);
    world.after(SECOND);
    assert_eq!(world.progress("d"), [Progress::Done]);
}

#[test]
fn the_same_operation_sent_twice_is_done_once() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.define("a", &spec("web")).unwrap();
    for _ in 0..3 {
        world.act("b", Verb::Restart, "web").unwrap();
    }
    let apply = file("c", &[spec("worker")]);
    world.apply(&apply).unwrap();
    world.apply(&apply).unwrap();
    assert_eq!(world.progress("c"), [Progress::Done]);
    world.down("d").unwrap();
    world.down("d").unwrap();
    assert_eq!(world.progress("d"), [Progress::Done]);
    assert_eq!(world.spawns.len(), 3);
}

#[test]
fn an_operation_id_of_another_verb_is_a_conflict() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    for verb in [Verb::Stop, Verb::Kill, Verb::Restart, Verb::Delete] {
        let error = world.act("a", verb, "web").unwrap_err();
        assert_eq!(error.code, Code::Conflict, "{verb:?}");
    }
    assert_eq!(world.down("a").unwrap_err().code, Code::Conflict);
    world.act("b", Verb::Stop, "web").unwrap();
    let error = world.define("b", &spec("worker")).unwrap_err();
    assert_eq!(error.code, Code::Conflict);
    assert_eq!(world.statuses(), [("web".to_owned(), Status::Stopped)]);
}

#[test]
fn an_operation_id_of_another_request_is_a_conflict_and_nothing_is_done() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.define("b", &spec("worker")).unwrap();
    world.act("c", Verb::Restart, "web").unwrap();
    world.apply(&file("d", &[spec("one")])).unwrap();
    let before = world.list();
    for _ in 0..2 {
        let other = world.define("a", &spec("other")).unwrap_err();
        let elsewhere = world.act("c", Verb::Restart, "worker").unwrap_err();
        let another = world.apply(&file("d", &[spec("two")])).unwrap_err();
        let of_a_command = world.apply(&file("c", &[spec("one")])).unwrap_err();
        // The same verb in another form.
        let of_a_start = world.apply(&file("a", &[spec("one")])).unwrap_err();
        let down = world.down("d").unwrap_err();
        for error in [other, elsewhere, another, of_a_command, of_a_start, down] {
            assert_eq!(error.code, Code::Conflict, "{error}");
            assert_eq!(error.code.http(), 409);
        }
        assert_eq!(world.list(), before);
        // And so says the next daemon.
        if world.deaths == 0 {
            world.kill_daemon();
            world.settle();
        }
    }
    assert_eq!(world.deaths, 1);
}

#[test]
fn a_name_that_is_not_there_is_not_found_and_nothing_is_done() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    let error = world.act("b", Verb::Stop, "wep").unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert_eq!(error.hint.as_deref(), Some("did you mean \"web\"?"));
    assert_eq!(world.operation("b").unwrap_err().code, Code::NotFound);
    assert_eq!(world.status(1), Status::Running);
}

#[test]
fn a_command_for_a_run_that_is_over_is_refused() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    let seen = world.view(1).run;
    world.act("b", Verb::Restart, "web").unwrap();
    let mut late = act("c", Verb::Kill, "web");
    late.only_run = Some(seen);
    let error = world
        .insist(|reply| Request::Act(late.clone(), "test".into(), reply))
        .unwrap_err();
    assert_eq!(error.code, Code::StaleTarget);
    assert_eq!(world.status(1), Status::Running);
}

#[test]
fn results_are_kept_for_ten_minutes() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.after(599 * SECOND);
    assert!(world.operation("a").is_ok());
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(SECOND);
    world.act("c", Verb::Start, "web").unwrap();
    world.after(11 * SECOND);
    assert_eq!(world.operation("a").unwrap_err().code, Code::NotFound);
    assert!(world.operation("b").is_ok());
    world.kill_daemon();
    world.settle();
    assert!(world.operation("b").is_ok());
}

/// The memory of them has a bound as well.
#[test]
fn only_so_many_results_are_kept() {
    let mut world = World::new();
    let many = crate::domain::spec::Spec {
        instances: 1000,
        ..spec("web")
    };
    world.define("a", &many).unwrap();
    for n in 0..25 {
        world
            .act(&format!("start-{n}"), Verb::Start, "web")
            .unwrap();
    }
    world.after(11 * SECOND);
    assert_eq!(world.operation("start-0").unwrap_err().code, Code::NotFound);
    assert!(world.operation("start-24").is_ok());
    let kept = world.remembered.operations.len();
    assert!(kept <= 27, "{kept}");
}
