//! The allocator's habits.

/// What is larger than this has pages of its own, which go when it does; by itself the allocator would move that bound
/// with each large answer, up to 32 MiB.
#[cfg(target_env = "gnu")]
const LARGE: i32 = 128 * 1024;

/// One arena for all threads: a second one would cost more memory than its lock costs time here. Before any thread.
pub(crate) fn use_one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two integers; a refused one changes nothing.
    unsafe {
        nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1);
        nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, LARGE);
        nix::libc::mallopt(nix::libc::M_TRIM_THRESHOLD, LARGE);
    }
}

/// Gives back what nobody needs once a start or a burst is over: free memory, and the program's own pages that were
/// read for it. What is used again is mapped again, from the page cache.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes an integer and may be called from any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
    unmap_program();
}

/// Lets go of the program's own pages that nobody can have written to.
pub(crate) fn unmap_program() {
    #[cfg(target_os = "linux")]
    // SAFETY: the callback is called with valid descriptions, one loaded object at a time, and nothing else is passed.
    unsafe {
        nix::libc::dl_iterate_phdr(Some(unmap_object), std::ptr::null_mut());
    }
}

/// The same for one loaded object.
#[cfg(target_os = "linux")]
unsafe extern "C" fn unmap_object(
    info: *mut nix::libc::dl_phdr_info,
    _: usize,
    _: *mut nix::libc::c_void,
) -> i32 {
    // SAFETY: the caller passes a valid description.
    let info = unsafe { &*info };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    let count = usize::from(info.dlpi_phnum);
    // SAFETY: so many headers are there.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, count) };
    let page = super::procfs::page_size();
    for header in headers {
        // A segment that may be written has pages that are in no file, also when it is sealed by now.
        if header.p_type != nix::libc::PT_LOAD || header.p_flags & nix::libc::PF_W != 0 {
            continue;
        }
        let begin = info.dlpi_addr.saturating_add(header.p_vaddr);
        let end = begin.saturating_add(header.p_memsz) / page * page;
        let begin = begin.next_multiple_of(page);
        let (Ok(at), Ok(length)) = (
            usize::try_from(begin),
            usize::try_from(end.saturating_sub(begin)),
        ) else {
            continue;
        };
        // SAFETY: the pages are of a file and were never written: whoever touches one again gets the same bytes. What
        // is no such mapping (the kernel's own object) is refused.
        unsafe {
            let at = std::ptr::with_exposed_provenance_mut(at);
            nix::libc::madvise(at, length, nix::libc::MADV_DONTNEED);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_program_goes_on_after_it_has_let_go_of_its_pages() {
        let count = || (0..100).map(|n| n.to_string()).collect::<String>();
        let before = count();
        super::give_back();
        assert_eq!(before, count());
    }
}
