//! What the scribe says of logs, and what clients see of it.

use crate::api::{HeardOf, Push};

use super::super::hub::Follow;
use super::super::message::{LogSource, Msg, Request, Tending};
use super::client::{Answer, spec};
use super::habit::SECOND;
use super::world::World;
use crate::domain::operation::Verb;
use crate::keeper::protocol::{FromScribe, ToDaemon, ToScribe};

const LOG: &str = "/logs/default/web/0.out.log";

fn trouble(path: &str, dropped: u64, error: Option<&str>) -> Msg {
    Msg::Scribe(FromScribe::Trouble {
        path: path.into(),
        dropped,
        error: error.map(str::to_owned),
    })
}

fn new_scribe(folder: Option<&str>) -> ToDaemon {
    let folder = folder.map(Into::into);
    ToDaemon::Scribe { pid: 9, folder }
}

fn alarms(world: &World) -> Vec<String> {
    world.daemon.as_ref().unwrap().info().alarms
}

#[test]
fn trouble_with_a_log_is_one_alarm_that_ends_with_it() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    for (dropped, lost) in [(0, "nothing was"), (1, "1 byte was"), (7, "7 bytes were")] {
        world.handle(trouble(LOG, 0, Some("no space left on device")));
        let said = format!("{LOG} cannot be written: no space left on device");
        assert_eq!(alarms(&world), [said.as_str()]);
        // A daemon that begins while it lasts is told what it may know already.
        world.handle(trouble(LOG, dropped, Some("no space left on device")));
        assert_eq!(alarms(&world), [said.as_str()]);
        let mut told = world.daemon.as_mut().unwrap().hub.subscribe();
        world.handle(trouble(LOG, dropped, None));
        assert!(alarms(&world).is_empty());
        let text = format!("{LOG} is written again; {lost} lost");
        let Follow::Told(event) = told.try_next() else {
            panic!("nothing told");
        };
        let event = &event.1;
        assert!(event.contains(&text) && event.contains("note"), "{event}");
        assert_eq!(told.try_next(), Follow::Nothing);
    }
}

#[test]
fn trouble_with_a_log_ends_with_its_process_and_with_the_scribe_that_saw_it() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.handle(trouble(LOG, 0, Some("no space left on device")));
    world.handle(Msg::Keeper(new_scribe(None)));
    assert!(alarms(&world).is_empty(), "the new one says it anew");
    world.handle(trouble(LOG, 0, Some("no space left on device")));
    world.act("b", Verb::Delete, "web").unwrap();
    assert!(alarms(&world).is_empty());
    world.handle(trouble(LOG, 0, Some("no space left on device")));
    assert!(alarms(&world).is_empty(), "nobody writes it any more");
}

fn tend(world: &mut World, how: Tending) -> Answer<Vec<LogSource>> {
    world.told_scribe.clear();
    let all = vec!["web".parse().unwrap()];
    world.ask(|reply| Request::TendLogs(all, how, "test".into(), reply))
}

/// What the scribe was asked for and has not answered: tickets and file names.
fn orders(world: &mut World) -> Vec<(u64, String)> {
    let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let asked = std::mem::take(&mut world.told_scribe).into_iter();
    asked
        .filter_map(|message| match message {
            ToScribe::Rotate { ticket, path } | ToScribe::Flush { ticket, path } => {
                Some((ticket, name(&path)))
            }
            ToScribe::Limits { .. } | ToScribe::Watch { .. } => None,
        })
        .collect()
}

fn did(world: &mut World, ticket: u64, acted: bool, error: Option<&str>) {
    let error = error.map(str::to_owned);
    world.handle(Msg::Scribe(FromScribe::Done {
        ticket,
        error,
        acted,
    }));
}

