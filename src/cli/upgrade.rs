//! Going on as another build: whether that is wanted, and whether a build can.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::keeper::protocol::VERSION;
use crate::keeper::table::{READS_TABLE, Table};

use super::print;

/// Run by the daemon of another build, which would hand over to this one: reads the table and says so.
pub(super) fn check_table(arguments: &[OsString]) -> ExitCode {
    let checked = arguments.get(2).map(|path| Table::check(Path::new(path)));
    match checked {
        Some(Ok(count)) => {
            print::line(&format!("{READS_TABLE}{VERSION}, {count} instances"));
            ExitCode::SUCCESS
        }
        Some(Err(error)) => {
            print::remark(&error.to_string());
            ExitCode::FAILURE
        }
        None => {
            print::remark("--check-table needs the path of a table");
            ExitCode::FAILURE
        }
    }
}

/// The program to go on as, when the keeper is of another build than it: the given one, or this very one.
///
/// # Errors
/// A given program that cannot be read.
pub(super) fn wanted(given: Option<&Path>, keeper: i32) -> io::Result<Option<PathBuf>> {
    let binary = match given {
        Some(path) => std::path::absolute(path)?,
        None => match std::env::current_exe() {
            Ok(own) if own.exists() => own,
            // The file this one was started from is gone: there is nothing to go on as.
            Ok(_) | Err(_) => return Ok(None),
        },
    };
    Ok(differs(&binary, keeper)?.then_some(binary))
}

/// Whether a program is another build than what this process runs. The same file is the same build; else bytes count.
///
/// # Errors
/// When either cannot be read.
pub(super) fn differs(binary: &Path, keeper: i32) -> io::Result<bool> {
    let (mut ours, mut theirs) = (
        File::open(binary)?,
        File::open(format!("/proc/{keeper}/exe"))?,
    );
    let (one, other) = (ours.metadata()?, theirs.metadata()?);
    if (one.dev(), one.ino()) == (other.dev(), other.ino()) {
        return Ok(false);
    }
    if one.len() != other.len() {
        return Ok(true);
    }
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let length = ours.read(&mut left)?;
        if length == 0 {
            return Ok(false);
        }
        let Some(part) = right.get_mut(..length) else {
            return Ok(true);
        };
        if theirs.read_exact(part).is_err() || left.get(..length) != Some(&*part) {
            return Ok(true);
        }
    }
}
