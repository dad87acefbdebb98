//! Looks up what an end points at: who has the port, whether the file is there, what is wrong with the program. Reads
//! of other processes can hang: never on the loop.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::clues::clues;
use crate::domain::exit::Ending;
use crate::domain::run::Ended;
use crate::domain::why::{Amiss, Found, Holder};
use crate::platform::{procfs, sockets};

/// How much of a script is read for its first line.
const FIRST_LINE: u64 = 256;

/// What a process is executed from.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// As it is defined.
    pub word: String,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Its `PATH`.
    pub path: Option<String>,
}

/// Looks up what the end and the last words of a run point at.
pub(super) fn look(end: &Ended, stderr: &[String], program: &Program, marker: &str) -> Found {
    let mut found = Found::default();
    let clues = clues(stderr);
    if let Some(port) = clues.address.and_then(|clue| clue.port) {
        let inodes: Vec<u64> = sockets::listening()
            .into_iter()
            .filter(|l| l.address.port() == port)
            .map(|l| l.inode)
            .collect();
        found.free = inodes.is_empty();
        found.holder = holder(&inodes, marker);
    }
    if let Some(path) = clues.file.and_then(|clue| clue.path) {
        found.file_there = Some(program.cwd.join(path).exists());
    }
    let executes = matches!(
        end.exit.ending,
        Ending::NotExecuted(_) | Ending::Code(126 | 127)
    );
    if executes {
        found.program = program.trouble();
    }
    found
}

/// Who has one of these sockets; none when nobody may be looked at.
fn holder(inodes: &[u64], marker: &str) -> Option<Holder> {
    if inodes.is_empty() {
        return None;
    }
    let pid = sockets::holders(inodes).into_values().min()?;
    let ours = procfs::environment_value(pid, "ADASA_RUN").is_some_and(|mark| {
        mark.strip_prefix(marker)
            .is_some_and(|m| m.starts_with('/'))
    });
    Some(Holder {
        pid,
        name: procfs::name(pid).unwrap_or_default(),
        instance: procfs::environment_value(pid, "ADASA_NAME").filter(|_| ours),
    })
}

impl Program {
    /// What is wrong with the file now; none when nothing is.
    fn trouble(&self) -> Option<Amiss> {
        if !self.cwd.is_dir() {
            return Some(Amiss {
                text: format!("the folder {} is not there now", self.cwd.display()),
                remedy: "make that folder, or change `cwd`",
            });
        }
        let candidates: Vec<PathBuf> = if self.word.contains('/') {
            vec![self.cwd.join(&self.word)]
        } else {
            let path = self
                .path
                .as_deref()
                .unwrap_or("/usr/local/bin:/usr/bin:/bin");
            path.split(':')
                .filter(|folder| !folder.is_empty())
                .map(|folder| self.cwd.join(folder).join(&self.word))
                .collect()
        };
        let Some(file) = candidates.iter().find(|path| path.exists()) else {
            let text = if self.word.contains('/') {
                format!("{} is not there now", self.cwd.join(&self.word).display())
            } else {
                format!("{} is in no folder of its PATH now", self.word)
            };
            let remedy = "put the program in its place, or change `script`";
            return Some(Amiss { text, remedy });
        };
        trouble_of(file)
    }
}

fn trouble_of(file: &Path) -> Option<Amiss> {
    let shown = file.display();
    let amiss = |text: String, remedy| Some(Amiss { text, remedy });
    let meta = std::fs::metadata(file).ok()?;
    if meta.is_dir() {
        let remedy = "name the program in it as `script`";
        return amiss(format!("{shown} is a folder"), remedy);
    }
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o111 == 0 {
        let text = format!("{shown} is not executable (mode {mode:o})");
        return amiss(text, "give it its run bit with chmod +x");
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).ok()?;
    opened.take(FIRST_LINE).read_to_end(&mut bytes).ok()?;
    let line = bytes.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    if text.ends_with('\r') {
        let text = format!("the first line of {shown} ends with a carriage return");
        return amiss(text, "write its lines without carriage returns");
    }
    let interpreter = text.split_whitespace().next()?;
    if Path::new(interpreter).exists() {
        return None;
    }
    let text = format!("{shown} wants {interpreter}, which is not there now");
    amiss(
        text,
        "put that interpreter in its place, or change the first line of the script",
    )
}
