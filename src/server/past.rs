//! `GET /api/processes/{select}/runs`: what was.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use crate::daemon::past::STDERR_LINES;

use super::answer::{Answer, selectors, success};
use super::routes::{Context, Named};

/// Runs, when nobody says how many.
const RUNS: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// How many runs of each instance.
    limit: Option<usize>,
    /// How many lines of standard error of each run.
    lines: Option<usize>,
}

pub(super) async fn runs(
    State(context): State<Context>,
    select: Named,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Path(select) = select?;
    let Query(wanted) = query?;
    let most = wanted.limit.unwrap_or(RUNS);
    let lines = wanted.lines.unwrap_or(STDERR_LINES);
    let runs = context.past.runs(selectors(&select)?, most, lines);
    success(runs.await?)
}
