//! The same request again, with a daemon that died anywhere in between: the same answer, and nothing done twice.

use super::super::message::{Msg, Request};
use super::client::{file, operation, spec};
use super::habit::{Disk, Habit, MS, SECOND, WELL};
use super::world::World;
use crate::api::{ApiError, Applied, Change, Define, OperationView, ServerControl};
use crate::domain::operation::{Progress, Verb, Work};
use crate::domain::spec::{Restart, Spec};
use crate::domain::status::Status;

fn copies(name: &str, instances: u32) -> Spec {
    Spec {
        instances,
        ..spec(name)
    }
}

fn replaced(name: &str) -> Spec {
    let mut it = copies(name, 2);
    it.command.args.push("other".into());
    it
}

type Answer = Result<(Vec<Change>, Vec<(String, Work)>), ApiError>;

fn of_view(view: OperationView) -> Answer {
    let verb = view.verb;
    let targets = view.targets.into_iter().map(|t| (t.name, verb));
    Ok((Vec::new(), targets.collect()))
}

fn of_applied(applied: Applied) -> Answer {
    let (_, targets) = of_view(applied.operation)?;
    Ok((applied.results, targets))
}

type Case = (&'static str, fn(&mut World) -> Answer);

/// Every kind of request, on a world where something of each kind is there.
const REQUESTS: [Case; 16] = [
    ("scale up", |w| {
        w.scale_if("x", "web", "+2", None).and_then(of_applied)
    }),
    ("scale down", |w| {
        w.scale_if("x", "web", "-1", None).and_then(of_applied)
    }),
    ("signal", |w| {
        w.send("x", "URG", "web", None).and_then(of_view)
    }),
    ("define", |w| {
        w.define("x", &copies("new", 2)).and_then(of_view)
    }),
    ("start", |w| {
        w.act("x", Verb::Start, "idle").and_then(of_view)
    }),
    ("start all", |w| {
        w.act("x", Verb::Start, "all").and_then(of_view)
    }),
    ("stop", |w| w.act("x", Verb::Stop, "web").and_then(of_view)),
    ("kill", |w| w.act("x", Verb::Kill, "web").and_then(of_view)),
    ("restart", |w| {
        w.act("x", Verb::Restart, "web").and_then(of_view)
    }),
    ("delete", |w| {
        w.act("x", Verb::Delete, "web").and_then(of_view)
    }),
    ("delete what is stopped", |w| {
        w.act("x", Verb::Delete, "idle").and_then(of_view)
    }),
    ("apply new", |w| {
        let all = [copies("web", 2), spec("idle"), spec("new")];
        w.apply(&file("x", &all)).and_then(of_applied)
    }),
    ("apply another command", |w| {
        let all = [replaced("web"), spec("idle")];
        w.apply(&file("x", &all)).and_then(of_applied)
    }),
    ("reload with other commands and fewer", |w| {
        let mut apply = file("x", &[spec("new"), replaced("web")]);
        apply.start = false;
        w.apply(&apply).and_then(of_applied)
    }),
    ("apply other counts", |w| {
        let all = [copies("web", 3), copies("idle", 2)];
        w.apply(&file("x", &all)).and_then(of_applied)
    }),
    ("down", |w| w.down("x").and_then(of_applied)),
];

fn world() -> World {
    let mut world = World::new();
    let slow = Habit {
        obeys: Some(300 * MS),
        ..WELL
    };
    world.habit("web", slow);
    let all = [copies("web", 2), spec("idle")];
    world.apply(&file("first", &all)).unwrap();
    world.act("second", Verb::Stop, "idle").unwrap();
    world.after(20 * SECOND);
    world
}

/// What a world has come to. Run numbers may be passed over, and a signal may be sent again.
#[derive(Debug, PartialEq)]
struct End {
    statuses: Vec<(String, Status)>,
    spawned: usize,
    signals: Vec<(u32, i32)>,
}

fn end(world: &mut World) -> End {
    let signals = world.signals.iter();
    let mut signals: Vec<_> = signals.map(|s| (s.1.0, s.2.number())).collect();
    signals.sort_unstable();
    signals.dedup();
    End {
        statuses: world.statuses(),
        spawned: world.spawns.len(),
        signals,
    }
}

#[test]
fn a_request_that_is_repeated_after_the_death_of_a_daemon_at_any_deed_is_done_once() {
    for (name, request) in REQUESTS {
        let mut whole = world();
        let begun = whole.deeds_done;
        let expected = request(&mut whole).unwrap();
        whole.after(30 * SECOND);
        let deeds = whole.deeds_done - begun;
        let ends = end(&mut whole);
        for gap in [0, 2 * SECOND] {
            for point in 0..=deeds {
                let context = format!("{name}: killed after deed {point}, away for {gap} ns");
                let mut world = world();
                world.gap = gap;
                world.deeds_left = Some(point);
                let answer = request(&mut world).map_err(|e| format!("{context}: {e}"));
                assert_eq!(answer.unwrap(), expected, "{context}");
                world.after(30 * SECOND);
                world.deeds_left = None;
                world.after(5 * SECOND);
                // Again, when all is over, and once more by another daemon.
                for _ in 0..2 {
                    let again = request(&mut world).map_err(|e| format!("{context}: {e}"));
                    assert_eq!(again.unwrap(), expected, "{context}");
                    world.after(5 * SECOND);
                    world.kill_daemon();
                    world.after(5 * SECOND);
                }
                assert_eq!(end(&mut world), ends, "{context}");
                let view = world.operation("x").unwrap();
                assert!(view.done, "{context}");
                let went_well = |p: &Progress| matches!(p, Progress::Done | Progress::Already);
                let all = view.targets.iter().all(|t| went_well(&t.progress));
                assert!(all, "{context}: {view:?}");
            }
        }
    }
}

#[test]
fn a_result_is_known_after_the_object_and_its_daemon_are_gone() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Delete, "web").unwrap();
    world.after(SECOND);
    world.define("c", &spec("web")).unwrap();
    world.kill_daemon();
    world.after(60 * SECOND);
    // Another process of that name must not be deleted by the word that was for the one before.
    assert!(world.act("b", Verb::Delete, "web").unwrap().done);
    assert_eq!(world.progress("b"), [Progress::Done]);
    let again = world.define("a", &spec("web")).unwrap();
    assert_eq!(again.targets.len(), 1);
    assert_eq!(world.statuses(), [("web".to_owned(), Status::Running)]);
    assert_eq!(world.spawns.len(), 2);
}

