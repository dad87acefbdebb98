//! `GET /api/processes/{select}/definition`, `POST /api/edit`, `POST /api/reveal`.

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::api::{ApiError, Code, Who};

use super::answer::{Answer, body, success};
use super::routes::{Context, Named, Waiting, applied};

/// The places of definitions.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/processes/{select}/definition", get(definition))
        .route("/api/edit", post(edit))
        .route("/api/reveal", post(reveal))
}

async fn definition(Extension(context): Extension<Context>, select: Named) -> Answer {
    let Path(select) = select?;
    let select = select
        .parse()
        .map_err(|why: String| ApiError::new(Code::BadRequest, why))?;
    success(context.handle.definition(select).await?)
}

async fn edit(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let axum::extract::Query(wait) = wait?;
    let edited = context.handle.edit(body(bytes)?, who).await?;
    applied(&context.handle, &wait, edited).await
}

async fn reveal(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    success(context.handle.reveal(body(bytes)?, who).await?)
}
