//! Scaling: which copies come and go, what is recorded, what is refused, what comes back.

use super::super::message::Request;
use super::client::{actions, file, named, operation, spec};
use super::habit::{Disk, Habit, SECOND, WELL};
use super::world::World;
use crate::api::{Action, ApiError, Applied, Code, Scale};
use crate::domain::operation::{Progress, Verb, Work};
use crate::domain::spec::Spec;
use crate::domain::status::Status::{Running, Stopped};

impl World {
    #[track_caller]
    pub(super) fn scale_if(
        &mut self,
        id: &str,
        whom: &str,
        to: &str,
        only_from: Option<u32>,
    ) -> Result<Applied, ApiError> {
        let scale = Scale {
            operation: operation(id),
            select: whom.parse().unwrap(),
            to: to.parse().unwrap(),
            only_from,
            durable: false,
            force_protected: false,
        };
        self.insist(|reply| Request::Scale(scale.clone(), "test".into(), reply))
    }

    #[track_caller]
    fn scale(&mut self, id: &str, to: &str) -> Result<Applied, ApiError> {
        self.scale_if(id, "web", to, None)
    }
}

fn world(instances: u32) -> World {
    let mut world = World::new();
    let web = Spec {
        instances,
        ..spec("web")
    };
    world.define("a", &web).unwrap();
    world
}

#[test]
fn copies_come_and_the_highest_go_first() {
    let mut world = world(2);
    let more = world.scale("b", "+2").unwrap();
    assert_eq!(actions(&more), [Action::Scaled]);
    assert_eq!(more.results[0].note.as_deref(), Some("from 2 to 4"));
    assert_eq!(more.operation.verb, Work::Scale);
    assert_eq!(world.progress("b"), vec![Progress::Done; 2]);
    let four = ["web-0", "web-1", "web-2", "web-3"].map(|name| named(name, Running));
    assert_eq!(world.statuses(), four);
    let fewer = world.scale("c", "1").unwrap();
    let told: Vec<&str> = fewer.operation.targets.iter().map(|t| &*t.name).collect();
    assert_eq!(told, ["web-3", "web-2", "web-1"]);
    assert_eq!(world.progress("c"), vec![Progress::Done; 3]);
    assert_eq!(world.statuses(), [named("web", Running)]);
    // The one that stayed was not touched.
    assert_eq!(world.view(1).run.0, 1);
}

#[test]
fn a_copy_in_the_middle_that_was_deleted_is_made_again_before_a_new_number() {
    let mut world = world(3);
    world.act("x", Verb::Delete, "web-1").unwrap();
    world.after(SECOND);
    world.scale("b", "4").unwrap();
    let all = ["web-0", "web-2", "web-1", "web-3"].map(|name| named(name, Running));
    assert_eq!(world.statuses(), all);
    world.scale("c", "-1").unwrap();
    world.after(SECOND);
    assert_eq!(world.statuses(), all[..3]);
}

#[test]
fn the_number_is_in_the_state_folder_before_a_copy_runs_and_stays_over_a_death() {
    let mut world = world(1);
    world.disk = Disk::Stalls;
    let scale = Scale {
        operation: operation("b"),
        select: "web".parse().unwrap(),
        to: "3".parse().unwrap(),
        only_from: None,
        durable: false,
        force_protected: false,
    };
    let mut answer = world.ask(|reply| Request::Scale(scale.clone(), "test".into(), reply));
    assert_eq!(world.living.len(), 1, "nothing runs that is not recorded");
    world.disk_goes_on(Disk::Works);
    assert!(answer.try_recv().unwrap().is_ok());
    world.kill_daemon();
    world.after(SECOND);
    assert_eq!(world.list().len(), 3);
    assert!(world.list().iter().all(|row| row.status == Running));
    let key = spec("web").key();
    let saved = &world.saved.processes;
    let saved = saved.get(&key).expect("it is in the state folder");
    assert_eq!((saved.spec.instances, saved.generation), (3, 2));
}

#[test]
fn it_is_taken_back_with_what_was_down_left_down() {
    let mut world = world(4);
    world.act("x", Verb::Stop, "web-2").unwrap();
    world.scale("b", "1").unwrap();
    world.after(SECOND);
    let newest = world.undoable().remove(0);
    assert_eq!(newest.verb, Work::Scale);
    assert_eq!(newest.steps, ["scale web back to 4"]);
    world.undo("u", None).unwrap();
    world.after(SECOND);
    let states = [
        ("web-0", Running),
        ("web-1", Running),
        ("web-2", Stopped),
        ("web-3", Running),
    ];
    assert_eq!(world.statuses(), states.map(|(name, it)| named(name, it)));
    // And a growth is taken back.
    world.scale("c", "+2").unwrap();
    world.undo("v", None).unwrap();
    world.after(SECOND);
    assert_eq!(world.list().len(), 4);
    world.scale("d", "+1").unwrap();
    world.scale("e", "+1").unwrap();
    let refused = world.undo("w", Some("d")).unwrap_err();
    assert_eq!(refused.code, Code::Refused);
}

#[test]
fn what_is_so_already_changes_nothing() {
    let mut world = world(2);
    let same = world.scale("b", "2").unwrap();
    assert_eq!(actions(&same), [Action::Unchanged]);
    assert!(same.operation.targets.is_empty() && same.operation.done);
    assert!(world.undoable().iter().all(|it| it.verb != Work::Scale));
}

#[test]
fn it_is_done_once_however_often_it_is_asked_for() {
    let mut world = world(1);
    for _ in 0..3 {
        world.scale("b", "+1").unwrap();
        world.kill_daemon();
        world.after(SECOND);
    }
    assert_eq!(world.list().len(), 2);
    let other = world.scale("b", "+2").unwrap_err();
    assert_eq!(other.code, Code::Conflict);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_changed() {
    let mut world = world(2);
    world.define("o", &spec("other")).unwrap();
    for (n, (whom, to, from, code)) in [
        ("web", "0", None, Code::BadRequest),
        ("web", "-2", None, Code::BadRequest),
        ("web", "+999", None, Code::BadRequest),
        ("web-1", "3", None, Code::BadRequest),
        ("all", "3", None, Code::BadRequest),
        ("wbe", "3", None, Code::NotFound),
        ("web", "3", Some(1), Code::StaleTarget),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = world.scale_if(&n.to_string(), whom, to, from).unwrap_err();
        assert_eq!(refused.code, code, "{whom} {to}: {refused}");
    }
    // web-2 would be the name of another process.
    world.define("p", &spec("web-2")).unwrap();
    let refused = world.scale("q", "3").unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
    assert_eq!(world.list().len(), 4);
}

#[test]
fn while_copies_are_still_being_ended_no_other_number_is_taken() {
    let slow = Habit {
        obeys: Some(5 * SECOND),
        ..WELL
    };
    let mut world = World::new();
    world.habit("web", slow);
    world
        .apply(&file(
            "a",
            &[Spec {
                instances: 3,
                ..spec("web")
            }],
        ))
        .unwrap();
    let scaled = world.scale("b", "1").unwrap();
    let note = scaled.results[0].note.as_deref();
    let told = "from 3 to 1, until /adasa.toml is brought in force again";
    assert_eq!(note, Some(told));
    let names: Vec<String> = world.list().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["web-0", "web-1", "web-2"], "until they are gone");
    let refused = world.scale("c", "2").unwrap_err();
    assert_eq!(refused.code, Code::Refused);
    world.after(6 * SECOND);
    world.scale("d", "2").unwrap();
    assert_eq!(world.list().len(), 2);
}
