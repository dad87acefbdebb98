//! start, stop, restart, delete.

use std::process::ExitCode;
use std::time::Instant;

use crate::api::{Act, Define, Intent, Verb, typed};
use crate::client::{Client, operation_id};
use crate::config::{self, Caller, program};
use crate::domain::names::ProcessName;
use crate::domain::selector::Selector;
use crate::domain::spec::Spec;

use super::args::{Care, Change, Global, Guard, Restarting, Start, Stop, Surety};
use super::care::carefully;
use super::failure::{Failure, exit};
use super::select::{caller, client, is_file, selectors};
use super::{files, progress, rollout};

/// Starting hits nobody.
const CARELESS: Care = Care {
    dry_run: false,
    guard: Guard {
        force_protected: false,
    },
};

fn act(
    global: &Global,
    verb: Verb,
    select: Vec<Selector>,
    (surety, care): (Surety, Care),
) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    act_with(&client, global, verb, (select, surety, care))
}

fn act_with(
    client: &Client,
    global: &Global,
    verb: Verb,
    (select, surety, care): (Vec<Selector>, Surety, Care),
) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    let what = Intent::Do(verb);
    let view = carefully(client, global, care, (what, &select), |force_protected| {
        let act = Act {
            operation: operation_id(),
            verb,
            select: select.clone(),
            only_run: None,
            rolling: None,
            durable: surety.durable,
            force_protected,
        };
        client.act(&act, progress::first_wait(global))
    })?;
    let Some(view) = view else {
        return Ok(ExitCode::SUCCESS);
    };
    let view = progress::follow(client, global, view, begun)?;
    Ok(progress::say(&view, global.json))
}

pub(super) fn stop(global: &Global, stop: &Stop) -> Result<ExitCode, Failure> {
    let verb = if stop.force { Verb::Kill } else { Verb::Stop };
    let select = selectors(&stop.targets.select)?;
    act(global, verb, select, (stop.surety, stop.care))
}

pub(super) fn restart(global: &Global, restart: &Restarting) -> Result<ExitCode, Failure> {
    let mut select = selectors(&restart.select)?;
    if restart.failed {
        // In the daemon's own turn: what has come up again by then is not touched.
        if select.is_empty() {
            select.push(Selector::All);
        }
        select = select.into_iter().map(Selector::failed).collect();
    }
    if restart.rolling {
        return rollout::restart(global, restart, select);
    }
    act(
        global,
        Verb::Restart,
        select,
        (restart.surety, restart.care),
    )
}

pub(super) fn delete(global: &Global, change: &Change) -> Result<ExitCode, Failure> {
    let select = selectors(&change.targets.select)?;
    act(global, Verb::Delete, select, (change.surety, change.care))
}

/// The first flag that defines something, for the error that says it may not stand there.
fn definition_flag(start: &Start) -> Option<&'static str> {
    [
        (start.name.is_some(), "--name"),
        (start.namespace.is_some(), "--namespace"),
        (start.instances.is_some(), "--instances"),
        (!start.env.is_empty(), "--env"),
        (start.cwd.is_some(), "--cwd"),
        (start.restart.is_some(), "--restart"),
        (start.max_restarts.is_some(), "--max-restarts"),
        (start.restart_delay.is_some(), "--restart-delay"),
        (start.stop_signal.is_some(), "--stop-signal"),
        (start.stop_timeout.is_some(), "--stop-timeout"),
        (start.max_memory.is_some(), "--max-memory"),
        (!start.tags.is_empty(), "--tag"),
        (!start.args.is_empty(), "--"),
    ]
    .into_iter()
    .find_map(|(given, flag)| given.then_some(flag))
}

pub(super) fn start(global: &Global, mut start: Start) -> Result<ExitCode, Failure> {
    if start.word.is_empty() && start.config.is_none() && !start.args.is_empty() {
        start.word.push(start.args.remove(0));
    }
    if let Some(file) = &start.config {
        refuse_flags(&start, "a config file")?;
        return files::start(global, file, start.surety);
    }
    let [word] = start.word.as_slice() else {
        // Several words can only be what is there.
        let client = client(global)?;
        refuse_a_command_line(&client, &start)?;
        refuse_flags(&start, "several processes")?;
        let what = (selectors(&start.word)?, start.surety, CARELESS);
        return act_with(&client, global, Verb::Start, what);
    };
    let word = word.clone();
    if is_file(&word) {
        refuse_flags(&start, "a config file")?;
        return files::start(global, std::path::Path::new(&word), start.surety);
    }
    let client = client(global)?;
    if let Ok(selector) = word.parse::<Selector>()
        && is_there(&client, &selector)?
    {
        refuse_flags(&start, &format!("{word}, which is there already"))?;
        let what = (vec![selector], start.surety, CARELESS);
        return act_with(&client, global, Verb::Start, what);
    }
    let durable = start.surety.durable;
    let spec = definition(&word, start)?;
    let begun = Instant::now();
    let define = Define {
        operation: operation_id(),
        spec,
        durable,
    };
    let view = client.define(&define, progress::first_wait(global))?;
    let view = progress::follow(&client, global, view, begun)?;
    Ok(progress::say(&view, global.json))
}

