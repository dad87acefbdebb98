//! Errors as answers: a code that never changes its meaning, a sentence, and what to do.

use serde::{Deserialize, Serialize};

/// What kind of error it is. Codes are only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be understood.
    BadRequest,
    /// Nothing is selected, or no such place.
    NotFound,
    /// The name is taken, or the operation's id was used for something else.
    Conflict,
    /// The state of the target does not allow it.
    Refused,
    /// The target has been started again since it was looked at.
    StaleTarget,
    /// The target is protected, and the request does not say that it knows.
    Protected,
    /// The peer may not.
    Forbidden,
    /// The method is not for this place.
    MethodNotAllowed,
    /// The body is larger than allowed.
    TooLarge,
    /// The definition could not be recorded.
    NotRecorded,
    /// The daemon is ending.
    ShuttingDown,
    /// The request did not come in time.
    TooSlow,
    /// Too many others are asking.
    Busy,
    /// Something outside of adasa does not answer: a disk.
    Unavailable,
    /// Something that should not happen.
    Internal,
}

impl Code {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn http(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict | Self::Refused | Self::StaleTarget | Self::Protected => 409,
            Self::TooLarge => 413,
            Self::NotRecorded => 507,
            Self::TooSlow => 408,
            Self::ShuttingDown | Self::Busy | Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Which kind.
    pub code: Code,
    /// What failed and why.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ApiError {
    /// An error without a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
