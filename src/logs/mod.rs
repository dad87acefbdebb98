//! Log files and what lies beside them: index, archives, reading, following, and text that is safe to show.
//! Knows nothing of processes' states, of the daemon or of the wire.

pub(crate) mod archive;
pub(crate) mod filter;
pub(crate) mod index;
mod lines;
pub(crate) mod merge;
pub(crate) mod read;
pub(crate) mod records;
pub(crate) mod safe;
