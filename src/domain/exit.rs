//! How a run ended, and signals by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A signal by number, shown and read by name. Numbers are Linux's generic ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(i32);

const NAMES: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

impl Signal {
    /// Ends a process politely.
    pub const TERM: Self = Self(15);
    /// Ends a process without asking.
    pub const KILL: Self = Self(9);
    /// Ctrl-C.
    pub const INT: Self = Self(2);

    /// From the kernel's number, 1 to 64.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        (1..=64).contains(&number).then_some(Self(number))
    }

    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }

    /// The names that can be given, without `SIG`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.pad(&format!("SIG{name}")),
            None => f.pad(&format!("SIG{}", self.0)),
        }
    }
}

impl FromStr for Signal {
    type Err = String;
    /// Takes `TERM`, `SIGTERM`, `sigterm` and `15`.
    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim().to_ascii_uppercase();
        let bare = bare.strip_prefix("SIG").unwrap_or(&bare);
        if let Ok(number) = bare.parse::<i32>() {
            return Self::from_number(number)
                .ok_or_else(|| format!("no signal has number {number}"));
        }
        NAMES
            .iter()
            .find(|(name, _)| *name == bare)
            .map(|(_, number)| Self(*number))
            .ok_or_else(|| {
                let near = |name: &&str| strsim::normalized_damerau_levenshtein(bare, name);
                let nearest = Self::names().max_by(|a, b| near(a).total_cmp(&near(b)));
                match nearest.filter(|name| near(name) >= 0.5) {
                    Some(name) => format!("no signal is called {text:?}; did you mean {name}?"),
                    None => format!("no signal is called {text:?}"),
                }
            })
    }
}

impl TryFrom<String> for Signal {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It returned a code, 0 to 255.
    Code(i32),
    /// A signal ended it; `core` when the kernel wrote a core dump.
    Signal {
        /// Which signal.
        signal: Signal,
        /// Whether a core dump was written.
        #[serde(default)]
        core: bool,
    },
    /// It never became the program: what failed, in the child, before or at exec.
    NotExecuted(ShortText),
    /// The kernel will not tell (`adopted` runs on old kernels).
    Unknown,
}

/// A short text that is `Copy`, so that an ending stays a plain value: at most 96 bytes are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortText {
    bytes: [u8; 96],
    len: u8,
}

impl ShortText {
    /// Keeps the first 96 bytes, cut at a character.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(96);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut bytes = [0; 96];
        bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
        Self {
            bytes,
            len: u8::try_from(end).unwrap_or(0),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("")
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for ShortText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ShortText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl Ending {
    /// Only exit code 0 is a success.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal { signal, core } => {
                write!(f, "{signal}{}", if *core { " (core dumped)" } else { "" })
            }
            Self::NotExecuted(why) => write!(f, "not executed: {}", why.as_str()),
            Self::Unknown => f.write_str("exit unknown"),
        }
    }
}

/// One end of a run: how, when, and what it had used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// How it ended.
    pub ending: Ending,
    /// Wall-clock time, milliseconds since 1970.
    pub at_ms: u64,
    /// Processor time used by the run and its waited-for children, milliseconds.
    #[serde(default)]
    pub cpu_ms: u64,
    /// Largest resident set, bytes.
    #[serde(default)]
    pub peak_rss: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_by_every_usual_spelling_and_shown_by_name() {
        for text in ["TERM", "SIGTERM", "sigterm", "15", " term "] {
            assert_eq!(text.parse::<Signal>(), Ok(Signal::TERM), "{text:?}");
        }
        assert_eq!(Signal::KILL.to_string(), "SIGKILL");
        assert_eq!(Signal::from_number(40).unwrap().to_string(), "SIG40");
        assert!("SIGNOPE".parse::<Signal>().is_err());
        let near = "SIGHPU".parse::<Signal>().unwrap_err();
        assert_eq!(near, "no signal is called \"SIGHPU\"; did you mean HUP?");
        let far = "xxxxx".parse::<Signal>().unwrap_err();
        assert_eq!(far, "no signal is called \"xxxxx\"");
        assert!("0".parse::<Signal>().is_err());
        assert!("65".parse::<Signal>().is_err());
        let names: std::collections::HashSet<_> = Signal::names().collect();
        assert_eq!(names.len(), NAMES.len());
    }

    #[test]
    fn only_code_zero_is_success() {
        assert!(Ending::Code(0).is_success());
        assert!(!Ending::Code(1).is_success());
        assert!(!Ending::Unknown.is_success());
        let killed = Ending::Signal {
            signal: Signal::KILL,
            core: false,
        };
        assert!(!killed.is_success());
        assert_eq!(killed.to_string(), "SIGKILL");
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let text = "ä".repeat(90);
        let kept = ShortText::new(&text);
        assert_eq!(kept.as_str().len(), 96);
        let ending = Ending::NotExecuted(kept);
        let json = serde_json::to_string(&ending).unwrap();
        assert_eq!(serde_json::from_str::<Ending>(&json).unwrap(), ending);
    }
}
