//! Who may read at once. A disk that does not answer takes up the readers of its own logs: in bounded number for each
//! folder that logs lie in, and what all other folders hold together is never what the folder of all logs needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::keeper::lane::Lane;

use super::ReadError;

/// Threads that may read what is below the folder of all logs.
const MAIN: usize = 16;
/// Threads that may read other folders.
const OTHERS: usize = 8;
/// Of these for one folder.
const EACH: usize = 4;
/// Folders share a bound when there are more of them.
const FOLDERS: usize = 64;

/// The threads that read logs. Each connection has one of these for each of its routes: it is small.
#[derive(Debug, Clone)]
pub(crate) struct Readers(Arc<Bounds>);

#[derive(Debug)]
struct Bounds {
    logs: PathBuf,
    main: Arc<Semaphore>,
    others: Arc<Semaphore>,
    each: Vec<Arc<Semaphore>>,
}

impl Readers {
    /// All free. What is below `logs` has threads of its own.
    #[must_use]
    pub(crate) fn new(logs: &Path) -> Self {
        let bound = |most| Arc::new(Semaphore::new(most));
        Self(Arc::new(Bounds {
            logs: logs.to_owned(),
            main: bound(MAIN),
            others: bound(OTHERS),
            each: (0..FOLDERS).map(|_| bound(EACH)).collect(),
        }))
    }

    #[cfg(test)]
    pub(super) fn are_free(&self) -> bool {
        let free = |of: &Semaphore| of.available_permits();
        (free(&self.0.main), free(&self.0.others)) == (MAIN, OTHERS)
    }

    /// Those for these logs. Who reads other folders as well is in the way of readers of those alone.
    #[must_use]
    pub(crate) fn of<'a>(&self, paths: impl Iterator<Item = &'a PathBuf>) -> Places {
        let lanes = paths.map(|path| Lane::of(path, &self.0.logs));
        let mut folders: Vec<usize> = lanes
            .filter(|lane| *lane != Lane::MAIN)
            .filter_map(|lane| Some(usize::try_from(lane.number()).ok()? % FOLDERS))
            .collect();
        // In one order, so that nobody holds what another waits for.
        folders.sort_unstable();
        folders.dedup();
        let all = if folders.is_empty() {
            &self.0.main
        } else {
            &self.0.others
        };
        let each = folders.iter().filter_map(|n| self.0.each.get(*n));
        Places {
            folders: each.cloned().collect(),
            all: Arc::clone(all),
        }
    }
}

/// What somebody who reads takes a place of.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    folders: Vec<Arc<Semaphore>>,
    all: Arc<Semaphore>,
}

impl Places {
    /// Does one piece of reading. After `patience` nobody waits for it any more, and its thread counts as taken until
    /// the disk lets it go.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let until = Instant::now() + patience;
        // Boxed: there may be many streams, and most are of the folder of all logs.
        let folders = match &self.folders[..] {
            [] => None,
            folders => Some(Box::pin(take(folders, until)).await?),
        };
        let place = tokio::time::timeout_at(until, Arc::clone(&self.all).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return Err(ReadError::Stalled);
        };
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((place, folders));
            done
        });
        match tokio::time::timeout_at(until, task).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(ReadError::Failed),
            Err(_) => Err(ReadError::Stalled),
        }
    }
}

async fn take(
    folders: &[Arc<Semaphore>],
    until: Instant,
) -> Result<Box<[OwnedSemaphorePermit]>, ReadError> {
    let mut taken = Vec::new();
    for of in folders {
        let place = tokio::time::timeout_at(until, Arc::clone(of).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return Err(ReadError::Stalled);
        };
        taken.push(place);
    }
    Ok(taken.into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_folder_that_hangs_takes_up_its_own_readers_and_no_others() {
        let readers = Readers::new(Path::new("/logs"));
        let of = |paths: &[&str]| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            readers.of(paths.iter())
        };
        let dead = of(&["/dead/a.log"]);
        let all = of(&["/logs/default/web/0.out.log", "/dead/b.log"]);
        let mut hold = Vec::new();
        // Half of them would read everything.
        for n in 0..3 * MAIN {
            let (end, ended) = mpsc::channel::<()>();
            hold.push(end);
            let places = if n % 2 == 0 { &dead } else { &all };
            let work = move || {
                let _ = ended.recv();
            };
            let stalled = places.run(SOON, work).await;
            assert!(matches!(stalled, Err(ReadError::Stalled)));
        }
        for paths in [&["/logs/default/web/0.out.log"][..], &["/other/c.log"]] {
            assert!(of(paths).run(LONG, || ()).await.is_ok(), "{paths:?}");
        }
        // The disk is back.
        drop(hold);
        assert!(all.run(LONG, || ()).await.is_ok());
    }
}
