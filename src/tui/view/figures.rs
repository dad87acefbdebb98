//! Figures in the few cells of a column.

use std::time::Duration;

use crate::config::units::short_duration;

/// Percent of one core.
pub(super) fn percent(cpu: f32) -> String {
    if cpu < 10.0 {
        format!("{cpu:.1}%")
    } else {
        format!("{cpu:.0}%")
    }
}

/// Bytes in three digits.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn short_bytes(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000_000 => format!("{:.0}K", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0}M", value / 1e6),
        _ => format!("{:.1}G", value / 1e9),
    }
}

/// Bytes a second in two digits: what is told every second changes on the screen when it is another, not when it trembles.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(super) fn rate(bytes: Option<u64>, none: char) -> String {
    let Some(bytes) = bytes else {
        return none.to_string();
    };
    let (value, unit) = match bytes {
        // Less than half a unit.
        0..50 => return "0".into(),
        50..999_500 => (bytes as f64 / 1e3, 'K'),
        999_500..999_500_000 => (bytes as f64 / 1e6, 'M'),
        _ => (bytes as f64 / 1e9, 'G'),
    };
    if value < 9.95 {
        format!("{value:.1}{unit}")
    } else if value < 99.5 {
        format!("{value:.0}{unit}")
    } else {
        format!("{:.0}{unit}", (value / 10.0).round() * 10.0)
    }
}

/// Two digits and a unit: no seconds after the first minute, so that a quiet screen stays quiet.
pub(super) fn short_uptime(seconds: u64) -> String {
    let text = short_duration(Duration::from_secs(seconds));
    if seconds == 0 {
        return "0s".into();
    }
    text.split(' ').next().unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_has_two_digits_and_what_is_not_known_is_no_zero() {
        let of = |bytes| rate(Some(bytes), '-');
        let shown = [
            (0, "0"),
            (49, "0"),
            (50, "0.1K"),
            (9_949, "9.9K"),
            (9_950, "10K"),
            (99_499, "99K"),
            (881_000, "880K"),
            (994_999, "990K"),
            (999_500, "1.0M"),
            (2_149_000, "2.1M"),
            (999_500_000, "1.0G"),
        ];
        for (bytes, text) in shown {
            assert_eq!(of(bytes), text, "{bytes}");
        }
        assert_eq!(rate(None, '-'), "-");
    }
}
