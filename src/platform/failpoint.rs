//! Points where a test may end or hang a role: one at each step that touches the outside. Only a build with the feature
//! `failpoints` has them; in every other build the macro leaves nothing behind.
//!
//! A point is armed by a file `ADASA_HOME/failpoints/NAME` that holds three words: the role, the how-manieth passing of
//! one process counts, and the act. The file is removed before the act, so it happens once, and the test sees that it did.

/// Marks a point. With a closure, that is run just before the act, and only then: half a write, for instance.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        crate::platform::failpoint::pass($name, || {});
    };
    ($name:literal, $before:expr) => {
        #[cfg(feature = "failpoints")]
        crate::platform::failpoint::pass($name, $before);
    };
}
pub(crate) use failpoint;

#[cfg(feature = "failpoints")]
pub(crate) use armed::pass;

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};

    static PASSED: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

    /// Which role this process has, by what it was started as.
    fn role() -> &'static str {
        match std::env::args().nth(1).as_deref() {
            Some("__keeper" | "daemon") => "keeper",
            Some("__daemon") => "daemon",
            Some("__scribe") => "scribe",
            Some(_) | None => "client",
        }
    }

    /// Passes a point, or does not.
    pub(crate) fn pass(name: &'static str, before: impl FnOnce()) {
        let Some(home) = std::env::var_os("ADASA_HOME") else {
            return;
        };
        let order = Path::new(&home).join("failpoints").join(name);
        let Ok(text) = std::fs::read_to_string(&order) else {
            return;
        };
        let mut words = text.split_whitespace();
        let (whose, nth, act) = (words.next(), words.next(), words.next());
        if whose != Some(role()) {
            return;
        }
        let nth = nth.and_then(|n| n.parse().ok()).unwrap_or(1);
        let mut counts = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        // Of two that pass at once, one removes the file.
        if *count < nth || std::fs::remove_file(&order).is_err() {
            return;
        }
        drop(counts);
        before();
        match act {
            Some("panic") => panic!("the failpoint {name}"),
            Some("abort") => std::process::abort(),
            Some("hang") => loop {
                std::thread::park();
            },
            Some("spin") => loop {
                std::hint::spin_loop();
            },
            Some(_) | None => {
                let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
}
