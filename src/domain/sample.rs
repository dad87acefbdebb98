//! Measurements and fixed rings of them.

use serde::{Deserialize, Serialize};

/// One measurement of the tree of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Percent of one core since the measurement before; none before there are two.
    pub cpu: Option<f32>,
    /// Resident bytes, summed over the tree; none while the kernel knows of no page, as in the middle of an exec.
    pub memory: Option<u64>,
    /// How many processes the tree has.
    pub processes: u32,
    /// What the main process has open; none where the kernel does not count it.
    #[serde(default)]
    pub files: Option<Files>,
}

/// Descriptors of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    /// How many are open.
    pub open: u32,
    /// How many may be; none without a limit.
    pub limit: Option<u64>,
}

/// How many measurements a series holds.
pub(crate) const SERIES_LENGTH: usize = 60;

/// The last [`SERIES_LENGTH`] values of percent of one core, oldest first, in tenths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Series {
    values: Vec<u16>,
    start: usize,
}

impl Series {
    /// Adds the newest; the oldest goes.
    pub(crate) fn push(&mut self, cpu: f32) {
        // Saturating and never negative, by the clamp.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let value = (cpu * 10.0).clamp(0.0, f32::from(u16::MAX)) as u16;
        if self.values.len() < SERIES_LENGTH {
            self.values.push(value);
        } else {
            self.values[self.start] = value;
            self.start = (self.start + 1) % SERIES_LENGTH;
        }
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let (new, old) = self.values.split_at(self.start);
        old.iter().chain(new).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut series = Series::default();
        for n in 0..100 {
            series.push(n as f32);
        }
        let values: Vec<u16> = series.iter().collect();
        assert_eq!(values.len(), SERIES_LENGTH);
        assert_eq!((values[0], values[59]), (400, 990));
        series.push(f32::INFINITY);
        series.push(f32::NAN);
        assert_eq!(series.iter().nth(58), Some(u16::MAX));
        assert_eq!(series.iter().last(), Some(0));
    }
}
