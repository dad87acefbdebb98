//! The keys of what is told about one instance: beside the table, and on the whole screen.

use super::action::Action;
use super::action::Place::{About, Detail};
use super::bindings::{Binding, bind};

/// What counts there.
pub(super) const DETAIL: &[Binding] = &[
    bind(
        About,
        "Left",
        Action::CursorBack,
        "the time cursor back: logs, events and the table go there",
        Some("time"),
    ),
    bind(
        About,
        "Right",
        Action::CursorOn,
        "the time cursor on; behind the end it is now",
        None,
    ),
    bind(
        About,
        "H",
        Action::CursorFarBack,
        "the time cursor ten columns back",
        None,
    ),
    bind(
        About,
        "L",
        Action::CursorFarOn,
        "the time cursor ten columns on",
        None,
    ),
    bind(
        About,
        "l",
        Action::ReadLogs,
        "the whole screen for its logs, at that time",
        Some("logs"),
    ),
    bind(
        About,
        "d Enter",
        Action::Detail,
        "everything about it",
        Some("detail"),
    ),
    bind(Detail, "]", Action::TabNext, "the next tab", Some("tab")),
    bind(Detail, "[", Action::TabPrevious, "the tab before", None),
    bind(
        Detail,
        "Left",
        Action::CursorBack,
        "the time cursor back: logs and events go there",
        Some("time"),
    ),
    bind(
        Detail,
        "Right",
        Action::CursorOn,
        "the time cursor on; behind the end it is now",
        None,
    ),
    bind(
        Detail,
        "H",
        Action::CursorFarBack,
        "the time cursor ten columns back",
        None,
    ),
    bind(
        Detail,
        "L",
        Action::CursorFarOn,
        "the time cursor ten columns on",
        None,
    ),
    bind(
        Detail,
        "z",
        Action::Zoom,
        "charts of ten minutes, or of a day",
        Some("zoom"),
    ),
    bind(Detail, "s F7", Action::Start, "start", Some("start")),
    bind(Detail, "x", Action::Stop, "stop (asks)", Some("stop")),
    bind(
        Detail,
        "r",
        Action::Restart,
        "restart (asks)",
        Some("restart"),
    ),
    bind(Detail, "X", Action::Kill, "kill with SIGKILL (asks)", None),
    bind(
        Detail,
        "D Del",
        Action::Delete,
        "delete (asks for its name)",
        Some("delete"),
    ),
    bind(
        Detail,
        "+",
        Action::ScaleUp,
        "one instance of its process more (asks)",
        None,
    ),
    bind(
        Detail,
        "-",
        Action::ScaleDown,
        "one instance of its process fewer (asks)",
        None,
    ),
    bind(Detail, "l", Action::ReadLogs, "read its logs", Some("logs")),
    bind(
        Detail,
        "e",
        Action::Edit,
        "edit the definition of its process in $EDITOR (asks)",
        Some("edit"),
    ),
    bind(
        Detail,
        "V",
        Action::Reveal,
        "show the value of the variable for 10 s, or hide it",
        Some("reveal"),
    ),
];
