//! Folders that only their owner can enter, and the volatile one that does not outlive the machine.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

/// Makes a folder 0700 if it is not there, with its parents.
///
/// # Errors
/// What could not be made, or a folder that belongs to somebody else.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    private(path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
}

fn private(path: &Path) -> io::Result<()> {
    let meta = match std::fs::symlink_metadata(path) {
        // It is not asked for again: on a disk that is frozen even that would wait.
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = std::fs::DirBuilder::new();
            match builder.recursive(true).mode(0o700).create(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => std::fs::symlink_metadata(path)?,
            }
        }
        Err(error) => return Err(error),
    };
    let me = nix::unistd::geteuid().as_raw();
    if !meta.is_dir() || meta.uid() != me {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("it is not a folder of user {me}"),
        ));
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn is_tmpfs(path: &str) -> bool {
    statfs(path).is_ok_and(|fs| fs.filesystem_type() == TMPFS_MAGIC)
}

/// Whether a folder, or the nearest one above it that is there, lies on a tmpfs.
#[must_use]
pub(crate) fn lies_in_memory(path: &Path) -> bool {
    let there = path.ancestors().find(|p| p.exists());
    there.is_some_and(|p| statfs(p).is_ok_and(|fs| fs.filesystem_type() == TMPFS_MAGIC))
}

/// The folder for sockets, pipes and the table: a function of the state folder alone. It lies on a tmpfs where
/// there is one, else in the state folder.
///
/// # Errors
/// When the state folder cannot be looked at.
pub(crate) fn volatile(state: &Path) -> io::Result<PathBuf> {
    let meta = std::fs::metadata(state)?;
    let id = format!("{:x}-{:x}", meta.dev(), meta.ino());
    let uid = nix::unistd::geteuid().as_raw();
    if uid == 0 && is_tmpfs("/run") {
        return Ok(Path::new("/run/adasa").join(id));
    }
    if is_tmpfs("/dev/shm") {
        return Ok(PathBuf::from(format!("/dev/shm/adasa-{uid}")).join(id));
    }
    Ok(state.join("volatile"))
}

/// Takes the lock on a file without waiting; none when somebody has it. Whoever has a copy of the descriptor has the
/// lock: it is free when the last of them is closed, and none of them lets it go for the others.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The lock on a file that came with this descriptor; taking it once more changes nothing.
///
/// # Errors
/// When somebody else has it.
pub(crate) fn inherited_lock(descriptor: OwnedFd) -> io::Result<File> {
    let file = File::from(descriptor);
    file.try_lock()?;
    Ok(file)
}

/// A path as short as a socket's address must be: a longer one is reached through a descriptor of its folder,
/// which has to stay open while the address is used.
///
/// # Errors
/// When the folder cannot be opened.
pub(crate) fn socket_address(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    use std::os::fd::AsRawFd as _;
    // sun_path holds 108 bytes with the closing NUL; see unix(7).
    if path.as_os_str().len() < 108 {
        return Ok((path.to_owned(), None));
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("a socket needs a folder and a name"));
    };
    let folder = File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    Ok((short, Some(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_folder_is_closed_to_others() {
        let base = std::env::temp_dir().join(format!("adasa-folder-{}", std::process::id()));
        let folder = base.join("a/b");
        make_private(&folder).unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let first = try_lock(&folder.join("lock")).unwrap();
        assert!(first.is_some());
        assert!(try_lock(&folder.join("lock")).unwrap().is_none());
        let copy = first.unwrap().try_clone().unwrap();
        assert!(try_lock(&folder.join("lock")).unwrap().is_none());
        drop(copy);
        assert!(try_lock(&folder.join("lock")).unwrap().is_some());
        std::fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let below_a_file = make_private(Path::new("/dev/null/adasa")).unwrap_err();
        let text = below_a_file.to_string();
        assert!(
            text.starts_with("/dev/null/adasa: Not a directory"),
            "{text}"
        );
        let no_folder = make_private(Path::new("/dev/null")).unwrap_err();
        let text = no_folder.to_string();
        assert!(
            text.starts_with("/dev/null: it is not a folder of user "),
            "{text}"
        );
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_reached_all_the_same() {
        use std::os::unix::net::{UnixListener, UnixStream};
        let base = std::env::temp_dir().join(format!("adasa-long-{}", std::process::id()));
        let folder = base.join("d".repeat(200));
        make_private(&folder).unwrap();
        let path = folder.join("api.sock");
        assert!(UnixListener::bind(&path).is_err());
        let (address, held) = socket_address(&path).unwrap();
        let listener = UnixListener::bind(address).unwrap();
        drop(held);
        let (address, _held) = socket_address(&path).unwrap();
        let _client = UnixStream::connect(address).unwrap();
        let _server = listener.accept().unwrap();
        std::fs::remove_dir_all(base).unwrap();
    }
}
