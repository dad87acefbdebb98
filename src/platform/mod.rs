//! The kernel's door: the only `unsafe`, the only system-specific code. Knows nothing of processes' policies,
//! of the wire or of the screen.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "adasa needs Linux: its promises rest on pidfds, subreapers, splice and procfs, which this system has not."
);

pub(crate) mod beat;
pub(crate) mod cgroup;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod descriptor;
pub(crate) mod failpoint;
pub(crate) mod folder;
pub(crate) mod foreground;
pub(crate) mod guardian;
pub(crate) mod host;
pub(crate) mod memory;
pub(crate) mod mounts;
pub(crate) mod net;
pub(crate) mod notify;
pub(crate) mod oom;
pub(crate) mod paths;
pub(crate) mod procfs;
pub(crate) mod service;
pub(crate) mod signal;
pub(crate) mod sockets;
pub(crate) mod survey;
pub(crate) mod users;
