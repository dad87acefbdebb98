//! The kernel's door: the only `unsafe`, the only system-specific code. Knows nothing of processes' policies,
//! of the wire or of the screen.

#[cfg(not(unix))]
compile_error!(
    "adasa needs a Unix: its promises rest on fork, descriptors and signals, which this system has not."
);

pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod descriptor;
pub(crate) mod folder;
pub(crate) mod guardian;
pub(crate) mod host;
pub(crate) mod memory;
pub(crate) mod paths;
pub(crate) mod procfs;
pub(crate) mod signal;
