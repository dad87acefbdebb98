//! Every reachable state under every event: the invariants, and the table of `docs/state-machine.md`.

mod page;

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::*;
use crate::domain::exit::{Ending, Signal};
use crate::domain::names::RunId;
use crate::domain::spec::Restart;

const KILLED: Ending = Ending::Signal {
    signal: Signal::KILL,
    core: false,
};

fn policies() -> Vec<Policy> {
    let mut all = Vec::new();
    for restart in [Restart::Always, Restart::OnFailure, Restart::Never] {
        for (budget, detach) in [(0, false), (1, false), (3, false), (3, true)] {
            all.push(Policy {
                restart,
                budget,
                detach,
            });
        }
    }
    all
}

fn reports() -> Vec<Report> {
    vec![
        Report::Spawned,
        Report::SpawnFailed { forgiven: 0 },
        Report::SpawnFailed { forgiven: 1 },
        Report::NeverSpawned,
        Report::Executed,
        Report::Exited {
            ending: Ending::Code(0),
            forgiven: 0,
        },
        Report::Exited {
            ending: Ending::Code(1),
            forgiven: 0,
        },
        Report::Exited {
            ending: KILLED,
            forgiven: 2,
        },
        Report::Exited {
            ending: Ending::Unknown,
            forgiven: 0,
        },
        Report::OverLimit,
        Report::Swept,
    ]
}

fn commands() -> [Event; 5] {
    [
        Event::Start,
        Event::Stop { force: false },
        Event::Stop { force: true },
        Event::Restart,
        Event::Remove,
    ]
}

fn fresh_events(at: Instance) -> Vec<Event> {
    let mut all = commands().to_vec();
    all.extend(
        reports()
            .into_iter()
            .map(|what| Event::Report { run: at.run, what }),
    );
    all.push(Event::Deadline { epoch: at.epoch });
    all
}

fn stale_events(at: Instance) -> Vec<Event> {
    let mut all: Vec<Event> = reports()
        .into_iter()
        .map(|what| Event::Report {
            run: RunId(at.run.0.wrapping_sub(1)),
            what,
        })
        .collect();
    all.push(Event::Deadline {
        epoch: at.epoch.wrapping_sub(1),
    });
    all
}

/// Run and epoch only tell late from current: states that differ in nothing else are one.
fn shape(at: Instance) -> (Phase, u32) {
    (at.phase, at.attempts)
}

/// Every cell of the closure, under every policy.
fn every_cell(mut visit: impl FnMut(&Policy, Instance, &Event, Instance, &[Effect])) -> usize {
    let mut cells = 0;
    for policy in policies() {
        let first = Instance {
            epoch: 100,
            ..Instance::at_rest(RunId(100))
        };
        let mut seen = HashSet::from([shape(first)]);
        let mut queue = VecDeque::from([first]);
        while let Some(at) = queue.pop_front() {
            for event in fresh_events(at) {
                let (after, effects) = step(&policy, at, &event);
                visit(&policy, at, &event, after, &effects);
                cells += 1;
                if seen.insert(shape(after)) {
                    queue.push_back(after);
                }
            }
            for event in stale_events(at) {
                assert_eq!(
                    step(&policy, at, &event),
                    (at, vec![]),
                    "a late {event:?} in {at:?} must change nothing"
                );
                cells += 1;
            }
        }
    }
    cells
}

fn arms(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|e| matches!(e, Effect::Arm(_)))
        .count()
}

fn needs_deadline(phase: Phase) -> bool {
    phase.has_run() || phase == Phase::Backoff
}

/// Whether nothing of the run that was can matter any more.
fn is_end(policy: &Policy, event: &Event) -> bool {
    matches!(event, Event::Report { what, .. } if match what {
        Report::Swept | Report::NeverSpawned => true,
        Report::Exited { .. } => policy.detach,
        Report::Spawned | Report::SpawnFailed { .. } | Report::Executed | Report::OverLimit => {
            false
        }
    })
}

