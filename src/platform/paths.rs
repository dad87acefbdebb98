//! Where everything lies.

use std::io;
use std::path::{Path, PathBuf};

use super::folder;

/// The folders and files of one daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// Settings.
    pub config: PathBuf,
    /// Definitions and history: survives a reboot.
    pub state: PathBuf,
    /// Logs.
    pub logs: PathBuf,
    /// Sockets, pipes and the table: does not survive a reboot.
    pub volatile: PathBuf,
}

impl Paths {
    /// The folders of this user: all below `ADASA_HOME` when that is set, else where the platform puts such things.
    /// They are made if they are not there.
    ///
    /// # Errors
    /// A folder that cannot be made or belongs to somebody else, or no home folder at all.
    pub(crate) fn find() -> io::Result<Self> {
        let (config, state, logs) = match std::env::var_os("ADASA_HOME") {
            Some(home) if !home.is_empty() => {
                let home = std::path::absolute(PathBuf::from(home))?;
                folder::make_private(&home)?;
                (home.join("config"), home.join("state"), home.join("logs"))
            }
            _ => {
                let dirs = directories::ProjectDirs::from("", "", "adasa").ok_or_else(|| {
                    io::Error::other("there is no home folder: set HOME or ADASA_HOME")
                })?;
                let state = dirs.state_dir().unwrap_or_else(|| dirs.data_dir());
                (
                    dirs.config_dir().to_owned(),
                    state.to_owned(),
                    dirs.data_dir().join("logs"),
                )
            }
        };
        for path in [&state, &logs] {
            folder::make_private(path)?;
        }
        let volatile = folder::volatile(&state)?;
        Ok(Self {
            config,
            state,
            logs,
            volatile,
        })
    }

    /// Makes the volatile folder, which goes with each daemon that ends.
    ///
    /// # Errors
    /// When it cannot be made or belongs to somebody else.
    pub(crate) fn make_volatile(&self) -> io::Result<()> {
        if let Some(parent) = self.volatile.parent() {
            folder::make_private(parent)?;
        }
        folder::make_private(&self.volatile)
    }

    /// The API's socket.
    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.volatile.join("api.sock")
    }

    /// The single-instance lock.
    #[must_use]
    pub(crate) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The keeper's table.
    #[must_use]
    pub(crate) fn table(&self) -> PathBuf {
        self.volatile.join("table")
    }

    /// The output pipes.
    #[must_use]
    pub(crate) fn pipes(&self) -> PathBuf {
        self.volatile.join("pipes")
    }

    /// The daemon's own log.
    #[must_use]
    pub(crate) fn daemon_log(&self) -> PathBuf {
        self.logs.join("daemon.log")
    }

    /// When whoever this is looked at the dashboard last.
    #[must_use]
    pub(crate) fn seen(&self) -> PathBuf {
        let uid = nix::unistd::getuid();
        self.state.join(format!("seen-{uid}"))
    }

    /// What a role that could not start said last.
    #[must_use]
    pub(crate) fn start_error(&self) -> PathBuf {
        self.volatile.join("start-error")
    }

    /// There while a service manager is going to start the next keeper when this one dies.
    #[must_use]
    pub(crate) fn restarted(&self) -> PathBuf {
        self.volatile.join("restarted")
    }

    /// What the last end could not write, until a daemon has said so.
    #[must_use]
    pub(crate) fn lost(&self) -> PathBuf {
        self.state.join("lost.json")
    }

    /// What the environment marker of this daemon's children begins with.
    #[must_use]
    pub(crate) fn marker(&self) -> String {
        self.volatile
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name != "volatile")
            .unwrap_or_else(|| marker_of(&self.state))
    }
}

fn marker_of(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map_or_else(
        |_| "unknown".into(),
        |m| format!("{:x}-{:x}", m.dev(), m.ino()),
    )
}
