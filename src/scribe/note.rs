//! How far the bytes on their way to a file have come, beside the stage: what the next scribe goes by.

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;

use super::stage::PipeId;

/// Where the note is in the file of the stage's owner, behind what the keeper writes there.
pub(super) const PLACE: u64 = 64;
pub(super) const LENGTH: usize = 32;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Copies are in the stage and go to the file. What has arrived is what the file has grown by.
    Writing,
    /// So many are taken out of their own pipe, into the empty stage. What is there by then has been taken.
    Taking,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) step: Step,
    pub(super) id: PipeId,
    /// Logical offset of the first of them in the log.
    pub(super) base: u64,
    /// How many they are.
    pub(super) count: usize,
}

/// Without a note nothing is on its way.
pub(super) fn encode(note: Option<Note>) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let Some(Note {
        step,
        id,
        base,
        count,
    }) = note
    else {
        return bytes;
    };
    bytes[0] = match step {
        Step::Writing => 1,
        Step::Taking => 2,
    };
    bytes[1] = match id.stream {
        Stream::Out => 1,
        Stream::Err => 2,
    };
    bytes[4..8].copy_from_slice(&id.key.0.to_le_bytes());
    bytes[8..16].copy_from_slice(&id.run.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&base.to_le_bytes());
    bytes[24..].copy_from_slice(&(count as u64).to_le_bytes());
    bytes
}

pub(super) fn decode(bytes: &[u8; LENGTH]) -> Option<Note> {
    let number = |at: usize| Some(u64::from_le_bytes(*bytes[at..].first_chunk()?));
    Some(Note {
        step: match bytes[0] {
            1 => Step::Writing,
            2 => Step::Taking,
            _ => return None,
        },
        id: PipeId {
            key: InstanceId(u32::from_le_bytes(*bytes[4..].first_chunk()?)),
            run: RunId(number(8)?),
            stream: match bytes[1] {
                1 => Stream::Out,
                2 => Stream::Err,
                _ => return None,
            },
        },
        base: number(16)?,
        count: usize::try_from(number(24)?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back() {
        for (step, stream) in [(Step::Writing, Stream::Out), (Step::Taking, Stream::Err)] {
            let note = Note {
                step,
                id: PipeId {
                    key: InstanceId(7),
                    run: RunId(1 << 40),
                    stream,
                },
                base: u64::MAX,
                count: 1 << 20,
            };
            assert_eq!(decode(&encode(Some(note))), Some(note));
        }
        assert_eq!(decode(&encode(None)), None);
    }
}
