//! One press of a key, by the name it has in the table, the help and the configuration.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys that have a word.
const WORDS: [(&str, KeyCode); 14] = [
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Tab", KeyCode::Tab),
    ("S-Tab", KeyCode::BackTab),
    ("Esc", KeyCode::Esc),
    ("Enter", KeyCode::Enter),
    ("Del", KeyCode::Delete),
    ("Space", KeyCode::Char(' ')),
];

/// A key with what is held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Press {
    code: KeyCode,
    control: bool,
}

impl Press {
    /// None for keys that have no name here.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "terminals send more keys than are bound"
    )]
    pub(crate) fn of(event: &KeyEvent) -> Option<Self> {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) if control => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) => KeyCode::Char(c),
            KeyCode::F(n) => KeyCode::F(n),
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code if WORDS.iter().any(|(_, it)| *it == code) => code,
            _ => return None,
        };
        let control = control && matches!(code, KeyCode::Char(_));
        Some(Self { code, control })
    }
}

impl fmt::Display for Press {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only named keys can be made"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((word, _)) = WORDS.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(word);
        }
        match self.code {
            KeyCode::Char(c) if self.control => write!(f, "^{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            _ => Ok(()),
        }
    }
}

/// No key is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key is called `{0}`: a letter or sign, ^X, F1 to F12, {words}", words = WORDS.map(|(word, _)| word).join(" "))]
pub(crate) struct NoKey(String);

impl FromStr for Press {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let plain = |code| Self {
            code,
            control: false,
        };
        if let Some((_, code)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(plain(*code));
        }
        let mut chars = text.chars();
        match (chars.next(), chars.next(), chars.next()) {
            (Some(c), None, None) if !c.is_control() => Ok(plain(KeyCode::Char(c))),
            (Some('^'), Some(c), None) if c.is_ascii_graphic() => Ok(Self {
                code: KeyCode::Char(c.to_ascii_lowercase()),
                control: true,
            }),
            (Some('F'), Some(_), _) => text[1..]
                .parse()
                .ok()
                .filter(|n| (1..=12).contains(n))
                .map(|n| plain(KeyCode::F(n)))
                .ok_or_else(|| NoKey(text.to_owned())),
            _ => Err(NoKey(text.to_owned())),
        }
    }
}

/// Keys pressed one after another. In text they are joined by `+`; the key `+` itself stands alone or last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sequence(pub(crate) Vec<Press>);

impl FromStr for Sequence {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        // The key `+` stands alone, or last.
        let (text, plus) = match text.strip_suffix("++") {
            Some(before) => (before, true),
            None if text == "+" => ("", true),
            None => (text, false),
        };
        let mut keys = Vec::new();
        if !(text.is_empty() && plus) {
            for key in text.split('+') {
                keys.push(key.parse()?);
            }
        }
        if plus {
            keys.push("+".parse()?);
        }
        Ok(Self(keys))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, press) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("+")?;
            }
            write!(f, "{press}")?;
        }
        Ok(())
    }
}
