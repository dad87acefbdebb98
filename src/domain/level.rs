//! How bad a line of output says it is.

use serde::{Deserialize, Serialize};

/// From the mildest to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For those who write the program.
    Debug,
    /// What is usual.
    Info,
    /// What is not as it should be.
    Warn,
    /// What failed; also `fatal`, `panic` and `critical`.
    Error,
}

/// How far into a line the word is looked for, bytes: behind times, names and brackets.
const HEAD: usize = 96;
/// How many words of a line are looked at.
const WORDS: usize = 12;

impl Level {
    /// All, from the mildest.
    pub const ALL: [Self; 5] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level that a line names: the first word of its head that is one, or the value of its `level` or `severity`.
    /// Small letters count only where nothing else can be meant: alone in brackets, before a colon, as such a value.
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        let head = &line[..line.len().min(HEAD)];
        let mut words = 0;
        let mut at = 0;
        while at < head.len() && words < WORDS {
            if !head[at].is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            let length = head[at..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric())
                .count();
            let word = &head[at..at + length];
            let before = at.checked_sub(1).map(|n| head[n]);
            words += 1;
            if let Some(level) = Self::word(word)
                && (word.iter().all(u8::is_ascii_uppercase)
                    || is_marked(before, &head[at + length..]))
            {
                return Some(level);
            }
            at += length;
        }
        None
    }

    fn word(word: &[u8]) -> Option<Self> {
        let is = |names: &[&str]| {
            names
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        if is(&["trace", "trc"]) {
            Some(Self::Trace)
        } else if is(&["debug", "dbg"]) {
            Some(Self::Debug)
        } else if is(&["info", "notice", "inf"]) {
            Some(Self::Info)
        } else if is(&["warn", "warning", "wrn"]) {
            Some(Self::Warn)
        } else if is(&[
            "error",
            "err",
            "fatal",
            "panic",
            "critical",
            "crit",
            "alert",
            "emerg",
            "emergency",
        ]) {
            Some(Self::Error)
        } else {
            None
        }
    }
}

/// Whether the signs around a word say that it is a mark and not a part of a sentence.
fn is_marked(before: Option<u8>, rest: &[u8]) -> bool {
    let after = rest.first();
    let closed = match before {
        Some(b'[') => after == Some(&b']'),
        Some(b'(') => after == Some(&b')'),
        Some(b'<') => after == Some(&b'>'),
        Some(b'|') => after == Some(&b'|'),
        // The value of a key, and not the key.
        Some(b'"') => after == Some(&b'"') && rest.get(1) != Some(&b':'),
        Some(b'=') => true,
        Some(_) | None => false,
    };
    closed || after == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_found_where_programs_write_it() {
        for (line, level) in [
            ("ERROR upstream: deadline exceeded", Some(Level::Error)),
            ("2026-01-31T08:00:00Z  WARN pool", Some(Level::Warn)),
            ("[2026-01-31 08:00:00] [info] ready", Some(Level::Info)),
            ("{\"level\":\"error\",\"msg\":\"x\"}", Some(Level::Error)),
            ("ts=1 level=warning msg=x", Some(Level::Warn)),
            ("error: cannot find module", Some(Level::Error)),
            ("npm ERR! code E404", Some(Level::Error)),
            ("{\"level\":30,\"err\":null}", None),
            ("GET /error 200 14ms", None),
            ("no errors found", None),
            ("an error happened, said the info desk", None),
            ("", None),
        ] {
            assert_eq!(Level::of(line.as_bytes()), level, "{line}");
        }
    }
}
