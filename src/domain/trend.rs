//! Whether a series of measurements rises or falls, and when it meets a limit: said only when it is no chance.

/// Fewer measurements than this are no series.
const FEWEST: usize = 24;
/// So much of what the measurements differ by the line has to explain.
const EXPLAINED: f64 = 0.6;
/// Each half alone has to go so much of the way that the whole goes: one step is no slope, and neither is what levels off.
const HALF: f64 = 0.4;
/// Less than this part of the last value, over the whole series, is standing still.
const SMALLEST: f64 = 0.02;
/// What lies further away is not foretold from so short a look, minutes.
const FAR: f64 = 24.0 * 60.0;

/// A line through measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    /// By how much it rises in a minute; less than zero when it falls.
    pub(crate) per_minute: f64,
    /// Where the line is at the end of the series.
    pub(crate) now: f64,
}

impl Trend {
    /// Minutes until a limit is met; none when it is not approached, or too slowly to say.
    pub(crate) fn minutes_to(&self, limit: u64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a forecast is no exact number")]
        let left = limit as f64 - self.now;
        let minutes = left / self.per_minute;
        (left > 0.0 && self.per_minute > 0.0 && minutes <= FAR).then_some(minutes)
    }
}

/// The slope of the least squares through points, where the line ends, and which part of the differences it explains.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "some hundred points")]
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|it| it.0), mean(|it| it.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        let all = points.iter().map(|it| of(it.0 - x, it.1 - y));
        all.sum::<f64>()
    };
    let (xx, xy, yy) = (sum(&|a, _| a * a), sum(&|a, b| a * b), sum(&|_, b| b * b));
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let last = points.last()?.0;
    Some((slope, y + slope * (last - x), xy * xy / (xx * yy)))
}

/// The trend of measurements, oldest first, each `period_ms` after the one before; none where nothing was measured.
/// None when they are too few, stand still, or go up and down.
pub(crate) fn trend(values: &[Option<u64>], period_ms: u64) -> Option<Trend> {
    #[expect(clippy::cast_precision_loss, reason = "a trend is no exact number")]
    let minutes = |n: usize| n as f64 * period_ms as f64 / 60_000.0;
    #[expect(clippy::cast_precision_loss, reason = "a trend is no exact number")]
    let known = |(n, value): (usize, &Option<u64>)| Some((minutes(n), (*value)? as f64));
    let points: Vec<(f64, f64)> = values.iter().enumerate().filter_map(known).collect();
    if points.len() < FEWEST {
        return None;
    }
    let (slope, now, explained) = line(&points)?;
    let span = points.last()?.0 - points.first()?.0;
    let moved = (slope * span).abs();
    if explained < EXPLAINED || moved < SMALLEST * now.abs() {
        return None;
    }
    let (older, newer) = points.split_at(points.len() / 2);
    let goes = |half| line(half).is_some_and(|(its, _, _)| its / slope >= HALF);
    (goes(older) && goes(newer)).then_some(Trend {
        per_minute: slope,
        now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    /// Ten minutes of columns of five seconds, MiB by their number.
    fn of(mib: impl Fn(f64) -> f64) -> Option<Trend> {
        let values: Vec<Option<u64>> = (0..120)
            .map(|n| Some((mib(f64::from(n)) * MIB) as u64))
            .collect();
        trend(&values, 5_000)
    }

    fn mib_a_minute(it: Option<Trend>) -> f64 {
        it.unwrap().per_minute / MIB
    }

    #[test]
    fn what_rises_meets_its_limit() {
        let it = of(|n| 150.0 + n / 12.0 * 1.1);
        assert!((mib_a_minute(it) - 1.1).abs() < 0.01, "{it:?}");
        let minutes = it.unwrap().minutes_to(256 << 20).unwrap();
        assert!((minutes - 86.45).abs() < 0.2, "{minutes}");
    }

    #[test]
    fn noise_on_top_of_a_rise_is_still_a_rise() {
        let it = of(|n| 150.0 + n / 12.0 * 1.1 + (n * 7.0) % 3.0);
        assert!((mib_a_minute(it) - 1.1).abs() < 0.1, "{it:?}");
    }

    #[test]
    fn what_stands_still_or_goes_up_and_down_has_none() {
        assert_eq!(of(|_| 150.0), None);
        assert_eq!(of(|n| 150.0 + (n * 7.0) % 3.0), None, "trembling");
        assert_eq!(of(|n| 150.0 + n / 120.0), None, "less than it is worth");
        let saw = |n: f64| 100.0 + (n % 40.0) * 2.0;
        assert_eq!(of(saw), None, "a collector that tidies up");
        assert_eq!(of(|n| 150.0 + 40.0 * (n * 0.2).sin()), None, "waves");
    }

    #[test]
    fn one_step_is_no_slope_and_neither_is_what_levels_off() {
        assert_eq!(of(|n| if n < 60.0 { 100.0 } else { 140.0 }), None);
        assert_eq!(of(|n| if n < 30.0 { 100.0 } else { 140.0 }), None);
        assert_eq!(
            of(|n| 200.0 - 100.0 * (-n / 15.0).exp()),
            None,
            "warming up"
        );
    }

    #[test]
    fn what_falls_is_said_and_meets_no_limit() {
        let it = of(|n| 250.0 - n / 12.0 * 2.0);
        assert!((mib_a_minute(it) + 2.0).abs() < 0.01);
        assert_eq!(it.unwrap().minutes_to(256 << 20), None);
        assert_eq!(it.unwrap().minutes_to(1 << 20), None, "from above");
    }

    #[test]
    fn what_is_above_its_limit_or_far_below_is_not_foretold() {
        let it = of(|n| 300.0 + n / 12.0 * 1.1).unwrap();
        assert_eq!(it.minutes_to(256 << 20), None);
        assert_eq!(it.minutes_to(1 << 50), None);
    }

    #[test]
    fn gaps_count_as_time_and_too_few_are_no_series() {
        let mut values: Vec<Option<u64>> = (0..60).map(|n| Some((100 + n) << 20)).collect();
        values[20..30].fill(None);
        assert!((mib_a_minute(trend(&values, 5_000)) - 12.0).abs() < 0.01);
        assert_eq!(trend(&values[..20], 5_000), None);
        assert_eq!(trend(&vec![None; 500], 5_000), None);
        assert_eq!(trend(&[], 5_000), None);
    }
}
