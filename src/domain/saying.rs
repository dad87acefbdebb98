//! What adasa says in a log between the lines of a process: made of events.

use super::event::{Event, Follows, What};
use super::names::{InstanceId, RunId};
use super::run::Reason;
use super::status::Status;
use super::why::span;

/// What follows so much later is told for itself, milliseconds.
const SAME_MS: u64 = 100;

/// Where it stands among the lines of its instance. Output is stamped when it is drained, which may be after the end of
/// the run that wrote it: there the run says more than the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stand {
    /// Before all lines of this run.
    Begins(RunId),
    /// Behind all lines of this run.
    Ends(RunId),
    /// By its time.
    Between,
}

/// One line of adasa's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saying {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// About which instance.
    pub id: InstanceId,
    /// What it was called then.
    pub name: String,
    /// What, in words.
    pub text: String,
    /// Whether a person should look.
    pub bad: bool,
    /// Where it stands.
    pub stand: Stand,
}

impl Saying {
    /// What is said of an event; none of steps on the way, and of what is about no instance.
    #[must_use]
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (text, bad, stand) = words(&event.what)?;
        Some(Self {
            at_ms: event.at_ms,
            id: event.id?,
            name: event.name.clone(),
            text,
            bad,
            stand,
        })
    }

    /// Says also what followed in the same moment; false when that is to be said for itself, or not at all.
    pub(crate) fn goes_on(&mut self, event: &Event) -> bool {
        let ended = matches!(self.stand, Stand::Ends(_)) && event.id == Some(self.id);
        if !ended || event.at_ms.abs_diff(self.at_ms) > SAME_MS {
            return false;
        }
        let What::Status { to, follows, .. } = &event.what else {
            return false;
        };
        let Some(next) = next(*to, follows.as_ref()) else {
            return false;
        };
        if !self.text.ends_with(&next) {
            self.text.push_str(", ");
            self.text.push_str(&next);
        }
        self.bad |= *to == Status::Errored;
        true
    }

    /// Whether it stands behind a line of output: by the run of the same instance, else by the time.
    #[must_use]
    pub(crate) fn is_behind(
        &self,
        id: InstanceId,
        run: Option<RunId>,
        time_ms: Option<u64>,
    ) -> bool {
        match (run.filter(|_| id == self.id), self.stand) {
            (Some(run), Stand::Ends(ended)) => run <= ended,
            (Some(run), Stand::Begins(begun)) => run < begun,
            (Some(_), Stand::Between) | (None, _) => time_ms.unwrap_or(0) <= self.at_ms,
        }
    }

    /// Whether both are about the same.
    #[must_use]
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        self.id == other.id
            && self.stand == other.stand
            && (self.stand != Stand::Between
                || (self.at_ms == other.at_ms && self.text == other.text))
    }
}

/// Whether anything is said of an event, by itself or with the end that it follows.
#[must_use]
pub(crate) fn is_said(event: &Event) -> bool {
    matches!(event.what, What::Status { .. }) || words(&event.what).is_some()
}

/// What is said of these events, oldest first.
#[must_use]
pub(crate) fn sayings(events: &[Event]) -> Vec<Saying> {
    let mut said: Vec<Saying> = Vec::new();
    for event in events {
        let last = said.iter_mut().rev().find(|it| Some(it.id) == event.id);
        if !last.is_some_and(|last| last.goes_on(event)) {
            said.extend(Saying::of(event));
        }
    }
    said
}

/// What comes after the end of a run.
fn next(to: Status, follows: Option<&Follows>) -> Option<String> {
    let words = match to {
        Status::Backoff => return attempt(follows),
        Status::Errored => "given up",
        Status::Stopped => "stopped",
        Status::Exited => "done",
        Status::Starting => "starts again",
        // What is left of its tree is being ended: what follows is told after that.
        Status::Stopping | Status::Restarting | Status::Running | Status::Orphaned => return None,
    };
    Some(words.to_owned())
}

fn attempt(follows: Option<&Follows>) -> Option<String> {
    match follows? {
        Follows::Attempt { restart, in_ms } => {
            Some(format!("restart {restart} in {}", span(*in_ms)))
        }
        Follows::Run { .. } => None,
    }
}

