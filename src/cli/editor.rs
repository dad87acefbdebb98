//! The editor of whoever types: of a definition, of a config file.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Command;

use crate::config::{self, File};

use super::failure::{Failure, exit};
use super::print;
use super::select::caller;

/// Has a config file edited until it can be read; none when nobody wants to any more.
pub(super) fn edited(path: &Path) -> Result<Option<File>, Failure> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()))
        .unwrap_or_else(|| "vi".to_owned());
    loop {
        // As every program does it: the variable may have arguments.
        let status = Command::new("sh")
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(path)
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(_) | Err(_) => {
                let text = format!("the editor {editor:?} failed; nothing was changed");
                return Err(Failure::new(exit::FAILED, text).hint("set EDITOR"));
            }
        }
        match config::load(path, &caller()) {
            Ok(file) => return Ok(Some(file)),
            Err(error) => {
                print::remark(&error.to_string());
                if !agreed("Edit it again? [y/N] ") {
                    return Ok(None);
                }
            }
        }
    }
}

/// Asks at a terminal; elsewhere nobody agrees.
pub(super) fn agreed(question: &str) -> bool {
    std::io::stdin().is_terminal()
        && print::ask(question).is_some_and(|typed| matches!(typed.as_str(), "y" | "Y" | "yes"))
}
