//! What something would do, told before it is done; and what is protected is not hit by who does not know that.

use super::super::message::Request;
use super::client::{act, file, spec};
use super::world::World;
use crate::api::{Act, ApiError, Apply, Code, Intent, OperationView, PlanQuery, PlanView};
use crate::domain::exit::Signal;
use crate::domain::operation::Verb;
use crate::domain::spec::Spec;
use crate::domain::status::Status;

impl World {
    #[track_caller]
    fn plan(&mut self, what: Intent, whom: &str) -> Result<PlanView, ApiError> {
        let query = PlanQuery {
            what,
            select: vec![whom.parse().unwrap()],
            connections: false,
        };
        self.insist(|reply| Request::Plan(query.clone(), reply))
            .map(|planned| planned.view)
    }

    #[track_caller]
    fn forced(&mut self, id: &str, verb: Verb, whom: &str) -> Result<OperationView, ApiError> {
        let act = Act {
            force_protected: true,
            ..act(id, verb, whom)
        };
        self.insist(|reply| Request::Act(act.clone(), "test".into(), reply))
    }
}

fn many(name: &str, instances: u32, protected: bool) -> Spec {
    Spec {
        instances,
        protected,
        ..spec(name)
    }
}

#[test]
fn a_plan_says_what_ends_what_is_left_and_how_and_changes_nothing() {
    let mut world = World::new();
    world.define("a", &many("web", 3, false)).unwrap();
    world.define("b", &spec("db")).unwrap();
    world.act("x", Verb::Stop, "web-1").unwrap();
    let before = world.statuses();
    let plan = world.plan(Intent::Do(Verb::Stop), "all").unwrap();
    let [db, web] = plan.processes.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(
        (web.of, web.up, web.least, web.after, web.after_of),
        (3, 2, 0, 0, 3)
    );
    assert_eq!(web.ends, ["web-0", "web-2"]);
    assert_eq!(
        (web.signal, web.grace_ms),
        (Some(Signal::TERM), Some(10_000))
    );
    assert_eq!((db.up, db.after), (1, 0));
    assert_eq!(plan.undo_ms, Some(600_000));
    assert_eq!(plan.twin, "adasa stop all");
    let roll = Intent::Roll {
        max_unavailable: None,
    };
    let plan = world.plan(roll, "web").unwrap();
    assert_eq!((plan.processes[0].least, plan.processes[0].after), (1, 2));
    assert_eq!(plan.undo_ms, None);
    let scale = Intent::Scale {
        to: "-1".parse().unwrap(),
    };
    let plan = world.plan(scale, "web").unwrap();
    assert_eq!(plan.processes[0].ends, ["web-2"]);
    assert_eq!(plan.processes[0].after_of, 2);
    assert_eq!(
        world.plan(scale, "web-0").unwrap_err().code,
        Code::BadRequest
    );
    assert_eq!(
        world.plan(scale, "nobody").unwrap_err().code,
        Code::NotFound
    );
    assert_eq!(world.statuses(), before);
}

#[test]
fn what_is_protected_is_hit_only_by_who_says_so() {
    let mut world = World::new();
    world.define("a", &many("db", 2, true)).unwrap();
    world.define("b", &spec("web")).unwrap();
    let verbs = [Verb::Stop, Verb::Kill, Verb::Restart, Verb::Delete];
    for (n, verb) in verbs.into_iter().enumerate() {
        for whom in ["db", "db-1", "all"] {
            let refused = world.act(&format!("{n}{whom}"), verb, whom).unwrap_err();
            assert_eq!(refused.code, Code::Protected, "{verb:?} {whom}");
            assert_eq!(refused.message, "db is protected");
        }
    }
    assert!(world.scale_if("s", "db", "1", None).is_err());
    assert_eq!(
        world.send("t", "HUP", "db", None).unwrap_err().code,
        Code::Protected
    );
    let running = world.list().iter().all(|row| row.status == Status::Running);
    assert!(
        running,
        "nothing was touched, not the unprotected one either"
    );
    // More of it, and starting it, hit nobody.
    world.scale_if("m", "db", "3", None).unwrap();
    world.forced("f", Verb::Stop, "db").unwrap();
    world.act("g", Verb::Start, "db").unwrap();
    assert_eq!(
        world.plan(Intent::Do(Verb::Stop), "all").unwrap().protected,
        ["db"]
    );
}

#[test]
fn a_file_that_would_replace_or_drop_it_has_to_say_so_too() {
    let mut world = World::new();
    let db = many("db", 2, true);
    world.apply(&file("a", std::slice::from_ref(&db))).unwrap();
    let other = Spec {
        command: crate::domain::spec::Command {
            program: "other".into(),
            args: vec![],
        },
        ..db.clone()
    };
    let fewer = Spec {
        instances: 1,
        ..db.clone()
    };
    for (id, specs) in [
        ("replaced", vec![other.clone()]),
        ("fewer", vec![fewer]),
        ("dropped", vec![spec("web")]),
    ] {
        let refused = world.apply(&file(id, &specs)).unwrap_err();
        assert_eq!(refused.code, Code::Protected, "{id}");
        assert_eq!(world.list().len(), 2, "{id}");
    }
    assert_eq!(world.down("d").unwrap_err().code, Code::Protected);
    // That it is no longer protected is no harm by itself.
    let free = Spec {
        protected: false,
        ..db.clone()
    };
    world.apply(&file("again", &[db])).unwrap();
    let sure = Apply {
        force_protected: true,
        ..file("sure", &[other])
    };
    world.apply(&sure).unwrap();
    let free = Spec {
        command: sure.specs[0].command.clone(),
        ..free
    };
    world.apply(&file("free", &[free])).unwrap();
    world.down("e").unwrap();
}

#[test]
fn how_many_may_be_down_at_once_is_part_of_the_definition() {
    let mut world = World::new();
    let two = Spec {
        max_unavailable: 2.try_into().unwrap(),
        ..many("web", 4, false)
    };
    world.define("a", &two).unwrap();
    let roll = Act {
        rolling: Some(crate::api::Rolling::default()),
        ..act("r", Verb::Restart, "web")
    };
    let view = world.insist(|reply| Request::Act(roll.clone(), "test".into(), reply));
    assert_eq!(view.unwrap().rollouts[0].max_unavailable, 2);
}
