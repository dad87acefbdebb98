//! What was still to be written when everything ended: its file took nothing, and nobody is left to wait for it. Whoever
//! ordered the end says so, and the next daemon does.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use crate::platform::descriptor;

use super::runs::{PipeEnd, PipeKey};

/// The state folder may lie on a disk that hangs: the end waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of one log that nobody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    /// Where they should be.
    pub log: PathBuf,
    /// How many.
    pub bytes: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, log) = (self.bytes, self.log.display());
        write!(
            f,
            "{bytes} bytes that {log} did not take are lost with the end of everything"
        )
    }
}

/// What is in the pipes: it leaves them when it is in its file.
pub(super) fn find(pipes: &BTreeMap<PipeKey, PipeEnd>) -> Vec<Loss> {
    let mut bytes: BTreeMap<&Path, usize> = BTreeMap::new();
    for end in pipes.values() {
        let waiting = descriptor::waiting(&end.read).unwrap_or(0);
        if waiting > 0 {
            *bytes.entry(&end.route.path).or_default() += waiting;
        }
    }
    let loss = |(log, bytes): (&Path, usize)| Loss {
        log: log.to_owned(),
        bytes,
    };
    bytes.into_iter().map(loss).collect()
}

/// Leaves word of it for the next daemon.
pub(super) fn leave_word(path: PathBuf, losses: &[Loss]) {
    let Ok(text) = serde_json::to_vec(losses) else {
        return;
    };
    // Only now, when no child is made any more, may the keeper have a second thread.
    let (written, told) = mpsc::channel();
    let write = move || {
        let _ = write(&path, &text);
        let _ = written.send(());
    };
    if std::thread::Builder::new().spawn(write).is_ok() {
        let _ = told.recv_timeout(PATIENCE);
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits());
    options.open(path)?.write_all(text)
}

/// What the last end lost.
#[must_use]
pub(crate) fn read(path: &Path) -> Vec<Loss> {
    let text = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
