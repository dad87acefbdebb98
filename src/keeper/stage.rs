//! The stage pipe between a run's pipe and its file, one for each scribe, with the note of who has it and how far the
//! bytes have come.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::platform::descriptor;

use super::lane::Lane;
use super::who::Who;

const STAGE: &str = "stage";
const OWNER: &str = "stage-owner";
/// In the owner's file: pid and start of the scribe. What is behind them is the scribe's own.
const SCRIBE: u64 = 16;

/// Opens the stage to read, or to read and write: then it does not matter who else has it open.
pub(super) fn open_stage(volatile: &Path, lane: Lane, both: bool) -> io::Result<OwnedFd> {
    let file = File::options()
        .read(true)
        .write(both)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open(volatile.join(lane.name(STAGE)))?;
    Ok(file.into())
}

/// The lanes that have a stage, from the names in the volatile folder.
pub(super) fn lanes(volatile: &Path) -> Vec<Lane> {
    let Ok(names) = std::fs::read_dir(volatile) else {
        return Vec::new();
    };
    let lane = |name: std::fs::DirEntry| Lane::of_name(OWNER, name.file_name().to_str()?);
    names.flatten().filter_map(lane).collect()
}

/// The scribe that last had this stage.
pub(super) fn scribe(volatile: &Path, lane: Lane) -> Who {
    let mut bytes = [0; 12];
    let read = File::open(volatile.join(lane.name(OWNER)))
        .and_then(|file| file.read_exact_at(&mut bytes, SCRIBE));
    let (Ok(()), Some(pid), Some(start)) = (read, bytes.first_chunk(), bytes[4..].first_chunk())
    else {
        return Who::default();
    };
    Who {
        pid: i32::from_le_bytes(*pid),
        start: u64::from_le_bytes(*start),
    }
}

/// One stage.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) read: OwnedFd,
    pub(super) write: OwnedFd,
    owner: File,
}

impl Stage {
    /// Makes the stage, or opens the one that an earlier keeper made: what is in it stays as long as anybody has it
    /// open, and the note beside it says whose it is.
    pub(super) fn open(volatile: &Path, lane: Lane) -> io::Result<Self> {
        let path = volatile.join(lane.name(STAGE));
        match nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)) {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let read = open_stage(volatile, lane, false)?;
        let write: OwnedFd = File::options()
            .write(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
            .open(&path)?
            .into();
        // Without the larger size everything works, in smaller steps.
        let _ = descriptor::set_pipe_size(&write, 1 << 20);
        let owner = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(volatile.join(lane.name(OWNER)))?;
        Ok(Self { read, write, owner })
    }

    /// For a scribe.
    pub(super) fn copies(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![
            self.read.try_clone()?,
            self.write.try_clone()?,
            self.owner.try_clone()?.into(),
        ])
    }

    /// Remembers who writes what is in it, for whoever comes after this keeper.
    pub(super) fn note_scribe(&self, who: Who) -> io::Result<()> {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&who.pid.to_le_bytes());
        bytes[4..].copy_from_slice(&who.start.to_le_bytes());
        self.owner.write_all_at(&bytes, SCRIBE)
    }

    /// Forgets the names; the rest goes with the value.
    pub(super) fn remove(self, volatile: &Path, lane: Lane) {
        for base in [STAGE, OWNER] {
            let _ = std::fs::remove_file(volatile.join(lane.name(base)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_and_its_scribe_are_found_again_by_name() {
        let folder = std::env::temp_dir().join(format!("adasa-stages-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let other = Lane::of_folder(Some(Path::new("/mnt/a")));
        let who = Who { pid: 7, start: 99 };
        let waiting = |stage: &Stage| descriptor::waiting(&stage.read).unwrap();
        let [main, second] = [Lane::MAIN, other].map(|lane| Stage::open(&folder, lane).unwrap());
        second.note_scribe(who).unwrap();
        std::io::Write::write_all(&mut File::from(second.write.try_clone().unwrap()), b"abc")
            .unwrap();
        assert_eq!((waiting(&main), waiting(&second)), (0, 3));
        let mut found = lanes(&folder);
        found.sort();
        assert_eq!(found, [Lane::MAIN, other]);
        assert_eq!(scribe(&folder, other), who);
        assert_eq!(scribe(&folder, Lane::MAIN), Who::default());
        // The next keeper finds the bytes while somebody holds them.
        let again = Stage::open(&folder, other).unwrap();
        drop(second);
        assert_eq!(waiting(&again), 3);
        again.remove(&folder, other);
        assert_eq!(lanes(&folder), [Lane::MAIN]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
