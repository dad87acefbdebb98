//! Where everything stands: pure, used by drawing and by scrolling alike.
//!
//! ```text
//!  header       1 line   who, how many, connection
//!  gauges       1 line   the machine
//!  head         1 line   titles of the columns
//!  rows         n lines  processes
//!  title        1 line   what the logs are of
//!  logs         m lines
//!  pinned       7 lines  logs of one more, where there is much room
//!  footer       1 line   keys, or a question
//! ```
//!
//! A screen on top of the main one has everything between header and footer.

use ratatui::layout::Rect;

use super::model::{Focus, Model};

/// Below this there is a notice only.
pub(super) const SMALLEST: (u16, u16) = (40, 10);

/// The table keeps so many lines, whatever the divider says.
const TABLE: u16 = 4;
/// Lines of what is pinned, with their title.
const PINNED: u16 = 7;
/// Lines of who did what, with their title.
const ACTIVITY: u16 = 6;

/// The places of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Regions {
    pub(super) header: Rect,
    pub(super) gauges: Rect,
    pub(super) head: Rect,
    pub(super) rows: Rect,
    /// Beside the table, where there is room: what is selected.
    pub(super) pane: Option<Rect>,
    pub(super) title: Rect,
    pub(super) logs: Option<Rect>,
    /// The line above what is pinned.
    pub(super) pinned_title: Rect,
    /// Logs of one more, where there is much room.
    pub(super) pinned: Option<Rect>,
    /// Who did what, where there is much room.
    pub(super) activity: Option<Rect>,
    pub(super) footer: Rect,
    /// Where a screen on top of the main one stands.
    pub(super) screen: Rect,
}

impl Regions {
    pub(super) fn has_logs(&self) -> bool {
        self.logs.is_some()
    }

    /// What is pinned with its title; of no height when nothing is.
    pub(super) fn pinned_pane(&self) -> Rect {
        self.pinned_title
            .union(self.pinned.unwrap_or(self.pinned_title))
    }

    /// The log pane with its title; of no height when there is none.
    pub(super) fn log_pane(&self) -> Rect {
        self.title.union(self.logs.unwrap_or(self.title))
    }
}

/// Whether there is much room.
pub(super) fn is_roomy(model: &Model) -> bool {
    model.size.0 >= 160 && model.size.1 >= 50
}

/// Divides the screen.
pub(super) fn regions(model: &Model) -> Regions {
    let (width, height) = model.size;
    let mut y = 0;
    let mut take = |lines: u16| {
        let lines = lines.min(height.saturating_sub(y));
        let area = Rect::new(0, y, width, lines);
        y += lines;
        area
    };
    let header = take(1);
    // A phone has no room for gauges.
    let gauges = take(u16::from(width >= 60 && height >= 14));
    let roomy = is_roomy(model) && !model.zoomed;
    let activity = if roomy { ACTIVITY } else { 0 };
    let pinned = if roomy && model.pinned.is_there() {
        PINNED
    } else {
        0
    };
    let used = header.height + gauges.height + pinned + activity + 1;
    let rest = height.saturating_sub(used);
    let small = width < 60 || height < 14;
    let (table, logs) = match (model.zoomed, model.focus) {
        (true, Focus::Table | Focus::About) => (rest, 0),
        (true, Focus::Logs) => (0, rest),
        (false, _) if small => (rest, 0),
        (false, _) => {
            let usual = i32::from((rest * 2 / 5).max(4));
            let most = i32::from(rest.saturating_sub(TABLE).max(4));
            let logs = (usual + model.divider).clamp(4, most);
            let logs = u16::try_from(logs).unwrap_or(4).min(rest);
            (rest - logs, logs)
        }
    };
    let mut head = take(table.min(1));
    let mut rows = take(table.saturating_sub(1));
    // The table keeps what its columns need.
    let beside = if width >= 100 && table >= 8 && !model.zoomed && !model.wide {
        width * 9 / 25
    } else {
        0
    };
    head.width -= beside;
    rows.width -= beside;
    let pane = (beside > 0).then(|| Rect::new(head.width, head.y, beside, table));
    let title = take(logs.min(1));
    let body = take(logs.saturating_sub(1));
    let pinned_title = take(pinned.min(1));
    let pinned = take(pinned.saturating_sub(1));
    let activity = take(activity);
    let footer = take(1);
    Regions {
        header,
        gauges,
        head,
        rows,
        pane,
        title,
        logs: (logs > 1).then_some(body),
        pinned_title,
        pinned: (pinned.height > 0).then_some(pinned),
        activity: (activity.height > 0).then_some(activity),
        footer,
        screen: Rect::new(
            0,
            header.height,
            width,
            height.saturating_sub(header.height + 1),
        ),
    }
}
