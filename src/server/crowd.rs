//! Who is connected: in bounded numbers. A newcomer takes the place of whoever has been idle longest.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::patience::Activity;

/// Connections at once.
const PLACES: usize = 1024;

#[derive(Debug)]
struct Place {
    activity: Arc<Activity>,
    task: AbortHandle,
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    places: Vec<Place>,
}

impl Crowd {
    /// Makes room for one more; false when all are busy.
    pub(super) fn make_room(&mut self) -> bool {
        if self.places.len() < PLACES {
            return true;
        }
        self.places.retain(|place| !place.task.is_finished());
        if self.places.len() < PLACES {
            return true;
        }
        let idle = |(n, place): (usize, &Place)| Some((place.activity.idle_since()?, n));
        let Some((_, longest)) = self.places.iter().enumerate().filter_map(idle).min() else {
            return false;
        };
        self.places.swap_remove(longest).task.abort();
        true
    }

    /// One more has come.
    pub(super) fn join(&mut self, activity: Arc<Activity>, task: AbortHandle) {
        self.places.push(Place { activity, task });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_one_goes_and_never_one_that_waits_for_an_answer() {
        let mut crowd = Crowd::default();
        let mut tasks = Vec::new();
        let mut under_way = Vec::new();
        for n in 0..PLACES {
            assert!(crowd.make_room());
            let activity = Activity::new();
            if n == 0 {
                under_way.push(activity.begin());
            }
            let task = tokio::spawn(std::future::pending::<()>());
            crowd.join(activity, task.abort_handle());
            tasks.push(task);
        }
        assert!(crowd.make_room());
        tokio::task::yield_now().await;
        let gone: Vec<usize> = (0..PLACES).filter(|n| tasks[*n].is_finished()).collect();
        assert_eq!(
            gone,
            [1],
            "the first is under way, the second is idle longest"
        );
        let activity = Activity::new();
        let task = tokio::spawn(std::future::pending::<()>());
        crowd.join(activity, task.abort_handle());
        under_way.extend(crowd.places.iter().map(|place| place.activity.begin()));
        assert!(!crowd.make_room(), "all are busy");
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(crowd.make_room(), "one ended");
    }
}
