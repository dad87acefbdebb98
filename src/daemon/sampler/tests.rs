//! What a look says of this very process, and of one that is dead.

use super::*;

fn sampler(pid: i32) -> Sampler {
    let (_, identified) = sync_channel(1);
    let mut sampler = Sampler::new(None, 0, identified);
    let start = sampler.reader.stat(pid).unwrap().start;
    let track = ToSampler::Track {
        id: InstanceId(1),
        run: RunId(1),
        pid,
        start,
    };
    sampler.apply(track, &mut Vec::new());
    sampler
}

fn look(sampler: &mut Sampler) -> Sample {
    let measured = sampler.measure(InstanceId(1), &BTreeMap::new());
    measured.unwrap().2
}

#[test]
fn work_is_known_from_the_second_look_on() {
    let mut sampler = sampler(i32::try_from(std::process::id()).unwrap());
    let begun = Instant::now();
    let first = look(&mut sampler);
    assert_eq!(first.cpu, None);
    assert!(first.memory.is_some_and(|bytes| bytes > 0));
    // Too soon to say anything: neither a figure, nor another beginning.
    let soon = look(&mut sampler);
    assert!(soon.cpu.is_none() || begun.elapsed() > SHORTEST);
    let mut worked = 0u64;
    while begun.elapsed() < 4 * SHORTEST {
        worked = std::hint::black_box(worked + 1);
    }
    let cpu = look(&mut sampler).cpu.unwrap();
    assert!(cpu > 0.0);
    // The whole is the sum of its members.
    let members = sampler.members(&[InstanceId(1), InstanceId(2)]);
    let own = &members[&InstanceId(1)];
    assert_eq!(
        (
            members.len(),
            own.iter().filter_map(|(_, _, cpu)| *cpu).sum()
        ),
        (1, cpu)
    );
}

#[test]
fn what_is_open_is_counted_with_its_limit() {
    let mut sampler = sampler(i32::try_from(std::process::id()).unwrap());
    assert_eq!(look(&mut sampler).files, None);
    sampler.count_files();
    let before = look(&mut sampler).files;
    // An older kernel does not count.
    let Some(before) = before else { return };
    let kept: Vec<_> = (0..64)
        .map(|_| std::fs::File::open("/dev/null").unwrap())
        .collect();
    (0..TURNS).for_each(|_| sampler.count_files());
    let after = look(&mut sampler).files.unwrap();
    assert!(after.open >= before.open + 32, "{before:?} {after:?}");
    assert!(
        after
            .limit
            .is_some_and(|limit| limit > u64::from(after.open))
    );
    drop(kept);
}

#[test]
fn what_has_no_page_has_no_figure() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    // Dead and not reaped: as in the middle of an exec there is a process, and no memory of it.
    let id = nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(pid));
    let flags = nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT;
    nix::sys::wait::waitid(id, flags).unwrap();
    let mut sampler = sampler(pid);
    let sample = look(&mut sampler);
    assert_eq!((sample.memory, sample.processes), (None, 1));
    child.wait().unwrap();
}
