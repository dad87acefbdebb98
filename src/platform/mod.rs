//! The kernel's door: the only `unsafe`, the only system-specific code. Knows nothing of processes' policies,
//! of the wire or of the screen.

#[cfg(not(unix))]
compile_error!("adasa needs a Unix: its promises rest on fork, descriptors and signals, which this system has not.");

pub mod child;
pub mod clock;
pub mod descriptor;
pub mod folder;
pub mod guardian;
pub mod host;
pub mod paths;
pub mod procfs;
pub mod signal;
