//! What an instance used over the last minutes and the last day: rings of a fixed size, with gaps where nothing was
//! measured.

use std::collections::VecDeque;

/// How long a short column is, nanoseconds.
const SHORT: u64 = 5_000_000_000;
/// How long a long column is, nanoseconds.
const LONG: u64 = 300_000_000_000;
/// Ten minutes of short columns.
const SHORT_KEPT: usize = 120;
/// A day of long columns.
const LONG_KEPT: usize = 288;

/// Room is made for this many columns at a time: most instances are younger than what could be kept of them.
const GROWTH: usize = 12;

/// No figure.
const NO_CPU: u16 = u16::MAX;

/// One column: percent of one core in tenths, its mean; bytes, the most. None where nothing was measured.
pub(crate) type Column = (Option<u16>, Option<u64>);

/// An amount of memory in two bytes: eleven bits of a number of KiB, and how often it is doubled. Less than a
/// thousandth is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amount(u16);

impl Amount {
    const NONE: Self = Self(u16::MAX);
    const DIGITS: u32 = 11;

    fn of(bytes: u64) -> Self {
        let kib = bytes / 1024;
        let doubled = (u64::BITS - kib.leading_zeros()).saturating_sub(Self::DIGITS);
        // 64 bits less ten of the KiB and eleven digits: at most 43 times, and more than four TiB are taken for that.
        if doubled >= 1 << (u16::BITS - Self::DIGITS) {
            return Self(Self::NONE.0 - 1);
        }
        let number = u16::try_from(kib >> doubled).unwrap_or(0);
        let doubled = u16::try_from(doubled).unwrap_or(0);
        Self((doubled << Self::DIGITS | number).min(Self::NONE.0 - 1))
    }

    fn bytes(self) -> Option<u64> {
        let number = u64::from(self.0) & ((1 << Self::DIGITS) - 1);
        (self != Self::NONE).then(|| (number << (self.0 >> Self::DIGITS)) * 1024)
    }
}

/// Columns of one length: the last `N` finished ones and the one that is being filled.
#[derive(Debug, Clone)]
struct Columns<const N: usize> {
    period: u64,
    /// Finished, oldest first, without a hole up to the one that is being filled.
    columns: VecDeque<(u16, Amount)>,
    /// Which column since boot is being filled.
    current: u64,
    sum: u32,
    samples: u16,
    most: Option<u64>,
}

impl<const N: usize> Columns<N> {
    fn new(period: u64) -> Self {
        Self {
            period,
            columns: VecDeque::new(),
            current: 0,
            sum: 0,
            samples: 0,
            most: None,
        }
    }

    fn mean(&self) -> u16 {
        let mean = self.sum.checked_div(u32::from(self.samples));
        mean.map_or(NO_CPU, |mean| {
            u16::try_from(mean).unwrap_or(NO_CPU).min(NO_CPU - 1)
        })
    }

    /// The one that is being filled, as if it were finished.
    fn filled(&self) -> (u16, Amount) {
        (self.mean(), self.most.map_or(Amount::NONE, Amount::of))
    }

    fn push(&mut self, column: (u16, Amount)) {
        if self.columns.len() == N {
            self.columns.pop_front();
        } else if self.columns.len() == self.columns.capacity() {
            self.columns.reserve_exact(GROWTH);
        }
        self.columns.push_back(column);
    }

    fn add(&mut self, now: u64, cpu: Option<u16>, memory: Option<u64>) {
        let column = now / self.period;
        if column > self.current {
            // Before the first measurement there is nothing to keep a place for.
            if self.samples > 0 || self.most.is_some() || !self.columns.is_empty() {
                self.push(self.filled());
                // What lies between was not measured.
                let gaps = column - self.current - 1;
                for _ in 0..gaps.min(N as u64) {
                    self.push((NO_CPU, Amount::NONE));
                }
            }
            (self.current, self.sum, self.samples) = (column, 0, 0);
            self.most = None;
        }
        if let Some(cpu) = cpu {
            self.sum = self.sum.saturating_add(u32::from(cpu));
            self.samples = self.samples.saturating_add(1);
        }
        self.most = self.most.max(memory);
    }

    /// The finished ones, oldest first.
    fn finished(&self, now: u64) -> Vec<Column> {
        let end = now / self.period;
        (1..=N as u64)
            .rev()
            .map(|back| {
                let column = end.checked_sub(back)?;
                if column == self.current {
                    return Some(self.filled());
                }
                let older = usize::try_from(self.current.checked_sub(column)?).ok()?;
                let place = self.columns.len().checked_sub(older)?;
                self.columns.get(place).copied()
            })
            .map(|column| {
                let (cpu, memory) = column.unwrap_or((NO_CPU, Amount::NONE));
                (Some(cpu).filter(|cpu| *cpu != NO_CPU), memory.bytes())
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
    fn an_amount_is_kept_to_a_thousandth() {
        for bytes in [
            0,
            1024,
            2047 * 1024,
            2048 * 1024,
            123_456_789,
            7 << 40,
            u64::MAX >> 12,
        ] {
            let kept = Amount::of(bytes).bytes().unwrap();
            assert!(
                kept <= bytes && bytes - kept <= 1024 + bytes / 1000,
                "{bytes} {kept}"
            );
        }
        assert!(Amount::of(u64::MAX).bytes().is_some());
        assert_eq!(Amount::NONE.bytes(), None);
    }

    #[test]
    fn any_figure_fits_and_both_rings_take_less_than_two_kilobytes_and_little_at_first() {
        let mut it = History::new();
        it.add(5 * SECOND, Some(f32::INFINITY), Some(u64::MAX));
        let [(cpu, memory)] = newest(&it, 10 * SECOND, 1)[..] else {
            panic!("one");
        };
        assert!(cpu == Some(NO_CPU - 1) && memory.is_some());
        let room = |it: &History| {
            let kept = it.short.columns.capacity() + it.long.columns.capacity();
            size_of::<History>() + kept * size_of::<(u16, Amount)>()
        };
        let mut young = History::new();
        (0..60).for_each(|second| young.add(second * SECOND, Some(1.0), Some(MIB)));
        assert!(room(&young) <= 256, "{}", room(&young));
        (0..100_000).for_each(|second| it.add(second * SECOND, Some(1.0), Some(MIB)));
        assert!(room(&it) <= 1920, "{}", room(&it));
    }
}
