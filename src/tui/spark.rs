//! What one instance used, column by column of five seconds: a picture that moves every second costs a line on every
//! line of the screen. Columns have their times, so that gaps are gaps.

use std::collections::VecDeque;

use crate::api::Columns;

/// Seconds a column stands for.
pub(super) const COLUMN: u8 = 5;
/// The same, milliseconds.
pub(super) const PERIOD_MS: u64 = COLUMN as u64 * 1000;
/// How many columns are kept: ten minutes.
const KEPT: usize = 120;

/// Finished columns, oldest first, and the one that is being filled.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spark {
    /// Percent of one core in tenths; none where nothing was measured.
    cpu: VecDeque<Option<u16>>,
    /// Bytes; none where no figure was known.
    memory: VecDeque<Option<u64>>,
    /// Descriptors; none where they were not counted.
    fds: VecDeque<Option<u32>>,
    sum: u32,
    samples: u32,
    bytes: Option<u64>,
    open: Option<u32>,
    /// Columns begin this much before a multiple of their length, milliseconds.
    phase_ms: u64,
    /// Which column since 1970 is being filled; none before anything was measured.
    slot: Option<u64>,
}

impl Spark {
    /// From percents of each second until now. Which second a column begins at goes by the instance, so that not all rows
    /// of the table change at once.
    pub(super) fn of(id: u32, seconds: &[u16], now_ms: u64) -> Self {
        let mut it = Self {
            phase_ms: u64::from(id) % u64::from(COLUMN) * 1000,
            ..Self::default()
        };
        let first = now_ms.saturating_sub(seconds.len() as u64 * 1000);
        // What is older than the first whole column is left out.
        let whole = match (first + it.phase_ms) % PERIOD_MS {
            0 => first,
            over => first + PERIOD_MS - over,
        };
        for (cpu, at) in seconds.iter().zip((first..).step_by(1000)) {
            if at >= whole {
                it.add(*cpu, None, at);
            }
        }
        it
    }

    fn slot_of(&self, ms: u64) -> u64 {
        (ms + self.phase_ms) / PERIOD_MS
    }

    /// Another measurement at a moment.
    pub(super) fn add(&mut self, cpu: u16, memory: Option<u64>, now_ms: u64) {
        let slot = self.slot_of(now_ms);
        let filling = self.slot.unwrap_or(slot);
        if slot > filling {
            let mean = self.sum.checked_div(self.samples);
            self.push(
                mean.map(|mean| u16::try_from(mean).unwrap_or(u16::MAX)),
                self.bytes,
            );
            // What lies between was not measured.
            for _ in (filling + 1..slot).take(KEPT) {
                self.push(None, None);
            }
            (self.sum, self.samples, self.bytes, self.open) = (0, 0, None, None);
        }
        // Also back, when a clock was set back.
        self.slot = Some(slot);
        self.sum += u32::from(cpu);
        self.samples += 1;
        self.bytes = memory.or(self.bytes);
    }

    fn push(&mut self, cpu: Option<u16>, memory: Option<u64>) {
        if self.cpu.len() == KEPT {
            self.cpu.pop_front();
            self.memory.pop_front();
            self.fds.pop_front();
        }
        self.fds.push_back(self.open.take());
        self.cpu.push_back(cpu);
        self.memory.push_back(memory);
    }

    /// How many descriptors are open now: in the column that is being filled.
    pub(super) fn opened(&mut self, fds: Option<u32>) {
        self.open = fds.or(self.open);
    }

