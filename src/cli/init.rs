//! init.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::args::{Global, Init};
use super::editor::{agreed, edited};
use super::failure::{Failure, exit};
use super::{files, print};

/// What a new file says.
const EXAMPLE: &str = include_str!("example.toml");

pub(super) fn init(global: &Global, wanted: &Init) -> Result<ExitCode, Failure> {
    let path = &*wanted.file;
    let shown = path.display();
    if make(path)? {
        print::remark(&format!("{shown} is new, with comments"));
    }
    let file = match edited(path) {
        Ok(Some(file)) => file,
        Ok(None) if is_example(path) => {
            let text = format!("{shown} defines nothing yet");
            let hint = format!("take the # away in front of what you need: adasa init {shown}");
            return Err(Failure::new(exit::FAILED, text).hint(hint));
        }
        Ok(None) => {
            let text = format!("{shown} was left with its mistake; nothing was started");
            return Err(Failure::new(exit::FAILED, text).hint(format!("adasa init {shown}")));
        }
        Err(failure) => return Err(failure),
    };
    let names: Vec<String> = file
        .specs
        .iter()
        .map(|spec| spec.name.to_string())
        .collect();
    let names = names.join(", ");
    if !wanted.yes && !agreed(&format!("Start what it defines ({names})? [y/N] ")) {
        print::remark(&format!(
            "{shown} can be read; adasa start --config {shown} starts {names}"
        ));
        if global.json {
            print::json(&serde_json::json!({ "file": path, "started": false }));
        }
        return Ok(ExitCode::SUCCESS);
    }
    files::start(global, path, wanted.surety)
}

/// Writes the example where there is nothing; says whether it did.
fn make(path: &Path) -> Result<bool, Failure> {
    if path.extension().is_some_and(|it| it == "json") && !path.exists() {
        let text = format!("{}: a file with comments is TOML, not JSON", path.display());
        return Err(Failure::new(exit::USAGE, text).hint("adasa init adasa.toml"));
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(EXAMPLE.as_bytes()));
    match made {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            let text = format!("{} cannot be made: {error}", path.display());
            Err(Failure::new(exit::FAILED, text))
        }
    }
}

fn is_example(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes == EXAMPLE.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::select::caller;
    use crate::config;

    /// Every example is a comment of its own, and without its sign it is read.
    #[test]
    fn what_the_new_file_shows_can_be_read_once_its_comments_are_taken_away() {
        let lines = EXAMPLE.lines().map(|line| line.trim_start_matches("# "));
        // A program that is on every machine.
        let there = |line: &str| match line.split_once(" = ") {
            Some(("script", _)) => "script = \"sleep\"".to_owned(),
            Some(_) | None => line.to_owned(),
        };
        let shown = lines.skip_while(|line| !line.starts_with("[["));
        let shown: Vec<String> = shown.map(there).collect();
        let folder = std::env::temp_dir().join(format!("adasa-init-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("adasa.toml");
        std::fs::write(&path, shown.join("\n")).unwrap();
        let file = config::load(&path, &caller()).unwrap();
        let names: Vec<_> = file
            .specs
            .iter()
            .map(|spec| spec.name.to_string())
            .collect();
        assert_eq!(names, ["web", "worker"]);
        assert_eq!(file.specs[0].instances, 2);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
