//! Who is connected to what would be ended: reads of other processes that can hang, so never on the loop, and the
//! answer does not wait for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::{ApiError, PlanQuery, PlanView};
use crate::domain::names::InstanceId;
use crate::platform::{procfs, sockets};

use super::handle::Handle;
use super::plan::Planned;

/// How long a plan waits for a look at the sockets.
const PATIENCE: Duration = Duration::from_millis(700);

/// What it would do, with who is connected if that is asked for and found in time.
///
/// # Errors
/// The supervisor's answer.
pub(crate) async fn plan(
    handle: &Handle,
    marker: &str,
    query: PlanQuery,
) -> Result<PlanView, ApiError> {
    let wanted = query.connections;
    let Planned { mut view, ended } = handle.plan(query).await?;
    if !wanted || ended.is_empty() {
        return Ok(view);
    }
    let marker = marker.to_owned();
    let look = tokio::task::spawn_blocking(move || ports(&marker));
    let Ok(Ok((ports, open))) = tokio::time::timeout(PATIENCE, look).await else {
        return Ok(view);
    };
    for (position, process) in view.processes.iter_mut().enumerate() {
        let of_it = ended.iter().filter(|(at, _)| *at == position);
        let its: BTreeSet<u16> = of_it
            .filter_map(|(_, id)| ports.get(id))
            .flatten()
            .copied()
            .collect();
        process.connections = Some(its.iter().filter_map(|port| open.get(port)).sum());
        process.ports = Some(its.into_iter().collect());
    }
    Ok(view)
}

type Ports = BTreeMap<InstanceId, BTreeSet<u16>>;

/// Where each of our instances listens, by the mark in the environment of who has the socket; and how many connections
/// are open at each port.
fn ports(marker: &str) -> (Ports, std::collections::HashMap<u16, u32>) {
    let listening = sockets::listening();
    let inodes: Vec<u64> = listening.iter().map(|l| l.inode).collect();
    let holders = sockets::holders(&inodes);
    let mut found = Ports::new();
    for socket in listening {
        let mark = holders
            .get(&socket.inode)
            .and_then(|pid| procfs::environment_value(*pid, "ADASA_RUN"));
        let id = mark.as_deref().and_then(|mark| instance(mark, marker));
        if let Some(id) = id {
            found.entry(id).or_default().insert(socket.address.port());
        }
    }
    (found, sockets::connections())
}

/// The instance of a mark of ours.
fn instance(mark: &str, marker: &str) -> Option<InstanceId> {
    let rest = mark.strip_prefix(marker)?.strip_prefix('/')?;
    let (id, _) = rest.split_once('/')?;
    id.parse().ok().map(InstanceId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_marks_name_an_instance() {
        assert_eq!(instance("home/7/3", "home"), Some(InstanceId(7)));
        for other in ["homes/7/3", "home/7", "home/x/3", "7/3", ""] {
            assert_eq!(instance(other, "home"), None, "{other}");
        }
    }
}
