//! A disk that stalls, is full, or only promises: what works all the same, and what is said about it.

use super::super::message::Request;
use super::super::store::Rest;
use super::client::{act, file, operation, progress, spec};
use super::habit::{Disk, MS, SECOND};
use super::world::World;
use crate::api::{Act, Apply, Code, Define, OperationView};
use crate::domain::operation::{Progress, Verb};
use crate::domain::status::Status;

/// How an operation stands, and whether the disk has it.
fn stands(view: &OperationView) -> (bool, &str) {
    (view.done, &view.recorded)
}

fn rest(world: &World) -> Rest {
    let mut all = world.saved.processes.values();
    all.next().unwrap().instances[0].rest
}

#[test]
fn commands_on_known_processes_work_on_a_stalled_or_full_disk_and_say_that_it_is_not_recorded() {
    for disk in [Disk::Stalls, Disk::Fails] {
        let mut world = World::new();
        world.define("a", &spec("web")).unwrap();
        assert_eq!(stands(&world.operation("a").unwrap()), (true, "done"));
        world.disk = disk;
        for (id, verb, status) in [
            ("b", Verb::Stop, Status::Stopped),
            ("c", Verb::Start, Status::Running),
            ("d", Verb::Restart, Status::Running),
            ("e", Verb::Kill, Status::Stopped),
        ] {
            world.act(id, verb, "web").unwrap();
            assert_eq!(world.status(1), status, "{disk:?} {verb:?}");
            world.after(SECOND);
            let recorded = if verb == Verb::Restart {
                "done"
            } else {
                "pending"
            };
            let view = world.operation(id).unwrap();
            assert_eq!(stands(&view), (true, recorded), "{disk:?} {verb:?}");
        }
        assert_eq!(rest(&world), Rest::Up);
        world.act("f", Verb::Delete, "web").unwrap();
        world.after(SECOND);
        let view = world.operation("f").unwrap();
        assert_eq!(stands(&view), (true, "pending"), "{disk:?}");
        assert!(world.list().is_empty() && world.living.is_empty());
        world.kill_daemon();
        world.after(SECOND);
        for id in ["e", "f"] {
            let view = world.operation(id).unwrap();
            let recorded = if id == "f" { "pending" } else { "done" };
            assert_eq!(stands(&view), (true, recorded), "{disk:?} {id}");
        }
        // The keeper remembers that it is gone, for the daemon that begins before the disk does.
        assert_eq!(world.table.len(), 1);
        world.disk_goes_on(Disk::Works);
        world.after(10 * SECOND);
        assert!(world.table.is_empty() && world.saved.processes.is_empty());
        for id in ["b", "c", "e", "f"] {
            let view = world.operation(id).unwrap();
            assert_eq!(view.recorded, "done", "{disk:?} {id}");
        }
    }
}

#[test]
fn what_a_full_disk_could_not_take_is_told_again_as_it_is_by_then() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.disk = Disk::Fails;
    world.act("b", Verb::Stop, "web").unwrap();
    world.after(60 * SECOND);
    world.act("c", Verb::Start, "web").unwrap();
    world.act("d", Verb::Stop, "web").unwrap();
    assert_eq!(rest(&world), Rest::Up);
    world.disk = Disk::Works;
    world.after(6 * SECOND);
    assert_eq!(rest(&world), Rest::Down);
    assert_eq!(world.operation("b").unwrap().recorded, "done");
    assert_eq!(world.operation("d").unwrap().recorded, "done");
    assert!(world.daemon.as_ref().unwrap().owed.due.is_none());
}

#[test]
fn a_delete_is_done_when_the_disk_has_it_or_after_a_moment() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.define("b", &spec("worker")).unwrap();
    world.act("c", Verb::Delete, "web").unwrap();
    assert_eq!(stands(&world.operation("c").unwrap()), (true, "done"));
    world.disk = Disk::Stalls;
    world.act("d", Verb::Delete, "worker").unwrap();
    assert_eq!(stands(&world.operation("d").unwrap()), (false, "pending"));
    assert_eq!(world.progress("d"), [Progress::Done]);
    let mut waiting = world.ask(|reply| Request::OperationDone(operation("d"), reply));
    world.after(999 * MS);
    assert!(waiting.try_recv().is_err());
    world.after(MS);
    let view = waiting.try_recv().unwrap().unwrap();
    assert_eq!(stands(&view), (true, "pending"));
}

fn durable(id: &str, verb: Verb) -> Act {
    Act {
        durable: true,
        ..act(id, verb, "web")
    }
}