#[test]
fn every_cell_keeps_the_invariants() {
    let cells = every_cell(|policy, before, event, after, effects| {
        let context = || format!("{policy:?}\n{before:?}\n{event:?}\n{after:?}\n{effects:?}");
        let spawns = effects.contains(&Effect::Spawn);

        // 1: a child is made only where none of this instance can be alive.
        if spawns {
            assert!(
                !before.phase.has_run() || is_end(policy, event),
                "{}",
                context()
            );
            assert_eq!(after.run, before.run.next(), "{}", context());
        } else {
            assert_eq!(after.run, before.run, "{}", context());
        }

        // 2: Spawning is entered, and begun anew, only together with Spawn, wanted up.
        let anew = matches!(before.phase, Phase::Spawning { .. }) && after.run != before.run;
        let enters = anew
            || !matches!(before.phase, Phase::Spawning { .. })
                && matches!(after.phase, Phase::Spawning { .. });
        assert_eq!(enters, spawns, "{}", context());
        if enters {
            assert_eq!(after.phase, Phase::Spawning { goal: Goal::Up });
        }

        // 3: nothing waits for ever: a new deadline, or the old one kept.
        assert!(arms(effects) <= 1, "{}", context());
        if needs_deadline(after.phase) {
            let kept = after.epoch == before.epoch && needs_deadline(before.phase);
            let spent = matches!(event, Event::Deadline { .. });
            let stable = after.phase == Phase::Running && spent;
            assert!(
                stable || (kept && !spent) || arms(effects) == 1,
                "{}",
                context()
            );
        } else {
            assert_eq!(arms(effects), 0, "{}", context());
        }
        assert!(
            arms(effects) == 0 || after.epoch != before.epoch,
            "a new deadline needs a new epoch: {}",
            context()
        );

        // 4: signals only where a process can be.
        for effect in effects {
            match effect {
                Effect::Signal | Effect::Kill => assert!(after.phase.is_live(), "{}", context()),
                Effect::Sweep(_) => {
                    assert!(
                        matches!(after.phase, Phase::Sweeping { .. }),
                        "{}",
                        context()
                    );
                }
                Effect::Spawn
                | Effect::Arm(_)
                | Effect::Retire
                | Effect::Alarm
                | Effect::Refuse(_) => {}
            }
        }

        // 5: every exit of a live run is followed by a sweep, unless what is left is to live on; nothing else leaves a
        // live phase.
        let exited = matches!(
            event,
            Event::Report {
                what: Report::Exited { .. },
                ..
            }
        );
        if before.phase.is_live() {
            let swept = effects.iter().any(|e| matches!(e, Effect::Sweep(_)));
            assert_eq!(exited && !policy.detach, swept, "{}", context());
            assert_eq!(!after.phase.is_live(), exited, "{}", context());
        }
        assert!(
            !policy.detach || !matches!(after.phase, Phase::Sweeping { .. }),
            "{}",
            context()
        );
        // 5b: a sweep is left by Swept only.
        if matches!(before.phase, Phase::Sweeping { .. }) {
            let left = !matches!(after.phase, Phase::Sweeping { .. });
            let reported = matches!(
                event,
                Event::Report {
                    what: Report::Swept,
                    ..
                }
            );
            assert_eq!(left, reported, "{}", context());
        }

        // 7: once removal is wanted it stays wanted; it is carried out once.
        if before.phase.goal() == Goal::Removed {
            assert_eq!(after.phase.goal(), Goal::Removed, "{}", context());
        }
        let retires = effects.contains(&Effect::Retire);
        assert_eq!(
            retires,
            before.phase != Phase::Removed && after.phase == Phase::Removed,
            "{}",
            context()
        );

        // 8: failures are bounded, and giving up follows a failure.
        assert!(after.attempts <= policy.budget.max(1), "{}", context());
        if after.phase == Phase::Failed && before.phase != Phase::Failed {
            let failed = matches!(
                event,
                Event::Report {
                    what: Report::SpawnFailed { .. },
                    ..
                } | Event::Deadline { .. }
            );
            assert!(failed || is_end(policy, event), "{}", context());
        }

        // A stop cancels the waiting restart.
        if matches!(event, Event::Stop { .. }) && before.phase == Phase::Backoff {
            assert_eq!(after.phase, Phase::Stopped, "{}", context());
        }
    });
    println!("{cells} cells");
    assert!(cells > 2000, "only {cells} cells were visited");
}