fn words(what: &What) -> Option<(String, bool, Stand)> {
    let between = |text: String, bad| Some((text, bad, Stand::Between));
    match what {
        What::Exit {
            run,
            exit,
            lasted_ms,
            reason,
        } => {
            let by = match reason {
                Reason::Itself => String::new(),
                Reason::Asked { asker, .. } if reason.was_killed_after_grace() => {
                    format!(" ({asker}, killed after its grace)")
                }
                Reason::Asked { asker, .. } => format!(" ({asker})"),
            };
            let text = format!("{} after {}{by}", exit.ending, span(*lasted_ms));
            let bad = *reason == Reason::Itself && !exit.ending.is_success();
            Some((text, bad, Stand::Ends(*run)))
        }
        What::Status {
            to: Status::Running,
            follows: Some(Follows::Run { run, by }),
            ..
        } => {
            let by = by
                .as_ref()
                .map_or_else(String::new, |by| format!(" ({by})"));
            Some((format!("run {run} begins{by}"), false, Stand::Begins(*run)))
        }
        What::Status {
            to:
                to @ (Status::Backoff
                | Status::Errored
                | Status::Stopped
                | Status::Exited
                | Status::Orphaned),
            because,
            follows,
            ..
        } => {
            let why = if because.is_empty() {
                String::new()
            } else {
                format!(" ({because})")
            };
            let next = attempt(follows.as_ref());
            let next = next.map_or_else(String::new, |next| format!(", {next}"));
            let bad = matches!(to, Status::Backoff | Status::Errored | Status::Orphaned);
            between(format!("{to}{why}{next}"), bad)
        }
        What::Limit { memory, allowed } => {
            let mb = |bytes: &u64| bytes / 1_000_000;
            between(
                format!("uses {} MB of {} MB", mb(memory), mb(allowed)),
                true,
            )
        }
        What::Alarm { text } => between(text.clone(), true),
        What::Note { text } => between(text.clone(), false),
        What::Status {
            to: Status::Starting | Status::Running | Status::Stopping | Status::Restarting,
            ..
        }
        | What::Asked { .. }
        | What::Did { .. }
        | What::Done { .. }
        | What::Began { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::run::Asker;

    fn event(at_ms: u64, id: u32, what: What) -> Event {
        Event {
            at_ms,
            id: Some(InstanceId(id)),
            name: format!("app-{id}"),
            what,
        }
    }

    fn exit(run: u64, code: i32, reason: Reason) -> What {
        What::Exit {
            run: RunId(run),
            exit: Exit {
                ending: Ending::Code(code),
                at_ms: 0,
                cpu_ms: 0,
                peak_rss: 0,
            },
            lasted_ms: 2_400,
            reason,
        }
    }

    fn status(to: Status, follows: Option<Follows>) -> What {
        What::Status {
            from: Status::Running,
            to,
            because: "exit 1".into(),
            follows,
        }
    }

    fn attempt(restart: u32) -> Option<Follows> {
        Some(Follows::Attempt {
            restart,
            in_ms: 8_000,
        })
    }

    fn texts(events: &[Event]) -> Vec<String> {
        sayings(events).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn the_end_of_a_run_and_what_follows_are_one_line() {
        let events = [
            event(5, 1, exit(1, 1, Reason::Itself)),
            event(5, 2, exit(9, 0, Reason::Itself)),
            event(5, 1, status(Status::Backoff, attempt(17))),
            event(6, 2, status(Status::Exited, None)),
        ];
        assert_eq!(
            texts(&events),
            [
                "exit 1 after 2.4s, restart 17 in 8s",
                "exit 0 after 2.4s, done"
            ]
        );
        let said = sayings(&events);
        assert_eq!((said[0].bad, said[1].bad), (true, false));
        assert_eq!(said[0].stand, Stand::Ends(RunId(1)));
    }

    #[test]
    fn what_follows_much_later_or_after_no_end_is_said_for_itself() {
        let events = [
            event(5, 1, exit(1, 1, Reason::Itself)),
            event(500, 1, status(Status::Backoff, attempt(2))),
            event(900, 2, status(Status::Errored, None)),
        ];
        assert_eq!(
            texts(&events),
            [
                "exit 1 after 2.4s",
                "backoff (exit 1), restart 2 in 8s",
                "errored (exit 1)"
            ]
        );
    }

    #[test]
    fn who_began_and_who_ended_a_run_is_named() {
        let asked = Reason::Asked {
            asker: Asker::Shutdown,
            killed: true,
        };
        let run = Some(Follows::Run {
            run: RunId(3),
            by: Some(Asker::Boot),
        });
        let events = [
            event(1, 1, status(Status::Starting, None)),
            event(2, 1, status(Status::Running, run)),
            event(5, 1, exit(3, 0, asked)),
            event(5, 1, status(Status::Stopped, None)),
        ];
        assert_eq!(
            texts(&events),
            [
                "run 3 begins (it was up before)",
                "exit 0 after 2.4s (everything was being ended, killed after its grace), stopped"
            ]
        );
    }

    #[test]
    fn limits_alarms_and_notes_are_said_and_what_is_about_no_instance_is_not() {
        let limit = What::Limit {
            memory: 300_000_000,
            allowed: 256_000_000,
        };
        let mut whole = event(3, 1, What::Alarm { text: "x".into() });
        whole.id = None;
        let note = event(
            4,
            1,
            What::Note {
                text: "got SIGHUP".into(),
            },
        );
        let events = [event(1, 1, limit), whole, note];
        assert_eq!(texts(&events), ["uses 300 MB of 256 MB", "got SIGHUP"]);
    }

    #[test]
    fn an_end_stands_behind_what_its_run_wrote_and_a_beginning_before_it() {
        let end = Saying::of(&event(5, 1, exit(3, 1, Reason::Itself))).unwrap();
        let (it, other) = (InstanceId(1), InstanceId(2));
        let run = |run| Some(RunId(run));
        assert!(end.is_behind(it, run(3), Some(9)), "drained later");
        assert!(!end.is_behind(it, run(4), Some(5)));
        assert!(end.is_behind(other, run(9), Some(5)) && !end.is_behind(other, run(1), Some(6)));
        assert!(end.is_behind(it, None, None), "of an unknown time");
        let begun = Some(Follows::Run {
            run: RunId(4),
            by: None,
        });
        let begin = Saying::of(&event(5, 1, status(Status::Running, begun))).unwrap();
        assert!(begin.is_behind(it, run(3), Some(9)) && !begin.is_behind(it, run(4), Some(1)));
    }

    #[test]
    fn the_same_is_known_again() {
        let one = Saying::of(&event(5, 1, exit(1, 1, Reason::Itself))).unwrap();
        let mut more = one.clone();
        assert!(more.goes_on(&event(5, 1, status(Status::Backoff, attempt(1)))));
        assert!(one.is_as(&more));
        let note =
            |at, text: &str| Saying::of(&event(at, 1, What::Note { text: text.into() })).unwrap();
        assert!(note(1, "a").is_as(&note(1, "a")));
        assert!(!note(1, "a").is_as(&note(2, "a")) && !note(1, "a").is_as(&note(1, "b")));
    }
}
