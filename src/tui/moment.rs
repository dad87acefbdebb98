//! One time cursor: a moment of a chart that logs, events and the other processes go to. Without one it is now.

use std::time::Duration;

use crate::api::{Columns, MetricHistory};
use crate::domain::names::InstanceId;

use super::log_pane;
use super::model::{Model, Row};
use super::msg::Cmd;
use super::screens::log_view::{self, Seat};
use super::screens::{Screen, detail};
use super::spark::PERIOD_MS;

/// Logs follow the cursor this much later.
const SETTLES: Duration = Duration::from_millis(120);

/// The minutes on the screen move by so many columns at once: what hangs over many lines of a chart costs each of them when
/// it moves.
const STRIDE: u64 = 4;

/// Where the cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment {
    /// Milliseconds since 1970: the beginning of a column.
    pub(super) at_ms: Option<u64>,
    /// When the logs go there.
    due: Option<Duration>,
}

/// Columns of a chart with their times, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline {
    pub(super) period_ms: u64,
    /// When the newest ended.
    pub(super) end_ms: u64,
    /// Percent of one core in tenths.
    pub(super) cpu: Vec<Option<u16>>,
    /// Bytes.
    pub(super) memory: Vec<Option<u64>>,
    /// Descriptors; of a day nothing is known.
    pub(super) fds: Vec<Option<u32>>,
}

impl Timeline {
    /// The last minutes of an instance. Of one that is not measured any more, the time since is a gap.
    pub(super) fn of(row: &Row, now_ms: u64) -> Self {
        let series = &row.series;
        let end = series.end_ms().unwrap_or(now_ms);
        let kept = series.cpu().len();
        let since = now_ms.saturating_sub(end) / PERIOD_MS;
        // The column that is being filled is no gap.
        let gap = if since < 2 { 0 } else { since };
        let gaps = usize::try_from(gap).unwrap_or(usize::MAX).min(kept);
        let cpu = series.cpu().iter().copied();
        let memory = series.memory().iter().copied();
        let fds = series.fds().iter().copied();
        Self {
            period_ms: PERIOD_MS,
            end_ms: end + gap * PERIOD_MS,
            cpu: cpu.chain(std::iter::repeat_n(None, gaps)).collect(),
            memory: memory.chain(std::iter::repeat_n(None, gaps)).collect(),
            fds: fds.chain(std::iter::repeat_n(None, gaps)).collect(),
        }
    }

    /// What the daemon told.
    pub(super) fn told(columns: &Columns) -> Self {
        Self {
            period_ms: columns.period_ms.max(1),
            end_ms: columns.end_ms,
            cpu: columns.cpu.clone(),
            memory: columns.memory.clone(),
            fds: Vec::new(),
        }
    }

    /// So many columns are still to come before the picture moves.
    pub(super) fn ahead(&self) -> usize {
        if self.period_ms != PERIOD_MS {
            return 0;
        }
        let over = self.end_ms / PERIOD_MS % STRIDE;
        usize::try_from((STRIDE - over) % STRIDE).unwrap_or(0)
    }

    /// How many columns before the end a moment is; none behind it.
    pub(super) fn back(&self, ms: u64) -> Option<usize> {
        let before = self.end_ms.checked_sub(ms + 1)?;
        usize::try_from(before / self.period_ms).ok()
    }

    /// What was used at a moment.
    pub(super) fn at(&self, ms: u64) -> (Option<u16>, Option<u64>) {
        let place = || self.cpu.len().checked_sub(self.back(ms)? + 1);
        place().map_or((None, None), |n| {
            let cpu = self.cpu.get(n).copied().flatten();
            (cpu, self.memory.get(n).copied().flatten())
        })
    }

    /// What was open at a moment.
    pub(super) fn open_at(&self, ms: u64) -> Option<u32> {
        let place = self.fds.len().checked_sub(self.back(ms)? + 1)?;
        self.fds.get(place).copied().flatten()
    }

