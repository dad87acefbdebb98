//! Where the output of a run goes, and the limits of the files.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::spec::Stream;

/// One stream of one run goes to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// The file.
    pub path: Arc<Path>,
    /// It becomes an archive when it has this many bytes.
    pub max_size: u64,
    /// It becomes an archive this many milliseconds after it was begun.
    pub max_age_ms: Option<u64>,
    /// Whether a full disk makes the writer wait; else what cannot be written is counted and dropped.
    pub block: bool,
}

impl Route {
    /// Takes the limits of another if it is for the same file. Whether that changes anything.
    pub(crate) fn take_limits(&mut self, new: &Self) -> bool {
        let changes = new.path == self.path && new != self;
        if changes {
            *self = new.clone();
        }
        changes
    }
}

/// Where the output of a run goes; without `err`, both streams share `out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routes {
    /// Standard output.
    pub out: Route,
    /// Standard error, when it is kept apart.
    pub err: Option<Route>,
}

impl Routes {
    /// The streams that have a pipe of their own.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Stream, &Route)> {
        std::iter::once((Stream::Out, &self.out)).chain(self.err.iter().map(|r| (Stream::Err, r)))
    }

    /// Takes the limits of others for the files that both have. Whether that changes anything.
    pub(crate) fn take_limits(&mut self, new: &Self) -> bool {
        let mut changes = false;
        for own in std::iter::once(&mut self.out).chain(&mut self.err) {
            for (_, route) in new.each() {
                changes |= own.take_limits(route);
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_taken_for_the_same_file_alone() {
        let route = |path: &str, max_size| Route {
            path: Path::new(path).into(),
            max_size,
            max_age_ms: None,
            block: false,
        };
        let routes = |out, err| Routes { out, err };
        let mut known = routes(route("/a", 1), Some(route("/b", 1)));
        assert!(!known.take_limits(&known.clone()));
        assert!(!known.take_limits(&routes(route("/c", 2), None)));
        assert!(known.take_limits(&routes(route("/b", 2), None)));
        assert_eq!(known, routes(route("/a", 1), Some(route("/b", 2))));
        assert!(known.take_limits(&routes(route("/a", 3), Some(route("/x", 3)))));
        assert_eq!(known, routes(route("/a", 3), Some(route("/b", 2))));
    }
}