    /// What was measured before, in place of the finished columns; the column that is being filled stays.
    pub(super) fn fill(&mut self, told: &Columns) {
        if told.period_ms != PERIOD_MS || told.cpu.len() != told.memory.len() {
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
        // What was open before nobody counted.
        let known = self.fds.len();
        let gaps = self.cpu.len().saturating_sub(known);
        let mut fds: VecDeque<_> = std::iter::repeat_n(None, gaps).collect();
        fds.extend(self.fds.iter().skip(known.saturating_sub(self.cpu.len())));
        self.fds = fds;
        if self.slot.is_none() {
            self.slot = Some(self.slot_of(told.end_ms));
        }
    }

    /// When the newest finished column ended, milliseconds since 1970.
    pub(super) fn end_ms(&self) -> Option<u64> {
        Some((self.slot? * PERIOD_MS).saturating_sub(self.phase_ms))
    }

    /// What was used at a moment.
    pub(super) fn at(&self, ms: u64) -> (Option<u16>, Option<u64>) {
        let place = || {
            let back = self.slot?.checked_sub(self.slot_of(ms) + 1)?;
            self.cpu.len().checked_sub(usize::try_from(back).ok()? + 1)
        };
        let Some(place) = place() else {
            return (None, None);
        };
        let of = |cpu: Option<&Option<u16>>| cpu.copied().flatten();
        (
            of(self.cpu.get(place)),
            self.memory.get(place).copied().flatten(),
        )
    }

    /// Percent of one core in tenths, oldest first; none where nothing was measured.
    pub(super) fn cpu(&self) -> &VecDeque<Option<u16>> {
        &self.cpu
    }

    /// Descriptors, oldest first.
    pub(super) fn fds(&self) -> &VecDeque<Option<u32>> {
        &self.fds
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
        for (cpu, second) in [10, 20, 30, 40, 50, 1000].into_iter().zip(100..) {
            it.add(cpu, Some(7), second * 1000);
        }
        assert_eq!(it.cpu(), &[Some(30)]);
        assert_eq!(it.memory(), &[Some(7)]);
        assert_eq!(it.end_ms(), Some(105_000));
    }

    #[test]
    fn a_column_has_its_time_and_what_was_not_measured_is_a_gap() {
        let mut it = Spark::default();
        it.add(10, Some(1), 100_000);
        it.add(20, Some(2), 117_000);
        it.add(30, Some(3), 121_000);
        assert_eq!(it.cpu(), &[Some(10), None, None, Some(20)]);
        assert_eq!(it.at(100_000), (Some(10), Some(1)));
        assert_eq!(it.at(104_999), (Some(10), Some(1)));
        assert_eq!(it.at(105_000), (None, None));
        assert_eq!(it.at(119_000), (Some(20), Some(2)));
        assert_eq!(it.at(120_000), (None, None), "it is being filled");
        assert_eq!(it.at(99_999), (None, None));
        it.add(40, None, 50_000);
        assert_eq!(it.cpu().len(), 4, "a clock that was set back");
    }

    #[test]
    fn rows_do_not_all_change_in_the_same_second() {
        let mut rows: Vec<Spark> = (0..5).map(|id| Spark::of(id, &[9; 60], 160_000)).collect();
        let mut changed = vec![];
        for second in 160..165 {
            let before: Vec<usize> = rows.iter().map(|r| r.cpu().len()).collect();
            rows.iter_mut().for_each(|r| r.add(9, None, second * 1000));
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
        (0..7).for_each(|n| it.add(50, Some(3), 100_000 + n * 1000));
        it.fill(&told(&[None, None, Some(4), None, Some(0)]));
        assert_eq!(it.cpu(), &[Some(4), None, Some(0)]);
        assert_eq!(it.memory(), &[Some(4), None, Some(0)]);
        (7..11).for_each(|n| it.add(50, Some(3), 100_000 + n * 1000));
        assert_eq!(it.cpu(), &[Some(4), None, Some(0), Some(50)]);
        it.opened(Some(7));
        it.add(50, Some(3), 115_000);
        assert_eq!(it.fds().back(), Some(&Some(7)));
        assert_eq!(it.fds().len(), it.cpu().len());
        it.fill(&told(&[Some(1); 200]));
        assert_eq!((it.cpu().len(), it.memory().len()), (KEPT, KEPT));
        assert_eq!((it.fds().len(), it.fds().back()), (KEPT, Some(&Some(7))));
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
        (0..10_000).for_each(|n| it.add(1, None, n * 1000));
        assert_eq!(it.cpu().len(), KEPT);
        it.add(1, None, 100_000_000_000);
        assert_eq!(it.cpu().len(), KEPT);
    }
}
