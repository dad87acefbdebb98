//! Who is connected to what would be ended.

use crate::api::{ApiError, PlanQuery, PlanView};
use crate::domain::names::InstanceId;
use crate::domain::selector::Selector;

use super::handle::Handle;
use super::plan::Planned;
use super::tree::{Looks, ports};

/// What it would do, with who is connected if that is asked for and found in time.
///
/// # Errors
/// The supervisor's answer.
pub(crate) async fn plan(
    handle: &Handle,
    looks: &Looks,
    query: PlanQuery,
) -> Result<PlanView, ApiError> {
    let wanted = query.connections;
    let Planned { mut view, ended } = handle.plan(query).await?;
    if !wanted || ended.is_empty() {
        return Ok(view);
    }
    let select = ended.iter().map(|(_, id)| Selector::Id(*id)).collect();
    // Without a look the plan says nothing of it.
    let Ok(trees) = looks.trees(handle, select).await else {
        return Ok(view);
    };
    if trees.iter().any(|tree| !tree.complete) {
        return Ok(view);
    }
    for (position, process) in view.processes.iter_mut().enumerate() {
        let of_it = |id: InstanceId| ended.contains(&(position, id));
        let own: Vec<_> = trees
            .iter()
            .filter(|tree| of_it(tree.id))
            .cloned()
            .collect();
        let (its, open) = ports(&own);
        process.connections = Some(open);
        process.ports = Some(its.into_iter().collect());
    }
    Ok(view)
}