#[test]
fn a_request_overtaken_by_another_is_not_done_again_when_it_is_repeated() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.act("b", Verb::Restart, "web").unwrap();
    world.after(SECOND);
    world.act("c", Verb::Stop, "web").unwrap();
    world.kill_daemon();
    world.after(SECOND);
    world.act("b", Verb::Restart, "web").unwrap();
    world.after(SECOND);
    assert_eq!(world.status(1), Status::Stopped);
    assert_eq!(world.spawns.len(), 2);
}

/// A definition that waits for the disk answers nobody before it is recorded, however often it is asked for.
#[test]
fn who_asks_again_while_the_disk_stalls_waits_as_well() {
    for disk in [Disk::Works, Disk::Fails] {
        let mut world = World::new();
        world.disk = Disk::Stalls;
        let define = Define {
            operation: operation("a"),
            spec: spec("web"),
            durable: false,
        };
        let ask = |world: &mut World| {
            let define = Box::new(define.clone());
            world.ask(|reply| Request::Define(define, "test".into(), reply))
        };
        let mut answers = [ask(&mut world), ask(&mut world)];
        assert!(answers.iter_mut().all(|a| a.try_recv().is_err()));
        world.disk_goes_on(disk);
        for answer in &mut answers {
            assert_eq!(answer.try_recv().unwrap().is_ok(), disk == Disk::Works);
        }
        assert_eq!(world.spawns.len(), usize::from(disk == Disk::Works));
    }
}

#[test]
fn that_up_started_the_daemon_is_known_to_the_next() {
    let mut world = World::new();
    let (reply, _answer) = tokio::sync::oneshot::channel();
    let mark = Request::Control(ServerControl::MarkTransient, "test".into(), reply);
    world.handle(Msg::Request(mark));
    world.apply(&file("a", &[spec("web")])).unwrap();
    world.kill_daemon();
    world.after(SECOND);
    assert!(world.down("b").unwrap().may_end);
}

/// What was told and failed while no daemon was there is not told again.
#[test]
fn a_start_that_came_to_its_end_meanwhile_is_not_made_again() {
    let fails = Habit {
        life: Some((100 * MS, 1)),
        ..WELL
    };
    let start = |point| {
        let mut world = World::new();
        for name in ["one", "two"] {
            world.habit(name, fails);
            let mut spec = spec(name);
            spec.restart.on = Restart::Never;
            world.define(name, &spec).unwrap();
        }
        world.after(SECOND);
        world.gap = 2 * SECOND;
        world.deeds_left = point;
        world.act("x", Verb::Start, "all").unwrap();
        world.after(60 * SECOND);
        world
    };
    let whole = start(None);
    assert_eq!(whole.spawns.len(), 4);
    for point in 0..whole.deeds_done {
        assert_eq!(start(Some(point)).spawns.len(), 4, "killed after {point}");
    }
}
