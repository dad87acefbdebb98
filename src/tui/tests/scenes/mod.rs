//! Screens in front of the main one, for pictures at every size.

pub(super) mod activity;
mod acts;
pub(super) mod detail;
pub(super) mod moment;
pub(super) mod own_log;
mod rolling;
mod several;
mod work;

use super::desk::Desk;

/// Name and scene.
pub(super) fn all() -> Vec<(&'static str, Desk)> {
    let all = [
        several::scenes(),
        rolling::scenes(),
        detail::scenes(),
        acts::scenes(),
        own_log::scenes(),
        activity::scenes(),
        moment::scenes(),
        work::scenes(),
    ];
    all.into_iter().flatten().collect()
}
