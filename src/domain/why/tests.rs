use super::*;
use crate::domain::exit::{Ending, Exit};
use crate::domain::names::OperationId;
use crate::domain::operation::Verb;
use crate::domain::run::{Ended, Evidence, Reason};

fn standing(status: Status) -> Standing {
    Standing {
        id: InstanceId(3),
        name: "api".into(),
        status,
        because: "the daemon's word".into(),
        failures: 3,
        allowed: 10,
        restart: Restart::OnFailure,
        due_in_ms: Some(8000),
        uptime_ms: Some(14 * 60_000),
        run: RunId(7),
        alive: status == Status::Running,
        program: "/srv/api".into(),
    }
}

fn run(number: u64, ended: Option<Ended>) -> Run {
    Run {
        ended,
        ..Run::unseen(InstanceId(3), RunId(number))
    }
}

fn end(ending: Ending) -> Ended {
    Ended {
        exit: Exit {
            ending,
            at_ms: 1000,
            cpu_ms: 0,
            peak_rss: 0,
        },
        lasted_ms: 400,
        reason: Reason::Itself,
        evidence: vec![],
    }
}

fn signal(number: i32) -> Ending {
    Ending::Signal {
        signal: Signal::from_number(number).unwrap(),
        core: false,
    }
}

fn of(ended: Ended, stderr: &[&str], found: &Found) -> Why {
    let stderr = stderr.iter().map(|s| (*s).to_owned()).collect();
    let runs = [run(7, Some(ended))];
    why(&standing(Status::Backoff), &runs, stderr, found)
}

fn plain(ended: Ended) -> Why {
    of(ended, &[], &Found::default())
}

fn has(why: &Why, text: &str) -> bool {
    why.evidence.iter().any(|e| e.contains(text))
}

#[test]
fn a_code_of_its_own_is_a_failure_and_nothing_more_is_claimed() {
    let why = plain(end(Ending::Code(3)));
    assert_eq!(why.cause, Some(Cause::Failed { code: 3 }));
    assert_eq!(
        why.answer,
        "api waits for its next attempt: run 7 failed with exit 3, after 400ms"
    );
    assert_eq!(
        why.next_text,
        "the next attempt is in 8s (3 of 10 failures)"
    );
    assert_eq!((why.hint, why.lasted_ms), (None, Some(400)));
}

#[test]
fn who_asked_comes_before_every_sign_of_something_else() {
    let operation = OperationId::new("operation-1").unwrap();
    let mut ended = end(signal(9));
    ended.evidence = vec![Evidence::KernelLog {
        line: "Killed process".into(),
    }];
    ended.reason = Reason::Asked {
        asker: Asker::command(Verb::Stop, "root", &operation),
        killed: true,
    };
    let why = of(ended, &["EADDRINUSE :80"], &Found::default());
    let after_grace = matches!(
        why.cause,
        Some(Cause::Asked {
            after_grace: true,
            ..
        })
    );
    assert!(after_grace, "{why:?}");
    assert!(
        why.answer
            .contains("was ended by root and had to be killed")
    );
    assert!(why.hint.unwrap().contains("stop_timeout"));
}

#[test]
fn out_of_memory_is_only_said_with_the_kernels_word_for_it() {
    let bare = plain(end(signal(9)));
    assert!(matches!(bare.cause, Some(Cause::Signal { .. })));
    assert!(has(&bare, "no sign that the kernel was short of memory"));
    let counter = |shared| Evidence::OomCounter {
        group: "/a".into(),
        before: 0,
        after: 1,
        shared,
    };
    for (shared, proved) in [(true, false), (false, true)] {
        let why = plain(Ended {
            evidence: vec![counter(shared)],
            ..end(signal(9))
        });
        assert_eq!(why.cause, Some(Cause::OutOfMemory { proved }), "{why:?}");
        assert!(has(&why, "0 → 1"));
    }
    // A counter that grew explains no other signal.
    let why = plain(Ended {
        evidence: vec![counter(false)],
        ..end(signal(11))
    });
    assert!(matches!(why.cause, Some(Cause::Signal { .. })));
}

#[test]
fn an_address_in_use_names_the_port_and_who_has_it() {
    let holder = Holder {
        pid: 42,
        name: "nginx".into(),
        instance: None,
    };
    let found = Found {
        holder: Some(holder),
        ..Found::default()
    };
    let line = "Error: listen EADDRINUSE: address already in use :::8080";
    let why = of(end(Ending::Code(1)), &["starting", line], &found);
    assert!(has(&why, "port 8080 is held by nginx (pid 42)"));
    assert!(
        why.answer
            .contains("in use (port 8080, held by nginx (pid 42))")
    );
    let free = Found {
        free: true,
        ..Found::default()
    };
    let why = of(end(Ending::Code(1)), &[line], &free);
    assert!(has(&why, "nobody listens on port 8080 now") && why.hint.is_none());
    // One that ended well says what it likes.
    let why = of(end(Ending::Code(0)), &[line], &free);
    assert_eq!(why.cause, Some(Cause::Finished));
}

#[test]
fn conventions_are_called_conventions() {
    for (code, word) in [
        (127, "127 is how a shell says"),
        (126, "126 is how a shell says"),
        (137, "by convention 137 is 128 + 9: SIGKILL"),
        (143, "by convention 143 is 128 + 15: SIGTERM"),
    ] {
        let why = plain(end(Ending::Code(code)));
        assert!(has(&why, word), "{why:?}");
    }
    let odd = plain(end(Ending::Code(255)));
    assert_eq!(odd.cause, Some(Cause::Failed { code: 255 }));
}

#[test]
fn one_that_runs_is_asked_about_the_run_before_and_what_nobody_saw_is_not_made_up() {
    let runs = [run(7, None), run(6, Some(end(signal(11)))), run(4, None)];
    let it = why(&standing(Status::Running), &runs, vec![], &Found::default());
    assert_eq!(
        it.answer,
        "api is running for 14m; before that, run 6 was ended by SIGSEGV, which adasa did not send, after 400ms"
    );
    assert_eq!(it.earlier[0].text, "its end was not seen");
    let told = |status, runs: &[Run]| why(&standing(status), runs, vec![], &Found::default());
    let unseen = told(Status::Stopped, &[run(7, None)]);
    assert_eq!((unseen.cause, unseen.ended_ms), (None, None));
    assert!(unseen.answer.contains("nobody saw how"));
    assert_eq!(
        told(Status::Errored, &[]).answer,
        "api is errored: the daemon's word"
    );
    assert_eq!(plain(end(Ending::Unknown)).cause, Some(Cause::Unknown));
}