/// Whether a word can only mean what is there: an exact name that is, or what is no name at all.
fn is_there(client: &Client, selector: &Selector) -> Result<bool, Failure> {
    let (namespace, name) = match selector {
        Selector::Name { namespace, name } => (namespace, name),
        Selector::All
        | Selector::Id(_)
        | Selector::Glob { .. }
        | Selector::Tag(_)
        | Selector::Status(_)
        | Selector::Failed(_) => return Ok(true),
    };
    let rows = client.list(&["all".into()])?;
    Ok(rows.iter().any(|row| {
        let there = row.namespace.as_str();
        namespace.as_deref().is_none_or(|n| n == there)
            && (*name == row.name || *name == row.process.as_str())
    }))
}

/// Whoever writes `start node server.js` means the first word as a program and the others as its arguments.
fn refuse_a_command_line(client: &Client, start: &Start) -> Result<(), Failure> {
    let Some((first, rest)) = start.word.split_first() else {
        return Ok(());
    };
    let here = std::env::current_dir().unwrap_or_default();
    let path = search_path(start, &caller());
    let known = match first.parse::<Selector>() {
        Ok(selector) => is_there(client, &selector)? || !program::is_program(first, &here, &path),
        Err(_) if is_file(first) => true,
        // No name of anything: if it is not even a program, that is what is wrong.
        Err(_) => program::resolve(first, &[], &here, &path).map(|_| false)?,
    };
    if known {
        return Ok(());
    }
    let args = rest.iter().chain(&start.args).map(String::as_str);
    let line = typed(["adasa", "start", first, "--"].into_iter().chain(args));
    Err(Failure::new(
        exit::USAGE,
        format!("{first} is a new process: its arguments are written after --"),
    )
    .hint(line))
}

/// Where a program is looked up that is started with these flags.
fn search_path(start: &Start, caller: &Caller) -> String {
    let given = start.env.iter().rev().find(|(name, _)| name == "PATH");
    let path = given.map(|(_, value)| value).or(caller.env.get("PATH"));
    path.cloned()
        .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

fn refuse_flags(start: &Start, what: &str) -> Result<(), Failure> {
    match definition_flag(start) {
        None => Ok(()),
        Some(flag) => Err(Failure::new(
            exit::USAGE,
            format!("{flag} defines a new process and cannot stand with {what}"),
        )
        .hint("`adasa edit NAME` changes a definition, and so does a changed file with `adasa reload`")),
    }
}

fn definition(word: &str, start: Start) -> Result<Spec, Failure> {
    let caller = caller();
    let here = std::env::current_dir().map_err(|e| {
        Failure::new(
            exit::FAILED,
            format!("the working folder cannot be found: {e}"),
        )
    })?;
    let cwd = match &start.cwd {
        Some(cwd) => here.join(cwd),
        None => here.clone(),
    };
    if !cwd.is_dir() {
        return Err(Failure::new(
            exit::FAILED,
            format!("the working folder {} is not there", cwd.display()),
        )
        .hint("--cwd takes a folder"));
    }
    let cwd = program::tidy(&std::path::absolute(&cwd).unwrap_or(cwd));
    let path = search_path(&start, &caller);
    // What was typed is relative to where it was typed, wherever it is to run.
    let command = program::resolve(word, &start.args, &here, &path)?;
    let name = match start.name {
        Some(name) => name,
        None => {
            let name = program::default_name(word);
            ProcessName::new(name.clone()).map_err(|why| {
                Failure::new(exit::USAGE, format!("{name:?} cannot be its name: {why}"))
                    .hint("give it one with --name")
            })?
        }
    };
    let mut spec = Spec::new(name, command, cwd);
    spec.base_env = config::kept_environment(&caller.env).into();
    spec.env = start.env.into_iter().collect();
    spec.namespace = start.namespace.unwrap_or_default();
    spec.instances = start.instances.unwrap_or(1);
    spec.tags = start.tags;
    if let Some(word) = start.restart {
        spec.restart.on = word.into();
    }
    if let Some(count) = start.max_restarts {
        spec.restart.max_restarts = count;
    }
    if let Some(delay) = start.restart_delay {
        spec.restart.backoff.initial = delay;
    }
    if let Some(signal) = start.stop_signal {
        spec.stop.signal = signal;
    }
    if let Some(timeout) = start.stop_timeout {
        spec.stop.timeout = timeout;
    }
    spec.limits.max_memory = start.max_memory;
    spec.validate()
        .map_err(|invalid| Failure::new(exit::USAGE, invalid.to_string()))?;
    Ok(spec)
}
