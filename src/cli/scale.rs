//! scale.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use crate::api::{self, Intent, Selector};
use crate::client::operation_id;

use super::args::{Global, Scale};
use super::care::carefully;
use super::failure::{Failure, exit};
use super::select::client;
use super::{print, progress};

pub(super) fn scale(global: &Global, wanted: &Scale) -> Result<ExitCode, Failure> {
    let select = wanted.name.parse::<Selector>();
    let select = select.map_err(|why| Failure::new(exit::USAGE, why))?;
    let client = client(global)?;
    let begun = Instant::now();
    let (to, durable) = (wanted.count, wanted.surety.durable);
    let what = (Intent::Scale { to }, std::slice::from_ref(&select));
    let applied = carefully(&client, global, wanted.care, what, |force_protected| {
        let scale = api::Scale {
            operation: operation_id(),
            select: select.clone(),
            to,
            only_from: None,
            durable,
            force_protected,
        };
        client.scale(&scale, progress::first_wait(global))
    })?;
    let Some(mut applied) = applied else {
        return Ok(ExitCode::SUCCESS);
    };
    applied.operation = progress::follow(&client, global, applied.operation, begun)?;
    if global.json {
        print::json(&json!({
            "results": applied.results,
            "operation": progress::as_json(&applied.operation),
        }));
        return Ok(progress::exit_code(&applied.operation));
    }
    for change in &applied.results {
        let note = change.note.as_deref().unwrap_or_default();
        print::line(&format!("{} {} {note}", change.name, change.action.word()));
    }
    if applied.operation.targets.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(progress::say(&applied.operation, false))
}
