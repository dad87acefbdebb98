//! A typed client of the daemon's API: connects, starts a daemon when none runs, repeats what was not answered.
//! It blocks: a command needs no runtime.

mod connect;
mod error;
mod http;
mod launch;
mod logs;
mod operations;
mod past;
mod probe;
mod silence;
mod stream;
mod watch;

pub use connect::{Client, Started};
pub use error::ClientError;
pub use launch::LaunchError;
pub(crate) use launch::lease;
pub use stream::{Closer, Events, JsonLines, LogLines, Records, SearchHits};

use crate::domain::names::OperationId;

/// A new id for an operation: 96 bits from the kernel.
#[must_use]
pub fn operation_id() -> OperationId {
    use std::io::Read as _;
    let mut bytes = [0u8; 12];
    if let Ok(mut file) = std::fs::File::open("/dev/urandom") {
        let _ = file.read_exact(&mut bytes);
    }
    // Also distinct where there is no such device.
    let now =
        crate::platform::clock::monotonic_ns() ^ u64::from(std::process::id()).rotate_left(40);
    for (byte, more) in bytes.iter_mut().zip(now.to_le_bytes()) {
        *byte ^= more;
    }
    let text: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    OperationId::new(text).unwrap_or_else(|_| unreachable!("24 hexadecimal digits fit the grammar"))
}
