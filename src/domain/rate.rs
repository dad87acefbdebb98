//! How fast a count grows.

/// A count at its last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rate {
    /// When that was, monotonic nanoseconds, and what the count was.
    last: Option<(u64, u64)>,
}

/// Two looks within this say nothing: nanoseconds.
const SHORTEST: u64 = 50_000_000;

impl Rate {
    /// The count now: by how much it grew a second since the look before; none when there was none, when it was a moment
    /// ago, and when the count began anew.
    pub(crate) fn per_second(&mut self, now_ns: u64, count: u64) -> Option<u64> {
        let passed = match self.last {
            Some((at, _)) if now_ns.saturating_sub(at) < SHORTEST => return None,
            Some((at, _)) => now_ns.saturating_sub(at),
            None => 0,
        };
        let (_, before) = self.last.replace((now_ns, count))?;
        let grown = u128::from(count.checked_sub(before)?);
        u64::try_from(grown * 1_000_000_000 / u128::from(passed)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_takes_two_looks_to_know_how_fast() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(5 * SECOND, 1000), None);
        assert_eq!(rate.per_second(7 * SECOND, 3000), Some(1000));
        assert_eq!(rate.per_second(8 * SECOND, 3000), Some(0));
    }

    #[test]
    fn a_look_too_soon_says_nothing_and_is_no_other_beginning() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(SECOND, 0), None);
        assert_eq!(rate.per_second(SECOND, 5), None);
        assert_eq!(rate.per_second(SECOND / 2, 5), None, "a clock set back");
        assert_eq!(rate.per_second(2 * SECOND, 10), Some(10));
    }

    #[test]
    fn a_count_that_begins_anew_is_not_known_once() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(0, u64::MAX), None);
        assert_eq!(rate.per_second(SECOND, 4), None);
        assert_eq!(rate.per_second(2 * SECOND, 10), Some(6));
        assert_eq!(rate.per_second(2 * SECOND + SHORTEST, u64::MAX), None);
    }
}
