//! Why a request was not answered as wished.

use std::io;
use std::path::PathBuf;

use crate::api::ApiError;

use super::launch::LaunchError;

/// Why a request was not answered as wished.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No daemon runs, and none was to be started.
    #[error("no daemon runs here ({})", socket.display())]
    NoDaemon {
        /// Where it would listen.
        socket: PathBuf,
    },
    /// A daemon could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The folders could not be found or made.
    #[error("the folders of adasa cannot be used: {0}")]
    Folders(#[source] io::Error),
    /// The socket may not be used.
    #[error("the daemon's socket {} cannot be used: {source}", socket.display())]
    Socket {
        /// Which.
        socket: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It runs, and does not answer.
    #[error("the daemon does not answer: {0}")]
    Unresponsive(String),
    /// It runs, and nobody can reach it.
    #[error("the daemon cannot be reached: {0}")]
    Unreachable(String),
    /// What came is no answer.
    #[error("the daemon's answer cannot be understood: {0}")]
    Garbage(String),
    /// The daemon says no.
    #[error("{0}")]
    Refused(ApiError),
}
