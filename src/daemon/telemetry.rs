//! The daemon's own log: one file, rotated by size; standard error too when somebody watches.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::fmt::MakeWriter;

use crate::logs::archive::with_suffix;
use crate::logs::read::private_options;

const FILE_MAX: u64 = 10 * 1024 * 1024;
const OLDER: u32 = 3;

struct Open {
    path: PathBuf,
    file: Option<File>,
    written: u64,
    stderr: bool,
}

/// A log writer. Only this file is behind the lock, never state.
struct LogWriter(Mutex<Open>);

/// Set by [`reopen`], taken by the next line.
static REOPEN: AtomicBool = AtomicBool::new(false);

/// Whoever moved the file away has moved it: the next line begins a new one.
pub(super) fn reopen() {
    REOPEN.store(true, Ordering::Relaxed);
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if REOPEN.swap(false, Ordering::Relaxed) {
            self.file = None;
        }
        if self.stderr {
            let _ = io::stderr().write_all(bytes);
        }
        if self.file.is_none() {
            let file = private_options().append(true).open(&self.path)?;
            self.written = file.metadata()?.len();
            self.file = Some(file);
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.written += bytes.len() as u64;
        }
        if self.written >= FILE_MAX {
            for n in (1..OLDER).rev() {
                let name = |n: u32| with_suffix(&self.path, &format!(".{n}"));
                let _ = std::fs::rename(name(n), name(n + 1));
            }
            let _ = std::fs::rename(&self.path, with_suffix(&self.path, ".1"));
            self.file = None;
        }
        Ok(())
    }
}

struct Pen<'a>(&'a LogWriter);

impl Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Ok(mut open) = self.0.0.lock() {
            open.write(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Pen<'a>;
    fn make_writer(&'a self) -> Pen<'a> {
        Pen(self)
    }
}

/// Begins to log.
pub(super) fn begin(path: PathBuf, stderr: bool) {
    let writer = LogWriter(Mutex::new(Open {
        path,
        file: None,
        written: 0,
        stderr,
    }));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(writer)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|info| tracing::error!("panic: {info}")));
}
