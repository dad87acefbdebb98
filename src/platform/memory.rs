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

/// Keeps the free memory that a crowd leaves behind from staying: what is free but was not when it was last given back,
/// is given back.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// How many bytes were free then.
    given: usize,
}

impl Spare {
    /// So many bytes are worth the work.
    const WORTH: usize = 256 * 1024;

    /// Looks, and gives back what is worth it.
    pub(crate) fn turn(&mut self) {
        if self.is_worth_it(free_bytes()) {
            give_back();
            self.given = free_bytes();
        }
    }

    fn is_worth_it(&mut self, free: usize) -> bool {
        // Where less is free by now, what becomes free again counts anew.
        self.given = self.given.min(free);
        free - self.given >= Self::WORTH
    }
}

/// Bytes the first arena holds for nobody; those whose pages were given back count as well.
fn free_bytes() -> usize {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: mallinfo takes nothing and may be called from any thread. Its counts wrap at 4 GiB, no more.
        let info = unsafe { nix::libc::mallinfo() };
        info.fordblks.cast_unsigned() as usize
    }
    #[cfg(not(target_env = "gnu"))]
    0
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
    fn what_is_free_is_given_back_once_and_when_it_is_much() {
        const K: usize = 1024;
        let mut spare = super::Spare { given: 500 * K };
        assert!(!spare.is_worth_it(600 * K));
        assert!(!spare.is_worth_it(755 * K));
        assert!(spare.is_worth_it(756 * K));
        spare.given = 756 * K;
        assert!(!spare.is_worth_it(900 * K));
        assert!(!spare.is_worth_it(100 * K), "it is in use");
        assert!(spare.is_worth_it(400 * K), "and free anew");
    }

    #[test]
    fn a_program_goes_on_after_it_has_let_go_of_its_pages() {
        let count = || (0..100).map(|n| n.to_string()).collect::<String>();
        let before = count();
        super::give_back();
        assert_eq!(before, count());
    }
}
