//! Who asks: the user that the kernel names, and what the client says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// With this header a client says what it is: `cli;tty=pts/4;from=10.0.0.7`.
pub const CLIENT: &str = "adasa-client";
/// The longest word that a client may say of itself.
const WORD: usize = 45;

/// What kind of client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The command line.
    Cli,
    /// The dashboard.
    Tui,
    /// Anything else that speaks to the daemon.
    Api,
}

impl Face {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Tui => "tui",
            Self::Api => "api",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// The name of the user, as the kernel knows it.
    pub user: String,
    /// What kind of client; none where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Face>,
    /// Its pid, as the kernel knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Its terminal, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// The machine that its line comes from, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it calls itself, where it is none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// A word that may stand in a line for people; none for anything else.
fn word(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._:%-+".contains(c);
    let whole = !text.is_empty() && text.len() <= WORD && text.chars().all(fits);
    whole.then(|| text.to_owned())
}

impl Who {
    /// A user of whom the kernel says these, with what the client says of itself: [`CLIENT`], and its `User-Agent`.
    #[must_use]
    pub fn new(user: &str, pid: Option<i32>, client: Option<&str>, agent: Option<&str>) -> Self {
        let mut parts = client.unwrap_or("").split(';');
        let client = match parts.next() {
            Some("cli") => Face::Cli,
            Some("tui") => Face::Tui,
            Some(_) | None => Face::Api,
        };
        let said: Vec<&str> = parts.collect();
        let value = |name: &str| {
            let found = said.iter().find_map(|part| part.strip_prefix(name));
            found.and_then(|text| text.strip_prefix('=')).and_then(word)
        };
        Self {
            user: user.to_owned(),
            client: Some(client),
            pid,
            tty: value("tty"),
            from: value("from"),
            agent: agent
                .filter(|_| client == Face::Api)
                .and_then(|text| word(text.split(' ').next().unwrap_or(""))),
        }
    }

    /// What a client says of itself.
    #[must_use]
    pub fn introduction(face: Face, tty: Option<&str>, from: Option<&str>) -> String {
        let mut text = face.word().to_owned();
        for (name, value) in [("tty", tty), ("from", from)] {
            if let Some(value) = value.and_then(word) {
                text.push_str(&format!(";{name}={value}"));
            }
        }
        text
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        let Some(client) = self.client else {
            return Ok(());
        };
        write!(f, " ({}", client.word())?;
        for said in [&self.tty, &self.agent].into_iter().flatten() {
            write!(f, " {said}")?;
        }
        if let Some(from) = &self.from {
            write!(f, " from {from}")?;
        }
        f.write_str(")")
    }
}

impl From<&str> for Who {
    /// A user of whom no more is known.
    fn from(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            client: None,
            pid: None,
            tty: None,
            from: None,
            agent: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_what_it_is_and_is_called_so() {
        let said = Who::introduction(Face::Tui, Some("pts/4"), Some("10.0.0.7"));
        assert_eq!(said, "tui;tty=pts/4;from=10.0.0.7");
        let who = Who::new("ops", Some(7), Some(&said), None);
        assert_eq!(who.to_string(), "ops (tui pts/4 from 10.0.0.7)");
        assert_eq!((who.client, who.pid), (Some(Face::Tui), Some(7)));
        let bare = Who::introduction(Face::Cli, None, None);
        assert_eq!(
            Who::new("ops", None, Some(&bare), None).to_string(),
            "ops (cli)"
        );
        let curl = Who::new("ops", None, None, Some("curl/8.5.0 (x86_64)"));
        assert_eq!(curl.to_string(), "ops (api curl/8.5.0)");
        assert_eq!(Who::from("ops").to_string(), "ops");
    }

    #[test]
    fn what_a_client_says_cannot_be_more_than_a_word() {
        for said in ["cli;tty=\x1b[2J", "cli;tty=", "cli;tty=a b", "cli;tty"] {
            let who = Who::new("ops", None, Some(said), Some("x"));
            assert_eq!(who.to_string(), "ops (cli)", "{said:?}");
        }
        let long = format!("cli;from={}", "1".repeat(WORD + 1));
        assert_eq!(Who::new("ops", None, Some(&long), None).from, None);
        let strange = Who::new("ops", None, Some("root"), Some("\u{202e}x"));
        assert_eq!(strange.to_string(), "ops (api)");
    }
}
