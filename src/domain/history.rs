//! What an instance used over the last minutes and the last day: rings of a fixed size, with gaps where nothing was
//! measured.

/// How long a short column is, nanoseconds.
const SHORT: u64 = 5_000_000_000;
/// How long a long column is, nanoseconds.
const LONG: u64 = 300_000_000_000;
/// Ten minutes of short columns.
const SHORT_KEPT: usize = 120;
/// A day of long columns.
const LONG_KEPT: usize = 288;

/// No figure.
const NO_CPU: u16 = u16::MAX;
const NO_MEMORY: u32 = u32::MAX;

/// One column: percent of one core in tenths, its mean; bytes, the most. None where nothing was measured.
pub(crate) type Column = (Option<u16>, Option<u64>);

/// Columns of one length: `N` finished ones and the one that is being filled.
#[derive(Debug, Clone)]
struct Columns<const N: usize> {
    period: u64,
    cpu: [u16; N],
    /// In KiB: four bytes reach to four TiB.
    memory: [u32; N],
    /// Which column since boot is being filled.
    current: u64,
    sum: u32,
    samples: u16,
    most: u32,
}

impl<const N: usize> Columns<N> {
    fn new(period: u64) -> Self {
        Self {
            period,
            cpu: [NO_CPU; N],
            memory: [NO_MEMORY; N],
            current: 0,
            sum: 0,
            samples: 0,
            most: NO_MEMORY,
        }
    }

    fn place(column: u64) -> usize {
        usize::try_from(column % N as u64).unwrap_or(0)
    }

    fn mean(&self) -> u16 {
        let mean = self.sum.checked_div(u32::from(self.samples));
        mean.map_or(NO_CPU, |mean| {
            u16::try_from(mean).unwrap_or(NO_CPU).min(NO_CPU - 1)
        })
    }

    fn add(&mut self, now: u64, cpu: Option<u16>, memory: Option<u32>) {
        let column = now / self.period;
        if column > self.current {
            let place = Self::place(self.current);
            (self.cpu[place], self.memory[place]) = (self.mean(), self.most);
            // What lies between was not measured.
            let first = (self.current + 1).max(column.saturating_sub(N as u64));
            for gap in first..column {
                let place = Self::place(gap);
                (self.cpu[place], self.memory[place]) = (NO_CPU, NO_MEMORY);
            }
            (self.current, self.sum, self.samples) = (column, 0, 0);
            self.most = NO_MEMORY;
        }
        if let Some(cpu) = cpu {
            self.sum = self.sum.saturating_add(u32::from(cpu));
            self.samples = self.samples.saturating_add(1);
        }
        if let Some(memory) = memory {
            let before = Some(self.most).filter(|most| *most != NO_MEMORY);
            self.most = before.map_or(memory, |most| most.max(memory));
        }
    }

    /// The finished ones, oldest first.
    fn finished(&self, now: u64) -> Vec<Column> {
        let end = now / self.period;
        (0..N as u64)
            .rev()
            .map(|back| {
                let Some(column) = end.checked_sub(back + 1) else {
                    return (None, None);
                };
                let (cpu, memory) = if column == self.current {
                    (self.mean(), self.most)
                } else if column < self.current && self.current - column <= N as u64 {
                    let place = Self::place(column);
                    (self.cpu[place], self.memory[place])
                } else {
                    (NO_CPU, NO_MEMORY)
                };
                (
                    Some(cpu).filter(|cpu| *cpu != NO_CPU),
                    Some(memory)
                        .filter(|kib| *kib != NO_MEMORY)
                        .map(|kib| u64::from(kib) * 1024),
                )
            })
            .collect()
    }
}

/// Finished columns of one length, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// How long each is, milliseconds.
    pub(crate) period_ms: u64,
    /// How long ago the newest ended, milliseconds.
    pub(crate) ago_ms: u64,
    pub(crate) columns: Vec<Column>,
}

/// Both resolutions of one instance, over all its runs.
#[derive(Debug, Clone)]
pub(crate) struct History {
    short: Columns<SHORT_KEPT>,
    long: Columns<LONG_KEPT>,
}

impl History {
    /// Nothing but gaps.
    pub(crate) fn new() -> Self {
        Self {
            short: Columns::new(SHORT),
            long: Columns::new(LONG),
        }
    }

