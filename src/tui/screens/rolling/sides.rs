//! The instances that are new and those that are old, compared over the last minute.

use std::time::Duration;

use crate::api::{PlaceView, RolloutView, Side};
use crate::domain::gate::{COUNTED, Measured, is_new, mean};
use crate::domain::names::InstanceId;
use crate::tui::model::{Model, Row};
use crate::tui::spark::PERIOD_MS;

use super::{RollingScreen, WINDOW_MS};

/// The places of a side.
pub(super) fn of(places: &[PlaceView], new: bool) -> impl Iterator<Item = &PlaceView> {
    places
        .iter()
        .filter(move |it| is_new(it.place) == Some(new))
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
    let measured = of(places, new).map(|place| {
        let row = model.rows.get(&place.id);
        let run = row.and_then(|row| Some((row, begun_ms(model, row)?)));
        let mut measured = Measured {
            name: place.name.clone(),
            ends: model.ends.count(place.id, window_ms, end_ms),
            ..Measured::default()
        };
        if let Some((row, begun)) = run {
            let from = begun.max(window_ms);
            let rates = it.counting.rates(place.id, from, end_ms);
            (measured.stderr, measured.errors) =
                (rates.map(|it| it.stderr), rates.map(|it| it.errors));
            (measured.cpu, measured.memory) = used(row, from, end_ms);
            measured.young = begun > window_ms;
        }
        measured
    });
    Side::of(&measured.collect::<Vec<_>>())
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
