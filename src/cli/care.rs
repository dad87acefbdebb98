//! Before something is done: what it would do, and what is protected.

use std::io::IsTerminal as _;
use std::time::Duration;

use crate::api::{Code, Intent, PlanProcess, PlanQuery, PlanView, Selector};
use crate::client::{Client, ClientError};
use crate::config::units::short_duration;

use super::args::{Care, Global};
use super::failure::{Failure, exit};
use super::print;

/// Does it, or shows what it would do: then there is no answer. A terminal is asked for the name of what is protected;
/// `run` is told whether that was said.
pub(super) fn carefully<T>(
    client: &Client,
    global: &Global,
    care: Care,
    (what, select): (Intent, &[Selector]),
    run: impl Fn(bool) -> Result<T, ClientError>,
) -> Result<Option<T>, Failure> {
    let query = PlanQuery {
        what,
        select: select.to_vec(),
        connections: care.dry_run,
    };
    if care.dry_run {
        say(&client.plan(&query)?, global.json);
        return Ok(None);
    }
    match run(care.guard.force_protected) {
        Err(ClientError::Refused(error)) if error.code == Code::Protected && may_ask(global) => {
            confirm(&client.plan(&query)?)?;
            Ok(Some(run(true)?))
        }
        done => Ok(Some(done?)),
    }
}

/// Whether somebody sits there who could answer.
fn may_ask(global: &Global) -> bool {
    !global.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn confirm(plan: &PlanView) -> Result<(), Failure> {
    let verb = plan.work.word();
    let (word, question) = match plan.protected.as_slice() {
        [one] => (
            one.clone(),
            format!("{one} is protected. Type its name to {verb} it: "),
        ),
        several => (
            several.len().to_string(),
            format!(
                "{} are protected. Type how many these are to {verb} them: ",
                several.join(", ")
            ),
        ),
    };
    if print::ask(&question).is_some_and(|typed| typed == word) {
        return Ok(());
    }
    Err(Failure::new(
        exit::FAILED,
        "that is not it; nothing was changed",
    ))
}

fn say(plan: &PlanView, json: bool) {
    if json {
        return print::json(plan);
    }
    for process in &plan.processes {
        for line in lines(plan, process) {
            print::line(&line);
        }
    }
    if plan.processes.is_empty() {
        print::line("nothing is selected");
        return;
    }
    print::line(&match plan.undo_ms {
        Some(ms) => {
            let left = short_duration(Duration::from_millis(ms));
            format!("`adasa undo` would take it back for {left}; nothing was changed")
        }
        None => "it could not be taken back; nothing was changed".to_owned(),
    });
}

fn lines(plan: &PlanView, it: &PlanProcess) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}: {} of {} run now, {} of {} afterwards",
        plan.work.word(),
        it.name,
        it.up,
        it.of,
        it.after,
        it.after_of
    )];
    if it.least < it.up.min(it.after) {
        lines.push(format!("  meanwhile  {} of {}", it.least, it.of));
    }
    if !it.ends.is_empty() {
        lines.push(format!("  ends       {}", it.ends.join(" ")));
    }
    lines.extend(it.how().map(|how| format!("  how        {how}")));
    lines.extend(it.open().map(|open| format!("  open now   {open}")));
    if plan.protected.contains(&it.name) {
        lines.push("  protected  yes: it asks for the name, or --force-protected".to_owned());
    }
    lines
}
