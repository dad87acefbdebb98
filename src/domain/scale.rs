//! How many instances a process is to have: a number, or so many more or fewer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::spec::INSTANCES_MAX;

/// How many are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Count {
    /// So many.
    To(u32),
    /// So many more.
    More(u32),
    /// So many fewer.
    Fewer(u32),
}

impl Count {
    /// How many that are, where there are so many now.
    ///
    /// # Errors
    /// When no process can have so many, in words.
    pub fn of(self, now: u32) -> Result<u32, String> {
        let (wanted, told) = match self {
            Self::To(count) => (Some(count), count.to_string()),
            Self::More(more) => (now.checked_add(more), format!("{now}+{more}")),
            Self::Fewer(fewer) => (now.checked_sub(fewer), format!("{now}-{fewer}")),
        };
        wanted
            .filter(|count| (1..=INSTANCES_MAX).contains(count))
            .ok_or_else(|| {
                format!("a process has 1 to {INSTANCES_MAX} instances, and cannot have {told}")
            })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(count) => write!(f, "{count}"),
            Self::More(more) => write!(f, "+{more}"),
            Self::Fewer(fewer) => write!(f, "-{fewer}"),
        }
    }
}

impl FromStr for Count {
    type Err = String;

    /// Takes `4`, `+1` and `-1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let count = digits.parse().ok().filter(|_| plain);
            count.ok_or_else(|| format!("{text:?} is no number of instances: 4, +1 or -1"))
        };
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(more), _) => number(more).map(Self::More),
            (None, Some(fewer)) => number(fewer).map(Self::Fewer),
            (None, None) => number(text).map(Self::To),
        }
    }
}

impl TryFrom<String> for Count {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Count> for String {
    fn from(count: Count) -> Self {
        count.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_are_shown() {
        for (text, count) in [
            ("4", Count::To(4)),
            ("+2", Count::More(2)),
            ("-1", Count::Fewer(1)),
        ] {
            assert_eq!(text.parse(), Ok(count));
            assert_eq!(count.to_string(), text);
        }
        for text in ["", "+", "-", "++1", "+-1", "1.5", "x", " 1", "99999999999"] {
            assert!(text.parse::<Count>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_process_keeps_at_least_one_and_no_more_than_it_may_have() {
        assert_eq!(Count::More(2).of(3), Ok(5));
        assert_eq!(Count::Fewer(2).of(3), Ok(1));
        assert_eq!(Count::To(INSTANCES_MAX).of(1), Ok(INSTANCES_MAX));
        let refused = Count::Fewer(3).of(3).unwrap_err();
        assert_eq!(
            refused,
            "a process has 1 to 1000 instances, and cannot have 3-3"
        );
        for count in [
            Count::To(0),
            Count::Fewer(4),
            Count::To(INSTANCES_MAX + 1),
            Count::More(u32::MAX),
        ] {
            assert!(count.of(3).is_err(), "{count}");
        }
    }
}
