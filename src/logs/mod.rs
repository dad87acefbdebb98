//! Log files and what lies beside them: index, archives, reading, following, and text that is safe to show.
//! Knows nothing of processes' states, of the daemon or of the wire.

pub mod archive;
pub mod follow;
pub mod index;
pub mod read;
pub mod safe;
