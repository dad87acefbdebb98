//! Screens in front of the main one, for pictures at every size.

mod several;

use super::desk::Desk;

/// Name and scene.
pub(super) fn all() -> Vec<(&'static str, Desk)> {
    [several::scenes()].into_iter().flatten().collect()
}
