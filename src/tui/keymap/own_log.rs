//! The keys of what the daemon says about itself.

use super::action::{Action, Place::OwnLog};
use super::bindings::{Binding, bind};

pub(super) const OWN_LOG: &[Binding] = &[
    bind(
        OwnLog,
        "h",
        Action::HideTargets,
        "with or without the list of targets",
        Some("targets"),
    ),
    bind(
        OwnLog,
        "Right",
        Action::ShowMore,
        "show more of the target",
        Some("more"),
    ),
    bind(
        OwnLog,
        "Left",
        Action::ShowLess,
        "show less of the target",
        Some("less"),
    ),
    bind(
        OwnLog,
        "+ =",
        Action::CaptureMore,
        "take milder records of the target too",
        Some("take more"),
    ),
    bind(
        OwnLog,
        "-",
        Action::CaptureLess,
        "take only worse records of the target",
        Some("take less"),
    ),
    bind(
        OwnLog,
        "f",
        Action::FocusTarget,
        "this target alone, or all",
        Some("focus"),
    ),
    bind(
        OwnLog,
        "Space",
        Action::HideOff,
        "with or without targets of which nothing is shown",
        None,
    ),
];
