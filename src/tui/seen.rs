//! When this user looked last: a file beside the state, so that the next look begins with what changed.

use std::io::Write as _;
use std::path::Path;

use crate::logs::read::private_options;

/// Milliseconds since 1970; none when it is not known.
pub(super) fn read(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Remembers it. Where that is not possible, the next look begins with nothing, which is no harm.
pub(super) fn write(path: &Path, at_ms: u64) {
    let opened = private_options().write(true).truncate(true).open(path);
    if let Ok(mut file) = opened {
        let _ = file.write_all(format!("{at_ms}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_remembered_and_nonsense_is_none() {
        let path = std::env::temp_dir().join(format!("adasa-seen-{}", std::process::id()));
        assert_eq!(read(&path), None);
        write(&path, 1_767_614_671_000);
        write(&path, 17);
        assert_eq!(read(&path), Some(17));
        std::fs::write(&path, "long ago").unwrap();
        assert_eq!(read(&path), None);
        std::fs::remove_file(&path).unwrap();
    }
}
