//! Limits of logs that change while a run writes them.

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::platform::failpoint::failpoint;

use super::lane::Lane;
use super::protocol::{KeeperToScribe, Routes};
use super::role::Keeper;
use super::runs::PipeKey;

impl Keeper {
    /// The table has them for whoever comes next, the scribe is told now. Which file a run writes does not change.
    pub(super) fn renew_limits(&mut self, key: InstanceId, new: &Routes) {
        let known = self.table.get(key).and_then(|entry| entry.routes.clone());
        if let Some(mut routes) = known
            && routes.take_limits(new)
        {
            let _ = self.table.change(key, |entry| entry.routes = Some(routes));
        }
        failpoint!("keeper.limits.written");
        let pipe = |run, stream| PipeKey { key, run, stream };
        let all = pipe(RunId(0), Stream::Out)..=pipe(RunId(u64::MAX), Stream::Err);
        let mut told = Vec::new();
        for (_, end) in self.pipes.range_mut(all) {
            for (_, route) in new.each() {
                if end.route.take_limits(route) {
                    told.push(route.clone());
                }
            }
        }
        for route in told {
            let lane = Lane::of(&route.path, &self.setup.paths.logs);
            if let Some(scribe) = self.scribes.get_mut(&lane)
                && let Some(role) = &mut scribe.role
            {
                let _ = role.link.send(&KeeperToScribe::Limits { route }, vec![]);
            }
        }
    }
}
