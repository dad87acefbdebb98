//! Lines that say the same but for their numbers, and when so many come that they are folded.

use std::fmt;

/// So many lines a second are a flood; it is over below half of that.
const FLOOD: u64 = 500;
/// No more of a line is compared, bytes.
const COMPARED: usize = 256;
/// A word of this many hexadecimal digits is a number.
const HEX: usize = 8;

/// What a line says, without its numbers.
pub(super) fn likeness(text: &str) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    let end = text.floor_char_boundary(COMPARED);
    let text = text.get(..end).unwrap_or(text);
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric());
    for word in words {
        let body = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let hex = body.len() >= HEX
            && body.bytes().all(|b| b.is_ascii_hexdigit())
            && body.bytes().any(|b| b.is_ascii_digit());
        if hex {
            hash.update(b"0");
        } else {
            let mut number = false;
            for b in body.bytes() {
                let digit = b.is_ascii_digit();
                if !(digit && number) {
                    hash.update(&[if digit { b'0' } else { b }]);
                }
                number = digit;
            }
        }
        hash.update(word.get(body.len()..).unwrap_or("").as_bytes());
    }
    hash.finalize()
}

/// Whether similar lines are shown as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tui) enum Similar {
    /// While more come than can be read.
    #[default]
    InFloods,
    Folded,
    Apart,
}

impl Similar {
    pub(in crate::tui) fn next(self) -> Self {
        match self {
            Self::InFloods => Self::Folded,
            Self::Folded => Self::Apart,
            Self::Apart => Self::InFloods,
        }
    }
}

impl fmt::Display for Similar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InFloods => "similar lines are folded in floods",
            Self::Folded => "similar lines are folded; errors never",
            Self::Apart => "every line for itself",
        })
    }
}

/// How many lines come, second by second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    second: u64,
    count: u64,
    /// How many of them are here to be shown.
    sent: u64,
    /// Of the last whole second.
    last: u64,
    last_sent: u64,
    pub(super) flood: bool,
}

impl Rate {
    /// How many came in the last whole second, where that is a flood.
    pub(super) fn flooded(&self) -> Option<u64> {
        (self.flood && self.last >= FLOOD / 2).then_some(self.last)
    }

    /// Percent of them that are here; none when all are.
    pub(super) fn share(&self) -> Option<u64> {
        let all = self.last_sent >= self.last || self.last == 0;
        (!all).then(|| (self.last_sent * 100).div_ceil(self.last))
    }

    /// A line came at a time, and so many before it did not.
    pub(super) fn came(&mut self, time_ms: u64, missed: u64) {
        let second = time_ms / 1000;
        if second > self.second {
            let next = second == self.second + 1;
            (self.last, self.last_sent) = if next {
                (self.count, self.sent)
            } else {
                (0, 0)
            };
            self.flood = if self.flood {
                self.last >= FLOOD / 2
            } else {
                self.last >= FLOOD
            };
            (self.second, self.count, self.sent) = (second, 0, 0);
        }
        self.count += 1 + missed;
        self.sent += 1;
        // It is noticed before its second is over.
        self.flood |= self.count >= FLOOD;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_make_lines_different_and_words_do() {
        let same = |a, b| likeness(a) == likeness(b);
        assert!(same(
            "apply batch 99281 (412 rows)",
            "apply batch 7 (1 rows)"
        ));
        assert!(same("trace=8f2c01aa94 ok", "trace=00aa11bb22cc33 ok"));
        assert!(!same("apply batch 1", "apply match 1"));
        assert!(!same("GET /a 200", "GET /b 200"));
        assert!(!same("1", ""));
        assert!(same("defaced 1", "defaced 2"));
        assert!(!same("defaced 1", "effaced 1"));
        let long = "x".repeat(300);
        assert!(
            same(&format!("{long}a"), &format!("{long}b")),
            "its beginning"
        );
        let _ = likeness(&"\u{4e16}".repeat(100));
    }

    #[test]
    fn a_flood_begins_within_its_first_second_and_ends_after_it() {
        let mut rate = Rate::default();
        (0..400).for_each(|n| rate.came(10_000 + n, 0));
        assert!(!rate.flood);
        rate.came(10_500, 199);
        assert!(rate.flood);
        (0..300).for_each(|n| rate.came(11_000 + n, 0));
        assert_eq!(rate.share(), Some(67), "401 of 600");
        rate.came(12_000, 9);
        assert_eq!(rate.share(), None, "all 300");
        assert!(rate.flood, "300 a second are still one");
        rate.came(13_000, 0);
        assert!(!rate.flood);
        rate.came(13_500, 9_999);
        assert!(rate.flood);
        rate.came(99_000, 0);
        assert!(!rate.flood, "after a pause");
    }
}
