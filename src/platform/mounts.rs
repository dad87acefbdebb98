//! What is mounted where, by the kernel's own list: it names a file system without asking it anything.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is.
    pub place: PathBuf,
    /// What kind it is.
    pub kind: String,
}

/// The file system that a path is on by its name; links are not followed. None where the list cannot be read.
#[must_use]
pub(crate) fn of(path: &Path) -> Option<Mount> {
    find(&std::fs::read("/proc/self/mountinfo").ok()?, path)
}

fn find(list: &[u8], path: &Path) -> Option<Mount> {
    let mounts = list.split(|b| *b == b'\n').filter_map(parse);
    // Of several on one place the last hides the others, which `max_by_key` gives.
    mounts
        .filter(|mount| path.starts_with(&mount.place))
        .max_by_key(|mount| mount.place.components().count())
}

/// A line of proc_pid_mountinfo(5).
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|b| *b == b' ');
    let place = PathBuf::from(OsString::from_vec(unescape(words.nth(4)?)));
    words.find(|word| *word == b"-")?;
    let kind = String::from_utf8_lossy(words.next()?).into_owned();
    Some(Mount { place, kind })
}

/// Blanks and the like are written as a backslash with three octal digits.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|_| *first == b'\\');
        let octal = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = &behind[if octal.is_some() { 3 } else { 0 }..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /mnt/a\\040b rw - nfs4 server:/x rw
31 22 0:6 / /mnt rw - tmpfs none rw
32 31 0:7 / /mnt rw master:2 propagate_from:1 - fuse.test none rw
";

    #[test]
    fn the_longest_place_is_the_one_and_of_several_the_last() {
        let of = |path: &str| {
            let mount = find(LIST, Path::new(path)).unwrap();
            (mount.place.to_str().unwrap().to_owned(), mount.kind)
        };
        let is = |place: &str, kind: &str| (place.to_owned(), kind.to_owned());
        assert_eq!(of("/home/x"), is("/", "ext4"));
        assert_eq!(of("/mnt/a b/logs"), is("/mnt/a b", "nfs4"));
        assert_eq!(of("/mnt/a"), is("/mnt", "fuse.test"));
        assert_eq!(of("/mntx"), is("/", "ext4"));
    }

    #[test]
    fn this_systems_own_list_is_read() {
        assert_eq!(of(Path::new("/proc/self")).unwrap().kind, "proc");
    }
}