#[test]
fn a_rotation_is_answered_when_the_scribe_has_acted_and_with_what_it_did() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    let mut answer = tend(&mut world, Tending::Rotate);
    let asked = orders(&mut world);
    let [(out, _), (err, _)] = asked[..] else {
        panic!("{asked:?}");
    };
    did(&mut world, out, true, None);
    assert!(answer.try_recv().is_err(), "one is not done");
    // A new scribe is asked for what the old one has not done.
    world.handle(Msg::Keeper(new_scribe(None)));
    assert_eq!(orders(&mut world), [(err, "0.err.log".to_owned())]);
    did(&mut world, err, false, None);
    let done = answer.try_recv().unwrap().unwrap();
    assert_eq!(done.len(), 1, "the other was empty: {done:?}");
    assert!(done[0].path.ends_with("0.out.log"));
}

#[test]
fn a_log_is_cleared_when_its_archives_are_gone_too() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    for (acted, removed, expected) in [
        (true, true, 2),
        (true, false, 2),
        (false, true, 2),
        (false, false, 0),
    ] {
        let mut answer = tend(&mut world, Tending::Flush);
        for (ticket, _) in orders(&mut world) {
            did(&mut world, ticket, acted, None);
            assert!(answer.try_recv().is_err(), "archives are still there");
            world.handle(Msg::Cleared {
                ticket,
                removed,
                error: None,
            });
        }
        assert_eq!(answer.try_recv().unwrap().unwrap().len(), expected);
    }
}

#[test]
fn what_the_scribe_could_not_do_or_did_not_answer_is_said() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    let mut answer = tend(&mut world, Tending::Rotate);
    let asked = orders(&mut world);
    did(&mut world, asked[0].0, false, Some("read-only file system"));
    world.after(3 * SECOND);
    assert!(answer.try_recv().is_err());
    world.after(SECOND);
    let error = answer.try_recv().unwrap().unwrap_err().message;
    for part in [
        "0.out.log: read-only file system",
        "0.err.log: no answer in time",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(alarms(&world).is_empty(), "who asked was told");
    // An answer that comes too late is nobody's.
    did(&mut world, asked[1].0, true, None);
    assert!(tend(&mut world, Tending::Rotate).try_recv().is_err());
}

/// What subscribers are told of who wrote, in the next second.
fn heard(world: &mut World) -> Vec<HeardOf> {
    let mut told = world.daemon.as_mut().unwrap().hub.subscribe();
    world.handle(Msg::Sampled {
        host: Some(Box::default()),
        samples: vec![],
        strays: 0,
    });
    let Follow::Told(event) = told.try_next() else {
        panic!("nothing told");
    };
    match serde_json::from_str(&event.1).unwrap() {
        Push::Metrics { heard, .. } => heard,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_wrote_is_told_once_while_somebody_listens_and_forgotten_when_nobody_does() {
    const ERR: &str = "/logs/default/web/0.err.log";
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.told_scribe.clear();
    let looks = world.daemon.as_mut().unwrap().hub.subscribe();
    let turn = |world: &mut World| world.handle(Msg::Noted("anything".into()));
    turn(&mut world);
    assert_eq!(world.told_scribe, [ToScribe::Watch { on: true }]);
    let grew = |world: &mut World, paths: &[&str]| {
        let paths = paths.iter().map(Into::into).collect();
        world.handle(Msg::Scribe(FromScribe::Grew { paths, taken: None }));
    };
    grew(&mut world, &[LOG, "/logs/default/web/0.log"]);
    let told = heard(&mut world);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id.0, told[0].heard.errors), (1, 0));
    assert!(heard(&mut world).is_empty(), "nothing is new");
    for n in 0..9 {
        world.after(20 * SECOND);
        grew(&mut world, &[ERR]);
        let told = heard(&mut world);
        assert_eq!(told[0].heard.errors, n + 1);
        assert_eq!(told[0].heard.silent_ms.is_some(), n >= 7, "{n}");
    }
    let all = world.daemon.as_ref().unwrap().snapshot().heard;
    assert_eq!(all[0].heard.silent_ms, Some(all[0].heard.last_ms + 60_000));
    drop(looks);
    turn(&mut world);
    assert_eq!(world.told_scribe.len(), 1, "somebody may come back");
    world.after(70 * SECOND);
    turn(&mut world);
    assert_eq!(world.told_scribe[1..], [ToScribe::Watch { on: false }]);
    assert!(world.daemon.as_ref().unwrap().snapshot().heard.is_empty());
}
