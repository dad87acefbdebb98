//! What changed since a moment: made of events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Event, What};
use super::run::Reason;
use super::status::Status;

/// So many names are told in words; of the others only how many there are.
const NAMES: usize = 4;

/// A definition that is another now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redefined {
    /// Of which process.
    pub name: String,
    /// By what: `define`, `apply`, `scale`, `delete`, `undo`.
    pub what: String,
    /// Who did it.
    pub by: String,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// How often each ended by itself with a failure.
    pub crashes: BTreeMap<String, u32>,
    /// Which were given up.
    pub errored: Vec<String>,
    /// Definitions that are others, the last change of each.
    pub redefined: Vec<Redefined>,
    /// How many requests each client had carried out.
    pub operations: BTreeMap<String, u32>,
    /// How many daemons have taken over.
    pub daemons: u32,
}

fn list(names: &[String]) -> String {
    let mut text: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = format!("{} more", names.len().saturating_sub(NAMES));
    if names.len() > NAMES {
        text.push(&more);
    }
    text.join(", ")
}

fn plural(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl Changes {
    /// Of these events, oldest first.
    #[must_use]
    pub fn of(since_ms: u64, events: &[Event]) -> Self {
        let mut it = Self {
            since_ms,
            ..Self::default()
        };
        for event in events.iter().filter(|event| event.at_ms >= since_ms) {
            it.add(event);
        }
        it
    }

    fn add(&mut self, event: &Event) {
        match &event.what {
            What::Exit {
                exit,
                reason: Reason::Itself,
                ..
            } if !exit.ending.is_success() => {
                *self.crashes.entry(event.name.clone()).or_default() += 1;
            }
            What::Status {
                to: Status::Errored,
                ..
            } if !self.errored.contains(&event.name) => self.errored.push(event.name.clone()),
            What::Did {
                who, what, changed, ..
            } => {
                *self.operations.entry(who.to_string()).or_default() += 1;
                for name in changed {
                    self.redefined.retain(|it| it.name != *name);
                    self.redefined.push(Redefined {
                        name: name.clone(),
                        what: what.clone(),
                        by: who.to_string(),
                    });
                }
            }
            What::Began { .. } => self.daemons += 1,
            What::Exit { .. }
            | What::Status { .. }
            | What::Asked { .. }
            | What::Done { .. }
            | What::Limit { .. }
            | What::Alarm { .. }
            | What::Note { .. } => {}
        }
    }

    /// Whether there is anything to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self
            == Self {
                since_ms: self.since_ms,
                ..Self::default()
            }
    }

    /// In words, a line for each kind; what is worst comes first.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.errored.is_empty() {
            lines.push(format!("given up: {}", list(&self.errored)));
        }
        let crashes: u32 = self.crashes.values().sum();
        if crashes > 0 {
            let mut most: Vec<(&String, u32)> = self.crashes.iter().map(|(n, c)| (n, *c)).collect();
            most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let names: Vec<String> = most.iter().map(|(n, c)| format!("{n} \u{d7}{c}")).collect();
            let count = plural(crashes, "failure", "failures");
            lines.push(format!("{count}: {}", list(&names)));
        }
        let mut by: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for it in &self.redefined {
            let names = by.entry((&it.by, &it.what)).or_default();
            names.push(it.name.clone());
        }
        for ((by, what), names) in by {
            lines.push(format!("{by}: {what} {}", list(&names)));
        }
        let others = self.operations.iter();
        for (by, count) in others {
            lines.push(format!(
                "{by}: {}",
                plural(*count, "operation", "operations")
            ));
        }
        if self.daemons > 0 {
            let count = plural(self.daemons, "time", "times");
            lines.push(format!(
                "the daemon began anew {count}; processes were not touched"
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::{Ending, Exit};
    use crate::domain::names::RunId;
    use crate::domain::who::Who;

    fn event(at_ms: u64, name: &str, what: What) -> Event {
        Event {
            at_ms,
            id: None,
            name: name.into(),
            what,
        }
    }

    fn exit(code: i32) -> What {
        What::Exit {
            run: RunId(1),
            exit: Exit {
                ending: Ending::Code(code),
                at_ms: 0,
                cpu_ms: 0,
                peak_rss: 0,
            },
            lasted_ms: 5,
            reason: Reason::Itself,
        }
    }

    fn did(what: &str, changed: &[&str]) -> What {
        What::Did {
            who: Who::new("ops", None, Some("cli"), None),
            what: what.into(),
            on: vec![],
            more: 0,
            operation: None,
            changed: changed.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn what_changed_is_told_by_kind_the_worst_first() {
        let errored = What::Status {
            from: Status::Running,
            to: Status::Errored,
            because: String::new(),
            follows: None,
        };
        let began = What::Began {
            version: "1".into(),
            pid: 1,
            epoch: 2,
        };
        let events = [
            event(1, "old", exit(1)),
            event(5, "api", exit(1)),
            event(6, "api", exit(1)),
            event(7, "web", exit(3)),
            event(8, "fine", exit(0)),
            event(9, "api", errored),
            event(10, "", did("apply", &["a", "b", "c", "d", "e", "f"])),
            event(11, "", did("restart", &[])),
            event(12, "", did("delete", &["a"])),
            event(13, "", began),
        ];
        let changes = Changes::of(5, &events);
        assert_eq!(
            changes.words(),
            [
                "given up: api",
                "3 failures: api \u{d7}2, web \u{d7}1",
                "ops (cli): apply b, c, d, e, 1 more",
                "ops (cli): delete a",
                "ops (cli): 3 operations",
                "the daemon began anew 1 time; processes were not touched",
            ]
        );
        assert!(!changes.is_empty());
        assert!(Changes::of(14, &events).is_empty());
        assert!(Changes::of(14, &events).words().is_empty());
    }
}
