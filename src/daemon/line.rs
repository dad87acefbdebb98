//! Lines of the daemon's journals: a checksum, then JSON that says who wrote it. A torn line is known as such.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One record with its place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<R> {
    /// Position in the order of all records of its file.
    pub(super) n: u64,
    /// Which daemon wrote it.
    pub(super) epoch: u64,
    /// The boot that the epoch counts in.
    pub(super) boot: String,
    /// What.
    pub(super) record: R,
}

/// The line of some bytes without their newline; none when they are damaged or of an unknown kind.
pub(super) fn parse<R: DeserializeOwned>(bytes: &[u8]) -> Option<Line<R>> {
    let (checksum, json) = (bytes.get(..8)?, bytes.get(9..)?);
    let checksum = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    if crc32fast::hash(json) != checksum {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// The bytes of a line, with its newline.
///
/// # Errors
/// What cannot be JSON.
pub(super) fn encode<R: Serialize>(line: &Line<R>) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(line)?;
    let mut bytes = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
    bytes.extend(json);
    bytes.push(b'\n');
    Ok(bytes)
}
