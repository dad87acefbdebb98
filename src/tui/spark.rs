//! What one instance used, column by column of five seconds: a picture that moves every second costs a line on every
//! line of the screen.

use std::collections::VecDeque;

use crate::api::Columns;

/// Seconds a column stands for.
pub(super) const COLUMN: u8 = 5;
/// How many columns are kept: five minutes.
const KEPT: usize = 60;

/// Finished columns, oldest first, and the one that is being filled.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spark {
    /// Percent of one core in tenths; none where nothing was measured.
    cpu: VecDeque<Option<u16>>,
    /// Bytes; none where no figure was known.
    memory: VecDeque<Option<u64>>,
    sum: u32,
    samples: u32,
    bytes: Option<u64>,
    /// Seconds of the column that have passed.
    filled: u8,
}

impl Spark {
    /// From percents of each second. Which second a column begins at goes by the instance, so that not all rows of the
    /// table change at once.
    pub(super) fn of(id: u32, seconds: &[u16]) -> Self {
        let column = usize::from(COLUMN);
        let phase = usize::try_from(id).unwrap_or(0) % column;
        let lead = (seconds.len() + phase) % column;
        let mut it = Self::default();
        if seconds.is_empty() {
            it.filled = u8::try_from(phase).unwrap_or(0);
        }
        // What is older than the first whole column is left out.
        let older = seconds.len().saturating_sub(lead) % column;
        for cpu in &seconds[older..] {
            it.add(*cpu, None);
        }
        it
    }

    /// Another second.
    pub(super) fn add(&mut self, cpu: u16, memory: Option<u64>) {
        self.sum += u32::from(cpu);
        self.samples += 1;
        self.bytes = memory.or(self.bytes);
        self.filled += 1;
        if self.filled >= COLUMN {
            if self.cpu.len() == KEPT {
                self.cpu.pop_front();
                self.memory.pop_front();
            }
            let mean = self.sum / self.samples;
            self.cpu
                .push_back(Some(u16::try_from(mean).unwrap_or(u16::MAX)));
            self.memory.push_back(self.bytes);
            (self.sum, self.samples, self.bytes, self.filled) = (0, 0, None, 0);
        }
    }

    /// What was measured before, in place of the finished columns; the column that is being filled stays.
    pub(super) fn fill(&mut self, told: &Columns) {
        if told.period_ms != u64::from(COLUMN) * 1000 || told.cpu.len() != told.memory.len() {
            return;
        }
        let both = || told.cpu.iter().zip(&told.memory);
        // Before the first there is nothing to show as a gap.
        let before = both().take_while(|it| *it == (&None, &None)).count();
        let older = before.max(told.cpu.len().saturating_sub(KEPT));
        if older == told.cpu.len() {
            return;
        }
        (self.cpu, self.memory) = both()
            .skip(older)
            .map(|(cpu, memory)| (*cpu, *memory))
            .unzip();
    }

    /// Percent of one core in tenths, oldest first; none where nothing was measured.
    pub(super) fn cpu(&self) -> &VecDeque<Option<u16>> {
        &self.cpu
    }

    /// Bytes, oldest first.
    pub(super) fn memory(&self) -> &VecDeque<Option<u64>> {
        &self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_mean_of_five_seconds() {
        let mut it = Spark::default();
        for cpu in [10, 20, 30, 40, 50, 1000] {
            it.add(cpu, Some(7));
        }
        assert_eq!(it.cpu(), &[Some(30)]);
        assert_eq!(it.memory(), &[Some(7)]);
    }

    #[test]
    fn rows_do_not_all_change_in_the_same_second() {
        let mut rows: Vec<Spark> = (0..5).map(|id| Spark::of(id, &[9; 60])).collect();
        let mut changed = vec![];
        for _ in 0..5 {
            let before: Vec<usize> = rows.iter().map(|r| r.cpu().len()).collect();
            rows.iter_mut().for_each(|r| r.add(9, None));
            let after = rows.iter().map(|r| r.cpu().len());
            changed.push(
                before
                    .into_iter()
                    .zip(after)
                    .filter(|(a, b)| a != b)
                    .count(),
            );
        }
        assert_eq!(changed, [1; 5]);
    }

    fn told(cpu: &[Option<u16>]) -> Columns {
        Columns {
            period_ms: 5000,
            end_ms: 0,
            cpu: cpu.to_vec(),
            memory: cpu.iter().map(|it| it.map(u64::from)).collect(),
        }
    }

    #[test]
    fn what_was_measured_before_fills_the_columns_and_gaps_stay_gaps() {
        let mut it = Spark::default();
        (0..7).for_each(|_| it.add(50, Some(3)));
        it.fill(&told(&[None, None, Some(4), None, Some(0)]));
        assert_eq!(it.cpu(), &[Some(4), None, Some(0)]);
        assert_eq!(it.memory(), &[Some(4), None, Some(0)]);
        (0..3).for_each(|_| it.add(50, Some(3)));
        assert_eq!(it.cpu(), &[Some(4), None, Some(0), Some(50)]);
        it.fill(&told(&[Some(1); 120]));
        assert_eq!((it.cpu().len(), it.memory().len()), (KEPT, KEPT));
        let before = it.clone();
        it.fill(&told(&[None; 120]));
        assert_eq!(
            it, before,
            "nothing is known there: what is known here stays"
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut it = Spark::default();
        (0..10_000).for_each(|_| it.add(1, None));
        assert_eq!(it.cpu().len(), KEPT);
    }
}
