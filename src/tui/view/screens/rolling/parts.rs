//! Where the parts of a rolling restart stand.

use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::screens::rolling::RollingScreen;

/// Title and summary.
const ABOVE: u16 = 2;
/// The comparison: a rule, a head, and its lines.
const GATE: u16 = 7;
/// Below this width its columns do not fit.
const GATE_WIDTH: u16 = 50;
/// The fewest lines of a log, with its title.
const LOG: u16 = 3;
/// As many instances are seen before anything else gets room.
const FEW: u16 = 4;

/// From above to below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    /// The instances, with the head of their columns.
    pub(super) list: Rect,
    pub(super) gate: Option<Rect>,
    /// What holds for it, and the command.
    pub(super) notes: Rect,
    /// With its title.
    pub(super) log: Option<Rect>,
}

/// All that is wanted of what is left, or nothing.
fn give(left: &mut u16, wanted: u16, there: bool) -> u16 {
    let given = if there && *left >= wanted { wanted } else { 0 };
    *left -= given;
    given
}

/// Divides the screen for so many instances and notes.
pub(super) fn parts(area: Rect, instances: usize, notes: u16, goes: bool) -> Parts {
    let mut left = area.height.saturating_sub(ABOVE);
    // The head has to leave room for what it heads.
    let head = u16::from(left > 4);
    let few = u16::try_from(instances).unwrap_or(u16::MAX).min(FEW);
    let mut list = (head + few).min(left);
    left -= list;
    // Of a plan as much is said as there is room for.
    let most = notes.min(left);
    let notes = if goes {
        give(&mut left, notes, area.height > 10)
    } else {
        give(&mut left, most, true)
    };
    let gate = give(&mut left, GATE, goes && area.width >= GATE_WIDTH);
    let mut log = give(&mut left, LOG, goes);
    // Of what is left, instances that are not seen yet get at most half; without a log, all.
    let more = u16::try_from(instances).unwrap_or(u16::MAX) - few;
    let most = if log > 0 { left / 2 } else { left };
    let more = more.min(most);
    list += more;
    if log > 0 {
        log += left - more;
    }
    let mut y = area.y + ABOVE;
    let mut place = |height: u16| {
        let place = Rect { y, height, ..area };
        y += height;
        place
    };
    let list = place(list);
    let gate = (gate > 0).then(|| place(gate));
    if log == 0 {
        // What has no log below it ends where the screen ends.
        y = area.bottom().saturating_sub(notes);
    }
    let mut place = |height: u16| {
        let place = Rect { y, height, ..area };
        y += height;
        place
    };
    Parts {
        list,
        gate,
        notes: place(notes),
        log: (log > 0).then(|| place(log)),
    }
}

/// Where the log of the new instances stands; of no height when it does not.
pub(in crate::tui) fn log_area(area: Rect, model: &Model, it: &RollingScreen) -> Rect {
    let progress = it.progress(model);
    let parts = progress.map(|(view, _)| parts(area, view.places.len(), super::NOTES, true));
    let none = Rect { height: 0, ..area };
    parts.and_then(|it| it.log).unwrap_or(none)
}
