//! Places and what answers there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request};
use axum::http::{HeaderMap, Method};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::api::{ApiError, Applied, CLIENT, Code, OperationView, READ_ONLY, ServerControl, Who};
use crate::daemon::candidate;
use crate::daemon::handle::Handle;
use crate::daemon::past::Past;
use crate::daemon::reading::Readers;
use crate::daemon::role::Msg;
use crate::daemon::telemetry::OwnLog;
use crate::domain::names::OperationId;
use crate::platform::procfs;

use super::answer::{Answer, Failure, body, selectors, success};
use super::patience::{self, Activity, Answering, Untaken};
use super::{activity, events, logs, own_log};

/// The largest body: the definitions of a large file with their environments fit.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// The longest wait for an operation in one request; a client asks again.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What every route has: who asks, and whom to ask.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) handle: Handle,
    pub(super) growth: watch::Receiver<u64>,
    pub(super) readers: Readers,
    pub(super) messages: mpsc::Sender<Msg>,
    pub(super) past: Past,
    pub(super) own_log: OwnLog,
    /// Who is at the other end, as the kernel knows them: the user, and the pid.
    pub(super) peer: (String, Option<i32>),
    /// What this connection is doing.
    pub(super) activity: Arc<Activity>,
    /// Room for the bodies of all requests together.
    pub(super) room: Arc<Semaphore>,
}

/// All places. Made once: each request carries the [`Context`] of its connection.
pub(super) fn router() -> Router {
    Router::new()
        .route("/api/daemon", get(info).post(control))
        .route("/api/daemon/log", get(own_log::read))
        .route("/api/processes", get(list).post(define))
        .route("/api/processes/{select}", get(detail))
        .merge(super::past::routes())
        .merge(super::edit::routes())
        .merge(super::gate::routes())
        .route("/api/operations", get(operations).post(act))
        .route("/api/operations/{id}", get(operation))
        .route("/api/operations/{id}/control", post(control_rollout))
        .route("/api/plan", post(plan))
        .route("/api/scale", post(scale))
        .route("/api/signal", post(signal))
        .route("/api/undo", get(undo_list).post(undo))
        .route("/api/apply", post(apply))
        .route("/api/down", post(down))
        .route("/api/metrics/history", get(metric_history))
        .route("/api/events", get(events::events))
        .route("/api/activity", get(activity::activity))
        .route("/api/changes", get(activity::changes))
        .route("/api/clients", get(activity::clients))
        .route("/api/logs", get(logs::read))
        .route("/api/logs/page", get(logs::page))
        .route("/api/logs/search", get(logs::search))
        .route("/api/logs/histogram", get(logs::histogram))
        .route("/api/logs/controls", get(logs::controls))
        .route("/api/logs/events", get(logs::happened))
        .route("/api/logs/flush", post(logs::flush))
        .route("/api/logs/rotate", post(logs::rotate))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(take_whole))
}

/// Takes the body within bounds of time and room before anybody works on it.
async fn take_whole(
    Extension(context): Extension<Context>,
    request: Request,
    next: Next,
) -> Response {
    if request.headers().contains_key(READ_ONLY) && request.method() != Method::GET {
        let error = ApiError::new(
            Code::Forbidden,
            "this client only looks: it was opened with --read-only",
        );
        return Failure::from(error).into_response();
    }
    let under_way = context.activity.begin();
    let (mut parts, body) = request.into_parts();
    let who = who(&parts.headers, &context.peer);
    parts.extensions.insert(who);
    let (bytes, permit) = match patience::take(body, BODY_MAX, &context.room).await {
        Ok(taken) => taken,
        Err(why) => return Failure::from(untaken(why)).into_response(),
    };
    let response = next
        .run(Request::from_parts(parts, Body::from(bytes)))
        .await;
    drop(permit);
    response.map(|body| {
        Body::new(Answering {
            body,
            _under_way: under_way,
        })
    })
}

/// Who asks: what the kernel says, and what the client says of itself.
fn who(headers: &HeaderMap, (user, pid): &(String, Option<i32>)) -> Who {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Who::new(user, *pid, said(CLIENT), said("user-agent"))
}

fn untaken(why: Untaken) -> ApiError {
    match why {
        Untaken::TooLarge => ApiError::new(
            Code::TooLarge,
            format!("the body is larger than {} MiB", BODY_MAX >> 20),
        ),
        Untaken::TooSlow => ApiError::new(Code::TooSlow, "the body did not come in time"),
        Untaken::Crowded => ApiError::new(Code::Busy, "too many large requests at once")
            .hint("try again in a moment"),
        Untaken::Broken => ApiError::new(Code::BadRequest, "the body did not come whole"),
    }
}

async fn nowhere() -> Failure {
    ApiError::new(Code::NotFound, "there is no such place")
        .hint("the places begin with /api/")
        .into()
}

