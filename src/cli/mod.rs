//! The command line: what was typed becomes requests, and answers become words for people. The only place that prints
//! and the composition root of every role.

mod activity;
mod args;
mod care;
mod changes;
mod control;
mod daemon;
mod dash;
mod doctor;
mod edit;
mod editor;
mod end;
mod failure;
mod files;
mod gate;
mod init;
mod inspect;
mod logs;
mod own_log;
mod print;
mod progress;
mod rollout;
mod scale;
mod select;
mod signal;
mod startup;
mod status;
mod undo;
mod upgrade;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Args, Verb};
use failure::Failure;

/// Runs the program with these arguments.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    // The roles are not for people: no parsing, no help.
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("__keeper") => return daemon::keeper(&arguments),
        Some("__daemon") => return daemon::daemon(arguments.iter().any(|a| a == "--foreground")),
        Some("__scribe") => return daemon::scribe(),
        Some("--check-table") => return upgrade::check_table(&arguments),
        Some(_) | None => {}
    }
    let _ = crate::platform::signal::end_on_broken_pipe();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            let mut words = arguments.iter().take_while(|word| *word != "--");
            if error.use_stderr() && words.any(|word| word == "--json") {
                print::error_as_json(&misread(&error));
            }
            let missing = error.kind() == clap::error::ErrorKind::MissingRequiredArgument;
            if missing && error.to_string().contains("<SELECTOR>") {
                print::hint("`adasa list` shows what there is; `all` means everything");
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let json = args.global.json;
    match dispatch(args) {
        Ok(code) => code,
        Err(failure) => {
            print::failure(&failure, json);
            ExitCode::from(failure.exit)
        }
    }
}

/// What could not be read, without the help beside it.
fn misread(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let (what, tips) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what = what.strip_prefix("error: ").unwrap_or(what).trim();
    let failure = Failure::new(failure::exit::USAGE, what);
    match tips
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "))
    {
        Some(tip) => failure.hint(tip),
        None => failure,
    }
}

fn dispatch(args: Args) -> Result<ExitCode, Failure> {
    let global = args.global;
    match args.verb {
        Verb::Start(start) => control::start(&global, *start),
        Verb::Stop(stop) => control::stop(&global, &stop),
        Verb::Restart(restart) => control::restart(&global, &restart),
        Verb::Undo(wanted) => undo::undo(&global, wanted),
        Verb::Rollout(rollout) => rollout::command(&global, &rollout),
        Verb::Init(wanted) => init::init(&global, &wanted),
        Verb::Edit(wanted) => edit::edit(&global, &wanted),
        Verb::Scale(wanted) => scale::scale(&global, &wanted),
        Verb::Signal(it) => signal::send(&global, it.signal, &it.to),
        Verb::Kill(it) => signal::send(&global, it.signal, &it.to),
        Verb::Delete(targets) => control::delete(&global, &targets),
        Verb::List(list) => inspect::list(&global, &list),
        Verb::Status(wanted) => status::status(&global, &wanted),
        Verb::Activity(wanted) => activity::activity(&global, &wanted),
        Verb::Changes(wanted) => changes::changes(&global, &wanted),
        Verb::Clients => activity::clients(&global),
        Verb::Why(targets) => why::why(&global, &targets),
        Verb::Logs(wanted) => logs::logs(&global, &wanted),
        Verb::Flush(targets) => logs::flush(&global, &targets.select),
        Verb::Reload(file) => files::reload(&global, &file),
        Verb::Up(up) => files::up(&global, &up),
        Verb::Down(down) => files::down(&global, &down),
        Verb::Tui(tui) => dash::tui(&global, &tui),
        Verb::Daemon(daemon) => daemon::command(&global, daemon.verb),
        Verb::Startup(asked) => startup::startup(&global, &asked),
        Verb::Doctor => doctor::doctor(&global),
        Verb::Completions { shell } => {
            let mut command = Args::command();
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, "adasa", &mut text);
            if global.json {
                let text = String::from_utf8_lossy(&text);
                print::json(&serde_json::json!({ "shell": shell.to_string(), "script": text }));
            } else {
                print::bytes(&text);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
