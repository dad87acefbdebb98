//! What processes have of the environment of whoever defined them: most have the same, and it is kept once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::spec::Spec;

/// A base environment.
type Environment = Arc<BTreeMap<String, String>>;

/// Those that are in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Environments(BTreeSet<Environment>);

impl Environments {
    /// Gives a definition the one that is kept in place of its own, or keeps its own.
    pub(super) fn share(&mut self, spec: &mut Spec) {
        if let Some(kept) = self.0.get(&spec.base_env) {
            spec.base_env = Arc::clone(kept);
            return;
        }
        self.0.retain(|kept| Arc::strong_count(kept) > 1);
        self.keep(spec);
    }

    /// Keeps the one of a definition that is shared already.
    pub(super) fn keep(&mut self, spec: &Spec) {
        self.0.insert(Arc::clone(&spec.base_env));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::ProcessName;
    use crate::domain::spec::Command;

    fn spec(name: &str, path: &str) -> Spec {
        let command = Command {
            program: "/bin/true".into(),
            args: Vec::new(),
        };
        let mut spec = Spec::new(ProcessName::new(name).unwrap(), command, "/");
        spec.base_env = Arc::new(BTreeMap::from([("PATH".into(), path.into())]));
        spec
    }

    #[test]
    fn equal_ones_are_kept_once_and_those_of_nobody_are_forgotten() {
        let mut kept = Environments::default();
        let mut all = ["a", "b", "c"].map(|name| spec(name, "/bin"));
        all.iter_mut().for_each(|spec| kept.share(spec));
        assert_eq!(Arc::strong_count(&all[0].base_env), 4);
        drop(all);
        let mut other = spec("d", "/sbin");
        kept.share(&mut other);
        assert_eq!(kept.0.len(), 1);
        assert_eq!(Arc::strong_count(&other.base_env), 2);
    }
}