async fn wrong_method() -> Failure {
    ApiError::new(
        Code::MethodNotAllowed,
        "this place does not take that method",
    )
    .into()
}

async fn info(Extension(context): Extension<Context>) -> Answer {
    let mut info = context.handle.info().await?;
    let mut roles = vec![i32::try_from(info.pid).unwrap_or(0), info.keeper_pid];
    roles.extend(info.scribes.iter().map(|scribe| scribe.pid));
    // These reads can take long on a busy machine; the supervisor must not wait for them.
    info.memory = tokio::task::spawn_blocking(move || {
        roles.into_iter().filter_map(procfs::proportional_set).sum()
    })
    .await
    .unwrap_or(0);
    success(info)
}

async fn control(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let what = body(bytes)?;
    if let ServerControl::Upgrade { binary } = &what {
        let table = context.handle.info().await?.volatile_dir.join("table");
        let binary = binary.clone();
        let told = binary.display().to_string();
        let checked = tokio::task::spawn_blocking(move || candidate::check(&binary, &table)).await;
        let refused = match checked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = refused {
            let text = format!("{told} cannot take over: {why}; nothing was changed");
            return Err(ApiError::new(Code::Refused, text).into());
        }
    }
    context.handle.control(what, who).await?;
    success(true)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    #[serde(default)]
    select: String,
}

async fn list(
    Extension(context): Extension<Context>,
    query: Result<Query<Selection>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    success(context.handle.list(selectors(&query.select)?).await?)
}

async fn metric_history(
    Extension(context): Extension<Context>,
    query: Result<Query<Selection>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let select = selectors(&query.select)?;
    success(context.handle.metric_history(select).await?)
}

pub(super) type Named = Result<Path<String>, PathRejection>;

async fn detail(Extension(context): Extension<Context>, select: Named) -> Answer {
    let Path(select) = select?;
    success(context.handle.detail(selectors(&select)?).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    #[serde(default)]
    wait_ms: u64,
}

impl Wait {
    /// Waits for the end of an operation, not longer than asked for.
    async fn on(&self, handle: &Handle, view: OperationView) -> Result<OperationView, ApiError> {
        if view.done || self.wait_ms == 0 {
            return Ok(view);
        }
        let wait = Duration::from_millis(self.wait_ms).min(WAIT_MAX);
        let id = view.operation;
        match tokio::time::timeout(wait, handle.operation_done(id.clone())).await {
            Ok(done) => done,
            Err(_) => handle.operation(id).await,
        }
    }
}

pub(super) type Waiting = Result<Query<Wait>, QueryRejection>;

async fn define(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let view = context.handle.define(body(bytes)?, who).await?;
    success(wait.on(&context.handle, view).await?)
}

async fn act(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let view = context.handle.act(body(bytes)?, who).await?;
    success(wait.on(&context.handle, view).await?)
}

async fn operation(Extension(context): Extension<Context>, id: Named, wait: Waiting) -> Answer {
    let Path(id) = id?;
    let Query(wait) = wait?;
    let id = OperationId::try_from(id).map_err(|e| ApiError::new(Code::BadRequest, e))?;
    let view = context.handle.operation(id).await?;
    success(wait.on(&context.handle, view).await?)
}

async fn operations(Extension(context): Extension<Context>) -> Answer {
    success(context.handle.operations().await?)
}

async fn undo_list(Extension(context): Extension<Context>) -> Answer {
    success(context.handle.undo_list().await?)
}

async fn undo(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let view = context.handle.undo(body(bytes)?, who).await?;
    success(wait.on(&context.handle, view).await?)
}

async fn plan(
    Extension(context): Extension<Context>,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    success(context.past.plan(body(bytes)?).await?)
}

async fn scale(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let scaled = context.handle.scale(body(bytes)?, who).await?;
    applied(&context.handle, &wait, scaled).await
}

/// Waits for what is to be carried out.
pub(super) async fn applied(handle: &Handle, wait: &Wait, mut it: Applied) -> Answer {
    it.operation = wait.on(handle, it.operation).await?;
    success(it)
}

async fn signal(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let view = context.handle.signal(body(bytes)?, who).await?;
    success(wait.on(&context.handle, view).await?)
}

async fn control_rollout(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    id: Named,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Path(id) = id?;
    let id = OperationId::try_from(id).map_err(|e| ApiError::new(Code::BadRequest, e))?;
    let what = body(bytes)?;
    success(context.handle.control_rollout(id, what, who).await?)
}

async fn apply(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let it = context.handle.apply(body(bytes)?, who).await?;
    applied(&context.handle, &wait, it).await
}

async fn down(
    Extension(context): Extension<Context>,
    Extension(who): Extension<Who>,
    wait: Waiting,
    bytes: Result<Bytes, BytesRejection>,
) -> Answer {
    let Query(wait) = wait?;
    let it = context.handle.down(body(bytes)?, who).await?;
    applied(&context.handle, &wait, it).await
}
