//! New and changed definitions: recorded first, carried out then, or taken back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::message::{Msg, Request};
use super::client::{actions, file, operation, progress, spec};
use super::habit::{Disk, SECOND};
use super::world::World;
use crate::api::{Action, Code, Define};
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::Spec;
use crate::domain::status::Status;

fn define(id: &str, spec: &Spec) -> Box<Define> {
    Box::new(Define {
        operation: operation(id),
        spec: spec.clone(),
        durable: false,
    })
}

fn copies(name: &str, instances: u32) -> Spec {
    Spec {
        instances,
        ..spec(name)
    }
}

#[test]
fn a_definition_is_recorded_before_anything_is_spawned() {
    let mut world = World::new();
    world.disk = Disk::Stalls;
    let mut answer = world.ask(|r| Request::Define(define("a", &spec("web")), "x".into(), r));
    world.after(5 * SECOND);
    assert!(answer.try_recv().is_err());
    assert!(world.spawns.is_empty());
    world.disk_goes_on(Disk::Works);
    assert!(answer.try_recv().unwrap().is_ok());
    assert_eq!(world.spawns.len(), 1);
}

#[test]
fn what_cannot_be_recorded_is_refused_and_leaves_nothing() {
    let mut world = World::new();
    world.disk = Disk::Fails;
    let error = world.define("a", &copies("web", 3)).unwrap_err();
    assert_eq!(error.code, Code::NotRecorded);
    assert!(world.list().is_empty());
    assert!(world.spawns.is_empty() && world.table.is_empty());
    assert_eq!(world.operation("a").unwrap_err().code, Code::NotFound);
    world.disk = Disk::Works;
    assert!(world.define("a", &copies("web", 3)).is_ok());
    assert_eq!(world.spawns.len(), 3);
}

#[test]
fn a_change_that_cannot_be_recorded_leaves_the_definition_as_it_was() {
    let mut world = World::new();
    world.apply(&file("a", &[copies("web", 2)])).unwrap();
    let before = world.list();
    world.disk = Disk::Fails;
    let mut web = copies("web", 4);
    web.env.insert("A".into(), "1".into());
    let error = world.apply(&file("b", &[web])).unwrap_err();
    assert_eq!(error.code, Code::NotRecorded);
    assert_eq!(world.list(), before);
    assert_eq!(world.spawns.len(), 2);
}

#[test]
fn what_is_not_recorded_yet_cannot_be_started_by_another_command() {
    let mut world = World::new();
    world.disk = Disk::Stalls;
    let mut answer = world.ask(|r| Request::Define(define("a", &spec("web")), "x".into(), r));
    world.act("b", Verb::Start, "all").unwrap();
    assert!(world.spawns.is_empty());
    world.disk_goes_on(Disk::Fails);
    assert!(answer.try_recv().unwrap().is_err());
    assert!(world.list().is_empty() && world.living.is_empty());
}

#[test]
fn what_is_recorded_while_everything_ends_is_not_begun() {
    let mut world = World::new();
    world.habit(
        "old",
        super::habit::Habit {
            obeys: Some(SECOND),
            ..super::habit::WELL
        },
    );
    world.define("a", &spec("old")).unwrap();
    world.disk = Disk::Stalls;
    let answer = world.ask(|r| Request::Define(define("b", &spec("new")), "x".into(), r));
    world.handle(Msg::EndAll { at_once: false });
    world.disk_goes_on(Disk::Works);
    world.after(2 * SECOND);
    assert!(world.left && world.told_to_quit && world.living.is_empty());
    drop(answer);
    assert_eq!(world.spawns.len(), 1);
}

#[test]
fn a_taken_name_is_a_conflict() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    for error in [
        world.define("b", &spec("web")).unwrap_err(),
        world.apply(&file("c", &[spec("web")])).unwrap_err(),
    ] {
        assert_eq!(error.code, Code::Conflict);
    }
    world.define("d", &copies("api", 2)).unwrap();
    let error = world.define("e", &spec("api-1")).unwrap_err();
    assert_eq!(error.code, Code::Conflict);
}

