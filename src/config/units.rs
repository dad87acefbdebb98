//! Durations and sizes as people write them.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::SignedDuration;

/// Reads `5s`, `500ms`, `1m30s`, `2h`, `1 day`; a bare number is seconds.
///
/// # Errors
/// What is wrong with the text, with an example.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds_to_duration(seconds);
    }
    let bad = || format!("{text:?} is no duration (as 500ms, 5s, 1m30s, 2h)");
    if let Some(days) = text
        .strip_suffix("days")
        .or_else(|| text.strip_suffix("day"))
        .or_else(|| text.strip_suffix('d'))
    {
        let days: f64 = days.trim().parse().map_err(|_| bad())?;
        return seconds_to_duration(days * 86400.0);
    }
    let parsed: SignedDuration = text.parse().map_err(|_| bad())?;
    Duration::try_from(parsed).map_err(|_| format!("{text:?} is negative"))
}

/// A number of seconds as a duration.
///
/// # Errors
/// A number that is negative or beyond all sense.
pub(crate) fn seconds_to_duration(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("{seconds} seconds is no duration"))
}

/// Reads `512MB`, `1.5GiB`, `100M`, `65536`. K, M, G count in thousands, Ki, Mi, Gi in 1,024s.
///
/// # Errors
/// What is wrong with the text, with an example.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    text.trim()
        .parse::<ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| format!("{text:?} is no size (as 512MB, 1.5GiB, 65536)"))
}

/// A duration as short text: `2d 5h`, `3h 12m`, `5m 2s`, `12s`, `350ms`.
#[must_use]
pub(crate) fn short_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let pair = |a: u64, x: &str, b: u64, y: &str| {
        if b == 0 {
            format!("{a}{x}")
        } else {
            format!("{a}{x} {b}{y}")
        }
    };
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3600..86400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => pair(seconds / 86400, "d", seconds % 86400 / 3600, "h"),
    }
}

/// Whole seconds as short text; less than one is `0s`, for no more is known.
#[must_use]
pub(crate) fn short_seconds(seconds: u64) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    short_duration(Duration::from_secs(seconds))
}

/// Bytes as short text: `45 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn short_size(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} KB", value / 1e3),
        1_000_000..10_000_000 => format!("{:.1} MB", value / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("5s", 5000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("10", 10_000),
            ("0.25", 250),
            ("0", 0),
            ("1d", 86_400_000),
            ("1 m", 60_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "soon", "-5s", "-1", "5 parsecs", "1e400"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("512MB", 512_000_000),
            ("1GiB", 1 << 30),
            ("100M", 100_000_000),
            ("65536", 65536),
            ("1.5k", 1500),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "big", "-1", "5XB"] {
            assert!(size(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_is_short() {
        let d = |s| short_duration(Duration::from_secs(s));
        assert_eq!(
            (d(5).as_str(), d(65).as_str(), d(7200).as_str()),
            ("5s", "1m 5s", "2h")
        );
        assert_eq!(d(2 * 86400 + 5 * 3600), "2d 5h");
        assert_eq!(short_size(45_200_000), "45 MB");
        assert_eq!(short_size(1_500_000_000), "1.5 GB");
    }
}
