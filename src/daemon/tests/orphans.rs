//! What runs without a definition, because the state folder lost it.

use super::super::store::Saved;
use super::client::{file, spec};
use super::habit::{Habit, SECOND, WELL};
use super::world::World;
use crate::api::Code;
use crate::domain::names::InstanceId;
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::Spec;
use crate::domain::status::Status;

/// Two processes, one with three copies, whose definitions are lost with the daemon.
fn lost() -> World {
    let mut world = World::new();
    let copies = Spec {
        instances: 3,
        ..spec("worker")
    };
    world.apply(&file("a", &[spec("web"), copies])).unwrap();
    world.after(20 * SECOND);
    world.saved = Saved::default();
    world.kill_daemon();
    world.settle();
    world
}

#[test]
fn what_lost_its_definition_is_a_row_and_is_never_ended_by_itself() {
    let mut world = lost();
    for _ in 0..2 {
        let expected = ["web", "worker-0", "worker-1", "worker-2"];
        let expected = expected.map(|name| (name.to_owned(), Status::Orphaned));
        assert_eq!(world.statuses(), expected);
        let row = world.view(1);
        assert!(row.orphaned && row.pid.is_some() && row.uptime.is_some());
        world.after(1000 * SECOND);
        assert_eq!((world.living.len(), world.signals.len()), (4, 0));
        world.kill_daemon();
        world.settle();
    }
}

#[test]
fn a_stop_or_a_delete_of_it_ends_it_and_its_row() {
    for verb in [Verb::Stop, Verb::Kill, Verb::Delete] {
        let mut world = lost();
        world.act("b", verb, "web").unwrap();
        world.act("c", verb, "worker").unwrap();
        world.after(SECOND);
        assert_eq!(world.progress("b"), [Progress::Done]);
        assert_eq!(world.progress("c"), vec![Progress::Done; 3]);
        assert!(world.list().is_empty() && world.living.is_empty());
        assert!(world.table.is_empty());
        world.define("d", &spec("web")).unwrap();
        assert_eq!(world.statuses(), [("web".to_owned(), Status::Running)]);
    }
}

#[test]
fn it_cannot_be_started_again_and_is_not_ended_for_that() {
    let mut world = lost();
    world.act("b", Verb::Restart, "web").unwrap();
    assert!(matches!(world.progress("b")[..], [Progress::Failed { .. }]));
    world.act("c", Verb::Start, "web").unwrap();
    assert_eq!(world.progress("c"), [Progress::Already]);
    assert!(world.signals.is_empty());
    let error = world.define("d", &spec("web")).unwrap_err();
    assert_eq!(error.code, Code::Conflict);
    assert_eq!(world.spawns.len(), 4);
}

#[test]
fn its_own_end_is_the_end_of_its_row() {
    for code in [0, 1] {
        let mut world = lost();
        world.ends(1, code);
        world.after(SECOND);
        assert_eq!(world.list().len(), 3);
        assert!(!world.table.contains_key(&InstanceId(1)));
        world.after(100 * SECOND);
        assert_eq!(world.spawns.len(), 4);
    }
}

#[test]
fn its_end_goes_on_with_the_next_daemon() {
    let mut world = World::new();
    let deaf = Habit {
        obeys: None,
        ..WELL
    };
    world.habit("web", deaf);
    world.define("a", &spec("web")).unwrap();
    world.saved = Saved::default();
    world.kill_daemon();
    world.settle();
    world.act("b", Verb::Delete, "web").unwrap();
    world.kill_daemon();
    world.settle();
    assert_eq!(world.statuses(), [("web".to_owned(), Status::Stopping)]);
    world.after(20 * SECOND);
    assert!(world.list().is_empty());
    assert_eq!(world.progress("b"), [Progress::Done]);
}
