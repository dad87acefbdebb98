//! Which lines are wanted: patterns that a line must or must not match, and how bad it must be.

use std::borrow::Cow;

use regex::bytes::{Regex, RegexBuilder};

use crate::domain::level::Level;

use super::safe::SafeText;

/// The longest pattern, bytes.
const PATTERN_MAX: usize = 1024;
/// The most patterns of one filter.
const PATTERNS_MAX: usize = 16;
/// What one compiled pattern may take, bytes; its cache as much again.
const COMPILED_MAX: usize = 1 << 20;

/// What is no pattern.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatternError {
    /// By the rules of regular expressions.
    #[error("{0}")]
    Syntax(Box<regex::Error>),
    /// Too much of it.
    #[error("the pattern has {0} bytes; {PATTERN_MAX} are the most")]
    Long(usize),
    /// Too many.
    #[error("{0} patterns; {PATTERNS_MAX} are the most")]
    Many(usize),
}

/// One pattern; matching takes time in proportion to the line, whatever the pattern. A pattern without a capital
/// letter matches both cases.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_MAX {
            return Err(PatternError::Long(text.len()));
        }
        RegexBuilder::new(text)
            .case_insensitive(!has_capital(text))
            .size_limit(COMPILED_MAX)
            .dfa_size_limit(COMPILED_MAX)
            .build()
            .map(Self)
            .map_err(|error| PatternError::Syntax(Box::new(error)))
    }

    /// Whether it is somewhere in a line, as the line is seen: without what colours it.
    #[must_use]
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        self.0.is_match(&seen(line))
    }
}

/// A capital letter that is no part of a class like `\W`.
fn has_capital(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c.is_uppercase() {
            return true;
        }
    }
    false
}

fn seen(line: &[u8]) -> Cow<'_, [u8]> {
    if line.contains(&0x1b) {
        Cow::Owned(SafeText::new(line).plain().into_bytes())
    } else {
        Cow::Borrowed(line)
    }
}

/// What a reader wants to see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    patterns: Vec<(bool, Pattern)>,
    level: Option<Level>,
}

impl Filter {
    /// One pattern a line of `text`, all of which must match; behind a `!` none may. `level` hides what is known to
    /// be milder.
    ///
    /// # Errors
    /// The first that is no pattern.
    pub(crate) fn new(text: &str, level: Option<Level>) -> Result<Self, PatternError> {
        let texts: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        if texts.len() > PATTERNS_MAX {
            return Err(PatternError::Many(texts.len()));
        }
        let mut patterns = Vec::new();
        for text in texts {
            let (wanted, text) = match text.strip_prefix('!') {
                Some(text) => (false, text),
                None => (true, text),
            };
            patterns.push((wanted, Pattern::new(text)?));
        }
        Ok(Self { patterns, level })
    }

    /// Whether every line passes.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.patterns.is_empty() && self.level.is_none()
    }

    /// Whether a line is wanted.
    #[must_use]
    pub(crate) fn passes(&self, line: &[u8]) -> bool {
        if self.is_open() {
            return true;
        }
        let line = seen(line);
        let mild = self
            .level
            .is_some_and(|least| Level::of(&line).is_some_and(|level| level < least));
        !mild
            && self
                .patterns
                .iter()
                .all(|(wanted, pattern)| pattern.0.is_match(&line) == *wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_add_up_and_a_bang_turns_one_around() {
        let passes =
            |filter: &str, line: &str| Filter::new(filter, None).unwrap().passes(line.as_bytes());
        assert!(passes("", "anything"));
        assert!(passes("get", "GET /orders"), "both cases");
        assert!(!passes("Get", "GET /orders"), "a capital one does not");
        assert!(passes("\\Sorders", "GET /ORDERS"), "a class is no letter");
        assert!(!passes("get\n!health", "GET /healthz"));
        assert!(passes("get\n!health", "GET /orders"));
        assert!(!passes("get\norders", "GET /"));
        assert!(passes("pool exhausted", "\x1b[31mpool\x1b[0m exhausted"));
    }

    #[test]
    fn what_is_known_to_be_milder_is_hidden() {
        let warn = Filter::new("", Some(Level::Warn)).unwrap();
        assert!(!warn.passes(b"INFO started"));
        assert!(warn.passes(b"WARN slow"));
        assert!(warn.passes(b"ERROR gone"));
        assert!(warn.passes(b"no level at all"));
    }

    #[test]
    fn what_is_no_pattern_is_said_and_what_is_too_large_is_refused() {
        let wrong = |filter: &str| Filter::new(filter, None).unwrap_err().to_string();
        assert!(wrong("(").contains("unclosed group"), "{}", wrong("("));
        assert!(wrong(&"x".repeat(2000)).contains("2000 bytes"));
        assert!(wrong(&"x\n".repeat(20)).contains("20 patterns"));
        assert!(wrong("(a{1000}){1000}").contains("size limit"));
    }
}
