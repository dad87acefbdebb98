//! undo.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::api::{Undo, UndoView};
use crate::client::operation_id;
use crate::config::units::short_duration;

use super::args::{Global, Undo as Wanted};
use super::failure::Failure;
use super::select::client;
use super::{print, progress};

pub(super) fn undo(global: &Global, wanted: Wanted) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    if wanted.list {
        list(&client.undo_list()?, global.json);
        return Ok(ExitCode::SUCCESS);
    }
    let begun = Instant::now();
    let undo = Undo {
        operation: operation_id(),
        undo: wanted.operation,
        durable: wanted.surety.durable,
    };
    let view = client.undo(&undo, progress::first_wait(global))?;
    let view = progress::follow(&client, global, view, begun)?;
    if view.targets.is_empty() && !global.json {
        print::line("taken back; no process had to be touched");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(progress::say(&view, global.json))
}

fn list(views: &[UndoView], json: bool) {
    if json {
        return print::json(&views);
    }
    if views.is_empty() {
        print::line("nothing to take back");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    for view in views {
        print::line(&entry(view, now_ms));
    }
}

fn entry(view: &UndoView, now_ms: u64) -> String {
    let ago = short_duration(Duration::from_millis(now_ms.saturating_sub(view.at_ms)));
    let mut text = format!(
        "{}  {} by {}, {ago} ago: would {}",
        view.operation,
        view.verb.word(),
        view.by,
        view.steps.join(", ")
    );
    if let Some(why) = &view.refused {
        text.push_str(&format!(" (not possible: {why})"));
    }
    text
}
