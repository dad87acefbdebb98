//! Times beside the lines, and moments as they are typed.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::config::units;

/// What stands before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tui) enum Times {
    Off,
    #[default]
    Clock,
    Date,
    /// How long ago.
    Ago,
    /// How long after the line before.
    Delta,
}

impl Times {
    pub(in crate::tui) fn next(self) -> Self {
        match self {
            Self::Off => Self::Clock,
            Self::Clock => Self::Date,
            Self::Date => Self::Ago,
            Self::Ago => Self::Delta,
            Self::Delta => Self::Off,
        }
    }

    /// How many cells it takes.
    pub(in crate::tui) fn width(self) -> u16 {
        match self {
            Self::Off => 0,
            Self::Clock => 12,
            Self::Date => 18,
            Self::Ago => 5,
            Self::Delta => 9,
        }
    }

    /// The time of a line, given that of the line before and what time it is; blank where it is not known.
    pub(in crate::tui) fn text(
        self,
        time_ms: Option<u64>,
        before_ms: Option<u64>,
        now_ms: u64,
    ) -> String {
        let Some(ms) = time_ms else {
            return String::new();
        };
        match self {
            Self::Off => String::new(),
            Self::Clock => local(ms, "%H:%M:%S%.3f"),
            Self::Date => local(ms, "%m-%d %H:%M:%S%.3f"),
            Self::Ago => one_unit(now_ms.saturating_sub(ms) / 1000),
            Self::Delta => before_ms.map_or_else(String::new, |before| {
                let after = ms.saturating_sub(before);
                if after < 1_000_000 {
                    format!("+{}.{:03}", after / 1000, after % 1000)
                } else {
                    format!("+{}", one_unit(after / 1000))
                }
            }),
        }
    }
}

/// Seconds in the largest unit that they fill.
fn one_unit(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

fn zoned(ms: u64) -> Option<Zoned> {
    let ms = i64::try_from(ms).ok()?;
    let at = Timestamp::from_millisecond(ms).ok()?;
    Some(at.to_zoned(TimeZone::system()))
}

fn local(ms: u64, how: &str) -> String {
    zoned(ms).map_or_else(String::new, |at| at.strftime(how).to_string())
}

/// A moment with its date and its distance from Greenwich; blank when it is not known.
pub(in crate::tui) fn whole(time_ms: Option<u64>) -> String {
    time_ms.map_or_else(String::new, |ms| local(ms, "%Y-%m-%d %H:%M:%S%.3f %:z"))
}

/// A moment as it is typed: `14:05`, `14:05:30`, `2026-01-05 14:05`, `-10m`, `now`. A time alone is the last such time.
///
/// # Errors
/// What can be typed.
pub(in crate::tui) fn moment(text: &str, now_ms: u64) -> Result<u64, String> {
    let text = text.trim();
    let wrong = || format!("{text:?} is no time: 14:05, 14:05:30, 2026-01-05 14:05, -10m or now");
    if text == "now" {
        return Ok(now_ms);
    }
    if let Some(ago) = text.strip_prefix('-') {
        let ago = units::duration(ago.trim()).map_err(|_| wrong())?;
        let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        return Ok(now_ms.saturating_sub(ago));
    }
    let now = zoned(now_ms).ok_or_else(wrong)?;
    let at = if let Ok(time) = Time::strptime("%H:%M:%S", text).or(Time::strptime("%H:%M", text)) {
        let today = now.date().to_datetime(time);
        let today = today.to_zoned(TimeZone::system()).map_err(|_| wrong())?;
        if today > now {
            today.checked_sub(1.day()).map_err(|_| wrong())?
        } else {
            today
        }
    } else {
        let text = text.replace('T', " ");
        DateTime::strptime("%Y-%m-%d %H:%M:%S", &text)
            .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", &text))
            .and_then(|at| at.to_zoned(TimeZone::system()))
            .map_err(|_| wrong())?
    };
    u64::try_from(at.timestamp().as_millisecond()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u64 {
        let at: DateTime = text.parse().unwrap();
        let at = at.to_zoned(TimeZone::system()).unwrap();
        u64::try_from(at.timestamp().as_millisecond()).unwrap()
    }

    #[test]
    fn moments_are_read_as_people_type_them() {
        let now = at("2026-01-05T12:04:31");
        for (text, expected) in [
            ("12:04", "2026-01-05T12:04:00"),
            ("12:04:30", "2026-01-05T12:04:30"),
            ("14:05", "2026-01-04T14:05:00"),
            ("2026-01-02 03:04", "2026-01-02T03:04:00"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
            ("-10m", "2026-01-05T11:54:31"),
            (" now ", "2026-01-05T12:04:31"),
        ] {
            assert_eq!(moment(text, now), Ok(at(expected)), "{text}");
        }
        for wrong in ["", "noon", "25:00", "-", "-ten", "12"] {
            assert!(moment(wrong, now).unwrap_err().contains("14:05"), "{wrong}");
        }
    }

    #[test]
    fn times_fit_their_column() {
        let now = at("2026-01-05T12:04:31");
        let mut how = Times::Off;
        for _ in 0..5 {
            how = how.next();
            for ms in [0, 1, 999, 60_000, 86_400_000, 400 * 86_400_000] {
                let text = how.text(Some(now - ms), Some(now - 2 * ms), now);
                let cells = u16::try_from(text.chars().count()).unwrap();
                assert!(cells <= how.width(), "{how:?}: {text}");
            }
        }
        assert_eq!(how, Times::Off);
        assert_eq!(Times::Ago.text(Some(now - 61_000), None, now), "1m");
        assert_eq!(Times::Delta.text(Some(now), Some(now - 137), now), "+0.137");
    }
}
