//! What somebody is about to ask for: what a question is about before it is a request.

use serde::{Deserialize, Serialize};

use super::operation::{Sending, Verb, Whom, Work};
use super::scale::Count;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A verb on each.
    Do(Verb),
    /// A restart batch by batch.
    Roll {
        /// How many may be down at once because of it; as its definition says when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_unavailable: Option<u32>,
    },
    /// Another number of instances.
    Scale {
        /// Which.
        to: Count,
    },
    /// A signal.
    Send(Sending),
}

impl Intent {
    /// What it is as a whole.
    #[must_use]
    pub fn work(self) -> Work {
        match self {
            Self::Do(verb) => verb.into(),
            Self::Roll { .. } => Work::Restart,
            Self::Scale { .. } => Work::Scale,
            Self::Send(_) => Work::Signal,
        }
    }

    /// The same in the shell.
    #[must_use]
    pub fn twin(self, names: &str) -> String {
        match self {
            Self::Do(Verb::Kill) => format!("adasa stop --force {names}"),
            Self::Do(verb) => format!("adasa {} {names}", verb.word()),
            Self::Roll {
                max_unavailable: None,
            } => format!("adasa restart {names} --rolling"),
            Self::Roll {
                max_unavailable: Some(most),
            } => format!("adasa restart {names} --rolling --max-unavailable {most}"),
            Self::Scale { to } => format!("adasa scale {names} {to}"),
            Self::Send(Sending { signal, whom }) => {
                let signal = signal.to_string();
                let signal = signal.trim_start_matches("SIG");
                let group = match whom {
                    Whom::Main => "",
                    Whom::Group => " --group",
                };
                format!("adasa signal {signal} {names}{group}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exit::Signal;

    #[test]
    fn each_is_a_command_too() {
        let send = |whom| {
            Intent::Send(Sending {
                signal: Signal::TERM,
                whom,
            })
        };
        let roll = |max_unavailable| Intent::Roll { max_unavailable };
        for (intent, twin) in [
            (Intent::Do(Verb::Stop), "adasa stop api"),
            (Intent::Do(Verb::Kill), "adasa stop --force api"),
            (Intent::Scale { to: Count::More(1) }, "adasa scale api +1"),
            (send(Whom::Main), "adasa signal TERM api"),
            (send(Whom::Group), "adasa signal TERM api --group"),
            (roll(None), "adasa restart api --rolling"),
            (
                roll(Some(2)),
                "adasa restart api --rolling --max-unavailable 2",
            ),
        ] {
            assert_eq!(intent.twin("api"), twin);
        }
    }
}
