//! What happens to processes, as it is said in the daemon's own log.

use std::collections::VecDeque;

use crate::domain::activity::add;
use crate::domain::event::{Event, What};
use crate::domain::run::Reason;
use crate::domain::status::Status;

/// Says it. Steps on the way are for those who want to see every step.
pub(in crate::daemon) fn say(event: &Event) {
    let name = &event.name;
    match &event.what {
        What::Status { to, because, .. } => {
            let why = if because.is_empty() {
                String::new()
            } else {
                format!(" ({because})")
            };
            match to {
                Status::Errored => tracing::error!("{name}: {to}{why}"),
                Status::Backoff | Status::Orphaned => tracing::warn!("{name}: {to}{why}"),
                Status::Running | Status::Stopped | Status::Exited => {
                    tracing::info!("{name}: {to}{why}");
                }
                Status::Starting | Status::Stopping | Status::Restarting => {
                    tracing::debug!("{name}: {to}{why}");
                }
            }
        }
        What::Exit {
            run, exit, reason, ..
        } => {
            let of_itself = *reason == Reason::Itself && !exit.ending.is_success();
            let end = exit.ending;
            if of_itself {
                tracing::warn!("{name}: run {run} ended: {end}");
            } else {
                tracing::info!("{name}: run {run} ended: {end}");
            }
        }
        What::Asked {
            verb,
            operation,
            by,
        } => tracing::debug!(
            "{name}: {} asked by {by}, operation {operation}",
            verb.word()
        ),
        What::Did { .. } => {
            let mut told = VecDeque::new();
            add(&mut told, event, 1);
            for it in told {
                tracing::info!("{}: {}", it.actor(), it.words());
            }
        }
        What::Done {
            operation,
            ok,
            failed,
            took_ms,
            ..
        } => {
            tracing::info!("operation {operation}: {ok} done, {failed} failed, {took_ms} ms");
        }
        What::Began {
            version,
            pid,
            epoch,
        } => {
            tracing::info!(epoch, pid, version, "the daemon has taken over");
        }
        What::Limit { memory, allowed } => {
            tracing::warn!("{name}: uses {memory} bytes of {allowed} allowed");
        }
        What::Alarm { text } if name.is_empty() => tracing::warn!("{text}"),
        What::Alarm { text } => tracing::warn!("{name}: {text}"),
        What::Note { text } if name.is_empty() => tracing::info!("{text}"),
        What::Note { text } => tracing::info!("{name}: {text}"),
    }
}
