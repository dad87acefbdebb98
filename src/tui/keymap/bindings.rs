//! The keys as they are before anything is configured: from this table come footer, help and `docs/keys.md`.

use super::action::{Action, Place};
use super::copying::COPYING;
use super::detail::DETAIL;
use super::log_view::LOG_VIEW;
use super::own_log::OWN_LOG;
use super::signals::SIGNALS;

/// One line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) place: Place,
    /// As they are shown, separated by spaces. Keys of a sequence are joined by `+`: `o+n` is `o`, then `n`.
    pub(crate) keys: &'static str,
    pub(crate) action: Action,
    pub(crate) help: &'static str,
    /// A word for the footer, when it stands there.
    pub(crate) hint: Option<&'static str>,
}

pub(super) const fn bind(
    place: Place,
    keys: &'static str,
    action: Action,
    help: &'static str,
    hint: Option<&'static str>,
) -> Binding {
    Binding {
        place,
        keys,
        action,
        help,
        hint,
    }
}

use Place::{Bulk, Everywhere, Logs, Lost, Plan, Processes, Rolling};

/// In the footer only while something waits for long.
pub(crate) const NO_ANSWER: &str = "no answer: look at it";

/// All keys.
pub(crate) const BINDINGS: &[Binding] = &joined::<{ MAIN.len() + OWN.len() + MENUS.len() }>(
    &joined::<{ MAIN.len() + OWN.len() }>(MAIN, OWN),
    MENUS,
);

/// What has files of its own.
const OWN: &[Binding] = &joined::<{ DETAIL.len() + LOG_VIEW.len() + OWN_LOG.len() }>(
    &joined::<{ DETAIL.len() + LOG_VIEW.len() }>(LOG_VIEW, DETAIL),
    OWN_LOG,
);

/// What begins with a key that shows what may follow.
const MENUS: &[Binding] = &joined::<{ COPYING.len() + SIGNALS.len() }>(COPYING, SIGNALS);

/// One table of two.
const fn joined<const N: usize>(one: &[Binding], other: &[Binding]) -> [Binding; N] {
    let mut all = [one[0]; N];
    let mut n = 0;
    while n < N {
        all[n] = if n < one.len() {
            one[n]
        } else {
            other[n - one.len()]
        };
        n += 1;
    }
    all
}

