//! The allocator's habits.

/// One arena for all threads: a second one would cost more memory than its lock costs time here. Before any thread.
pub(crate) fn use_one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two integers; a refused one changes nothing.
    unsafe {
        nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1);
    }
}

/// Gives free memory back, after a burst.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes an integer and may be called from any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
