//! Answers: `{"success":true,"data":…}`, or the error envelope.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::{ApiError, Code};

/// An error on its way out.
pub(super) struct Failure(ApiError);

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<QueryRejection> for Failure {
    fn from(error: QueryRejection) -> Self {
        Self(ApiError::new(Code::BadRequest, error.body_text()))
    }
}

impl From<PathRejection> for Failure {
    fn from(error: PathRejection) -> Self {
        Self(ApiError::new(Code::BadRequest, error.body_text()))
    }
}

impl From<BytesRejection> for Failure {
    fn from(error: BytesRejection) -> Self {
        let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Code::TooLarge
        } else {
            Code::BadRequest
        };
        Self(ApiError::new(code, error.body_text()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "success": false,
            "version": env!("CARGO_PKG_VERSION"),
            "error": { "code": self.0.code, "message": self.0.message, "hint": self.0.hint },
        });
        (status, Json(body)).into_response()
    }
}

/// What a route gives back.
pub(super) type Answer = Result<Response, Failure>;

/// A success with its data.
#[derive(Serialize)]
struct Success<T> {
    success: bool,
    version: &'static str,
    data: T,
}

pub(super) fn success(data: impl Serialize) -> Answer {
    Ok(Json(Success {
        success: true,
        version: env!("CARGO_PKG_VERSION"),
        data,
    })
    .into_response())
}

/// Reads a body.
pub(super) fn body<T: DeserializeOwned>(
    bytes: Result<axum::body::Bytes, BytesRejection>,
) -> Result<T, Failure> {
    let bytes = bytes?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure(ApiError::new(
            Code::BadRequest,
            format!("the body cannot be understood: {error}"),
        ))
    })
}

/// Reads selectors, separated by commas.
pub(super) fn selectors(text: &str) -> Result<Vec<crate::api::Selector>, Failure> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse()
                .map_err(|error| Failure(ApiError::new(Code::BadRequest, error)))
        })
        .collect()
}
