//! The instances of a rolling restart that are new, compared with those that are old: is it getting better?

use serde::{Deserialize, Serialize};

use super::rollout::Place;

/// It is compared over so much time, milliseconds.
pub(crate) const WINDOW_MS: u64 = 60_000;
/// What was looked at for less says nothing, milliseconds.
pub(crate) const ENOUGH_MS: u64 = 10_000;
/// So many of a side have their lines counted: a process with a hundred instances costs no more than one with a few.
pub(crate) const COUNTED: usize = 8;

/// One side: old or new. Figures are for one instance, and none where nothing is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Side {
    /// Its instances.
    pub names: Vec<String>,
    /// Lines of standard error in a minute.
    pub stderr: Option<f64>,
    /// Lines in a minute that say themselves that they are errors.
    pub errors: Option<f64>,
    /// Bytes.
    pub memory: Option<f64>,
    /// Percent of one core.
    pub cpu: Option<f64>,
    /// Runs that ended by themselves within the last minute, of all instances together.
    pub ends: Option<f64>,
    /// Whether one of them runs for less than a minute.
    pub young: bool,
}

/// What is known of one instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Lines in a minute.
    pub(crate) stderr: Option<f64>,
    /// Lines in a minute.
    pub(crate) errors: Option<f64>,
    /// Bytes.
    pub(crate) memory: Option<f64>,
    /// Percent of one core.
    pub(crate) cpu: Option<f64>,
    /// Runs that ended by themselves.
    pub(crate) ends: Option<u64>,
    /// Its run began within the window.
    pub(crate) young: bool,
}

/// The mean of what is known.
pub(crate) fn mean(figures: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = figures.flatten().collect();
    #[expect(clippy::cast_precision_loss, reason = "a few instances")]
    let count = known.len() as f64;
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
}

impl Side {
    /// All instances of a side together.
    pub(crate) fn of(all: &[Measured]) -> Self {
        // Of none, and of some of whom nothing is known, there is no sum.
        let ends: Option<Vec<u64>> = all.iter().map(|it| it.ends).collect();
        #[expect(clippy::cast_precision_loss, reason = "a few runs")]
        let ends = ends
            .filter(|ends| !ends.is_empty())
            .map(|ends| ends.iter().sum::<u64>() as f64);
        Self {
            names: all.iter().map(|it| it.name.clone()).collect(),
            stderr: mean(all.iter().map(|it| it.stderr)),
            errors: mean(all.iter().map(|it| it.errors)),
            memory: mean(all.iter().map(|it| it.memory)),
            cpu: mean(all.iter().map(|it| it.cpu)),
            ends,
            young: all.iter().any(|it| it.young),
        }
    }
}

/// Whether an instance at a place has its new run; none when it has neither.
pub(crate) fn is_new(place: Place) -> Option<bool> {
    match place {
        Place::Waiting | Place::Down => Some(false),
        Place::Rising | Place::Settling | Place::Done | Place::Failed => Some(true),
        Place::Draining | Place::Left => None,
    }
}

/// What is compared. Of all of it less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Lines that say that they are errors.
    Errors,
    /// Lines of standard error.
    Stderr,
    /// Bytes.
    Memory,
    /// Percent of one core.
    Cpu,
    /// Runs that ended by themselves.
    Ends,
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Much less than before.
    Better,
    /// Much more than before.
    Worse,
    /// It is too soon to say.
    Young,
}

impl Figure {
    /// All of them, the most telling first.
    pub const ALL: [Self; 5] = [
        Self::Errors,
        Self::Stderr,
        Self::Memory,
        Self::Cpu,
        Self::Ends,
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Errors => "error lines/min",
            Self::Stderr => "stderr lines/min",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Ends => "ended by itself",
        }
    }

    /// Of a side.
    #[must_use]
    pub fn of(self, side: &Side) -> Option<f64> {
        match self {
            Self::Errors => side.errors,
            Self::Stderr => side.stderr,
            Self::Memory => side.memory,
            Self::Cpu => side.cpu,
            Self::Ends => side.ends,
        }
    }

    /// Less than this is no difference.
    fn least(self) -> f64 {
        match self {
            Self::Errors | Self::Stderr | Self::Ends => 1.0,
            Self::Memory => 8.0 * 1024.0 * 1024.0,
            Self::Cpu => 5.0,
        }
    }

    /// Whether it takes its time to become what it is.
    fn grows(self) -> bool {
        match self {
            Self::Memory | Self::Cpu => true,
            Self::Errors | Self::Stderr | Self::Ends => false,
        }
    }

    /// What the difference means, where there is one that counts.
    #[must_use]
    pub fn verdict(self, old: &Side, new: &Side) -> Option<Verdict> {
        let (before, after) = (self.of(old)?, self.of(new)?);
        let differs = (before - after).abs() >= self.least();
        if self.grows() && new.young {
            Some(Verdict::Young)
        } else if differs && after > 2.0 * before {
            Some(Verdict::Worse)
        } else if differs && after < 0.8 * before {
            Some(Verdict::Better)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(errors: Option<f64>, memory: Option<f64>, young: bool) -> Side {
        Side {
            errors,
            memory,
            young,
            ..Side::default()
        }
    }

    #[test]
    fn a_word_is_said_where_both_are_known_and_differ_enough() {
        let mib = 1024.0 * 1024.0;
        let errors = |old, new| {
            let lines = |n| side(n, None, false);
            Figure::Errors.verdict(&lines(old), &lines(new))
        };
        assert_eq!(errors(Some(14.0), Some(2.0)), Some(Verdict::Better));
        assert_eq!(errors(Some(2.0), Some(14.0)), Some(Verdict::Worse));
        assert_eq!(errors(Some(0.0), Some(0.9)), None);
        assert_eq!(errors(Some(10.0), Some(12.0)), None);
        assert_eq!(errors(None, Some(12.0)), None);
        let memory = |new, young| {
            let old = side(None, Some(100.0 * mib), false);
            Figure::Memory.verdict(&old, &side(None, Some(new * mib), young))
        };
        assert_eq!(memory(9.0, true), Some(Verdict::Young));
        assert_eq!(memory(9.0, false), Some(Verdict::Better));
        assert_eq!(memory(300.0, false), Some(Verdict::Worse));
    }

    #[test]
    fn a_side_is_the_mean_of_what_is_known_and_its_ends_are_the_sum_of_all() {
        let measured = |stderr, ends, young| Measured {
            name: "api".into(),
            stderr,
            ends,
            young,
            ..Measured::default()
        };
        let one = measured(Some(4.0), Some(1), false);
        let two = measured(None, Some(2), true);
        let both = Side::of(&[one.clone(), two]);
        assert_eq!(
            (both.stderr, both.ends, both.young),
            (Some(4.0), Some(3.0), true)
        );
        assert_eq!(both.memory, None, "unknown is no zero");
        let unheard = Side::of(&[one, measured(Some(6.0), None, false)]);
        assert_eq!((unheard.stderr, unheard.ends), (Some(5.0), None));
        assert_eq!(Side::of(&[]).ends, None);
    }
}
