//! What the scribe says of logs, and what clients see of it.

use super::super::hub::Follow;
use super::super::message::Msg;
use super::client::spec;
use super::world::World;
use crate::domain::operation::Verb;
use crate::keeper::protocol::{FromScribe, ToDaemon};

const LOG: &str = "/logs/default/web/0.out.log";

fn trouble(path: &str, dropped: u64, error: Option<&str>) -> Msg {
    Msg::Scribe(FromScribe::Trouble {
        path: path.into(),
        dropped,
        error: error.map(str::to_owned),
    })
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
    world.handle(Msg::Keeper(ToDaemon::Scribe { pid: 9 }));
    assert!(alarms(&world).is_empty(), "the new one says it anew");
    world.handle(trouble(LOG, 0, Some("no space left on device")));
    world.act("b", Verb::Delete, "web").unwrap();
    assert!(alarms(&world).is_empty());
    world.handle(trouble(LOG, 0, Some("no space left on device")));
    assert!(alarms(&world).is_empty(), "nobody writes it any more");
}
