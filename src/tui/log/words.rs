//! A pattern as it was typed, and where it is in a line.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// The most memory that one pattern may take, bytes.
const COMPILED_MAX: usize = 1 << 20;
/// More hits in one line are not told apart.
const HITS_MAX: usize = 64;

/// A pattern; without a capital letter it matches both cases. Matching takes time in proportion to the line.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Words {
    text: String,
    regex: Regex,
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Words {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(in crate::tui) fn new(text: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(text)
            .case_insensitive(!has_capital(text))
            .size_limit(COMPILED_MAX)
            .dfa_size_limit(COMPILED_MAX)
            .build()
            .map_err(|error| {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            })?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    pub(in crate::tui) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::tui) fn is_in(&self, line: &str) -> bool {
        self.regex.is_match(line)
    }

    /// Where it is, as bytes of the line.
    pub(in crate::tui) fn ranges(&self, line: &str) -> Vec<Range<usize>> {
        self.regex
            .find_iter(line)
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .take(HITS_MAX)
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_match_both_cases_and_a_wrong_pattern_says_why() {
        let words = Words::new("pool ex").unwrap();
        assert_eq!(words.ranges("a Pool exhausted, pool ex"), [2..9, 18..25]);
        assert!(!Words::new("Pool").unwrap().is_in("a pool"));
        assert!(Words::new("x*").unwrap().ranges("abc").is_empty());
        assert_eq!(Words::new("(").unwrap_err(), "unclosed group");
    }
}
