//! `GET /api/activity`: who did what; `GET /api/changes`: what changed; `GET /api/clients`: who listens.

use axum::Extension;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::api::{ActivityQuery, ChangesQuery};

use super::answer::{Answer, success};
use super::routes::Context;

/// Entries when nobody says how many, and at most.
const ENTRIES: usize = 500;

pub(super) async fn activity(
    Extension(context): Extension<Context>,
    query: Result<Query<ActivityQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let most = query.limit.unwrap_or(ENTRIES).min(ENTRIES);
    let since = query.since_ms.unwrap_or(0);
    success(context.past.activity(since, most).await?)
}

pub(super) async fn changes(
    Extension(context): Extension<Context>,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    success(context.past.changes(query.since_ms).await?)
}

pub(super) async fn clients(Extension(context): Extension<Context>) -> Answer {
    success(context.handle.clients().await?)
}
