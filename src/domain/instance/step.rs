//! The decision: what an instance becomes, and what is to be done, after one event.

use crate::domain::exit::Ending;
use crate::domain::spec::Restart;

use super::event::{Delay, Effect, Effects, Event, Policy, Refusal, Report, Sweep};
use super::phase::{Goal, Instance, Next, Phase, Then};

/// The machine. Every pair of phase and event has its line; none is left to a wildcard.
#[must_use = "the effects are what has to be done"]
pub(crate) fn step(policy: &Policy, before: Instance, event: &Event) -> (Instance, Effects) {
    let mut turn = Turn {
        policy,
        now: before,
        effects: Vec::new(),
    };
    match *event {
        Event::Start => turn.start(),
        Event::Stop { force } => turn.stop(force),
        Event::Restart => turn.restart(),
        Event::Remove => turn.remove(),
        Event::Report { run, what } if run == before.run => turn.report(what),
        Event::Deadline { epoch } if epoch == before.epoch => turn.deadline(),
        Event::Report { .. } | Event::Deadline { .. } => {}
    }
    (turn.now, turn.effects)
}

struct Turn<'a> {
    policy: &'a Policy,
    now: Instance,
    effects: Effects,
}

impl Turn<'_> {
    fn start(&mut self) {
        match self.now.phase {
            Phase::Stopped | Phase::Backoff | Phase::Exited | Phase::Failed => self.spawn_afresh(),
            Phase::Spawning { goal: Goal::Down } => self.alter(Phase::Spawning { goal: Goal::Up }),
            Phase::Spawning {
                goal: Goal::Up | Goal::Replaced,
            }
            | Phase::Starting
            | Phase::Running => {}
            Phase::Spawning {
                goal: Goal::Removed,
            }
            | Phase::Removed => self.refuse(),
            Phase::Stopping { then } => match then {
                Then::Respawn | Then::Retry | Then::Rest => self.respawn(Phase::Stopping {
                    then: Then::Respawn,
                }),
                Then::Retire => self.refuse(),
            },
            Phase::Killing { then } => match then {
                Then::Respawn | Then::Retry | Then::Rest => self.respawn(Phase::Killing {
                    then: Then::Respawn,
                }),
                Then::Retire => self.refuse(),
            },
            Phase::Sweeping { next, forced } => match next {
                Next::Respawn | Next::Retry | Next::Rest | Next::Finish | Next::GiveUp => {
                    self.respawn(Phase::Sweeping {
                        next: Next::Respawn,
                        forced,
                    });
                }
                Next::Retire => self.refuse(),
            },
        }
    }

    fn restart(&mut self) {
        match self.now.phase {
            Phase::Starting | Phase::Running => {
                self.now.attempts = 0;
                self.signal(Then::Respawn);
            }
            Phase::Spawning {
                goal: Goal::Up | Goal::Down,
            } => self.alter(Phase::Spawning {
                goal: Goal::Replaced,
            }),
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Stopping { .. }
            | Phase::Killing { .. }
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed
            | Phase::Removed => self.start(),
        }
    }

    fn stop(&mut self, force: bool) {
        match self.now.phase {
            Phase::Stopped => {}
            Phase::Backoff | Phase::Exited | Phase::Failed => {
                self.now.attempts = 0;
                self.enter(Phase::Stopped);
            }
            Phase::Spawning { goal } => match goal {
                Goal::Up | Goal::Replaced => self.alter(Phase::Spawning { goal: Goal::Down }),
                Goal::Down => {}
                Goal::Removed => self.refuse(),
            },
            Phase::Starting | Phase::Running => self.end(Then::Rest, force),
            Phase::Stopping { then } => match (then, force) {
                (Then::Retire, _) => self.refuse(),
                (Then::Respawn | Then::Retry | Then::Rest, true) => self.kill(Then::Rest),
                (Then::Respawn | Then::Retry | Then::Rest, false) => {
                    self.alter(Phase::Stopping { then: Then::Rest });
                }
            },
            Phase::Killing { then } => match then {
                Then::Retire => self.refuse(),
                Then::Respawn | Then::Retry | Then::Rest => {
                    self.alter(Phase::Killing { then: Then::Rest });
                }
            },
            Phase::Sweeping { next, forced } => match next {
                Next::Retire => self.refuse(),
                Next::Respawn | Next::Retry | Next::Rest | Next::Finish | Next::GiveUp => {
                    self.now.attempts = 0;
                    if force && !forced {
                        self.sweep_by_force(Next::Rest);
                    } else {
                        self.alter(Phase::Sweeping {
                            next: Next::Rest,
                            forced,
                        });
                    }
                }
            },
            Phase::Removed => self.refuse(),
        }
    }

    fn remove(&mut self) {
        match self.now.phase {
            Phase::Stopped | Phase::Backoff | Phase::Exited | Phase::Failed => self.retire(),
            Phase::Spawning { .. } => self.alter(Phase::Spawning {
                goal: Goal::Removed,
            }),
            Phase::Starting | Phase::Running => self.signal(Then::Retire),
            Phase::Stopping { .. } => self.alter(Phase::Stopping { then: Then::Retire }),
            Phase::Killing { .. } => self.alter(Phase::Killing { then: Then::Retire }),
            Phase::Sweeping { forced, .. } => self.alter(Phase::Sweeping {
                next: Next::Retire,
                forced,
            }),
            Phase::Removed => self.refuse(),
        }
    }

    fn report(&mut self, what: Report) {
        match what {
            Report::Spawned => self.spawned(),
            Report::SpawnFailed { forgiven } => self.spawn_failed(forgiven),
            Report::NeverSpawned => self.never_spawned(),
            Report::Executed => match self.now.phase {
                Phase::Starting => {
                    self.enter(Phase::Running);
                    self.arm(Delay::Stable);
                }
                Phase::Stopped
                | Phase::Spawning { .. }
                | Phase::Running
                | Phase::Stopping { .. }
                | Phase::Killing { .. }
                | Phase::Sweeping { .. }
                | Phase::Backoff
                | Phase::Exited
                | Phase::Failed
                | Phase::Removed => {}
            },
            Report::Exited { ending, forgiven } => self.exited(ending, forgiven),
            Report::OverLimit => match self.now.phase {
                // A run that took too much has failed, however gracefully it is ended.
                Phase::Starting | Phase::Running => self.signal(Then::Retry),
                Phase::Stopped
                | Phase::Spawning { .. }
                | Phase::Stopping { .. }
                | Phase::Killing { .. }
                | Phase::Sweeping { .. }
                | Phase::Backoff
                | Phase::Exited
                | Phase::Failed
                | Phase::Removed => {}
            },
            Report::Swept => match self.now.phase {
                Phase::Sweeping { next, .. } => self.swept(next),
                Phase::Stopped
                | Phase::Spawning { .. }
                | Phase::Starting
                | Phase::Running
                | Phase::Stopping { .. }
                | Phase::Killing { .. }
                | Phase::Backoff
                | Phase::Exited
                | Phase::Failed
                | Phase::Removed => {}
            },
        }
    }

    fn spawned(&mut self) {
        let Phase::Spawning { goal } = self.now.phase else {
            return;
        };
        match goal {
            Goal::Up => {
                self.enter(Phase::Starting);
                self.arm(Delay::Execute);
            }
            Goal::Replaced => self.signal(Then::Respawn),
            Goal::Down => self.signal(Then::Rest),
            Goal::Removed => self.signal(Then::Retire),
        }
    }

    fn spawn_failed(&mut self, forgiven: u32) {
        let Phase::Spawning { goal } = self.now.phase else {
            return;
        };
        let next = match goal {
            Goal::Up | Goal::Replaced => self.after_failure(forgiven),
            Goal::Down => Next::Rest,
            Goal::Removed => Next::Retire,
        };
        self.swept(next);
    }

    /// What nobody tried is no failure: it is asked for again.
    fn never_spawned(&mut self) {
        let Phase::Spawning { goal } = self.now.phase else {
            return;
        };
        self.swept(match goal {
            Goal::Up | Goal::Replaced => Next::Respawn,
            Goal::Down => Next::Rest,
            Goal::Removed => Next::Retire,
        });
    }

    fn exited(&mut self, ending: Ending, forgiven: u32) {
        match self.now.phase {
            Phase::Starting => {
                let next = self.after_failure(forgiven);
                self.sweep_afresh(next);
            }
            Phase::Running => {
                let next = match (self.policy.restart, ending.is_success()) {
                    (Restart::Always, true) => Next::Retry,
                    (Restart::OnFailure | Restart::Never, true) => Next::Finish,
                    (Restart::Always | Restart::OnFailure | Restart::Never, false) => {
                        self.after_failure(forgiven)
                    }
                };
                self.sweep_afresh(next);
            }
            Phase::Stopping { then } => {
                let next = self.after_commanded(then, forgiven);
                self.sweep_on(next);
            }
            Phase::Killing { then } => {
                let next = self.after_commanded(then, forgiven);
                if self.policy.detach {
                    self.swept(next);
                } else {
                    self.sweep_by_force(next);
                }
            }
            Phase::Stopped
            | Phase::Spawning { .. }
            | Phase::Sweeping { .. }
            | Phase::Backoff
            | Phase::Exited
            | Phase::Failed
            | Phase::Removed => {}
        }
    }

    fn deadline(&mut self) {
        match self.now.phase {
            // A child that was asked for and never came: if it comes later its run number is stale and
            // the keeper is told to end it.
            Phase::Spawning { .. } => self.spawn_failed(0),
            Phase::Starting => self.signal(Then::Retry),
            Phase::Running => self.now.attempts = 0,
            Phase::Stopping { then } => self.kill(then),
            Phase::Killing { then } => {
                self.kill(then);
                self.effects.push(Effect::Alarm);
            }
            Phase::Sweeping { next, forced } => {
                self.sweep_by_force(next);
                if forced {
                    self.effects.push(Effect::Alarm);
                }
            }
            Phase::Backoff => self.spawn(),
            Phase::Stopped | Phase::Exited | Phase::Failed | Phase::Removed => {}
        }
    }

    fn swept(&mut self, next: Next) {
        match next {
            Next::Respawn => self.spawn(),
            Next::Retry => {
                self.enter(Phase::Backoff);
                self.arm(Delay::Backoff {
                    attempt: self.now.attempts.max(1),
                });
            }
            Next::Rest => {
                self.now.attempts = 0;
                self.enter(Phase::Stopped);
            }
            Next::Retire => self.retire(),
            Next::Finish => self.enter(Phase::Exited),
            Next::GiveUp => self.enter(Phase::Failed),
        }
    }

    /// A failure counts, unless policy leaves the instance alone anyway.
    fn after_failure(&mut self, forgiven: u32) -> Next {
        self.now.attempts = self
            .now
            .attempts
            .saturating_sub(forgiven)
            .saturating_add(1)
            .min(self.policy.budget.max(1));
        match self.policy.restart {
            Restart::Never => Next::GiveUp,
            Restart::OnFailure | Restart::Always => {
                if self.now.attempts >= self.policy.budget.max(1) {
                    Next::GiveUp
                } else {
                    Next::Retry
                }
            }
        }
    }

    fn after_commanded(&mut self, then: Then, forgiven: u32) -> Next {
        match then {
            Then::Retry => self.after_failure(forgiven),
            Then::Respawn | Then::Rest | Then::Retire => Next::from(then),
        }
    }

    fn spawn_afresh(&mut self) {
        self.now.attempts = 0;
        self.spawn();
    }

    fn spawn(&mut self) {
        self.now.run = self.now.run.next();
        self.enter(Phase::Spawning { goal: Goal::Up });
        self.effects.push(Effect::Spawn);
        self.arm(Delay::Spawn);
    }

    fn respawn(&mut self, phase: Phase) {
        self.now.attempts = 0;
        self.alter(phase);
    }

    fn end(&mut self, then: Then, force: bool) {
        if force {
            self.kill(then);
        } else {
            self.signal(then);
        }
    }

    fn signal(&mut self, then: Then) {
        self.enter(Phase::Stopping { then });
        self.effects.push(Effect::Signal);
        self.arm(Delay::StopTimeout);
    }

    fn kill(&mut self, then: Then) {
        self.enter(Phase::Killing { then });
        self.effects.push(Effect::Kill);
        self.arm(Delay::KillAgain);
    }

    /// The deadline of the stop goes on: what is left has the remaining grace.
    fn sweep_on(&mut self, next: Next) {
        if self.policy.detach {
            return self.swept(next);
        }
        self.alter(Phase::Sweeping {
            next,
            forced: false,
        });
        self.effects.push(Effect::Sweep(Sweep::Remaining));
    }

    fn sweep_afresh(&mut self, next: Next) {
        if self.policy.detach {
            return self.swept(next);
        }
        self.enter(Phase::Sweeping {
            next,
            forced: false,
        });
        self.effects.push(Effect::Sweep(Sweep::Fresh));
        self.arm(Delay::StopTimeout);
    }

    fn sweep_by_force(&mut self, next: Next) {
        self.enter(Phase::Sweeping { next, forced: true });
        self.effects.push(Effect::Sweep(Sweep::Kill));
        self.arm(Delay::KillAgain);
    }

    fn retire(&mut self) {
        self.enter(Phase::Removed);
        self.effects.push(Effect::Retire);
    }

    fn refuse(&mut self) {
        self.effects.push(Effect::Refuse(Refusal::BeingRemoved));
    }

    fn arm(&mut self, delay: Delay) {
        self.effects.push(Effect::Arm(delay));
    }

    /// Another phase with another deadline, or with none.
    fn enter(&mut self, phase: Phase) {
        self.now.phase = phase;
        self.now.epoch = self.now.epoch.wrapping_add(1);
    }

    /// Another intent, the same deadline.
    fn alter(&mut self, phase: Phase) {
        self.now.phase = phase;
    }
}
