//! The dashboard without a screen.

use crate::api::{ExitView, Push, Status};
use crate::tui::plain::Known;

use super::desk::{instance, snapshot};

fn texts(known: &mut Known, push: Push) -> Vec<String> {
    known.push(push, 7).into_iter().map(|it| it.text).collect()
}

#[test]
fn everything_is_said_once_and_then_only_what_becomes_another() {
    let mut known = Known::default();
    let mut api = instance(1, "api", (0, 1), Status::Running);
    api.because = "start by its definition".into();
    let all = || Push::Snapshot(Box::new(snapshot(vec![api.clone()])));
    let pid = api.pid.unwrap();
    assert_eq!(
        texts(&mut known, all()),
        [format!(
            "api is running, pid {pid} (start by its definition)"
        )]
    );
    assert!(texts(&mut known, all()).is_empty());
    let mut busy = api.clone();
    busy.cpu = Some(99.0);
    busy.uptime = Some(1000);
    let push = |view: &crate::api::InstanceView| Push::Instance {
        instance: Box::new(view.clone()),
    };
    assert!(texts(&mut known, push(&busy)).is_empty());

    let mut waits = api.clone();
    waits.status = Status::Backoff;
    waits.pid = None;
    waits.exit = Some(ExitView {
        lasted_ms: None,
        code: Some(3),
        signal: None,
        text: "exit 3".into(),
        at_ms: 1,
    });
    waits.due_in_ms = Some(7200);
    waits.because = "ended".into();
    assert_eq!(
        texts(&mut known, push(&waits)),
        ["api is backoff, exit 3, next try in 8 s (ended)"]
    );
    assert_eq!(
        texts(&mut known, Push::Removed { id: api.id }),
        ["api is deleted"]
    );
    assert!(texts(&mut known, Push::Removed { id: api.id }).is_empty());
}

#[test]
fn a_lost_connection_is_said_once_and_so_are_its_return_and_what_changed_meanwhile() {
    let mut known = Known::default();
    let api = instance(1, "api", (0, 1), Status::Running);
    let web = instance(2, "web", (0, 1), Status::Running);
    let all = Push::Snapshot(Box::new(snapshot(vec![api.clone(), web])));
    assert_eq!(texts(&mut known, all).len(), 2);
    assert_eq!(known.lost("gone", 8).len(), 1);
    assert!(known.lost("still gone", 9).is_empty());
    let rest = Push::Snapshot(Box::new(snapshot(vec![api])));
    assert_eq!(
        texts(&mut known, rest),
        ["connected again", "web is deleted"]
    );
    let none = Push::Snapshot(Box::new(snapshot(Vec::new())));
    assert_eq!(texts(&mut known, none), ["api is deleted", "no processes"]);
}
