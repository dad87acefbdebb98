//! edit.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use crate::api::{self, Definition};
use crate::client::operation_id;
use crate::config;
use crate::domain::spec::{Difference, Spec};
use crate::logs::read::private_options;

use super::args::{Edit, Global};
use super::editor::{agreed, edited};
use super::failure::{Failure, exit};
use super::select::client;
use super::{files, print, progress};

/// A file that goes when this goes.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn edit(global: &Global, wanted: &Edit) -> Result<ExitCode, Failure> {
    let select: crate::api::Selector = wanted
        .name
        .parse()
        .map_err(|why| Failure::new(exit::USAGE, why))?;
    let client = client(global)?;
    let Definition { generation, spec } = client.definition(&wanted.name)?;
    let before = config::written(&spec);
    let name = format!("adasa-edit-{}.toml", operation_id());
    let draft = Draft(std::env::temp_dir().join(name));
    let io = |error: std::io::Error| {
        Failure::new(exit::FAILED, format!("{}: {error}", draft.0.display()))
    };
    private_options()
        .create_new(true)
        .open(&draft.0)
        .and_then(|mut file| file.write_all(before.as_bytes()))
        .map_err(io)?;
    let Some(next) = edited(&draft.0)?.and_then(|file| file.specs.into_iter().next()) else {
        return Err(Failure::new(exit::FAILED, "it was left as it is"));
    };
    let after = config::written(&next);
    if after == before {
        print::line(&format!("{} is as it was", spec.name));
        return Ok(ExitCode::SUCCESS);
    }
    for line in difference(&before, &after) {
        print::line(&line);
    }
    print::line(what_follows(&spec, &next));
    if !wanted.yes && !agreed("Bring this in force? [y/N] ") {
        return Err(Failure::new(exit::FAILED, "nothing was changed"));
    }
    let begun = Instant::now();
    let edit = api::Edit {
        operation: operation_id(),
        select,
        only_generation: generation,
        spec: next,
        durable: wanted.surety.durable,
        force_protected: wanted.guard.force_protected,
    };
    let mut applied = client.edit(&edit, progress::first_wait(global))?;
    applied.operation = progress::follow(&client, global, applied.operation, begun)?;
    Ok(files::say(&applied, global.json))
}

/// The lines that only one of them has, in their order.
fn difference(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (before, after) = (lines(before), lines(after));
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    let gone = gone.map(|line| format!("- {line}"));
    gone.chain(new.map(|line| format!("+ {line}"))).collect()
}

fn what_follows(before: &Spec, after: &Spec) -> &'static str {
    match before.difference(after) {
        Difference::Replace => "every instance that runs is restarted",
        Difference::Scale if after.instances < before.instances => {
            "instances with the highest numbers are ended; the others are not touched"
        }
        Difference::Scale => "instances are added; the others are not touched",
        Difference::None | Difference::Live => "nothing is restarted",
    }
}
