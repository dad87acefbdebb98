//! Things that go wrong on purpose. Moments come from a generator whose seed is printed with a failure;
//! `ADASA_TEST_SEED` plays one again.

mod clients;
mod crowds;
mod files;
mod flight;
mod kill;
mod locks;
pub(crate) mod storage;
mod table;
pub(crate) mod writers;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::sandbox::{Known, Sandbox};

/// A small generator of repeatable numbers.
pub(crate) struct Dice(u64);

impl Dice {
    /// Seeded by `ADASA_TEST_SEED`, else by the clock.
    pub(crate) fn new() -> Dice {
        let given = std::env::var("ADASA_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ now.as_secs()
        });
        println!("ADASA_TEST_SEED={seed}");
        Dice(seed)
    }

    /// Seeded by another.
    pub(crate) fn of(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Waits until another process has the role (`pid`, `scribe_pid`) and answers.
#[track_caller]
pub(crate) fn successor(home: &Sandbox, role: &str, old: Known) -> Known {
    let what = format!("another {role} than {}", old.pid);
    let new = home.wait_for(&what, |home| {
        let pid = home.daemon_status()?[role]
            .as_i64()
            .filter(|pid| *pid != i64::from(old.pid))?;
        Known::of(i32::try_from(pid).ok()?)
    });
    assert_ne!(new, old);
    new
}

/// Starts an idle process.
#[track_caller]
pub(crate) fn start_idle(home: &Sandbox, name: &str) {
    drop(
        home.run(&["start", "sleep", "--name", name, "--", "100000"])
            .success(),
    );
}
