//! The stage pipe between a run's pipe and its file: whose bytes are in it, and how they get out.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::platform::descriptor;
use crate::platform::failpoint::failpoint;

use super::file::{After, LogFile};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PipeId {
    pub(super) key: InstanceId,
    pub(super) run: RunId,
    pub(super) stream: Stream,
}

pub(super) struct Stage {
    pub(super) read: OwnedFd,
    pub(super) write: OwnedFd,
    pub(super) owner: File,
    pub(super) noted: Option<PipeId>,
}

pub(super) fn encode(id: PipeId) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&id.key.0.to_le_bytes());
    bytes[4..12].copy_from_slice(&id.run.0.to_le_bytes());
    bytes[12] = match id.stream {
        Stream::Out => 1,
        Stream::Err => 2,
    };
    bytes
}

/// What emptying the stage came to.
pub(super) struct Written {
    pub(super) rotated: bool,
    /// Something to say about trouble: begun (with words) or over (without).
    pub(super) trouble: Option<Option<String>>,
    pub(super) dropped: u64,
    /// The file takes nothing and its writer has to wait.
    pub(super) blocked: bool,
}

impl Written {
    /// Nothing was written.
    pub(super) fn none(trouble: Option<Option<String>>) -> Self {
        Self {
            rotated: false,
            trouble,
            dropped: 0,
            blocked: false,
        }
    }
}

/// Moves what is in the stage to the file, to its end.
pub(super) fn empty_stage(
    stage: &mut Stage,
    file: &mut LogFile,
    run: RunId,
) -> io::Result<Written> {
    let mut written = Written {
        dropped: file.dropped,
        ..Written::none(None)
    };
    loop {
        let waiting = descriptor::waiting(&stage.read)?;
        if waiting == 0 {
            break;
        }
        let moved = file.target().and_then(|(target, offset)| {
            let mut offset = offset;
            descriptor::splice(&stage.read, target, Some(&mut offset), waiting)
        });
        match moved {
            Ok(0) => break,
            Ok(moved) => {
                failpoint!("scribe.hop.two");
                if file.failing.take().is_some() {
                    file.dropped = 0;
                    written.trouble = Some(None);
                }
                if matches!(file.wrote(moved, run), Ok(After::Rotated)) {
                    written.rotated = true;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The oldest that is kept goes before the newest that is written.
            Err(error) if file.makes_room(&error) => {}
            Err(error) => {
                written.trouble = file.fails(&error);
                if file.route.block {
                    written.blocked = true;
                    break;
                }
                // The disk does not take them and the writer must not wait: they are counted and let go.
                let lost = discard(&stage.read, waiting)?;
                file.dropped += lost;
                written.dropped = file.dropped;
            }
        }
    }
    Ok(written)
}

pub(super) fn discard(pipe: &OwnedFd, bytes: usize) -> io::Result<u64> {
    let null = File::options().write(true).open("/dev/null")?;
    let moved = descriptor::splice(pipe, &null, None, bytes)?;
    Ok(moved as u64)
}
