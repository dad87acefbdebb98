//! The instances that are new and those that are old, compared over the last minute.

use std::time::Duration;

use crate::api::{Place, PlaceView, RolloutView};
use crate::domain::names::InstanceId;
use crate::tui::model::{Model, Row};
use crate::tui::spark::PERIOD_MS;

use super::{RollingScreen, WINDOW_MS};

/// So many of a side have their lines counted: a process with a hundred instances costs no more than one with a few.
const COUNTED: usize = 8;

/// One side; figures are for one instance, and none where nothing is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct Side {
    pub(in crate::tui) names: Vec<String>,
    /// Lines of standard error in a minute.
    pub(in crate::tui) stderr: Option<f64>,
    /// Lines in a minute that say themselves that they are errors.
    pub(in crate::tui) errors: Option<f64>,
    /// Bytes.
    pub(in crate::tui) memory: Option<f64>,
    /// Percent of one core.
    pub(in crate::tui) cpu: Option<f64>,
    /// Runs that ended by themselves, of all together.
    pub(in crate::tui) ends: Option<f64>,
    /// Whether one of them runs for less than a minute.
    pub(in crate::tui) young: bool,
}

/// Whether an instance of a place has its new run; none when it has neither.
fn is_new(place: &PlaceView) -> Option<bool> {
    match place.place {
        Place::Waiting | Place::Down => Some(false),
        Place::Rising | Place::Settling | Place::Done | Place::Failed => Some(true),
        Place::Draining | Place::Left => None,
    }
}

/// The places of a side.
pub(super) fn of(places: &[PlaceView], new: bool) -> impl Iterator<Item = &PlaceView> {
    places.iter().filter(move |it| is_new(it) == Some(new))
}

fn mean(figures: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = figures.flatten().collect();
    #[expect(clippy::cast_precision_loss, reason = "a few instances")]
    let count = known.len() as f64;
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
}

/// When the run of an instance began; none when it has none.
fn begun_ms(model: &Model, row: &Row) -> Option<u64> {
    let since = model.told_at().saturating_sub(row.at).as_secs() + row.view.uptime?;
    Some(model.told_ms().saturating_sub(since * 1000))
}

/// The runs whose lines are to be counted.
pub(super) fn counted(model: &Model, places: &[PlaceView]) -> Vec<(InstanceId, u64)> {
    let side = |new| {
        let rows = of(places, new).filter_map(|it| model.rows.get(&it.id));
        let runs = rows.filter_map(|row| Some((row.view.id, begun_ms(model, row)?)));
        runs.take(COUNTED)
    };
    side(false).chain(side(true)).collect()
}

/// What an instance used in a stretch of time: percent of one core, bytes.
fn used(row: &Row, from_ms: u64, to_ms: u64) -> (Option<f64>, Option<f64>) {
    let steps = || (from_ms..to_ms).step_by(usize::try_from(PERIOD_MS).unwrap_or(5000));
    let cpu = mean(steps().map(|ms| Some(f64::from(row.series.at(ms).0?) / 10.0)));
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let float = |bytes: u64| bytes as f64;
    let memory = mean(steps().map(|ms| row.series.at(ms).1.map(float)));
    let up = row.view.uptime.is_some();
    (
        cpu.or(row.view.cpu.filter(|_| up).map(f64::from)),
        memory.or(row.view.memory.filter(|_| up).map(float)),
    )
}

fn side(model: &Model, it: &RollingScreen, places: &[PlaceView], new: bool, end_ms: u64) -> Side {
    let window_ms = end_ms.saturating_sub(WINDOW_MS);
    let rows: Vec<(&Row, u64)> = of(places, new)
        .filter_map(|place| model.rows.get(&place.id))
        .filter_map(|row| Some((row, begun_ms(model, row)?)))
        .collect();
    let from = |begun: &u64| (*begun).max(window_ms);
    let rates = || {
        let rows = rows.iter();
        rows.map(|(row, begun)| it.counting.rates(row.view.id, from(begun), end_ms))
    };
    let used: Vec<_> = rows
        .iter()
        .map(|(row, begun)| used(row, from(begun), end_ms))
        .collect();
    let all = of(places, new);
    let ends = all.map(|place| model.ends.count(place.id, window_ms, end_ms));
    // Of none, and of some of whom nothing is known, there is no sum.
    let ends: Option<Vec<u64>> = ends.collect();
    #[expect(clippy::cast_precision_loss, reason = "a few runs")]
    let ends = ends
        .filter(|all| !all.is_empty())
        .map(|all| all.iter().sum::<u64>() as f64);
    Side {
        names: of(places, new).map(|it| it.name.clone()).collect(),
        stderr: mean(rates().map(|rates| Some(rates?.stderr))),
        errors: mean(rates().map(|rates| Some(rates?.errors))),
        cpu: mean(used.iter().map(|(cpu, _)| *cpu)),
        memory: mean(used.iter().map(|(_, memory)| *memory)),
        ends,
        young: rows.iter().any(|(_, begun)| *begun > window_ms),
    }
}

/// Until when it is compared: now; of one that is over, its end.
pub(super) fn end_ms(model: &Model, view: &RolloutView, at: Duration) -> u64 {
    if !view.over {
        return model.told_ms();
    }
    let since = model.now.saturating_sub(at).as_millis();
    let since = u64::try_from(since).unwrap_or(u64::MAX);
    model.wall_ms.saturating_sub(since)
}

/// Both sides, old and new, as they are now; of one that is over, as they were at its end.
pub(in crate::tui) fn sides(model: &Model, it: &RollingScreen) -> Option<[Side; 2]> {
    let (view, at) = it.progress(model)?;
    let end_ms = end_ms(model, view, at);
    let side = |new| side(model, it, &view.places, new, end_ms);
    Some([side(false), side(true)])
}
