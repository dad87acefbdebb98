//! What a key asks for.

use strum::{Display, EnumString, IntoStaticStr, VariantNames};

use crate::domain::exit::Signal;

/// What a key asks for. Its name in kebab case is what `[tui.keys]` of the configuration calls it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
    Fold,
    Unfold,
    Start,
    Stop,
    Restart,
    Kill,
    Delete,
    Roll,
    ScaleUp,
    ScaleDown,
    SignalHup,
    SignalInt,
    SignalQuit,
    SignalAbrt,
    SignalTerm,
    SignalKill,
    SignalUsr1,
    SignalUsr2,
    SignalStop,
    SignalCont,
    SignalWinch,
    Edit,
    Undo,
    Confirm,
    Pause,
    Continue,
    Abort,
    More,
    Less,
    New,
    Mark,
    MarkRange,
    MarkInvert,
    MarkAll,
    SortCpu,
    SortMemory,
    SortName,
    SortStatus,
    SortRestarts,
    SortUptime,
    SortReverse,
    Tree,
    Filter,
    NextPane,
    PreviousPane,
    Mouse,
    Pin,
    Wide,
    DividerUp,
    DividerDown,
    Pager,
    Similar,
    CopyName,
    CopyId,
    CopyPid,
    CopyCommand,
    CopyRow,
    CopyError,
    CopyLine,
    CopyVariable,
    Reveal,
    CopyTwin,
    CopyView,
    ToTable,
    ToAbout,
    ToLogs,
    CursorBack,
    CursorOn,
    CursorFarBack,
    CursorFarOn,
    Logs,
    Zoom,
    Follow,
    Times,
    Stream,
    ReadLogs,
    Level,
    Wrap,
    Left,
    Right,
    LineStart,
    LineEnd,
    Search,
    HitNext,
    HitPrevious,
    LogFilter,
    Highlight,
    ErrorNext,
    ErrorPrevious,
    RunNext,
    RunPrevious,
    LineMark,
    ToMark,
    GoToTime,
    PaneAdd,
    PaneClose,
    PaneArrange,
    Select,
    Copy,
    Whole,
    Plain,
    Save,
    Help,
    Palette,
    RetryFailed,
    Operation,
    Messages,
    DaemonLog,
    Activity,
    HideTargets,
    HideOff,
    FocusTarget,
    ShowMore,
    ShowLess,
    CaptureMore,
    CaptureLess,
    Detail,
    TabNext,
    TabPrevious,
    Back,
    Quit,
    Leave,
    Redraw,
    Suspend,
    Retry,
}

impl Action {
    /// The signal that it sends.
    pub(crate) fn signal(self) -> Option<Signal> {
        SIGNALS
            .iter()
            .find(|(action, _)| *action == self)
            .and_then(|(_, number)| Signal::from_number(*number))
    }

    /// Whether it means the same whatever screen stands on top.
    pub(crate) fn is_global(self) -> bool {
        matches!(
            self,
            Self::Help
                | Self::Palette
                | Self::ToTable
                | Self::Mouse
                | Self::ToAbout
                | Self::ToLogs
                | Self::Undo
                | Self::Messages
                | Self::DaemonLog
                | Self::Activity
                | Self::Back
                | Self::Quit
                | Self::Leave
                | Self::Redraw
                | Self::Suspend
                | Self::Retry
        )
    }
}

/// What sends which signal.
const SIGNALS: [(Action, i32); 11] = [
    (Action::SignalHup, 1),
    (Action::SignalInt, 2),
    (Action::SignalQuit, 3),
    (Action::SignalAbrt, 6),
    (Action::SignalTerm, 15),
    (Action::SignalKill, 9),
    (Action::SignalUsr1, 10),
    (Action::SignalUsr2, 12),
    (Action::SignalStop, 19),
    (Action::SignalCont, 18),
    (Action::SignalWinch, 28),
];

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Everywhere,
    /// The table of the main screen.
    Processes,
    /// What is selected, beside the table.
    About,
    /// A pane of logs.
    Logs,
    /// Logs over the whole screen.
    LogView,
    /// One verb on several instances.
    Bulk,
    /// The plan of a rolling restart.
    Plan,
    /// A rolling restart.
    Rolling,
    /// Everything about one instance.
    Detail,
    /// The remarks of this session.
    Messages,
    /// What the daemon says about itself.
    OwnLog,
    /// The box that says that the connection is lost.
    Lost,
}

impl Place {
    /// All of them, in the order of the help.
    pub(crate) const ALL: [Self; 12] = [
        Self::Processes,
        Self::About,
        Self::Logs,
        Self::LogView,
        Self::Bulk,
        Self::Plan,
        Self::Rolling,
        Self::Detail,
        Self::Messages,
        Self::OwnLog,
        Self::Lost,
        Self::Everywhere,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "EVERYWHERE",
            Self::Processes => "PROCESSES",
            Self::About => "BESIDE THE TABLE",
            Self::Logs => "LOGS",
            Self::LogView => "LOG VIEW",
            Self::Bulk => "SEVERAL AT ONCE",
            Self::Plan => "PLAN OF A ROLLING RESTART",
            Self::Rolling => "ROLLING RESTART",
            Self::Detail => "DETAIL",
            Self::Messages => "MESSAGES",
            Self::OwnLog => "DAEMON LOG",
            Self::Lost => "NOT CONNECTED",
        }
    }
}