/// A file is applied, changed and applied again: what is said, and whose runs are other ones.
#[test]
fn each_difference_is_carried_out_with_the_least_harm() {
    type Case = (&'static str, fn(&mut Spec), Action, [bool; 2], usize);
    let cases: [Case; 7] = [
        ("same", |_| {}, Action::Unchanged, [false; 2], 2),
        (
            "the caller's environment",
            |s| drop(std::sync::Arc::make_mut(&mut s.base_env).insert("A".into(), "1".into())),
            Action::Unchanged,
            [false; 2],
            2,
        ),
        (
            "live",
            |s| s.stop.timeout = Duration::from_secs(1),
            Action::Changed,
            [false; 2],
            2,
        ),
        ("up", |s| s.instances = 3, Action::Scaled, [false; 2], 3),
        ("down", |s| s.instances = 1, Action::Scaled, [false; 2], 1),
        (
            "other command",
            |s| s.command.args.push("x".into()),
            Action::Replaced,
            [true; 2],
            2,
        ),
        (
            "other command, more copies",
            |s| {
                s.command.args.push("x".into());
                s.instances = 4;
            },
            Action::Replaced,
            [true; 2],
            4,
        ),
    ];
    for (name, alter, action, replaced, count) in cases {
        let mut world = World::new();
        let mut web = copies("web", 2);
        world.apply(&file("a", std::slice::from_ref(&web))).unwrap();
        let before: BTreeMap<_, _> = world.list().into_iter().map(|v| (v.id, v.run)).collect();
        alter(&mut web);
        let applied = world.apply(&file("b", &[web])).unwrap();
        assert_eq!(actions(&applied), [action], "{name}");
        let settled = world.progress("b");
        assert!(settled.iter().all(|p| *p == Progress::Done), "{name}");
        let after = world.list();
        assert_eq!(after.len(), count, "{name}");
        assert!(after.iter().all(|v| v.status == Status::Running), "{name}");
        for view in after {
            if let Some(run) = before.get(&view.id) {
                let other = replaced[view.instance as usize];
                assert_eq!(view.run != *run, other, "{name} {}", view.name);
            }
        }
    }
}

#[test]
fn what_the_file_no_longer_defines_is_deleted_only_on_request() {
    let mut world = World::new();
    world.define("typed", &spec("typed")).unwrap();
    world
        .apply(&file("a", &[spec("web"), spec("worker")]))
        .unwrap();
    let mut kept = file("b", &[spec("web")]);
    kept.prune = false;
    assert_eq!(actions(&world.apply(&kept).unwrap()), [Action::Unchanged]);
    assert_eq!(world.list().len(), 3);
    let applied = world.apply(&file("c", &[spec("web")])).unwrap();
    assert_eq!(actions(&applied), [Action::Removed, Action::Unchanged]);
    let names: Vec<String> = world.list().into_iter().map(|v| v.name).collect();
    assert_eq!(names, ["typed", "web"]);
    assert_eq!(world.saved.processes.len(), 2);
}

#[test]
fn what_was_stopped_stays_stopped_on_reload_and_is_resumed_by_up() {
    let mut world = World::new();
    world.apply(&file("a", &[spec("web")])).unwrap();
    world.act("b", Verb::Stop, "web").unwrap();
    let mut web = spec("web");
    web.command.args.push("other".into());
    let mut reload = file("c", &[web.clone()]);
    reload.start = false;
    world.apply(&reload).unwrap();
    world.after(100 * SECOND);
    assert_eq!(world.status(1), Status::Stopped);
    let applied = world.apply(&file("d", &[web])).unwrap();
    assert_eq!(actions(&applied), [Action::Resumed]);
    assert_eq!(progress(&applied.operation).len(), 1);
    assert_eq!(world.status(1), Status::Running);
}

#[test]
fn down_deletes_what_the_file_brought_up_and_nothing_else() {
    let mut world = World::new();
    world.define("typed", &spec("typed")).unwrap();
    world
        .apply(&file("a", &[copies("web", 2), spec("worker")]))
        .unwrap();
    let gone = world.down("b").unwrap();
    assert_eq!(actions(&gone), [Action::Removed; 2]);
    assert!(world.operation("b").unwrap().done);
    assert_eq!(world.statuses(), [("typed".to_owned(), Status::Running)]);
}