/// A run that is ended for what it took counts like one that failed by itself, once; a command in between takes over.
#[test]
fn a_limit_restart_is_a_failure() {
    every_cell(|policy, before, _, _, _| {
        let report = |at: Instance, what| Event::Report { run: at.run, what };
        let (ending, effects) = step(policy, before, &report(before, Report::OverLimit));
        if !matches!(before.phase, Phase::Starting | Phase::Running) {
            assert_eq!((ending, effects), (before, vec![]), "{before:?}");
            return;
        }
        assert_eq!(ending.phase, Phase::Stopping { then: Then::Retry });
        assert_eq!(ending.attempts, before.attempts, "counted at its end");
        let exit = Report::Exited {
            ending: Ending::Code(0),
            forgiven: 0,
        };
        let (ended, _) = step(policy, ending, &report(ending, exit));
        let (failed, _) = step(
            policy,
            Instance {
                phase: Phase::Running,
                ..before
            },
            &report(
                before,
                Report::Exited {
                    ending: Ending::Code(1),
                    forgiven: 0,
                },
            ),
        );
        assert_eq!(shape(ended), shape(failed), "{policy:?} {before:?}");
        for command in commands() {
            let (commanded, _) = step(policy, ending, &command);
            let (after, _) = step(policy, commanded, &report(commanded, exit));
            if after.phase.is_live() || after.phase.has_run() {
                assert!(
                    !matches!(
                        after.phase,
                        Phase::Sweeping {
                            next: Next::Retry,
                            ..
                        }
                    ),
                    "{command:?} {after:?}"
                );
            }
        }
    });
}

#[test]
fn a_stop_ends_even_what_obeys_only_kill() {
    for (goodbye, rest) in [
        (Event::Stop { force: false }, Phase::Stopped),
        (Event::Stop { force: true }, Phase::Stopped),
        (Event::Remove, Phase::Removed),
    ] {
        every_cell(|policy, before, _, _, _| {
            if before.phase.goal() == Goal::Removed && rest == Phase::Stopped {
                return;
            }
            let (mut at, mut effects) = step(policy, before, &goodbye);
            for _ in 0..8 {
                if at.phase == rest {
                    return;
                }
                let what = match at.phase {
                    Phase::Spawning { .. } => Some(Report::Spawned),
                    Phase::Killing { .. } => Some(Report::Exited {
                        ending: KILLED,
                        forgiven: 0,
                    }),
                    Phase::Sweeping { forced: true, .. } => Some(Report::Swept),
                    Phase::Stopped
                    | Phase::Starting
                    | Phase::Running
                    | Phase::Stopping { .. }
                    | Phase::Sweeping { .. }
                    | Phase::Backoff
                    | Phase::Exited
                    | Phase::Failed
                    | Phase::Removed => None,
                };
                let event = match what {
                    Some(what) => Event::Report { run: at.run, what },
                    None => Event::Deadline { epoch: at.epoch },
                };
                (at, effects) = step(policy, at, &event);
            }
            panic!("{before:?} after {goodbye:?} is still {at:?} ({effects:?})");
        });
    }
}

fn name(phase: Phase) -> String {
    match phase {
        Phase::Spawning { goal } => format!("Spawning {goal:?}"),
        Phase::Stopping { then } => format!("Stopping {then:?}"),
        Phase::Killing { then } => format!("Killing {then:?}"),
        Phase::Sweeping { next, forced } => {
            format!("Sweeping {next:?}{}", if forced { " by force" } else { "" })
        }
        Phase::Stopped
        | Phase::Starting
        | Phase::Running
        | Phase::Backoff
        | Phase::Exited
        | Phase::Failed
        | Phase::Removed => format!("{phase:?}"),
    }
}

#[test]
fn the_shapes_are_the_known_ones() {
    let mut shapes = BTreeSet::new();
    every_cell(|_, before, _, _, _| {
        shapes.insert(name(before.phase));
    });
    // 7 plain, Spawning × 4, Stopping × 4, Killing × 4, Sweeping × 6 × 2.
    assert_eq!(shapes.len(), 31, "{shapes:#?}");
}
