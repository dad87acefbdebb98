//! Who did what, and what happened by itself: made of events.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::event::{Event, What};
use super::names::OperationId;
use super::run::Reason;
use super::status::Status;
use super::who::Who;

/// What became of what somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// For how many instances it is done.
    pub ok: u32,
    /// For how many it failed.
    pub failed: u32,
    /// Why the first failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}

/// One entry: something that somebody did, or that happened by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Wall-clock time, milliseconds since 1970.
    pub at_ms: u64,
    /// Who did it; none when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// To what: names of processes and instances; empty for the daemon as a whole.
    pub name: String,
    /// What, in words.
    pub text: String,
    /// Whether a person should look.
    #[serde(default)]
    pub bad: bool,
    /// The operation's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// What became of it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl Outcome {
    /// In words: `ok in 3.1s`, `2 of 3 ok in 10.0s: does not die`.
    #[must_use]
    pub fn words(&self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a second is shown")]
        let seconds = self.took_ms as f64 / 1000.0;
        if self.failed == 0 {
            return format!("ok in {seconds:.1}s");
        }
        let why = self
            .why
            .as_deref()
            .map_or(String::new(), |why| format!(": {why}"));
        let all = self.ok + self.failed;
        if all == 1 {
            return format!("failed{why}");
        }
        format!("{} of {all} ok in {seconds:.1}s{why}", self.ok)
    }
}

impl Activity {
    /// Who, or that adasa did it by itself.
    #[must_use]
    pub fn actor(&self) -> String {
        self.who.as_ref().map_or("adasa".to_owned(), Who::to_string)
    }

    /// What was done to what, and what became of it.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = match (&self.who, self.name.is_empty()) {
            (_, true) => self.text.clone(),
            (Some(_), false) => format!("{} {}", self.text, self.name),
            (None, false) => format!("{}: {}", self.name, self.text),
        };
        if let Some(outcome) = &self.outcome {
            words.push_str("  ");
            words.push_str(&outcome.words());
        }
        words
    }
}

/// Names as they are shown: the first few, and how many more.
fn names(on: &[String], more: u32) -> String {
    let mut text = on.join(" ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn by_itself(event: &Event, text: String, bad: bool) -> Activity {
    Activity {
        at_ms: event.at_ms,
        who: None,
        name: event.name.clone(),
        text,
        bad,
        operation: None,
        outcome: None,
    }
}

/// The entry that an event is; none for steps on the way.
fn entry(event: &Event) -> Option<Activity> {
    let it = |text: String, bad| Some(by_itself(event, text, bad));
    match &event.what {
        What::Did {
            who,
            what,
            on,
            more,
            operation,
            ..
        } => Some(Activity {
            who: Some(who.clone()),
            name: names(on, *more),
            operation: operation.clone(),
            ..by_itself(event, what.clone(), false)
        }),
        What::Began { version, .. } => it(format!("the daemon began, version {version}"), false),
        What::Exit {
            exit,
            reason: Reason::Itself,
            ..
        } => it(exit.ending.to_string(), !exit.ending.is_success()),
        What::Status {
            to: Status::Errored,
            because,
            ..
        } => it(format!("errored ({because})"), true),
        What::Limit { memory, allowed } => {
            let mb = |bytes: &u64| bytes / 1_000_000;
            it(
                format!("uses {} MB of {} MB", mb(memory), mb(allowed)),
                true,
            )
        }
        What::Alarm { text } => it(text.clone(), true),
        What::Status { .. }
        | What::Exit { .. }
        | What::Asked { .. }
        | What::Done { .. }
        | What::Note { .. } => None,
    }
}

/// Whether an event is an entry, or says what became of one.
#[must_use]
pub(crate) fn is_activity(event: &Event) -> bool {
    matches!(event.what, What::Done { .. }) || entry(event).is_some()
}

/// Adds an event to entries, the oldest first; at most so many are kept.
pub(crate) fn add(list: &mut VecDeque<Activity>, event: &Event, most: usize) {
    if let What::Done {
        operation,
        ok,
        failed,
        why,
        took_ms,
    } = &event.what
    {
        let mut newest = list.iter_mut().rev();
        if let Some(it) = newest.find(|it| it.operation.as_ref() == Some(operation)) {
            it.bad = *failed > 0;
            it.outcome = Some(Outcome {
                ok: *ok,
                failed: *failed,
                why: why.clone(),
                took_ms: *took_ms,
            });
        }
    } else if let Some(it) = entry(event) {
        list.push_back(it);
        let excess = list.len().saturating_sub(most);
        list.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::names::{InstanceId, RunId};

    fn event(at_ms: u64, name: &str, what: What) -> Event {
        Event {
            at_ms,
            id: (!name.is_empty()).then_some(InstanceId(1)),
            name: name.into(),
            what,
        }
    }

    fn did(at_ms: u64, operation: &str, on: &[&str], more: u32) -> Event {
        let what = What::Did {
            who: Who::new("ops", None, Some("cli;tty=pts/4"), None),
            what: "restart".into(),
            on: on.iter().map(|it| (*it).to_owned()).collect(),
            more,
            operation: Some(OperationId::new(operation).unwrap()),
            changed: vec![],
        };
        event(at_ms, "", what)
    }

    fn done(at_ms: u64, operation: &str, failed: u32) -> Event {
        let what = What::Done {
            operation: OperationId::new(operation).unwrap(),
            ok: 2,
            failed,
            why: (failed > 0).then(|| "does not die".to_owned()),
            took_ms: 3140,
        };
        event(at_ms, "", what)
    }

    fn words(events: &[Event], most: usize) -> Vec<String> {
        let mut list = VecDeque::new();
        events.iter().for_each(|it| add(&mut list, it, most));
        list.iter()
            .map(|it| format!("{} {}: {}", it.at_ms, it.actor(), it.words()))
            .collect()
    }

    #[test]
    fn what_somebody_did_is_one_entry_with_what_became_of_it() {
        let events = [
            did(1, "operation-one", &["api", "web-2"], 3),
            did(2, "operation-two", &["cron"], 0),
            done(3, "operation-one", 0),
            done(4, "operation-two", 1),
            done(5, "operation-old", 0),
        ];
        let ops = "ops (cli pts/4)";
        assert_eq!(
            words(&events, 10),
            [
                format!("1 {ops}: restart api web-2 and 3 more  ok in 3.1s"),
                format!("2 {ops}: restart cron  2 of 3 ok in 3.1s: does not die"),
            ]
        );
        assert_eq!(words(&events, 1).len(), 1);
    }

    #[test]
    fn what_happens_by_itself_is_told_where_it_is_more_than_a_step() {
        let exit = |code, reason| What::Exit {
            run: RunId(1),
            exit: Exit {
                ending: Ending::Code(code),
                at_ms: 0,
                cpu_ms: 0,
                peak_rss: 0,
            },
            lasted_ms: 5,
            reason,
        };
        let asked = Reason::Asked {
            asker: super::super::run::Asker::Shutdown,
            killed: false,
        };
        let status = |to| What::Status {
            from: Status::Running,
            to,
            because: "exit 1".into(),
            follows: None,
        };
        let events = [
            event(1, "api", exit(1, Reason::Itself)),
            event(2, "api", exit(0, asked)),
            event(3, "api", status(Status::Backoff)),
            event(4, "api", status(Status::Errored)),
            event(5, "", What::Note { text: "x".into() }),
        ];
        assert_eq!(
            words(&events, 10),
            ["1 adasa: api: exit 1", "4 adasa: api: errored (exit 1)"]
        );
    }
}
