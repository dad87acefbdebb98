//! What failed, why, and what to do: the only place where errors become sentences.

use crate::api::{ApiError, Code};
use crate::client::{ClientError, LaunchError};
use crate::config::ConfigError;
use crate::config::program::ProgramError;

/// Exit codes.
pub(super) mod exit {
    pub(in crate::cli) const FAILED: u8 = 1;
    pub(in crate::cli) const USAGE: u8 = 2;
    pub(in crate::cli) const NO_DAEMON: u8 = 3;
    pub(in crate::cli) const NOT_FOUND: u8 = 4;
    pub(in crate::cli) const TIMED_OUT: u8 = 5;
    /// What a shell makes of the end by SIGINT.
    pub(in crate::cli) const INTERRUPTED: u8 = 130;
}

/// An error for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) what: String,
    pub(super) hint: Option<String>,
    pub(super) exit: u8,
}

impl Failure {
    pub(super) fn new(exit: u8, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: None,
            exit,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match error.code {
            Code::NotFound => exit::NOT_FOUND,
            Code::BadRequest => exit::USAGE,
            Code::ShuttingDown => exit::NO_DAEMON,
            Code::Conflict
            | Code::Refused
            | Code::StaleTarget
            | Code::Protected
            | Code::Forbidden
            | Code::MethodNotAllowed
            | Code::TooLarge
            | Code::TooSlow
            | Code::Busy
            | Code::NotRecorded
            | Code::Unavailable
            | Code::Internal => exit::FAILED,
        };
        Self {
            what: error.message,
            hint: error.hint,
            exit,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let what = error.to_string();
        match error {
            ClientError::Refused(error) => error.into(),
            ClientError::NoDaemon { .. } => {
                Self::new(exit::NO_DAEMON, what).hint("`adasa daemon start` starts one")
            }
            ClientError::Launch(LaunchError::Failed(_)) => Self::new(exit::NO_DAEMON, what)
                .hint("`adasa daemon` in the foreground shows all it says"),
            ClientError::Launch(LaunchError::Io { .. }) | ClientError::Folders(_) => {
                Self::new(exit::NO_DAEMON, what).hint("check the folder's owner, or set ADASA_HOME")
            }
            ClientError::Socket { .. } => {
                Self::new(exit::NO_DAEMON, what).hint("only the daemon's owner and root may use it")
            }
            ClientError::Unresponsive(_) => Self::new(exit::NO_DAEMON, what)
                .hint(
                    "processes and logs go on; it is replaced within 20 s, or by `adasa daemon restart` now",
                ),
            ClientError::Unreachable(_) => Self::new(exit::NO_DAEMON, what)
                .hint("processes go on; `adasa daemon restart` replaces it, and takes them over"),
            ClientError::Garbage(_) => Self::new(exit::FAILED, what)
                .hint("is the daemon of another version? `adasa daemon restart` replaces it"),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self {
            what: error.to_string(),
            hint: error.hint,
            exit: exit::USAGE,
        }
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self {
            what: error.what,
            hint: Some(error.hint),
            exit: exit::FAILED,
        }
    }
}
