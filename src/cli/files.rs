//! Config files: start --config, up, reload, down.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use crate::api::{Applied, Apply, Change, Down, Progress, ServerControl, TargetView};
use crate::client::{Client, Started, operation_id};
use crate::config;

use super::args::{self, Global, Reload, Surety, Up};
use super::failure::{Failure, exit};
use super::select::{caller, client};
use super::{dash, end, print, progress};

fn apply(
    client: &Client,
    global: &Global,
    file: &Path,
    (start, prune): (bool, bool),
    (surety, force_protected): (Surety, bool),
) -> Result<Applied, Failure> {
    let file = config::load(file, &caller())?;
    let begun = Instant::now();
    let apply = Apply {
        operation: operation_id(),
        file: file.path,
        specs: file.specs,
        start,
        prune,
        durable: surety.durable,
        force_protected,
    };
    let mut applied = client.apply(&apply, progress::first_wait(global))?;
    applied.operation = progress::follow(client, global, applied.operation, begun)?;
    Ok(applied)
}

pub(super) fn say(applied: &Applied, json: bool) -> ExitCode {
    if json {
        print::json(&json!({
            "results": applied.results,
            "operation": progress::as_json(&applied.operation),
        }));
        return progress::exit_code(&applied.operation);
    }
    // What went well is said per process, what did not per instance: nothing is called started that was not.
    let mut failed = applied.operation.clone();
    failed
        .targets
        .retain(|t| !matches!(t.progress, Progress::Done | Progress::Already));
    for change in &applied.results {
        if !failed.targets.iter().any(|t| belongs(t, change)) {
            print::line(&format!("{} {}", change.name, change.action.word()));
        }
    }
    progress::say_unrecorded(&applied.operation);
    if failed.targets.is_empty() {
        return ExitCode::SUCCESS;
    }
    failed.recorded = "done".into();
    progress::say(&failed, false)
}

/// Whether an instance is one of a process: has its name, or that and a number.
fn belongs(target: &TargetView, change: &Change) -> bool {
    let process = change
        .name
        .rsplit_once('/')
        .map_or(&*change.name, |(_, name)| name);
    let rest = target.name.strip_prefix(process);
    rest.is_some_and(|rest| {
        let number = rest.strip_prefix('-');
        rest.is_empty() || number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    })
}

pub(super) fn start(global: &Global, file: &Path, surety: Surety) -> Result<ExitCode, Failure> {
    // A mistake in the file is said before a daemon is started for it.
    config::load(file, &caller())?;
    let client = client(global)?;
    Ok(say(
        &apply(&client, global, file, (true, false), (surety, false))?,
        global.json,
    ))
}

pub(super) fn reload(global: &Global, reload: &Reload) -> Result<ExitCode, Failure> {
    let named = reload.file.as_ref().or(reload.config.as_ref());
    let Some(file) = named else {
        return Err(Failure::new(exit::USAGE, "which file?"));
    };
    config::load(file, &caller())?;
    let client = client(global)?;
    Ok(say(
        &apply(
            &client,
            global,
            file,
            (false, true),
            (reload.surety, reload.guard.force_protected),
        )?,
        global.json,
    ))
}

/// A client; a daemon that it has to start for that goes again with what the file brought up.
fn of_its_own(global: &Global) -> Result<Client, Failure> {
    let client = client(global)?;
    if client.ensure_as(global.no_autostart)? == Started::Yes {
        client.control(ServerControl::MarkTransient)?;
    }
    Ok(client)
}

pub(super) fn up(global: &Global, up: &Up) -> Result<ExitCode, Failure> {
    config::load(&up.file, &caller())?;
    if !up.detach && !global.json {
        dash::check_terminal()?;
    }
    let client = of_its_own(global)?;
    let applied = {
        let sure = (up.surety, up.guard.force_protected);
        apply(&client, global, &up.file, (true, false), sure)?
    };
    let code = if up.detach || global.json {
        return Ok(say(&applied, global.json));
    } else {
        progress::exit_code(&applied.operation)
    };
    // What did not come up is on the screen; the file as a whole is up.
    if code == ExitCode::from(exit::TIMED_OUT) {
        return Ok(say(&applied, false));
    }
    dash::open(&client, dash::Options::default())
}

pub(super) fn down(global: &Global, down: &args::Down) -> Result<ExitCode, Failure> {
    let (file, durable) = (&down.file, down.surety.durable);
    let path = config::locate(file)
        .map_err(|e| Failure::new(exit::USAGE, format!("{}: {e}", file.display())))?;
    let client = of_its_own(global)?;
    let begun = Instant::now();
    let down = Down {
        operation: operation_id(),
        file: path.clone(),
        durable,
        force_protected: down.guard.force_protected,
    };
    let mut applied = client.down(&down, progress::first_wait(global))?;
    applied.operation = progress::follow(&client, global, applied.operation, begun)?;
    let nothing = applied.results.is_empty();
    let failure = (nothing && !path.exists()).then(|| {
        let what = format!(
            "{} brought nothing up, and there is no such file",
            path.display()
        );
        Failure::new(exit::NOT_FOUND, what)
    });
    let code = match &failure {
        Some(_) => ExitCode::from(exit::NOT_FOUND),
        None => say(&applied, global.json),
    };
    if nothing && failure.is_none() && !global.json {
        print::line(&format!("{} brought nothing up", path.display()));
    }
    if applied.may_end && applied.operation.done {
        end::stop_and_wait(&client, global)?;
    }
    failure.map_or(Ok(code), Err)
}
