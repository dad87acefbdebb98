//! How the processes of a run stand below each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Protocol {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The order in which they are shown: each behind its parent, siblings by pid; the main process first, then what has
/// lost its parent. Positions of `processes` (pid and parent), each with how deep it stands.
pub(crate) fn order(processes: &[(i32, i32)], main: i32) -> Vec<(usize, u32)> {
    let places: BTreeMap<i32, usize> = processes.iter().map(|(pid, _)| *pid).zip(0..).collect();
    let parent = |n: usize| processes.get(n).map(|(_, parent)| *parent);
    let mut below: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    let mut roots: Vec<usize> = places.get(&main).copied().into_iter().collect();
    for (pid, n) in &places {
        match parent(*n).filter(|it| it != pid && places.contains_key(it)) {
            _ if *pid == main => {}
            Some(parent) => below.entry(parent).or_default().push(*n),
            None => roots.push(*n),
        }
    }
    let mut found = Vec::with_capacity(processes.len());
    let mut stack: Vec<(usize, u32)> = roots.iter().rev().map(|n| (*n, 0)).collect();
    while let Some((n, depth)) = stack.pop() {
        found.push((n, depth));
        let children = processes.get(n).and_then(|(pid, _)| below.remove(pid));
        let children = children.unwrap_or_default().into_iter().rev();
        stack.extend(children.map(|n| (n, depth + 1)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(processes: &[(i32, i32)], main: i32) -> Vec<(i32, u32)> {
        let order = order(processes, main);
        order.iter().map(|(n, d)| (processes[*n].0, *d)).collect()
    }

    #[test]
    fn each_stands_behind_its_parent_and_the_main_process_first() {
        let processes = [(12, 11), (5, 1), (30, 10), (11, 10), (10, 3), (40, 5)];
        assert_eq!(
            shown(&processes, 10),
            [(10, 0), (11, 1), (12, 2), (30, 1), (5, 0), (40, 1)]
        );
        // The main process is gone: what it left.
        assert_eq!(shown(&[(12, 1), (11, 1)], 10), [(11, 0), (12, 0)]);
        assert_eq!(shown(&[], 10), []);
    }

    #[test]
    fn pids_that_were_used_again_make_no_endless_tree() {
        // Read one after the other, a parent may by then be a child of its child.
        assert_eq!(shown(&[(10, 11), (11, 10)], 10), [(10, 0), (11, 1)]);
        assert_eq!(shown(&[(7, 7)], 10), [(7, 0)]);
    }
}
