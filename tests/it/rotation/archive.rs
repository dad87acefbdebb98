//! A rotated log as its files show it: archives, where they join, and what they hold together.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use regex::Regex;

use crate::logs::follow::when;

pub(super) const MIB: u64 = 1 << 20;

/// One archive: where it begins and ends in the stream, and its file.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    pub(super) base: u64,
    pub(super) end: u64,
    path: PathBuf,
}

impl Archive {
    pub(super) fn is_compressed(&self) -> bool {
        self.path.extension().is_some_and(|e| e == "gz")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It may have been compressed since it was listed.
    fn open(&self) -> Box<dyn Read> {
        if !self.is_compressed()
            && let Ok(file) = File::open(&self.path)
        {
            return Box::new(file);
        }
        let path = if self.is_compressed() {
            self.path.clone()
        } else {
            PathBuf::from(format!("{}.gz", self.path.display()))
        };
        let file =
            File::open(&path).unwrap_or_else(|e| panic!("{self:?}, {}: {e}", path.display()));
        Box::new(MultiGzDecoder::new(file))
    }
}

/// The archives of a log file, oldest first; one that is just being compressed may be there twice and counts once.
pub(super) fn archives(log: &Path) -> Vec<Archive> {
    let name = log.file_name().unwrap().to_str().unwrap();
    let form = Regex::new(&format!(r"^{}\.(\d+)-(\d+)(\.gz)?$", regex::escape(name))).unwrap();
    let Ok(entries) = fs::read_dir(log.parent().unwrap()) else {
        return Vec::new();
    };
    let mut found: Vec<Archive> = entries
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let parts = form
                .captures(entry.file_name().to_str().unwrap())?
                .iter()
                .flatten()
                .map(|m| m.as_str().to_owned())
                .collect::<Vec<_>>();
            Some(Archive {
                base: parts[1].parse().unwrap(),
                end: parts[2].parse().unwrap(),
                path: entry.path(),
            })
        })
        .collect();
    found.sort_by_key(|archive| (archive.base, archive.is_compressed()));
    found.dedup_by_key(|archive| archive.base);
    found
}

pub(super) fn size(log: &Path) -> u64 {
    fs::metadata(log).map_or(0, |m| m.len())
}

/// How far the stream has come: the end of the newest archive and what the current file holds.
pub(super) fn written(log: &Path) -> u64 {
    archives(log).last().map_or(0, |archive| archive.end) + size(log)
}

/// Blocks until the stream has come that far; each MiB may take the usual limit.
#[track_caller]
pub(super) fn until_written(log: &Path, total: u64) {
    let mut goal = 0;
    while goal < total {
        goal = (goal + 16 * MIB).min(total);
        when(
            log.parent().unwrap(),
            &format!("{goal} of {total} bytes in {}", log.display()),
            || {
                let now = written(log);
                if now >= goal {
                    Ok(())
                } else {
                    Err(format!("{now} bytes"))
                }
            },
        );
    }
    assert_eq!(written(log), total, "more was logged than was written");
}

/// Everything from the first archive to the end of the current file. The archives join without gap or overlap.
pub(super) fn whole(log: &Path) -> Box<dyn Read> {
    let archives = archives(log);
    for pair in archives.windows(2) {
        assert_eq!(
            pair[0].end, pair[1].base,
            "a gap or an overlap between {pair:?}"
        );
    }
    // Right behind a rotation there is none: the next byte makes it.
    let current: Box<dyn Read> = match File::open(log) {
        Err(e) if e.kind() == ErrorKind::NotFound => Box::new(std::io::empty()),
        file => Box::new(file.unwrap()),
    };
    let all = archives.iter().map(Archive::open).chain([current]);
    all.reduce(|before, next| Box::new(before.chain(next)))
        .unwrap()
}

/// Asserts that the lines are the numbers from `first` to `last`, padded to `width`, each once and in order.
#[track_caller]
pub(super) fn assert_numbers(from: impl Read, width: usize, first: u64, last: u64) {
    let mut reader = BufReader::with_capacity(1 << 20, from);
    let mut line = Vec::new();
    for number in first..=last {
        line.clear();
        reader.read_until(b'\n', &mut line).unwrap();
        let text = std::str::from_utf8(&line).unwrap_or("?");
        let value = text
            .strip_suffix('\n')
            .filter(|t| t.len() == width)
            .and_then(|t| t.parse::<u64>().ok());
        assert!(value == Some(number), "{number} was expected, not {text:?}");
    }
    line.clear();
    reader.read_until(b'\n', &mut line).unwrap();
    assert!(
        line.is_empty(),
        "after the last line: {:?}",
        String::from_utf8_lossy(&line)
    );
}
