//! What instances used over time.

use super::super::message::{Msg, Request};
use super::client::spec;
use super::habit::SECOND;
use super::world::World;
use crate::domain::names::InstanceId;
use crate::domain::sample::Sample;

const MIB: u64 = 1 << 20;

/// The sampler's word; not periodic for the first look at a run.
fn measured(world: &mut World, cpu: f32, periodic: bool) {
    let (id, run) = (InstanceId(1), world.view(1).run);
    let sample = Sample {
        cpu: Some(cpu),
        memory: Some(MIB),
        processes: 1,
        files: None,
    };
    world.handle(Msg::Sampled {
        host: periodic.then(Box::default),
        samples: vec![(id, run, sample)],
        strays: 0,
    });
    world.settle();
}

#[test]
fn measurements_become_columns_and_where_there_were_none_is_a_gap() {
    let mut world = World::new();
    world.define("a", &spec("web")).unwrap();
    world.after(5 * SECOND);
    let ask = |world: &mut World| {
        let all = world.insist(|reply| Request::MetricHistory(vec![], reply));
        let mut all = all.unwrap();
        assert_eq!((all.len(), all[0].id), (1, InstanceId(1)));
        all.remove(0)
    };
    let nothing = ask(&mut world);
    assert_eq!(nothing.name, "web");
    assert_eq!(nothing.short.cpu, [None; 120]);
    assert_eq!(nothing.long.memory, [None; 288]);
    measured(&mut world, 1.0, true);
    world.after(5 * SECOND);
    measured(&mut world, 0.0, true);
    world.after(5 * SECOND);
    measured(&mut world, 77.0, false);
    world.after(15 * SECOND);
    measured(&mut world, 3.0, true);
    world.after(5 * SECOND);
    let short = ask(&mut world).short;
    let expected = [None, Some(10), Some(0), None, None, None, Some(30)];
    assert_eq!(short.cpu[113..], expected);
    let memory = expected.map(|cpu| cpu.map(|_| MIB));
    assert_eq!(short.memory[113..], memory);
    assert_eq!(short.period_ms, 5_000);
}
