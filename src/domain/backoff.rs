//! How long to wait before the next attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Exponential backoff: `initial × factor^(attempt − 1)`, at most `cap`, less a jitter of up to a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Backoff {
    /// The wait before the first retry.
    pub initial: Duration,
    /// What each further failure multiplies it by; 1 or more.
    pub factor: f64,
    /// The longest wait.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            factor: 2.0,
            cap: Duration::from_secs(60),
        }
    }
}

impl Backoff {
    /// The wait before retry number `attempt` (from 1). `jitter` is in 0..1 and shortens the wait by up to 10 %,
    /// so that a thousand processes that fell together do not rise together.
    #[must_use]
    pub fn delay(&self, attempt: u32, jitter: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1).min(64)).unwrap_or(64);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        let cap = self.cap.max(self.initial).as_secs_f64();
        let whole = if seconds.is_finite() {
            seconds.min(cap)
        } else {
            cap
        };
        Duration::from_secs_f64(whole * (1.0 - 0.1 * jitter.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_from_one_second_to_a_minute() {
        let backoff = Backoff::default();
        let seconds: Vec<u64> = (1..=9).map(|n| backoff.delay(n, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.delay(u32::MAX, 0.0).as_secs(), 60);
    }

    #[test]
    fn jitter_only_shortens_and_by_a_tenth_at_most() {
        let backoff = Backoff::default();
        for attempt in 1..20 {
            let whole = backoff.delay(attempt, 0.0);
            for jitter in [0.1, 0.5, 0.999, 7.0] {
                let waited = backoff.delay(attempt, jitter);
                assert!(waited <= whole && waited >= whole.mul_f64(0.899));
            }
        }
    }

    #[test]
    fn an_initial_wait_above_the_cap_is_kept() {
        let backoff = Backoff {
            initial: Duration::from_secs(300),
            ..Backoff::default()
        };
        assert_eq!(backoff.delay(3, 0.0).as_secs(), 300);
        let none = Backoff {
            initial: Duration::ZERO,
            ..Backoff::default()
        };
        assert_eq!(none.delay(9, 0.5), Duration::ZERO);
    }
}