    /// Another measurement: percent of one core, and bytes. Times never go back.
    pub(crate) fn add(&mut self, now: u64, cpu: Option<f32>, memory: Option<u64>) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let cpu = cpu.map(|cpu| (cpu * 10.0).clamp(0.0, f32::from(NO_CPU - 1)) as u16);
        let memory = memory.map(|bytes| {
            u32::try_from(bytes / 1024)
                .unwrap_or(NO_MEMORY)
                .min(NO_MEMORY - 1)
        });
        self.short.add(now, cpu, memory);
        self.long.add(now, cpu, memory);
    }

    /// The short columns and the long ones.
    pub(crate) fn finished(&self, now: u64) -> [Finished; 2] {
        let told = |period: u64, columns| Finished {
            period_ms: period / 1_000_000,
            ago_ms: now % period / 1_000_000,
            columns,
        };
        [
            told(SHORT, self.short.finished(now)),
            told(LONG, self.long.finished(now)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const MIB: u64 = 1 << 20;

    fn short(it: &History, now: u64) -> Vec<Column> {
        let [short, _] = it.finished(now);
        assert_eq!(short.columns.len(), SHORT_KEPT);
        short.columns
    }

    /// The newest so many of the short ones.
    fn newest(it: &History, now: u64, most: usize) -> Vec<Column> {
        let all = short(it, now);
        all[all.len() - most..].to_vec()
    }

    #[test]
    fn a_column_is_the_mean_of_the_processor_and_the_most_of_the_memory() {
        let mut it = History::new();
        for (second, cpu) in (100..105).zip([1.0, 2.0, 3.0, 4.0, 5.0]) {
            let memory = if second == 102 { 9 * MIB } else { MIB };
            it.add(second * SECOND, Some(cpu), Some(memory));
        }
        assert_eq!(newest(&it, 104 * SECOND, 1), [(None, None)], "not finished");
        assert_eq!(newest(&it, 105 * SECOND, 1), [(Some(30), Some(9 * MIB))]);
        it.add(105 * SECOND, Some(50.0), Some(MIB));
        assert_eq!(newest(&it, 106 * SECOND, 1), [(Some(30), Some(9 * MIB))]);
    }

    #[test]
    fn what_was_not_measured_is_a_gap_and_what_was_idle_is_zero() {
        let mut it = History::new();
        it.add(100 * SECOND, Some(0.0), Some(0));
        it.add(106 * SECOND, None, Some(MIB));
        it.add(121 * SECOND, Some(1.0), None);
        let gap = (None, None);
        let expected = [
            gap,
            (Some(0), Some(0)),
            (None, Some(MIB)),
            gap,
            gap,
            (Some(10), None),
            gap,
            gap,
        ];
        assert_eq!(newest(&it, 135 * SECOND, 8), expected);
    }

    #[test]
    fn the_oldest_go_and_a_long_silence_leaves_only_gaps() {
        let mut it = History::new();
        for second in 1000..2000 {
            it.add(second * SECOND, Some(second as f32), Some(second * MIB));
        }
        let all = short(&it, 2000 * SECOND);
        assert!(
            all.iter()
                .all(|(cpu, memory)| cpu.is_some() && memory.is_some())
        );
        assert_eq!(all[0].1, Some(1404 * MIB));
        assert_eq!(all[119].1, Some(1999 * MIB));
        let all = short(&it, 2300 * SECOND);
        assert_eq!((all[59].1, all[60]), (Some(1999 * MIB), (None, None)));
        assert!(
            short(&it, 9000 * SECOND)
                .iter()
                .all(|it| *it == (None, None))
        );
        it.add(9000 * SECOND, Some(1.0), None);
        let all = short(&it, 9005 * SECOND);
        assert_eq!(all[119], (Some(10), None));
        assert!(all[..119].iter().all(|it| *it == (None, None)));
    }

    #[test]
    fn a_day_is_kept_in_columns_of_five_minutes() {
        let mut it = History::new();
        for second in (0..90_000).step_by(10) {
            it.add(second * SECOND, Some(2.0), Some(MIB));
        }
        let [_, long] = it.finished(90_007 * SECOND);
        assert_eq!((long.period_ms, long.ago_ms), (300_000, 7_000));
        assert_eq!(long.columns, [(Some(20), Some(MIB)); LONG_KEPT]);
    }

    #[test]
    fn any_figure_fits_and_both_rings_take_two_and_a_half_kilobytes() {
        let mut it = History::new();
        it.add(5 * SECOND, Some(f32::INFINITY), Some(u64::MAX));
        let [(cpu, memory)] = newest(&it, 10 * SECOND, 1)[..] else {
            panic!("one");
        };
        assert!(cpu == Some(NO_CPU - 1) && memory.is_some());
        assert!(size_of::<History>() <= 2560, "{}", size_of::<History>());
    }
}
