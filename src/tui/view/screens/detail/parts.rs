//! Where the parts of the screen of one instance stand.

use ratatui::layout::Rect;

use crate::tui::screens::detail::Tab;

/// Lines above a tab: title, live line, tabs.
const ABOVE: u16 = 3;
/// So wide that charts stand beside the text.
const BESIDE: u16 = 110;
/// So high that charts stand below the text.
const BELOW: u16 = 18;
/// The height of charts below the text.
const CHARTS: u16 = 7;

/// So high that its logs stand at the bottom.
const LOGS: u16 = 28;
/// So wide that three columns stand beside each other.
const THREE: u16 = 158;

/// So high that what is open has a chart too.
const FILES: u16 = 28;

/// The text of a tab, and its charts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) text: Rect,
    pub(super) charts: Option<[Rect; 2]>,
    /// A third chart, where there is much room.
    pub(super) third: Option<Rect>,
    /// Its logs, with their title.
    pub(super) logs: Option<Rect>,
    /// Two columns beside the charts, in place of the text.
    pub(super) columns: Option<[Rect; 2]>,
}

pub(super) fn parts(area: Rect, tab: Tab) -> Parts {
    let body = Rect {
        x: area.x + 1,
        y: area.y + ABOVE,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(ABOVE),
    };
    let alone = Parts {
        text: body,
        charts: None,
        third: None,
        logs: None,
        columns: None,
    };
    match tab {
        Tab::Overview => {}
        Tab::Config | Tab::Env | Tab::Tree | Tab::Runs | Tab::Why => return alone,
        Tab::Logs => {
            let whole = Rect {
                x: area.x,
                width: area.width,
                ..body
            };
            return Parts {
                logs: Some(whole),
                ..alone
            };
        }
    }
    let below = if body.height >= LOGS {
        body.height / 3
    } else {
        0
    };
    let logs = Rect {
        x: area.x,
        y: body.bottom() - below,
        width: area.width,
        height: below,
    };
    let logs = (below > 0).then_some(logs);
    let body = Rect {
        height: body.height - below,
        ..body
    };
    if body.width >= THREE && body.height >= BELOW {
        return Parts {
            logs,
            ..three(body)
        };
    }
    if body.width >= BESIDE && body.height >= BELOW {
        let width = body.width / 2;
        let (x, height) = (body.x + width + 2, (body.height / 2).min(16));
        let right = Rect::new(x, body.y, body.right().saturating_sub(x), height - 1);
        let below = Rect {
            y: body.y + height,
            ..right
        };
        let charts = Some([right, below]);
        return Parts {
            text: Rect { width, ..body },
            charts,
            logs,
            ..alone
        };
    }
    if body.height >= BELOW {
        let height = body.height - CHARTS - 1;
        let half = body.width / 2;
        let left = Rect::new(body.x, body.y + height + 1, half - 1, CHARTS);
        let right = Rect {
            x: body.x + half + 1,
            ..left
        };
        return Parts {
            text: Rect { height, ..body },
            charts: Some([left, right]),
            logs,
            ..alone
        };
    }
    Parts { logs, ..alone }
}

/// Charts, and two columns beside them.
fn three(body: Rect) -> Parts {
    let width = body.width * 3 / 8;
    let below = if body.height >= FILES { FILES / 4 } else { 0 };
    let above = body.height - below;
    let half = above.div_ceil(2);
    let chart = |y, height: u16| Rect::new(body.x, y, width, height.saturating_sub(1));
    let left = Rect {
        x: body.x + width + 3,
        width: (body.width - width) / 2 - 4,
        ..body
    };
    let right = Rect {
        x: left.right() + 3,
        width: body.right().saturating_sub(left.right() + 3),
        ..body
    };
    Parts {
        text: body,
        charts: Some([chart(body.y, half), chart(body.y + half, above - half)]),
        third: (below > 0).then(|| chart(body.y + above, below)),
        logs: None,
        columns: Some([left, right]),
    }
}

/// Where its logs are; of no height when they are not seen.
pub(in crate::tui) fn log_area(area: Rect, tab: Tab) -> Rect {
    let nowhere = Rect { height: 0, ..area };
    parts(area, tab).logs.unwrap_or(nowhere)
}