    /// The moment so many columns from another; none behind the end.
    fn step(&self, from: Option<u64>, by: i64) -> Option<u64> {
        let back = from.map_or(Some(-1), |ms| {
            self.back(ms).and_then(|back| i64::try_from(back).ok())
        });
        let most = i64::try_from(self.cpu.len()).unwrap_or(i64::MAX) - 1;
        let back = back.unwrap_or(-1).saturating_sub(by).min(most.max(0));
        let back = u64::try_from(back).ok()?;
        Some(self.end_ms.saturating_sub((back + 1) * self.period_ms))
    }
}

impl Model {
    /// Takes over what was measured before the dashboard was there.
    pub(super) fn take_history(&mut self, list: &[MetricHistory]) {
        for it in list {
            if let Some(row) = self.rows.get_mut(&it.id) {
                row.series.fill(&it.short);
            }
        }
    }

    /// Adds a measurement.
    pub(super) fn measure(&mut self, id: InstanceId, cpu: Option<f32>, memory: Option<u64>) {
        let wall_ms = self.wall_ms;
        if let Some(row) = self.rows.get_mut(&id) {
            row.view.cpu = cpu;
            row.view.memory = memory;
            let Some(cpu) = cpu else {
                return;
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped"
            )]
            let tenths = (cpu * 10.0).clamp(0.0, 65535.0) as u16;
            row.series.add(tenths, memory, wall_ms);
        }
    }
}

/// Whose chart has the keys, and its columns.
fn chart(model: &Model) -> Option<Timeline> {
    match model.screens.last() {
        Some(Screen::Detail(it)) => detail::timeline(model, it),
        None => Some(Timeline::of(model.pane_row()?, model.told_ms())),
        Some(_) => None,
    }
}

/// Moves the cursor by columns; beyond the newest it is gone.
pub(super) fn step(model: &mut Model, by: i64) {
    let Some(timeline) = chart(model) else {
        return;
    };
    let to = timeline.step(model.moment.at_ms, by);
    set(model, to);
}

/// Takes the cursor away; whether there was one.
pub(super) fn clear(model: &mut Model) -> bool {
    let was = model.moment.at_ms.is_some();
    if was {
        set(model, None);
    }
    was
}

fn set(model: &mut Model, at_ms: Option<u64>) {
    if model.moment.at_ms != at_ms {
        model.moment = Moment {
            at_ms,
            due: Some(model.now + SETTLES),
        };
    }
}

/// When the logs go there.
pub(super) fn due(model: &Model) -> Option<Duration> {
    model.moment.due.filter(|_| model.is_live())
}

/// The logs go there, a little after the last move.
pub(super) fn tick(model: &mut Model, commands: &mut Vec<Cmd>) {
    if !model.is_live() || model.moment.due.is_none_or(|due| due > model.now) {
        return;
    }
    model.moment.due = None;
    if !log_pane::is_covered(model) {
        log_view::go(model, Seat::Main, model.moment.at_ms, commands);
    }
    for seat in log_view::details(model) {
        log_view::go(model, seat, model.moment.at_ms, commands);
    }
}

/// What the other instances used then, the busiest first.
pub(super) fn others(model: &Model, id: InstanceId, ms: u64) -> Vec<(&Row, u16, Option<u64>)> {
    let rows = model.rows.values().filter(|row| row.view.id != id);
    let mut all: Vec<_> = rows
        .filter_map(|row| {
            let (cpu, memory) = row.series.at(ms);
            Some((row, cpu?, memory))
        })
        .collect();
    all.sort_by_key(|(row, cpu, _)| (std::cmp::Reverse(*cpu), row.view.id));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_of_minutes_moves_by_four_columns_at_once() {
        let timeline = |end_ms, period_ms| Timeline {
            period_ms,
            end_ms,
            cpu: vec![],
            memory: vec![],
            fds: vec![],
        };
        let ahead = |column: u64| timeline(column * PERIOD_MS, PERIOD_MS).ahead();
        let all: Vec<usize> = (0..9).map(ahead).collect();
        assert_eq!(all, [0, 3, 2, 1, 0, 3, 2, 1, 0]);
        assert_eq!(timeline(5 * 300_000, 300_000).ahead(), 0, "a day");
    }
}
