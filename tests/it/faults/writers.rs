//! Processes that write numbered lines on both streams every ten milliseconds, and the proof that each line is in the
//! logs exactly once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::faults::Dice;
use crate::sandbox::{Known, Sandbox};

/// `read -t` of bash waits without a process of its own. It is told by a file to finish: a `read` whose time is up at
/// the moment a line comes takes the line and says that there was none.
const SCRIPT: &str = "exec 3<>\"$1\"; i=0
until [ -e \"$1.over\" ]; do read -r -t 0.01 -u 3; i=$((i+1)); echo \"line $i\"; echo \"line $i\" >&2; done
echo \"end $i\"; echo \"end $i\" >&2; exec sleep 100000";

pub(crate) struct Writers {
    names: Vec<String>,
    pids: Vec<Known>,
}

impl Writers {
    pub(crate) fn start(home: &Sandbox, count: usize) -> Writers {
        let names: Vec<String> = (0..count)
            .map(|number| format!("writer-{number}x"))
            .collect();
        for name in &names {
            drop(home.fifo(name));
            let ear = home.path(name);
            let ear = ear.to_str().expect("text");
            let args = [
                "start", "bash", "--name", name, "--", "-c", SCRIPT, "writer", ear,
            ];
            drop(home.run(&args).success());
        }
        for name in &names {
            home.until_file(live(home, name, "out"), |text| text.contains("line 1\n"));
        }
        let pids = names.iter().map(|name| home.known(name)).collect();
        Writers { names, pids }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A moment: until one of them has written some lines more.
    pub(crate) fn moment(&self, home: &Sandbox, dice: &mut Dice) {
        let which = usize::try_from(dice.below(self.names.len() as u64)).expect("an index");
        let more = usize::try_from(dice.below(30)).expect("a number of lines");
        let path = live(home, &self.names[which], "out");
        let size = || fs::metadata(&path).map_or(0, |meta| meta.len());
        let (before, start) = (
            fs::read_to_string(&path)
                .unwrap_or_default()
                .lines()
                .count(),
            size(),
        );
        // A rotation begins a new file: its lines count too.
        home.until_file(&path, |text| {
            text.lines().count() >= before + more || (text.len() as u64) < start
        });
    }

    /// None of them has ended or been started again.
    #[track_caller]
    pub(crate) fn assert_same_pids(&self, home: &Sandbox) {
        for (name, known) in self.names.iter().zip(&self.pids) {
            assert!(known.is_alive(), "{name} (pid {}) is dead", known.pid);
            assert_eq!(home.pid(name), known.pid, "{name} was replaced");
        }
    }

    /// Lets all of them finish, and reads both logs of each: every line once, in order, nothing else.
    #[track_caller]
    pub(crate) fn assert_every_line_once(&self, home: &Sandbox) {
        for name in &self.names {
            drop(home.file(&format!("{name}.over"), ""));
        }
        for name in &self.names {
            for stream in ["out", "err"] {
                home.until_file(live(home, name, stream), |text| {
                    text.contains("end ") && text.ends_with('\n')
                });
                let text = whole(home, name, stream);
                if let Some(problem) = problem_of(&text) {
                    panic!("{name} {stream}: {problem}");
                }
            }
        }
    }
}

/// The file that a stream of a single instance is written to.
pub(crate) fn live(home: &Sandbox, name: &str, stream: &str) -> PathBuf {
    home.home()
        .join(format!("logs/default/{name}/0.{stream}.log"))
}

/// Everything that a stream ever wrote: archives in their order, then the live file.
#[track_caller]
pub(crate) fn whole(home: &Sandbox, name: &str, stream: &str) -> String {
    let path = live(home, name, stream);
    for _ in 0..100 {
        // An archive may be compressed, that is replaced, between the listing and the reading.
        if let Some(bytes) = try_whole(&path) {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    panic!("the archives of {} never hold still", path.display());
}

fn try_whole(path: &Path) -> Option<Vec<u8>> {
    let prefix = format!("{}.", path.file_name()?.to_str()?);
    let mut archives: BTreeMap<u64, (u64, PathBuf)> = BTreeMap::new();
    for entry in fs::read_dir(path.parent()?).expect("the log folder") {
        let file = entry.expect("an entry").path();
        let name = file.file_name()?.to_str()?.to_owned();
        let Some(range) = name.strip_prefix(&prefix) else {
            continue;
        };
        let plain = range.strip_suffix(".gz").unwrap_or(range);
        let Some((base, end)) = plain.split_once('-') else {
            continue;
        };
        let (Ok(base), Ok(end)) = (base.parse(), end.parse()) else {
            continue;
        };
        if plain == range || !archives.contains_key(&base) {
            archives.insert(base, (end, file));
        }
    }
    let mut text = Vec::new();
    let mut next = 0;
    for (base, (end, file)) in archives {
        assert_eq!(
            base,
            next,
            "{} does not follow the archive before it",
            file.display()
        );
        let bytes = contents(&file)?;
        assert_eq!(
            bytes.len() as u64,
            end - base,
            "{} is not as long as its name says",
            file.display()
        );
        text.extend_from_slice(&bytes);
        next = end;
    }
    text.extend_from_slice(&contents(path)?);
    Some(text)
}

/// Nothing when it has gone since it was listed.
fn contents(file: &Path) -> Option<Vec<u8>> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{}: {error}", file.display()),
    };
    if file.extension().is_none_or(|extension| extension != "gz") {
        return Some(bytes);
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .expect("a whole gzip file");
    Some(text)
}

/// The first place where a log is not `line 1`, `line 2`, … `line N`, `end N`.
fn problem_of(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut expected = String::new();
    for (index, line) in lines.iter().enumerate() {
        expected.clear();
        let last = index + 1 == lines.len();
        let (word, number) = if last {
            ("end", index)
        } else {
            ("line", index + 1)
        };
        write!(expected, "{word} {number}").expect("text");
        if *line != expected {
            let around = &lines[index.saturating_sub(2)..(index + 3).min(lines.len())];
            return Some(format!(
                "expected {expected:?} as line {} of {}, found {around:?}",
                index + 1,
                lines.len()
            ));
        }
    }
    (!text.ends_with('\n')).then(|| "the last line is not whole".to_owned())
}

#[test]
fn a_lost_and_a_doubled_line_would_be_noticed() {
    assert_eq!(problem_of("line 1\nline 2\nend 2\n"), None);
    for text in [
        "line 1\nline 3\nend 3\n",
        "line 1\nline 1\nend 1\n",
        "line 1\nend 2\n",
        "line 1\nend 1",
        "line 1\n",
    ] {
        assert!(problem_of(text).is_some(), "{text:?}");
    }
}
