//! Taking back: stop, delete, one copy, a changed file; also after a death, by another, too late, and overtaken.

use super::super::message::Request;
use super::client::{file, named, operation, spec};
use super::habit::{MS, SECOND};
use super::world::World;
use crate::api::{ApiError, Code, OperationView, Undo, UndoView};
use crate::domain::operation::{Progress, Verb};
use crate::domain::spec::Spec;
use crate::domain::status::Status;

impl World {
    #[track_caller]
    pub(super) fn undo(&mut self, id: &str, of: Option<&str>) -> Result<OperationView, ApiError> {
        let undo = Undo {
            operation: operation(id),
            undo: of.map(operation),
            durable: false,
        };
        self.insist(|reply| Request::Undo(undo.clone(), "other".into(), reply))
    }

    #[track_caller]
    pub(super) fn undoable(&mut self) -> Vec<UndoView> {
        self.insist(Request::UndoList).unwrap()
    }
}

fn web(instances: u32) -> Spec {
    Spec {
        instances,
        ..spec("web")
    }
}

#[test]
fn a_stop_is_taken_back_for_those_that_were_up() {
    let mut world = World::new();
    world.apply(&file("a", &[web(3)])).unwrap();
    world.act("x", Verb::Stop, "web-1").unwrap();
    world.act("b", Verb::Stop, "web").unwrap();
    let newest = world.undoable().remove(0);
    assert_eq!(newest.operation, operation("b"));
    assert_eq!(newest.steps, ["start web-0", "start web-2"]);
    world.undo("u", None).unwrap();
    assert_eq!(world.progress("u"), vec![Progress::Done; 2]);
    assert_eq!(
        world.statuses(),
        [
            named("web-0", Status::Running),
            named("web-1", Status::Stopped),
            named("web-2", Status::Running)
        ]
    );
    // The next one back is the one before.
    world.undo("v", None).unwrap();
    assert_eq!(world.status(2), Status::Running);
}

#[test]
fn a_delete_is_taken_back_with_the_same_definition() {
    let mut world = World::new();
    let mut web = web(2);
    web.env.insert("MODE".into(), "live".into());
    world.define("a", &web).unwrap();
    world.act("x", Verb::Stop, "web-1").unwrap();
    world.act("b", Verb::Delete, "web").unwrap();
    assert!(world.list().is_empty());
    world.kill_daemon();
    world.after(SECOND);
    world.undo("u", None).unwrap();
    world.after(SECOND);
    let expected = [
        named("web-0", Status::Running),
        named("web-1", Status::Stopped),
    ];
    assert_eq!(world.statuses(), expected);
    let saved = world.saved.processes.values().next().unwrap();
    assert_eq!(*saved.spec, web);
    world.kill_daemon();
    world.after(SECOND);
    assert_eq!(world.statuses(), expected, "nobody asked for the second");
}

#[test]
fn one_deleted_copy_comes_back_to_its_place() {
    let mut world = World::new();
    world.define("a", &web(3)).unwrap();
    world.act("b", Verb::Delete, "web-1").unwrap();
    world.undo("u", Some("b")).unwrap();
    let names: Vec<String> = world.list().into_iter().map(|row| row.name).collect();
    assert_eq!(names.len(), 3);
    assert!(names.contains(&"web-1".to_owned()), "{names:?}");
    assert_eq!(world.living.len(), 3);
}

#[test]
fn a_changed_file_is_taken_back_whole() {
    let mut world = World::new();
    world.apply(&file("a", &[web(1), spec("gone")])).unwrap();
    let mut changed = web(3);
    changed.command.args = vec!["--other".into()];
    world.apply(&file("b", &[changed, spec("new")])).unwrap();
    world.after(SECOND);
    world.undo("u", None).unwrap();
    world.after(SECOND);
    let mut names: Vec<String> = world.list().into_iter().map(|row| row.name).collect();
    names.sort();
    assert_eq!(names, ["gone", "web"]);
    let mut all = world.saved.processes.values();
    let web = all.find(|p| p.spec.name.as_str() == "web").unwrap();
    assert!(web.spec.command.args.is_empty());
    assert_eq!((web.generation, world.living.len()), (3, 2));
    assert_eq!(
        world.view(1).run.0,
        3,
        "it runs by the definition of before"
    );
}

#[test]
fn when_the_world_moved_on_it_is_refused_and_says_why() {
    let mut world = World::new();
    world.define("a", &web(1)).unwrap();
    world.act("stopped", Verb::Stop, "web").unwrap();
    world.act("started", Verb::Start, "web").unwrap();
    let refused = world.undo("u", Some("stopped")).unwrap_err();
    assert_eq!(refused.code, Code::Refused);
    assert!(refused.message.contains("web was started again since"));
    world.act("deleted", Verb::Delete, "web").unwrap();
    let refused = world.undo("v", Some("stopped")).unwrap_err();
    assert!(refused.message.contains("web was deleted since"));
    world.define("again", &web(1)).unwrap();
    let refused = world.undo("w", Some("deleted")).unwrap_err();
    assert!(refused.message.contains("the name web was taken since"));
    assert!(world.undoable().iter().all(|view| view.refused.is_some()));
    world.act("cleared", Verb::Delete, "web").unwrap();
    let api = |instances| Spec {
        instances,
        ..spec("api")
    };
    for (id, instances) in [("f", 1), ("g", 2), ("h", 3)] {
        world.apply(&file(id, &[api(instances)])).unwrap();
    }
    let refused = world.undo("x", Some("g")).unwrap_err();
    assert!(refused.message.contains("was changed since"));
    let unknown = world.undo("y", Some("never")).unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
}

#[test]
fn after_ten_minutes_it_is_too_late() {
    for (late, works) in [(599, true), (601, false)] {
        let mut world = World::new();
        world.define("a", &web(1)).unwrap();
        world.act("b", Verb::Delete, "web").unwrap();
        world.after(late * SECOND);
        assert_eq!(world.undoable().len(), usize::from(works));
        assert_eq!(world.undo("u", None).is_ok(), works);
    }
}

#[test]
fn sent_twice_it_is_done_once() {
    let mut world = World::new();
    world.define("a", &web(1)).unwrap();
    world.act("b", Verb::Stop, "web").unwrap();
    world.undo("u", None).unwrap();
    world.act("e", Verb::Stop, "web").unwrap();
    world.undo("u", None).unwrap();
    assert_eq!(world.status(1), Status::Stopped);
}

#[test]
fn a_daemon_killed_after_any_deed_takes_it_back_once() {
    let undo = |world: &mut World, deeds| {
        world.gap = 100 * MS;
        world.define("a", &web(2)).unwrap();
        world.after(SECOND);
        world.act("b", Verb::Delete, "web").unwrap();
        world.after(SECOND);
        let before = world.deeds_done;
        world.deeds_left = deeds;
        let answer = world.undo("u", None);
        world.after(5 * SECOND);
        answer.map(|_| world.deeds_done - before)
    };
    let mut whole = World::new();
    let deeds = undo(&mut whole, None).unwrap();
    let expected = whole.statuses();
    assert_eq!(expected.len(), 2);
    assert!(deeds > 10, "only {deeds} deeds");
    for point in 0..deeds {
        let mut world = World::new();
        undo(&mut world, Some(point)).unwrap_or_else(|e| panic!("{point}: {e:?}"));
        assert_eq!(world.deaths, 1, "killed after deed {point}");
        assert_eq!(world.statuses(), expected, "killed after deed {point}");
        assert_eq!(world.spawns.len(), 4, "killed after deed {point}");
    }
}
