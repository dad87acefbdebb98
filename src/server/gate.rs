//! `GET /api/operations/{id}/gate`: the new instances of a rolling restart against the old ones. Put together here from what
//! the supervisor knows and what is counted in logs, so that counting holds no decision.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Path};
use axum::routing::get;

use crate::api::{
    ApiError, Bucket, Code, Detail, GateView, MetricHistory, PlaceView, Reason, RolloutView,
    Selector, Side, What,
};
use crate::daemon::reading::{Scope, histogram};
use crate::domain::gate::{COUNTED, ENOUGH_MS, Measured, WINDOW_MS, is_new, mean};
use crate::domain::names::{InstanceId, OperationId};
use crate::platform::clock::wall_ms;

use super::answer::{Answer, success};
use super::routes::{Context, Named};

/// How long the lines of one instance may be counted: a flood is counted as far as that goes.
const PATIENCE: Duration = Duration::from_millis(250);

pub(super) fn routes() -> Router {
    Router::new().route("/api/operations/{id}/gate", get(gate))
}

async fn gate(Extension(context): Extension<Context>, id: Named) -> Answer {
    let Path(id) = id?;
    let id = OperationId::try_from(id).map_err(|e| ApiError::new(Code::BadRequest, e))?;
    let view = context.handle.operation(id.clone()).await?;
    if view.rollouts.is_empty() {
        let text = format!("operation {id} is not a rolling restart");
        return Err(ApiError::new(Code::Refused, text).into());
    }
    let daemon = context.handle.info().await?;
    let now_ms = wall_ms();
    let look = Look {
        now_ms,
        heard_ms: now_ms.saturating_sub(daemon.uptime.saturating_mul(1000)),
    };
    let mut all = Vec::new();
    for rollout in view.rollouts {
        all.push(look.of(&context, rollout).await?);
    }
    success(all)
}

/// Lines of standard error in a minute, and of errors.
type Rates = (Option<f64>, Option<f64>);

/// When it is looked.
struct Look {
    now_ms: u64,
    /// Since when this daemon hears of ends.
    heard_ms: u64,
}

impl Look {
    async fn of(&self, context: &Context, rollout: RolloutView) -> Result<GateView, ApiError> {
        let ids = |new| {
            let places = rollout.places.iter();
            places.filter(move |it| is_new(it.place) == Some(new))
        };
        let select: Vec<Selector> = [false, true]
            .into_iter()
            .flat_map(ids)
            .map(|it| Selector::Id(it.id))
            .collect();
        let (mut details, mut histories) = (BTreeMap::new(), BTreeMap::new());
        // One that was deleted meanwhile makes the others no less known.
        if !select.is_empty() {
            let told = context
                .handle
                .detail(select.clone())
                .await
                .unwrap_or_default();
            details.extend(told.into_iter().map(|it| (it.instance.id, it)));
            let told = context
                .handle
                .metric_history(select)
                .await
                .unwrap_or_default();
            histories.extend(told.into_iter().map(|it| (it.id, it)));
        }
        let known = (&details, &histories);
        let old = self
            .side(context, &ids(false).collect::<Vec<_>>(), known)
            .await;
        let new = self
            .side(context, &ids(true).collect::<Vec<_>>(), known)
            .await;
        Ok(GateView::of(rollout.process, old, new))
    }

    async fn side(
        &self,
        context: &Context,
        places: &[&PlaceView],
        (details, histories): (
            &BTreeMap<InstanceId, Detail>,
            &BTreeMap<InstanceId, MetricHistory>,
        ),
    ) -> Side {
        let mut all = Vec::new();
        // A disk that does not answer is asked once.
        let mut left = COUNTED;
        for place in places {
            let mut it = Measured {
                name: place.name.clone(),
                ..Measured::default()
            };
            if let Some(detail) = details.get(&place.id) {
                self.measure(&mut it, detail, histories.get(&place.id));
                if left > 0 {
                    match self.count(context, detail).await {
                        Ok(rates) => {
                            (it.stderr, it.errors) = rates;
                            left -= 1;
                        }
                        Err(_) => left = 0,
                    }
                }
            }
            all.push(it);
        }
        Side::of(&all)
    }

    fn window_ms(&self) -> u64 {
        self.now_ms.saturating_sub(WINDOW_MS)
    }

    /// From when on it is compared: since its run began, but not longer than the window; none when it has none.
    fn since(&self, detail: &Detail) -> Option<u64> {
        let begun = self.now_ms.saturating_sub(detail.instance.uptime? * 1000);
        Some(begun.max(self.window_ms()))
    }

    /// What the supervisor knows.
    fn measure(&self, it: &mut Measured, detail: &Detail, history: Option<&MetricHistory>) {
        let heard = self.heard_ms.max(self.window_ms());
        if self.now_ms.saturating_sub(heard) >= ENOUGH_MS {
            let ends = detail.events.iter().filter(|event| {
                let of_itself = matches!(
                    event.what,
                    What::Exit {
                        reason: Reason::Itself,
                        ..
                    }
                );
                of_itself && event.at_ms >= heard
            });
            it.ends = Some(ends.count() as u64);
        }
        let Some(from_ms) = self.since(detail) else {
            return;
        };
        it.young = from_ms > self.window_ms();
        let instance = &detail.instance;
        let columns = history.map(|it| &it.short);
        let count = |length: usize, period_ms: u64, end_ms: u64| {
            let span = end_ms.saturating_sub(from_ms) / period_ms.max(1);
            length.saturating_sub(usize::try_from(span).unwrap_or(usize::MAX))
        };
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let float = |bytes: u64| bytes as f64;
        it.cpu = columns
            .and_then(|it| {
                let skip = count(it.cpu.len(), it.period_ms, it.end_ms);
                mean(
                    it.cpu
                        .iter()
                        .skip(skip)
                        .map(|tenths| Some(f64::from((*tenths)?) / 10.0)),
                )
            })
            .or(instance.cpu.map(f64::from));
        it.memory = columns
            .and_then(|it| {
                let skip = count(it.memory.len(), it.period_ms, it.end_ms);
                mean(it.memory.iter().skip(skip).map(|bytes| bytes.map(float)))
            })
            .or(instance.memory.map(float));
    }

    /// Lines in a minute: of standard error, and of those that say that they are errors. None when too little was counted.
    async fn count(&self, context: &Context, detail: &Detail) -> Result<Rates, ApiError> {
        let Some(from_ms) = self.since(detail) else {
            return Ok((None, None));
        };
        let select = vec![Selector::Id(detail.instance.id)];
        let sources = context.handle.logs(select).await?;
        let scope = Scope::new(sources, None, "", None)?;
        let wanted = histogram::Wanted {
            from_ms,
            to_ms: self.now_ms.max(from_ms + 1),
            buckets: 1,
            deadline: PATIENCE,
        };
        let counted = histogram::count(&context.readers, scope, wanted).await?;
        let looked_ms = counted.counted_ms.saturating_sub(from_ms);
        if looked_ms < ENOUGH_MS {
            return Ok((None, None));
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown")]
        let per_minute = |lines: u64| Some(lines as f64 * 60_000.0 / looked_ms as f64);
        let sum = |of: fn(&Bucket) -> u64| counted.buckets.iter().map(of).sum();
        Ok((
            per_minute(sum(|it| it.stderr)),
            per_minute(sum(|it| it.errors)),
        ))
    }
}
