//! Another build that wants to take over: it is run once, and has to read the table, before anything is changed.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::keeper::table::READS_TABLE;
use crate::platform::signal::PidFd;

/// How long a candidate may take to read the table.
const PATIENCE: Duration = Duration::from_secs(10);
/// As much of what it says is repeated.
const SAID: usize = 300;

/// Why a candidate is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CandidateError {
    /// The kernel's word.
    #[error("it cannot be executed: {0}")]
    Execute(#[source] std::io::Error),
    /// It did something else for too long.
    #[error("it did not end within {} s", PATIENCE.as_secs())]
    Slow,
    /// It ended, and did not say that it read the table.
    #[error("it did not read the table of what runs ({0})")]
    Refused(String),
}

/// Runs `binary` once on the table. Waits for it, at most ten seconds: not for the supervisor's thread.
///
/// # Errors
/// Why it is not taken.
pub(crate) fn check(binary: &Path, table: &Path) -> Result<(), CandidateError> {
    let mut child = Command::new(binary)
        .arg("--check-table")
        .arg(table)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(CandidateError::Execute)?;
    let pid = i32::try_from(child.id()).unwrap_or(0);
    let ended = PidFd::open(pid).and_then(|handle| handle.wait(PATIENCE));
    if !matches!(ended, Ok(true)) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(CandidateError::Slow);
    }
    let status = child.wait().map_err(CandidateError::Execute)?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
        let _ = stdout.take(SAID as u64).read_to_end(&mut out);
        let _ = stderr.take(SAID as u64).read_to_end(&mut err);
    }
    if status.success() && out.starts_with(READS_TABLE.as_bytes()) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&err);
    let said = said.lines().next().unwrap_or("").trim();
    Err(CandidateError::Refused(if said.is_empty() {
        status.to_string()
    } else {
        format!("{status}: {said}")
    }))
}
