//! Archives: `FILE.<base>-<end>` beside `FILE`, later `….gz`, each with its `….idx`.

use crate::platform::failpoint::failpoint;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

/// One archive. Offsets are logical: bytes since the first byte that the stream ever had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The file.
    pub path: PathBuf,
    /// Logical offset of its first byte.
    pub base: u64,
    /// Logical offset behind its last byte.
    pub end: u64,
    /// Whether it is compressed.
    pub compressed: bool,
}

impl Archive {
    /// Where its index lies.
    #[must_use]
    pub(crate) fn index_path(&self) -> PathBuf {
        with_suffix(&self.path.with_file_name(plain_name(&self.path)), ".idx")
    }

    /// Removes it and its index.
    ///
    /// # Errors
    /// The kernel's; one that is gone is no error.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for path in [&self.path, &self.index_path()] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Compresses it; the finished file takes the place of the other with one rename.
    ///
    /// # Errors
    /// The kernel's; then the archive is as it was.
    pub(crate) fn compress(&self) -> io::Result<Self> {
        if self.compressed {
            return Ok(self.clone());
        }
        let target = with_suffix(&self.path, ".gz");
        let unfinished = with_suffix(&self.path, ".gz.part");
        let mut source = File::open(&self.path)?;
        let modified = source.metadata()?.modified()?;
        let file = super::read::private_options()
            .truncate(true)
            .open(&unfinished)?;
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
        io::copy(&mut source, &mut encoder)?;
        let mut file = encoder.finish()?;
        file.flush()?;
        file.set_modified(modified)?;
        failpoint!("daemon.compressed");
        std::fs::rename(&unfinished, &target)?;
        failpoint!("daemon.compressed.renamed");
        std::fs::remove_file(&self.path)?;
        Ok(Self {
            path: target,
            compressed: true,
            ..self.clone()
        })
    }

    /// Opens it for reading, decompressed.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let file = File::open(&self.path)?;
        Ok(if self.compressed {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        })
    }
}

fn plain_name(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default();
    match name.to_str().and_then(|n| n.strip_suffix(".gz")) {
        Some(plain) => plain.into(),
        None => name.to_owned(),
    }
}

/// Appends to the last component of a path.
#[must_use]
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// The path of an archive that is not compressed.
#[must_use]
pub(crate) fn path_of(log: &Path, base: u64, end: u64) -> PathBuf {
    with_suffix(log, &format!(".{base}-{end}"))
}

/// Removes what compressions of this log left that were cut short. Only whoever compresses may ask for it.
///
/// # Errors
/// The kernel's; one that is gone is no error.
pub(crate) fn remove_unfinished(log: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else {
        return Ok(());
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let range = (name.to_str())
            .and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".gz.part"))
            .and_then(|range| range.split_once('-'));
        let Some((base, end)) = range else { continue };
        if base.parse::<u64>().is_err() || end.parse::<u64>().is_err() {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The archives of a log file, oldest first. Where a compressed and a plain one hold the same bytes (a compression
/// that was cut short between its two last steps), the plain one counts.
///
/// # Errors
/// When the folder cannot be read; a folder that is not there has none.
pub(crate) fn list(log: &Path) -> io::Result<Vec<Archive>> {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else {
        return Ok(Vec::new());
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<Archive> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_prefix(&prefix)?;
            let (range, compressed) = match rest.strip_suffix(".gz") {
                Some(range) => (range, true),
                None => (rest, false),
            };
            let (base, end) = range.split_once('-')?;
            let (base, end) = (base.parse().ok()?, end.parse().ok()?);
            (base < end).then(|| Archive {
                path: entry.path(),
                base,
                end,
                compressed,
            })
        })
        .collect();
    found.sort_by_key(|a| (a.base, a.end, a.compressed));
    found.dedup_by(|b, a| a.base == b.base && a.end == b.end);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_in_order_and_read_back_compressed() {
        let folder = std::env::temp_dir().join(format!("adasa-archive-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("0.out.log");
        for (base, text) in [(100, "third"), (0, "first"), (50, "second")] {
            std::fs::write(path_of(&log, base, base + 50), text).unwrap();
        }
        for other in [
            "0.out.log",
            "0.out.log.idx",
            "0.out.log.0-50.idx",
            "0.err.log.0-9",
            "0.out.log.9-3",
        ] {
            std::fs::write(folder.join(other), "").unwrap();
        }
        let found = list(&log).unwrap();
        let bases: Vec<u64> = found.iter().map(|a| a.base).collect();
        assert_eq!(bases, [0, 50, 100]);
        let packed = found[0].compress().unwrap();
        assert!(packed.compressed && packed.index_path().ends_with("0.out.log.0-50.idx"));
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&packed.path)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "as private as its log");
        let mut text = String::new();
        packed.open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "first");
        assert_eq!(list(&log).unwrap().len(), 3);
        packed.remove().unwrap();
        assert_eq!(list(&log).unwrap().len(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
