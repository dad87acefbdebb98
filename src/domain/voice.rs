//! When an instance writes: how long it is usually silent, and since when it is longer.

use serde::{Deserialize, Serialize};

/// So many silences are remembered; before there are as many, none is unusual.
const GAPS: usize = 8;
/// A silence is longer than usual when it is so many times the longest of them.
const TIMES: u64 = 3;
/// No shorter silence is worth a word, milliseconds.
const SHORTEST: u64 = 10_000;

/// What is known of the output of one instance, for as long as somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Voice {
    /// When it wrote last, milliseconds since 1970.
    last_ms: Option<u64>,
    /// The last silences, milliseconds; the oldest is overwritten.
    gaps: [u64; GAPS],
    count: usize,
    /// How often standard error was seen to grow.
    errors: u64,
}

/// What is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// When it wrote last, milliseconds since 1970.
    pub last_ms: u64,
    /// How often standard error was seen to grow since somebody looks, where it has a file of its own.
    pub errors: u64,
    /// From this moment on it is silent for longer than it usually is; none before that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<u64>,
}

impl Voice {
    /// It wrote; whether to standard error.
    pub(crate) fn wrote(&mut self, at_ms: u64, error: bool) {
        self.errors += u64::from(error);
        if let Some(last) = self.last_ms {
            if at_ms <= last {
                return;
            }
            self.gaps[self.count % GAPS] = at_ms - last;
            self.count += 1;
        }
        self.last_ms = Some(at_ms);
    }

    /// Another run: how it was before says nothing of it.
    pub(crate) fn begin(&mut self) {
        *self = Self {
            errors: self.errors,
            ..Self::default()
        };
    }

    /// What is told; nothing before it wrote.
    pub(crate) fn heard(&self) -> Option<Heard> {
        let last_ms = self.last_ms?;
        let longest = self.gaps.iter().copied().max().unwrap_or(0);
        let usual = longest.saturating_mul(TIMES).max(SHORTEST);
        Some(Heard {
            last_ms,
            errors: self.errors,
            silent_ms: (self.count >= GAPS).then(|| last_ms.saturating_add(usual)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(times: &[u64]) -> Option<u64> {
        let mut it = Voice::default();
        for at in times {
            it.wrote(*at, false);
        }
        it.heard()?.silent_ms
    }

    #[test]
    fn a_silence_is_unusual_by_those_before_and_never_before_there_are_some() {
        assert_eq!(silent(&[]), None);
        let steady: Vec<u64> = (0..8).map(|n| n * 20_000).collect();
        assert_eq!(silent(&steady), None, "seven silences are too few");
        let steady: Vec<u64> = (0..9).map(|n| n * 20_000).collect();
        assert_eq!(silent(&steady), Some(160_000 + 60_000));
        let chatty: Vec<u64> = (0..100).map(|n| n * 25).collect();
        assert_eq!(silent(&chatty), Some(99 * 25 + 10_000), "a while at least");
        // One long silence is forgotten after eight.
        let mut late = vec![0, 500_000];
        late.extend((1..=7).map(|n| 500_000 + n * 1_000));
        assert_eq!(silent(&late), Some(507_000 + 1_500_000));
        late.push(508_000);
        assert_eq!(silent(&late), Some(508_000 + 10_000));
    }

    #[test]
    fn another_run_begins_anew_but_for_what_was_counted() {
        let mut it = Voice::default();
        for at in 0..20 {
            it.wrote(at * 1_000, at % 2 == 0);
        }
        assert_eq!(it.heard().map(|heard| heard.errors), Some(10));
        it.begin();
        assert_eq!(it.heard(), None);
        it.wrote(90_000, true);
        let heard = it.heard().unwrap();
        assert_eq!((heard.errors, heard.silent_ms), (11, None));
        it.wrote(80_000, true);
        assert_eq!(
            it.heard().unwrap().last_ms,
            90_000,
            "a clock that went back"
        );
    }
}