/// All but those of the log view.
const MAIN: &[Binding] = &[
    bind(
        Processes,
        "O",
        Action::Operation,
        "how far what was asked for is, and what the daemon knows of it",
        Some(NO_ANSWER),
    ),
    bind(Processes, "s F7 .+s", Action::Start, "start", Some("start")),
    bind(
        Processes,
        "x .+x",
        Action::Stop,
        "stop (asks)",
        Some("stop"),
    ),
    bind(
        Processes,
        "r .+r",
        Action::Restart,
        "restart (asks)",
        Some("restart"),
    ),
    bind(
        Processes,
        "R .+R",
        Action::Roll,
        "restart batch by batch (shows the plan)",
        Some("roll"),
    ),
    bind(
        Processes,
        "+ .++",
        Action::ScaleUp,
        "one instance more (asks)",
        None,
    ),
    bind(
        Processes,
        "- .+-",
        Action::ScaleDown,
        "one instance fewer (asks)",
        None,
    ),
    bind(
        Processes,
        "X .+X",
        Action::Kill,
        "kill with SIGKILL (asks)",
        None,
    ),
    bind(
        Processes,
        "D Del .+D",
        Action::Delete,
        "delete (asks for its name)",
        Some("delete"),
    ),
    bind(
        Processes,
        "l .+l",
        Action::Logs,
        "to its logs",
        Some("logs"),
    ),
    bind(
        Processes,
        "e .+e",
        Action::Edit,
        "edit its definition in $EDITOR (asks)",
        None,
    ),
    bind(
        Processes,
        "d Enter .+d",
        Action::Detail,
        "everything about it",
        None,
    ),
    bind(
        Processes,
        "h Left",
        Action::Fold,
        "fold, or to the process",
        None,
    ),
    bind(Processes, "Right", Action::Unfold, "unfold", None),
    bind(Processes, "n", Action::New, "a new process", None),
    bind(
        Processes,
        "Space .+m",
        Action::Mark,
        "mark, or take the mark away",
        None,
    ),
    bind(
        Processes,
        "v",
        Action::MarkRange,
        "mark from the last mark to here",
        None,
    ),
    bind(
        Processes,
        "*",
        Action::MarkInvert,
        "turn the marks around",
        None,
    ),
    bind(
        Processes,
        "A",
        Action::MarkAll,
        "mark all that the filter shows",
        None,
    ),
    bind(
        Processes,
        "w",
        Action::Wide,
        "more columns, in place of what stands beside",
        None,
    ),
    bind(Processes, "o+c F6+c", Action::SortCpu, "sort by cpu", None),
    bind(
        Processes,
        "o+m F6+m",
        Action::SortMemory,
        "sort by memory",
        None,
    ),
    bind(
        Processes,
        "o+n F6+n",
        Action::SortName,
        "sort by name",
        None,
    ),
    bind(
        Processes,
        "o+s F6+s",
        Action::SortStatus,
        "sort by status, worst first",
        None,
    ),
    bind(
        Processes,
        "o+r F6+r",
        Action::SortRestarts,
        "sort by restarts",
        None,
    ),
    bind(
        Processes,
        "o+u F6+u",
        Action::SortUptime,
        "sort by uptime, youngest first",
        None,
    ),
    bind(
        Processes,
        "I o+o F6+o",
        Action::SortReverse,
        "the other way round",
        None,
    ),
    bind(
        Processes,
        "t F5",
        Action::Tree,
        "tree, or every instance for itself",
        None,
    ),
    bind(
        Logs,
        "f",
        Action::Follow,
        "follow, or pause",
        Some("follow"),
    ),
    bind(Logs, "t", Action::Times, "times on or off", Some("times")),
    bind(
        Logs,
        "o",
        Action::Stream,
        "both streams, out, err",
        Some("stream"),
    ),
    bind(
        Bulk,
        "f",
        Action::RetryFailed,
        "once more those that failed",
        Some("retry failed"),
    ),
    bind(Plan, "y", Action::Confirm, "begin it", Some("begin")),
    bind(
        Plan,
        "+ =",
        Action::More,
        "one more at once",
        Some("more at once"),
    ),
    bind(Plan, "-", Action::Less, "one less at once", Some("less")),
    bind(Rolling, "y", Action::Confirm, "yes, when it asks", None),
    bind(
        Rolling,
        "p",
        Action::Pause,
        "finish the batch, begin no other",
        Some("pause"),
    ),
    bind(Rolling, "c", Action::Continue, "go on", Some("continue")),
    bind(
        Rolling,
        "A",
        Action::Abort,
        "end it: what is new stays new (asks)",
        Some("abort"),
    ),
    bind(
        Rolling,
        "l",
        Action::ReadLogs,
        "the whole screen for the log of the new instances",
        Some("logs"),
    ),
    bind(
        Rolling,
        "o",
        Action::Stream,
        "of that log: err, both streams, out",
        None,
    ),
    bind(
        Logs,
        "l Enter",
        Action::ReadLogs,
        "the whole screen for these logs",
        Some("read"),
    ),
    bind(
        Everywhere,
        "/ F3 F4",
        Action::Filter,
        "filter processes",
        Some("filter"),
    ),
    bind(
        Everywhere,
        ":",
        Action::Palette,
        "a command, as in the shell",
        Some("cmd"),
    ),
    bind(Everywhere, "? F1", Action::Help, "this help", Some("help")),
    bind(
        Everywhere,
        "u",
        Action::Undo,
        "take the last stop, delete, scale or change back",
        None,
    ),
    bind(
        Everywhere,
        "!",
        Action::Messages,
        "every remark of this session",
        None,
    ),
    bind(
        Everywhere,
        "4",
        Action::Activity,
        "who did what, and who is here",
        None,
    ),
    bind(
        Everywhere,
        "5",
        Action::DaemonLog,
        "what the daemon says about itself",
        None,
    ),
    bind(
        Everywhere,
        "q",
        Action::Quit,
        "back; at the top leave",
        Some("quit"),
    ),
    bind(
        Everywhere,
        "Tab",
        Action::NextPane,
        "next pane",
        Some("pane"),
    ),
    bind(
        Everywhere,
        "S-Tab",
        Action::PreviousPane,
        "the pane before",
        None,
    ),
    bind(
        Everywhere,
        "=",
        Action::DividerUp,
        "more lines for logs",
        None,
    ),
    bind(
        Everywhere,
        "_",
        Action::DividerDown,
        "fewer lines for logs",
        None,
    ),
    bind(
        Everywhere,
        "M",
        Action::Mouse,
        "take the mouse from the terminal, or give it back",
        None,
    ),
    bind(Everywhere, "1", Action::ToTable, "the processes", None),
    bind(
        Everywhere,
        "2",
        Action::ToAbout,
        "what is selected: beside the table, or all about it",
        None,
    ),
    bind(Everywhere, "3", Action::ToLogs, "its logs", None),
    bind(
        Everywhere,
        "z",
        Action::Zoom,
        "the pane alone",
        Some("zoom"),
    ),
    bind(Everywhere, "j Down", Action::Down, "down", None),
    bind(Everywhere, "k Up", Action::Up, "up", None),
    bind(Everywhere, "g Home", Action::First, "to the first", None),
    bind(
        Everywhere,
        "G End",
        Action::Last,
        "to the last; follow in logs",
        None,
    ),
    bind(Everywhere, "PgDn", Action::PageDown, "a page down", None),
    bind(Everywhere, "PgUp", Action::PageUp, "a page up", None),
    bind(Everywhere, "^D", Action::HalfDown, "half a page down", None),
    bind(Everywhere, "^U", Action::HalfUp, "half a page up", None),
    bind(
        Everywhere,
        "Esc",
        Action::Back,
        "close the innermost thing",
        None,
    ),
    bind(
        Everywhere,
        "Q F10 ^C",
        Action::Leave,
        "leave from anywhere",
        None,
    ),
    bind(
        Everywhere,
        "^L",
        Action::Redraw,
        "draw everything anew",
        None,
    ),
    bind(
        Everywhere,
        "^Z",
        Action::Suspend,
        "suspend to the shell",
        None,
    ),
    bind(
        Lost,
        "Enter",
        Action::Retry,
        "try to connect now",
        Some("try now"),
    ),
];