#[test]
fn who_asks_for_durability_is_answered_when_the_disk_has_made_it_durable() {
    for verb in [Verb::Stop, Verb::Kill, Verb::Delete] {
        let mut world = World::new();
        world.define("a", &spec("web")).unwrap();
        world.disk = Disk::Cached;
        let mut answer = world.ask(|reply| Request::Act(durable("b", verb), "test".into(), reply));
        let mut end = world.ask(|reply| Request::OperationDone(operation("b"), reply));
        world.after(60 * SECOND);
        assert!(world.living.is_empty(), "it is done all the same");
        assert!(answer.try_recv().is_err(), "{verb:?}");
        assert!(end.try_recv().is_err(), "{verb:?}");
        // Others do not wait for it.
        world.define("c", &spec("other")).unwrap();
        assert_eq!(stands(&world.operation("c").unwrap()), (true, "done"));
        world.disk_goes_on(Disk::Works);
        assert!(answer.try_recv().unwrap().is_ok(), "{verb:?}");
        let view = end.try_recv().unwrap().unwrap();
        assert_eq!(stands(&view), (true, "done"), "{verb:?}");
    }
}

#[test]
fn a_durable_definition_is_begun_when_it_is_durable() {
    for disk in [Disk::Works, Disk::Fails] {
        let mut world = World::new();
        world.disk = Disk::Cached;
        let define = Define {
            operation: operation("a"),
            spec: spec("web"),
            durable: true,
        };
        let mut defined =
            world.ask(|reply| Request::Define(Box::new(define), "test".into(), reply));
        let apply = Apply {
            durable: true,
            ..file("b", &[spec("worker")])
        };
        let mut applied = world.ask(|reply| Request::Apply(Box::new(apply), "test".into(), reply));
        world.after(60 * SECOND);
        assert!(defined.try_recv().is_err() && applied.try_recv().is_err());
        assert!(world.spawns.is_empty());
        world.disk_goes_on(disk);
        if disk == Disk::Works {
            assert!(defined.try_recv().unwrap().is_ok() && applied.try_recv().unwrap().is_ok());
            assert_eq!(world.spawns.len(), 2);
            continue;
        }
        let error = defined.try_recv().unwrap().unwrap_err();
        assert_eq!(error.code, Code::NotRecorded);
        assert!(applied.try_recv().unwrap().is_err());
        assert!(world.spawns.is_empty() && world.list().is_empty());
    }
}

/// What was in the file and could not be made durable was refused: the next daemon must not bring it up.
#[test]
fn what_was_refused_is_taken_back_in_the_file_as_well() {
    let mut world = World::new();
    world.apply(&file("a", &[spec("web")])).unwrap();
    world.disk = Disk::Cached;
    let mut changed = spec("web");
    changed.command.args.push("other".into());
    let apply = Apply {
        durable: true,
        ..file("b", &[changed, spec("worker")])
    };
    let mut answer = world.ask(|reply| Request::Apply(Box::new(apply), "test".into(), reply));
    assert_eq!(world.saved.processes.len(), 2);
    world.disk = Disk::Fails;
    assert_eq!(world.refuse_held(), 1);
    world.disk = Disk::Works;
    world.settle();
    let error = answer.try_recv().unwrap().unwrap_err();
    assert_eq!(error.code, Code::NotRecorded);
    assert_eq!(world.saved.processes.len(), 1);
    let mut specs = world.saved.processes.values();
    assert!(specs.all(|p| p.spec.command.args.is_empty()));
    world.kill_daemon();
    world.settle();
    assert_eq!(world.statuses(), [("web".to_owned(), Status::Running)]);
    assert_eq!(world.spawns.len(), 1);
}

#[test]
fn a_durable_command_on_a_full_disk_is_done_and_answered_with_an_error() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.disk = Disk::Fails;
    for _ in 0..2 {
        let request = |reply| Request::Act(durable("b", Verb::Stop), "test".into(), reply);
        let error = world.insist(request).unwrap_err();
        assert_eq!(error.code, Code::NotRecorded);
    }
    assert_eq!(world.status(1), Status::Stopped);
    world.disk = Disk::Works;
    world.after(6 * SECOND);
    let request = |reply| Request::Act(durable("b", Verb::Stop), "test".into(), reply);
    let view = world.insist(request).unwrap();
    assert_eq!(progress(&view), [Progress::Done]);
    assert_eq!(stands(&view), (true, "done"));
}

#[test]
fn a_disk_that_does_not_take_what_changes_is_an_alarm_for_as_long_as_that_lasts() {
    for (disk, said) in [
        (Disk::Stalls, "/state does not answer"),
        (Disk::Fails, "/state cannot be written"),
    ] {
        let mut world = World::new();
        world.define("a", &spec("web")).unwrap();
        let alarms = |world: &World| world.daemon.as_ref().unwrap().info().alarms;
        world.disk = disk;
        world.act("b", Verb::Stop, "web").unwrap();
        world.after(6 * SECOND);
        let now = alarms(&world);
        assert!(now.len() == 1 && now[0].starts_with(said), "{now:?}");
        // The next daemon finds out by itself.
        world.kill_daemon();
        world.after(7 * SECOND);
        let now = alarms(&world);
        assert!(now.len() == 1 && now[0].starts_with(said), "{now:?}");
        world.disk_goes_on(Disk::Works);
        world.after(6 * SECOND);
        assert_eq!(alarms(&world), Vec::<String>::new(), "{disk:?}");
    }
}
