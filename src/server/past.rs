//! `GET /api/processes/{select}/{runs,why,tree}`: what was, and what that is which is there now.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use crate::daemon::past::STDERR_LINES;

use super::answer::{Answer, selectors, success};
use super::routes::{Context, Named};

/// Runs, when nobody says how many.
const RUNS: usize = 10;

/// The places of what is read beside the supervisor.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/processes/{select}/runs", get(runs))
        .route("/api/processes/{select}/why", get(why))
        .route("/api/processes/{select}/tree", get(tree))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// How many runs of each instance.
    limit: Option<usize>,
    /// How many lines of standard error of each run.
    lines: Option<usize>,
}

async fn runs(
    Extension(context): Extension<Context>,
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

async fn why(Extension(context): Extension<Context>, select: Named) -> Answer {
    let Path(select) = select?;
    success(context.past.why(selectors(&select)?).await?)
}

async fn tree(Extension(context): Extension<Context>, select: Named) -> Answer {
    let Path(select) = select?;
    success(context.past.trees(selectors(&select)?).await?)
}
