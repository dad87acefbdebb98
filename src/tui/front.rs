//! Programs that have the terminal for a while: the pager, and the editor of a definition.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::platform::foreground::run_in_front;

use super::msg::{Msg, Saving};
use super::terminal::{self, Terminal};
use super::{Shell, saving};

/// What stands on the terminal is read before the screen comes back.
const PAUSE: &str = "printf -- '-- Enter returns --'; read -r _";

/// What is written and edited where nothing runs yet.
const CONFIG: &str = "adasa.toml";

/// Whether there is one in the folder that the dashboard was opened in.
pub(super) fn is_config_here() -> bool {
    std::path::Path::new(CONFIG).exists()
}

impl Shell {
    /// Gives the terminal to the pager, with lines to read.
    pub(super) fn page(&mut self, what: Saving) {
        let pager = std::env::var("PAGER").ok();
        let pager = pager.filter(|it| !it.trim().is_empty());
        let pager = pager.unwrap_or_else(|| "less".to_owned());
        let mut command = Command::new("sh");
        command.args(["-c", &pager]).stdin(Stdio::piped());
        let client = self.client.clone();
        let ran = self.aside(|| {
            run_in_front(command, io::stdin(), move |stdin| {
                // A pager that is left does not read to the end.
                let _ = saving::print(&client, what, stdin);
            })
        });
        if let Err(error) = ran {
            let text = format!("{pager} was not run: {error}; $PAGER names another");
            self.take(Msg::Said(Err(text)));
        }
    }

    /// Gives the terminal to `adasa edit`, which shows the difference, asks and applies. What it says when nothing came of
    /// it stays until Enter.
    pub(super) fn edit(&mut self, name: &str) {
        let ran = self.itself(&["edit", "--no-autostart", name]);
        if let Err(error) = ran {
            let text = format!("{name} was not edited: {error}; `adasa edit {name}` is the same");
            self.take(Msg::Said(Err(text)));
        }
    }

    /// Gives the terminal to `adasa init`, which writes a config file, has it edited, and offers to start what it defines.
    pub(super) fn init(&mut self) {
        if let Err(error) = self.itself(&["init", "--no-autostart", CONFIG]) {
            let text = format!("{CONFIG} was not edited: {error}; `adasa init` is the same");
            self.take(Msg::Said(Err(text)));
        }
        self.model.machine.config = is_config_here();
    }

    /// Gives the terminal to another command of this program.
    fn itself(&mut self, words: &[&str]) -> io::Result<bool> {
        self.aside(|| {
            let mut command = Command::new("/proc/self/exe");
            command.arg0("adasa").args(words);
            if run_in_front(command, io::stdin(), drop)? {
                return Ok(true);
            }
            let mut pause = Command::new("sh");
            pause.args(["-c", PAUSE]);
            run_in_front(pause, io::stdin(), drop)
        })
    }

    /// Leaves the screen to others until this is over, and takes it again.
    fn aside(&mut self, run: impl FnOnce() -> io::Result<bool>) -> io::Result<bool> {
        terminal::restore();
        let ran = run();
        let _ = self.terminal.enter_again();
        let (width, height) = Terminal::size();
        self.take(Msg::Resize(width, height));
        ran
    }
}
