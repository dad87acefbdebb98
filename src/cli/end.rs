//! The end of everything: ordered from whoever can do it, and waited for.

use std::time::{Duration, Instant};

use crate::api::{Code, ServerControl, Status};
use crate::client::{Client, ClientError};
use crate::keeper::loss::{self, Loss};
use crate::platform::signal::PidFd;

use super::args::Global;
use super::failure::{Failure, exit};
use super::print;

/// Who was told to end.
struct Told {
    /// The daemon's pid and its number, if it was the daemon.
    daemon: Option<(u32, u64)>,
    /// Who is the last to go.
    keeper: Option<PidFd>,
}

/// Tells whoever can do it to end everything: the daemon, or past one that hangs its keeper, which then does it itself.
fn order_the_end(client: &Client) -> Result<Told, ClientError> {
    let mut told = Told {
        daemon: None,
        keeper: None,
    };
    let asked = client.info().and_then(|info| {
        // Before the order: afterwards the number may be somebody else's.
        told = Told {
            daemon: Some((info.pid, info.epoch)),
            keeper: PidFd::open(info.keeper_pid).ok(),
        };
        client.control(ServerControl::Stop)
    });
    match asked {
        Ok(()) => Ok(told),
        Err(error @ ClientError::Unresponsive(_)) => match client.end_past_daemon() {
            Some(keeper) => Ok(Told {
                keeper: PidFd::open(keeper).ok(),
                ..told
            }),
            None => Err(error),
        },
        // Somebody else's order is being carried out.
        Err(ClientError::Refused(error))
            if error.code == Code::ShuttingDown && told.keeper.is_some() =>
        {
            Ok(told)
        }
        // It took the order and was gone before it could say so.
        Err(ClientError::NoDaemon { .. }) if told.keeper.is_some() => Ok(told),
        // Nobody listens, and yet there may be one: the folder of its socket may have been removed.
        Err(error @ ClientError::NoDaemon { .. }) => match client.end_past_daemon() {
            Some(keeper) => Ok(Told {
                keeper: PidFd::open(keeper).ok(),
                ..told
            }),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// How it ended.
pub(super) struct Ended {
    /// The daemon's, if it told it.
    pub(super) pid: Option<u32>,
    /// What could not be written any more.
    pub(super) lost: Vec<Loss>,
}

/// Ends everything, waits until it is over, and says what was lost with it.
pub(super) fn stop_and_wait(client: &Client, global: &Global) -> Result<Ended, Failure> {
    let pid = wait_for_the_end(client, global)?;
    let lost = loss::read(&client.paths().lost());
    for loss in &lost {
        print::remark(&loss.to_string());
    }
    Ok(Ended { pid, lost })
}

fn wait_for_the_end(client: &Client, global: &Global) -> Result<Option<u32>, Failure> {
    let begun = Instant::now();
    let mut pid = None;
    loop {
        let told = match order_the_end(client) {
            // Nobody took over any more.
            Err(ClientError::NoDaemon { .. }) if pid.is_some() => return Ok(pid),
            told => told?,
        };
        pid = pid.or(told.daemon.map(|(pid, _)| pid));
        if let Some(keeper) = &told.keeper {
            wait_for(keeper, client, global, begun)?;
        }
        if !is_taken_over(client, &told) {
            return Ok(pid);
        }
    }
}

/// Whether the keeper was killed before its work was done, and somebody else took over what it kept: a keeper that ends
/// takes its folder with it, and whoever begins anew begins to count anew.
fn is_taken_over(client: &Client, told: &Told) -> bool {
    let Some((_, epoch)) = told.daemon else {
        return false;
    };
    client.paths().volatile.exists()
        && client.ensure().is_ok()
        && client.info().is_ok_and(|info| info.epoch > epoch)
}

fn wait_for(
    keeper: &PidFd,
    client: &Client,
    global: &Global,
    begun: Instant,
) -> Result<(), Failure> {
    loop {
        let left = global.timeout.saturating_sub(begun.elapsed());
        let over = keeper
            .wait(left.min(Duration::from_millis(500)))
            .map_err(|e| {
                Failure::new(exit::FAILED, format!("the keeper cannot be watched: {e}"))
            })?;
        if over {
            print::progress_end();
            return Ok(());
        }
        if left.is_zero() {
            print::progress_end();
            return Err(
                Failure::new(exit::TIMED_OUT, "the daemon has not ended yet")
                    .hint("`adasa list` shows what it waits for"),
            );
        }
        if let Ok(now) = client.info() {
            let alive = now.counts.of(Status::Stopping) + now.counts.of(Status::Restarting);
            print::progress(&format!("{alive} processes are still ending"));
        }
    }
}
