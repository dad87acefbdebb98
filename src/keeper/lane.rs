//! Which scribe writes a log: one for the folder of all logs, and one for each other folder that holds any. Decided by
//! the name of the file alone: whoever asks the file system may wait for it.

use std::path::{Component, Path, PathBuf};

/// Names one scribe with its stage. Keeper and daemon come to the same name without telling each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane(u32);

impl Lane {
    /// The folder of all logs, and what is below it.
    pub(crate) const MAIN: Self = Self(0);

    /// The folder that a log has to itself or shares with others; none below the folder of all logs.
    #[must_use]
    pub(crate) fn folder(log: &Path, logs: &Path) -> Option<PathBuf> {
        let within = log.strip_prefix(logs).ok();
        let straight =
            |rest: &Path| (rest.components()).all(|part| matches!(part, Component::Normal(_)));
        if within.is_some_and(straight) {
            return None;
        }
        Some(log.parent().unwrap_or(log).to_owned())
    }

    /// The lane of a folder.
    #[must_use]
    pub(crate) fn of_folder(folder: Option<&Path>) -> Self {
        // Two folders of one checksum share a scribe, which costs them nothing else.
        folder.map_or(Self::MAIN, |folder| {
            Self(crc32fast::hash(folder.as_os_str().as_encoded_bytes()).max(1))
        })
    }

    /// The lane of a log.
    #[must_use]
    pub(crate) fn of(log: &Path, logs: &Path) -> Self {
        Self::of_folder(Self::folder(log, logs).as_deref())
    }

    /// A number below 2³².
    #[must_use]
    pub(crate) fn number(self) -> u64 {
        u64::from(self.0)
    }

    /// Reads back a token's number.
    #[must_use]
    pub(super) fn of_number(number: u64) -> Self {
        Self(u32::try_from(number).unwrap_or(0))
    }

    /// Of the names of its files in the volatile folder.
    #[must_use]
    pub(super) fn name(self, base: &str) -> String {
        if self == Self::MAIN {
            base.to_owned()
        } else {
            format!("{base}.{:08x}", self.0)
        }
    }

    /// Reads back what [`Self::name`] wrote.
    #[must_use]
    pub(super) fn of_name(base: &str, name: &str) -> Option<Self> {
        let rest = name.strip_prefix(base)?;
        match rest.strip_prefix('.') {
            Some(number) => u32::from_str_radix(number, 16).ok().map(Self),
            None => rest.is_empty().then_some(Self::MAIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_logs_below_their_folder_share_a_lane_and_other_folders_have_their_own() {
        let lane = |log: &str| Lane::of(Path::new(log), Path::new("/home/logs"));
        assert_eq!(lane("/home/logs/default/web/0.out.log"), Lane::MAIN);
        assert_eq!(lane("/home/logs/web.log"), Lane::MAIN);
        assert_ne!(lane("/home/logs/../elsewhere/web.log"), Lane::MAIN);
        assert_ne!(lane("/home/logs.old/web.log"), Lane::MAIN);
        assert_eq!(lane("/mnt/a/out.log"), lane("/mnt/a/err.log"));
        assert_ne!(lane("/mnt/a/out.log"), lane("/mnt/b/out.log"));
        assert_ne!(lane("/out.log"), Lane::MAIN);
    }

    #[test]
    fn the_name_of_a_file_in_the_volatile_folder_is_read_back() {
        let other = Lane::of_folder(Some(Path::new("/mnt/a")));
        for lane in [Lane::MAIN, other] {
            assert_eq!(Lane::of_name("stage", &lane.name("stage")), Some(lane));
            assert_eq!(Lane::of_number(lane.number()), lane);
        }
        assert_eq!(Lane::of_name("stage", "stage-owner"), None);
        assert_eq!(Lane::of_name("stage", "stage.x"), None);
    }
}
