//! What a word means as a program: a file, a script for an interpreter, or something in `PATH`.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::spec::Command;

/// Scripts that are run by their interpreter.
const INTERPRETERS: [(&str, &[&str]); 4] = [
    ("js", &["node"]),
    ("py", &["python3", "python"]),
    ("rb", &["ruby"]),
    ("sh", &["sh"]),
];

/// Why a word is no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct ProgramError {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

fn error(what: String, hint: impl Into<String>) -> ProgramError {
    ProgramError {
        what,
        hint: hint.into(),
    }
}

/// Finds a word in a search path.
fn in_path(word: &str, path: &str) -> Option<PathBuf> {
    path.split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(word))
        .find(|file| is_runnable(file))
}

fn is_runnable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Takes the detours out of an absolute path: `.`, and `..` with the folder before it. Behind a link it stays, for there
/// `..` is not what the text says.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if is_detour(&out) => {
                out.pop();
            }
            std::path::Component::ParentDir => out.push(part),
            std::path::Component::Prefix(_)
            | std::path::Component::RootDir
            | std::path::Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Whether `..` behind this path only takes its last part away.
fn is_detour(path: &Path) -> bool {
    !path.ends_with("..") && !path.is_symlink()
}

/// Finds out what to execute for a word: one with a slash is a file below `cwd`, any other is looked up in `path`.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(crate) fn resolve(
    word: &str,
    args: &[String],
    cwd: &Path,
    path: &str,
) -> Result<Command, ProgramError> {
    if !word.contains('/') {
        if in_path(word, path).is_none() {
            let hint = if cwd.join(word).is_file() {
                format!(
                    "there is a file of that name: ./{word} is a file, {word} is looked up in PATH"
                )
            } else if let Some(hint) = arguments_inside(word, cwd, path) {
                hint
            } else {
                "a file is written with a slash (./name), a program must be in PATH".to_owned()
            };
            return Err(error(format!("no program in PATH is called {word}"), hint));
        }
        return Ok(Command {
            program: word.to_owned(),
            args: args.to_vec(),
        });
    }
    let file = tidy(&cwd.join(word));
    let shown = file.display().to_string();
    let meta = std::fs::metadata(&file).map_err(|cause| {
        let why = if cause.kind() == std::io::ErrorKind::NotFound {
            "is not there".to_owned()
        } else {
            format!("cannot be looked at: {cause}")
        };
        error(
            format!("the script {shown} {why}"),
            arguments_inside(word, cwd, path).unwrap_or_else(|| {
                "check the path; it is relative to the working folder".to_owned()
            }),
        )
    })?;
    if !meta.is_file() {
        return Err(error(
            format!("{shown} is a folder, no program"),
            "name the file in it that is to be run",
        ));
    }
    let runnable = meta.permissions().mode() & 0o111 != 0;
    let head = head(&file);
    let shebang = head.starts_with(b"#!");
    let program = file.to_string_lossy().into_owned();
    if runnable && (shebang || is_binary(&head)) {
        return Ok(Command {
            program,
            args: args.to_vec(),
        });
    }
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
    if let Some((_, names)) = INTERPRETERS.iter().find(|(e, _)| *e == extension) {
        let Some(interpreter) = names.iter().find(|name| in_path(name, path).is_some()) else {
            let name = names[0];
            return Err(error(
                format!("{shown} is run by {name}, which is not in PATH"),
                format!("install {name}, or name another interpreter: adasa start NAME -- {shown}"),
            ));
        };
        let mut all = vec![program];
        all.extend_from_slice(args);
        return Ok(Command {
            program: (*interpreter).to_owned(),
            args: all,
        });
    }
    if !runnable {
        let hint = if shebang {
            format!("chmod +x {shown}")
        } else {
            format!(
                "chmod +x {shown} and begin it with #!/bin/sh or the like, or start its interpreter: adasa start sh -- {shown}"
            )
        };
        return Err(error(format!("the script {shown} has no run bit"), hint));
    }
    Err(error(
        format!("the script {shown} has no shebang: the system does not know what runs it"),
        "begin it with a line like #!/bin/sh, or start its interpreter: adasa start sh -- FILE",
    ))
}

/// What to do with a whole command line where a program is wanted.
fn arguments_inside(word: &str, cwd: &Path, path: &str) -> Option<String> {
    let (first, rest) = word.split_once(char::is_whitespace)?;
    is_program(first, cwd, path).then(|| {
        format!(
            "{first} is the program, its arguments stand apart: adasa start {first} -- {rest} (in a file: `args`)"
        )
    })
}

/// Whether a word is the name of a program: of a file below `here` with a slash in it, else of one in `path`.
#[must_use]
pub(crate) fn is_program(word: &str, here: &Path, path: &str) -> bool {
    if word.contains('/') {
        here.join(word).is_file()
    } else {
        in_path(word, path).is_some()
    }
}

fn head(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(file) {
        let _ = file.take(256).read_to_end(&mut bytes);
    }
    bytes
}

/// A binary of any kind the kernel may know: it cannot be a script that lacks its shebang.
fn is_binary(head: &[u8]) -> bool {
    head.contains(&0) || std::str::from_utf8(head).is_err_and(|e| e.error_len().is_some())
}

/// What a process is called when nobody says: the file name without its ending.
#[must_use]
pub(crate) fn default_name(word: &str) -> String {
    let name = Path::new(word)
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if INTERPRETERS.iter().any(|(e, _)| *e == extension) => stem,
        Some(_) | None => &name,
    };
    stem.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}
