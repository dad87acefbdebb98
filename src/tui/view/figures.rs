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

/// Two digits and a unit: no seconds after the first minute, so that a quiet screen stays quiet.
pub(super) fn short_uptime(seconds: u64) -> String {
    let text = short_duration(Duration::from_secs(seconds));
    if seconds == 0 {
        return "0s".into();
    }
    text.split(' ').next().unwrap_or("").to_owned()
}
