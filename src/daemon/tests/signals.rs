//! Signals that clients want sent: to whom, once, and what follows from them.

use super::super::journal::Seen;
use super::super::message::Request;
use super::client::{operation, spec};
use super::habit::SECOND;
use super::world::World;
use crate::api::{ApiError, Code, OperationView, SendSignal, Sending, Whom};
use crate::domain::exit::Signal;
use crate::domain::names::RunId;
use crate::domain::operation::{Progress, Verb, Work};
use crate::domain::run::{Evidence, Reason};
use crate::domain::spec::Spec;
use crate::domain::status::Status;

impl World {
    #[track_caller]
    pub(super) fn send(
        &mut self,
        id: &str,
        signal: &str,
        whom: &str,
        only_run: Option<u64>,
    ) -> Result<OperationView, ApiError> {
        let wish = SendSignal {
            operation: operation(id),
            send: Sending {
                signal: signal.parse().unwrap(),
                whom: Whom::Main,
            },
            select: vec![whom.parse().unwrap()],
            only_run: only_run.map(RunId),
            force_protected: false,
        };
        self.insist(|reply| Request::Signal(wish.clone(), "ops".into(), reply))
    }

    fn sent(&self, signal: &str) -> usize {
        let signal: Signal = signal.parse().unwrap();
        let all = self.signals.iter();
        all.filter(|(_, _, sent)| *sent == signal).count()
    }
}

fn world() -> World {
    let mut world = World::new();
    let web = Spec {
        instances: 2,
        ..spec("web")
    };
    world.define("a", &web).unwrap();
    world
}

#[test]
fn it_goes_to_those_that_run_and_the_others_are_named() {
    let mut world = world();
    world.act("x", Verb::Stop, "web-1").unwrap();
    let before = world.signals.len();
    let view = world.send("b", "URG", "web", None).unwrap();
    assert_eq!((view.verb, view.done), (Work::Signal, true));
    assert_eq!(view.targets[0].progress, Progress::Done);
    let Progress::Failed { reason } = &view.targets[1].progress else {
        panic!("{view:?}")
    };
    assert_eq!(reason, "it does not run: it is stopped");
    assert_eq!(world.signals.len(), before + 1);
}

#[test]
fn it_is_sent_once_wherever_the_daemon_dies() {
    for deeds in 0..12 {
        let mut world = world();
        world.deeds_left = Some(deeds);
        let view = world.send("b", "WINCH", "web", None).unwrap();
        assert_eq!(
            world.progress("b"),
            vec![Progress::Done; 2],
            "{deeds} {view:?}"
        );
        world.deeds_left = None;
        let _ = world.send("b", "WINCH", "web", None).unwrap();
        assert_eq!(world.sent("WINCH"), 2, "killed after {deeds} deeds");
    }
}

#[test]
fn one_that_ends_a_run_is_no_wish_to_have_it_ended() {
    let mut world = world();
    world.send("b", "KILL", "web-0", None).unwrap();
    world.after(10 * SECOND);
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.view(1).restarts, 1, "its policy brought it back");
    let ended = world.seen.iter().find_map(|seen| match seen {
        Seen::Ended { ended, .. } => Some(ended.clone()),
        Seen::Begun { .. } | Seen::Found { .. } | Seen::Whole { .. } => None,
    });
    let ended = ended.unwrap();
    assert_eq!(ended.reason, Reason::Itself);
    let evidence = Evidence::Sent {
        signal: Signal::KILL,
        by: "ops".into(),
        ago_ms: 0,
    };
    assert_eq!(ended.evidence, [evidence]);
}

#[test]
fn a_run_that_was_not_meant_gets_nothing() {
    let mut world = world();
    let refused = world.send("b", "HUP", "1", Some(7)).unwrap_err();
    assert_eq!(refused.code, Code::StaleTarget);
    assert_eq!(world.sent("HUP"), 0);
}
